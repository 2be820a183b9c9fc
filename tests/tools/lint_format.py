#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that clang-format would change nothing.

    lint_format.py [--root DIR] [--fix]

The rules stand in .clang-format, written for version 14. Without clang-format the check is skipped
(exit status 77, which Meson knows). --fix rewrites the files.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys

import csource

SKIPPED = 77


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description="Check the layout of C sources.")
    parser.add_argument("--root", type=pathlib.Path, default=here.parent.parent)
    parser.add_argument("--fix", action="store_true", help="rewrite what is out of shape")
    args = parser.parse_args()

    program = shutil.which("clang-format-14") or shutil.which("clang-format")
    if program is None:
        print("format: clang-format is not installed: skipped")
        sys.exit(SKIPPED)
    findings = csource.Findings("format")
    files = csource.c_files(args.root)
    how = ["-i"] if args.fix else ["--dry-run", "-Werror"]
    for start in range(0, len(files), 50):
        done = subprocess.run([program, "--style=file"] + how + files[start:start + 50],
                              cwd=args.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False)
        for line in done.stdout.decode(errors="replace").splitlines():
            match = re.match(r"([^:]+):(\d+):\d+: error: (.*)", line)
            if match:
                findings.add(match.group(1), int(match.group(2)), match.group(3))
    findings.finish(len(files), "files")


if __name__ == "__main__":
    main()
