#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The kernel's own tests under ThreadSanitizer, with the real clock: no report. Prints TAP.

    ktests.py PROGRAM CARD

Criteria:
1. All tests run to their end with 4 CPUs, with the checks of memory and locks and without, and
   those that are about threads with 1 and 2 CPUs, without a report, a panic or a hang.

TAYBERRY_RUNS says how often (once, if it is not set), and the last case how many tests that were.
A test that fails is named, and that is all: what the tools cost makes some bounds in time too
narrow. The other builds judge that.
"""
import os
import re
import subprocess
import sys

sys.path.insert(0, __file__.rpartition("/")[0] + "/../os")
import reports  # noqa: E402
from tap import Tap  # noqa: E402

KINDS = [(4, "ktest=all"), (4, "ktest=all checks=0"), (2, "ktest=problem"), (2, "ktest=smp"),
         (1, "ktest=race")]


def run(program, card, cpus, words):
    command = [program, "--headless", "--clock", "real", "--cpus", str(cpus), "--read-only",
               "--card", card, "--append", words, "--timeout", "200"]
    done = subprocess.run(command, check=False, timeout=280, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode("utf-8", "replace").replace("\r", "")


def main():
    program, card = sys.argv[1:]
    tap, ran, unsure = Tap(), 0, []
    for _ in range(int(os.environ.get("TAYBERRY_RUNS") or 1)):
        for cpus, words in KINDS:
            status, text = run(program, card, cpus, words)
            cases = len(re.findall(r"^(?:not )?ok \d+ ", text, flags=re.MULTILINE))
            planned = re.search(r"^1\.\.(\d+)$", text, flags=re.MULTILINE)
            unsure += re.findall(r"^not ok \d+ - (\S+)", text, flags=re.MULTILINE)
            ran += cases
            tap.case(status in (0, 1) and not reports.are_in(text) and planned
                     and cases == int(planned.group(1)) > 0,
                     "%s with %d CPUs: no report" % (words, cpus),
                     "status %d\n%s" % (status, reports.first(text)))
    tap.case(ran > 0, "%d tests ran" % ran)
    for name in unsure:
        print("# failed under the tool: " + name)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
