#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Real programs at work, on one machine in one boot. Prints TAP.

    work.py PACKAGES.JSON COMMAND...      COMMAND boots a card whose init is run-work

A long script of BusyBox's shell (script.sh); one script in bash, zsh and mksh (shells.sh); sash;
and Lua and SQLite's shell, built from their sources. What each has to say is in expected/, the same
for both machines. Where this host can run BusyBox's package, or has bash, they say it natively
first.

What could not be fetched or built is not on the card, and its cases are skipped.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "os"),
                str(HERE.parent.parent.parent / "images")]
import mksystem  # noqa: E402
from programs import split_run  # noqa: E402
from tap import Tap  # noqa: E402

# (name, what it has to say, status)
WORK = (("script", "script", 0), ("bash", "shells", 42), ("zsh", "shells", 42),
        ("mksh", "shells", 42), ("sash", "sash", 0), ("lua", "lua", 7),
        ("sqlite", "sqlite", 3))


def expected(name):
    return (HERE / "expected" / (name + ".txt")).read_bytes()


def run_natively(busybox):
    """What script.sh says on this host, with nothing but this BusyBox; None: it cannot be run."""
    with tempfile.TemporaryDirectory() as folder:
        links, empty = pathlib.Path(folder) / "bin", pathlib.Path(folder) / "empty"
        links.mkdir()
        empty.mkdir()
        for name in mksystem.applets(busybox.read_bytes()):
            (links / name).symlink_to(busybox)
        try:
            done = subprocess.run([busybox, "sh", HERE / "script.sh"], cwd=empty, check=False,
                                  env={"PATH": str(links), "HOME": "/"}, stdout=subprocess.PIPE,
                                  stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, timeout=100)
        except OSError:
            return None
    return done.stdout


def differences(wanted, found):
    """The first line that differs, for people."""
    for number, (a, b) in enumerate(zip(wanted.splitlines(), found.splitlines()), 1):
        if a != b:
            return "line %d: wanted %r, found %r" % (number, a, b)
    return "%d lines, %d wanted" % (len(found.splitlines()), len(wanted.splitlines()))


def main():
    packages = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))["packages"]
    tap = Tap()
    if "busybox-static" not in packages:
        tap.skip("programs at work", "the package busybox-static")
        return tap.end()
    busybox = pathlib.Path(packages["busybox-static"]["folder"]).resolve() / "bin/busybox"
    natively = run_natively(busybox)
    if natively is not None:
        tap.case(natively == expected("script"), "script.sh natively",
                 differences(expected("script"), natively))
    done = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, check=False)
    said = done.stdout.replace(b"\r", b"")
    found = split_run(said)
    tap.case(done.returncode == 0, "the machine ends well", said[-2000:].decode("latin-1"))
    for name, wanted, status in WORK:
        if b"==== absent " + name.encode() + b"\n" in said:
            tap.skip(name, "it")
            continue
        text, code = found.get(name, (b"", None))
        tap.case(text == expected(wanted) and code == status, "%s at work" % name,
                 "%s; status %s" % (differences(expected(wanted), text), code))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
