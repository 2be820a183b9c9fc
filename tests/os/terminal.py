#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A person at the terminal: BusyBox's ash with job control, vi, less and top. Prints TAP.

    terminal.py SYSTEM.IMG PACKAGES.JSON sim TAYBERRY [OPTION...]
    terminal.py SYSTEM.IMG PACKAGES.JSON pi3 KERNEL8.IMG [OPTION...]

The machine's serial line is a pipe in both directions; what comes out of it is drawn on a screen of
24 lines and 80 columns by pyte (python3-pyte), which stands for the person's terminal. The same is
typed on both machines. Nothing here depends on how long something takes: a step waits for what it
wants to see, and only a failure takes PATIENCE seconds.
"""
import argparse
import fcntl
import json
import os
import pathlib
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

from tap import Tap

PATIENCE = int(os.environ.get("TAYBERRY_PATIENCE", "60"))
INTERRUPT, END, QUIT, SUSPEND, ESCAPE = "\x03", "\x04", "\x1c", "\x1a", "\x1b"
# ash asks where the cursor is, after each prompt; what it is called among what was said.
WHERE, ASKED = "\x1b[6n", "\x05"


class Missing(Exception):
    """What was waited for did not come."""


class Person:
    """Types, and looks at the screen."""

    def __init__(self, command, pyte, pty=None):
        keys, line = pty or (None, subprocess.PIPE)
        own = (lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) if pty else None
        self.machine = subprocess.Popen(command, stdin=line, stdout=line, bufsize=0,
                                        start_new_session=True, preexec_fn=own)
        if pty:
            os.close(line)
        self.keys = keys if pty else self.machine.stdin.fileno()
        self.said_on = keys if pty else self.machine.stdout.fileno()
        self.screen = pyte.Screen(80, 24)
        self.stream = pyte.ByteStream(self.screen)
        self.said = b""  # since the last time that something was waited for

    def look(self):
        """Takes what the machine says within a moment. False: it has ended."""
        if not select.select([self.said_on], [], [], 0.2)[0]:
            return True
        said = os.read(self.said_on, 65536)
        self.stream.feed(said)
        for _ in range(said.count(WHERE.encode())):
            place = "\x1b[%d;%dR" % (self.screen.cursor.y + 1, self.screen.cursor.x + 1)
            self.send(place)
        self.said += said
        return bool(said)

    def send(self, text):
        os.write(self.keys, text.encode())

    def wait(self, done, what):
        limit = time.monotonic() + PATIENCE
        while not done():
            if time.monotonic() > limit or not self.look():
                raise Missing("%s did not come; the screen:\n%s\nsaid: %r" %
                              (what, "\n".join(self.lines()), self.said[-400:]))

    def text(self):
        """What was said, without escape sequences but for ASKED."""
        said = self.said.decode(errors="replace").replace(WHERE, ASKED)
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said)

    def until(self, pattern):
        """Waits until what was said has `pattern`: what it matched. Forgets what was said."""
        found = []

        def done():
            found[:] = [match for match in [re.search(pattern, self.text())] if match]
            return bool(found)

        self.wait(done, "/%s/" % pattern)
        self.said = self.text()[found[0].end():].encode()
        return found[0].group(0)

    def prompt(self, before=""):
        """Waits for a prompt behind `before`, and until ash has its answer: one that came behind
        the next command would be taken by who reads then."""
        return self.until(before + r"# %s$" % ASKED)

    def command(self, text):
        """Types a command, and returns what it says."""
        self.send(text + "\r")
        self.until(re.escape(text) + r"\s*\r\n")
        said = self.prompt(r"(?s)^.*?[~/]\S*")
        return said[:said.rindex("\n") + 1 if "\n" in said else 0].replace("\r", "")

    def jobs(self, pattern):
        """Asks for the shell's jobs until one is so."""
        limit, said = time.monotonic() + PATIENCE, ""
        while not re.search(pattern, said):
            assert time.monotonic() < limit, "no job is /%s/: %s" % (pattern, said)
            said = self.command("jobs")

    def start(self, program):
        """Starts a program, and returns when it is in the foreground, and the keys are its own."""
        self.send("sh -c 'echo no''w; exec %s'\r" % program)
        self.until(r"\r\nnow\r\n")

    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def until_shown(self, pattern):
        """Waits until the screen has a line that is `pattern`."""
        self.wait(lambda: any(re.search(pattern, line) for line in self.lines()),
                  "a line /%s/" % pattern)

    def leave(self):
        os.killpg(self.machine.pid, signal.SIGKILL)  # it leads a group of its own
        self.machine.wait()


def has(said, text):
    """What a command said is to contain `text`."""
    if text not in said:
        raise Missing("%r in %r" % (text, said))


# ---- cases: each begins and ends at ash's prompt; an assertion or Missing is a failure ----

