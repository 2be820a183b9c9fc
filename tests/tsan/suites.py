#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Other suites under ThreadSanitizer, with 4 CPUs and the real clock: no report.

    suites.py FOLDER-OF-PROGRAMS [NAME...]      programs os-NAME, which are told by the environment,
                                                and ../sim/lib-NAME
    suites.py --command NAME COMMAND...         a suite that is told by its arguments
    suites.py --virtual NAME COMMAND...         one that is about the virtual clock

Criteria:
1. Each of the suites boots its machines, and in none of them is there a report.
2. Suites that are about the virtual clock (repeated runs, schedules, snapshots) pass, too, and end
   by themselves.

Most suites are written for the virtual clock, and much of what they claim (how long something
takes, which comes first) need not hold with the real one, with other work on the host, and under a
tool. So what fails is named, and only reports are judged. Prints TAP. TAYBERRY_TSAN_SUITES says
which programs instead of the names, "all" all of them.
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, __file__.rpartition("/")[0] + "/../os")
import reports  # noqa: E402
from tap import Tap  # noqa: E402

ALL = ["boot", "cards", "events", "gpio", "guard", "inspect", "memory_look", "policy", "power",
       "preempt", "sched", "shell", "sync", "tags", "lib-card", "lib-open", "lib-pins", "lib-power",
       "lib-run", "lib-serial"]
CLOCKS = {"--command": "real", "--virtual": "virtual"}
DEFAULTS = {"TAYBERRY_RUNS": "2"}
LIMIT = 240  # seconds that a suite may take
GOOD = (0, 77)  # it passed, or there is something that it cannot do without


def run(command, clock):
    """All that it prints, and all reports of whatever processes there were, wherever their output
    went; and its exit status, or None if it was stopped: a suite that takes too long has been
    looked at for as long as that."""
    with tempfile.TemporaryDirectory() as folder:
        text, status = run_in(folder, command, clock)
        return text + "".join(path.read_text(errors="replace")
                              for path in sorted(pathlib.Path(folder).iterdir())), status


def stop(process):
    """Ends what is left of its group, which it leads."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run_in(folder, command, clock):
    env = {**DEFAULTS, **os.environ, "TAYBERRY_CPUS": "4", "TAYBERRY_CLOCK": clock,
           "CK_TIMEOUT_MULTIPLIER": "8"}
    env["TSAN_OPTIONS"] = "%s log_path=%s/report" % (env.get("TSAN_OPTIONS", ""), folder)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, env=env, start_new_session=True)
    stopped = False
    try:
        text, _ = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        stopped = True
        stop(process)
        text, _ = process.communicate()
    finally:
        stop(process)
    return text.decode("utf-8", "replace"), None if stopped else process.returncode


def judge(tap, name, command, clock="real"):
    text, status = run(command, clock)
    cases = re.findall(r"^(?:not )?ok \d+ ", text, flags=re.MULTILINE)
    failed = re.findall(r"^not ok \d+ - (.*)$", text, flags=re.MULTILINE)
    held = clock == "real" or (not failed and status in GOOD)
    tap.case(cases and not reports.are_in(text) and held,
             "%s: %d cases, no report" % (name, len(cases)),
             "status %s\n%s" % (status, reports.first(text)))
    if status is None:
        print("# %s: stopped after %d s" % (name, LIMIT))
    for case in failed:
        print("# does not hold with the %s clock: %s" % (clock, case))


def main():
    tap = Tap()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if sys.argv[1] in CLOCKS:
        judge(tap, sys.argv[2], sys.argv[3:], CLOCKS[sys.argv[1]])
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
