#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the budgets of size: functions, files, lines, and no conditional compilation in the core.

    lint_budgets.py [--root DIR] [--exceptions FILE] [--quiet]

A function's length is counted from the line of its signature to its closing brace. In each of the
tree's top directories half of the functions have to be within 15 lines and nine of ten within 40;
no function may pass 80. A .c file may have 700 lines, a header 250, a line 100 columns. A folder
of core/ is a subsystem and holds at most 9 files and about 1,500 lines of code. core/ and hal/
have no #if of any kind: what differs between machines comes by include path.

Exceptions stand in a file, a line each: the rule, the path (with :function for a function), and
the reason. One that is no longer needed is an error too.
"""
import argparse
import pathlib
import re
import sys

import csource

FUNCTION_MEDIAN, FUNCTION_MOST, FUNCTION_LIMIT = 15, 40, 80
FILE_LIMIT, HEADER_LIMIT, COLUMNS = 700, 250, 100
SUBSYSTEM_FILES, SUBSYSTEM_LINES = 9, 1650          # "about 1,500": a tenth more
ENOUGH_FUNCTIONS = 10                               # below this, a median says nothing
NO_CONDITIONALS = ("core/", "hal/")
TEXT_SUFFIXES = (".c", ".h", ".S", ".py", ".build", ".txt", ".ld", ".ini")


class Exceptions:
    """The list of named exceptions, and which of them were used."""

    def __init__(self, path, findings):
        self.path, self.entries, self.used = path, {}, set()
        if path is None or not path.is_file():
            return
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            words = line.split(None, 2)
            if len(words) < 3:
                findings.add(path.name, number, "an exception needs a rule, a path and a reason")
                continue
            self.entries[words[0], words[1]] = number

    def allow(self, rule, subject):
        if (rule, subject) in self.entries:
            self.used.add((rule, subject))
            return True
        return False

    def report_unused(self, findings):
        for key in sorted(set(self.entries) - self.used):
            findings.add(self.path.name, self.entries[key],
                         "the exception '%s %s' is not needed any more" % key)


def share(lengths, part):
    """The length that this part of all functions does not pass."""
    ordered = sorted(lengths)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


class Budgets:
    def __init__(self, root, findings, exceptions):
        self.root, self.findings, self.exceptions = root, findings, exceptions
        self.lengths, self.subsystems = {}, {}

    def over(self, rule, path, line, message, subject=None):
        if not self.exceptions.allow(rule, subject or path):
            self.findings.add(path, line, message)

    def check_text(self, path, source):
        for number, line in enumerate(source.splitlines(), 1):
            if len(line) > COLUMNS:
                self.over("columns", path, number, "%d columns, %d at most" % (len(line), COLUMNS))

    def check_functions(self, path, source):
        found, balanced = csource.functions(source)
        if not balanced:
            self.over("braces", path, 1, "its braces do not balance without the preprocessor")
        for function in found:
            folder = path.rpartition("/")[0]
            self.lengths.setdefault(folder, []).append(function.lines)
            if function.lines > FUNCTION_LIMIT:
                self.over("function", path, function.line, "%s has %d lines, %d at most"
                          % (function.name, function.lines, FUNCTION_LIMIT),
                          path + ":" + function.name)

    def check_c(self, path, source):
        limit = HEADER_LIMIT if path.endswith(".h") else FILE_LIMIT
        lines = source.count("\n")
        if lines > limit:
            self.over("file", path, lines, "%d lines, %d at most" % (lines, limit))
        if path.startswith(NO_CONDITIONALS):
            plain = csource.without_comments(source)
            for match in re.finditer(r"^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|else)\b", plain,
                                     re.MULTILINE):
                self.over("conditional", path, csource.line_of(plain, match.start(1)),
                          "#%s: code that differs by machine comes by include path here"
                          % match.group(1))
        self.check_functions(path, source)
        parts = path.split("/")
        if parts[0] == "core" and len(parts) > 2:
            files = self.subsystems.setdefault("/".join(parts[:-1]), [])
            files.append(csource.count_code_lines(source))

    def check_subsystems(self):
        for folder, files in sorted(self.subsystems.items()):
            if len(files) > SUBSYSTEM_FILES:
                self.over("subsystem-files", folder, 1, "%d files, %d at most: two subsystems?"
                          % (len(files), SUBSYSTEM_FILES))
            if sum(files) > SUBSYSTEM_LINES:
                self.over("subsystem-lines", folder, 1, "%d lines of code, %d at most"
                          % (sum(files), SUBSYSTEM_LINES))

    def check_shares(self):
        layers = {}
        for folder, lengths in self.lengths.items():
            layers.setdefault(folder.split("/")[0], []).extend(lengths)
        for layer, lengths in sorted(layers.items()):
            if len(lengths) < ENOUGH_FUNCTIONS:
                continue
            if share(lengths, 0.5) > FUNCTION_MEDIAN:
                self.over("median", layer, 1, "half of its functions pass %d lines (%d at most)"
                          % (share(lengths, 0.5) - 1, FUNCTION_MEDIAN))
            if share(lengths, 0.9) > FUNCTION_MOST:
                self.over("most", layer, 1, "a tenth of its functions pass %d lines (%d at most)"
                          % (share(lengths, 0.9) - 1, FUNCTION_MOST))

    def report(self):
        print("%-24s %9s %7s %7s %8s" % ("folder", "functions", "median", "90 %", "longest"))
        for folder, lengths in sorted(self.lengths.items()):
            print("%-24s %9d %7d %7d %8d" % (folder or ".", len(lengths), share(lengths, 0.5),
                                            share(lengths, 0.9), max(lengths)))


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description="Check the budgets of functions and files.")
    parser.add_argument("--root", type=pathlib.Path, default=here.parent.parent)
    parser.add_argument("--exceptions", type=pathlib.Path, default=here / "budget-exceptions.txt")
    parser.add_argument("--quiet", action="store_true", help="no table of lengths")
    args = parser.parse_args()

    findings = csource.Findings("budgets")
    exceptions = Exceptions(args.exceptions, findings)
    budgets = Budgets(args.root, findings, exceptions)
    files = [f for f in csource.tree_files(args.root) if f.endswith(TEXT_SUFFIXES)]
    for path in files:
        source = csource.read(args.root, path)
        budgets.check_text(path, source)
        if path.endswith((".c", ".h")):
            budgets.check_c(path, source)
    budgets.check_subsystems()
    budgets.check_shares()
    exceptions.report_unused(findings)
    if not args.quiet:
        budgets.report()
    findings.finish(len(files), "files")


if __name__ == "__main__":
    sys.exit(main())