def test_keys(person):
    """lines are edited and echoed, and Ctrl-V takes a key as it is"""
    person.start("cat")
    person.send("one twx\x7fo\x17three\r")
    person.until("one three\r\n")
    person.send("gone\x15left\x16\x03\r")
    person.until("left\x03\r\n")
    person.send(END)
    person.prompt()


def test_interrupt(person):
    """Ctrl-C and Ctrl-\\ end what is in the foreground"""
    person.start("sleep 1000")
    person.send(INTERRUPT)
    person.prompt()
    has(person.command("echo status $?"), "status 130")
    person.send("echo no''w; cat\r")
    person.until(r"\r\nnow\r\n")
    person.send("here\r")
    person.until("here\r\nhere\r\n")
    person.send(QUIT)
    person.prompt()
    has(person.command("echo status $?"), "status 131")


def test_typed_ahead(person):
    """Ctrl-C acts though nobody has read what was typed before it"""
    person.start("sleep 1000")
    person.send("0123456789abcdefghijklmnopqrstuvwxyz\r" * 300)
    person.send(INTERRUPT)
    person.prompt()
    has(person.command("echo status $?"), "status 130")


def test_jobs(person):
    """Ctrl-Z, jobs, bg and kill %1"""
    person.start("sleep 1000")
    person.send(SUSPEND)
    person.until(r"Stopped +sh -c")
    person.prompt()
    said = person.command("jobs")
    assert re.search(r"\[1\]\+ +Stopped +sh -c", said), said
    has(person.command("bg"), "[1] sh -c")
    said = person.command("jobs")
    assert re.search(r"\[1\]\+ +Running +sh -c", said), said
    person.command("kill %1")
    person.command("wait")
    assert person.command("jobs").strip() == ""


def test_background(person):
    """who is in the background stops when it reads, and with tostop when it writes; fg"""
    person.command("cat &")
    person.jobs(r"Stopped \(tty input\) +cat")
    person.send("fg\r")
    person.until(r"fg\s*\r\ncat\r\n")
    person.send("hello\r")
    person.until("hello\r\nhello\r\n")
    person.send(SUSPEND)
    person.until(r"Stopped +cat")
    person.prompt()
    person.send("fg\r")
    person.until(r"fg\s*\r\ncat\r\n")
    person.send("more\r")
    person.until("more\r\nmore\r\n")
    person.send(END)
    person.prompt()
    person.command("stty tostop; echo loud &")
    person.jobs(r"Stopped \(tty output\)")
    person.send("fg\r")
    person.until(r"\r\nloud\r\n")
    person.prompt()
    person.command("stty -tostop")


def test_settings(person):
    """stty changes echo, and what a byte-by-byte read waits for"""
    person.send("stty -echo; echo no''w; read x; stty echo; echo \"got $x\"\r")
    person.until(r"\r\nnow\r\n")
    person.send("secret\r")
    assert "secret" not in person.until("got secret")[:-len("got secret")]
    person.prompt()
    for time in 0, 2:
        said = person.command("stty -icanon min 0 time %d; dd count=1; stty sane" % time)
        has(said, "0+0 records in")
    for least, time, keys in ((3, 0, "ab|c"), (9, 9, "def"), (2, 9, "gh")):
        person.send("stty -icanon min %d time %d; echo no''w; dd count=1 | od -c; stty sane\r" %
                    (least, time))
        person.until(r"\r\nnow\r\n")
        for part in keys.split("|"):
            person.send(part)
            person.until(part)
        person.until(r"%s\s*\r\n" % " +".join(keys.replace("|", "")))
        person.prompt()


def test_size(person):
    """the size can be asked and set, and a change is signalled"""
    has(person.command("stty size"), "24 80")
    said = person.command("sh -c \"trap 'echo chan''ged' WINCH; stty rows 30; stty size\"")
    assert "30 80" in said and "changed" in said, said
    person.command("stty rows 24")


def test_hold(person):
    """Ctrl-S and Ctrl-Q"""
    person.start("cat")
    person.send("\x13held\r\x11")
    person.until("held\r\nheld\r\n")
    person.send(END)
    person.prompt()


def test_tty(person):
    """/dev/tty is the terminal, and what is no terminal says so"""
    has(person.command("tty"), "/dev/")
    has(person.command("echo thr'ough' > /dev/tty"), "through")
    has(person.command("tty < /dev/null"), "not a tty")
    person.command("setsid sh -c 'cat < /dev/tty' 2>/tmp/why")
    said = person.command("until grep . /tmp/why; do sleep 0.1; done")
    has(said, "No such device or address")


def test_hang_up(person):
    """the end of a session hangs up who has stopped in it"""
    person.command("sleep 1234 &")
    person.command("cat &")
    person.jobs(r"Stopped \(tty input\)")
    person.send("exit\r")
    person.prompt(r"(?s)stopped jobs.*")
    person.send("exit\r")
    person.prompt(r"(?s)BusyBox.*[~/]\S*")
    said = person.command("while ps | grep -q '[ ]cat$'; do sleep 0.1; done; echo gone")
    assert said.strip() == "gone", said
    person.command("killall sleep")


