# SPDX-License-Identifier: MIT
"""run_qemu.py without QEMU: a few lines of shell play the machine.

1. The guest's exit status is the runner's, and its output comes through untouched.
2. A line of QEMU's log that is not in the list fails the run; those in the list do not.
3. A script's text is waited for in order, and typed text comes only after what it waits for.
4. Text that never comes, and a guest that never ends, have their own statuses.
5. With --tap everything that is no report becomes a comment.
"""

import os
import stat
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import run_qemu  # noqa: E402

# Finds the file that -D names and hands over to the test's own commands.
PRELUDE = '#!/bin/sh\nwhile [ "$1" != -D ]; do shift; done\nlog=$2\n'


class RunQemu(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def run_machine(self, commands, *options, timeout="10"):
        machine = self.path("machine", PRELUDE + commands)
        os.chmod(machine, stat.S_IRWXU)
        allowed = self.path("allowed", "# reason\nknown line\n")
        return subprocess.run(
            [sys.executable, os.path.join(HERE, "run_qemu.py"), "--kernel", "none", "--qemu",
             machine, "--allowed", allowed, "--timeout", timeout, *options],
            capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)

    def test_status_and_output_come_through(self):
        done = self.run_machine("echo said; exit 7\n")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (7, "said\n", ""))

    def test_log_lines_are_judged(self):
        self.assertEqual(self.run_machine('echo "known line" >$log\n').returncode, 0)
        done = self.run_machine('echo "known line, but more" >$log\n')
        self.assertEqual(done.returncode, 120)
        self.assertIn("known line, but more", done.stderr)

    def test_script_is_followed(self):
        script = self.path("script", "# a comment\n< first\n> one\n< got one\n> two\n")
        talk = 'echo first; read a; echo "got $a"; read b; echo "and $b"; exit 3\n'
        done = self.run_machine(talk, "--script", script)
        self.assertEqual((done.returncode, done.stdout), (3, "first\ngot one\nand two\n"))

    def test_missing_text_fails(self):
        script = self.path("script", "< never\n")
        done = self.run_machine("exit 0\n", "--script", script)
        self.assertEqual(done.returncode, 120)
        self.assertIn("never", done.stderr)

    def test_time_runs_out(self):
        self.assertEqual(self.run_machine("exec sleep 30\n", timeout="0.5").returncode, 124)

    def test_bad_script_and_missing_machine(self):
        script = self.path("script", "what is this\n")
        self.assertEqual(self.run_machine("exit 0\n", "--script", script).returncode, 125)
        done = self.run_machine("exit 0\n", "--qemu", os.path.join(self.folder.name, "none"))
        self.assertEqual(done.returncode, 125)

    def test_text_split_between_reads_is_found(self):
        conversation = run_qemu.Conversation([("expect", b"hello"), ("send", b"x")])
        self.assertEqual(conversation.advance(b"hel"), b"")
        self.assertEqual(conversation.missing(), "hello")
        self.assertEqual(conversation.advance(b"lo"), b"x\n")
        self.assertIsNone(conversation.missing())

    def test_tap_is_filtered(self):
        done = self.run_machine("printf '1..1\\r\\nnoise\\r\\nok 1 - it\\r\\nrest'\n", "--tap")
        self.assertEqual(done.stdout, "1..1\n# noise\nok 1 - it\n# rest\n")


if __name__ == "__main__":
    unittest.main()
