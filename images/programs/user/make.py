#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles one of these programs for the build, or says why it cannot be.

    make.py --architecture arm64 --cache FOLDER OUT FILE.c...
    make.py --architecture arm64 --cache FOLDER OUT --package lua5.4/src --without luac.c

By ./cc, with all warnings as errors. The second form is for somebody else's program: all C files of
a folder of a source package, which fetch.py has brought, and then warnings are theirs. Without a
compiler, or without musl for that architecture, OUT is an empty file, and a line on standard error
says what is missing: the card is made without the program. FOLDER is where images/fetch.py keeps
packages.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-g0", "-s", "-Wall", "-Wextra", "-Werror", "-Wshadow",
         "-Wstrict-prototypes", "-Wmissing-prototypes"]


FOREIGN = ["-std=gnu11", "-O2", "-g0", "-s", "-w"]


def missing(architecture, cache, package):
    """What there is not, or None."""
    if package and not (cache / "source/tree" / package).is_dir():
        return "the source package " + package.partition("/")[0]
    if architecture == "amd64":
        return None if shutil.which("musl-gcc") else "musl-gcc (Debian's package musl-tools)"
    for name in ("musl-dev", "linux-libc-dev"):
        if not (cache / architecture / "tree" / name).is_dir():
            return "the package %s for %s" % (name, architecture)
    compiler = os.environ.get("REALGCC", "aarch64-linux-gnu-gcc")
    return None if shutil.which(compiler) else compiler


def main():
    parser = argparse.ArgumentParser(description="Compile a program for the card.")
    parser.add_argument("--architecture", required=True, choices=("amd64", "arm64"))
    parser.add_argument("--cache", type=pathlib.Path, required=True)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("source", type=pathlib.Path, nargs="*")
    parser.add_argument("--package", help="a source package, and a folder in it")
    parser.add_argument("--without", action="append", default=[], help="not this file of it")
    parser.add_argument("--define", action="append", default=[], help="for the compiler: a macro")
    args = parser.parse_args()

    what = missing(args.architecture, args.cache, args.package)
    if what is not None:
        print("images: %s is not made: there is no %s" % (args.out.name, what), file=sys.stderr)
        args.out.write_bytes(b"")
        return 0
    env = {**os.environ, "TAYBERRY_PACKAGES": str(args.cache.resolve())}
    flags = FOREIGN if args.package else FLAGS
    if args.package:
        folder = args.cache / "source/tree" / args.package
        args.source += sorted(path for path in folder.glob("*.c") if path.name not in args.without)
    words = [HERE / "cc", args.architecture, *flags, *["-D" + name for name in args.define],
             "-o", args.out, *args.source, "-lm"]
    return subprocess.run([str(word) for word in words], env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
