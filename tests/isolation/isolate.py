#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the program `isolate` on a machine, and passes on what it found. Prints TAP.

    isolate.py CARD GROUP... -- COMMAND...      COMMAND --card IMAGE runs a machine

The groups are isolate's: memory, instructions, jumps, cells, greed. Each is a run of the program,
all on the same machine. TAYBERRY_TABLE=1 prints what became of each child as a table.

 1. The program prints all its cases, and they are good.
 2. Who is ended because there is no memory is named, with the reason.
 3. The kernel's shell goes on: the next command is answered.
 4. When the machine is switched off, the kernel misses no memory.
"""
import os
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "os"))
from files import Machine  # pylint: disable=wrong-import-position
from tap import Tap  # pylint: disable=wrong-import-position


def judge(tap, group, text):
    """Counts the cases of one run, and names those that are bad."""
    rows = re.findall(r"^(not ok|ok) \d+ - (.*)$", text, flags=re.MULTILINE)
    plan = re.search(r"^1\.\.(\d+)$", text, flags=re.MULTILINE)
    for line in re.findall(r"^# .*$", text, flags=re.MULTILINE):
        print(line)
    for good, what in rows if os.environ.get("TAYBERRY_TABLE") else []:
        print("#   %-6s %s" % (good, what))
    bad = [what for good, what in rows if good != "ok"]
    tap.case(plan and int(plan.group(1)) == len(rows) and not bad,
             "%s: all of %d cases are good" % (group, len(rows)), "\n".join(bad) or text)


def main():
    words = sys.argv[1:]
    at = words.index("--")
    card, groups, command = words[0], words[1:at], words[at + 1:]
    tap = Tap()
    answers, said = Machine(command, card).run(
        "", ["run /bin/isolate " + group for group in groups] + ["echo the shell goes on"])
    for group, text in zip(groups, answers):
        judge(tap, group, text)
    if "greed" in groups:
        told = re.search(r"out of memory: process \d+ \(isolate\) is ended, which has most", said)
        tap.case(told, "it is said who was ended for want of memory, and why", said)
    tap.case("the shell goes on\n" in answers[-1], "the kernel's shell goes on", said)
    leaks = re.findall(r"^.*leak: .*$", said, flags=re.MULTILINE)
    tap.case(not leaks, "no memory is left behind", "\n".join(leaks))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
