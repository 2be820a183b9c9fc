# SPDX-License-Identifier: MIT
"""The `tayberry` program seen from outside: what a person, a script and a CI job rely on.

1. Every exit status of tayberry(1) is reached, and means what the page says.
2. Bad usage and bad files give one line that names the culprit, and status 125.
3. Nothing that is done to standard input and output makes it hang or die of a signal.
4. A terminal is raw while the guest runs and as before afterwards, however the program ended.
5. With the virtual clock the same input gives the same bytes.
"""
import errno
import fcntl
import os
import pty
import pwd
import re
import select
import shutil
import signal
import subprocess
import tempfile
import termios
import time
import unittest

TAYBERRY = os.environ["TAYBERRY"]
CARD = os.environ["TAYBERRY_CARD"]
GUI = os.environ.get("TAYBERRY_GUI", "")
PATIENCE = 60

ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}


def tayberry(*options, text="", **how):
    """Runs the program to its end with `text` as its piped input."""
    how.setdefault("stdout", subprocess.PIPE)
    return subprocess.run([TAYBERRY, *options], input=text.encode(), stderr=subprocess.PIPE,
                          env=ENVIRONMENT, timeout=PATIENCE, check=False, **how)


def virtual(*options, text="", **how):
    return tayberry("--clock", "virtual", *options, text=text, **how)


