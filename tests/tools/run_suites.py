#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Configures, builds and tests every supported build, and counts the test cases truly.

    run_suites.py [--root DIR] [--quick] [suite...]

While one build is tested, the next are configured and compiled with what the tests leave of the
processors. A build of which certain suites are wanted makes only what those need.

A test that speaks the Test Anything Protocol counts as many cases as it reports; cases that it
planned and did not reach have failed. Any other test is one case. A build that does not configure
or compile is one failed case, and the others go on. The last line of the output is

    N passed, N failed[, N skipped]

and the exit status is 0 only if something ran and nothing failed.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

# Lines for backtraces are all of the debug information that tests look at; GCC takes a quarter
# longer for more. LLVM's linker needs half the time of the usual one.
LINES = ["-Dc_args=-g1"]
# The kernel is compiled a second time, with points at its edges, by GCC alone: elsewhere that takes
# longer than what it would be good for.
# Nor is what only tests optimised there: it takes longer to compile than to run.
QUICK = ["-Doptimization=1", "-Dfast_kernel=true", "-Dedges=false", "-Db_lundef=false", *LINES]
SANITIZE = ["-Db_sanitize=address,undefined", *QUICK]
# It judges what several CPUs do, which is a matter of a few suites, and of no window.
THREADS = ["-Db_sanitize=thread", "-Dgui=disabled", *QUICK]


class Build:
    """One way to build the tree: the name of its folder, the compiler, the options of Meson; the
    suites that are run of it, if not all are, and those that are left out (docs/TESTING.md); the
    linker, if it is not the compiler's own; and how many tests run at the same time beyond one for
    each processor, because some wait for real time to pass."""

    def __init__(self, name, compiler, options, quick=False, slowness=1, only=(), without=(),
                 linker=None, waiting=1):
        self.name, self.compiler, self.options, self.linker = name, compiler, options, linker
        self.together = os.cpu_count() + waiting
        self.quick, self.slowness, self.only, self.without = quick, slowness, only, without


# What judges the sources judges the same ones in every build; and what is marked "once" judges what
# is the same whatever compiler made it.
AGAIN, SECOND = ("source",), ("source", "once")

BUILDS = [
    Build("sim-gcc", "gcc", LINES, quick=True),
    Build("pi3-gcc", None, ["--cross-file", "hal-pi3/cross-gcc.ini"], quick=True, waiting=2,
          without=AGAIN),
    Build("sim-sanitize", "gcc", SANITIZE, slowness=4, without=AGAIN, linker="lld"),
    Build("sim-clang", "clang", ["-Dedges=false"], without=SECOND, linker="lld"),
    Build("sim-threads", "gcc", THREADS, slowness=4, only=("tsan",), waiting=2, linker="lld"),
    Build("pi3-clang", None, ["--cross-file", "hal-pi3/cross-clang.ini"], waiting=2,
          without=SECOND),
]

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


WHY_LINES, END_LINES = 60, 25

POLL_SECONDS = 0.5


def why(output):
    """The lines of a failed test's output that say why: each case that failed, and what stands
    below it; or the end of it all, if no case has. Of much, the beginning and the end."""
    blocks, block = [], None
    for line in output.splitlines():
        if line.startswith("not ok"):
            block = []
            blocks.append((line, block))
        elif not line.startswith("#"):
            block = None
        elif block is not None:
            block.append(line)
    shown = []
    for line, block in blocks:
        left_out = len(block) - WHY_LINES
        if left_out > 0:
            half = WHY_LINES // 2
            block[half:-half] = ["# [%d lines]" % left_out]
        shown += [line] + block
    return shown or output.splitlines()[-END_LINES:]


class Cases:
    """Counts cases, and keeps the names of those that failed."""

    def __init__(self):
        self.counts = {PASSED: 0, FAILED: 0, SKIPPED: 0}
        self.failed = []

    def add(self, verdict, name):
        self.counts[verdict] += 1
        if verdict == FAILED:
            self.failed.append(name)

    def summary(self):
        text = "%d passed, %d failed" % (self.counts[PASSED], self.counts[FAILED])
        if self.counts[SKIPPED]:
            text += ", %d skipped" % self.counts[SKIPPED]
        return text


_TAP_LINE = re.compile(r"^(not )?ok\b(?:\s+(\d+))?(?:\s*-?\s*([^#]*))?(#\s*(?:SKIP|TO[D]O)\b)?",
                       re.IGNORECASE)


