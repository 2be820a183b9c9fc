#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The suites of the whole OS under ThreadSanitizer, with 4 CPUs and the real clock: no report.

    suites.py FOLDER-OF-PROGRAMS [NAME...]

Criteria:
1. Each of the suites boots its machines, and in none of them is there a report.

Most suites are written for the virtual clock, and much of what they claim (how long something
takes, which comes first) need not hold with the real one, with other work on the host, and under a
tool. So what fails is named, and only reports are judged. Prints TAP. The names, or else
TAYBERRY_TSAN_SUITES, say which suites, "all" all of them.
"""
import os
import re
import subprocess
import sys

sys.path.insert(0, __file__.rpartition("/")[0] + "/../os")
import reports  # noqa: E402
from tap import Tap  # noqa: E402

ALL = ["boot", "cards", "gpio", "inspect", "power", "preempt", "sched", "shell", "sync", "tags"]


def run(program):
    """All that it prints; a suite that takes too long has been looked at for as long as that."""
    env = {**os.environ, "TAYBERRY_CPUS": "4", "TAYBERRY_CLOCK": "real", "TAYBERRY_RUNS": "2",
           "CK_TIMEOUT_MULTIPLIER": "8"}
    process = subprocess.Popen([program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, env=env)
    try:
        text, _ = process.communicate(timeout=240)
    except subprocess.TimeoutExpired:
        process.kill()
        text, _ = process.communicate()
    return text.decode("utf-8", "replace")


def main():
    folder, names = sys.argv[1], (os.environ.get("TAYBERRY_TSAN_SUITES") or "").split()
    names, tap = names or sys.argv[2:], Tap()
    for name in ALL if names == ["all"] else names:
        text = run(os.path.join(folder, "os-" + name))
        cases = re.findall(r"^(?:not )?ok \d+ ", text, flags=re.MULTILINE)
        tap.case(cases and not reports.are_in(text),
                 "os-%s: %d cases, no report" % (name, len(cases)), reports.first(text))
        for case in re.findall(r"^not ok \d+ - (.*)$", text, flags=re.MULTILINE):
            print("# does not hold with the real clock: " + case)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
