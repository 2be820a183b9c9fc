#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Other suites under ThreadSanitizer, with 4 CPUs and the real clock: no report.

    suites.py FOLDER-OF-PROGRAMS [NAME...]      programs os-NAME, which are told by the environment,
                                                and ../sim/lib-NAME
    suites.py --command NAME COMMAND...         a suite that is told by its arguments

Criteria:
1. Each of the suites boots its machines, and in none of them is there a report.

Most suites are written for the virtual clock, and much of what they claim (how long something
takes, which comes first) need not hold with the real one, with other work on the host, and under a
tool. So what fails is named, and only reports are judged. Prints TAP. TAYBERRY_TSAN_SUITES says
which programs instead of the names, "all" all of them.
"""
import os
import re
import subprocess
import sys

sys.path.insert(0, __file__.rpartition("/")[0] + "/../os")
import reports  # noqa: E402
from tap import Tap  # noqa: E402

ALL = ["boot", "cards", "events", "gpio", "guard", "inspect", "memory_look", "policy", "power",
       "preempt", "sched", "shell", "sync", "tags", "lib-card", "lib-open", "lib-pins", "lib-power",
       "lib-run", "lib-serial"]


def run(command):
    """All that it prints; a suite that takes too long has been looked at for as long as that."""
    env = {**os.environ, "TAYBERRY_CPUS": "4", "TAYBERRY_CLOCK": "real", "TAYBERRY_RUNS": "2",
           "CK_TIMEOUT_MULTIPLIER": "8"}
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, env=env)
    try:
        text, _ = process.communicate(timeout=240)
    except subprocess.TimeoutExpired:
        process.kill()
        text, _ = process.communicate()
    return text.decode("utf-8", "replace")


def judge(tap, name, command):
    text = run(command)
    cases = re.findall(r"^(?:not )?ok \d+ ", text, flags=re.MULTILINE)
    tap.case(cases and not reports.are_in(text), "%s: %d cases, no report" % (name, len(cases)),
             reports.first(text))
    for case in re.findall(r"^not ok \d+ - (.*)$", text, flags=re.MULTILINE):
        print("# does not hold with the real clock: " + case)


def main():
    tap = Tap()
    if sys.argv[1] == "--command":
        judge(tap, sys.argv[2], sys.argv[3:])
        return tap.end()
    folder, names = sys.argv[1], (os.environ.get("TAYBERRY_TSAN_SUITES") or "").split()
    names = names or sys.argv[2:]
    for name in ALL if names == ["all"] else names:
        if not name.startswith("lib-"):
            judge(tap, "os-" + name, [os.path.join(folder, "os-" + name)])
        else:
            judge(tap, name, [os.path.join(folder, "..", "sim", name)])
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
