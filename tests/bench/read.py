#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures how fast a file is read from the card, through the whole OS.

    read.py SIMULATOR PLAIN-READ CARD

The kernel reads /data/offsets.txt, 5 MiB, through its file system, its block requests and the
simulated card (ktest speed). Beside it, in the same run: plain reads of as many bytes of the image
by the host, and mcopy of the same file. The host has the image in its memory in all cases.
"""
import os
import re
import statistics
import subprocess
import sys
import time

LINE = re.compile(rb"# read (\d+) bytes by (\d+): (\d+) ns at best")
PARTITION = 1 << 20
PIECES = ("512", "4096", "65536", "1048576")


def parse(output):
    return {int(piece): int(ns) for _, piece, ns in LINE.findall(output)}


def run(words, **more):
    return subprocess.run(words, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          **more).stdout


def time_mcopy(card, name):
    env = dict(os.environ, MTOOLSRC="/dev/null", LC_ALL="C.UTF-8")
    times = []
    for _ in range(15):
        began = time.monotonic()
        run(["mcopy", "-i", "%s@@%d" % (card, PARTITION), "::" + name, "-"], env=env)
        times.append(time.monotonic() - began)
    return statistics.median(times)


def main():
    simulator, plain, card = sys.argv[1:4]
    ours = run([simulator, "--headless", "--read-only", "--card", card, "--timeout", "60",
                "--append", "ktest=speed"])
    size = int(LINE.search(ours).group(1))
    ours = parse(ours)
    host = parse(run([plain, card, str(3 << 20), str(size), *PIECES]))
    for piece in sorted(ours):
        print("%7d bytes a call: %6.2f GB/s; plain read of the image %6.2f GB/s: %3.0f %% of it"
              % (piece, size / ours[piece], size / host[piece], 100 * host[piece] / ours[piece]))
    whole, nothing = time_mcopy(card, "/data/offsets.txt"), time_mcopy(card, "/data/empty")
    copying = max(whole - nothing, 1e-6)
    print("mcopy: %.2f ms, %.2f ms of it starting; the kernel takes 1/%.0f of the rest"
          % (whole * 1e3, nothing * 1e3, copying * 1e9 / ours[65536]))
    print("aim: at least 50 %% of a plain read by 65536 bytes: %s"
          % ("met" if host[65536] * 2 >= ours[65536] else "NOT MET"))


if __name__ == "__main__":
    main()
