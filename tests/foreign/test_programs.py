# SPDX-License-Identifier: MIT
"""tayberry-mkfs and tayberry-fsck as programs: options, exit statuses, partitions.

    test_programs.py --mkfs PROGRAM --fsck PROGRAM --card IMAGE
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile


class Tap:
    def __init__(self):
        self.count, self.bad = 0, 0

    def case(self, name, good, detail=""):
        self.count += 1
        self.bad += not good
        print("%sok %d - %s" % ("" if good else "not ", self.count, name))
        for line in str(detail).splitlines() if not good else []:
            print("# " + line)


def run(*command):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def patch(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def try_mkfs(tap, tools, folder):
    image = folder / "made.img"
    status, text = run(tools.mkfs, "--label", "made", "--id", "0x1234", image, "40M")
    boot = image.read_bytes()[:512]
    tap.case("a volume is made", status == 0 and "clusters of 512 bytes" in text, text)
    tap.case("with its label and number", boot[71:82] == b"MADE       "
             and boot[67:71] == b"\x34\x12\0\0", boot[60:90])
    tap.case("the file is as long as asked", image.stat().st_size == 40 << 20)
    status, text = run(tools.mkfs, "--cluster", "4096", image, "1M")
    tap.case("a small one is, with a warning", status == 0 and "FAT16" in text, text)
    for name, arguments, wanted in (
            ("a size that is too small", (image, "8K"), 8), ("no such folder", ("/x/y", "1M"), 8),
            ("a cluster of three sectors", ("--cluster", "1536", image, "1M"), 8),
            ("a label that is too long", ("--label", "0123456789AB", image, "1M"), 8),
            ("no image", (), 16), ("a size that is none", (image, "1Q"), 16),
            ("an unknown option", ("--what", "1", image), 16)):
        status, text = run(tools.mkfs, *arguments)
        tap.case("mkfs: " + name, status == wanted and text, (status, text))


def try_fsck(tap, tools, folder):
    image = folder / "checked.img"
    run(tools.mkfs, image, "40M")
    fat = 32 * 512
    status, text = run(tools.fsck, image)
    tap.case("an empty volume is clean", status == 0 and "clean" in text, (status, text))
    patch(image, fat + 4 * 100, b"\x65\0\0\0" b"\xff\xff\xff\x0f")
    before = image.read_bytes()
    status, text = run(tools.fsck, image)
    tap.case("lost clusters are told", status == 4 and "2 clusters are nobody's" in text, text)
    tap.case("and nothing is written", image.read_bytes() == before)
    copy = folder / "copy.img"
    shutil.copy(image, copy)
    status, text = run(tools.fsck, "-y", image)
    tap.case("they are freed", status == 1 and "clean" in text, (status, text))
    status, text = run(tools.fsck, "-s", copy)
    tap.case("or saved", status == 1 and ": 1 files" in text, (status, text))
    status, text = run(tools.fsck, "-y", image)
    tap.case("once", status == 0, (status, text))
    patch(image, 0, bytes(512))
    status, text = run(tools.fsck, "-y", image)
    tap.case("the boot sector comes back from its copy", status == 1 and "copy" in text, text)
    patch(image, 0, bytes(512))
    patch(image, 6 * 512, bytes(512))
    status, text = run(tools.fsck, "-y", image)
    tap.case("without a copy nothing can be done", status == 4, (status, text))
    status, text = run(tools.fsck, folder / "none.img")
    tap.case("no such image", status == 8 and text, (status, text))
    status, text = run(tools.fsck)
    tap.case("fsck: no image", status == 16 and "usage" in text, (status, text))


def try_partition(tap, tools, folder):
    status, text = run(tools.fsck, tools.card)
    tap.case("the partition of a card is found", status == 0 and "clean" in text, (status, text))
    image = folder / "part.img"
    image.write_bytes(bytes(44 << 20))
    status, text = run(tools.mkfs, "--offset", "2048", image)
    tap.case("a volume is made behind an offset", status == 0, (status, text))
    status, text = run(tools.fsck, "--offset", "2048", image)
    tap.case("and found there", status == 0, (status, text))
    sectors = (44 << 11) - 2048
    patch(image, 446, b"\0\0\0\0\x0c\0\0\0" + (2048).to_bytes(4, "little")
          + sectors.to_bytes(4, "little"))
    patch(image, 510, b"\x55\xaa")
    status, text = run(tools.fsck, image)
    tap.case("and by its table", status == 0, (status, text))
    whole = folder / "whole.img"
    whole.write_bytes(bytes(44 << 20))
    run(tools.mkfs, whole)
    patch(image, 0, whole.read_bytes()[:446])
    before = image.read_bytes()
    status, text = run(tools.fsck, "-y", image)
    tap.case("although a boot sector stands before it", status == 0
             and image.read_bytes() == before, (status, text))
    for kind, word in ((0xEE, "GPT"), (0x83, "none of them")):
        patch(image, 446 + 4, bytes((kind,)))
        before = image.read_bytes()
        status, text = run(tools.fsck, "-y", image)
        tap.case("that is not done where no partition is FAT32: %s" % word, status == 8
                 and word in text and image.read_bytes() == before, (status, text))


def main():
    parser = argparse.ArgumentParser()
    for name in ("mkfs", "fsck", "card"):
        parser.add_argument("--" + name, required=True)
    tools = parser.parse_args()
    tap = Tap()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tayberry-programs-"))
    try:
        try_mkfs(tap, tools, folder)
        try_fsck(tap, tools, folder)
        try_partition(tap, tools, folder)
    finally:
        shutil.rmtree(folder)
    print("1..%d" % tap.count)
    return 1 if tap.bad else 0


if __name__ == "__main__":
    sys.exit(main())
