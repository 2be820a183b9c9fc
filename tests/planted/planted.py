#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plants bugs into copies of the kernel, and hunts each by seeds. Prints TAP and a table.

    planted.py --build DIR --source DIR [--bugs DIR] [--keep DIR] [NAME...]

Criteria, for each patch in the folder of bugs:
1. It applies to core/, and what it gives can be built.
2. Its scenario goes wrong under one of the seeds 1 to TAYBERRY_SEEDS (1,000).
3. That seed gives the same again, twice: the same way to go wrong, the same hash of the trace and
   of all that was printed.
4. The kernel as it is goes right under the same seeds (of them TAYBERRY_RUNS at most, 40).
5. Of all bugs at least a third also go wrong under the random priorities of one of TAYBERRY_PCT
   seeds (8; 0: leave that out), the kernel as it is does not, and each of these seeds gives the
   same again. The table has both, and shows which strategy is the better one for what.

A patch has lines before its first "---" that say what is planted:

    What:     a sentence
    Kind:     a word or three, for the table
    Scenario: what stands behind ktest=
    CPUs:     how many
    Grain:    points, or edges: in the files that it changes an interrupt may come at each edge
    Edges:    (optional) more files for which that is so
    Card:     (optional) yes: the scenario needs a card (TAYBERRY_CARD)
    Words:    (optional) more words for the kernel's command line
    Limit:    (optional) ms of virtual time that the CPUs may work until it is a hang

--keep leaves the program with each bug in that folder, under the bug's name. It is hunt.c's.
TAYBERRY_JOBS says how many bugs are hunted at the same time: as many as there are processors.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, __file__.rpartition("/")[0] + "/../os")
from tap import Tap  # noqa: E402

SEEDS = int(os.environ.get("TAYBERRY_SEEDS") or 1000)
SAMPLE = int(os.environ.get("TAYBERRY_RUNS") or 40)
PCT = int(os.environ.get("TAYBERRY_PCT", "8"))
JOBS = int(os.environ.get("TAYBERRY_JOBS") or os.cpu_count() or 1)
LIMIT_MS = "10000"
HUNT_SECONDS = 120
CORE_OBJECTS = "core/libtayberry-core.a.p/"
NEEDED = ("What", "Kind", "Scenario", "CPUs", "Grain")


class Problem(Exception):
    """Something is wrong with a patch, and the text says what."""


class Bug:
    """A patch, and what its head says."""

    def __init__(self, path):
        self.path, self.name = path, path.stem
        head, _, diff = path.read_text(encoding="utf-8").partition("\n--- ")
        self.head = dict(re.findall(r"^(\w+):[ \t]*(.*\S)", head, flags=re.MULTILINE))
        missing = [word for word in NEEDED if word not in self.head]
        if missing:
            raise Problem("%s: no line %s:" % (path.name, missing[0]))
        if self.head["Grain"] not in ("points", "edges"):
            raise Problem("%s: the grain is points or edges" % path.name)
        if self.head.get("Card") == "yes" and not os.environ.get("TAYBERRY_CARD"):
            raise Problem("%s: it needs a card: TAYBERRY_CARD is not set" % path.name)
        self.files = re.findall(r"^\+\+\+ [^/\s]+/(\S+)", diff, flags=re.MULTILINE)
        if not self.files or not all(name.startswith("core/") for name in self.files):
            raise Problem("%s: it changes something else than core/" % path.name)

    def units(self):
        """The files that are compiled anew for the sake of their edges."""
        if self.head["Grain"] != "edges":
            return []
        files = self.files + self.head.get("Edges", "").split()
        return sorted({name for name in files if name.endswith(".c")})

    def environment(self):
        return {word: value for word, value in os.environ.items()
                if word != "TAYBERRY_CARD" or self.head.get("Card") == "yes"}

    def arguments(self, first, last, pct):
        words = "checks=1 ktest=%s %s" % (self.head["Scenario"], self.head.get("Words", ""))
        if pct and "sched=" not in words:
            words = "sched=search " + words
        return [words.strip(), self.head["CPUs"], str(first), str(last),
                self.head.get("Limit", LIMIT_MS)] + ["pct"] * pct


def run(words, folder, what):
    done = subprocess.run(words, cwd=folder, check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=HUNT_SECONDS)
    if done.returncode:
        raise Problem("%s:\n%s" % (what, done.stdout.decode("utf-8", "replace")))


