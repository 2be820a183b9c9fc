#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Many files on a FAT volume: by Tayberry, and by Linux's vfat inside User-Mode Linux.

    vfat.py NAMES UML.JSON TAYBERRY...        TAYBERRY --card IMAGE runs a machine

The same static program (names.c) is the first one of both machines, from one archive, and does the
same on the same partition of copies of one card, which lie in /dev/shm: a flush costs nothing.
Skipped where Debian's package of User-Mode Linux could not be had; fails if one of the two does not
have all rows.
"""
import pathlib
import stat
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "user"))
import run                                                                  # noqa: E402

ROWS = 9
MODULES = ("fs/nls/nls_cp437", "fs/nls/nls_iso8859-1", "fs/nls/nls_utf8", "fs/fat/fat",
           "fs/fat/vfat")


def archive(names, package):
    """An initramfs in which the benchmark is the first program."""
    packed = run.mkcpio.Archive()
    packed.add(".", stat.S_IFDIR | 0o755, links=2)
    for name in ("dev", "lib", "card"):
        packed.add(name, stat.S_IFDIR | 0o755, links=2)
    packed.add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    packed.add("dev/ubda1", stat.S_IFBLK | 0o600, device=(98, 1))
    for module in MODULES:
        path = next(package.glob("usr/lib/uml/modules/*/kernel/%s.ko" % module))
        packed.add("lib/%s.ko" % path.stem, stat.S_IFREG | 0o644, path.read_bytes())
    packed.add("init", stat.S_IFREG | 0o755, names.read_bytes())
    return packed.bytes()


def in_uml(package, card, folder):
    return run.rows_of([package / "usr/bin/linux.uml", "mem=256M",
                        "initrd=%s" % (folder / "initramfs.cpio"), "ubd0=%s" % card,
                        "con0=fd:0,fd:1", "con=null", "quiet"],
                       env={**run.os.environ, "TMPDIR": str(folder)})


def print_rows(ours, theirs):
    print("%-16s%14s%14s%10s" % ("us for a file", "Tayberry", "UML's vfat", "faster"))
    for name in ours:
        other = theirs.get(name)
        print("%-16s%14.2f%14s%10s" % (name.replace("-", " of "), ours[name],
                                       "-" if other is None else "%.2f" % other,
                                       "-" if other is None else "%.1f x" % (other / ours[name])))


def main():
    names, uml, *machine = sys.argv[1:]
    names = pathlib.Path(names).resolve()
    package = run.folder_of(uml, "user-mode-linux")
    if package is None or not names.stat().st_size:
        print("skipped: User-Mode Linux, or musl, could not be had")
        return 77
    place = "/dev/shm" if run.os.access("/dev/shm", run.os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = pathlib.Path(name)
        image = machine[machine.index("--card") + 1]
        card = run.card_with(image, archive(names, package), folder)
        other = folder / "uml.img"
        subprocess.run(["cp", "--sparse=always", card, other], check=True)
        command = [card if word == image else word for word in machine]
        ours = run.rows_of(command + ["--memory", "256M", "--append", "init=/init"])
        theirs = in_uml(package, other, folder)
        print_rows(ours, theirs)
        print("load %.1f on %d" % (run.os.getloadavg()[0], run.os.cpu_count()))
    return 0 if len(ours) == len(theirs) == ROWS and not run.problems else 1


if __name__ == "__main__":
    sys.exit(main())
