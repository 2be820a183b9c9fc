#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Packs a folder as an initramfs: a cpio archive of the kind "newc", as Linux boots from.

    mkcpio.py OUT.cpio FOLDER [--node "dev/null c 666 1 3"] [--node "run/pipe p 600"] [--crc]

Names are sorted, owners are root, and times are fixed, so the same folder gives the same bytes.
Files, folders, symbolic and hard links are taken from the folder; --node adds what needs no root
here: devices (b, c) and FIFOs (p). Put the archive on the card as initramfs.cpio:

    mcopy -i card.img@@1M OUT.cpio ::/initramfs.cpio

`find . | cpio -o -H newc` makes the same kind where GNU cpio is installed.
"""
import argparse
import calendar
import os
import pathlib
import stat
import sys

EPOCH = calendar.timegm((2026, 1, 1, 12, 0, 0))
KINDS = {"b": stat.S_IFBLK, "c": stat.S_IFCHR, "p": stat.S_IFIFO}


class Archive:
    """An archive in the making; .bytes() ends it."""

    def __init__(self, crc=False):
        self.crc, self.parts, self.inodes = crc, [], 0

    def add(self, name, mode, data=b"", inode=None, links=1, device=(0, 0), mtime=EPOCH,
            owner=(0, 0)):
        if inode is None:
            self.inodes += 1
            inode = self.inodes
        name = name.encode() + b"\0"
        total = sum(data) & 0xFFFFFFFF if self.crc else 0
        fields = (inode, mode, *owner, links, mtime, len(data), 0, 0, *device, len(name), total)
        head = (b"070702" if self.crc else b"070701") + b"".join(b"%08X" % f for f in fields)
        self.parts += [pad(head + name), pad(data)]

    def bytes(self):
        self.add("TRAILER!!!", 0, inode=0, mtime=0)
        whole = b"".join(self.parts)
        return whole + bytes(-len(whole) % 512)


def pad(data):
    return data + bytes(-len(data) % 4)


def add_folder(archive, folder):
    """All in the folder, folders before what they hold; names of one file share a number."""
    archive.add(".", stat.S_IFDIR | 0o755)
    numbers, left = {}, {}
    paths = sorted(folder.rglob("*"))
    for path in paths:
        info = path.lstat()
        left[info.st_ino] = left.get(info.st_ino, 0) + 1
    for path in paths:
        info, name = path.lstat(), path.relative_to(folder).as_posix()
        if path.is_symlink():
            archive.add(name, info.st_mode, os.readlink(path).encode())
        elif path.is_dir():
            archive.add(name, info.st_mode)
        elif path.is_file():
            known = numbers.setdefault(info.st_ino, 1000000 + len(numbers))
            archive.add(name, info.st_mode, b"" if archive_has_more(left, info) else
                        path.read_bytes(), inode=known, links=info.st_nlink)


def archive_has_more(left, info):
    """True if further names of the file come: the last one has the data."""
    left[info.st_ino] -= 1
    return left[info.st_ino] > 0


def add_node(archive, text):
    words = text.split()
    if len(words) not in (3, 5) or words[1] not in KINDS:
        sys.exit('mkcpio: "%s" is no node: NAME b|c|p MODE [MAJOR MINOR]' % text)
    device = tuple(int(word) for word in words[3:]) or (0, 0)
    archive.add(words[0], KINDS[words[1]] | int(words[2], 8), device=device)


def main():
    parser = argparse.ArgumentParser(description="Pack a folder as an initramfs.")
    parser.add_argument("out", type=pathlib.Path, help="the archive to write")
    parser.add_argument("folder", type=pathlib.Path, help="what is to be in it")
    parser.add_argument("--node", action="append", default=[], help="NAME b|c|p MODE [MAJOR MINOR]")
    parser.add_argument("--crc", action="store_true", help="the kind with checksums, 070702")
    args = parser.parse_args()

    if not args.folder.is_dir():
        sys.exit("mkcpio: no directory %s" % args.folder)
    archive = Archive(args.crc)
    add_folder(archive, args.folder)
    for node in args.node:
        add_node(archive, node)
    args.out.write_bytes(archive.bytes())


if __name__ == "__main__":
    main()
