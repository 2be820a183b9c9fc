#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that every header compiles by itself, twice in a row, for each machine that sees it.

    lint_headers.py [--root DIR]

A header that needs another one to be included first is a trap for whoever sorts the includes. Each
is compiled with the include directories that its layer may use: what the simulator sees by GCC,
what the Pi sees for AArch64 by Clang, or each by the other one if that is what is here. What a
header needs does not depend on the compiler; that both take what it says, the builds show.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import csource

WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c"]
FREESTANDING = ["-ffreestanding"]
GUI_PACKAGES = ["sdl2", "libtsm", "libpng", "libcjson"]


def folders(root, paths, *names):
    """The -I options of those folders that exist; '*' finds the include folders of a layer."""
    found = []
    for name in names:
        if name.endswith("/*"):
            marks = sorted({p[:p.index("/include/") + 8] for p in paths
                            if p.startswith(name[:-1]) and "/include/" in p})
            # What differs by machine stands in a folder of its own inside include/.
            found += marks + [mark + "/machine" for mark in marks]
        else:
            found.append(name)
    return ["-I" + str(root / name) for name in found if (root / name).is_dir()]


def package_flags():
    """The include options of the libraries of sim-gui, or None where they are not installed."""
    try:
        done = subprocess.run(["pkg-config", "--cflags"] + GUI_PACKAGES, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.decode().split() if done.returncode == 0 else None


def compilers():
    """[(name, command, machine)]: a compiler for each machine, the first of its list that is here.
    """
    wanted = {
        "sim": [("gcc", ["gcc"]), ("clang", ["clang"])],
        "pi": [("clang for the Pi", ["clang", "--target=aarch64-none-elf"]),
               ("gcc for the Pi", ["aarch64-linux-gnu-gcc"])],
    }
    found = []
    for machine, known in wanted.items():
        here = [(name, command, machine) for name, command in known if shutil.which(command[0])]
        found += here[:1]
    return found


def plan(root, paths):
    """(header, machine, options) for each way in which a header has to compile."""
    machine = {"sim": folders(root, paths, "hal-sim/*"), "pi": folders(root, paths, "hal-pi3/*")}
    hal = folders(root, paths, "hal/include")
    gui = package_flags()
    for path in paths:
        if not path.endswith(".h"):
            continue
        top = path.split("/")[0]
        if top in ("core", "hal"):
            for side in ("sim", "pi"):
                yield path, side, FREESTANDING + folders(root, paths, "core") * (top == "core") \
                    + hal + machine[side]
        elif top == "hal-pi3":
            yield path, "pi", FREESTANDING + folders(root, paths, "hal-pi3") + hal + machine["pi"]
        elif path == "hal-sim/include/tayberry.h":
            yield path, "sim", []
        elif top == "hal-sim":
            extra = folders(root, paths, "sim-gui") if "/program/" in path else []
            yield path, "sim", ["-D_GNU_SOURCE"] + folders(root, paths, "hal-sim") + hal \
                + machine["sim"] + extra
        elif top == "sim-gui" and gui is not None:
            yield path, "sim", ["-D_GNU_SOURCE"] + folders(root, paths, "sim-gui",
                                                           "hal-sim/include") + gui
        elif path.startswith("tests/"):
            yield from plan_test(root, paths, path, hal, machine)


def plan_test(root, paths, path, hal, machine):
    """A test's header sees its own folder and what the suites may see; the Pi's suites see the
    Pi's machine."""
    own = folders(root, paths, path.rpartition("/")[0], "tests", "core", "sim-gui")
    sides = ("pi",) if path.startswith("tests/pi3/") else ("sim",)
    if path.startswith("tests/contract/"):
        sides = ("sim", "pi")
    for side in sides:
        extra = FREESTANDING if side == "pi" else ["-D_GNU_SOURCE"]
        code = folders(root, paths, "tests/contract/machine/" + ("pi3" if side == "pi" else "sim"))
        yield path, side, extra + own + code + hal + machine[side]


def compile_alone(root, header, command, options):
    """The compiler's complaint about a source that only includes the header, twice; '' if none."""
    text = '#include "%s"\n#include "%s"\n' % (root / header, root / header)
    done = subprocess.run(command + WARNINGS + options + ["-"], input=text.encode(), check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return "" if done.returncode == 0 else done.stdout.decode(errors="replace")


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description="Compile each header alone.")
    parser.add_argument("--root", type=pathlib.Path, default=here.parent.parent)
    args = parser.parse_args()
    root = args.root.resolve()

    findings = csource.Findings("headers")
    paths = csource.tree_files(root)
    available = compilers()
    if not available:
        sys.exit("headers: neither gcc nor clang is here")
    jobs = [(header, name, command, options) for header, machine, options in plan(root, paths)
            for name, command, side in available if side == machine]
    with ThreadPoolExecutor(max_workers=2) as pool:
        results = pool.map(lambda job: compile_alone(root, job[0], job[2], job[3]), jobs)
    for (header, name, _, _), complaint in zip(jobs, results):
        if complaint:
            first = next((line for line in complaint.splitlines() if "error" in line), complaint)
            findings.add(header, 1, "does not compile alone as %s: %s" % (name, first.strip()))
    findings.finish(len(jobs), "compilations of a header alone")


if __name__ == "__main__":
    main()
