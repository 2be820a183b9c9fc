#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures the kernel's allocators against those that a Debian user has.

    memory.py FOLDER-OF-PROGRAMS FOLDER-OF-TRACES

Every workload runs on every allocator in a process of its own, all in turn on one core, and so
again for each of TAYBERRY_PASSES passes (5 by default). A time is the median over the passes of the
fastest round, less the time of the same loop without an allocator. A footprint is what the
allocator occupies at the peak over the bytes that were asked for. docs/BENCHMARKS.md explains.
"""
import lzma
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

KERNEL = ("slab", "bin", "bump")
PEERS = ("glibc", "jemalloc", "mimalloc")
GROWING = ("grow", "grow-mixed")
# Workload, title, what the aim compares slab with and by how much it may be more, footprint too.
WORKS = (
    ("pairs", "64 B, freed at once", "mimalloc", 1.00, False),
    ("small", "64 B, 100,000 live, random", "mimalloc", 1.00, True),
    ("mixed", "16 B..4 KiB, 10,000 live", "mimalloc", 1.00, True),
    ("sqlite", "trace of sqlite3", "fastest", 1.10, True),
    ("lua", "trace of lua5.4", "fastest", 1.10, True),
    ("grow", "64 B, nothing freed", None, 0, True),
    ("grow-mixed", "16 B..4 KiB, nothing freed", None, 0, True),
    ("pages", "a page, freed at once", None, 0, False),
)
FOOTPRINT_AIM, PAGE_AIM = 1.15, 20


class Bench:
    def __init__(self, programs, traces):
        self.programs = pathlib.Path(programs)
        self.traces = traces
        self.missing = [peer for peer in PEERS if not self.path(peer).exists()]

    def path(self, side):
        return self.programs / ("bench-memory-" + side)

    def sides(self, work):
        ours = [name for name in KERNEL if name != "bump" or work in GROWING]
        if work == "pages":
            ours = ["slab"]
        return ours + [peer for peer in PEERS if peer not in self.missing]

    def run(self, what, work, side):
        """The figures that the program prints, by name; None if an allocation failed."""
        words = [self.path("kernel" if side in KERNEL else side), what]
        words += ["trace", "--trace", self.traces[work]] if work in self.traces else [work]
        words += ["--allocator", side] if side in KERNEL else []
        done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, check=False, timeout=300)
        text = done.stdout.decode().split()
        if done.returncode or text == ["failed"]:
            print("# %s: %s of %s failed" % (side, what, work))
            return None
        return dict(zip(text[::2], map(int, text[1::2])))

    def time(self, work, side):
        figures = self.run("time", work, side)
        return figures and (figures["ns"] - figures["null"]) / figures["pairs"]

    def footprint(self, work, side):
        figures = self.run("footprint", work, side)
        return figures and figures["occupied"] / figures["live"]


def median(values):
    good = [value for value in values if value is not None]
    return statistics.median(good) if good else None


def cell(value, form):
    return "%9s" % (form % value if value is not None else "-")


def print_table(title, rows, form, last):
    print("\n%-28s%s%s" % (title, "".join("%9s" % name for name in KERNEL + PEERS), last))
    for name, figures, remark in rows:
        print("%-28s%s%s" % (name, "".join(cell(figures.get(side), form)
                                           for side in KERNEL + PEERS), remark))


def verdict(good):
    return "met" if good else "NOT MET"


def judge_time(figures, against, factor):
    peers = {side: figures[side] for side in PEERS if figures.get(side) is not None}
    slab = figures.get("slab")
    if slab is None or not peers:
        return ""
    fastest = min(peers.values())
    text = "%9.2f%9.2f" % (slab / peers["mimalloc"] if "mimalloc" in peers else float("nan"),
                           slab / fastest)
    if against == "fastest":
        text += "   %s" % verdict(slab <= factor * fastest)
    elif against in peers:
        text += "   %s" % verdict(slab <= factor * peers[against])
    return text


def spread(values):
    """How far apart the passes are, as a share of the median."""
    good = [value for value in values if value is not None]
    return (max(good) - min(good)) / median(good) if good and median(good) > 0 else 0


def measure_times(bench, passes):
    """The median over the passes by workload and side, and how far apart they are by and large."""
    times = {}
    for _ in range(passes):
        for work, *_ in WORKS:
            for side in bench.sides(work):
                times.setdefault(work, {}).setdefault(side, []).append(bench.time(work, side))
    apart = statistics.median(spread(values) for sides in times.values()
                              for values in sides.values())
    return {work: {side: median(values) for side, values in sides.items()}
            for work, sides in times.items()}, apart


def report_times(bench, passes):
    times, apart = measure_times(bench, passes)
    print_table("ns for allocate and free",
                [(title, times[work], judge_time(times[work], against, factor))
                 for work, title, against, factor, _ in WORKS],
                "%.1f", " /mimalloc /fastest   aim")
    page = times["pages"].get("slab")
    print("a page frame, allocated and freed by a warm CPU cache: %s ns (aim: under %d): %s"
          % ("-" if page is None else "%.1f" % page, PAGE_AIM,
             verdict(page is not None and page < PAGE_AIM)))
    print("# the passes differ by %.0f %% (half of the figures by less); above 10 %% the machine"
          " had other work" % (100 * apart))


def report_footprints(bench):
    rows = []
    for work, title, _, _, wanted in WORKS:
        if not wanted:
            continue
        figures = {side: bench.footprint(work, side) for side in bench.sides(work)}
        slab = figures.get("slab")
        rows.append((title, figures, "   " + verdict(slab is not None and slab <= FOOTPRINT_AIM)))
    print_table("peak footprint / peak live", rows, "%.3f", "   aim of slab: at most %.2f"
                % FOOTPRINT_AIM)


def unpack(traces, folder):
    """The traces, unpacked into `folder`, by name."""
    found = {}
    for packed in sorted(pathlib.Path(traces).glob("*.trace.xz")):
        name = packed.name.split(".")[0]
        found[name] = pathlib.Path(folder) / name
        found[name].write_bytes(lzma.decompress(packed.read_bytes()))
    return found


def main():
    programs, traces = sys.argv[1:3]
    passes = int(os.environ.get("TAYBERRY_PASSES", "5"))
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(programs, unpack(traces, folder))
        if bench.missing:
            print("# not installed when this was built: %s" % ", ".join(bench.missing))
        print("# on core %d, %d passes; the kernel runs with checks=0" % (core, passes))
        report_times(bench, passes)
        report_footprints(bench)


if __name__ == "__main__":
    main()
