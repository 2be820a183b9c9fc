#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the memory card: one image file, no root needed, the same bytes every time.

The card is what a Raspberry Pi would be given: a master boot record with one FAT32 partition,
which holds config.txt, the kernel (kernel8.img, when there is one) and a tree of files chosen to
be awkward in every way that FAT allows: long names, other scripts, deep and wide directories,
hidden files, sizes around the edges of sectors and clusters, the oldest and youngest times.

dosfstools makes the file system and mtools fills it; both work on a plain file. The result is
deterministic: the volume id, all times, and the order in which files are written are fixed here,
so two runs give the same SHA-256. The size is a power of two because QEMU takes no other.

    mkcard.py OUT.img --kernel build-pi3/hal-pi3/kernel8.img
    mkcard.py OUT.img --kernel none --manifest card.json
    mkcard.py OUT.img --kernel none --plain --add initramfs.cpio system.cpio

The manifest lists each file with its size, time, attributes and SHA-256, for tests to compare.
"""
import argparse
import calendar
import hashlib
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SECTOR = 512
PART_START = 1 << 20                # the partition begins at 1 MiB, as partitioning tools do it
FAT32_MIN_CLUSTERS = 65525          # fewer, and the file system is FAT16 by definition
VOLUME_ID = 0x54415942              # any fixed number will do
VOLUME_LABEL = "TAYBERRY"
EPOCH = calendar.timegm((2026, 1, 1, 12, 0, 0))     # the time of every file with no time of its own


def die(message):
    sys.exit("mkcard: " + message)


def when(year, month, day, hour=0, minute=0, second=0):
    """A date as seconds since 1970, in UTC: FAT stores wall-clock time without a zone."""
    return calendar.timegm((year, month, day, hour, minute, second))


class Entry:
    """One file of the card: its path, its content, its time and its attribute letters."""

    def __init__(self, path, data, mtime=EPOCH, attrs=""):
        self.path, self.data, self.mtime, self.attrs = path, data, mtime, attrs


# --- what is on the card -------------------------------------------------------------------

CONFIG_TXT = """\
# Tayberry on a Raspberry Pi 3: what the firmware reads before it starts the kernel.

# Start kernel8.img in 64-bit mode, at this address. Newer firmware would choose 0x200000.
arm_64bit=1
kernel=kernel8.img
kernel_address=0x80000

# The serial console on pins 8 (transmit) and 10 (receive) of the header. The clock of the mini
# UART follows the clock of the core, so that one is held still: 250 MHz suits 115,200 baud.
enable_uart=1
core_freq=250

