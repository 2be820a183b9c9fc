#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Small C programs over all groups of system calls, natively and on Tayberry. Prints TAP.

    programs.py exec TAYBERRY FOLDER NAME...
    programs.py boot FOLDER NAMES... -- COMMAND...

FOLDER has each program as the build made it for this machine. What it prints and its status
natively, in an empty folder, is what it must print on Tayberry:

exec    by `tayberry --exec`, one fresh OS a program: standard output and errors apart
boot    COMMAND boots a card once, on which all are in /bin, and whose init (run-programs) runs
        one after the other: output and errors together. Those of the card are in FOLDER's parent.
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "os"))
from tap import Tap  # noqa: E402

INPUT = b"one\ntwo words\n\nlast, without an end"
LIMIT = 60
MARK = re.compile(rb"^==== (\w+) (\w+)$", re.MULTILINE)


def status_of(code):
    """As a shell tells it."""
    return 128 - code if code < 0 else code


def expect_signals():
    """In a child: whoever has started this may ignore some, as shells do in the background."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def native(folder, name, together):
    """(output, errors, status)"""
    with tempfile.TemporaryDirectory() as empty:
        errors = subprocess.STDOUT if together else subprocess.PIPE
        try:
            done = subprocess.run([folder / name], input=INPUT, stdout=subprocess.PIPE,
                                  stderr=errors, cwd=empty, timeout=LIMIT, check=False,
                                  preexec_fn=expect_signals)
        except subprocess.TimeoutExpired as ended:
            return ended.stdout or b"", b"", "not within %d s" % LIMIT
    return done.stdout, done.stderr or b"", status_of(done.returncode)


def compare(tap, name, wanted, found):
    detail = "natively %r\non Tayberry %r" % (wanted, found)
    tap.case(wanted == found, name, detail)


def missing(folder, names):
    """True if the programs could not be compiled: then a file is empty."""
    return any((folder / name).stat().st_size == 0 for name in names)


def run_exec(tayberry, folder, names):
    tap = Tap()
    if missing(folder, names):
        tap.skip("programs", "musl-gcc")
        return tap.end()
    for name in names:
        done = subprocess.run([tayberry, *os.environ.get("TAYBERRY_OPTIONS", "").split(),
                               "--timeout", str(LIMIT), "--exec", folder / name], input=INPUT,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        compare(tap, name, native(folder, name, False),
                (done.stdout, done.stderr, status_of(done.returncode)))
    print("# %d programs" % len(names))
    return tap.end()


def split_run(said):
    """{name: (output, status)} of what run-programs prints."""
    found, last = {}, None
    for match in MARK.finditer(said):
        if match.group(1) == b"run":
            last = (match.group(2).decode(), match.end() + 1)
        elif match.group(1) == b"status" and last is not None:
            found[last[0]] = (said[last[1]:match.start() - 1], int(match.group(2)))
    return found


def run_boot(folder, names, command):
    tap = Tap()
    if missing(folder, names) or missing(folder.parent, names):
        tap.skip("programs", "musl for both machines")
        return tap.end()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, check=False)
    found = split_run(done.stdout.replace(b"\r", b""))
    tap.case(done.returncode == 0, "the machine ends well", done.stdout[-2000:].decode("latin-1"))
    for name in names:
        output, _, status = native(folder, name, True)
        compare(tap, name, (output, status), found.get(name))
    print("# %d programs in one boot" % len(names))
    return tap.end()


def main():
    if sys.argv[1] == "exec":
        return run_exec(sys.argv[2], pathlib.Path(sys.argv[3]).resolve(), sys.argv[4:])
    at = sys.argv.index("--")
    return run_boot(pathlib.Path(sys.argv[2]).resolve(), sys.argv[3:at], sys.argv[at + 1:])


if __name__ == "__main__":
    sys.exit(main())