class Kernel:
    """The objects that a build is made of, and how they were compiled."""

    def __init__(self, build, source):
        self.build, self.source = build, source
        with open(build / "compile_commands.json", encoding="utf-8") as text:
            commands = json.load(text)
        self.commands, self.objects, self.hunt = {}, [], []
        for entry in commands:
            if entry["output"].startswith(CORE_OBJECTS):
                path = (build / entry["file"]).resolve()
                self.commands[str(path.relative_to(source))] = entry
                self.objects.append(entry["output"])
            elif "planted-hunt.p/" in entry["output"]:
                self.hunt.append(entry["output"])
                self.compiler = shlex.split(entry["command"])[0]
        self.edges = "-fsanitize-coverage=" + self.kind_of_edges()

    def kind_of_edges(self):
        """Clang wants to be told which points; GCC has one kind only, and does not know the word.
        """
        version = subprocess.run([self.compiler, "--version"], check=True, stdout=subprocess.PIPE)
        return "edge,trace-pc" if b"clang" in version.stdout else "trace-pc"

    def includes(self, copy, name):
        """The files of core that `name` includes by themselves: as core/..."""
        text = (copy / name).read_text(encoding="utf-8")
        found = ["core/" + other for other in re.findall(r'^#include "(.*)"', text, re.MULTILINE)]
        return [other for other in found if (copy / other).exists()]

    def sees(self, copy, name, changed, seen):
        """Whether `name` is one of `changed`, or includes one, directly or not."""
        if name in changed:
            return True
        if name in seen:
            return False
        seen.add(name)
        return any(self.sees(copy, other, changed, seen) for other in self.includes(copy, name))

    def compile(self, copy, name, more):
        """Compiles a file of the copy as the build did; its object's name."""
        entry, prefix = self.commands[name], os.path.relpath(self.source / "core", self.build)
        words, output = [], copy / (name.replace("/", "_") + ".o")
        for word in shlex.split(entry["command"]):
            for at in (prefix, str(self.source / "core")):
                if word in ("-I" + at, at) or word.startswith((at + "/", "-I" + at + "/")):
                    word = word.replace(at, str(copy / "core"), 1)
            words.append(word)
        words[words.index("-o") + 1] = str(output)
        words[words.index("-MF") + 1] = str(output) + ".d"
        words[1:1] = ["-fmacro-prefix-map=%s/=" % copy] + more
        words += ["-w", "-fdiagnostics-color=never"]
        run(words, self.build, "it cannot be built")
        return str(output)

    def make(self, copy, changed, edges, program):
        """Links the hunting program with `changed` files of the copy in place of the build's, and
        with `edges`, which are compiled to have interrupt points at each edge."""
        objects, units = list(self.objects), set(changed) | set(edges)
        if any(name.endswith(".h") for name in changed):
            units |= {name for name in self.commands if self.sees(copy, name, changed, set())}
        for name in sorted(units & set(self.commands)):
            at = objects.index(self.commands[name]["output"])
            more = [self.edges] if name in edges else []
            objects[at] = self.compile(copy, name, more)
        run([self.compiler, "-o", str(program)] + self.hunt + objects +
            ["-Wl,--whole-archive", "hal-sim/libtayberry-hal-sim.a", "-Wl,--no-whole-archive",
             "-pthread", "-fuse-ld=lld"], self.build, "it cannot be linked")


def hunt(program, bug, first, last, pct=False):
    """(seed, how, hash, says), or None when no seed goes wrong."""
    done = subprocess.run([str(program)] + bug.arguments(first, last, pct), check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=bug.environment(), timeout=HUNT_SECONDS)
    said = done.stdout.decode("utf-8", "replace")
    found = re.match(r"seed (\d+) (\w+) ([0-9a-f]+) (.*)", said)
    if found:
        return (int(found.group(1)),) + found.groups()[1:]
    if done.returncode < 0:
        at = re.findall(r"^at (\d+)$", done.stderr.decode("utf-8", "replace"), re.MULTILINE)
        return int(at[-1]), "crash", "", "signal %d" % -done.returncode
    if done.returncode:
        raise Problem(said + done.stderr.decode("utf-8", "replace")[-500:])
    return None


class Result:
    """What became of one bug."""

    def __init__(self, bug):
        self.bug, self.problem, self.found, self.again, self.control = bug, None, None, [], None
        self.sample, self.by_pct, self.by_pct_again = 0, None, None


def copy_some(source, copy, names):
    """Makes `copy` look like the folder `source`: the files `names` are copies, and all else,
    folders too, are links into `source`. To copy a thousand files for each bug would take longer
    than what is done with them."""
    copy.mkdir(parents=True)
    for entry in os.listdir(source):
        inside = [name[len(entry) + 1:] for name in names if name.startswith(entry + "/")]
        if inside:
            copy_some(source / entry, copy / entry, inside)
        elif entry in names:
            shutil.copy2(source / entry, copy / entry)
        else:
            os.symlink(source / entry, copy / entry)


