#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Races in a kernel on 4 CPUs, and what ThreadSanitizer says of each. Prints TAP.

    races.py GUEST-SOURCE PROGRAM

Criteria:
1. Two threads that touch the same thing with no lock, with different locks, with the lock in one of
   them only, behind a flag that orders nothing, or as readers that write, are reported, and both
   stacks are in the function of the guest that has the race, in the lines of its source.
2. So is a race in core: a log whose lock is forgotten.
3. Of a kernel that orders what it does, by locks, wake-ups or a flag, nothing is reported.
4. All this with the real clock, and with the virtual one, where a seed that finds a race finds it
   each time.

A race has to happen before it can be reported, or nearly: the locks that the two threads take on
the way, to whatever else, put one behind the other. On a host that has no two processors to give
they seldom are at it at the same time, so a kind is played up to ATTEMPTS times.

Without 1 and 2, a run of the other tests without a report would mean nothing.
"""
import re
import subprocess
import sys

sys.path.insert(0, __file__.rpartition("/")[0] + "/../os")
from tap import Tap  # noqa: E402

REPORTED = 66
ATTEMPTS = 12
RACES = ["no-lock", "wrong-lock", "look-outside", "no-order", "reader-writes"]
ORDERED = ["none-locks", "none-readers", "none-signals", "none-order"]


def sites_of(source):
    """{name: line numbers} of the comments "site: NAME"."""
    sites = {}
    with open(source, encoding="utf-8") as text:
        for number, line in enumerate(text, 1):
            for name in re.findall(r"/\* site: ([a-z ]+) \*/", line):
                sites.setdefault(name.replace(" ", "-"), []).append(number)
    return sites


def run(program, kind, *seed):
    done = subprocess.run([program, kind, *map(str, seed)], check=False, timeout=100,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode("utf-8", "replace").replace("\r", "")


def run_until_reported(program, kind, seeded=False):
    for seed in range(1, ATTEMPTS + 1):
        status, text = run(program, kind, *[seed] * seeded)
        if status == REPORTED:
            break
    if not seeded:
        return status, text
    again, other = run(program, kind, seed)
    print("# %s: seed %d" % (kind, seed))
    return status if (again, tops(other)) == (status, tops(text)) else -1, text + other


def tops(text):
    """Of each report, the innermost calls of its two stacks: [(function, file, line)]."""
    found = []
    for report in text.split("WARNING: ThreadSanitizer: data race")[1:]:
        stacks = report.split("Location is")[0]
        found.append(re.findall(r"#0 (\w+) (\S+?):(\d+)", stacks))
    return found


def judge(tap, sites, program, seeded):
    clock = "by a seed" if seeded else "with the real clock"
    for kind in RACES:
        status, text = run_until_reported(program, kind, seeded)
        lines = {int(line) for calls in tops(text) for _, name, line in calls
                 if name.endswith("tests/tsan/guest.c")}
        tap.case(status == REPORTED and "done" in text and lines and lines <= set(sites[kind]),
                 "%s is reported in its lines, %s" % (kind, clock),
                 "status %d\n%s" % (status, text))
    status, text = run_until_reported(program, "log-without-lock", seeded)
    places = {name for calls in tops(text) for _, name, _ in calls}
    tap.case(status == REPORTED and any(name.endswith("core/lib/log.c") for name in places),
             "a race in core, log-without-lock, is reported there, %s" % clock,
             "status %d\n%s" % (status, text))
    for kind in ORDERED:
        status, text = run(program, kind, *[1] * seeded)
        tap.case(status == 0 and "done" in text and "ThreadSanitizer" not in text,
                 "%s is no race, %s" % (kind, clock), "status %d\n%s" % (status, text))


def main():
    source, program = sys.argv[1:]
    sites, tap = sites_of(source), Tap()
    judge(tap, sites, program, seeded=False)
    judge(tap, sites, program, seeded=True)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
