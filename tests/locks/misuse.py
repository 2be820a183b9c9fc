#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Misuses of the kernel's locks, and what is said of each. Prints TAP.

    misuse.py GUEST-SOURCE PROGRAM [ARGUMENT...]

Criteria:
1. A lock that is taken again, out of order, or given up by who does not hold it is a panic that
   names the lock and the places; with the checks and without.
2. So is sleeping in an interrupt or under a spinlock.
3. With the checks, threads that wait for each other in a circle are a panic that names each of
   them, what it waits for and where that was taken; a circle that a deadline will end is not.
4. With the checks, an order of locks that could lead to that is told once, at the first moment at
   which both orders were seen, with the places of all that was taken; and the kernel goes on.
5. Of a kernel that uses its locks properly nothing is said.

PROGRAM gets the kind of misuse behind its other arguments, or in place of an argument with {} in
it. Lines of the guest's source are known by their comments ("site: ...").
"""
import re
import subprocess
import sys

sys.path.insert(0, __file__.rpartition("/")[0] + "/../os")
from tap import Tap  # noqa: E402

PANIC = 134


class Guest:
    """The guest's program and source."""

    def __init__(self, source, words, extra):
        self.words, self.extra, self.manner = words, extra, " (%s)" % extra
        self.sites = {}
        with open(source, encoding="utf-8") as text:
            for number, line in enumerate(text, 1):
                for name in re.findall(r"/\* site: ([a-z ]+) \*/", line):
                    self.sites[name] = number

    def run(self, kind):
        line = kind + " " + self.extra
        words = [word.replace("{}", line) for word in self.words]
        if words == self.words:
            words.append(line)
        done = subprocess.run(words, check=False, timeout=500, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout.decode("utf-8", "replace").replace("\r", "")

    def fill(self, text):
        """`text` with each {NAME} replaced by the place of that site."""
        return re.sub(r"\{([a-z ]+)\}",
                      lambda m: r"tests/locks/guest\.c:%d\b" % self.sites[m.group(1)], text)


# (kind, what is said). Places are regular expressions.
ALWAYS = [
    ("spin-twice", [r"spinlock state\.low \(.*\) is taken again by the CPU that holds it",
                    r"where: .*{wrong}"]),
    ("spin-order", [r"wrong order: spinlock state\.low \(.*\) has rank \d+ and is taken under rank",
                    r"where: .*{wrong in order}"]),
    ("spin-unheld", [r"spinlock state\.low \(.*\) is released and nobody holds it"]),
    ("spin-unmasked", [r"spinlock state\.low \(.*\) is released after interrupts were unmasked"]),
    ("lock-under-spinlock", [r"sleeping at {sleep} under a spinlock"]),
    ("wait-under-spinlock", [r"sleeping at {wait} under a spinlock"]),
    ("join-under-spinlock", [r"sleeping at .* under a spinlock"]),
    ("sleep-in-interrupt", [r"sleeping in an interrupt, at {interrupt}"]),
    ("mutex-twice", [r"mutex state\.a \(.*\) is taken again by", r"where: .*{second lock}"]),
    ("mutex-foreign", [r"mutex state\.a \(.*\) is unlocked by thread \d+ \(player\) and thread "
                       r"\d+ \(init\) owns it", r"where: .*{foreign}"]),
    ("mutex-unlocked-twice", [r"mutex state\.a \(.*\) is unlocked by thread \d+ \(init\) and "
                              r"nobody owns it"]),
    ("condition-alone", [r"mutex state\.a \(.*\) is waited under by thread \d+ \(init\) and "
                         r"nobody owns it"]),
    ("read-not-begun", [r"thread \d+ \(init\) ends reading of rwlock state\.r"]),
    ("write-not-begun", [r"ends writing, which it did not begin, of rwlock state\.r"]),
    ("write-twice", [r"rwlock state\.r"]),
    ("flush-inside", [r"a thread of a work queue waits for all work of that queue"]),
    ("join-self", [r"thread \d+ \(player\) joins itself", r"where: .*{join itself}"]),
    ("join-twice", [r"thread \d+ \(player\) joins thread \d+ \(player\), which thread \d+ "
                    r"\(init\) joins", r"where: .*{join again}"]),
    ("join-ended", [r"thread \d+ \(init\) joins a thread that is no more"]),
    ("join-detached", [r"thread \d+ \(init\) joins thread \d+ \(player\), which is detached"]),
    ("detach-joined", [r"thread \d+ \(init\) detaches a thread that is no more"]),
    ("detach-twice", [r"thread \d+ \(init\) detaches thread \d+ \(player\), which is detached"]),
    ("await-itself", [r"a function of a work queue waits for its own end"]),
]

PLAYER = r"thread \d+ \(player\)"

CHECKED = [
    ("spin-twice", [r"held since {first}"]),
    ("spin-order", [r"under rank \d+, spinlock state\.high \(.*\), held since {first in order}"]),
    ("lock-under-spinlock", [r"spinlock state\.low \(.*\), held since {spinlock of sleeper}"]),
    ("wait-under-spinlock", [r"spinlock state\.low \(.*\), held since {spinlock of waiter}"]),
    ("mutex-twice", [r"mutex state\.a \(.*{class a}\) is taken again by the thread that holds it "
                     r"since {first lock}"]),
    ("read-twice", [r"rwlock state\.r \(.*\) is taken again by the thread that holds it since "
                    r"{first read}"]),
    ("read-foreign", [r"ends reading, which it did not begin, of rwlock state\.r"]),
    ("end-with-lock", [PLAYER + r" ends while it holds mutex state\.a \(.*\), taken at {kept}"]),
    ("deadlock-of-two", [r"deadlock: these threads wait",
                         PLAYER + r" waits at {[ab] second} for mutex state\.[ab]",
                         r"which " + PLAYER + r" holds since {[ab] first}",
                         PLAYER + r" waits at {[ab] second} for mutex state\.[ab]",
                         r"which " + PLAYER + r" holds since {[ab] first}",
                         r"what:  deadlock of 2 threads: \d+ \(player\), \d+ \(player\)"]),
    ("deadlock-at-table", [r"what:  deadlock of 5 threads: (\d+ \(player\)(, |;)){5}"]),
    ("deadlock-with-reader", [r"for rwlock state\.r", r"what:  deadlock of 2 threads"]),
    ("deadlock-behind-writer", [r"for rwlock state\.r", r"what:  deadlock of 2 threads"]),
    ("deadlock-with-join", [r"waits at .* for the end of thread \d+ \(player\)",
                            r"what:  deadlock of 2 threads"]),
]

# What must be found once, in this order.
ORDERS = [
    ("order-circle", [r"possible deadlock: these were taken in orders that make a circle",
                      r"mutex state\.b \(.*{class b}\)", r"mutex state\.a \(.*{class a}\)",
                      PLAYER[:10] + r" took state\.b at {b first}",
                      r"and under it state\.a at {a second}",
                      r"took state\.a at {a first}", r"and under it state\.b at {b second}"]),
    ("order-of-three", [r"possible deadlock: these were taken in orders that make a circle",
                        r"took state\.r at", r"and under it state\.a at",
                        r"took state\.[ab] at", r"took state\.[ab] at"]),
    ("order-nested", [r"possible deadlock: two of one class were taken in both orders",
                      r"took state\.forks\[i\] at", r"and under it another state\.forks\[i\] at",
                      r"took state\.forks\[i\] at", r"and under it another state\.forks\[i\] at"]),
]


def expand(guest, pattern):
    """{[ab] first} stands for either of both places."""
    both = re.sub(r"\{\[ab\] (\w+)\}", r"(?:{a \1}|{b \1})", pattern)
    return guest.fill(both)


def in_order(guest, patterns, text):
    return re.search("(?s)" + ".*".join(expand(guest, one) for one in patterns), text)


def check_panics(tap, guest, cases):
    for kind, says in cases:
        status, text = guest.run(kind)
        good = status == PANIC and "PANIC" in text and "nobody stopped it" not in text
        tap.case(good and all(re.search(expand(guest, one), text) for one in says),
                 "%s is a panic that says what is wrong%s" % (kind, guest.manner),
                 "status %d\n%s" % (status, text))


def check_orders(tap, guest):
    for kind, says in ORDERS:
        status, text = guest.run(kind)
        good = status == 0 and "nobody stopped it" in text and text.count("possible deadlock") == 1
        tap.case(good and in_order(guest, says, text),
                 "%s is told once, and the kernel goes on%s" % (kind, guest.manner),
                 "status %d\n%s" % (status, text))


def check_silence(tap, guest, kinds):
    for kind in kinds:
        status, text = guest.run(kind)
        tap.case(status == 0 and "nobody stopped it" in text and "locks:" not in text,
                 "%s is no misuse, and nothing is said%s" % (kind, guest.manner),
                 "status %d\n%s" % (status, text))


def main():
    source, words = sys.argv[1], sys.argv[2:]
    tap = Tap()
    checked, unchecked = Guest(source, words, "checks=1"), Guest(source, words, "checks=0")
    check_panics(tap, checked, ALWAYS + CHECKED)
    check_orders(tap, checked)
    check_silence(tap, checked, ["none"])
    check_panics(tap, unchecked, ALWAYS)
    check_silence(tap, unchecked, ["none", "order-circle"])
    # The philosophers' circle with deadlines: the order is told, and there is no deadlock.
    status, text = checked.run("timed-circle")
    tap.case(status == 0 and "nobody stopped it" in text and "possible deadlock" in text,
             "timed-circle comes apart by itself", "status %d\n%s" % (status, text))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