def tap_cases(text):
    """[(verdict, name)] of a TAP stream, with one failure for each planned line that is missing;
    None when the text is no TAP stream."""
    plan, found = None, []
    for line in text.splitlines():
        planned = re.match(r"^1\.\.(\d+)", line)
        match = _TAP_LINE.match(line)
        if planned:
            plan = int(planned.group(1))
        elif match:
            name = (match.group(3) or "").strip() or "case %d" % (len(found) + 1)
            if match.group(4) and not match.group(1):
                found.append((SKIPPED, name))
            else:
                found.append((FAILED if match.group(1) else PASSED, name))
        elif line.startswith("Bail out!"):
            found.append((FAILED, line))
    if plan is None:
        return None
    missing = plan - len(found)
    return found + [(FAILED, "planned and not reached")] * max(0, missing)


def count_test(cases, build, record):
    """Adds the cases of one record of Meson's log."""
    name = "%s: %s" % (build.name, record["name"])
    result = record["result"]
    if result == "SKIP":
        cases.add(SKIPPED, name)
        return
    good = result in ("OK", "EXPECTEDFAIL")
    found = tap_cases(record.get("stdout") or "")
    if not found:
        cases.add(PASSED if good else FAILED, name)
        return
    for verdict, case in found:
        cases.add(verdict, "%s: %s" % (name, case))
    # It told of no failure and still did not end well: a crash, or no end at all.
    if not good and not any(verdict == FAILED for verdict, _ in found):
        cases.add(FAILED, "%s: ended with %s" % (name, result))


def tests_left(text):
    """Of the tests that Meson began to run, as its output says, how many have not ended; None
    before the first has."""
    ended = re.findall(r"^ *\d+/(\d+) \S", text, flags=re.MULTILINE)
    return int(ended[-1]) - len(ended) if ended else None


class Tests:
    """The tests of a build, under way; and how long the build took."""

    def __init__(self, build, process, took):
        self.build, self.process, self.took = build, process, took
        self.start = time.monotonic()


