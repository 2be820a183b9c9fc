#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A kernel that makes no progress, and what is said of it. Prints TAP.

    stuck.py virtual|real GUEST-SOURCE PROGRAM      in the simulator, with that clock
    stuck.py pi3 GUEST-SOURCE PROGRAM ARGUMENT...   on the Pi under QEMU

Criteria:
1. A CPU that keeps interrupts masked is a panic that names the CPU, its thread, and where it is; on
   one CPU as on several, when it polls and when it calls nothing.
2. A spinlock that is not released is a panic that names the lock, who has it since where, and who
   wants it.
3. With the virtual clock, a thread that reaches no interrupt point is a panic that names its
   function and line; the caller of the library gets its thread back.
4. A stack that overflows is a panic that names the thread.
5. Nothing is said of a kernel that masks interrupts for long, but not too long, or idles.
6. A thread that never gives way keeps others from running under fifo, and under no policy with time
   slices; and whoever has waited long enough can ask who is where and waits for what.

Lines of the guest's source are known by their comments ("site: ...").
"""
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, __file__.rpartition("/")[0] + "/../os")
from tap import Tap  # noqa: E402

PANIC = 134
PATIENCE_S = 60  # until a kernel counts as one that does not stop; far more than any needs
PLAYER = r"thread \d+ \(player\)"
LOCK = r"spinlock state\.lock \(tests/stuck/guest\.c:\d+\)"


class Guest:
    def __init__(self, how, source, words):
        self.how, self.words = how, words
        with open(source, encoding="utf-8") as text:
            self.sites = {name: number for number, line in enumerate(text, 1)
                          for name in re.findall(r"/\* site: ([a-z ]+) \*/", line)}

    def run(self, kind, cpus, extra="watchdog=120ms", patience=PATIENCE_S):
        """Returns the status, what was printed, and how long it took."""
        line = "stuck=%s checks=1 %s" % (kind, extra)
        if self.how == "pi3":
            words = self.words + ["semihosting cpus=%d %s" % (cpus, line)]
        else:
            words = self.words + [self.how, str(cpus), "400", str(patience), line]
        begin = time.monotonic()
        done = subprocess.run(words, check=False, timeout=120, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text = done.stdout.decode("utf-8", "replace").replace("\r", "")
        return done.returncode, text, time.monotonic() - begin

    def fill(self, text):
        return re.sub(r"\{([a-z ]+)\}",
                      lambda m: r"tests/stuck/guest\.c:%d\b" % self.sites[m.group(1)], text)


def frames(text):
    """The functions of the backtrace at the last fault, if they can be had."""
    trace = re.search(r"^trace (\S+)((?: 0x[0-9a-f]+)*)$", text, re.M)
    if not trace or not shutil.which("addr2line"):
        return None
    file = trace.group(1)
    if file == "/proc/self/exe":
        file = sys.argv[3]
    done = subprocess.run(["addr2line", "-fsi", "-e", file] + trace.group(2).split(), check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout.decode()


def check_panic(tap, guest, kind, cpus, says, function=None):
    status, text, seconds = guest.run(kind, cpus)
    good = status == PANIC and "nobody stopped it" not in text
    good = good and all(re.search(guest.fill(one), text) for one in says)
    found = frames(text)
    if good and function and found is not None:
        good = re.search(r"^%s\nguest\.c:\d+" % function, found, re.M)
    tap.case(good, "%s on %d CPU%s is a panic that says what is wrong"
             % (kind, cpus, "s" if cpus > 1 else ""),
             "status %d after %.1f s\n%s\n%s" % (status, seconds, text, found))


def check_masked(tap, guest):
    stays = r"CPU %d makes no progress for 0\.120 s: interrupts stay masked"
    for cpus in (1, 4):
        who = r"who:   " + PLAYER + ", CPU 0"
        check_panic(tap, guest, "masked-poll", cpus, [stays % 0, who],
                    "(poll_for_ever|part_masked_poll)")
        if guest.how != "virtual":
            check_panic(tap, guest, "masked-count", cpus, [stays % 0, who], "count_for_ever")
    for cpus in (2, 4):
        last = cpus - 1
        check_panic(tap, guest, "masked-elsewhere", cpus,
                    [stays % last, "who:   %s, CPU %d" % (PLAYER, last), r"CPU 0: thread \d+ \("],
                    "(poll_for_ever|part_masked_poll)")


def check_spinlocks(tap, guest):
    kept = "holds " + LOCK + ", since {%s}"
    wanted = "waits for " + LOCK + ", at {wanted}"
    check_panic(tap, guest, "lock-kept", 2,
                ["CPU [01] (makes no progress|waits too long)", kept % "kept", wanted])
    check_panic(tap, guest, "lock-leaked", 2,
                [r"CPU 0 waits too long for %s; CPU 1 \(player\) has it: %s, held since {leaked}"
                 % (LOCK, LOCK), "where: .*{wanted}", wanted])


def check_points(tap, guest):
    for kind in ("no-point", "masked-count"):
        for cpus in (1, 4):
            check_panic(tap, guest, kind, cpus,
                        [r"makes no progress for 0\.400 s: no interrupt point is reached",
                         "edge-grained", r"who:   " + PLAYER], "count_for_ever")


def check_silence(tap, guest):
    for cpus in (1, 2):
        # Many times 20 ms, in all more than the limit, which leaves room for a busy host.
        status, text, _ = guest.run("patient", cpus, "watchdog=500ms")
        tap.case(status == 0 and "nobody stopped it" in text and "PANIC" not in text,
                 "patience on %d CPU%s is no mistake" % (cpus, "s" if cpus > 1 else ""),
                 "status %d\n%s" % (status, text))


def check_policies(tap, guest):
    for policy in ("rr", "stride", "lottery", "feedback", "fair"):
        status, text, _ = guest.run("never-yields", 1, "sched=" + policy)
        tap.case(status == 0 and "nobody stopped it" in text,
                 "a thread that never gives way lets others run under %s" % policy,
                 "status %d\n%s" % (status, text))


def check_hangs(tap, guest):
    status, text, _ = guest.run("never-yields", 1, "sched=fifo", patience=3)
    tap.case(status == 3 and "nobody stopped it" not in text and
             re.search(r"hang \d+\nCPU 0: %s, since \d\.\d+ s, [1-9]\d* ready\n" % PLAYER, text) and
             re.search(r"thread \d+ \(init\) on CPU 0 is ready", text),
             "a thread that never gives way keeps the CPU under fifo, and can be named",
             "status %d\n%s" % (status, text))
    status, text, _ = guest.run("never-woken", 1, patience=3)
    wait = guest.fill(r"thread \d+ \(init\) on CPU 0 waits at {waits} for "
                      r"mutex state\.mutex \(.*\)\n"
                      r"  which " + PLAYER + r" holds, since {held}\n")
    tap.case(status == 3 and re.search(wait, text) and
             re.search(PLAYER + " on CPU 0 sleeps until it is woken", text),
             "who waits for whom can be asked", "status %d\n%s" % (status, text))


def main():
    how, source = sys.argv[1:3]
    tap, guest = Tap(), Guest(how, source, sys.argv[3:])
    check_masked(tap, guest)
    check_spinlocks(tap, guest)
    check_silence(tap, guest)
    for cpus in (1, 2):
        check_panic(tap, guest, "stack-overflow", cpus,
                    ["the kernel stack overflowed", "who:   " + PLAYER], "dig")
    check_policies(tap, guest)
    if how == "virtual":
        check_points(tap, guest)
    if how != "pi3":
        check_hangs(tap, guest)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
