#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boots cards with and without an initramfs and looks at the tree from the shell. Prints TAP.

    files.py MKCPIO CARD [keeps] COMMAND...      COMMAND --card IMAGE --append WORDS runs a machine

With "keeps" the card may be written, as QEMU's, which forgets it, and RAM has room for a large
archive: that one is left out.

 1. Without an archive the card is the root, with devfs and procfs on its folders.
 2. With initramfs.cpio a ramfs is the root, with all that the archive has; the card is at /card.
 3. initrd= names another archive, or none.
 4. An archive that is cut, compressed, too large, or that writes to the card is refused with a
    reason; the card is the root then, and nothing of the archive is left.
"""
import importlib.util
import pathlib
import re
import subprocess
import sys
import tempfile

from tap import Tap

STATUS = 5


def load_mkcpio(path):
    spec = importlib.util.spec_from_file_location("mkcpio", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def good_archive(mkcpio, crc=False):
    archive = mkcpio.Archive(crc)
    archive.add("bin", 0o040755)
    archive.add("bin/one", 0o100755, inode=500, links=2)
    archive.add("bin/two", 0o100755, b"a file with two names\n", inode=500, links=2)
    archive.add("etc", 0o040755)
    archive.add("etc/motd", 0o120777, b"../bin/one")
    archive.add("etc/nothing", 0o020666, device=(1, 3))
    archive.add("run", 0o040755)
    archive.add("run/pipe", 0o010600)
    return archive


def make_archives(mkcpio, folder):
    good = good_archive(mkcpio).bytes()
    (folder / "initramfs.cpio").write_bytes(good)
    (folder / "sums.cpio").write_bytes(good_archive(mkcpio, True).bytes() + bytes(512) + good)
    (folder / "cut.cpio").write_bytes(good[:900])
    (folder / "gzip.cpio").write_bytes(b"\x1f\x8b\x08" + bytes(600))
    large = good_archive(mkcpio)
    large.add("large", 0o100644, bytes(40 << 20))
    (folder / "large.cpio").write_bytes(large.bytes())
    evil = good_archive(mkcpio)
    evil.add(".card/written", 0o100644, b"by the archive\n")
    (folder / "evil.cpio").write_bytes(evil.bytes())
    return sorted(path.name for path in folder.iterdir())


def answers_to(lines, said):
    """What the shell said to each line but the last; fewer if not all were typed at a prompt. A
    prompt need not begin a line: while a program runs, what has come of the next is shown. A long
    line is not shown as a whole."""
    at, answers = 0, []
    for number, line in enumerate(lines):
        found = re.compile(r"/[^\n]*?> " + re.escape(line[:20])).search(said, at)
        if not found:
            return answers[:-1]
        if number > 0:
            answers[-1] = said[answers[-1]:found.start()].partition("\n")[2]
        at = found.end()
        answers.append(at)
    return answers[:-1]


class Machine:
    def __init__(self, command, card):
        self.keeps = command[0] == "keeps"
        self.command, self.card = command[self.keeps:], card
        self.flags = "rw" if self.keeps else "ro"

    def run(self, words, lines):
        """What the shell said to each line, and all of it."""
        typed = lines + ["poweroff %d" % STATUS]
        done = subprocess.run(self.command + ["--card", str(self.card), "--append", words],
                              input="".join(line + "\n" for line in typed).encode(),
                              stdout=subprocess.PIPE, timeout=300, stderr=subprocess.STDOUT,
                              check=False)
        said = done.stdout.decode("utf-8", "replace").replace("\r", "")
        answers = answers_to(typed, said)
        if done.returncode != STATUS or len(answers) != len(lines):
            problem = "status %d, %d answers to %d lines; its end:\n%s" % (
                done.returncode, len(answers), len(lines), "\n".join(said.split("\n")[-40:]))
            return [problem] * len(lines), said
        return answers, said


def test_card_is_root(tap, machine, words):
    mounts, meminfo, devices, log = machine.run(
        words, ["cat /proc/mounts", "cat /proc/meminfo", "ls /dev", "dmesg"])[0]
    tap.case(mounts.splitlines() == ["mmcblk0p1 / fat32 %s 0 0" % machine.flags,
                                     "devfs /dev devfs rw 0 0", "procfs /proc procfs ro 0 0"],
             "the card is the root: " + (words or "no words"), mounts)
    tap.case(re.match(r"MemTotal: +\d+ kB\nMemFree: +\d+ kB\n", meminfo), "meminfo is read",
             meminfo)
    tap.case({"null", "zero", "tty", "mmcblk0", "mmcblk0p1"} <= set(devices.split()),
             "the devices are there", devices)
    return log


def test_archive_is_root(tap, machine, words):
    lines = ["cat /proc/mounts", "ls /", "cat /etc/motd", "cat /bin/two", "cat /card/README.TXT",
             "cat /etc/nothing", "hexdump /etc/nothing", "ls /card/docs"]
    mounts, names, motd, two, readme, nothing, dump, docs = machine.run(words, lines)[0]
    tap.case(mounts.splitlines() == ["ramfs / ramfs rw 0 0",
                                     "mmcblk0p1 /card fat32 %s 0 0" % machine.flags,
                                     "devfs /dev devfs rw 0 0", "procfs /proc procfs ro 0 0"],
             "the archive is the root: " + (words or "no words"), mounts)
    tap.case(names.split() == ["bin/", "card/", "dev/", "etc/", "proc/", "run/"],
             "the root has the archive's folders and three more", names)
    tap.case(motd == two == "a file with two names\n", "links lead to the file", motd + two)
    tap.case("Welcome" in readme and "Pins" in docs, "the card is at /card", readme + docs)
    tap.case(nothing == "" and dump == "00000000\n", "a device node of the archive works", dump)


def test_refused(tap, machine, name, reason):
    log = test_card_is_root(tap, machine, "initrd=" + name)
    tap.case(re.search(reason, log), "%s is refused with a reason" % name, log)


def main():
    mkcpio, card, command = load_mkcpio(sys.argv[1]), sys.argv[2], sys.argv[3:]
    tap = Tap()
    test_card_is_root(tap, Machine(command, card), "")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "archives").mkdir()
        names = make_archives(mkcpio, folder / "archives")
        subprocess.run(["cp", "--sparse=always", card, folder / "card.img"], check=True)
        subprocess.run(["mcopy", "-i", "%s@@1M" % (folder / "card.img"), *names, "::/"],
                       cwd=folder / "archives", check=True)
        machine = Machine(command, folder / "card.img")
        test_archive_is_root(tap, machine, "")
        test_archive_is_root(tap, machine, "initrd=sums.cpio")
        test_card_is_root(tap, machine, "initrd=none")
        test_refused(tap, machine, "missing.cpio", "the card has no such file")
        test_refused(tap, machine, "cut.cpio", "ends too early")
        test_refused(tap, machine, "gzip.cpio", "compressed by gzip")
        if not machine.keeps:
            test_refused(tap, machine, "large.cpio", 'Cannot make "large" .error 28')
        test_refused(tap, machine, "evil.cpio", 'Cannot make "/?.card/written" .error 30')
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