def test_vi(person):
    """vi writes a file"""
    person.send("vi /tmp/letter\r")
    person.until_shown(r"^- /tmp/letter ")
    assert person.lines()[1] == "~" and person.lines()[22] == "~", person.lines()
    for keys, line in (("ifirst line\rsecond lime\r third", r"^ third$"), ("kxxp", r"^ third$"),
                       ("1GA, longer", r"^first line, longer$"), ("2GI2: ", r"^2: ")):
        person.send(keys)
        person.until_shown(line)
        if "x" not in keys:  # ESC and a letter at once would be another key
            person.send(ESCAPE)
            person.until_shown(r"^- /tmp/letter ")
    person.send(":%s/first/last/\r")
    person.until_shown(r"^last line, longer$")
    person.send(":wq\r")
    person.prompt(r"[~/]\S*")
    said = person.command("cat /tmp/letter")
    assert said.splitlines()[0] == "last line, longer" and "2: " in said, said


def test_less(person):
    """less pages through what comes from a pipe, with its keys from the terminal"""
    person.send("seq 1 200 | less\r")
    person.until_shown(r"^23$")
    assert person.lines()[:2] == ["1", "2"], person.lines()
    person.send(" ")
    person.until_shown(r"^46$")
    assert person.lines()[0] == "24", person.lines()
    person.send("G")
    person.until_shown(r"^200$")
    person.send("g/77\r")
    person.until_shown(r"^99$")
    assert person.lines()[0] == "77", person.lines()
    person.send("q")
    person.prompt(r"[~/]\S*")


def test_top(person):
    """top shows processes until q"""
    person.send("top -d 1\r")
    person.until_shown(r"^ *PID +PPID")
    person.until_shown(r"\btop\b")
    assert person.lines()[0].startswith("Mem:"), person.lines()
    person.send("q")
    person.prompt(r"[~/]\S*")


CASES = (test_tty, test_keys, test_interrupt, test_typed_ahead, test_jobs, test_background,
         test_settings, test_size, test_hold, test_vi, test_less, test_top, test_hang_up)


def test_window(tap, command, pyte):
    """On a terminal of the host's, the guest's is as large, and follows it."""
    keys, line = os.openpty()
    fcntl.ioctl(keys, termios.TIOCSWINSZ, struct.pack("4H", 33, 70, 0, 0))
    person = Person(command, pyte, (keys, line))
    name = "the terminal is as large as that of the host, and follows it"
    try:
        person.prompt()
        has(person.command("stty size"), "33 70")
        person.send("sh -c \"trap 'stty size' WINCH; echo no''w; while :; do sleep 0.1; done\"\r")
        person.until(r"\r\nnow\r\n")
        fcntl.ioctl(keys, termios.TIOCSWINSZ, struct.pack("4H", 21, 60, 0, 0))
        person.until(r"21 60\r\n")
        tap.case(True, name)
    except Missing as problem:
        tap.case(False, name, problem)
    finally:
        person.leave()


def command_of(card, arguments):
    kind, program, *options = arguments
    if kind == "sim":
        return [program, "--headless", "--card", card, "--read-only", "--timeout", "600"] + options
    tests = pathlib.Path(__file__).resolve().parent.parent
    sys.path.insert(0, str(tests / "pi3"))
    import run_qemu  # pylint: disable=import-outside-toplevel
    asked = argparse.Namespace(qemu="qemu-system-aarch64", kernel=program, card=card,
                               read_only=True, append=options, extra=[])
    return ["timeout", "600"] + run_qemu.qemu_command(asked, "/dev/null")


def run_case(tap, person, case):
    name = case.__doc__
    try:
        case(person)
        tap.case(True, name)
        return True
    except (Missing, AssertionError) as problem:
        tap.case(False, name, problem)
        return False


def main():
    sys.stdout.reconfigure(line_buffering=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and the machine ends too
    tap = Tap()
    card, packages, *rest = sys.argv[1:]
    found = json.loads(pathlib.Path(packages).read_text(encoding="utf-8"))["packages"]
    try:
        import pyte  # pylint: disable=import-outside-toplevel
    except ImportError:
        tap.skip("a person at the terminal", "python3-pyte")
        return tap.end()
    if "busybox-static" not in found:
        tap.skip("a person at the terminal", "the package busybox-static")
        return tap.end()
    chosen = os.environ.get("TAYBERRY_CASES", "").split()
    person = Person(command_of(card, rest), pyte)
    try:
        person.prompt()
        for case in CASES:
            if chosen and case.__name__ not in chosen:
                continue
            if not run_case(tap, person, case):
                break
    finally:
        person.leave()
    if rest[0] == "sim" and not chosen:
        test_window(tap, command_of(card, rest), pyte)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
