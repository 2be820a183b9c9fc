#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the root file system of a machine that runs programs, as an initramfs.

    mksystem.py OUT.cpio --packages packages.json [--program FILE]... [--depfile FILE]

What is in it: BusyBox, unmodified, with a link for each of its programs; the tree of system/; the
programs that --program names, in /bin; what programs with ncurses in them, such as bash-static and
zsh-static, want to know of usual terminals; and the folders and devices that every Unix has. All
programs are in /bin, and /sbin, /usr/bin and /usr/sbin are links to it, so a path that a script
has from elsewhere leads to them, too. Owners are root, times are fixed, and modes do not depend on
the umask: the same inputs give the same bytes. Without BusyBox in the list of packages the archive
is made all the same, and its /bin has what --program names.
"""
import argparse
import json
import pathlib
import stat
import sys

import mkcpio

HERE = pathlib.Path(__file__).resolve().parent

# (path, mode). What is mounted over is empty.
FOLDERS = (("bin", 0o755), ("card", 0o755), ("dev", 0o755), ("etc", 0o755), ("home", 0o755),
           ("home/user", 0o755), ("mnt", 0o755), ("proc", 0o555), ("root", 0o700), ("run", 0o755),
           ("tmp", 0o1777), ("usr", 0o755), ("usr/share", 0o755), ("var", 0o755),
           ("var/log", 0o755), ("var/spool", 0o755))
LINKS = (("etc/mtab", "../proc/mounts"), ("sbin", "bin"), ("usr/bin", "../bin"),
         ("usr/sbin", "../bin"), ("var/run", "../run"), ("var/tmp", "../tmp"))
# (path, mode, numbers): for the time before devfs is mounted over them, and for a Linux kernel.
DEVICES = (("dev/console", 0o600, (5, 1)), ("dev/null", 0o666, (1, 3)), ("dev/tty", 0o666, (5, 0)),
           ("dev/zero", 0o666, (1, 5)))
OWNERS = {"home/user": (1000, 1000)}
PRIVATE = ("etc/shadow",)
BUSYBOX = "bin/busybox"
# Descriptions of terminals: where the package ncurses-base has them, where they are put (ncurses
# looks there, too), and of which.
TERMINFO, TERMINFO_HERE = "lib/terminfo", "usr/share/terminfo"
TERMINALS = ("ansi", "dumb", "linux", "screen", "tmux", "vt100", "vt102", "vt220", "xterm",
             "xterm-256color")


def applets(program):
    """The names in BusyBox's table of its own programs, which is sorted and begins with "[" and
    "[[": so nothing has to be run, and it may be a program of another processor."""
    start = program.find(b"\0[\0[[\0")
    end = program.find(b"\0\0", start + 1)
    if start < 0 or end < 0:
        sys.exit("mksystem: there is no table of programs in BusyBox")
    return [name.decode("ascii") for name in program[start + 1:end].split(b"\0")]


def package_file(packages, name, path):
    """A file of a package as bytes, or None if the package is not there."""
    if name not in packages:
        return None
    return (pathlib.Path(packages[name]["folder"]) / path).read_bytes()


def tree(packages, system, programs):
    """{path: (mode, data, device)} of all that is in the archive."""
    found = {path: (stat.S_IFDIR | mode, b"", (0, 0)) for path, mode in FOLDERS}
    found.update({path: (stat.S_IFLNK | 0o777, to.encode(), (0, 0)) for path, to in LINKS})
    found.update({path: (stat.S_IFCHR | mode, b"", device) for path, mode, device in DEVICES})
    for path in sorted(system.rglob("*")):
        name = path.relative_to(system).as_posix()
        if path.is_dir():
            found.setdefault(name, (stat.S_IFDIR | 0o755, b"", (0, 0)))
        else:
            data = path.read_bytes()
            mode = 0o600 if name in PRIVATE else 0o755 if data.startswith(b"#!") else 0o644
            found[name] = (stat.S_IFREG | mode, data, (0, 0))
    busybox = package_file(packages, "busybox-static", BUSYBOX)
    if busybox is not None:
        found[BUSYBOX] = (stat.S_IFREG | 0o755, busybox, (0, 0))
        for name in applets(busybox):
            found.setdefault("bin/" + name, (stat.S_IFLNK | 0o777, b"busybox", (0, 0)))
    for name in TERMINALS:
        path = "%s/%s" % (name[0], name)
        data = package_file(packages, "ncurses-base", "%s/%s" % (TERMINFO, path))
        if data is not None:
            for folder in (TERMINFO_HERE, "%s/%s" % (TERMINFO_HERE, name[0])):
                found.setdefault(folder, (stat.S_IFDIR | 0o755, b"", (0, 0)))
            found["%s/%s" % (TERMINFO_HERE, path)] = (stat.S_IFREG | 0o644, data, (0, 0))
    for program in programs:
        found["bin/" + program.name] = (stat.S_IFREG | 0o755, program.read_bytes(), (0, 0))
    return found


def pack(found):
    archive = mkcpio.Archive()
    archive.add(".", stat.S_IFDIR | 0o755, links=2)
    for path in sorted(found):
        mode, data, device = found[path]
        archive.add(path, mode, data, links=2 if stat.S_ISDIR(mode) else 1, device=device,
                    owner=OWNERS.get(path, (0, 0)))
    return archive.bytes()


def main():
    parser = argparse.ArgumentParser(description="Build the root file system.")
    parser.add_argument("out", type=pathlib.Path, help="the archive to write")
    parser.add_argument("--packages", type=pathlib.Path, required=True, help="what fetch.py left")
    parser.add_argument("--program", type=pathlib.Path, action="append", default=[],
                        help="a program for /bin; an empty file is passed over")
    parser.add_argument("--system", type=pathlib.Path, default=HERE / "system",
                        help="tree of hand-written files")
    parser.add_argument("--depfile", type=pathlib.Path, help="write the inputs as a make rule")
    args = parser.parse_args()

    packages = json.loads(args.packages.read_text(encoding="utf-8"))["packages"]
    programs = [path for path in args.program if path.stat().st_size]
    found = tree(packages, args.system, programs)
    data = pack(found)
    args.out.write_bytes(data)
    if args.depfile:
        inputs = [args.system] + sorted(args.system.rglob("*"))
        inputs += [HERE / "mkcpio.py", HERE / "mksystem.py"]
        args.depfile.write_text("%s: %s\n" % (args.out, " ".join(
            str(path).replace(" ", "\\ ") for path in inputs)), encoding="utf-8")
    print("%s: %d files, %d KiB%s" % (args.out, len(found), len(data) >> 10,
                                      "" if BUSYBOX in found else ", without BusyBox"))


if __name__ == "__main__":
    main()
