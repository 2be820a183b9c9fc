#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs Python unit tests and reports them by the Test Anything Protocol, one line a test.

    tap_unittest.py FILE.py [unittest's own arguments]

Meson counts the lines, so that each claim of a test file is a case of its own in the summary.
"""
import importlib.util
import pathlib
import sys
import unittest


class TapResult(unittest.TestResult):
    """Prints 'ok N - name' or 'not ok N - name' as each test ends, a traceback as comments."""

    def say(self, word, test, note=""):
        # A subtest fails under its own description; the test it belongs to then has no line.
        print("%s %d - %s%s" % (word, self.count(), test, note), flush=True)

    def count(self):
        self.lines = getattr(self, "lines", 0) + 1
        return self.lines

    def addSuccess(self, test):
        super().addSuccess(test)
        self.say("ok", name(test))

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.fail(test, self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self.fail(test, self.errors[-1][1])

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            found = self.failures if issubclass(err[0], test.failureException) else self.errors
            self.fail(subtest, found[-1][1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.say("ok", name(test), " # SKIP " + reason)

    def fail(self, test, trace):
        self.say("not ok", name(test))
        for line in trace.splitlines():
            print("# " + line)


def name(test):
    """The last part of the test's name: a claim, with spaces for the underscores."""
    words = test.id().rpartition(".")[2]
    return words.removeprefix("test_").replace("_", " ").replace("#", "")


def main():
    path = pathlib.Path(sys.argv[1]).resolve()
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    result = TapResult()
    suite.run(result)
    print("1..%d" % getattr(result, "lines", 0))
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)


if __name__ == "__main__":
    main()
