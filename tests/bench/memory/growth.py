#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that what an allocation costs does not grow with the number of live blocks.

    growth.py PROGRAM ALLOCATOR...

Callgrind counts the instructions of replacing blocks at random (growth.c) with 10^3 to 10^6 of them
live; those of the loop itself are subtracted. Criterion, for each allocator, with blocks of 64
bytes and with blocks of 16 .. 256: the most costly number of live blocks is within 10 % of the
cheapest.

A count is exact, so the verdict does not depend on the host or its load. TAYBERRY_RUNS sets the
number of replacements that are counted.
"""
import os
import re
import subprocess
import sys
import tempfile

LIVE = (1000, 10000, 100000, 1000000)
SIZES = ((64, 64), (16, 256))
WITHIN = 1.10


def count(program, allocator, live, operations, sizes):
    """Instructions of all replacements."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        words = ["valgrind", "--tool=callgrind", "--instr-atstart=no",
                 "--callgrind-out-file=" + out, program, allocator, live, operations, *sizes]
        done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False, timeout=240)
        if done.returncode:
            raise SystemExit(done.stdout.decode())
        with open(out, encoding="utf-8", errors="replace") as file:
            return int(re.search(r"^totals: (\d+)", file.read(), re.M).group(1))


def is_flat(costs):
    return 0 < max(costs) <= WITHIN * min(costs)


def main():
    program, allocators = sys.argv[1], sys.argv[2:]
    operations = int(os.environ.get("TAYBERRY_RUNS", "20000"))
    print("1..%d" % (len(allocators) * len(SIZES)))
    number, failed = 0, 0
    for sizes in SIZES:
        loop = count(program, "none", LIVE[0], operations, sizes)
        for allocator in allocators:
            costs = [(count(program, allocator, live, operations, sizes) - loop) / operations
                     for live in LIVE]
            good = is_flat(costs)
            number, failed = number + 1, failed + (not good)
            print("%s %d - %s: blocks of %s bytes cost the same however many live"
                  % ("ok" if good else "not ok", number, allocator,
                     sizes[0] if sizes[0] == sizes[1] else "%d to %d" % sizes))
            print("# instructions to free and allocate, with 10^3 .. 10^6 live: "
                  + "  ".join("%.1f" % cost for cost in costs), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
