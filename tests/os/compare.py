#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares what two builds do with the same input. Prints TAP.

    compare.py transcript CARD KERNEL8 RUN_QEMU SCRIPT [CPUS]
    compare.py trace SUITE

The other build is the folder that TAYBERRY_PEER names, a native one; without it the test is
skipped.

transcript: types the lines of SCRIPT into the shell, in the simulator and on the Pi (KERNEL8 under
QEMU), and compares what they print, command by command. Both must end with the script's status.
Commands whose output differs by nature are not in SCRIPT but in DIFFERS, and are only run.

trace: asks two builds of the suite os-repeat or os-search for hashes of the traces of their seeds.
"""
import os
import pathlib
import re
import subprocess
import sys

from tap import Tap

STATUS = 7
DIFFERS = {
    "atags": "the firmware's tags are each machine's own",
    "mem": "so is the memory",
    "cat /proc/meminfo": "likewise",
    "cat /proc/mounts": "the simulator's card is read-only, QEMU's forgets what is written",
    "cat /proc/stat": "time passes differently",
    "mem map plain": "and its picture",
    "mem map": "and its picture",
    "mem top calls": "the sites of the machines' builds stand in another order",
    "mem leaks": "stacks differ in size",
    "slabs": "so do objects",
    "uptime": "time passes differently",
    "ps": "so do its shares",
    "dmesg": "lines carry times, and name the board",
    "date": "only the simulator has a clock",
    "gpio": "levels of pins that nobody drives",
}


def split_commands(text):
    """[(line as echoed, output)] of a transcript, from the first prompt on."""
    text = text.replace("\r\n", "\n")
    pieces = re.split(r"^(?:[^\n]*)> ", text, flags=re.MULTILINE)[1:]
    return [tuple((piece + "\n").split("\n", 1)) for piece in pieces]


def run(words, typed, timeout):
    done = subprocess.run([str(word) for word in words], input=typed.encode(), timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode()


def compare_transcripts(peer, card, kernel, run_qemu, script, cpus="1"):
    tap, simulator = Tap(), peer / "hal-sim" / "tayberry"
    lines = pathlib.Path(script).read_text().splitlines()
    typed = "\n".join(list(DIFFERS) + lines) + "\n"
    sim_status, sim, sim_errors = run([simulator, "--headless", "--clock", "virtual", "--cpus",
                                       cpus, "--read-only", "--card", card, "--timeout", "120"],
                                      typed, 180)
    pi_status, pi, pi_errors = run([sys.executable, run_qemu, "--kernel", kernel, "--card", card,
                                    "--read-only", "--append", "semihosting cpus=" + cpus,
                                    "--timeout", "240", "--input", "-"], typed, 300)
    tap.case(sim_status == STATUS, "the simulator ends with the script's status",
             "%d\n%s%s" % (sim_status, sim_errors, sim[-2000:]))
    tap.case(pi_status == STATUS, "the Pi ends with the script's status",
             "%d\n%s%s" % (pi_status, pi_errors, pi[-2000:]))
    ours, theirs = split_commands(sim), split_commands(pi)
    tap.case(len(ours) == len(theirs) == len(DIFFERS) + len(lines), "both ran every line",
             "simulator %d, Pi %d, script %d" % (len(ours), len(theirs), len(lines)))
    for number, (a, b) in enumerate(zip(ours, theirs)):
        if number < len(DIFFERS):
            tap.case(a[0] == b[0] and a[1] and b[1], "both answer: " + a[0])
        else:
            tap.case(a == b, "same answer: " + a[0].strip(),
                     "simulator:\n%s\nPi:\n%s" % ("\n".join(a), "\n".join(b)))
    return tap.end()


def trace_lines(program):
    done = subprocess.run([str(program)], env={**os.environ, "CK_RUN_CASE": "print"}, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=300)
    return re.findall(r"^# (?:seed \d|\d CPUs).* trace.*$", done.stdout.decode(),
                      flags=re.MULTILINE)


def compare_traces(peer, own):
    tap, other = Tap(), peer / "tests" / "os" / pathlib.Path(own).name
    ours, theirs = trace_lines(own), trace_lines(other)
    tap.case(len(ours) == len(theirs) > 0, "both builds ran all seeds",
             "%d and %d lines" % (len(ours), len(theirs)))
    for a, b in zip(ours, theirs):
        tap.case(a == b, " ".join(a.split()[1:3]) + " gives the same run in both builds",
                 a + "\n" + b)
    return tap.end()


def main():
    kind, arguments = sys.argv[1], sys.argv[2:]
    if "TAYBERRY_PEER" not in os.environ:
        print("1..0 # SKIP TAYBERRY_PEER names no other build to compare with")
        return 0
    peer = pathlib.Path(os.environ["TAYBERRY_PEER"])
    return {"transcript": compare_transcripts, "trace": compare_traces}[kind](peer, *arguments)


if __name__ == "__main__":
    sys.exit(main())
