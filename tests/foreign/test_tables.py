# SPDX-License-Identifier: MIT
"""Partition tables that sfdisk makes and changes are read as sfdisk reads them.

    test_tables.py --tables PROGRAM

MBRs with primary and logical partitions, and GPTs, of random sizes; on empty cards and on such as
were one FAT volume or had a table of the other kind before; then some partitions are deleted. Each
time what `tables` finds is compared with `sfdisk --json`. A GPT is read from its second copy, too.
TAYBERRY_TABLES: how many random tables.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

EXTENDED = (0x05, 0x0F, 0x85)
GUIDS = {  # a GPT's type, and the one that an MBR would give it
    "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7": 0x0C,
    "C12A7328-F81F-11D2-BA4B-00A0C93EC93B": 0xEF,
    "0FC63DAF-8483-4772-8E79-3D69D8477DE4": 0x83,
    "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F": 0xFF,
}
QUIETLY = ("-q", "--no-tell-kernel", "--no-reread")  # and no sync of the whole host
SECTORS = (40000, 262144, 131071, 20000000, 400000000)


class Wrong(Exception):
    pass


def find(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def run(*command, given=None):
    done = subprocess.run(command, input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, check=False)
    if done.returncode:
        raise Wrong("%s: status %d\n%s\n%s" % (" ".join(command), done.returncode, given or "",
                                               done.stdout[-2000:]))
    return done.stdout


class Card:
    """An image, with what sfdisk and the kernel say of it."""

    def __init__(self, tools, path, sectors):
        self.tools, self.path, self.sectors = tools, path, sectors
        with open(path, "wb") as file:
            file.truncate(sectors * 512)

    def sfdisk(self, *options, given=None):
        return run(self.tools.sfdisk, *options, self.path, given=given)

    def wanted(self):
        """(number, first, sectors, type) of each partition but the extended one."""
        table = json.loads(self.sfdisk("--json"))["partitiontable"]
        rows = []
        for entry in table.get("partitions", ()):
            kind = GUIDS[entry["type"]] if table["label"] == "gpt" else int(entry["type"], 16)
            if table["label"] == "gpt" or kind not in EXTENDED:
                number = int(entry["node"][len(self.path):])
                rows.append((number, entry["start"], entry["size"], kind))
        return sorted(rows)

    def found(self):
        lines = run(self.tools.tables, self.path).splitlines()
        if lines and lines[0].startswith("no:"):
            return []
        return sorted(tuple(int(word) for word in line.split()) for line in lines)

    def check(self, when):
        wanted, found = self.wanted(), self.found()
        if wanted != found:
            raise Wrong("%s: sfdisk says %r, and %r was found" % (when, wanted, found))
        return len(found)

    def wipe(self, sector):
        with open(self.path, "r+b") as file:
            file.seek(sector * 512)
            file.write(bytes(512))


def random_gpt(rng, sectors):
    count = rng.randint(1, 12)
    room = (sectors - 4096) // count - 2048
    lines = ["label: gpt"]
    numbers = sorted(rng.sample(range(1, 129), count))
    for number in numbers:
        lines.append("%d: size=%d, type=%s" % (number, rng.randint(1, room),
                                               rng.choice(sorted(GUIDS))))
    return lines


def random_mbr(rng, sectors):
    count = rng.randint(1, 4)
    room = (sectors - 4096) // count - 4096
    lines, extended = ["label: dos"], rng.randint(1, 5)
    for number in range(1, count + 1):
        size = rng.randint(max(1, room // 4), room)
        if number != extended:
            kind = rng.choice(("c", "b", "83", "ef"))
            lines.append("%d: size=%d, type=%s" % (number, size, kind))
            continue
        lines.append("%d: size=%d, type=%s" % (number, size, rng.choice(("5", "f"))))
        inside = min(rng.randint(0, 20), size // 8192)
        for logical in range(5, 5 + inside):
            lines.append("%d: size=%d, type=%s" % (
                logical, rng.randint(1, size // inside - 4096), rng.choice(("c", "83"))))
    return lines


def random_card(card, rng):
    """What was there before, then a table, then some of it deleted."""
    makers = {"gpt": random_gpt, "mbr": random_mbr}
    kind = rng.choice(sorted(makers))
    before = rng.choice(("nothing", "fat", "other"))
    if before == "fat" and card.tools.mkfs_fat and card.sectors < 1000000:
        run(card.tools.mkfs_fat, "-F", "32", card.path)
    elif before == "other":
        other = makers["mbr" if kind == "gpt" else "gpt"](rng, card.sectors)
        card.sfdisk(*QUIETLY, given="\n".join(other) + "\n")
        card.check("the table before")
    card.sfdisk(*QUIETLY, given="\n".join(makers[kind](rng, card.sectors)) + "\n")
    left = card.check("%s after %s" % (kind, before))
    for _ in range(rng.randint(0, 3)):
        rows = card.wanted()
        if len(rows) < 2:
            break
        run(card.tools.sfdisk, *QUIETLY, "--delete", card.path, str(rng.choice(rows)[0]))
        left = card.check("one deleted")
    if kind == "gpt" and left:
        wanted = card.wanted()
        card.wipe(1)
        if card.found() != wanted:
            raise Wrong("the second copy: %r, not %r" % (card.found(), wanted))
    return left


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tables", required=True)
    tools = parser.parse_args()
    tools.sfdisk, tools.mkfs_fat = find("sfdisk"), find("mkfs.fat")
    if not tools.sfdisk:
        print("1..0 # SKIP sfdisk is not installed")
        return 0
    # sfdisk waits until what it has written is on the disk.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    cards, bad, partitions = int(os.environ.get("TAYBERRY_TABLES", "40")), 0, 0
    for seed in range(1, cards + 1):
        rng, wrong = random.Random(seed), None
        with tempfile.TemporaryDirectory(dir=memory) as folder:
            try:
                card = Card(tools, os.path.join(folder, "card"), rng.choice(SECTORS))
                partitions += random_card(card, rng)
            except Wrong as error:
                wrong = error
        bad += wrong is not None
        print("%sok %d - card %d" % ("not " if wrong else "", seed, seed))
        for line in str(wrong).splitlines() if wrong else []:
            print("# " + line)
    print("# %d cards with %d partitions" % (cards, partitions))
    print("1..%d" % cards)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
