#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boots the system card and looks at its root from the kernel's shell. Prints TAP.

    system.py SYSTEM.IMG PACKAGES.JSON COMMAND...      COMMAND --card IMAGE runs a machine

 1. The archive is the root, the card is at /card, and the shell is reached.
 2. BusyBox is in /bin with a link for each of its programs, and /sbin, /usr/bin and /usr/sbin lead
    there.
 3. Modes and owners are those that programs expect.
 4. What was unpacked is the package's file, byte for byte.
 5. A program of ours has a pin by /dev/gpiochip0, and gives it back; others cannot have it
    meanwhile. For that one program tries until it has the pin, and another until it is refused.

Without a network when the card was built there is no BusyBox on it: then 2, 4 and the second half
of 5 are skipped. Without musl there are no programs of ours: then 5 is skipped.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

from files import Machine
from tap import Tap

# (path, type, mode, owner)
EXPECTED = (("/bin", "directory", "0755", "0:0"), ("/tmp", "directory", "1777", "0:0"),
            ("/root", "directory", "0700", "0:0"), ("/home/user", "directory", "0755", "1000:1000"),
            ("/etc/inittab", "file", "0644", "0:0"), ("/etc/init.d/rcS", "file", "0755", "0:0"))
LEAST = ("[", "[[", "ash", "awk", "find", "gzip", "init", "ls", "ps", "sed", "sh", "sha256sum",
         "tar", "top", "vi")


def about(text):
    """What `stat` says, as {field: value}."""
    return dict(line.strip().split(": ", 1) for line in text.splitlines() if ": " in line)


def links(text):
    """{name: what it leads to} of `ls -l`."""
    return dict(re.findall(r"^l\S* .* (\S+) -> (\S+)$", text, flags=re.MULTILINE))


def test_tree(tap, mounts, named):
    tap.case(mounts.splitlines()[:2] == ["ramfs / ramfs rw 0 0", "mmcblk0p1 /card fat32 rw 0 0"],
             "the archive is the root, and the card is at /card", mounts)
    for (path, kind, mode, owner), text in zip(EXPECTED, named):
        found = about(text)
        tap.case(found.get("type") == kind and found.get("mode", "").startswith(mode) and
                 ("owner " + owner + ",") in found.get("mode", ""),
                 "%s is a %s with mode %s of %s" % (path, kind, mode, owner), text)


def test_busybox(tap, listed, named, original, copy):
    found = links(listed)
    tap.case(all(to == "busybox" for to in found.values()), "all links of /bin are BusyBox's",
             listed)
    tap.case(set(LEAST) <= set(found), "there is a link for each of %d programs" % len(LEAST),
             sorted(set(LEAST) - set(found)))
    tap.case(len(found) > 200, "there are %d links" % len(found), listed)
    for path, text in zip(("/bin", "/sbin", "/usr/bin", "/usr/sbin"), named):
        told = about(text)
        tap.case(told.get("mode", "").startswith("0755 -rwxr-xr-x") and
                 told.get("size", "").startswith("%d " % len(original)),
                 "%s/busybox is executable and as large as the package's" % path, text)
    tap.case(copy == original, "BusyBox is unpacked byte for byte")


PINS = ("run /bin/blink 17 1 3", "run /bin/blink 17 1 3",
        'run /bin/sh -c "until blink 17 60000; do :; done 2>/dev/null & n=0; '
        'while [ $n -lt 1000 ] && blink 17 1 1; do n=$((n+1)); done; echo after $n tries"',
        "run /bin/blink 27 1 3")


def test_pins(tap, answers, busybox):
    names = ("a program has a pin, and the next one has it again",
             "a pin that somebody has is busy")
    if "no such file" in answers[0]:
        for name in names:
            tap.skip(name, "musl")
        return
    tap.case(all(re.search(r"process \d+: status 0\n", answers[i]) for i in (0, 1, 3)),
             names[0], answers)
    if busybox:
        refused = r"line 17: .*busy\nafter \d+ tries\nprocess \d+: status 0\n"
        tap.case(re.search(refused, answers[2]), names[1], answers[2])
    else:
        tap.skip(names[1], "the package busybox-static")


def main():
    card, packages, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    packages = json.loads(pathlib.Path(packages).read_text(encoding="utf-8"))["packages"]
    tap = Tap()
    lines = ["cat /proc/mounts", *["stat " + row[0] for row in EXPECTED], "ls -l /bin",
             "stat /bin/busybox", "stat /sbin/busybox", "stat /usr/bin/busybox",
             "stat /usr/sbin/busybox", "cp /bin/busybox /card/copy", "sync"]
    first_pin = len(lines)
    lines += PINS
    with tempfile.TemporaryDirectory() as folder:
        mine, copy = pathlib.Path(folder) / "card.img", pathlib.Path(folder) / "copy"
        subprocess.run(["cp", "--sparse=always", card, mine], check=True)
        answers, _ = Machine(command, mine).run("init=kshell", lines)
        test_tree(tap, answers[0], answers[1:1 + len(EXPECTED)])
        busybox = "busybox-static" in packages
        test_pins(tap, answers[first_pin:], busybox)
        if not busybox:
            tap.skip("BusyBox is in /bin", "the package busybox-static")
            return tap.end()
        original = pathlib.Path(packages["busybox-static"]["folder"]) / "bin/busybox"
        done = subprocess.run(["mcopy", "-i", "%s@@1M" % mine, "::/copy", copy], check=False)
        rest = answers[1 + len(EXPECTED):]
        test_busybox(tap, rest[0], rest[1:5], original.read_bytes(),
                     copy.read_bytes() if done.returncode == 0 else b"")
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
