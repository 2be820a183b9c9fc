#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the plain text of the tree: marks of unfinished work, licence lines, blanks and tabs.

    lint_text.py [--root DIR]

The words that mean "not done yet" have no place in what is handed to others; a source file begins
with its licence line (after the '#!' of a script); no line ends in blanks, no C or Python file
holds a tab, and every file ends with a newline.
"""
import argparse
import pathlib
import re
import sys

import csource

# Written so that this file does not find itself.
WORDS = re.compile(r"\b(?:TO[D]O|FI[X]ME|X[X]X|HA[C]K)\b|\bnot [i]mplemented\b|\bplace[h]older\b"
                   r"|\bfor [n]ow\b|\bst[u]b implementation\b")
TEXT = (".c", ".h", ".S", ".py", ".md", ".build", ".txt", ".sh", ".ini", ".ld", ".json", ".1", ".3",
        ".in", ".map", ".def", ".ver")
SCRIPTS = ("run", "test", ".ci/run")
C_LIKE = (".c", ".h", ".S")
C_LICENCE = "/* SPDX-License-Identifier: MIT */"
HASH_LICENCE = "# SPDX-License-Identifier: MIT"


def check_licence(findings, path, lines):
    if path.endswith(C_LIKE):
        if not lines or lines[0] != C_LICENCE:
            findings.add(path, 1, "the first line is not '%s'" % C_LICENCE)
    elif path.endswith((".py", ".build")) or path in SCRIPTS:
        at = 1 if lines and lines[0].startswith("#!") else 0
        if len(lines) <= at or lines[at] != HASH_LICENCE:
            findings.add(path, at + 1, "this line is not '%s'" % HASH_LICENCE)


def check_lines(findings, path, lines):
    for number, line in enumerate(lines, 1):
        found = WORDS.search(line)
        if found:
            findings.add(path, number, "'%s' is a mark of unfinished work" % found.group(0))
        if line != line.rstrip() and not path.endswith(".md"):
            findings.add(path, number, "blanks at the end of the line")
        if "\t" in line and path.endswith((".c", ".h", ".py")):
            findings.add(path, number, "a tab")


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description="Check the plain text of the tree.")
    parser.add_argument("--root", type=pathlib.Path, default=here.parent.parent)
    args = parser.parse_args()

    findings = csource.Findings("text")
    # What stands there is the card's content, not source.
    content = ("images/root/", "images/system/")
    files = [path for path in csource.tree_files(args.root)
             if (path.endswith(TEXT) or path in SCRIPTS) and not path.startswith(content)]
    for path in files:
        text = csource.read(args.root, path)
        lines = text.split("\n")
        check_licence(findings, path, lines)
        check_lines(findings, path, lines)
        if text and not text.endswith("\n"):
            findings.add(path, len(lines), "no newline at the end of the file")
    findings.finish(len(files), "files")


if __name__ == "__main__":
    sys.exit(main())