# An empty name: load no device tree. The firmware then describes the board by a list of ATAGS at
# address 0x100, which the kernel parses. (Without this line the firmware leaves a device tree,
# and the kernel reads that.)
device_tree=
"""

# A line of 16 bytes that says at which offset it stands: any read of any part can be checked.
OFFSETS_SIZE = 5 * (1 << 20) + 37

SIZES = (1, 511, 512, 513, 1023, 1024, 1025, 4095, 4096, 4097)

NAMES = (
    "UPPER.TXT", "lower.txt", "MixedCase.Text", "noextension", ".dotfile",
    "A name with spaces in it.txt", "many.dots.in.one.name.tar.gz", "plus+comma,equals=semi;.txt",
    "Grüße aus Köln.txt", "naïve café.txt", "Ελληνικά.txt", "кириллица.txt", "日本語のファイル.txt",
    "thirteen char", "twenty-six characters long", "a" * 100 + ".txt", "n" * 251 + ".txt",
)

TIMES = (
    ("oldest.txt", when(1980, 1, 1)),
    ("end of the century.txt", when(1999, 12, 31, 23, 59, 58)),
    ("leap day.txt", when(2000, 2, 29, 12, 34, 56)),
    ("first Raspberry Pi.txt", when(2012, 2, 29, 6, 0, 0)),
    ("after 32 bits.txt", when(2038, 1, 19, 3, 14, 8)),
    ("youngest.txt", when(2107, 12, 31, 23, 59, 58)),
)


def offsets(size):
    """`size` bytes of lines of 16, each with its own offset: '000000000000016\\n' is at 16."""
    return b"".join(b"%015d\n" % at for at in range(0, size, 16))[:size]


def tree_files(root):
    """The hand-written part: every file under images/root, in sorted order."""
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        yield Entry(path.relative_to(root).as_posix(), path.read_bytes())


def made_files():
    """The part that a rule makes: names, depth, width, sizes, times and attributes."""
    for name in NAMES:
        yield Entry("names/" + name, ("My name is " + name + "\n").encode())

    path = "deep"
    for level in range(1, 13):
        path += "/level %02d" % level
        text = "%d of 12 directories down.\n" % level
        yield Entry(path + "/here.txt", text.encode())

    for number in range(1, 1001):
        # The number comes first: mtools makes the short alias from the first six characters, and a
        # thousand names that begin alike would take it ten seconds.
        yield Entry("many/%04d-entry.txt" % number, b"This is entry %d of 1000.\n" % number)

    yield Entry("data/empty", b"")
    for size in SIZES:
        yield Entry("data/size-%d" % size, offsets(size))
    yield Entry("data/bytes.bin", bytes(range(256)) * 16)
    yield Entry("data/offsets.txt", offsets(OFFSETS_SIZE))

    for name, mtime in TIMES:
        yield Entry("times/" + name, b"Look at my time: ls -l shows it.\n", mtime)

    yield Entry(".profile", b"A name that begins with a dot is hidden by custom.\n")
    yield Entry("HIDDEN.TXT", b"The attribute 'hidden' hides me.\n", attrs="h")
    yield Entry("SYSTEM.TXT", b"Hidden, read-only and a system file.\n", attrs="hrs")
    yield Entry("READONLY.TXT", b"You may read me and no more.\n", attrs="r")


# Programs of Debian's packages that need nothing else: {package: (its file, name on the card)}.
# Where a package has one for each of several C libraries, the pattern means musl's.
PROGRAMS = {
    "bash-static": ("bin/bash-static", "bash"),
    "mksh": ("usr/lib/*-linux-musl/bin/mksh", "mksh"),
    "sash": ("bin/sash", "sash"),
    "zsh-static": ("bin/zsh-static", "zsh"),
}


def added_files(args):
    """What --add and --packages name."""
    for path, name in args.add:
        if not pathlib.Path(name).is_file():
            die("no file %s to add" % name)
        yield Entry(path, pathlib.Path(name).read_bytes())
    packages = {}
    if args.packages:
        packages = json.loads(args.packages.read_text(encoding="utf-8"))["packages"]
    for package, (pattern, name) in PROGRAMS.items():
        if package in packages:
            found = sorted(pathlib.Path(packages[package]["folder"]).glob(pattern))
            if not found:
                die("the package %s has no %s" % (package, pattern))
            yield Entry("programs/" + name, found[0].read_bytes())


def card_entries(args, kernel):
    entries = [Entry("config.txt", CONFIG_TXT.encode())]
    if kernel is not None:
        entries.append(Entry("kernel8.img", kernel.read_bytes()))
    if args.plain:
        entries += (e for e in tree_files(args.root) if e.path != "README.TXT")
    else:
        entries += tree_files(args.root)
        entries += made_files()
    entries += added_files(args)
    seen = set()
    for entry in entries:
        if entry.path.lower() in seen:
            die("two files of the card would be called " + entry.path)
        seen.add(entry.path.lower())
    return entries


# --- how it gets there ---------------------------------------------------------------------

def parse_size(text):
    """'128M' or a plain number of bytes; a power of two."""
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    try:
        size = int(text[:-1]) * units[text[-1]] if text[-1:] in units else int(text)
    except ValueError:
        die("not a size: %s (write 128M, or a number of bytes)" % text)
    if size & (size - 1) or not 64 << 20 <= size <= 2 << 30:
        die("the size must be a power of two from 64M to 2G: QEMU takes no other")
    return size


def sectors_per_cluster(sectors):
    """The largest cluster that leaves enough clusters for FAT32, 8 sectors at most."""
    for count in (8, 4, 2):
        # Each cluster costs its sectors and 4 bytes in each of two FATs; 32 sectors are reserved.
        if (sectors - 64) * SECTOR // (count * SECTOR + 8) >= FAT32_MIN_CLUSTERS:
            return count
    return 1


def chs(sector):
    """The three-byte cylinder/head/sector form of a sector number, 255 heads of 63 sectors."""
    cylinder, rest = divmod(sector, 255 * 63)
    head, low = divmod(rest, 63)
    if cylinder > 1023:
        return bytes((254, 255, 255))
    return bytes((head, (cylinder >> 2 & 0xC0) | (low + 1), cylinder & 0xFF))


def write_mbr(path, start, sectors):
    """One partition of type 0x0C (FAT32 addressed by block number) in the first slot."""
    entry = struct.pack("<B3sB3sII", 0, chs(start), 0x0C, chs(start + sectors - 1), start, sectors)
    table = entry + bytes(48) + b"\x55\xaa"
    with open(path, "r+b") as file:
        file.seek(440)
        file.write(struct.pack("<IH", VOLUME_ID, 0) + table)


class Mtools:
    """The commands of mtools and dosfstools on one image, in a fixed zone, locale and time."""

    def __init__(self, image, offset):
        self.drive = "%s@@%d" % (pathlib.Path(image).absolute(), offset)
        self.env = {
            "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin",
            "TZ": "UTC",
            "LC_ALL": "C.UTF-8",            # the names in the arguments are UTF-8
            "MTOOLSRC": "/dev/null",        # nothing of the user's own settings
            "SOURCE_DATE_EPOCH": str(EPOCH),
        }

    def run(self, *words, cwd=None):
        try:
            done = subprocess.run(words, env=self.env, cwd=cwd, text=True, errors="replace",
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False)
        except FileNotFoundError:
            die("the program %s is missing: apt-get install mtools dosfstools" % words[0])
        if done.returncode != 0:
            die("%s failed:\n%s" % (" ".join(words[:6]), done.stdout))
        return done.stdout

    def mkdir(self, names):
        self.run("mmd", "-i", self.drive, *["::/" + name for name in names])

    def copy(self, folder, names, target):
        self.run("mcopy", "-m", "-i", self.drive, *["./" + name for name in names],
                 "::/" + target, cwd=folder)

    def attributes(self, letters, name):
        self.run("mattrib", "-i", self.drive, *["+" + letter for letter in letters], "::/" + name)


def by_folder(entries):
    """The entries grouped by folder, folders in the order in which they first occur."""
    folders = {}
    for entry in entries:
        folder = entry.path.rpartition("/")[0]
        for depth in range(folder.count("/") + 1 if folder else 0):
            folders.setdefault("/".join(folder.split("/")[:depth + 1]), [])
        folders.setdefault(folder, []).append(entry)
    return folders


def stage(entries, folder):
    """Writes the entries as host files with their times: mcopy -m carries the times over."""
    for entry in entries:
        path = folder / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(entry.data)
        os.utime(path, (entry.mtime, entry.mtime))


def build(image, size, entries):
    with open(image, "wb") as file:
        file.truncate(size)
    sectors = (size - PART_START) // SECTOR
    tools = Mtools(image, PART_START)
    # mkfs.fat wants the count of 1 KiB blocks; the number of hidden sectors is the partition's
    # start, as the boot sector of a partition must say.
    tools.run("mkfs.fat", "-F", "32", "-S", str(SECTOR), "-s", str(sectors_per_cluster(sectors)),
              "--invariant", "-i", "%08x" % VOLUME_ID, "-n", VOLUME_LABEL,
              "--offset", str(PART_START // SECTOR), "-h", str(PART_START // SECTOR),
              str(image), str(sectors // 2))
    write_mbr(image, PART_START // SECTOR, sectors)
    with tempfile.TemporaryDirectory(prefix="mkcard.") as name:
        folder = pathlib.Path(name)
        stage(entries, folder)
        folders = by_folder(entries)
        for path in folders:
            if path:
                tools.mkdir([path])
        for path, files in folders.items():
            if files:
                names = [entry.path.rpartition("/")[2] for entry in files]
                tools.copy(folder / path, names, path)
    for entry in entries:
        if entry.attrs:
            tools.attributes(entry.attrs, entry.path)


def manifest(entries, size):
    files = [{"path": "/" + e.path, "size": len(e.data), "mtime": e.mtime, "attrs": e.attrs,
              "sha256": hashlib.sha256(e.data).hexdigest()} for e in entries]
    return json.dumps({"size": size, "offset": PART_START, "label": VOLUME_LABEL, "files": files},
                      ensure_ascii=False, indent=1) + "\n"


def depfile(target, args, kernel):
    """A make rule that names each input, for ninja; folders too, since files are added to them."""
    inputs = [args.root] + sorted(args.root.rglob("*")) + [pathlib.Path(__file__)]
    inputs += [name for _, name in args.add]
    if kernel is not None:
        inputs.append(kernel)
    return "%s: %s\n" % (target, " ".join(str(p).replace(" ", "\\ ") for p in inputs))


def main():
    parser = argparse.ArgumentParser(description="Build the memory card image.")
    parser.add_argument("out", type=pathlib.Path, help="the image to write")
    parser.add_argument("--kernel", default="none", help="kernel8.img to put on it, or 'none'")
    parser.add_argument("--size", default="128M", help="size of the card, a power of two (128M)")
    parser.add_argument("--root", type=pathlib.Path, default=HERE / "root",
                        help="tree of hand-written files")
    parser.add_argument("--plain", action="store_true",
                        help="without the files that are made by rule, to try FAT with, and "
                             "the README that tells of them")
    parser.add_argument("--add", action="append", default=[], nargs=2,
                        metavar=("PATH", "FILE"), help="another file for the card")
    parser.add_argument("--packages", type=pathlib.Path,
                        help="what fetch.py left: their shells are put into programs/")
    parser.add_argument("--manifest", type=pathlib.Path, help="write a list of the files (JSON)")
    parser.add_argument("--depfile", type=pathlib.Path, help="write the inputs as a make rule")
    args = parser.parse_args()

    size = parse_size(args.size)
    kernel = None if args.kernel in ("none", "") else pathlib.Path(args.kernel)
    if kernel is not None and not kernel.is_file():
        die("no kernel at %s (build it first, or give --kernel none)" % kernel)
    if not args.root.is_dir():
        die("no directory %s" % args.root)
    entries = card_entries(args, kernel)

    # Build beside the target and rename, so that a card is either whole or absent.
    partial = args.out.with_name(args.out.name + ".partial")
    try:
        build(partial, size, entries)
        os.replace(partial, args.out)
    except OSError as error:
        die("%s: %s" % (error.filename or args.out, error.strerror))
    finally:
        partial.unlink(missing_ok=True)
    if args.manifest:
        args.manifest.write_text(manifest(entries, size), encoding="utf-8")
    if args.depfile:
        args.depfile.write_text(depfile(args.out, args, kernel), encoding="utf-8")
    print("%s: %d MiB, %d files" % (args.out, size >> 20, len(entries)))


if __name__ == "__main__":
    main()
