#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles one of these programs for the build, or says why it cannot be.

    make.py --architecture arm64 --cache FOLDER OUT FILE.c...
    make.py --architecture arm64 --cache FOLDER OUT --package lua5.4/src --without luac.c
    make.py --architecture arm64 --cache FOLDER OUT --package sqlite3 --make sqlite3.c

By ./cc, with all warnings as errors. The other two forms are for somebody else's program, and then
warnings are theirs: all C files of a folder of a source package, which fetch.py has brought; or
those files that the package's own main.mk makes of it, as SQLite's does by tclsh.

Each program is compiled once for all builds that share FOLDER, which is where images/fetch.py keeps
packages: the kernel's compiler and its options are nothing to it. What has not been asked for in a
month is forgotten there.

Without a compiler, or without musl for that architecture, OUT is an empty file, and a line on
standard error says what is missing: the card is made without the program.
"""
import argparse
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-g0", "-s", "-Wall", "-Wextra", "-Werror", "-Wshadow",
         "-Wstrict-prototypes", "-Wmissing-prototypes"]


KEPT_SECONDS = 30 * 24 * 3600
FOREIGN = ["-std=gnu11", "-g0", "-s", "-w"]


def missing(args):
    """What there is not, or None."""
    if args.package and not (args.cache / "source/tree" / args.package).is_dir():
        return "the source package " + args.package.partition("/")[0]
    if args.make and not (shutil.which("tclsh") and shutil.which("make")):
        return "tclsh or make (Debian's packages tcl and make)"
    if args.architecture == "amd64":
        return None if shutil.which("musl-gcc") else "musl-gcc (Debian's package musl-tools)"
    for name in ("musl-dev", "linux-libc-dev"):
        if not (args.cache / args.architecture / "tree" / name).is_dir():
            return "the package %s for %s" % (name, args.architecture)
    compiler = os.environ.get("REALGCC", "aarch64-linux-gnu-gcc")
    return None if shutil.which(compiler) else compiler


def compile_files(args, flags, sources):
    env = {**os.environ, "TAYBERRY_PACKAGES": str(args.cache.resolve())}
    words = [HERE / "cc", args.architecture, *flags, *["-D" + name for name in args.define],
             "-o", args.out, *sources, "-lm"]
    return subprocess.run([str(word) for word in words], env=env, check=False).returncode


def compile_package(args):
    """Somebody else's program, from its sources as they are."""
    folder = (args.cache / "source/tree" / args.package).resolve()
    if not args.make:
        sources = sorted(path for path in folder.glob("*.c") if path.name not in args.without)
        return compile_files(args, [args.level, *FOREIGN], sources)
    with tempfile.TemporaryDirectory() as made:
        done = subprocess.run(["make", "-s", "-f", folder / "main.mk", "TOP=%s" % folder, "BCC=cc",
                               *args.make], cwd=made, check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            print(done.stdout, file=sys.stderr)
            return done.returncode
        return compile_files(args, [args.level, *FOREIGN],
                             [pathlib.Path(made) / name for name in args.make])


def read_with_includes(path, seen):
    """Adds the texts of a file, and of those of ours that it includes, to {path: text}."""
    path = path.resolve()
    if path in seen or not path.exists():
        return
    seen[path] = path.read_text(encoding="utf-8")
    for name in re.findall(r'^ *# *include *"(.*)"', seen[path], re.MULTILINE):
        read_with_includes(path.parent / name, seen)


def made_of(args):
    """What a program is made of and by, as words."""
    compiler = shutil.which("musl-gcc" if args.architecture == "amd64" else
                            os.environ.get("REALGCC", "aarch64-linux-gnu-gcc"))
    status = os.stat(compiler)
    words = [compiler, status.st_size, status.st_mtime_ns, args.define,
             (HERE / "cc").read_text(encoding="utf-8")]
    if not args.package:
        texts = {}
        for source in args.source:
            read_with_includes(source, texts)
        return words + [FLAGS, list(texts.values())]
    index = json.loads((args.cache / "source/packages.json").read_text(encoding="utf-8"))
    return words + [index[args.package.partition("/")[0]]["sha256"], args.package, args.without,
                    args.make, args.level, FOREIGN]


def kept(args):
    """Where the program lies that is made of just this, once somebody has compiled it."""
    name = hashlib.sha256(json.dumps(made_of(args)).encode()).hexdigest()[:16]
    return args.cache / args.architecture / "made" / ("%s-%s" % (args.out.name, name))


def keep(args, path):
    """Puts a copy of the program there, at once, and takes away what nobody wants any more."""
    partial = path.with_suffix(".%d" % os.getpid())
    shutil.copy(args.out, partial)
    partial.rename(path)
    for other in path.parent.iterdir():
        try:
            if time.time() - other.stat().st_mtime > KEPT_SECONDS:
                other.unlink()
        except FileNotFoundError:
            pass # another build was quicker


def bring(args):
    """Copies the program if somebody has made it, or makes it. Of packages, one at a time: they
    take long, and another build may want the same."""
    path = kept(args)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.parent / "lock", "a", encoding="ascii") as lock:
        if args.package:
            fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            os.utime(path)
            shutil.copy(path, args.out)
            return 0
        status = compile_package(args) if args.package else compile_files(args, FLAGS, args.source)
        if status == 0:
            keep(args, path)
        return status


def main():
    parser = argparse.ArgumentParser(description="Compile a program for the card.")
    parser.add_argument("--architecture", required=True, choices=("amd64", "arm64"))
    parser.add_argument("--cache", type=pathlib.Path, required=True)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("source", type=pathlib.Path, nargs="*")
    parser.add_argument("--package", help="a source package, and a folder in it")
    parser.add_argument("--without", action="append", default=[], help="not this file of it")
    parser.add_argument("--make", action="append", default=[], help="this file, by its main.mk")
    parser.add_argument("--level", default="-O2", help="of optimisation, for the compiler")
    parser.add_argument("--define", action="append", default=[], help="for the compiler: a macro")
    args = parser.parse_args()

    what = missing(args)
    if what is not None:
        print("images: %s is not made: there is no %s" % (args.out.name, what), file=sys.stderr)
        args.out.write_bytes(b"")
        return 0
    return bring(args)


if __name__ == "__main__":
    sys.exit(main())
