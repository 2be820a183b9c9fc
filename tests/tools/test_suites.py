#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The counting of test cases is true.

 1. A test that speaks TAP counts as many cases as it reports; what it planned and did not reach
    has failed; a crash after good cases is a failure of its own.
 2. Any other test is one case, by its result.
 3. A build that fails is a failed case, and the builds after it are still run.
 4. The last line of the output is the sum, and the status says whether all is well.
 5. Of a test that failed, what stands below its failed cases is shown, from the first line on.
 6. The scripts say which packages are missing, and ask for nothing when none is.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import run_suites

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent

GOOD_TAP = "printf '1..3\\nok 1 - one\\nok 2 - two # SKIP no tool\\nok 3 - three\\n'"
BAD_TAP = "printf 'ok 1 - one\\nnot ok 2 - two\\n1..3\\n'"


def counts(output, result="OK"):
    cases = run_suites.Cases()
    run_suites.count_test(cases, run_suites.BUILDS[0],
                          {"name": "t", "result": result, "stdout": output})
    return cases.counts["passed"], cases.counts["failed"], cases.counts["skipped"]


class Counting(unittest.TestCase):
    def test_each_tap_line_is_a_case(self):
        self.assertEqual(counts("1..3\nok 1 - a\nok 2 - b\nok 3\n"), (3, 0, 0))
        self.assertEqual(counts("ok 1 - a\nnot ok 2 - b\n1..2\n", "FAIL"), (1, 1, 0))
        self.assertEqual(counts("1..2\nok 1 # SKIP no tool\nok 2 - b\n"), (1, 0, 1))

    def test_planned_cases_that_were_not_reached_have_failed(self):
        self.assertEqual(counts("1..5\nok 1 - a\nok 2 - b\n", "ERROR"), (2, 3, 0))
        self.assertEqual(counts("1..1\n", "FAIL"), (0, 1, 0))

    def test_a_crash_after_good_cases_is_a_failure(self):
        self.assertEqual(counts("1..1\nok 1 - a\n", "ERROR"), (1, 1, 0))
        self.assertEqual(counts("1..1\nok 1 - a\n", "TIMEOUT"), (1, 1, 0))

    def test_a_bail_out_is_a_failure(self):
        self.assertEqual(counts("1..1\nok 1\nBail out! no card\n", "ERROR"), (1, 1, 0))

    def test_another_test_is_one_case(self):
        self.assertEqual(counts("whatever it says\nok then\n"), (1, 0, 0))
        self.assertEqual(counts("", "FAIL"), (0, 1, 0))
        self.assertEqual(counts(None, "TIMEOUT"), (0, 1, 0))
        self.assertEqual(counts("", "SKIP"), (0, 0, 1))

    def test_an_empty_plan_counts_by_its_result(self):
        self.assertEqual(counts("1..0\n", "FAIL"), (0, 1, 0))


class Reasons(unittest.TestCase):
    def test_what_stands_below_a_failed_case_is_shown(self):
        output = "ok 1\n# good\nnot ok 2 - b\n# why\n# and how\nok 3\n# fine\n1..3\n"
        self.assertEqual(run_suites.why(output), ["not ok 2 - b", "# why", "# and how"])

    def test_of_much_the_beginning_and_the_end_are_shown(self):
        most = run_suites.WHY_LINES
        lines = ["# %d" % i for i in range(most + 9)]
        output = "\n".join(["not ok 1"] + lines + ["ok 2", "not ok 3", "# x"])
        self.assertEqual(run_suites.why(output),
                         ["not ok 1"] + lines[:most // 2] + ["# [9 lines]"] + lines[-(most // 2):]
                         + ["not ok 3", "# x"])

    def test_without_a_failed_case_the_end_is_shown(self):
        lines = ["line %d" % i for i in range(99)]
        self.assertEqual(run_suites.why("\n".join(lines)), lines[-run_suites.END_LINES:])


class Suites(unittest.TestCase):
    """A made-up tree, with the tests of a Meson project and no Pi to build for."""

    def run_tree(self, *tests, source="int main(void) { return 0; }\n"):
        with tempfile.TemporaryDirectory(prefix="suites.") as name:
            root = pathlib.Path(name)
            lines = ["project('made-up', 'c')", "executable('x', 'x.c')", "sh = find_program('sh')"]
            for number, (command, protocol) in enumerate(tests):
                (root / ("t%d.sh" % number)).write_text(command + "\n")
                lines.append("test('t%d', sh, args: files('t%d.sh'), protocol: '%s')"
                             % (number, number, protocol))
            (root / "meson.build").write_text("\n".join(lines) + "\n")
            (root / "meson_options.txt").write_text("option('packages', type: 'string')\n")
            (root / "x.c").write_text(source)
            done = subprocess.run([sys.executable, HERE / "run_suites.py", "--root", root,
                                   "--quick"], stdout=subprocess.PIPE, check=False)
            return done.returncode, done.stdout.decode()

    def test_the_sum_is_the_last_line_and_a_failed_build_is_a_case(self):
        status, output = self.run_tree(("exit 0", "exitcode"), (GOOD_TAP, "tap"), (BAD_TAP, "tap"))
        # One by exit status; two and one; one, one and one that never came; no cross file at all.
        self.assertEqual(output.splitlines()[-1], "4 passed, 3 failed, 1 skipped")
        self.assertIn("failed: pi3-gcc: meson setup", output)
        self.assertIn("t2: two", output)
        self.assertEqual(status, 1)

    def test_a_tree_that_does_not_compile_is_a_failed_case(self):
        status, output = self.run_tree(("exit 0", "exitcode"), source="int main(void) {\n")
        self.assertEqual(output.splitlines()[-1], "0 passed, 2 failed")
        self.assertIn("failed: sim-gcc: the build", output)
        self.assertEqual(status, 1)


class Packages(unittest.TestCase):
    """packages.sh, with a dpkg-query that has only gcc, has heard of meson, and an id of nobody."""

    def need(self, names, installed="gcc"):
        with tempfile.TemporaryDirectory(prefix="packages.") as name:
            listing = "printf 'ii  %s\\nun  meson\\n' " + installed
            for tool, text in (("dpkg-query", listing), ("id", "echo 1000"),
                               ("apt-get", "echo apt-get was called; exit 1"),
                               ("sudo", "exit 1")):
                path = pathlib.Path(name) / tool
                path.write_text("#!/bin/sh\n" + text + "\n")
                path.chmod(0o755)
            done = subprocess.run(["sh", "-c", '. "$0" && packages_need ' + names,
                                   HERE / "packages.sh"], check=False, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  env={**os.environ, "PATH": name + ":" + os.environ["PATH"]})
            return done.returncode, done.stdout.decode()

    def test_nothing_is_said_when_all_are_installed(self):
        self.assertEqual(self.need("gcc"), (0, ""))

    def test_missing_packages_are_named_with_the_command_that_installs_them(self):
        status, output = self.need("gcc meson ninja-build")
        self.assertEqual(status, 1)
        self.assertIn("missing packages: meson ninja-build", output)
        self.assertIn("sudo apt-get install -y --no-install-recommends meson ninja-build", output)
        self.assertNotIn("apt-get was called", output)

    def test_every_package_that_a_script_needs_is_in_a_list(self):
        text = (HERE / "packages.sh").read_text()
        for script in ("run", "test"):
            for word in (TOP / script).read_text().split():
                if word.startswith("$packages_"):
                    self.assertIn(word[1:] + "=", text)


if __name__ == "__main__":
    unittest.main()
