#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a machine whose command line asks for ktest=all, and passes its TAP on.

    ktest.py COMMAND...

Lines that begin with "# seed" are passed on, too. If the machine ends with another status than 0,
that is a failed case too, so that a panic in the middle cannot pass; then the end of what else it
has printed follows, and how it ended. Otherwise that is dropped.
"""
import re
import subprocess
import sys

END_LINES = 60


def main():
    done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, timeout=600)
    said = done.stdout.decode("utf-8", "replace").replace("\r", "")
    cases = re.findall(r"^(?:not )?ok \d+ .*$", said, flags=re.MULTILINE)
    planned = re.search(r"^1\.\.(\d+)$", said, flags=re.MULTILINE)
    for line in re.findall(r"^# seed .*$", said, flags=re.MULTILINE) + cases:
        print(line)
    good = done.returncode == 0 and planned and int(planned.group(1)) == len(cases) > 0
    print("%sok %d - all that was planned ran, and the machine switched itself off"
          % ("" if good else "not ", len(cases) + 1))
    if not good:
        print("# it ended with %d, and last it said:" % done.returncode)
        other = [line for line in said.splitlines() if line not in cases]
        for line in other[-END_LINES:]:
            print("# " + line)
    print("1..%d" % (len(cases) + 1))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
