#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles one of these programs for the build, or says why it cannot be.

    make.py --architecture arm64 --cache FOLDER OUT FILE.c...

By ./cc, with all warnings as errors. Without a compiler, or without musl for that architecture,
OUT is an empty file, and a line on standard error says what is missing: the card is made without
the program. FOLDER is where images/fetch.py keeps packages.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-g0", "-s", "-Wall", "-Wextra", "-Werror", "-Wshadow",
         "-Wstrict-prototypes", "-Wmissing-prototypes"]


def missing(architecture, cache):
    """What there is not, or None."""
    if architecture == "amd64":
        return None if shutil.which("musl-gcc") else "musl-gcc (Debian's package musl-tools)"
    for name in ("musl-dev", "linux-libc-dev"):
        if not (cache / architecture / "tree" / name).is_dir():
            return "the package %s for %s" % (name, architecture)
    compiler = os.environ.get("REALGCC", "aarch64-linux-gnu-gcc")
    return None if shutil.which(compiler) else compiler


def main():
    parser = argparse.ArgumentParser(description="Compile a program for the card.")
    parser.add_argument("--architecture", required=True, choices=("amd64", "arm64"))
    parser.add_argument("--cache", type=pathlib.Path, required=True)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("source", type=pathlib.Path, nargs="+")
    args = parser.parse_args()

    what = missing(args.architecture, args.cache)
    if what is not None:
        print("images: %s is not made: there is no %s" % (args.out.name, what), file=sys.stderr)
        args.out.write_bytes(b"")
        return 0
    env = {**os.environ, "TAYBERRY_PACKAGES": str(args.cache.resolve())}
    words = [HERE / "cc", args.architecture, *FLAGS, "-o", args.out, *args.source]
    return subprocess.run([str(word) for word in words], env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
