#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a program that looks at signals natively and on the machine. Prints TAP.

    signals.py NATIVE PROGRAM CARD COMMAND...      COMMAND --card IMAGE runs a machine

NATIVE and PROGRAM are the same, for the host and for the machine; an empty file stands for what
could not be compiled. Each of their cases is one here: it has to say the same on both.
"""
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "os"))
from tap import Tap  # noqa: E402

MARK = "-- "


def cases(text):
    """{name: what it said}."""
    found, name = {}, None
    for line in text.splitlines():
        if line.startswith(MARK):
            name = line[len(MARK):]
            found[name] = ""
        elif name and not line.endswith(" cases"):
            found[name] += line + "\n"
        else:
            name = None
    return found


def run_native(program, folder):
    done = subprocess.run([program], cwd=folder, stdout=subprocess.PIPE, timeout=100, check=False)
    return done.stdout.decode()


def run_machine(command, program, card, folder):
    mine = folder / "card.img"
    subprocess.run(["cp", "--sparse=always", card, mine], check=True)
    subprocess.run(["mcopy", "-i", "%s@@1M" % mine, program, "::/signals"], check=True)
    try:
        said = subprocess.run(command + ["--card", str(mine)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, input=b"run /signals\rpoweroff\r",
                              timeout=250, check=False).stdout
    except subprocess.TimeoutExpired as ended:
        said = (ended.stdout or b"") + b"\nit did not end\n"
    return said.decode("utf-8", "replace").replace("\r", "")


def main():
    native, program, card = (pathlib.Path(word).resolve() for word in sys.argv[1:4])
    tap = Tap()
    if native.stat().st_size == 0 or program.stat().st_size == 0:
        tap.skip("signals", "a C compiler with musl for both machines")
        return tap.end()
    with tempfile.TemporaryDirectory() as folder:
        expected = run_native(native, folder)
        said = run_machine(sys.argv[4:], program, card, pathlib.Path(folder))
    want, got = cases(expected), cases(said)
    for name, text in want.items():
        detail = "natively:\n%shere:\n%s" % (text, got.get(name, said))
        tap.case(got.get(name) == text, name, detail)
    tap.case(len(want) > 40 and "\n%d cases\n" % len(want) in said, "%d cases" % len(want), said)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
