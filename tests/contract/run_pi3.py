#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the contract kernel on QEMU's Raspberry Pi 3, and is the world outside for it.

    run_pi3.py QEMU contract8.img            the tests; prints their report (TAP)
    run_pi3.py QEMU contract8.img --modes    the ends of a run, each judged by QEMU's exit status

Requests ("# want ...", listed in outside.c) are answered over the serial line. What QEMU's board
cannot do (drive pins) is answered '?', and the test skips itself with a reason. Every line
that QEMU logs about the guest's doings is a failure, but for the few of hal-pi3/qemu-allowed.txt.
"""
import argparse
import os
import pathlib
import re
import select
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "pi3"))
from run_qemu import ALLOWED, forbidden_lines, read_allowed  # noqa: E402

HOST_SECONDS = 120
CARD_BYTES = 4 << 20
# What QEMU notes of programs that try all system registers (machine/pi3/machine.c).
SWEPT = re.compile(r"^(read|write) access to unsupported AArch64 system register .*\n", re.M)

# command line, exit status, what must be printed, claim
MODES = [
    ("contract=stop-0", 0, "mode\n", "status 0 reaches the observer"),
    ("contract=stop-7", 7, "mode\n", "status 7 reaches the observer"),
    ("contract=stop-255", 255, "mode\n", "status 255 reaches the observer"),
    ("contract=panic", 134, "mode\n", "a panic reaches the observer"),
    ("contract=fault-read", 134, "fault kind 0 address 0x500000001000 with detail\n",
     "a read of nothing is a fault with its address, and refusing it is a panic"),
    ("contract=fault-write", 134, "fault kind 0 address 0x500000001000 with detail\n",
     "a write to nothing is a fault with its address, and refusing it is a panic"),
    ("contract=fault-jump", 134, "fault kind 0 address 0x500000001000 with detail\n",
     "a jump to nothing is a fault with its address, and refusing it is a panic"),
    ("contract=other-off", 9, "mode\n", "any CPU can switch the machine off"),
    ("contract=other-panic", 134, "mode\n", "any CPU can panic"),
    ("contract=fault-breakpoint", 134, "fault kind 5 ", "a breakpoint that is refused is a panic"),
]


def make_card(path):
    """A card whose sectors all differ."""
    data, state = bytearray(CARD_BYTES), 1
    for i in range(0, CARD_BYTES, 4):
        state = (state * 1664525 + 1013904223) & 0xffffffff
        data[i:i + 4] = state.to_bytes(4, "little")
    path.write_bytes(data)


class Board:
    """One run of QEMU."""

    def __init__(self, options, folder, command_line):
        self.log = folder / "qemu.log"
        self.log.write_text("")
        self.text, self.sequence, self.sequence_good = "", 0, False
        self.process = subprocess.Popen(
            [options.qemu, "-M", "raspi3b", "-accel", "tcg,thread=single", "-display", "none",
             "-monitor", "none", "-serial", "stdio", "-semihosting", "-no-reboot",
             "-d", "unimp,guest_errors", "-D", str(self.log),
             "-drive", "file=%s,if=sd,format=raw" % (folder / "card.img"),
             "-kernel", options.image, "-append", command_line],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def send(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def serve(self, request):
        name, a, b = (request.split() + ["0", "0"])[:3]
        if name == "input":
            self.send(bytes((int(a) + i) & 255 for i in range(int(b))))
        elif name == "answer":
            self.send(b"y")
        elif name == "sequence":
            self.send(b"y" if self.sequence_good and self.sequence == int(a) else b"n")
        else:
            self.send(b"?")

    def take_line(self, line):
        if line.startswith("# want "):
            self.serve(line[7:])
        elif line == "# seq-start":
            self.sequence, self.sequence_good = 0, True
        elif line.startswith("# seq "):
            self.sequence_good = self.sequence_good and line == "# seq %d" % self.sequence
            self.sequence += 1
        else:
            return line
        return None

    def run(self, show):
        """Until QEMU ends. Returns its exit status, or None: it took too long."""
        end, rest = time.monotonic() + HOST_SECONDS, b""
        while time.monotonic() < end:
            if not select.select([self.process.stdout], [], [], 1)[0]:
                continue
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                return self.process.wait(10)
            self.text += data.decode("latin-1").replace("\r", "")
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                kept = self.take_line(line.decode("latin-1").rstrip("\r"))
                if kept is not None and show:
                    print(kept, flush=True)
        return None

    def close(self):
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except BrokenPipeError:
                pass

    def complaints(self):
        log = SWEPT.sub("", self.log.read_text(errors="replace"))
        return forbidden_lines(log, read_allowed(ALLOWED))


def run_board(options, command_line, show):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make_card(folder / "card.img")
        board = Board(options, folder, command_line)
        try:
            status = board.run(show)
        finally:
            board.close()
        return status, board.text, board.complaints()


def run_tests(options):
    status, text, complaints = run_board(options, "semihosting cpus=1", True)
    for line in complaints:
        print("# QEMU: " + line)
    if status is None:
        print("Bail out! the kernel did not end in %d seconds" % HOST_SECONDS)
        return 1
    failures = len(re.findall("^not ok", text, re.M))
    if status != (failures != 0):
        print("Bail out! the exit status is %d with %d failures" % (status, failures))
        return 1
    if complaints:
        print("Bail out! QEMU complained about the guest; see above")
        return 1
    return status


def run_modes(options):
    print("1..%d" % (len(MODES) + 2), flush=True)
    failures = 0

    def report(number, good, claim):
        nonlocal failures
        failures += not good
        print("%s %d - board: %s" % ("ok" if good else "not ok", number, claim), flush=True)

    for number, (command_line, wanted, found, claim) in enumerate(MODES, 1):
        status, text, complaints = run_board(options, "semihosting " + command_line, False)
        good = status == wanted and found in text and "went on" not in text and not complaints
        if not good:
            print("# status %s, QEMU said %s, printed: %r" % (status, complaints, text[-300:]))
        report(number, good, claim)
    # With -no-reboot a reset ends QEMU with status 0.
    for number, who in enumerate(("", "other-"), len(MODES) + 1):
        command_line = "semihosting contract=%sreboot" % who
        status, text, complaints = run_board(options, command_line, False)
        good = status == 0 and "mode\nzero\n" in text and not complaints
        if not good:
            print("# status %s, QEMU said %s, printed: %r" % (status, complaints, text[-300:]))
        report(number, good, "a reboot resets the machine, whichever CPU asks for it")
    return 1 if failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("qemu")
    parser.add_argument("image")
    parser.add_argument("--modes", action="store_true")
    options = parser.parse_args()
    return run_modes(options) if options.modes else run_tests(options)


if __name__ == "__main__":
    sys.exit(main())