class Runner:
    def __init__(self, root, suites):
        self.root, self.suites, self.cases = root, suites, Cases()
        self.base = root / "build-test"

    def say(self, text):
        print(text, flush=True)

    def folder(self, build):
        return self.base / build.name

    def log(self, build):
        return self.base / (build.name + ".log")

    def command(self, words, log, env=None):
        """Runs a command with its output in a log; True if it succeeded."""
        with open(log, "ab") as file:
            done = subprocess.run([str(word) for word in words], cwd=self.root, check=False,
                                  stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                                  env={**os.environ, **(env or {})})
        return done.returncode == 0

    def fail(self, build, what):
        self.cases.add(FAILED, "%s: %s" % (build.name, what))
        self.say("%s: %s failed; the end of %s:" % (build.name, what, self.log(build)))
        for line in self.log(build).read_text(errors="replace").splitlines()[-30:]:
            self.say("    " + line)

    def setup(self, build):
        """Configures a build folder, anew if it cannot be used as it is."""
        folder = self.folder(build)
        env = {"CC": build.compiler} if build.compiler else {}
        if build.linker:
            env["CC_LD"] = build.linker
        words = ["meson", "setup", folder, self.root, "--buildtype=debugoptimized",
                 "-Dpackages=" + str(self.base / "packages")]
        if (folder / "build.ninja").exists():
            return True
        if folder.exists():
            shutil.rmtree(folder)
        return self.command(words + build.options, self.log(build), env)

    def introspect(self, build, kind):
        path = self.folder(build) / "meson-info" / ("intro-%s.json" % kind)
        return json.loads(path.read_text(encoding="utf-8"))

    def targets(self, build):
        """What has to be made for the suites that are wanted; if all are, everything."""
        wanted, folder = set(self.suites_of(build)), self.folder(build).resolve()
        files = {target["id"]: target["filename"] for target in self.introspect(build, "targets")}
        needed = {os.path.relpath(name, folder) for test in self.introspect(build, "tests")
                  if not wanted or wanted & {suite.rpartition(":")[2] for suite in test["suite"]}
                  for target in test["depends"] for name in files[target]}
        return sorted(needed) + ([] if wanted else ["all"])

    def make(self, build):
        """Configures and compiles a build. Returns what went wrong, or None, and the time."""
        start = time.monotonic()
        self.say("%s: building" % build.name)
        self.log(build).write_bytes(b"")
        if not self.setup(build):
            return "meson setup", 0
        words = ["nice", "-n", "10", "ninja", "-C", self.folder(build), "build.ninja"]
        if not self.command(words + self.targets(build), self.log(build)):
            return "the build", 0
        return None, time.monotonic() - start

    def run(self, builds):
        """Tests each of the builds, and makes the next ones in the meantime. While the last tests
        of one build run, the first of the next begin: no processor waits for those few."""
        builds = [build for build in builds if not build.only or self.suites_of(build)]
        self.base.mkdir(exist_ok=True)
        with concurrent.futures.ThreadPoolExecutor(1) as maker:
            made = [maker.submit(self.make, build) for build in builds]
            under_way = None
            for build, result in zip(builds, made):
                under_way = self.await_build(result, under_way)
                problem, took = result.result()
                if problem:
                    self.fail(build, problem)
                    continue
                started = Tests(build, self.begin_tests(build), took)
                if under_way:
                    self.end_tests(under_way)
                under_way = started
                self.await_last_tests(under_way)
            if under_way:
                self.end_tests(under_way)

    def suites_of(self, build):
        """Those that were asked for; of a build for some only, those of them. [] means all."""
        if not build.only:
            return self.suites
        return [suite for suite in build.only if not self.suites or suite in self.suites]

    def results(self, build):
        return self.folder(build) / "meson-logs" / "testlog.json"

    def begin_tests(self, build):
        """Starts the tests of a build; the process that runs them."""
        folder = self.folder(build)
        self.results(build).unlink(missing_ok=True)
        words = ["meson", "test", "-C", folder, "--timeout-multiplier", build.slowness,
                 "--num-processes", build.together]
        for suite in self.suites_of(build):
            words += ["--suite", suite]
        for suite in build.without:
            words += ["--no-suite", suite]
        self.say("%s: testing" % build.name)
        with open(self.log(build), "ab") as log:
            return subprocess.Popen([str(word) for word in words], cwd=self.root,
                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    env={**os.environ, **self.peer(build),
                                         "CK_TIMEOUT_MULTIPLIER": str(4 * build.slowness)})

    def await_build(self, result, tests):
        """Returns when a build is made. Counts in the meantime what the tests under way found, if
        they end; otherwise they are what it returns."""
        while not result.done():
            if tests and tests.process.poll() is not None:
                self.end_tests(tests)
                tests = None
            time.sleep(POLL_SECONDS)
        return tests

    def await_last_tests(self, tests):
        """Returns when fewer tests of a build are left than could run at the same time."""
        while tests.process.poll() is None:
            left = tests_left(self.log(tests.build).read_text(errors="replace"))
            if left is not None and left < tests.build.together:
                return
            time.sleep(POLL_SECONDS)

    def end_tests(self, tests):
        """Waits for the end of a build's tests, and counts what they found."""
        tests.process.wait()
        build, before = tests.build, dict(self.cases.counts)
        if self.results(build).exists():
            for line in self.results(build).read_text(errors="replace").splitlines():
                self.report(build, json.loads(line))
        found = {key: self.cases.counts[key] - before[key] for key in before}
        self.say("%s: %d passed, %d failed, %d skipped"
                 % (build.name, found[PASSED], found[FAILED], found[SKIPPED]))
        # Asked for by name, a suite may be absent from some builds; all of them never are.
        if not sum(found.values()) and not self.suites:
            self.fail(build, "meson test (it ran nothing)")
        self.say("%s: built in %.0f s, tested in %.0f s"
                 % (build.name, tests.took, time.monotonic() - tests.start))

    def report(self, build, record):
        before = self.cases.counts[FAILED]
        count_test(self.cases, build, record)
        if self.cases.counts[FAILED] == before:
            return
        self.say("%s: %s: %s" % (build.name, record["name"], record["result"]))
        output = (record.get("stdout") or "") + (record.get("stderr") or "")
        for line in why(output):
            self.say("    " + line)

    def peer(self, build):
        """Where a test that compares two builds, or the two machines, finds the other one: the
        first build of the simulator. That one has no peer."""
        if build is BUILDS[0]:
            return {}
        return {"TAYBERRY_PEER": str(self.base / BUILDS[0].name)}


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description="Build and test everything.")
    parser.add_argument("--root", type=pathlib.Path, default=here.parent.parent)
    parser.add_argument("--quick", action="store_true", help="the builds by GCC without sanitizers")
    parser.add_argument("suites", nargs="*", metavar="suite", help="only these suites")
    args = parser.parse_args()

    runner = Runner(args.root.resolve(), args.suites)
    runner.run([build for build in BUILDS if build.quick or not args.quick])
    for name in runner.cases.failed:
        runner.say("failed: " + name)
    runner.say(runner.cases.summary())
    counts = runner.cases.counts
    sys.exit(1 if counts[FAILED] or not counts[PASSED] else 0)


if __name__ == "__main__":
    main()
