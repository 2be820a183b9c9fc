#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a kernel on QEMU's Raspberry Pi 3 and says how it went.

    run_qemu.py --kernel kernel8.img [--card FILE [--read-only]] [--append TEXT] [--input FILE|-]
                [--script FILE] [--timeout SECONDS] [--tap] [-- QEMU OPTIONS]

The guest's serial output goes to the standard output as it is. With --tap it is a test's report:
carriage returns are dropped, and lines that are no TAP become comments.

--append may be given several times: all of it is put on the kernel's command line.

--input is typed to the guest at once. --script is a conversation, line by line:

    < text      wait until the guest has said "text" (after what was waited for before)
    > text      type "text" and Enter
    # text      a comment

Exit status: the guest's, as it gave it to poweroff. 120: the script's text did not come, or QEMU's
log of unimplemented and wrong accesses has a line that hal-pi3/qemu-allowed.txt does not. 124: the
time is up. 125: bad usage, or QEMU cannot start. 128 + n: QEMU was ended by signal n.

The word "semihosting" is put on the kernel's command line, because without it the guest cannot give
its status to QEMU.
"""

import argparse
import os
import selectors
import subprocess
import sys
import tempfile
import time

FAILED, TIMED_OUT, CANNOT_START = 120, 124, 125
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ALLOWED = os.path.join(TOP, "hal-pi3", "qemu-allowed.txt")
TAP_STARTS = ("ok", "not ok", "1..", "#", "TAP version", "Bail out!", " ")


def complain(text):
    print("run_qemu: " + text, file=sys.stderr, flush=True)


def read_allowed(path):
    """The exact lines that the log may contain."""
    with open(path, encoding="utf-8") as file:
        lines = (line.rstrip("\n") for line in file)
        return {line for line in lines if line and not line.startswith("#")}


def forbidden_lines(log_text, allowed):
    """Lines of QEMU's log that are not allowed, each once, in order."""
    found = []
    for line in log_text.splitlines():
        if line and line not in allowed and line not in found:
            found.append(line)
    return found


def parse_script(text):
    """A list of ("expect" | "send", bytes)."""
    steps = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line[:2] not in ("< ", "> ") and line not in ("<", ">"):
            raise ValueError(f"line {number}: starts with neither '<' nor '>': {line}")
        steps.append(("expect" if line[0] == "<" else "send", line[2:].encode()))
    return steps


class Conversation:
    """Where a script has got to: fed with output, it says what is to be typed."""

    def __init__(self, steps):
        self.steps = list(steps)
        self.unseen = b""

    def advance(self, output):
        """Takes output of the guest; returns what to type now."""
        self.unseen += output
        typed = b""
        while self.steps:
            kind, text = self.steps[0]
            if kind == "send":
                typed += text + b"\n"
            else:
                at = self.unseen.find(text)
                if at < 0:
                    break
                self.unseen = self.unseen[at + len(text):]
            self.steps.pop(0)
        return typed

    def missing(self):
        """The text that is still waited for, or None."""
        waits = [text for kind, text in self.steps if kind == "expect"]
        return waits[0].decode(errors="replace") if waits else None


class TapFilter:
    """Turns a serial line's bytes into lines of a report."""

    def __init__(self):
        self.rest = b""

    def feed(self, output, last=False):
        self.rest += output.replace(b"\r", b"")
        *lines, self.rest = self.rest.split(b"\n")
        if last and self.rest:
            lines.append(self.rest)
            self.rest = b""
        return b"".join(self.line(line) for line in lines)

    @staticmethod
    def line(line):
        text = line.decode(errors="replace")
        prefix = "" if not text or text.startswith(TAP_STARTS) else "# "
        return (prefix + text + "\n").encode()


def qemu_command(options, log):
    append = " ".join(["semihosting"] + options.append)
    # Memory from a file descriptor comes by small pages; QEMU's usual kind comes by huge ones, and
    # a guest that touches a word in each of them would have the host fill a whole gigabyte.
    command = [options.qemu, "-M", "raspi3b,memory-backend=ram",
               "-object", "memory-backend-memfd,id=ram,size=1G", "-kernel", options.kernel,
               "-append", append, "-display", "none", "-semihosting", "-accel", "tcg,thread=single",
               "-d", "unimp,guest_errors", "-D", log]
    if {"console=serial1", "console=miniuart"} & set(append.split()):
        command += ["-serial", "null"]
    command += ["-serial", "stdio"]
    if options.card:
        card = options.card.replace(",", ",,")
        # What the guest writes is dropped at the end, and several runs may share the card.
        mode = ",snapshot=on,file.locking=off" if options.read_only else ""
        command += ["-drive", f"file={card},if=sd,format=raw{mode}"]
    return command + options.extra


