#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a family of bad memory cards, and a few odd but good ones, for tests.

    mkbad.py GOOD.img OUTDIR

writes OUTDIR/NAME.img for each variant and prints one line for each, also kept in OUTDIR/LIST:

    NAME <tab> VERDICT <tab> what is wrong with it

The verdict says what a reader of the card has to do:

    good     mount it; /README.TXT reads as always
    refuse   do not mount it; say once what is wrong; come up without a card
    survive  mount it or not, as it likes; every operation ends, with data or with an error,
             whatever is asked of any file: no hang, no crash, no panic

Most variants start from a small card that this program lays out itself, sector by sector, so that
each field and each link can be set to any value: 64 MiB, one sector a cluster (the smallest
FAT32 that is one by its count of clusters), a few files with their chains out of order. Only
sectors that are not zero are written: a variant costs a few dozen KiB on disk. GOOD.img, the card
of mkcard.py, is used for the cards that are cut short. Everything is deterministic.

The lies about the file system are told in both copies of the boot sector, so that they are still
lies to a reader that falls back on the second.
"""
import os
import pathlib
import struct
import sys

SECTOR = 512
CARD_SIZE = 64 << 20
PART_START = 2048                                   # sectors: 1 MiB
PART_SECTORS = CARD_SIZE // SECTOR - PART_START
RESERVED = 32
FAT_SECTORS = 1000                                  # 128,000 entries of 4 bytes
DATA_START = RESERVED + 2 * FAT_SECTORS             # cluster 2, in sectors of the partition
CLUSTERS = PART_SECTORS - DATA_START                # one sector each
MAX_CLUSTER = CLUSTERS + 1                          # the largest valid number
END = 0x0FFFFFFF
BAD = 0x0FFFFFF7
README = b"This card is well: you read its README.\n"

ATTR_READONLY, ATTR_HIDDEN, ATTR_SYSTEM, ATTR_LABEL, ATTR_DIR, ATTR_ARCHIVE = 1, 2, 4, 8, 16, 32
ATTR_LONG = 15
DATE, TIME = (46 << 9 | 1 << 5 | 1), 12 << 11       # 2026-01-01, 12:00:00

# Offsets in the boot sector, with the format of each field.
BPB = {
    "bytes_per_sector": (11, "<H"), "sectors_per_cluster": (13, "B"), "reserved": (14, "<H"),
    "fats": (16, "B"), "root_entries": (17, "<H"), "total16": (19, "<H"), "media": (21, "B"),
    "fat_size16": (22, "<H"), "sectors_per_track": (24, "<H"), "heads": (26, "<H"),
    "hidden": (28, "<I"), "total32": (32, "<I"), "fat_size32": (36, "<I"), "flags": (40, "<H"),
    "version": (42, "<H"), "root_cluster": (44, "<I"), "fsinfo": (48, "<H"), "backup": (50, "<H"),
    "drive": (64, "B"), "dirty": (65, "B"), "boot_signature": (66, "B"), "volume_id": (67, "<I"),
    "type_name": (82, "8s"), "signature": (510, "<H"), "jump": (0, "3s"),
}


# --- names ---------------------------------------------------------------------------------

def checksum(short):
    """The one-byte sum of an 11-byte name that ties long entries to their short one."""
    total = 0
    for byte in short:
        total = ((total >> 1) + ((total & 1) << 7) + byte) & 0xFF
    return total


def short_entry(short, attr, cluster, size, date=DATE, time=TIME):
    return struct.pack("<11sBBBHHHHHHHI", short, attr, 0, 0, time, date, date, cluster >> 16,
                       time, date, cluster & 0xFFFF, size)


def long_slot(order, units, check, attr=ATTR_LONG, cluster=0):
    """One slot of a long name: 13 UTF-16 units, given as a list of numbers."""
    raw = b"".join(struct.pack("<H", unit) for unit in units)
    return struct.pack("<B10sBBB12sH4s", order, raw[:10], attr, 0, check, raw[10:22], cluster,
                       raw[22:26])


def long_slots(name, short):
    """The slots of a long name in the order in which they stand on the card: last part first."""
    raw = name.encode("utf-16-le")
    units = [value for (value,) in struct.iter_unpack("<H", raw)]
    if len(units) % 13:
        units.append(0)
        units += [0xFFFF] * (-len(units) % 13)
    parts = [units[at:at + 13] for at in range(0, len(units), 13)]
    slots = [long_slot(number + 1, part, checksum(short)) for number, part in enumerate(parts)]
    slots[-1] = bytes([len(parts) | 0x40]) + slots[-1][1:]
    return b"".join(reversed(slots))


# --- the small card ------------------------------------------------------------------------

class Card:
    """A card in memory: its sectors that are not zero, by number."""

    def __init__(self, size=CARD_SIZE, part=PART_START):
        self.size, self.part, self.sectors = size, part, {}
        self.where = {}                             # path -> (sector, offset) of its short entry

    def sector(self, number):
        return self.sectors.setdefault(number, bytearray(SECTOR))

    def put(self, at, data):
        """Writes bytes at a byte offset of the card."""
        for index, byte in enumerate(data):
            self.sector((at + index) // SECTOR)[(at + index) % SECTOR] = byte

    def write(self, path):
        with open(path, "wb") as file:
            file.truncate(self.size)
            for number in sorted(self.sectors):
                room = self.size - number * SECTOR
                if room > 0 and any(self.sectors[number]):
                    os.pwrite(file.fileno(), bytes(self.sectors[number])[:room], number * SECTOR)

    # The file system, in terms of the partition.

    def bpb(self, **fields):
        """Sets fields of the boot sector and of its copy."""
        for name, value in fields.items():
            offset, fmt = BPB[name]
            for copy in (0, 6):
                struct.pack_into(fmt, self.sector(self.part + copy), offset, value)

    def fat(self, cluster, value, copies=(0, 1)):
        for copy in copies:
            start = (self.part + RESERVED + copy * FAT_SECTORS) * SECTOR
            self.put(start + cluster * 4, struct.pack("<I", value))

    def chain(self, clusters):
        for here, there in zip(clusters, clusters[1:] + [END]):
            self.fat(here, there)

    def cluster_sector(self, cluster):
        return self.part + DATA_START + cluster - 2

    def fill(self, clusters, data):
        """Puts data into these clusters in this order and links them."""
        self.chain(clusters)
        for index, cluster in enumerate(clusters):
            piece = data[index * SECTOR:(index + 1) * SECTOR]
            self.sectors[self.cluster_sector(cluster)] = bytearray(piece.ljust(SECTOR, b"\0"))

    def folder(self, path, clusters, entries):
        """Writes a directory; entries are (name or None, bytes), with the short entry last."""
        data = b""
        for name, raw in entries:
            data += raw
            if name:
                at = len(data) - 32
                where = self.cluster_sector(clusters[at // SECTOR])
                self.where[path + name] = (where, at % SECTOR)
        self.fill(clusters, data)

    def entry(self, path, offset, fmt, value):
        """Sets a field of the short entry of a file."""
        sector, at = self.where[path]
        struct.pack_into(fmt, self.sector(sector), at + offset, value)

    def start(self, path, cluster):
        self.entry(path, 20, "<H", cluster >> 16)
        self.entry(path, 26, "<H", cluster & 0xFFFF)

    def length(self, path, size):
        self.entry(path, 28, "<I", size)

    def mbr(self, slot=0, kind=0x0C, start=PART_START, sectors=PART_SECTORS, boot=0):
        raw = struct.pack("<B3sB3sII", boot, b"\xfe\xff\xff", kind, b"\xfe\xff\xff", start, sectors)
        self.put(446 + 16 * slot, raw)
        self.put(510, b"\x55\xaa")


# The chains of the small card. Out of order on purpose: only who follows the links reads right.
ROOT = [2, 40]
README_AT = [3]
FRAG = [30, 29, 50, 31, 28, 51, 27, 60, 26, 25]
LONG_AT = [4]
DIR_AT, SUB_AT, DEEP_AT = [5], [6], [7]
DIR_MORE = [300]                                    # free, for a directory that outgrows its own
BIG = list(range(100, 228))
VICTIM = [70, 71, 72, 73]                           # the file whose chain is spoilt
LONG_NAME = "A long name, with spaces and ümlauts.txt"
LONG_SHORT = b"ALONGN~1TXT"


def offsets(size):
    """Lines of 16 bytes that say where they stand."""
    return b"".join(b"%015d\n" % at for at in range(0, size, 16))[:size]


def boot_sector(part, sectors):
    raw = struct.pack("<3s8sHBHBHHBHHHIIIHHIHH12sBBBI11s8s", b"\xeb\x58\x90", b"TAYBERRY",
                      SECTOR, 1, RESERVED, 2, 0, 0, 0xF8, 0, 63, 255, part, sectors,
                      FAT_SECTORS, 0, 0, ROOT[0], 1, 6, bytes(12), 0x80, 0, 0x29, 0x0BADCA2D,
                      b"BADCARD    ", b"FAT32   ")
    return raw.ljust(510, b"\0") + b"\x55\xaa"


def fsinfo(free=0xFFFFFFFF, following=0xFFFFFFFF):
    return struct.pack("<I480sIII12sI", 0x41615252, bytes(480), 0x61417272, free, following,
                       bytes(12), 0xAA550000)


def small_card(part=PART_START):
    """The good small card. With part = 0 it is a superfloppy: no partition table."""
    card = Card(part=part)
    if part:
        card.mbr()
    for copy in (0, 6):
        card.put((part + copy) * SECTOR, boot_sector(part, PART_SECTORS))
        card.put((part + copy + 1) * SECTOR, fsinfo())
        card.put((part + copy + 2) * SECTOR + 508, b"\0\0\x55\xaa")
    card.fat(0, 0x0FFFFFF8)
    card.fat(1, END)
    deep = b"Three directories down.\n"
    victim = offsets(len(VICTIM) * SECTOR)
    frag = offsets(len(FRAG) * SECTOR - 100)
    big = offsets(len(BIG) * SECTOR)
    card.folder("/", ROOT, [
        (None, short_entry(b"BADCARD    ", ATTR_LABEL, 0, 0)),
        ("README.TXT", short_entry(b"README  TXT", ATTR_ARCHIVE, README_AT[0], len(README))),
        ("VICTIM.TXT", short_entry(b"VICTIM  TXT", ATTR_ARCHIVE, VICTIM[0], len(victim))),
        ("FRAG.TXT", short_entry(b"FRAG    TXT", ATTR_ARCHIVE, FRAG[0], len(frag))),
        ("EMPTY", short_entry(b"EMPTY      ", ATTR_ARCHIVE, 0, 0)),
        (LONG_NAME, long_slots(LONG_NAME, LONG_SHORT)
         + short_entry(LONG_SHORT, ATTR_ARCHIVE, LONG_AT[0], 9)),
        ("DIR", short_entry(b"DIR        ", ATTR_DIR, DIR_AT[0], 0)),
        (None, b"\xe5" + short_entry(b"ELETED TXT ", ATTR_ARCHIVE, 9, 99)[1:]),
        ("BIG.TXT", short_entry(b"BIG     TXT", ATTR_ARCHIVE, BIG[0], len(big))),
    ])
    card.folder("/DIR/", DIR_AT, [
        (".", short_entry(b".          ", ATTR_DIR, DIR_AT[0], 0)),
        ("..", short_entry(b"..         ", ATTR_DIR, 0, 0)),
        ("SUB", short_entry(b"SUB        ", ATTR_DIR, SUB_AT[0], 0)),
    ])
    card.folder("/DIR/SUB/", SUB_AT, [
        (".", short_entry(b".          ", ATTR_DIR, SUB_AT[0], 0)),
        ("..", short_entry(b"..         ", ATTR_DIR, DIR_AT[0], 0)),
        ("DEEP.TXT", short_entry(b"DEEP    TXT", ATTR_ARCHIVE, DEEP_AT[0], len(deep))),
    ])
    card.fill(README_AT, README)
    card.fill(VICTIM, victim)
    card.fill(FRAG, frag)
    card.fill(LONG_AT, b"Long one\n")
    card.fill(DEEP_AT, deep)
    card.fill(BIG, big)
    return card


# --- the variants --------------------------------------------------------------------------

VARIANTS = []


def variant(name, verdict, about):
    """Marks a function as the maker of a variant: it gets the good small card and spoils it."""
    def add(make):
        VARIANTS.append((name, verdict, about, make))
        return make
    return add


def boot_lie(name, verdict, about, **fields):
    VARIANTS.append(("boot-" + name, verdict, about, lambda card: card.bpb(**fields)))


def noise(count, seed=1):
    """Bytes that look random and are always the same."""
    out = bytearray()
    for _ in range(count):
        seed = (seed * 6364136223846793005 + 1442695040888963407) & (1 << 64) - 1
        out.append(seed >> 56)
    return bytes(out)


# Cards that are good, each in its own way.

@variant("good-small", "good", "the small card as it is")
def _(card):
    del card


@variant("good-superfloppy", "good", "no partition table: the file system starts at sector 0")
def _(_card):
    return small_card(part=0)


@variant("good-fourth-slot", "good", "the partition is in the last slot of the table")
def _(card):
    card.put(446, bytes(16))
    card.mbr(slot=3)


@variant("good-type-0b", "good", "partition type 0x0B (FAT32 addressed by cylinders)")
def _(card):
    card.mbr(kind=0x0B)


@variant("good-after-linux", "good", "a Linux partition in the first slot, ours in the second")
def _(card):
    card.mbr(kind=0x83, start=63, sectors=1000)
    card.mbr(slot=1)


@variant("good-dirty", "good", "the dirty mark is set: not unmounted properly")
def _(card):
    card.fat(1, END & ~(1 << 27))
    card.bpb(dirty=1)


@variant("good-high-bits", "good", "the four reserved bits of FAT entries are set")
def _(card):
    for cluster in VICTIM[:-1]:
        card.fat(cluster, 0xF0000000 | cluster + 1)


@variant("good-second-fat", "good", "mirroring is off and FAT 2 is the true one")
def _(card):
    card.bpb(flags=0x81)
    for cluster in FRAG + VICTIM + ROOT:
        card.fat(cluster, 0, copies=(0,))


@variant("good-no-fsinfo", "good", "no FSInfo sector: its number is 0")
def _(card):
    card.bpb(fsinfo=0)


@variant("good-fsinfo-lies", "good", "FSInfo claims nothing is free")
def _(card):
    for copy in (1, 7):
        card.put((card.part + copy) * SECTOR, fsinfo(free=0, following=0x0FFFFFF0))


@variant("good-chain-too-long", "good", "a chain longer than the size of its file")
def _(card):
    card.length("/VICTIM.TXT", 700)


# The card as a whole.

@variant("card-empty", "refuse", "a file of no bytes")
def _(card):
    card.sectors, card.size = {}, 0


@variant("card-one-byte", "refuse", "a file of one byte")
def _(card):
    card.size = 1


@variant("card-half-sector", "refuse", "ends in the middle of the partition table")
def _(card):
    card.size = 450


@variant("card-zeros", "refuse", "all zeros")
def _(card):
    card.sectors = {}


@variant("card-ones", "refuse", "all bits set, in the first MiB")
def _(card):
    card.sectors = {number: bytearray(b"\xff" * SECTOR) for number in range(2048)}


@variant("card-noise", "refuse", "noise in the first sectors, with a signature")
def _(card):
    card.sectors = {}
    card.put(0, noise(40 * SECTOR))
    card.put(510, b"\x55\xaa")


@variant("card-only-table", "refuse", "ends right after the partition table")
def _(card):
    card.size = SECTOR


@variant("card-cut-in-fat", "survive", "ends in the middle of the first FAT")
def _(card):
    card.size = (PART_START + RESERVED + 3) * SECTOR


@variant("card-cut-odd", "survive", "ends 100 bytes into a sector of the root directory")
def _(card):
    card.size = card.cluster_sector(ROOT[0]) * SECTOR + 100


# The partition table.

@variant("mbr-no-signature", "refuse", "the table lacks its signature 55 AA")
def _(card):
    card.put(510, b"\0\0")


@variant("mbr-no-partition", "refuse", "a table with four empty slots")
def _(card):
    card.put(446, bytes(64))


@variant("mbr-linux-only", "refuse", "the only partition is of type 0x83 (Linux)")
def _(card):
    card.mbr(kind=0x83)
    card.sectors[PART_START] = bytearray(SECTOR)


@variant("mbr-ntfs", "refuse", "partition type 0x07, with an NTFS boot sector")
def _(card):
    card.mbr(kind=0x07)
    card.put(PART_START * SECTOR, b"\xeb\x52\x90NTFS    " + bytes(499) + b"\x55\xaa")


@variant("mbr-gpt", "survive", "a protective table of a GPT disk without the GPT")
def _(card):
    card.mbr(kind=0xEE, start=1, sectors=0xFFFFFFFF)


@variant("mbr-start-zero", "refuse", "the partition starts at sector 0")
def _(card):
    card.mbr(start=0)


@variant("mbr-no-sectors", "refuse", "the partition has no sectors")
def _(card):
    card.mbr(sectors=0)


@variant("mbr-one-sector", "refuse", "the partition has one sector")
def _(card):
    card.mbr(sectors=1)


@variant("mbr-past-end", "refuse", "the partition ends past the end of the card")
def _(card):
    card.mbr(sectors=2 * PART_SECTORS)


@variant("mbr-past-end-by-one", "refuse", "the partition ends one sector past the end of the card")
def _(card):
    card.mbr(sectors=PART_SECTORS + 1)


@variant("mbr-starts-past-end", "refuse", "the partition starts past the end of the card")
def _(card):
    card.mbr(start=CARD_SIZE // SECTOR, sectors=1000)


@variant("mbr-wraps", "refuse", "start plus size overflows 32 bits")
def _(card):
    card.mbr(start=PART_START, sectors=0xFFFFFFFF)


@variant("mbr-last-sector", "refuse", "start and size are both the largest number")
def _(card):
    card.mbr(start=0xFFFFFFFF, sectors=0xFFFFFFFF)


@variant("mbr-overlap", "survive", "two partitions share their sectors")
def _(card):
    card.mbr(slot=1, start=PART_START + 10, sectors=5000)


@variant("mbr-bad-flag", "survive", "the boot flag is neither 00 nor 80")
def _(card):
    card.mbr(boot=0x42)


@variant("mbr-extended-loop", "refuse", "an extended partition whose table points to itself")
def _(card):
    card.put(446, bytes(16))
    card.mbr(kind=0x05, start=2, sectors=100)
    card.put(2 * SECTOR + 446, struct.pack("<B3sB3sII", 0, bytes(3), 0x05, bytes(3), 0, 100))
    card.put(2 * SECTOR + 510, b"\x55\xaa")


# Each field of the boot sector at its extremes, and at the values that once broke somebody.

for _value in (0, 1, 256, 511, 513, 768, 8192, 32768, 65535):
    boot_lie("bytes-per-sector-%d" % _value, "refuse", "%d bytes a sector" % _value,
             bytes_per_sector=_value)
for _value in (1024, 2048, 4096):
    boot_lie("bytes-per-sector-%d" % _value, "survive", "legal, but not what this one has: %d"
             % _value, bytes_per_sector=_value)
for _value in (0, 3, 5, 127, 255):
    boot_lie("sectors-per-cluster-%d" % _value, "refuse", "%d sectors a cluster" % _value,
             sectors_per_cluster=_value)
boot_lie("sectors-per-cluster-128", "survive", "legal, but then it is not a FAT32 by its count",
         sectors_per_cluster=128)
boot_lie("cluster-of-512k", "survive", "4096 bytes a sector, 128 sectors a cluster",
         bytes_per_sector=4096, sectors_per_cluster=128)
boot_lie("reserved-0", "refuse", "no reserved sectors", reserved=0)
boot_lie("reserved-1", "survive", "one reserved sector: the FAT is elsewhere", reserved=1)
boot_lie("reserved-65535", "survive", "65,535 reserved sectors", reserved=65535)
boot_lie("fats-0", "refuse", "no FAT", fats=0)
boot_lie("fats-1", "survive", "one FAT instead of two: the data is elsewhere", fats=1)
boot_lie("fats-255", "refuse", "255 FATs: more than the partition holds", fats=255)
boot_lie("root-entries-1", "survive", "a root directory of FAT16", root_entries=1)
boot_lie("root-entries-65535", "survive", "a large root directory of FAT16", root_entries=65535)
boot_lie("total16-1", "survive", "the 16-bit size is 1", total16=1)
boot_lie("total16-65535", "survive", "the 16-bit size is 65,535", total16=65535)
boot_lie("media-0", "survive", "media byte 0", media=0)
boot_lie("media-ef", "survive", "media byte EF", media=0xEF)
boot_lie("fat-size16-1", "survive", "the 16-bit size of the FAT is 1", fat_size16=1)
boot_lie("fat-size16-65535", "survive", "the 16-bit size of the FAT is 65,535", fat_size16=65535)
boot_lie("total32-0", "refuse", "a volume of no sectors", total32=0)
boot_lie("total32-1", "refuse", "a volume of one sector", total32=1)
boot_lie("total32-no-data", "refuse", "a volume that ends where the data would begin",
         total32=DATA_START)
boot_lie("total32-past-end", "survive", "a volume one sector larger than its partition",
         total32=PART_SECTORS + 1)
boot_lie("total32-7fffffff", "survive", "a volume of 1 TiB", total32=0x7FFFFFFF)
boot_lie("total32-ffffffff", "survive", "a volume of 2 TiB", total32=0xFFFFFFFF)
boot_lie("fat-size-0", "refuse", "a FAT of no sectors", fat_size32=0)
boot_lie("fat-size-1", "survive", "a FAT of one sector, too small for the clusters", fat_size32=1)
boot_lie("fat-size-no-data", "refuse", "FATs that leave no room for data",
         fat_size32=PART_SECTORS // 2)
boot_lie("fat-size-wraps", "refuse", "FATs whose size overflows 32 bits: twice 0x80000001",
         fat_size32=0x80000001)
boot_lie("fat-size-ffffffff", "refuse", "a FAT of 2 TiB", fat_size32=0xFFFFFFFF)
boot_lie("flags-8f", "survive", "FAT 15 is the active one", flags=0x8F)
boot_lie("flags-ffff", "survive", "all flags set", flags=0xFFFF)
boot_lie("version-1", "refuse", "version 0.1 of the file system", version=1)
boot_lie("version-ffff", "refuse", "version 255.255", version=0xFFFF)
for _value in (0, 1, MAX_CLUSTER + 1, BAD, END, 0xFFFFFFFF):
    boot_lie("root-cluster-%x" % _value, "refuse", "the root directory starts at cluster 0x%X"
             % _value, root_cluster=_value)
boot_lie("root-cluster-last", "survive", "the root directory starts in the last cluster, free",
         root_cluster=MAX_CLUSTER)
boot_lie("fsinfo-ffff", "good", "FSInfo is at sector 65,535: the sign for none", fsinfo=0xFFFF)
boot_lie("fsinfo-past", "good", "FSInfo is outside the reserved sectors", fsinfo=RESERVED + 7)
boot_lie("backup-0", "good", "no copy of the boot sector", backup=0)
boot_lie("backup-ffff", "good", "the copy of the boot sector is at 65,535", backup=0xFFFF)
boot_lie("hidden-0", "good", "hidden sectors 0: only a hint", hidden=0)
boot_lie("hidden-ffffffff", "good", "hidden sectors at the maximum", hidden=0xFFFFFFFF)
boot_lie("tracks-0", "good", "no sectors a track and no heads: nobody uses them",
         sectors_per_track=0, heads=0)
boot_lie("drive-ff", "good", "drive number and extended signature at 255", drive=255,
         boot_signature=255)
boot_lie("type-name", "good", "the type string says FAT12: it means nothing",
         type_name=b"FAT12   ")
boot_lie("jump-0", "survive", "no jump instruction in front", jump=bytes(3))
boot_lie("no-signature", "survive", "no 55 AA at the end of the boot sector", signature=0)


@variant("boot-all-ones", "refuse", "every field at its maximum, with a signature")
def _(card):
    for copy in (0, 6):
        card.put((card.part + copy) * SECTOR, b"\xff" * 510 + b"\x55\xaa")


@variant("boot-all-zeros", "refuse", "every field zero, with a signature")
def _(card):
    for copy in (0, 6):
        card.put((card.part + copy) * SECTOR, bytes(510) + b"\x55\xaa")


@variant("boot-noise", "refuse", "noise with a signature")
def _(card):
    for copy in (0, 6):
        card.put((card.part + copy) * SECTOR, noise(510, seed=7) + b"\x55\xaa")


@variant("boot-first-copy", "survive", "noise in the boot sector; its copy is well")
def _(card):
    card.put(card.part * SECTOR, noise(SECTOR, seed=9))


# File systems that are not FAT32.

def older_fat(card, sectors, per_cluster, fat_sectors, name):
    """A boot sector of FAT12 or FAT16, with an empty FAT and an empty root directory."""
    raw = struct.pack("<3s8sHBHBHHBHHHIIBBBI11s8s", b"\xeb\x3c\x90", b"TAYBERRY", SECTOR,
                      per_cluster, 1, 2, 512, sectors if sectors < 65536 else 0, 0xF8, fat_sectors,
                      63, 255, PART_START, sectors if sectors >= 65536 else 0, 0x80, 0, 0x29, 1,
                      b"NO NAME    ", name)
    card.sectors = {}
    card.mbr(kind=0x0E if name == b"FAT16   " else 0x01, sectors=sectors)
    card.put(PART_START * SECTOR, raw.ljust(510, b"\0") + b"\x55\xaa")
    for copy in range(2):
        card.put((PART_START + 1 + copy * fat_sectors) * SECTOR, b"\xf8\xff\xff\xff")


@variant("other-fat12", "refuse", "a FAT12 file system")
def _(card):
    older_fat(card, 4000, 1, 12, b"FAT12   ")


@variant("other-fat16", "refuse", "a FAT16 file system")
def _(card):
    older_fat(card, PART_SECTORS, 4, 128, b"FAT16   ")


@variant("other-fat16-as-fat32", "refuse", "a FAT16 file system in a partition of type 0x0C")
def _(card):
    older_fat(card, PART_SECTORS, 4, 128, b"FAT16   ")
    card.mbr(kind=0x0C)


@variant("other-exfat", "refuse", "an exFAT boot sector")
def _(card):
    card.mbr(kind=0x07)
    for copy in (0, 6):
        card.put((card.part + copy) * SECTOR, b"\xeb\x76\x90EXFAT   " + bytes(53))


@variant("other-ext4", "refuse", "the superblock of ext4 in a partition of type 0x0C")
def _(card):
    for number in list(card.sectors):
        if number >= PART_START:
            del card.sectors[number]
    card.put(PART_START * SECTOR + 1024 + 56, b"\x53\xef")


# The FAT and its chains.

@variant("fat-zeros", "survive", "both FATs are all zeros")
def _(card):
    for cluster in range(0, 256):
        card.fat(cluster, 0)


@variant("fat-ones", "survive", "both FATs are all ones where the files are")
def _(card):
    for cluster in range(0, 256):
        card.fat(cluster, 0xFFFFFFFF)


@variant("fat-noise", "survive", "noise in both FATs")
def _(card):
    for cluster, (value,) in enumerate(struct.iter_unpack("<I", noise(1024, seed=3))):
        card.fat(cluster, value)


@variant("fat-first-entry", "survive", "entry 0 of the FAT does not repeat the media byte")
def _(card):
    card.fat(0, 0)


@variant("fat-copies-differ", "survive", "the second FAT knows nothing of the files")
def _(card):
    for cluster in range(2, 256):
        card.fat(cluster, 0, copies=(1,))


@variant("fat-root-loop", "survive", "the chain of the root directory is a loop")
def _(card):
    card.fat(ROOT[-1], ROOT[0])


@variant("fat-root-free", "survive", "the root directory lies in a free cluster")
def _(card):
    card.fat(ROOT[0], 0)


for _name, _about, _link in (
        ("loop", "a loop over the whole chain", VICTIM[0]),
        ("self", "a cluster linked to itself", VICTIM[2]),
        ("past-end", "a link one past the last cluster", MAX_CLUSTER + 1),
        ("far", "a link far past the last cluster", 0x0FFFFFF0),
        ("bad", "a link to the mark of a bad cluster", BAD),
        ("free", "a free cluster in the chain", 0),
        ("one", "a link to cluster 1", 1),
        ("short", "the chain ends before the file does", END),
        ("crossed", "the chain runs into another file", FRAG[3]),
        ("into-root", "the chain runs into the root directory", ROOT[0])):
    VARIANTS.append(("chain-" + _name, "survive", _about,
                     lambda card, link=_link: card.fat(VICTIM[2], link)))

for _name, _about, _start in (
        ("0", "a file of 2 KiB that starts nowhere", 0), ("1", "a file that starts at 1", 1),
        ("past-end", "a file that starts one past the last cluster", MAX_CLUSTER + 1),
        ("far", "a file that starts at 0xFFFFFFFF", 0xFFFFFFFF),
        ("free", "a file that starts in a free cluster", 5000),
        ("root", "a file that starts in the root directory", ROOT[0])):
    VARIANTS.append(("start-" + _name, "survive", _about,
                     lambda card, start=_start: card.start("/VICTIM.TXT", start)))


@variant("size-max", "survive", "a file of 4 GiB - 1 with four clusters")
def _(card):
    card.length("/VICTIM.TXT", 0xFFFFFFFF)


@variant("size-0-with-chain", "survive", "a file of no bytes that owns a chain")
def _(card):
    card.length("/VICTIM.TXT", 0)


# Directories.

for _name, _about, _path, _start in (
        ("parent", "a directory that contains its parent", "/DIR/SUB", DIR_AT[0]),
        ("root", "a directory that contains the root", "/DIR/SUB", ROOT[0]),
        ("nowhere", "a directory that starts at cluster 0", "/DIR", 0),
        ("one", "a directory that starts at cluster 1", "/DIR", 1),
        ("past-end", "a directory past the last cluster", "/DIR", MAX_CLUSTER + 1),
        ("far", "a directory that starts at 0xFFFFFFFF", "/DIR", 0xFFFFFFFF),
        ("free", "a directory in a free cluster", "/DIR", 6000),
        ("in-file", "a directory that lies in a file", "/DIR", VICTIM[0])):
    VARIANTS.append(("dir-" + _name, "survive", _about,
                     lambda card, path=_path, start=_start: card.start(path, start)))


@variant("dir-self", "survive", "a directory that contains itself, dots and all")
def _(card):
    card.entry("/DIR/SUB/DEEP.TXT", 11, "B", ATTR_DIR)
    card.start("/DIR/SUB/DEEP.TXT", SUB_AT[0])


@variant("dir-bad-dots", "survive", "'.' and '..' point into nowhere")
def _(card):
    card.start("/DIR/SUB/.", 0x0FFFFFF0)
    card.start("/DIR/SUB/..", 0x0FFFFFF0)


@variant("dir-no-dots", "survive", "a directory without '.' and '..'")
def _(card):
    card.folder("/DIR/", DIR_AT, [("SUB", short_entry(b"SUB        ", ATTR_DIR, SUB_AT[0], 0))])


@variant("dir-chain-loop", "survive", "the chain of a directory is a loop with no end mark in it")
def _(card):
    filler = [(None, short_entry(b"FILE%04d   " % number, ATTR_ARCHIVE, 0, 0))
              for number in range(16)]
    card.folder("/DIR/", DIR_AT, filler)
    card.fat(DIR_AT[0], DIR_AT[0])


@variant("dir-no-end", "survive", "a directory full to its last slot, with no end mark")
def _(card):
    card.folder("/DIR/", DIR_AT, [(None, short_entry(b"FILE%04d   " % number, ATTR_ARCHIVE, 0, 0))
                                  for number in range(16)])


@variant("dir-endless", "survive", "a directory of 70,000 slots: more than FAT allows")
def _(card):
    clusters = list(range(20000, 20000 + 70000 // 16))
    card.start("/DIR", clusters[0])
    card.chain(clusters)
    full = b"".join(short_entry(b"\xe5ONE       ", ATTR_ARCHIVE, 0, 0) for _ in range(16))
    for cluster in clusters:
        card.sectors[card.cluster_sector(cluster)] = bytearray(full)


@variant("dir-with-size", "survive", "a directory that claims a size")
def _(card):
    card.length("/DIR", 0xFFFFFFFF)


@variant("dir-noise", "survive", "noise in a directory")
def _(card):
    card.fill(DIR_AT, noise(SECTOR, seed=5))


# Names and attributes. The directory /DIR is replaced by one of nothing but trouble.

def lone_names(name, about, *slots, verdict="survive"):
    VARIANTS.append(("name-" + name, verdict, about, lambda card: card.folder(
        "/DIR/", DIR_AT + DIR_MORE, [(None, slot) for slot in slots])))


_SHORT = b"TROUBLE TXT"
_FILE = short_entry(_SHORT, ATTR_ARCHIVE, README_AT[0], len(README))
_SUM = checksum(_SHORT)
_A = [0x61] * 13

lone_names("orphan-slots", "long slots without a short entry", long_slot(0x42, _A, _SUM),
           long_slot(1, _A, _SUM))
lone_names("bad-sum", "a long name whose checksum does not fit", long_slot(0x41, _A, _SUM ^ 1),
           _FILE)
lone_names("bad-order", "the slots of a long name in the wrong order", long_slot(0x42, _A, _SUM),
           long_slot(3, _A, _SUM), long_slot(1, _A, _SUM), _FILE)
lone_names("order-0", "a slot with ordinal 0", long_slot(0x40, _A, _SUM), _FILE)
lone_names("order-63", "a first slot with ordinal 63", long_slot(0x7F, _A, _SUM), _FILE)
lone_names("no-last-mark", "a long name without its first slot", long_slot(1, _A, _SUM), _FILE)
lone_names("surrogates", "half of a surrogate pair",
           long_slot(0x41, [0xD83C, 0] + [0xFFFF] * 11, _SUM), _FILE)
lone_names("control", "control characters and slashes in a long name",
           long_slot(0x41, [0x1B, 0x2F, 0x2F, 7, 0x0A, 0x2E, 0x2E, 0] + [0xFFFF] * 5, _SUM), _FILE)
lone_names("nothing", "a long name that is empty",
           long_slot(0x41, [0] + [0xFFFF] * 12, _SUM), _FILE)
lone_names("no-end", "noise after the end of a long name",
           long_slot(0x41, [0x61, 0] + [0x62] * 11, _SUM), _FILE)
lone_names("dots", "a file whose long name is '..'",
           long_slot(0x41, [0x2E, 0x2E, 0] + [0xFFFF] * 10, _SUM), _FILE)
lone_names("longest", "twenty slots, all full: 260 units, five more than allowed",
           *[long_slot(n | (0x40 if n == 20 else 0), _A, _SUM) for n in range(20, 0, -1)], _FILE)
lone_names("longer", "twenty-one slots", *[long_slot(n | (0x40 if n == 21 else 0), _A, _SUM)
                                           for n in range(21, 0, -1)], _FILE)
lone_names("short-control", "control characters in a short name",
           short_entry(b"\x01\x02\x1b[2J  TXT", ATTR_ARCHIVE, 0, 0))
lone_names("short-slash", "a slash in a short name",
           short_entry(b"A/B     ..\x05", ATTR_ARCHIVE, 0, 0))
lone_names("short-blank", "a short name of spaces", short_entry(b" " * 11, ATTR_ARCHIVE, 0, 0))
lone_names("short-e5", "a name that begins with E5, written as 05",
           short_entry(b"\x05AMPLE  TXT", ATTR_ARCHIVE, 0, 0))
lone_names("twice", "two files of the same name", _FILE, _FILE)
lone_names("dir-and-label", "an entry that is a directory and a label",
           short_entry(_SHORT, ATTR_DIR | ATTR_LABEL, 5, 0))
lone_names("label-in-subdir", "a volume label that is not in the root",
           short_entry(b"ELSEWHERE  ", ATTR_LABEL, 0, 0), _FILE)
lone_names("bad-dates", "a date with month 15, day 0, hour 31, minute 63, second 62",
           short_entry(_SHORT, ATTR_ARCHIVE, 0, 0, date=0xFFE0, time=0xFFFF),
           short_entry(b"ZERO    TXT", ATTR_ARCHIVE, 0, 0, date=0, time=0))
lone_names("all-attributes", "every attribute bit set, with a cluster and a size",
           short_entry(_SHORT, 0xFF, 5, 0xFFFFFFFF))


# --- cards cut from the large one -----------------------------------------------------------

CUTS = (
    ("cut-at-partition", "refuse", "the large card, cut where its partition starts", 1 << 20),
    ("cut-in-boot-sector", "refuse", "the large card, cut inside the boot sector", (1 << 20) + 300),
    ("cut-in-fat", "survive", "the large card, cut inside its FAT", (1 << 20) + 100000),
    ("cut-in-data", "survive", "the large card, cut in the data and not at a sector", 3000100),
    ("cut-half", "survive", "the first half of the large card", 64 << 20),
)


def write_cut(good, path, size):
    """The first `size` bytes of the large card, with its holes kept as holes."""
    block = 65536
    with open(good, "rb") as source, open(path, "wb") as target:
        target.truncate(size)
        for at in range(0, size, block):
            data = source.read(min(block, size - at))
            if data.strip(b"\0"):
                os.pwrite(target.fileno(), data, at)


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: mkbad.py GOOD.img OUTDIR")
    good, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    try:
        if good.stat().st_size < CARD_SIZE:
            sys.exit("mkbad: %s is smaller than 64 MiB: it is no card of mkcard.py" % good)
        out.mkdir(parents=True, exist_ok=True)
        lines = []
        for name, verdict, about, make in VARIANTS:
            card = small_card()
            card = make(card) or card
            card.write(out / (name + ".img"))
            lines.append("%s\t%s\t%s" % (name, verdict, about))
        for name, verdict, about, size in CUTS:
            write_cut(good, out / (name + ".img"), size)
            lines.append("%s\t%s\t%s" % (name, verdict, about))
        (out / "LIST").write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        sys.exit("mkbad: %s: %s" % (error.filename, error.strerror))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
