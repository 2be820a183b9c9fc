#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who looks at the kernel while others work, under ThreadSanitizer with 4 CPUs and the real clock.
Prints TAP.

    shell.py PROGRAM CARD

Criteria:
1. Every command that shows what the kernel counts or keeps is typed again and again, while the
   kernel's own tests run in the background: no report.
2. The same while commands in the background change files, memory, policies and mounts.
3. The same while every so many'th allocation fails.

TAYBERRY_RUNS says how many rounds (2, if it is not set). What the commands say is not looked at,
but that the machine goes on until it is told to end; and that it did what was typed.
"""
import os
import random
import re
import subprocess
import sys

sys.path.insert(0, __file__.rpartition("/")[0] + "/../os")
import reports  # noqa: E402
from tap import Tap  # noqa: E402

STATUS = 5
LOOKS = """
ps; uptime; dmesg; trace
mem; mem leaks; mem map plain
mem top; mem top calls; mem top failures
slabs; sched; locks; locks held; locks order
disks; df; mount; sync
cat /proc/diskstats /proc/filesystems /proc/loadavg /proc/locks /proc/meminfo
cat /proc/mounts /proc/partitions /proc/slabinfo /proc/stat
du /docs; find /names; stat /docs; tree /docs
cp -r /docs /times/a; ls -l /times/a; rm -r /times/a
write /times/f one two; cp /times/f /times/g; mv /times/g /times/h
truncate -s 300K /times/h; hexdump /times/f; rm /times/f /times/h
""".strip().split("\n")
CHANGES = """
cp -r /docs /times/A &
cp -r /names /times/B &
cp -r /many /times/C &
find / -name 'a*' &
du / &
fsck ram0 &
spawn 3 300ms
sched rr
sched lottery
mv /times/A /times/D
rm -r /times/D &
truncate -s 700K /times/t &
ls -l / &
sched feedback
fsck mmcblk0p1 &
rm -r /times/C
sched fair
umount /times &
mount ram0 /times
rm -r -f /times/A /times/B /times/C /times/D
""".strip().split("\n")


def run(program, card, words, lines):
    typed = ["mkfs -n scratch ram0", "mount ram0 /times"] + lines + ["poweroff %d" % STATUS]
    command = [program, "--headless", "--clock", "real", "--cpus", "4", "--read-only", "--card",
               card, "--append", "ramdisk=16M " + words, "--timeout", "200"]
    done = subprocess.run(command, check=False, timeout=280, stdout=subprocess.PIPE,
                          input=("\n".join(typed) + "\n").encode(), stderr=subprocess.STDOUT)
    text = done.stdout.decode("utf-8", "replace").replace("\r", "")
    return done.returncode, text, len(re.findall(r"^/[^\n]*> ", text, flags=re.MULTILINE))


def judge(tap, program, card, name, words, lines):
    status, text, prompts = run(program, card, words, lines)
    tap.case(status == STATUS and prompts >= len(lines) and not reports.are_in(text),
             "%s, %d lines: no report" % (name, len(lines)),
             "status %d, %d prompts\n%s" % (status, prompts, reports.first(text)))


def main():
    program, card = sys.argv[1:]
    rounds, tap = int(os.environ.get("TAYBERRY_RUNS") or 2), Tap()
    chance = random.Random(rounds)
    changes = [line for change in CHANGES * rounds for line in [change, chance.choice(LOOKS)]]
    judge(tap, program, card, "looks while tests run", "checks=1",
          ["ktest &"] + (LOOKS + ["sleep 300ms"]) * rounds)
    judge(tap, program, card, "looks while files change", "checks=1", changes)
    judge(tap, program, card, "looks while memory fails", "fail_alloc=1/300:1", changes)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