class Run:
    """One life of the guest."""

    def __init__(self, options, log):
        self.options = options
        self.process = subprocess.Popen(qemu_command(options, log), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.conversation = Conversation(options.steps)
        self.filter = TapFilter() if options.tap else None
        self.to_type = options.typed + self.conversation.advance(b"")
        self.end = time.monotonic() + options.timeout
        os.set_blocking(self.process.stdin.fileno(), False)

    def show(self, output, last=False):
        if self.filter:
            output = self.filter.feed(output, last)
        sys.stdout.buffer.write(output)
        sys.stdout.buffer.flush()

    def type_some(self):
        try:
            sent = os.write(self.process.stdin.fileno(), self.to_type)
            self.to_type = self.to_type[sent:]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self.to_type = b""

    def follow(self):
        """Until the guest's end, or the time's. True: it ended by itself."""
        selector = selectors.DefaultSelector()
        selector.register(self.process.stdout, selectors.EVENT_READ)
        while time.monotonic() < self.end:
            if self.to_type:
                self.type_some()
            if not selector.select(0.05 if self.to_type else 0.25):
                continue
            output = os.read(self.process.stdout.fileno(), 65536)
            if not output:
                self.show(b"", last=True)
                return True
            self.show(output)
            self.to_type += self.conversation.advance(output)
        return False

    def finish(self):
        """The exit status of QEMU, or of its time running out."""
        try:
            if not self.follow():
                complain(f"no end after {self.options.timeout:g} seconds")
                return TIMED_OUT
            code = self.process.wait(timeout=10)
            return code if code >= 0 else 128 - code
        finally:
            self.process.kill()
            self.process.wait()


def judge(status, conversation, bad_lines):
    """What the run's exit status is after all."""
    for line in bad_lines:
        complain("QEMU says: " + line)
    missing = conversation.missing()
    if missing is not None:
        complain("the guest did not say: " + missing)
    if status == TIMED_OUT:
        return status
    return FAILED if bad_lines or missing is not None else status


def parse_options(arguments):
    extra = []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, extra = arguments[:at], arguments[at + 1:]
    parser = argparse.ArgumentParser(description="run a kernel on QEMU's Raspberry Pi 3")
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--card")
    parser.add_argument("--read-only", action="store_true", help="leave the card's file as it is")
    parser.add_argument("--append", action="append", default=[])
    parser.add_argument("--input")
    parser.add_argument("--script")
    parser.add_argument("--timeout", type=float, default=60)
    parser.add_argument("--tap", action="store_true")
    parser.add_argument("--qemu", default="qemu-system-aarch64")
    parser.add_argument("--allowed", default=ALLOWED)
    options = parser.parse_args(arguments)
    options.extra = extra
    return options


def read_conversation(options):
    options.typed = b""
    options.steps = []
    if options.input == "-":
        options.typed = sys.stdin.buffer.read()
    elif options.input:
        with open(options.input, "rb") as file:
            options.typed = file.read()
    if options.script:
        with open(options.script, encoding="utf-8") as file:
            options.steps = parse_script(file.read())


def main(arguments):
    try:
        options = parse_options(arguments)
    except SystemExit as stop:
        return CANNOT_START if stop.code else 0
    try:
        read_conversation(options)
        allowed = read_allowed(options.allowed)
        with tempfile.TemporaryDirectory() as folder:
            log = os.path.join(folder, "qemu.log")
            run = Run(options, log)
            status = run.finish()
            text = ""
            if os.path.exists(log):
                with open(log, encoding="utf-8", errors="replace") as file:
                    text = file.read()
            return judge(status, run.conversation, forbidden_lines(text, allowed))
    except (OSError, ValueError) as problem:
        complain(str(problem))
        return CANNOT_START


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