def prepare(kernel, bug, folder):
    """Builds (the program with the bug, the program without it)."""
    copy, planted, plain = folder / "copy", folder / "planted", kernel.build / "tests/planted"
    copy_some(kernel.source / "core", copy / "core", [name[len("core/"):] for name in bug.files])
    if bug.units():
        plain = folder / "plain"
        kernel.make(copy, [], bug.units(), plain)
    else:
        plain = plain / "planted-hunt"
    run(["patch", "-p1", "--no-backup-if-mismatch", "-i", str(bug.path)], copy,
        "it does not apply")
    kernel.make(copy, bug.files, bug.units(), planted)
    return planted, plain


def try_priorities(planted, plain, result):
    """A thread that polls and has the highest priority polls for ever, bug or no bug: a seed that
    goes wrong without the bug as well has not found it, nor has one that is only slow. With many
    seeds the next ones are tried then; each such seed takes seconds."""
    bug, first = result.bug, 1
    for _ in range(max(1, PCT // 20)):
        try:
            found = hunt(planted, bug, first, PCT, True) if first <= PCT else None
        except subprocess.TimeoutExpired:
            found = None
        if not found:
            return
        if found[1] != "loop" and not hunt(plain, bug, found[0], found[0], True):
            result.by_pct = found
            result.by_pct_again = hunt(planted, bug, found[0], found[0], True)
            return
        first = found[0] + 1


def try_bug(kernel, bug, keep):
    result = Result(bug)
    try:
        with tempfile.TemporaryDirectory(prefix="planted-") as folder:
            planted, plain = prepare(kernel, bug, pathlib.Path(folder))
            if keep:
                keep.mkdir(parents=True, exist_ok=True)
                shutil.copy2(planted, keep / bug.name)
            result.found = hunt(planted, bug, 1, SEEDS)
            if not result.found:
                return result
            seed = result.found[0]
            result.again = [hunt(planted, bug, seed, seed) for _ in range(2)]
            result.sample = min(max(seed, 10), SAMPLE)
            first = max(1, seed - result.sample + 1)
            result.control = hunt(plain, bug, first, first + result.sample - 1)
            if PCT:
                try_priorities(planted, plain, result)
    except (Problem, subprocess.TimeoutExpired) as problem:
        result.problem = str(problem)
    return result


def report(tap, result):
    name, found = result.bug.name, result.found
    tap.case(not result.problem, "%s can be planted" % name, result.problem or "")
    if result.problem:
        return
    tap.case(found, "%s is found%s" % (name, " by seed %d" % found[0] if found else ""),
             "none of %d seeds of %s goes wrong" % (SEEDS, result.bug.head["Scenario"]))
    if not found:
        return
    tap.case(all(again == found for again in result.again),
             "%s: the seed gives the same again" % name,
             "\n".join(str(each) for each in [found] + result.again))
    tap.case(result.control is None, "%s: without it, all goes right" % name,
             "of %d seeds: %s" % (result.sample, result.control))
    if result.by_pct:
        tap.case(result.by_pct_again == result.by_pct,
                 "%s: the priorities of seed %d give the same again" % (name, result.by_pct[0]),
                 "%s\n%s" % (result.by_pct, result.by_pct_again))


def print_table(results):
    line = "# %-26s %-27s %-37s %4s  %-6s %5s %4s  %-8s  %s"
    print(line % ("bug", "kind", "scenario", "CPUs", "grain", "seeds", "PCT", "how",
                  "what is said"))
    for result in results:
        head, found = result.bug.head, result.found or ("-", "-", "", "")
        says = re.sub(r"[./\w-]*/core/", "core/", found[3])
        print(line % (result.bug.name, head["Kind"], head["Scenario"], head["CPUs"], head["Grain"],
                      found[0], result.by_pct[0] if result.by_pct else "-", found[1],
                      says[:90]))


def read_bugs(tap, folder, names):
    bugs = []
    for path in sorted(folder.glob("*.patch")):
        if names and path.stem not in names:
            continue
        try:
            bugs.append(Bug(path))
        except Problem as problem:
            tap.case(False, "%s can be planted" % path.stem, problem)
    return bugs


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--bugs", type=pathlib.Path)
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    kernel = Kernel(args.build.resolve(), args.source.resolve())
    folder = args.bugs or args.source.resolve() / "tests" / "planted" / "bugs"
    tap = Tap()
    bugs = read_bugs(tap, folder, args.names)
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        results = list(pool.map(lambda bug: try_bug(kernel, bug, args.keep), bugs))
    for result in results:
        report(tap, result)
    tap.case(bugs if args.names else len(bugs) >= 20, "there are %d bugs" % len(bugs),
             "20 are promised")
    if PCT and not args.names:
        by_pct = sum(result.by_pct is not None for result in results)
        tap.case(3 * by_pct >= len(results), "%d of %d are found by priorities, with %d seeds"
                 % (by_pct, len(results), PCT), "a third is promised")
    print_table(results)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
