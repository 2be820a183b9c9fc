#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The hunter of planted bugs says so when something is wrong with a bug, or with itself.

 1. A patch that does not apply, or gives what cannot be built, is a failed case.
 2. A patch that changes nothing is never found, and that is a failed case.
 3. A scenario that goes wrong without the bug is a failed case.
 4. A head that lacks a line, and a patch of something else than core, are failed cases.
 5. A bug that is found gives four good cases, and the hunter ends well.

The build's folder and the source's come by the environment: TAYBERRY_BUILD and TAYBERRY_SOURCE.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
HEAD = "What:     a test\nKind:     a test\nScenario: %s\nCPUs:     1\nGrain:    points\n\n"
PATH = "core/sync/flow/semaphore.c"


def change(old, new, scenario="semaphore.counts", path=PATH):
    """A patch that puts `new` in the place of `old`, a line, into a source of the kernel."""
    source = pathlib.Path(os.environ["TAYBERRY_SOURCE"], PATH)
    lines = source.read_text(encoding="utf-8").split("\n")
    at = next((i for i, line in enumerate(lines) if line == old), 3)
    text = "--- a/%s\n+++ b/%s\n@@ -%d,3 +%d,3 @@\n" % (path, path, at, at)
    lines = (lines[at - 1], old, new, lines[at + 1])
    return HEAD % scenario + text + " %s\n-%s\n+%s\n %s\n" % lines


def hunt(patch):
    """(status, what is said) for a folder with this one patch, and five seeds."""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "a-bug.patch").write_text(patch, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(HERE / "planted.py"), "--build", os.environ["TAYBERRY_BUILD"],
             "--source", os.environ["TAYBERRY_SOURCE"], "--bugs", folder, "a-bug"],
            check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "TAYBERRY_SEEDS": "5", "TAYBERRY_RUNS": "5"})
    return done.returncode, done.stdout.decode()


class Hunter(unittest.TestCase):
    def refuses(self, patch, case, why):
        status, said = hunt(patch)
        self.assertEqual(status, 1, said)
        self.assertIn("not ok", said)
        self.assertIn(case, said)
        self.assertIn(why, said)

    def test_a_patch_that_does_not_apply_fails(self):
        self.refuses(change("    a line that is nowhere", "    return;"), "a-bug can be planted",
                     "it does not apply")

    def test_a_patch_that_does_not_compile_fails(self):
        self.refuses(change("    semaphore->count = count;", "    semaphore->count = nothing;"),
                     "a-bug can be planted", "it cannot be built")

    def test_a_patch_that_changes_nothing_is_not_found(self):
        self.refuses(change("    semaphore->count = count;", "    semaphore->count = count + 0;"),
                     "a-bug is found", "none of 5 seeds of semaphore.counts goes wrong")

    def test_a_scenario_that_is_wrong_by_itself_fails(self):
        self.refuses(change("    semaphore->count = count;", "    semaphore->count = count + 0;",
                            scenario="semaphore.no_such_test"),
                     "without it, all goes right", "no test and no group of tests is called that")

    def test_a_head_without_a_scenario_fails(self):
        patch = change("    semaphore->count = count;", "    semaphore->count = 1;")
        self.refuses(patch.replace("Scenario", "Scene"), "a-bug", "no line Scenario:")

    def test_a_patch_of_something_else_than_core_fails(self):
        patch = change("    semaphore->count = count;", "    semaphore->count = 1;",
                       path="README.md")
        self.refuses(patch, "a-bug", "something else than core/")

    def test_a_bug_is_found_and_repeated(self):
        status, said = hunt(change("    semaphore->count = count;", "    semaphore->count = 7;"))
        self.assertEqual(status, 0, said)
        self.assertEqual(said.count("\nok") + said.startswith("ok"), 6, said)
        self.assertIn("a-bug is found by seed 1", said)


if __name__ == "__main__":
    unittest.main()
