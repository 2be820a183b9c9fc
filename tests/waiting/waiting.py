#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs that wait, for each other, for files and for locks, natively and on Tayberry; and what
two tracers say of one program. Prints TAP.

    waiting.py exec FOLDER TAYBERRY OPTION...      by `tayberry --exec`
    waiting.py strace FOLDER TAYBERRY OPTION...    strace natively against --trace-syscalls
    waiting.py boot NATIVE PROGRAM CARD COMMAND...
            COMMAND --card IMAGE --script FILE runs a machine, which runs PROGRAM

FOLDER has the programs as the build made them. TAYBERRY_RUNS: how often each is run (1).
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "os"))
from tap import Tap  # noqa: E402

PROGRAMS = {
    "threads-musl": (["60"], ["60"]),
    "threads-glibc": (["60"], ["60"]),
    "locks": (["locked"], ["/tmp/locked"]),
    "events": (["fifo"], ["/tmp/fifo"]),
}
RUNS = int(os.environ.get("TAYBERRY_RUNS", "1"))
LIMIT = 100


def native(program, arguments):
    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run([program, *arguments], cwd=empty, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, timeout=LIMIT, check=False)
    return done.stdout, done.returncode


def run_exec(folder, tayberry):
    tap = Tap()
    for name, (here, there) in PROGRAMS.items():
        program = folder / name
        if program.stat().st_size == 0:
            tap.skip(name, "a C compiler for it")
            continue
        wanted = native(program, here)
        for run in range(RUNS):
            done = subprocess.run([*tayberry, "--exec", program, *there], timeout=LIMIT,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
            found = done.stdout, done.returncode
            tap.case(wanted == found and len(wanted[0]) > 100, "%s, run %d" % (name, run + 1),
                     "natively %r\non Tayberry %r" % (wanted, found))
    return tap.end()


# ---- tracers ----

def joined(lines, first):
    """[(process, line)], with what was unfinished made whole. `first`: whose no number is."""
    begun, found = {}, []
    for line in lines:
        match = re.match(r"(?:\[pid +(\d+)\] |(\d+) +)?(.*)$", line)
        process, text = match[1] or match[2] or first, match[3]
        if text.endswith("<unfinished ...>"):
            begun[process] = text[:-len("<unfinished ...>")]
            continue
        resumed = re.match(r"<\.\.\. \w+ resumed>(.*)$", text)
        if resumed:
            text = begun.pop(process) + resumed[1]
        found.append((process, text))
    return found


NUMBERS = {"fork", "vfork", "clone", "clone3", "wait4", "getpid", "getppid", "gettid",
           "set_tid_address"}  # of processes


def result_of(name, text, processes):
    words = text.split()
    if not words:
        return "?"
    if words[0] == "-1" and len(words) > 1:
        return words[1]
    if name in NUMBERS and words[0] in processes:
        return "process %d" % processes.index(words[0])
    if words[0].startswith("0x"):
        value = int(words[0], 16)
        return "an address" if value > 0xffff else str(value)
    return words[0]


def summary(text):
    """A list for each process, in the order of their numbers: names of calls, and results."""
    lines = [line for line in text.splitlines() if line]
    first = re.search(r"set_tid_address\(.*= (\d+)$", text, re.MULTILINE)[1]
    whole = [(process, line) for process, line in joined(lines, first)
             if not line.startswith(("---", "execve(\"/proc", "execve(\"/tmp"))]
    processes = sorted({process for process, _ in whole}, key=int)
    found = {process: [] for process in processes}
    for process, line in whole:
        if line.startswith("+++"):
            found[process].append(line.replace(" (core dumped)", ""))
            continue
        name, rest = line.split("(", 1)
        result = rest[rest.rindex(")", 0, rest.rindex("= ")):].split("= ", 1)[1]
        found[process].append("%s = %s" % (name, result_of(name, result, processes)))
    return [found[process] for process in processes]


def run_strace(folder, tayberry):
    tap = Tap()
    program = folder / "calls"
    with tempfile.TemporaryDirectory() as name:
        empty = pathlib.Path(name)
        theirs, ours = empty / "theirs", empty / "ours"
        (empty / "in").mkdir()
        try:
            subprocess.run(["strace", "-f", "-o", theirs, program, "in"], cwd=empty, check=True,
                           stdin=subprocess.DEVNULL, timeout=LIMIT, stderr=subprocess.PIPE)
        except (OSError, subprocess.CalledProcessError):
            tap.skip("strace", "strace that may trace")
            return tap.end()
        subprocess.run([*tayberry, "--trace-syscalls", ours, "--exec", program, "/tmp"],
                       stdin=subprocess.DEVNULL, timeout=LIMIT, check=False)
        lines = theirs.read_text(errors="replace").split("\n", 1)[1]  # without the first execve
        wanted, found = summary(lines), summary(ours.read_text(errors="replace"))
        tap.case(len(wanted) == len(found) == 3, "three processes", ours.read_text())
        for number, (one, other) in enumerate(zip(wanted, found)):
            different = ["%d: strace %r, ours %r" % (i, a, b)
                         for i, (a, b) in enumerate(zip(one, other)) if a != b]
            tap.case(one == other and len(one) > 5,
                     "process %d: %d calls, the same names and results" % (number, len(one)),
                     "\n".join(different) or "%d and %d" % (len(one), len(other)))
        tap.case("[{iov_base=\"one\\n\", iov_len=4}" in ours.read_text(),
                 "strings as strace has them")
    return tap.end()


# ---- a machine with a card ----

def run_boot(native_program, program, card, command):
    tap = Tap()
    if native_program.stat().st_size == 0 or program.stat().st_size == 0:
        tap.skip("waiting", "a C compiler with musl for both machines")
        return tap.end()
    wanted, _ = native(native_program, ["20"])
    with tempfile.TemporaryDirectory() as folder:
        mine = pathlib.Path(folder) / "card.img"
        subprocess.run(["cp", "--sparse=always", card, mine], check=True)
        subprocess.run(["mcopy", "-i", "%s@@1M" % mine, program, "::/program"], check=True)
        script = pathlib.Path(folder) / "script"
        script.write_text("< / >\n> run /program 20\n< : status \n< / >\n> poweroff\n")
        done = subprocess.run([*command, "--card", mine, "--script", script], timeout=250,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
    said = done.stdout.replace(b"\r", b"")
    tap.case(len(wanted) > 100 and wanted in said, program.name, said.decode("utf-8", "replace"))
    return tap.end()


def main():
    verb, words = sys.argv[1], sys.argv[2:]
    if verb == "boot":
        paths = [pathlib.Path(word).resolve() for word in words[:3]]
        return run_boot(*paths, words[3:])
    return {"exec": run_exec, "strace": run_strace}[verb](pathlib.Path(words[0]).resolve(),
                                                         words[1:])


if __name__ == "__main__":
    sys.exit(main())
