#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a header of the kernel's tables, so that a program can make all calls without knowing them.

    calls.py core/sys/table.c core/abi/PROCESSOR/numbers.c OUT.h

It has NUMBER_name for each call that has its arguments in the table's order, an enum of the kinds,
and the table `calls`: for each number of the processor the call's name and its arguments' kinds, in
the order in which the program passes them.
"""
import pathlib
import re
import sys

ENTRY = re.compile(r'\[(SYS_\w+)\]\s*=\s*\{\s*"(\w+)",\s*(\w+),\s*\{([^}]*)\}')
NUMBER = re.compile(r'\[(\d+)\]\s*=\s*\{(SYS_\w+),\s*(NULL|"[^"]*")')
ARGUMENTS = 6


def read_calls(text):
    """{SYS_X: (name, kinds)} of the calls that have a function."""
    found = {}
    for call, name, function, kinds in ENTRY.findall(text):
        words = re.findall(r"SYS_\w+", kinds)
        if function != "NULL":
            found[call] = (name, words + ["SYS_UNUSED"] * (ARGUMENTS - len(words)))
    return found


def passed(kinds, order):
    """The kinds in the program's order, for a number whose arguments are put in `order`."""
    if order is None:
        return kinds
    mine = ["SYS_UNUSED"] * ARGUMENTS
    for place, letter in enumerate(order):
        if letter.isdigit():
            mine[int(letter)] = kinds[place]
    return mine


def main():
    table, numbers, out = (pathlib.Path(path) for path in sys.argv[1:4])
    calls = read_calls(table.read_text(encoding="utf-8"))
    rows, names = [], {}
    for number, call, order in NUMBER.findall(numbers.read_text(encoding="utf-8")):
        if call not in calls:
            continue
        name, kinds = calls[call]
        order = None if order == "NULL" else order.strip('"')
        rows.append((int(number), name, passed(kinds, order)))
        if order is None or order.startswith("01"):
            names.setdefault(name, int(number))
    kinds = sorted({kind for row in rows for kind in row[2]})
    text = ["/* Made by calls.py. */", "enum kind { %s };" % ", ".join(kinds), "enum {"]
    text += ["    NUMBER_%s = %d," % (name, number) for name, number in sorted(names.items())]
    text += ["};", "struct a_call {", "    const char *name;", "    short number;",
             "    unsigned char kinds[6];", "};", "static const struct a_call calls[] = {"]
    text += ['    {"%s", %d, {%s}},' % (name, number, ", ".join(mine))
             for number, name, mine in rows]
    text += ["};", ""]
    out.write_text("\n".join(text), encoding="utf-8")
    return 0 if len(rows) > 60 else 1


if __name__ == "__main__":
    sys.exit(main())
