#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Misuses of the kernel's heap, and what is said of each. Prints TAP.

    misuse.py plain GUEST-SOURCE PROGRAM [ARGUMENT...]     the kernel finds it out by itself
    misuse.py asan GUEST-SOURCE PROGRAM                    AddressSanitizer is compiled in
    misuse.py valgrind GUEST-SOURCE PROGRAM                Memcheck watches

Criteria:
1. A wrong kfree or krealloc is a panic that names the caller and, where there is a block, its size,
   where it was allocated and, if it was, freed.
2. A write outside a block or after its end is found at the latest when the block goes, and names
   it; nothing of that is said of a kernel that uses its heap properly.
3. Under AddressSanitizer and Valgrind a bad access is reported where it happens, with the call
   chains of the block's allocation and of its end; under the former also after a snapshot came
   back in between.
4. What is left at power-off is told by the line that allocated it.
5. A thread that wrote below its stack is a panic that names it, without a guard page too.

PROGRAM gets the kind of misuse behind its other arguments, or in place of an argument with {} in
it. Lines of the guest's source are known by their comments ("site: ...").
"""
import re
import shutil
import subprocess
import sys

sys.path.insert(0, __file__.rpartition("/")[0] + "/../os")
from tap import Tap  # noqa: E402

PANIC = 134


class Guest:
    """The guest's program and source; `extra` boot words make it another in manner only."""

    def __init__(self, source, words, extra="checks=1"):
        self.source, self.words, self.extra = source, words, extra
        self.manner = "" if extra == "checks=1" else " (%s)" % extra
        self.sites = {}
        with open(source, encoding="utf-8") as text:
            for number, line in enumerate(text, 1):
                for name in re.findall(r"/\* site: ([a-z ]+) \*/", line):
                    self.sites.setdefault(name, []).append(number)

    def run(self, kind, before=()):
        line = kind + " " + self.extra
        words = [word.replace("{}", line) for word in self.words]
        if words == self.words:
            words.append(line)
        done = subprocess.run(list(before) + words, check=False, timeout=500,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        return done.returncode, done.stdout.decode("utf-8", "replace").replace("\r", "")

    def fill(self, text):
        """`text` with each {NAME} replaced by the place of that site."""
        return re.sub(r"\{([a-z ]+)\}",
                      lambda m: "(?:%s)" % "|".join(r"tests/guard/guest\.c:%d\b" % line
                                                    for line in self.sites[m.group(1)]), text)


# (kind, what the panic says). Places are regular expressions.
WRONG_FREES = [
    ("free-twice", "kfree at {wrong free}: the block of 60 bytes allocated at {block} was freed "
                   "before at {first free}"),
    ("free-aligned-twice", "kfree at {wrong free}: the block of 8192 bytes allocated at {aligned} "
                           "was freed before at {first free}"),
    ("free-long-ago", "kfree at {wrong free}: no block that is in use begins here"),
    ("free-inside", "kfree at {wrong free}: the pointer is not the start of a block but 16 bytes "
                    "into that of 60 bytes allocated at {block}"),
    ("free-inside-freed", "kfree at {wrong free}: the block of 60 bytes allocated at {block} was "
                          "freed before at {first free}"),
    ("free-static", "kfree at {wrong free}: the pointer is none of the heap's"),
    ("free-frame", "kfree at {wrong free}: the pointer is none of the heap's"),
    ("free-number", "kfree at {wrong free}: the pointer is none of the heap's"),
    ("realloc-freed", "krealloc at {wrong krealloc}: the block of 60 bytes allocated at {block} "
                      "was freed before at {first free}"),
]

WRONG_WRITES = [
    ("write-after-free", "the block of 60 bytes allocated at {block} was written at byte 7 after "
                         "it was freed at {first free}"),
    ("write-after-free-unnoticed", "the block of 60 bytes allocated at {block} was written at byte "
                                   "7 after it was freed at {first free}"),
    ("write-behind", "kfree at {wrong free}: something wrote behind the block of 60 bytes "
                     "allocated at {block}"),
    ("write-behind-aligned", "kfree at {wrong free}: something wrote behind the block of 180 bytes "
                             "allocated at {aligned}"),
    ("write-in-front", "something wrote in front of the block of 60 bytes allocated at {block}"),
]


WRONG_STACKS = [
    ("stack-overrun", r"thread [0-9]+ \(deep\) has used more than the [0-9]+ bytes of its stack"),
]


# Without checks the heap knows less, and finds out what costs nothing.
UNCHECKED = [
    ("free-long-ago", "kfree at {wrong free}: the block was freed before"),
    ("free-inside", "kfree at {wrong free}: the pointer is into the middle of a block"),
    ("free-inside-freed", "kfree at {wrong free}: the pointer is into the middle of a block"),
    ("free-static", "kfree at {wrong free}: the pointer is none of the heap's"),
    ("free-frame", "kfree at {wrong free}: the pointer is none of the heap's"),
    ("free-number", "kfree at {wrong free}: the pointer is none of the heap's"),
    ("realloc-freed", "krealloc at {wrong krealloc}: the block was freed before"),
]


def check_panics(tap, guest, cases):
    for kind, says in cases:
        status, text = guest.run(kind)
        found = re.search(guest.fill(says), text)
        tap.case(status == PANIC and "PANIC" in text and found and "nobody noticed" not in text,
                 "%s is a panic that names who did it%s" % (kind, guest.manner),
                 "status %d\n%s" % (status, text))


def check_silence(tap, guest, before=()):
    for kind in ("none", "free-nothing"):
        status, text = guest.run(kind, before)
        good = status == 0 and "nobody noticed" in text and "leak:" not in text
        tap.case(good and not re.search(r"ERROR SUMMARY: [1-9]", text),
                 "%s is no misuse, and nothing is said%s" % (kind, guest.manner),
                 "status %d\n%s" % (status, text))


def check_leak(tap, guest):
    status, text = guest.run("leak")
    said = re.findall(guest.fill("leak: 2 blocks, 120 bytes, allocated at {block}"), text)
    tap.case(status == 0 and len(said) == 1 and text.count("leak:") == 1,
             "a leak is told at power-off by the line that allocated it",
             "status %d\n%s" % (status, text))


def check_plain(tap, guest):
    check_panics(tap, guest, WRONG_FREES + WRONG_WRITES + WRONG_STACKS)
    status, text = guest.run("read-after-free")
    tap.case(status == 0 and "read df" in text, "what is read after kfree is the poison",
             "status %d\n%s" % (status, text))
    check_silence(tap, guest)
    check_leak(tap, guest)
    for allocator in ("bin", "bump"):
        other = Guest(guest.source, guest.words, "checks=1 allocator=" + allocator)
        check_panics(tap, other, WRONG_FREES + WRONG_WRITES)
        check_silence(tap, other)
    for allocator in ("slab", "bin", "bump"):
        other = Guest(guest.source, guest.words, "checks=0 allocator=" + allocator)
        check_panics(tap, other, UNCHECKED)
        check_silence(tap, other)


def check_asan(tap, guest):
    check_panics(tap, guest, WRONG_FREES)
    live = ["allocated at {block}", "make_block"]
    freed = live + ["freed at {first free}", "drop_block"]
    for kind, says in (("read-after-free", ["READ of size 1", "read_after_free"] + freed),
                       ("read-long-after-free", ["READ of size 1", "read_long"] + freed),
                       ("write-after-free", ["WRITE of size 1", "write_after_free"] + freed),
                       ("write-behind", ["WRITE of size 1", "write_behind"] + live),
                       ("write-in-front", ["WRITE of size 1", "write_in_front"] + live)):
        status, text = guest.run(kind)
        found = "use-after-poison" in text and \
            re.search("(?s)" + ".*".join(guest.fill(one) for one in says), text)
        tap.case(status not in (0, PANIC) and found and "nobody noticed" not in text,
                 "%s is reported with the block's call chains" % kind,
                 "status %d\n%s" % (status, text))
    check_silence(tap, guest)
    check_leak(tap, guest)


def check_valgrind(tap, guest):
    before = ["valgrind", "--error-exitcode=99", "--num-callers=20"]
    read, write = "Invalid read of size 1", "Invalid write of size 1"
    freed = ["inside a block of size 60 free'd", "drop_block", "Block was alloc'd at",
             "make_block"]
    for kind, says in (("read-after-free", [read, "read_after_free"] + freed),
                       ("write-after-free", [write, "write_after_free"] + freed),
                       ("write-behind", [write, "write_behind",
                                         "0 bytes after a block of size 60", "make_block"]),
                       ("write-in-front", [write, "write_in_front",
                                           "1 bytes before a block of size 60", "make_block"])):
        status, text = guest.run(kind, before)
        tap.case(status in (99, PANIC) and re.search("(?s)" + ".*".join(says), text),
                 "%s is reported with the block's call chains" % kind,
                 "status %d\n%s" % (status, text))
    check_silence(tap, guest, before)


def main():
    how, source = sys.argv[1:3]
    tap = Tap()
    if how == "valgrind" and not shutil.which("valgrind"):
        tap.skip("Memcheck reports misuses of the heap", "valgrind")
        return tap.end()
    {"plain": check_plain, "asan": check_asan, "valgrind": check_valgrind}[how](
        tap, Guest(source, sys.argv[3:]))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
