#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that no global name of ours is also the name of something in a host library.

    lint_clashes.py [--allow NAME]... [--library FILE]... ARCHIVE-OR-OBJECT...

A kernel function that is called like one of libc's links without a word and is then called by the
host's own code. The names of all global symbols of the given files are compared with what the C
library, SDL2, Check, libtsm, libpng and cJSON export, and with the prefixes that those libraries
use (sched_, sem_, log_, timer_, clock_). --allow names what a freestanding program has to supply
under the standard's names; --library replaces the list of host libraries.
"""
import argparse
import glob
import re
import subprocess
import sys

import csource
import elf

LIBRARIES = ("libc.so.6", "libm.so.6", "libSDL2-2.0.so.0", "libtsm.so.4", "libpng16.so.16",
             "libcjson.so.1")
PREFIXES = ("sched_", "sem_", "log_", "timer_", "clock_", "SDL_", "tsm_", "png_", "cJSON_",
            "pthread_")
# The linker and the compiler make these; no source names them.
IGNORED = re.compile(r"__asan_|__odr_asan|__tsan_|__start_|__stop_|_GLOBAL_|DW\.ref\.|__gcov|"
                     r"__llvm_|__sanitizer|__ubsan|^\$|_fini$|_init$|__bss_start$|_edata$|_end$")


def host_libraries():
    """The host libraries that this machine has: shared ones by ldconfig, Check as an archive."""
    found = []
    listing = subprocess.run(["/sbin/ldconfig", "-p"], stdout=subprocess.PIPE, check=False).stdout
    for line in listing.decode(errors="replace").splitlines():
        words = line.split()
        if words and words[0] in LIBRARIES and "x86-64" in line:
            found.append(words[-1])
    found += glob.glob("/usr/lib/*/libcheck.a")[:1]
    return found


def exported(path):
    """The names that a library offers to a program."""
    if path.endswith(".a"):
        found = elf.symbols(path)
    else:
        found = elf.symbols(path, dynamic=True)
    return {s.name for s in found if s.binding in ("GLOBAL", "WEAK", "UNIQUE")
            and s.section != "UND" and s.name}


def main():
    parser = argparse.ArgumentParser(description="Look for names that clash with a library's.")
    parser.add_argument("--allow", action="append", default=[])
    parser.add_argument("--library", action="append", help="a host library to compare with")
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()

    findings = csource.Findings("clashes")
    owners = {}
    for library in args.library or host_libraries():
        for name in exported(library):
            owners.setdefault(name, library.rpartition("/")[2])
    if not owners:
        sys.exit("clashes: no host library was found to compare with")

    seen = set()
    for path in args.files:
        for symbol in elf.symbols(path):
            if symbol.binding not in ("GLOBAL", "WEAK") or symbol.section == "UND":
                continue
            if not symbol.name or IGNORED.search(symbol.name):
                continue
            seen.add(symbol.name)
            if symbol.name in args.allow:
                continue
            if symbol.name in owners:
                findings.add(symbol.origin, 0, "%s is also a name of %s"
                             % (symbol.name, owners[symbol.name]))
            elif symbol.name.startswith(PREFIXES):
                findings.add(symbol.origin, 0, "%s begins with a host library's prefix"
                             % symbol.name)
    findings.finish(len(seen), "names")


if __name__ == "__main__":
    main()