def shell(command):
    """Runs a line of the shell, in which $T is the program and $C the card."""
    return subprocess.run(["sh", "-c", command], env=dict(ENVIRONMENT, T=TAYBERRY, C=CARD),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE,
                          check=False)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="tayberry-program-")
        self.addCleanup(shutil.rmtree, self.folder, True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def check_refusal(self, done, *words):
        """One line of complaint with these words in it, and 125."""
        message = done.stderr.decode()
        self.assertEqual(done.returncode, 125, message)
        self.assertEqual(len(message.splitlines()), 1, message)
        self.assertTrue(message.startswith("tayberry: "), message)
        for word in words:
            self.assertIn(word, message)


class Search(Case):
    """Looking for schedules: docs/SEARCH.md."""

    def search(self, name, *options):
        return tayberry("--headless", "--jobs", "1", "--append",
                        "sched=search ktest=" + name, *options)

    def check_found(self, name, place, preemptions, *options):
        done = self.search(name, *options)
        text = done.stdout.decode()
        self.assertEqual(done.returncode, 1, text)
        self.assertIn("preemptions: %d." % preemptions, text)
        self.assertIn(" is preempted, and crew ", text)
        self.assertRegex(text, r"\n  in .*%s" % place)
        steps = re.search(r"--seed 0 --schedule '([^']*)'", text).group(1)
        runs = [virtual("--append", "sched=search ktest=" + name, "--schedule", steps,
                        "--expect-text", "# 1 passed") for _ in range(2)]
        self.assertNotEqual(runs[0].returncode, 0)
        self.assertEqual(runs[0].returncode, runs[1].returncode)
        # A panic shows registers, in which are addresses of the host.
        shown = [re.sub(rb"[0-9a-f]{16}", b"", run.stdout) for run in runs]
        self.assertEqual(shown[0], shown[1])

    def test_chance_finds_and_explains(self):
        self.check_found("broken.lost_update", r"account_(read|write)", 1, "--chance", "10")
        self.check_found("broken.lock_order", "part_forks", 1, "--chance", "10")

    def test_priorities_find_and_explain(self):
        self.check_found("broken.lost_update", r"account_(read|write)", 1, "--pct", "2")

    def test_few_preemptions_find_the_least(self):
        self.check_found("broken.lost_wake_up", "part_parcel", 1, "--preemptions", "2")
        self.check_found("broken.torn_record", "record_", 2, "--preemptions", "2")

    def test_each_strategy_finds_with_several_cpus(self):
        """Whichever of the crew runs first: with the kernel's own policy, that is not always
        crew 0, which may come when the other has ended already."""
        for cpus in ("2", "3", "4"):
            for words in ("sched=search ", ""):
                for options in (("--chance", "10"), ("--pct", "2"), ("--preemptions", "1")):
                    with self.subTest(cpus=cpus, words=words, options=options):
                        done = tayberry("--headless", "--cpus", cpus, "--append",
                                        words + "ktest=broken.lost_update", *options)
                        text = done.stdout.decode()
                        self.assertEqual(done.returncode, 1, text)
                        self.assertIn("account.balance == 2", text)
                        self.assertRegex(text, r"shrink to [12] ")

    def test_a_seed_that_fails_is_repeated_and_a_schedule_like_it_is_shrunk(self):
        done = tayberry("--headless", "--cpus", "2", "--append", "ktest=broken.lost_update",
                        "--seeds", "1..1000")
        text = done.stdout.decode()
        self.assertEqual(done.returncode, 1, text)
        seed = re.search(r"--append 'ktest=broken.lost_update' --seed (\d+)\n", text).group(1)
        again = virtual("--cpus", "2", "--append", "ktest=broken.lost_update", "--seed", seed)
        self.assertIn(b"account.balance == 2", again.stdout)
        self.assertRegex(text, r"shrink to [12] ")
        self.assertRegex(text, r"--append 'sched=search ktest=broken.lost_update' --seed \d+ "
                               r"--schedule '\d+")

    def test_what_is_sound_passes(self):
        done = self.search("mutex.first_come_first_served", "--chance", "10", "--seeds", "1..20")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn(b"nothing went wrong", done.stdout)

    def test_bad_steps_are_refused(self):
        for steps in ("4>", "x", "4>1,", "4.99999999>1", "5>1,4>1", "4@9", "4>1;5>1"):
            with self.subTest(steps=steps):
                done = virtual("--schedule", steps)
                self.assertEqual(done.returncode, 125)
                self.assertRegex(done.stderr, rb"(step|point)")

    def test_schedules_need_the_virtual_clock(self):
        done = tayberry("--headless", "--clock", "real", "--schedule", "4>1")
        self.assertEqual(done.returncode, 125)
        self.assertIn(b"virtual clock", done.stderr)


class Options(Case):
    def test_help_lists_every_option_of_the_manual(self):
        done = tayberry("--help")
        self.assertEqual(done.returncode, 0)
        page = os.path.join(os.path.dirname(__file__), "../../hal-sim/program/tayberry.1")
        with open(page, encoding="utf-8") as file:
            manual = file.read().replace("\\-", "-")
        for word in done.stdout.decode().split():
            if word.startswith("--"):
                self.assertIn(word, manual)
        self.assertGreater(done.stdout.decode().count("\n  --"), 15)

    def test_version_is_printed(self):
        done = tayberry("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout.decode(), r"^tayberry \d+\.\d+\.\d+\n$")

    def test_unknown_option_is_named(self):
        self.check_refusal(tayberry("--colour"), "--colour", "--help")

    def test_stray_word_is_named(self):
        self.check_refusal(tayberry("card.img"), "'card.img'", "--card")

    def test_missing_value_is_named(self):
        for option in ("--card", "--memory", "--seed", "--timeout", "--expect-text"):
            self.check_refusal(tayberry(option), option, "needs a value")

    def test_value_of_a_flag_is_refused(self):
        self.check_refusal(tayberry("--headless=yes"), "--headless")

    def test_bad_values_are_named(self):
        bad = {
            "--memory": ("", "0", "M", "12Q", "64MM", "-1", "99999999999999999999",
                         "17179869184G", "1e9", " 64M"),
            "--seed": ("", "x", "-1", "18446744073709551616", "0x", "1.5"),
            "--cpus": ("", "0", "5", "x", "-1", "1.5", "99999999999999999999"),
            "--stall-limit": ("0", "-1", "x", ""),
            "--timeout": ("0", "-1", "nan", "inf", "1s", ".", "1.2.3", "0x10", ""),
            "--timeout-exit-code": ("256", "-1", "x", ""),
            "--display": ("640", "640x", "x480", "0x480", "640x480x2", "99999x1", "-1x5"),
            "--clock": ("", "fast", "Real"),
            "--boot-tags": ("", "fdt", "ATAGS", "dtb,atags"),
            "--expect-text": ("",),
            "--fail-text": ("",),
            "--card": ("",),
            "--seeds": ("", "5", "5..", "..5", "7..5", "0..0", "1..x"),
            "--chance": ("", "0", "x"),
            "--pct": ("", "0", "18"),
            "--preemptions": ("", "10", "x", "-1"),
            "--jobs": ("0", "65"),
            "--limit": ("0", "x"),
        }
        for option, values in bad.items():
            for value in values:
                with self.subTest(option=option, value=value):
                    self.check_refusal(tayberry(option + "=" + value), option, "'%s'" % value)

    def test_last_of_two_counts(self):
        done = virtual("--memory=1", "--memory", "16M", text="poweroff 3\n")
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"16 MiB", done.stdout)

    def test_sizes_have_suffixes(self):
        for size in ("32M", "32m", "32768K", "33554432", "0x2000000"):
            with self.subTest(size=size):
                done = virtual("--memory", size, text="poweroff\n")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(b"32 MiB", done.stdout)

    def test_too_little_memory_is_refused(self):
        self.check_refusal(tayberry("--memory", "1M"), "memory", "2 MiB")

    def test_too_much_memory_is_refused(self):
        self.check_refusal(tayberry("--memory", "2G"), "memory")

    def test_append_reaches_the_kernel(self):
        done = virtual("--append", "quantum=5ms hello=world", text="atags\npoweroff\n")
        self.assertIn(b"quantum=5ms hello=world", done.stdout)

    def test_boot_tags_are_of_the_kind_that_is_asked_for(self):
        for kind, says in (("atags", b"MEM  "), ("dtb", b"device tree")):
            with self.subTest(kind=kind):
                done = virtual("--boot-tags", kind, "--append", "hello=world",
                               text="tags\ndmesg\npoweroff\n")
                self.assertIn(says, done.stdout)
                self.assertIn(b"command line: hello=world", done.stdout)

    def test_append_that_is_too_long_is_refused(self):
        self.check_refusal(tayberry("--append", "x" * 5000), "command line")


class Statuses(Case):
    def test_poweroff_gives_the_status(self):
        for status in (0, 1, 7, 99, 119, 255):
            with self.subTest(status=status):
                done = virtual(text="poweroff %d\n" % status)
                self.assertEqual(done.returncode, status)
                self.assertEqual(done.stderr, b"")

    def test_poweroff_gives_the_status_by_the_real_clock_too(self):
        done = tayberry("--headless", text="poweroff 7\n")
        self.assertEqual(done.returncode, 7)

    def test_a_loop_without_interrupt_points_is_a_panic_that_names_it(self):
        # spawn's pure loops call nothing for 2^26 turns.
        done = virtual("--headless", "--stall-limit", "0.01", text="spawn 1 1s --pure\n")
        said, complaint = done.stdout.decode(), done.stderr.decode()
        self.assertEqual(done.returncode, 134, complaint)
        self.assertRegex(said, r"what:  CPU 0 makes no progress for 0\.010 s: .*edge-grained")
        self.assertRegex(said, r"who:   thread \d+ \(busy-1\), CPU 0")
        if shutil.which("addr2line"):
            self.assertRegex(complaint, r"spawn_(count|pure) at core/shell/commands/threads\.c:\d+")

    def test_panic_is_134(self):
        done = virtual(text="panic\n")
        self.assertEqual(done.returncode, 134)
        self.assertIn(b"panic", done.stderr)

    def test_expected_text_ends_the_run_with_0(self):
        done = virtual("--expect-text", "two three", text="echo one\necho two three\necho four\n")
        self.assertEqual(done.returncode, 0)
        self.assertTrue(done.stdout.endswith(b"two three"), done.stdout)

    def test_expected_text_that_overlaps_itself_is_found(self):
        done = virtual("--expect-text", "ababac", text="echo abababac\n")
        self.assertEqual(done.returncode, 0)

    def test_expected_text_missing_at_power_off_is_120(self):
        done = virtual("--expect-text", "no such text", text="poweroff 0\n")
        self.assertEqual(done.returncode, 120)
        self.assertIn(b"no such text", done.stderr)

    def test_expected_text_missing_at_the_end_of_input_is_120(self):
        self.assertEqual(virtual("--expect-text", "no such text").returncode, 120)

    def test_expected_text_missing_at_the_time_out_is_120(self):
        done = tayberry("--expect-text", "no such text", "--timeout", "0.3", text="sleep 100\n")
        self.assertEqual(done.returncode, 120)

    def test_fail_text_is_120(self):
        done = virtual("--fail-text", "oops", text="echo oops\npoweroff 0\n")
        self.assertEqual(done.returncode, 120)
        self.assertIn(b"fail text", done.stderr)

    def test_first_of_two_texts_decides(self):
        options = ("--expect-text", "good", "--fail-text", "bad")
        self.assertEqual(virtual(*options, text="echo good bad\n").returncode, 0)
        self.assertEqual(virtual(*options, text="echo bad good\n").returncode, 120)

    def test_time_out_is_124(self):
        started = time.monotonic()
        done = tayberry("--timeout", "0.5", text="sleep 100\n")
        self.assertEqual(done.returncode, 124)
        self.assertIn(b"time is up", done.stderr)
        self.assertLess(time.monotonic() - started, 20)

    def test_time_out_status_can_be_chosen(self):
        done = tayberry("--timeout", "0.3", "--timeout-exit-code", "42", text="sleep 100\n")
        self.assertEqual(done.returncode, 42)

    def test_time_out_ends_a_virtual_run_that_never_ends(self):
        done = virtual("--timeout", "0.5", text="blink GPIO17 1ms &\n")
        self.assertEqual(done.returncode, 124)

    def test_end_of_input_ends_an_idle_guest_with_0(self):
        for clock in ("real", "virtual"):
            with self.subTest(clock=clock):
                done = tayberry("--clock", clock, text="echo last words\n")
                self.assertEqual(done.returncode, 0)
                self.assertIn(b"last words", done.stdout)
                self.assertEqual(len(done.stderr.splitlines()), 1)
                self.assertIn(b"waits for input", done.stderr)

    def test_guest_goes_on_after_the_end_of_input(self):
        done = tayberry(text="sleep 1; poweroff 9\nsleep 1\npoweroff 9\n")
        self.assertEqual(done.returncode, 9)


class BadFiles(Case):
    def test_missing_card(self):
        self.check_refusal(tayberry("--card", self.path("nothing.img")), "nothing.img")

    def test_folder_as_card(self):
        self.check_refusal(tayberry("--card", self.folder), self.folder)

    def test_empty_card(self):
        open(self.path("empty.img"), "wb").close()
        done = virtual("--card", self.path("empty.img"), text="poweroff 5\n")
        if done.returncode == 125:
            self.check_refusal(done, "empty.img")
        else:
            self.assertEqual(done.returncode, 5, done.stderr)

    def test_truncated_card_boots_and_says_so(self):
        with open(CARD, "rb") as source, open(self.path("short.img"), "wb") as target:
            target.write(source.read(70000))
        done = virtual("--card", self.path("short.img"), text="ls\npoweroff 5\n")
        self.assertIn(done.returncode, (5, 125), done.stderr)

    def test_no_card_boots_and_says_so(self):
        done = virtual(text="ls\npoweroff 6\n")
        self.assertEqual(done.returncode, 6)
        self.assertIn(b"card", done.stdout)

    def test_card_without_permission(self):
        if os.geteuid() != 0:
            command, who = [TAYBERRY], {}
        else:
            nobody = pwd.getpwnam("nobody")
            command, who = [TAYBERRY], {"user": nobody.pw_uid, "group": nobody.pw_gid,
                                        "extra_groups": []}
        shutil.copy(CARD, self.path("secret.img"))
        os.chmod(self.path("secret.img"), 0)
        os.chmod(self.folder, 0o755)
        try:
            done = subprocess.run(command + ["--headless", "--card", self.path("secret.img")],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, env=ENVIRONMENT, timeout=PATIENCE,
                                  check=False, **who)
        except PermissionError:
            self.skipTest("the user 'nobody' cannot reach the program")
        self.check_refusal(done, "secret.img")

    def test_second_simulator_on_the_same_card_is_refused(self):
        shutil.copy(CARD, self.path("card.img"))
        first = subprocess.Popen([TAYBERRY, "--headless", "--card", self.path("card.img")],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT)
        try:
            first.stdout.read(1)
            self.check_refusal(tayberry("--card", self.path("card.img")), "card.img")
            done = virtual("--card", self.path("card.img"), "--read-only", text="poweroff 4\n")
            self.assertIn(done.returncode, (4, 125))
            first.stdin.write(b"poweroff 3\n")
            first.stdin.close()
            self.assertEqual(first.wait(PATIENCE), 3)
        finally:
            first.kill()
            first.wait()
            first.stdout.close()
        done = virtual("--card", self.path("card.img"), text="poweroff 2\n")
        self.assertEqual(done.returncode, 2, done.stderr)

    def test_log_in_a_missing_folder(self):
        self.check_refusal(tayberry("--serial-log-file", self.path("no/such/log")), "no/such/log")

    def test_vcd_in_a_missing_folder(self):
        self.check_refusal(tayberry("--vcd", self.path("no/such.vcd")), "no/such.vcd")

    def test_trace_in_a_missing_folder(self):
        self.check_refusal(tayberry("--trace", self.path("no/such.json")), "no/such.json")

    def test_full_disk_under_the_trace_spoils_status_0(self):
        for path in ("/dev/full", self.path("full.json")):
            if path != "/dev/full":
                os.symlink("/dev/full", path)
            done = virtual("--trace", path, text="poweroff 0\n")
            self.assertEqual(done.returncode, 125)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn(b"in full", done.stderr)

    def test_the_trace_repeats_from_the_seed(self):
        for name in ("trace.txt", "trace.json"):
            texts = []
            for seed in ("3", "3", "4"):
                done = virtual("--trace", self.path(name), "--seed", seed, "--cpus", "4",
                               text="spawn 3 5ms\nsleep 9ms\npoweroff\n")
                self.assertEqual(done.returncode, 0, done.stderr)
                with open(self.path(name), "rb") as file:
                    texts.append(file.read())
            self.assertEqual(texts[0], texts[1])
            self.assertNotEqual(texts[0], texts[2])
            self.assertIn(b"busy-3", texts[0])

    def test_full_disk_under_the_log_lets_the_guest_go_on(self):
        done = virtual("--serial-log-file", "/dev/full", text="echo still here\npoweroff 8\n")
        self.assertEqual(done.returncode, 8)
        self.assertIn(b"still here", done.stdout)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn(b"/dev/full", done.stderr)

    def test_full_disk_under_the_log_spoils_status_0(self):
        done = virtual("--serial-log-file", "/dev/full", text="poweroff 0\n")
        self.assertEqual(done.returncode, 125)

    def test_full_disk_under_the_vcd_spoils_status_0(self):
        done = virtual("--vcd", "/dev/full", text="blink GPIO17 1ms &\nsleep 1\npoweroff 0\n")
        self.assertEqual(done.returncode, 125)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_log_has_what_the_guest_printed(self):
        done = virtual("--serial-log-file", self.path("log"), text="echo hello\npoweroff\n")
        with open(self.path("log"), "rb") as log:
            self.assertEqual(log.read(), done.stdout)
        self.assertIn(b"hello", done.stdout)

    def test_vcd_has_the_pin(self):
        done = virtual("--vcd", self.path("pins.vcd"),
                       text="blink GPIO17 10ms &\nsleep 1\npoweroff\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path("pins.vcd"), encoding="ascii") as vcd:
            text = vcd.read()
        self.assertIn("$timescale 1 us $end", " ".join(text.split()))
        self.assertRegex(text, r"\$var wire 1 \S+ GPIO17 \$end")


@unittest.skipUnless(os.path.exists(GUI), "the window's module is not built")
class Pictures(Case):
    def test_screenshot_without_a_screen(self):
        done = virtual("--screenshot", self.path("board.png"), text="gpio GPIO17 on\npoweroff 3\n")
        self.assertEqual(done.returncode, 3, done.stderr)
        with open(self.path("board.png"), "rb") as picture:
            self.assertEqual(picture.read(8), b"\x89PNG\r\n\x1a\n")

    def test_screenshot_at_the_time_out(self):
        done = tayberry("--screenshot", self.path("board.png"), "--timeout", "0.3",
                        text="sleep 100\n")
        self.assertEqual(done.returncode, 124, done.stderr)
        self.assertGreater(os.path.getsize(self.path("board.png")), 1000)

    def test_the_timeline_in_the_picture_repeats_from_the_seed(self):
        pictures = []
        for options in (("--panel", "timeline"), ("--panel", "timeline"), ()):
            done = virtual("--screenshot", self.path("t.png"), "--cpus", "4", *options,
                           text="spawn 5 9ms &\nsleep 5ms\npoweroff\n")
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(self.path("t.png"), "rb") as file:
                pictures.append(file.read())
        self.assertEqual(pictures[0], pictures[1])
        self.assertNotEqual(pictures[0], pictures[2])

    def test_screenshot_that_cannot_be_written(self):
        self.check_refusal(tayberry("--screenshot", self.path("no/such.png")), "no/such.png")

    def test_broken_diagram_is_located(self):
        with open(self.path("diagram.json"), "w", encoding="ascii") as file:
            file.write('{"version": 1,\n "parts": [\n  {"id": "pi" "type": 3}]}\n')
        self.check_refusal(tayberry("--diagram", self.path("diagram.json")), "diagram.json:3")

    def test_a_panel_that_does_not_exist(self):
        self.check_refusal(tayberry("--panel", "radar"), "'memory'", "'timeline'")

    def test_missing_diagram(self):
        self.check_refusal(tayberry("--diagram", self.path("none.json")), "none.json")


@unittest.skipUnless(os.path.exists(GUI), "the window's module is not built")
class Windows(Case):
    """With a screen, where there is Xvfb to make one."""

    def run_with(self, display, *options, text=""):
        # The host's X11 libraries keep some memory to the end; that is not ours to judge.
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        return subprocess.run([TAYBERRY, *options], input=text.encode(), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=PATIENCE, check=False,
                              env=dict(ENVIRONMENT, DISPLAY=display, ASAN_OPTIONS=sanitizer))

    def on_a_screen(self, *options, text=""):
        if shutil.which("Xvfb") is None:
            self.skipTest("there is no Xvfb")
        read_end, write_end = os.pipe()
        server = subprocess.Popen(["Xvfb", "-displayfd", str(write_end), "-screen", "0",
                                   "1400x900x24", "-nolisten", "tcp"],
                                  pass_fds=[write_end], stderr=subprocess.DEVNULL)
        os.close(write_end)
        try:
            with os.fdopen(read_end, "rb") as pipe:
                display = ":" + pipe.readline().decode().strip()
            return self.run_with(display, *options, text=text)
        finally:
            server.terminate()
            server.wait(PATIENCE)

    def test_screen_that_does_not_answer_leaves_the_console(self):
        done = self.run_with(":987", text="echo no screen\npoweroff 7\n")
        self.assertEqual(done.returncode, 7, done.stderr)
        self.assertIn(b"no screen", done.stdout)
        self.assertIn(b"no window", done.stderr)

    def test_power_off_closes_the_window(self):
        done = self.on_a_screen(text="echo hello\npoweroff 9\n")
        self.assertEqual(done.returncode, 9, done.stderr)
        self.assertIn(b"hello", done.stdout)

    def test_time_out_closes_the_window_and_leaves_a_picture(self):
        done = self.on_a_screen("--timeout", "4", "--screenshot", self.path("w.png"),
                                text="blink GPIO17 100ms &\n")
        self.assertEqual(done.returncode, 124, done.stderr)
        with open(self.path("w.png"), "rb") as picture:
            self.assertEqual(picture.read(8), b"\x89PNG\r\n\x1a\n")

    def test_memory_is_shown_in_the_window(self):
        done = self.on_a_screen("--timeout", "4", "--panel", "memory", "--memory", "960M",
                                "--screenshot", self.path("m.png"), text="spawn 2 1s\n")
        self.assertEqual(done.returncode, 124, done.stderr)
        with open(self.path("m.png"), "rb") as picture:
            self.assertEqual(picture.read(8), b"\x89PNG\r\n\x1a\n")

    def test_the_timeline_is_shown_in_the_window(self):
        done = self.on_a_screen("--timeout", "4", "--panel", "timeline", "--panel", "memory",
                                "--cpus", "4", "--screenshot", self.path("t.png"),
                                text="spawn 5 1s\n")
        self.assertEqual(done.returncode, 124, done.stderr)
        with open(self.path("t.png"), "rb") as picture:
            self.assertEqual(picture.read(8), b"\x89PNG\r\n\x1a\n")

    def test_panic_in_the_window_is_134_in_the_end(self):
        done = self.on_a_screen("--timeout", "6", text="panic\n")
        self.assertEqual(done.returncode, 134, done.stderr)


class Streams(Case):
    def test_closed_standard_output_is_refused(self):
        self.check_refusal(shell("$T --headless </dev/null >&-"), "standard output is closed")

    def test_closed_standard_input_is_an_empty_one(self):
        done = shell("$T --clock virtual <&-")
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"Tayberry", done.stdout)

    def test_closed_standard_error_is_survived(self):
        done = shell("printf 'poweroff 3\\n' | $T --card $C --read-only 2>&-")
        self.assertEqual(done.returncode, 3)

    def test_everything_closed_is_survived(self):
        self.assertEqual(shell("$T <&- >&- 2>&-").returncode, 125)

    def test_full_disk_under_standard_output(self):
        done = shell("printf 'poweroff 3\\n' | $T >/dev/full")
        self.check_refusal(done, "standard output")

    def test_full_disk_under_help(self):
        self.check_refusal(shell("$T --help >/dev/full"), "standard output")

    def test_reader_that_leaves_ends_the_run(self):
        # Several times: the guest goes on printing while the program ends.
        for _ in range(20):
            done = shell("yes echo hello | (timeout 30 $T; echo $? >%s) | head -n 1; cat %s"
                         % (self.path("status"), self.path("status")))
            self.assertTrue(done.stdout.endswith(b"125\n"), done.stdout)
            self.assertIn(b"Broken pipe", done.stderr)

    def test_reader_that_sleeps_does_not_defeat_the_time_out(self):
        started = time.monotonic()
        done = shell("yes 'cat /data/big.bin' | (timeout 30 $T --card $C --read-only --timeout 1; "
                     "echo $? >%s) | sleep 8; cat %s" % (self.path("status"), self.path("status")))
        self.assertEqual(done.stdout.strip(), b"124", done.stderr)
        self.assertLess(time.monotonic() - started, 25)

    def test_all_of_a_long_input_arrives(self):
        lines = ["echo line-%04d\n" % i for i in range(500)]
        for clock in ("real", "virtual"):
            with self.subTest(clock=clock):
                done = tayberry("--clock", clock, text="".join(lines) + "poweroff 11\n")
                self.assertEqual(done.returncode, 11)
                text = done.stdout.decode()
                for i in range(500):
                    self.assertEqual(text.count("line-%04d" % i), 2, "line-%04d" % i)

    def test_line_noise_is_survived(self):
        noise = bytes((i * 167 + (i >> 5) * 41) & 255 for i in range(4096))
        done = subprocess.run([TAYBERRY, "--clock", "virtual", "--timeout", "30"],
                              input=noise + b"\n\x03\x15poweroff 12\n", stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=ENVIRONMENT, timeout=PATIENCE,
                              check=False)
        self.assertIn(done.returncode, (0, 12), done.stderr)

    def test_non_blocking_standard_output_loses_nothing(self):
        read_end, write_end = os.pipe()
        flags = fcntl.fcntl(write_end, fcntl.F_GETFL)
        fcntl.fcntl(write_end, fcntl.F_SETFL, flags | os.O_NONBLOCK)
        command = "help\n" * 200 + "echo the very end\npoweroff\n"
        with open(self.path("input"), "w", encoding="ascii") as file:
            file.write(command)
        with open(self.path("input"), "rb") as file:
            process = subprocess.Popen([TAYBERRY, "--clock", "virtual"], stdin=file,
                                       stdout=write_end, env=ENVIRONMENT)
        os.close(write_end)
        time.sleep(0.5)
        with os.fdopen(read_end, "rb") as pipe:
            text = pipe.read()
        self.assertEqual(process.wait(PATIENCE), 0)
        reference = virtual(text=command)
        self.assertEqual(text, reference.stdout)


class Repeatability(Case):
    SCRIPT = ("ls -l\nspawn 3 50ms\nps\nblink GPIO17 3ms &\nsleep 1\n"
              "hexdump /README.TXT\npoweroff 1\n")

    def test_same_seed_same_bytes(self):
        options = ("--card", CARD, "--read-only", "--seed", "5")
        first = virtual(*options, text=self.SCRIPT)
        self.assertEqual(first.returncode, 1)
        for _ in range(5):
            self.assertEqual(virtual(*options, text=self.SCRIPT).stdout, first.stdout)

    def test_pace_of_the_input_does_not_matter(self):
        whole = virtual("--card", CARD, "--read-only", text=self.SCRIPT).stdout
        parts = shell("(printf 'ls -l\\nspawn 3 50ms\\nps\\n'; sleep 0.3; "
                      "printf 'blink GPIO17 3ms &\\nsleep 1\\n'; sleep 0.2; "
                      "printf 'hexdump /README.TXT\\npoweroff 1\\n') | "
                      "$T --clock virtual --card $C --read-only")
        self.assertIn(b"poweroff 1", whole)
        self.assertEqual(parts.stdout, whole)


class Terminal(Case):
    """The program on a pseudo-terminal."""

    def setUp(self):
        super().setUp()
        self.master, self.slave = pty.openpty()
        self.addCleanup(os.close, self.master)
        self.addCleanup(os.close, self.slave)
        self.before = termios.tcgetattr(self.slave)
        self.text = b""

    def start(self, *options, **how):
        def own_terminal():
            for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)  # whatever our parent has us ignore
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        how.setdefault("stderr", subprocess.PIPE)
        self.process = subprocess.Popen([TAYBERRY, *options], stdin=self.slave, stdout=self.slave,
                                        preexec_fn=own_terminal, env=ENVIRONMENT, **how)
        self.addCleanup(self.reap)

    def reap(self):
        self.process.kill()
        self.process.wait()
        if self.process.stderr:
            self.process.stderr.close()

    def expect(self, text):
        end = time.monotonic() + PATIENCE
        while text not in self.text:
            self.assertLess(time.monotonic(), end, "no %r in %r" % (text, self.text))
            if select.select([self.master], [], [], 0.1)[0]:
                self.text += os.read(self.master, 4096)
            elif self.process.poll() is not None:
                self.fail("it ended with %d; no %r in %r"
                          % (self.process.returncode, text, self.text))

    def type(self, keys):
        os.write(self.master, keys)

    def finish(self):
        """The exit status; what is still printed is read, so that nothing waits for us."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < end:
            if select.select([self.master], [], [], 0.05)[0]:
                try:
                    self.text += os.read(self.master, 4096)
                except OSError as problem:
                    self.assertEqual(problem.errno, errno.EIO)
        self.assertIsNotNone(self.process.returncode, "it hangs")
        return self.process.returncode

    def is_raw(self):
        return termios.tcgetattr(self.slave)[3] & (termios.ICANON | termios.ECHO) == 0

    def check_restored(self):
        self.assertEqual(termios.tcgetattr(self.slave), self.before)

    def test_keys_reach_the_guest_raw(self):
        self.start("--headless")
        self.expect(b"> ")
        self.assertTrue(self.is_raw())
        self.type(b"echo typ\x7fped\r")
        self.expect(b"typed")
        self.type(b"poweroff 5\r")
        self.assertEqual(self.finish(), 5)
        self.check_restored()

    def test_ctrl_c_belongs_to_the_guest(self):
        self.start("--headless")
        self.expect(b"> ")
        self.type(b"half a line\x03")
        time.sleep(0.3)
        self.assertIsNone(self.process.poll())
        self.type(b"\x15poweroff 6\r")
        self.assertEqual(self.finish(), 6)

    def test_ctrl_a_x_leaves(self):
        self.start("--headless")
        self.expect(b"> ")
        self.type(b"\x01x")
        self.assertEqual(self.finish(), 0)
        self.check_restored()

    def test_ctrl_a_x_leaves_a_virtual_machine(self):
        self.start("--clock", "virtual")
        self.expect(b"> ")
        self.type(b"echo vir")
        self.type(b"tual\r")
        self.expect(b"virtual\r\n")
        self.type(b"\x01X")
        self.assertEqual(self.finish(), 0)
        self.check_restored()

    def test_ctrl_a_x_without_the_expected_text_is_120(self):
        self.start("--headless", "--expect-text", "no such text")
        self.expect(b"> ")
        self.type(b"\x01x")
        self.assertEqual(self.finish(), 120)
        self.check_restored()

    def test_ctrl_a_h_helps(self):
        self.start("--headless", stderr=subprocess.STDOUT)
        self.expect(b"> ")
        self.type(b"\x01h")
        self.expect(b"Ctrl-A X leaves")
        self.type(b"\x01x")
        self.assertEqual(self.finish(), 0)

    def test_ctrl_a_twice_sends_one(self):
        self.start("--headless")
        self.expect(b"> ")
        # Ctrl-A is where a line begins in the shell's editor.
        self.type(b"abc\x01\x01echo \x01\x01\r")
        time.sleep(0.2)
        self.type(b"\r\x15poweroff 9\r")
        self.assertEqual(self.finish(), 9)

    def test_signals_restore_the_terminal_and_end_it_as_they_do(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            with self.subTest(signal=number):
                self.text = b""
                self.start("--headless")
                self.expect(b"> ")
                self.assertTrue(self.is_raw())
                self.process.send_signal(number)
                self.assertEqual(self.finish(), -number)
                self.check_restored()

    def test_crash_restores_the_terminal(self):
        for number in (signal.SIGABRT, signal.SIGSEGV):
            with self.subTest(signal=number):
                self.text = b""
                self.start("--headless")
                self.expect(b"> ")
                self.process.send_signal(number)
                self.finish()
                self.assertNotEqual(self.process.returncode, 0)
                self.check_restored()

    def test_panic_restores_the_terminal(self):
        self.start("--headless")
        self.expect(b"> ")
        self.type(b"panic\r")
        self.assertEqual(self.finish(), 134)
        self.check_restored()

    def test_time_out_restores_the_terminal(self):
        self.start("--headless", "--timeout", "5")
        self.expect(b"> ")
        self.assertEqual(self.finish(), 124)
        self.check_restored()

    def test_stop_and_continue(self):
        self.start("--headless")
        self.expect(b"> ")
        self.process.send_signal(signal.SIGTSTP)
        end = time.monotonic() + PATIENCE
        while not os.WIFSTOPPED(os.waitpid(self.process.pid, os.WUNTRACED | os.WNOHANG)[1] or 0):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)
        self.check_restored()
        self.process.send_signal(signal.SIGCONT)
        while not self.is_raw():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)
        self.type(b"poweroff 4\r")
        self.assertEqual(self.finish(), 4)
        self.check_restored()

    def test_refusal_leaves_the_terminal_alone(self):
        self.start("--headless", "--card", self.path("none.img"))
        self.assertEqual(self.finish(), 125)
        self.check_restored()


class Signals(Case):
    def test_sigterm_with_piped_input(self):
        process = subprocess.Popen([TAYBERRY, "--headless"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, env=ENVIRONMENT)
        try:
            process.stdout.read(1)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(PATIENCE), -signal.SIGTERM)
        finally:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()

    def test_sigterm_finishes_the_log(self):
        process = subprocess.Popen([TAYBERRY, "--serial-log-file", self.path("log")],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT)
        try:
            text, byte = b"", b"?"
            while byte and b"> " not in text:
                byte = process.stdout.read(1)
                text += byte
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
        finally:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()
        with open(self.path("log"), "rb") as log:
            self.assertIn(b"> ", log.read())

    def test_ignored_hangup_stays_ignored(self):
        done = shell("trap '' HUP; (sleep 0.5; kill -HUP $$; sleep 0.3; echo poweroff 13) | "
                     "exec $T --headless")
        self.assertEqual(done.returncode, 13, done.stderr)
