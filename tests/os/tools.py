#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lets other people's tools judge the simulator. Prints TAP.

    tools.py vcd SIMULATOR CARD        GTKWave's converters and sigrok read the recording of a blink
    tools.py valgrind SIMULATOR CARD   Memcheck watches the kernel boot to its shell and work

A tool that is not installed skips its case.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from tap import Tap

HALF_PERIOD_US = 10000
BLINKS = 20
STATUS = 3


def run(words, typed=""):
    return subprocess.run([str(word) for word in words], input=typed.encode(), check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=500)


def rises(vcd):
    """Times in microseconds at which GPIO17 rises, from the text of a VCD file."""
    code = re.search(r"\$var\s+\w+\s+1\s+(\S+)\s+GPIO17\s+\$end", vcd).group(1)
    scale = re.search(r"\$timescale\s+1\s*(\w+)", vcd).group(1)
    time, found = 0, []
    for line in vcd.splitlines():
        if line.startswith("#"):
            time = int(line[1:])
        elif line == "1" + code and time:
            found.append(time / {"us": 1, "ns": 1000}[scale])
    return found


def check_periods(tap, times, name):
    periods = [b - a for a, b in zip(times, times[1:])]
    good = len(periods) >= BLINKS - 2 and all(abs(period - 2 * HALF_PERIOD_US) < 100
                                              for period in periods)
    tap.case(good, name, periods)


def test_gtkwave(tap, recording, folder):
    name = "GTKWave's format keeps the period of the blink"
    if not shutil.which("vcd2fst"):
        tap.skip(name, "gtkwave")
        return
    there, back = folder / "a.fst", folder / "back.vcd"
    made = run(["vcd2fst", recording, there])
    tap.case(made.returncode == 0 and there.exists(), "vcd2fst reads the recording", made.stdout)
    run(["fst2vcd", "-f", there, "-o", back])
    check_periods(tap, rises(back.read_text()), name)


def test_sigrok(tap, recording):
    name = "sigrok measures the period of the blink"
    if not shutil.which("sigrok-cli"):
        tap.skip(name, "sigrok-cli")
        return
    measured = run(["sigrok-cli", "-I", "vcd", "-i", recording, "-P", "timing:data=GPIO17"])
    halves = [float(ms) for ms in re.findall(rb"timing-1: ([0-9.]+) .?s \(", measured.stdout)]
    good = [half for half in halves if abs(half - HALF_PERIOD_US / 1000) < 0.1]
    tap.case(len(good) >= 2 * BLINKS - 3 and len(halves) - len(good) <= 1, name, measured.stdout)


def test_vcd(simulator, card):
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        recording = pathlib.Path(folder) / "blink.vcd"
        done = run([simulator, "--headless", "--clock", "virtual", "--read-only", "--card", card,
                    "--vcd", recording],
                   "blink GPIO17 %dus %d\npoweroff %d\n" % (HALF_PERIOD_US, BLINKS, STATUS))
        tap.case(done.returncode == STATUS, "the simulator records a blink", done.stdout)
        check_periods(tap, rises(recording.read_text()),
                      "the recording has the period of the blink")
        test_gtkwave(tap, recording, pathlib.Path(folder))
        test_sigrok(tap, recording)
    return tap.end()


def test_valgrind(simulator, card):
    tap = Tap()
    script = "ls -l\ncat /README.TXT\nspawn 2 5ms\nps\nktest list\npoweroff %d\n" % STATUS
    words = ["valgrind", "--error-exitcode=99", "--leak-check=full", simulator, "--headless",
             "--read-only", "--card", card, "--clock"]
    names = ["Memcheck finds nothing from boot to power-off",
             "the real clock, which Valgrind cannot host, is refused with a sentence"]
    if not shutil.which("valgrind"):
        for name in names:
            tap.skip(name, "valgrind")
        return tap.end()
    done = run(words + ["virtual"], script)
    tap.case(done.returncode == STATUS and b"ERROR SUMMARY: 0 errors" in done.stdout, names[0],
             done.stdout.decode("utf-8", "replace"))
    done = run(words + ["real"], script)
    tap.case(done.returncode == 125 and b"use the virtual clock" in done.stdout, names[1],
             done.stdout.decode("utf-8", "replace"))
    return tap.end()


def main():
    kind, simulator, card = sys.argv[1:4]
    return {"vcd": test_vcd, "valgrind": test_valgrind}[kind](simulator, card)


if __name__ == "__main__":
    sys.exit(main())
