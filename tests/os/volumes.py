#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fsck and mkfs at the prompt, on RAM disks and on partitions of a card. Prints TAP.

    volumes.py CARD PROGRAMS COMMAND...     PROGRAMS is the folder of tayberry-mkfs and -fsck, or
                                            "peer": of the build that TAYBERRY_PEER names;
                                            COMMAND --card IMAGE --append WORDS runs a machine

With "peer" 6 is left out: QEMU takes a minute for it.

 1. mkfs makes a volume on a RAM disk that can be mounted, written, unmounted, and is clean.
 2. Neither changes what is mounted, nor a disk with partitions; fsck looks at what is mounted.
 3. Names that are none, labels and clusters that cannot be, and devices too small are refused.
 4. A volume is damaged, in each of several ways: fsck says so and changes nothing, not a byte;
    fsck -y mends it, fsck finds it clean then, and so do fsck.fat and our program on the host;
    what was not hit is still there.
 5. -s saves what nobody has. A device that fails is named with its sector.
 6. A large volume, whose FAT is longer than any one piece of the kernel's memory, is mended, too.
 7. fsck -y, mkfs and mount of one device at a time: one is first, the others are refused.
 8. mkfs of a partition of the card: mtools and fsck.fat read what is written to it.
"""
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

from tap import Tap

STATUS = 5
SECTOR = 512
SECOND = 128 << 20  # where the second partition begins: behind the card's first
SIZE = 40 << 20  # enough clusters for mtools to take it for FAT32
TOOLS = "/usr/sbin:/sbin:/usr/bin:/bin"


def sh(*words):
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, check=False,
                          stderr=subprocess.STDOUT, timeout=120)
    return done.returncode, done.stdout.decode("utf-8", "replace")


class Machine:
    def __init__(self, command, card):
        self.command, self.card = command, card

    def run(self, lines, words="ramdisk=8M"):
        """What the shell said to each line."""
        typed = "\n".join(lines + ["poweroff %d" % STATUS]) + "\n"
        done = subprocess.run(self.command + ["--card", str(self.card), "--append", words],
                              input=typed.encode(), stdout=subprocess.PIPE, timeout=300,
                              stderr=subprocess.STDOUT, check=False)
        said = done.stdout.decode("utf-8", "replace").replace("\r", "")
        answers = re.split(r"^/[^\n]*> ", said, flags=re.MULTILINE)[1:]
        if done.returncode != STATUS or len(answers) != len(lines) + 1:
            return [said] * len(lines)
        return [answer.split("\n", 1)[1] for answer in answers[:-1]]


def test_ram_disk(tap, machine):
    lines = ["mkfs -n scratch ram0", "mkdir /mnt", "mount ram0 /mnt", "mkdir /mnt/sub",
             "cp /data/size-4097 /mnt/sub/file", "write /mnt/hello Hello", "fsck /mnt/sub",
             "fsck -y ram0", "mkfs ram0", "umount /mnt", "fsck ram0", "fsck -y ram0",
             "mount ram0 /mnt", "cat /mnt/hello", "stat /mnt/sub/file", "umount ram0",
             "mkfs -c 4K ram0", "mount ram0 /mnt", "ls /mnt", "umount ram0", "rmdir /mnt"]
    said = dict(zip(range(len(lines)), machine.run(lines)))
    tap.case(re.match(r"ram0: 16100 clusters of 512 bytes\nSome systems", said[0]),
             "mkfs makes a volume on a RAM disk", said[0])
    tap.case(not any(said[i] for i in (1, 2, 3, 4, 5, 9, 12, 15)), "it is mounted and written",
             said)
    tap.case(re.match(r"ram0 is mounted on /mnt: it is only looked at\.\n", said[6]) and
             said[6].endswith("ram0: 2 files, 1 directory, 12 of 16100 clusters, in use\n"),
             "fsck looks at what is mounted", said[6])
    tap.case(said[7] == said[8].replace("ram0 is mounted:", "ram0 is mounted on /mnt:") ==
             "error: ram0 is mounted on /mnt: umount it first\n", "and nobody changes it",
             said[7] + said[8])
    tap.case(said[10].splitlines()[-1] == said[11].splitlines()[-1] ==
             "ram0: 2 files, 1 directory, 12 of 16100 clusters, clean", "it is clean then",
             said[10] + said[11])
    tap.case(said[13] == "Hello\n" and "4097" in said[14], "its files are there",
             said[13] + said[14])
    tap.case("of 4096 bytes" in said[16] and said[18] == "", "mkfs again: it is empty",
             said[16] + said[18])


def test_refused(tap, machine):
    cases = (
        ("mkfs", "mkfs needs a device\nusage: mkfs"),
        ("mkfs none", "none: no such device"), ("mkfs /data", "/data: no such device"),
        ("mkfs -c 3K ram0", "3K is no size of clusters"),
        ("mkfs -c 128K ram0", "128K is no size of clusters"),
        ("mkfs -n much-too-long ram0", "a label has up to 11 plain characters"),
        ("mkfs -x 3 ram0", "mkfs needs a device"),
        ("mkfs mmcblk0", "mmcblk0 has partitions: say which one, such as mmcblk0p1"),
        ("mkfs mmcblk0p1", "mmcblk0p1 is mounted: umount it first"),
        ("fsck", "fsck needs a path"), ("fsck -z ram0", "fsck has no option -z"),
        ("fsck ram0 ram1", "fsck takes one device"),
        ("fsck /none", "/none: no such file"), ("fsck /dev", "/dev: no such device"),
        ("fsck /dev/none", "/dev/none: no such device"),
        ("fsck ram0", "there is no FAT32 volume"),
        ("fsck -y ram0", "there is no FAT32 volume"),
        ("fsck mmcblk0", "mmcblk0 has partitions"),
        ("fsck -y /README.TXT", "mmcblk0p1 is mounted on /: umount it first"))
    answers = machine.run([line for line, _ in cases])
    for (line, reason), said in zip(cases, answers):
        tap.case("error: " in said and reason in said, "refused: " + line, said)


def two_partitions(card, folder, volume, size=SIZE):
    """The card with `volume` as a second partition of that size, behind its first."""
    image = folder / "two.img"
    subprocess.run(["cp", "--sparse=always", card, image], check=True)
    with open(image, "r+b") as file:
        file.seek(446 + 16)
        file.write(struct.pack("<4xB3xII", 0x0C, SECOND // SECTOR, size // SECTOR))
        file.seek(SECOND)
        file.write(volume)
        file.truncate(1 << (SECOND + size - 1).bit_length())  # QEMU's cards are powers of two
    return image


def second(image):
    with open(image, "rb") as file:
        file.seek(SECOND)
        return file.read(SIZE)


def good_volume(mkfs, folder):
    image = folder / "good.img"
    status, said = sh(mkfs, "--label", "SECOND", "--id", "77", image, str(SIZE))
    if status:
        raise RuntimeError(said)
    for name in ("one", "two"):
        (folder / name).write_text((name + "\n") * 700)
        subprocess.run(["mcopy", "-i", image, folder / name, "::/" + name + ".txt"], check=True)
    return image.read_bytes()


class Volume:
    """Where things are in the image of a volume, and changes of it."""

    def __init__(self, data):
        self.data = bytearray(data)
        (reserved,) = struct.unpack_from("<H", data, 14)
        (self.fat_bytes,) = struct.unpack_from("<I", data, 36)
        self.fat_bytes *= SECTOR
        self.fats = [reserved * SECTOR, reserved * SECTOR + self.fat_bytes]
        self.root = self.fats[1] + self.fat_bytes

    def link(self, cluster, value, copies=(0, 1)):
        for copy in copies:
            struct.pack_into("<I", self.data, self.fats[copy] + 4 * cluster, value)

    def entry(self, name):
        at = self.data.index(name, self.root)
        high, low = (struct.unpack_from("<H", self.data, at + offset)[0] for offset in (20, 26))
        return at, high << 16 | low


def damages(data):
    """(name, what fsck finds, image)."""
    volume = Volume(data)
    volume.link(500, 501)
    volume.link(501, 0x0FFFFFFF)
    yield "lost clusters", "untidy: 2 clusters are nobody's", volume.data
    volume = Volume(data)
    volume.link(volume.entry(b"TWO     TXT")[1] + 1, 0)
    yield "a chain that ends in a free cluster", "damage: ", volume.data
    volume = Volume(data)
    at = volume.entry(b"TWO     TXT")[0]
    struct.pack_into("<H", volume.data, at + 26, volume.entry(b"ONE     TXT")[1])
    yield "two files with one chain", "damage: ", volume.data
    volume = Volume(data)
    volume.link(volume.entry(b"TWO     TXT")[1] + 1, volume.entry(b"TWO     TXT")[1])
    yield "a chain in a circle", "damage: ", volume.data
    volume = Volume(data)
    volume.link(volume.entry(b"TWO     TXT")[1], 0, copies=(1,))
    yield "FATs that differ", "untidy: FAT 2 differs from the first", volume.data
    volume = Volume(data)
    volume.data[:SECTOR] = bytes(SECTOR)
    yield "no boot sector", "damage: ", volume.data
    volume = Volume(data)
    volume.data[volume.entry(b"TWO     TXT")[0] + 4] = 0x07
    yield "a name that is not allowed", "damage: ", volume.data


def judged_clean(tap, name, fsck, data, folder):
    part = folder / "part.img"
    part.write_bytes(data)
    status, said = sh(fsck, "--offset", "0", part)
    tap.case(status == 0, name + ": our program on the host finds it clean", said)
    tool = shutil.which("fsck.fat", path=TOOLS)
    if not tool:
        tap.skip(name + ": so does fsck.fat", "fsck.fat")
        return
    status, said = sh(tool, "-n", part)
    tap.case(status == 0 and len(said.splitlines()) == 2, name + ": so does fsck.fat", said)


def test_damage(tap, command, card, good, fsck, folder):
    for name, found, data in damages(good):
        image = two_partitions(card, folder, data)
        machine = Machine(command, image)
        look = machine.run(["fsck mmcblk0p2"])[0]
        tap.case(found in look, name + ": fsck says so", look)
        tap.case(second(image) == data, name + ": and changes nothing")
        lines = ["fsck -y mmcblk0p2", "fsck -q /dev/mmcblk0p2", "mount -o ro mmcblk0p2 /docs",
                 "cat /docs/one.txt", "umount /docs"]
        mend, again, mounted, text, _ = machine.run(lines)
        tap.case("mended: " in mend and ", clean\n" in mend, name + ": fsck -y mends it", mend)
        tap.case(again.endswith("clean\n") and len(again.splitlines()) == 1,
                 name + ": it is clean then", again)
        tap.case(mounted == "" and text == "one\n" * 700, name + ": the other file is there",
                 mounted + text[:200])
        judged_clean(tap, name, fsck, second(image), folder)


def test_save_and_failures(tap, command, card, good, folder):
    data = next(damages(good))[2]
    image = two_partitions(card, folder, data)
    lines = ["fsck -s mmcblk0p2", "mount -o ro mmcblk0p2 /docs", "ls /docs", "umount /docs",
             "disks fault mmcblk0p2", "disks rule fault0 fail read 40", "fsck -q fault0",
             "disks rule fault0 none", "disks rule fault0 fail write 2", "mkfs fault0"]
    said = Machine(command, image).run(lines)
    tap.case("1 file saved." in said[0] and "FSCK0000.REC" in said[2], "-s saves what was lost",
             said[0] + said[2])
    tap.case("came to an end at sector 40: " in said[6], "a sector that cannot be read is named",
             said[6])
    tap.case(re.search(r"fault0: formatting came to an end at sector [0-2]: ", said[9]),
             "so is one that cannot be written", said[9])


def test_large(tap, command, card, fsck, folder):
    size = 60 << 30
    image = two_partitions(card, folder, b"", size)
    machine = Machine(command, image)
    said = machine.run(["mkfs mmcblk0p2"])[0]
    tap.case("1965599 clusters of 32768 bytes" in said, "mkfs of 60 GiB", said)
    with open(image, "r+b") as file:
        file.seek(SECOND + 32 * SECTOR + 4 * 1900000)
        file.write(struct.pack("<I", 0x0FFFFFFF))
    look, mend, again = machine.run(["fsck mmcblk0p2", "fsck -y mmcblk0p2", "fsck mmcblk0p2"],
                                    "cpus=4")
    tap.case("untidy: 1 clusters are nobody's\n" in look, "fsck of 60 GiB", look)
    tap.case("1 mended; 1 cluster freed" in mend and again.endswith(", clean\n"),
             "fsck -y of 60 GiB", mend + again)
    status, said = sh(fsck, "--offset", SECOND // SECTOR, image)
    tap.case(status == 0, "it is clean to our program on the host", said)


def test_at_once(tap, machine):
    line = "fsck -y ram0 & mount ram0 /docs & mkfs ram0 & fsck -y ram0 & mount ram0 /names"
    said = machine.run(["mkfs ram0", line, "sleep 2s", "umount ram0", "fsck -q ram0"])
    done = "".join(said[1:3])
    said_so = ("umount it first", ": in use\n", ", clean\n", "clusters of ")
    answers = sum(done.count(words) for words in said_so)
    tap.case(answers >= 3 and "damage" not in done, "one at a time", done)
    tap.case(said[4].endswith("1 of 16100 clusters, clean\n"), "and the volume is clean", said[4])


def test_partition(tap, command, card, good, fsck, folder):
    image = two_partitions(card, folder, good)
    said = Machine(command, image).run(["mkfs -n Fresh mmcblk0p2", "mount mmcblk0p2 /docs",
                                        "write /docs/fresh.txt It works", "umount /docs"])
    tap.case("clusters of 512 bytes\n" in said[0] and not "".join(said[1:]),
             "mkfs of a partition", said)
    status, text = sh("mtype", "-i", "%s@@%d" % (image, SECOND), "::/fresh.txt")
    tap.case(status == 0 and text == "It works\n", "mtools read what was written", text)
    judged_clean(tap, "mkfs of a partition", fsck, second(image), folder)


def main():
    card, programs, command = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
    tap, peer = Tap(), sys.argv[2] == "peer"
    if peer:
        programs = pathlib.Path(os.environ.get("TAYBERRY_PEER", "")) / "images" / "programs"
    mkfs, fsck = programs / "tayberry-mkfs", programs / "tayberry-fsck"
    if peer and not mkfs.exists():
        print("1..0 # SKIP TAYBERRY_PEER names no build with the programs of the host")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        good = good_volume(mkfs, folder)
        scratch = folder / "card.img"
        subprocess.run(["cp", "--sparse=always", card, scratch], check=True)
        test_ram_disk(tap, Machine(command, scratch))
        test_refused(tap, Machine(command, scratch))
        test_damage(tap, command, card, good, fsck, folder)
        test_save_and_failures(tap, command, card, good, folder)
        if not peer:
            test_large(tap, command, card, fsck, folder)
        test_at_once(tap, Machine(command, scratch))
        test_partition(tap, command, card, good, fsck, folder)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
