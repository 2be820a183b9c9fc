#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares what two builds do with the same input. Prints TAP.

    compare.py transcript CARD KERNEL8 RUN_QEMU SCRIPT [CPUS]
    compare.py cards CARD KERNEL8 RUN_QEMU SCRIPT [CPUS]
    compare.py trace SUITE

The other build is the folder that TAYBERRY_PEER names, a native one; without it the test is
skipped.

transcript: types the lines of SCRIPT into the shell, in the simulator and on the Pi (KERNEL8 under
QEMU), and compares what they print, command by command. Both must end with the script's status.
Commands whose output differs by nature are not in SCRIPT but in DIFFERS, and are only run.

cards: types the lines of SCRIPT, which change files, on both machines, each with a copy of the card
that may be written, with the clock standing still and writing back at `sync` only. Both copies must
have the same bytes then, other ones than before, and fsck.fat and ours must find them clean.

trace: asks two builds of the suite os-repeat or os-search for hashes of the traces of their seeds.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from tap import Tap

STATUS = 7
FIXED = "clock=2026-01-31T12:34:56 writeback=sync ramdisk=16M"
PARTITION = 1 << 20
TOOLS = "/usr/sbin:/sbin:/usr/bin:/bin"
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


def first_difference(one, other):
    """Of two files: the offset from which on they differ, in sectors; None: they are the same."""
    at = 0
    with open(one, "rb") as a, open(other, "rb") as b:
        while True:
            left, right = a.read(512), b.read(512)
            if left != right:
                return at
            if not left:
                return None
            at += 1


def judge_card(tap, peer, name, card, folder):
    ours = peer / "images" / "programs" / "tayberry-fsck"
    if ours.exists():
        status, said, errors = run([ours, card], "", 120)
        tap.case(status == 0, "our checker finds the card of %s clean" % name, said + errors)
    else:
        tap.skip("our checker finds the card of %s clean" % name, "tayberry-fsck")
    tool = shutil.which("fsck.fat", path=TOOLS)
    if not tool:
        tap.skip("fsck.fat finds the card of %s clean" % name, "fsck.fat")
        return
    part = folder / "part.img"
    with open(card, "rb") as whole, open(part, "wb") as file:
        whole.seek(PARTITION)
        shutil.copyfileobj(whole, file)
    status, said, errors = run([tool, "-n", part], "", 120)
    tap.case(status == 0 and len(said.splitlines()) == 2,
             "fsck.fat finds the card of %s clean, and says nothing else" % name, said + errors)


def compare_cards(peer, card, kernel, run_qemu, script, cpus="4"):
    tap, lines = Tap(), pathlib.Path(script).read_text().splitlines()
    typed = "\n".join(lines) + "\n"
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        cards = {name: folder / (name + ".img") for name in ("simulator", "Pi")}
        for copy in cards.values():
            subprocess.run(["cp", "--sparse=always", card, copy], check=True)
        runs = {
            "simulator": run([peer / "hal-sim" / "tayberry", "--headless", "--clock", "virtual",
                              "--cpus", cpus, "--card", cards["simulator"], "--append", FIXED,
                              "--timeout", "120"], typed, 180),
            "Pi": run([sys.executable, run_qemu, "--kernel", kernel, "--card", cards["Pi"],
                       "--append", "semihosting cpus=%s %s" % (cpus, FIXED), "--timeout", "240",
                       "--input", "-"], typed, 300),
        }
        for name, (status, said, errors) in runs.items():
            tap.case(status == STATUS, "the %s ends with the script's status" % name,
                     "%d\n%s%s" % (status, errors, said[-2000:]))
        ours, theirs = (split_commands(said) for _, said, _ in runs.values())
        tap.case(len(ours) == len(theirs) == len(lines), "both ran all %d lines" % len(lines),
                 "simulator %d, Pi %d" % (len(ours), len(theirs)))
        differ = [(a, b) for a, b in zip(ours, theirs) if a != b]
        tap.case(not differ, "both gave the same answers", differ)
        tap.case("error:" not in runs["simulator"][1], "no line was refused", runs["simulator"][1])
        at = first_difference(*cards.values())
        tap.case(at is None, "both cards have the same bytes", "from sector %s on" % at)
        tap.case(first_difference(card, cards["Pi"]) is not None, "the card was changed")
        for name, copy in cards.items():
            judge_card(tap, peer, name, copy, folder)
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
    kinds = {"transcript": compare_transcripts, "cards": compare_cards, "trace": compare_traces}
    return kinds[kind](peer, *arguments)


if __name__ == "__main__":
    sys.exit(main())
