#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that includes go only where the design lets dependencies go.

    lint_includes.py [--root DIR]

    sim-gui -> the library's public header, and its own libraries
    images/programs -> core/ and the host: programs for cards, of the kernel's own files
    hal-sim/program -> the library's public header and the host's C library; and what puts a folder
                       of the host onto a card
    hal-sim -> hal/      hal-pi3 -> hal/      core -> hal/      hal -> nothing

POSIX headers belong to hal-sim/host, SDL to sim-gui. Meson gives each target only the include
directories of its layer, so most of this cannot happen by accident; this tool sees the rest, such
as a path with '..' in it or a host's header in freestanding code, and says what the rule is.
"""
import argparse
import pathlib
import posixpath
import sys

import csource

FREESTANDING = {"float.h", "iso646.h", "limits.h", "stdalign.h", "stdarg.h", "stdbool.h",
                "stddef.h", "stdint.h", "stdnoreturn.h"}
CORE_SYSTEM = {"limits.h", "stdalign.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h"}
ISO_C = FREESTANDING | {"assert.h", "complex.h", "ctype.h", "errno.h", "fenv.h", "inttypes.h",
                        "locale.h", "math.h", "setjmp.h", "signal.h", "stdatomic.h", "stdio.h",
                        "stdlib.h", "string.h", "time.h", "wchar.h", "wctype.h"}
GUI_LIBRARIES = ("SDL.h", "SDL_", "SDL2/", "libtsm.h", "png.h", "cjson/", "cJSON.h")
# What the build makes of its options, and who may see it.
GENERATED = {"config.h": "core/"}
PUBLIC = {"hal-sim/include/tayberry.h", "hal-sim/include/tayberry_card.h",
          "hal-sim/include/tayberry_memory.h",
          "hal-sim/include/tayberry_schedule.h"}


class Layer:
    """A part of the tree and what it may see.

    system: names of <...> headers, or None for any that the host has. sees: prefixes of paths in
    the tree that its includes may resolve to. roots: where its quoted includes are looked up.
    """

    def __init__(self, prefix, rule, system, sees, roots, gui=False):
        self.prefix, self.rule, self.system = prefix, rule, system
        self.sees, self.roots, self.gui = sees, roots, gui


HAL = "hal/include/"
MACHINE = ("hal/machine.h", "hal/machine_cpu.h", "hal/machine_user.h")
# The first prefix that fits decides, so the narrower one stands first.
LAYERS = [
    Layer("core/", "core/ sees itself, hal/ and freestanding headers", CORE_SYSTEM,
          ("core/", HAL), ("core", "hal/include")),
    Layer("hal/", "hal/ sees itself and freestanding headers", FREESTANDING, (HAL,),
          ("hal/include",)),
    Layer("hal-pi3/", "hal-pi3/ sees itself, hal/ and freestanding headers", FREESTANDING,
          ("hal-pi3/", HAL), ("hal-pi3", "hal/include")),
    Layer("hal-sim/include/tayberry", "the public header sees itself and the C standard's headers",
          ISO_C, ("hal-sim/include/tayberry",), ("hal-sim/include",)),
    Layer("hal-sim/program/", "hal-sim/program/ is a user of the library: its public header and "
          "the host's C library", None, ("hal-sim/program/", "hal-sim/include/tayberry",
                                         "sim-gui/tayberry_gui.h", "images/programs/card/put.h"),
          ("hal-sim/program", "hal-sim/include", "sim-gui", "images/programs/card")),
    Layer("hal-sim/host/", "hal-sim/host/ sees hal-sim/, hal/ and the host", None,
          ("hal-sim/", HAL), ("hal-sim", "hal-sim/include", "hal/include")),
    Layer("hal-sim/", "hal-sim/ outside host/ sees itself, hal/ and the C standard's headers",
          ISO_C, ("hal-sim/", HAL), ("hal-sim", "hal-sim/include", "hal/include")),
    Layer("sim-gui/", "sim-gui/ sees itself, <tayberry.h>, its own libraries and the C library",
          None, ("sim-gui/", "hal-sim/include/tayberry"), ("sim-gui", "hal-sim/include"),
          gui=True),
    Layer("images/programs/", "images/programs/ sees itself, core/, hal/ and the host", None,
          ("images/programs/", "core/", HAL), ("images/programs", "core", "hal/include")),
    Layer("tests/gui/", "tests/gui/ sees sim-gui/ and the public header", None,
          ("tests/", "sim-gui/", "hal-sim/include/tayberry"),
          ("tests", "sim-gui", "hal-sim/include"), gui=True),
    Layer("tests/contract/run_", "the runners of tests/contract/ see hal/ and their machine", None,
          ("tests/contract/", HAL, "hal-sim/include/", "hal-pi3/"),
          ("tests/contract", "hal/include")),
    Layer("tests/contract/", "tests/contract/ sees hal/ and freestanding headers", FREESTANDING,
          ("tests/contract/", HAL), ("tests/contract", "hal/include")),
    Layer("tests/pi3/", "tests/pi3/ sees hal-pi3/ and hal/", None, ("tests/", "hal-pi3/", HAL),
          ("tests", "hal-pi3", "hal/include")),
    Layer("tests/host/", "tests/host/ sees hal-sim/ and hal/", None, ("tests/", "hal-sim/", HAL),
          ("tests", "hal-sim", "hal/include")),
    Layer("tests/os/", "tests/os/ sees the public header: it tests the whole from outside", None,
          ("tests/", "hal-sim/include/tayberry"), ("tests", "hal-sim/include")),
    Layer("tests/sim/", "tests/sim/ sees the public header, and hal/ for its guests", None,
          ("tests/", "hal-sim/include/", HAL), ("tests", "hal-sim/include", "hal/include")),
    Layer("tests/", "tests/ see core/, hal/ and the public header", None,
          ("tests/", "core/", HAL, "hal-sim/include/"),
          ("tests", "core", "hal/include", "hal-sim/include")),
]


class Tree:
    def __init__(self, root):
        self.files = csource.tree_files(root)
        self.known = set(self.files)
        self.names = {name.rpartition("/")[2] for name in self.files}
        # Wherever a layer keeps its headers: core/, sim-gui/, any folder named include, and the
        # folders of what differs by machine.
        self.roots = ["core", "hal/include", "sim-gui", "hal-sim", "hal-pi3", "tests"]
        self.roots += sorted({path[:path.index("/include/") + len("/include")]
                              for path in self.files if "/include/" in path})
        self.roots += [root + "/machine" for root in self.roots]

    def resolve(self, layer, path, name, quoted):
        """The path in the tree that an include means, or None when it is not of the tree."""
        roots = ([posixpath.dirname(path)] if quoted else []) + list(layer.roots) + self.roots
        for root in roots + ["."]:
            found = posixpath.normpath(posixpath.join(root, name))
            if found in self.known:
                return found
        # A suite of tests shares its helpers between its folders.
        if layer.prefix.startswith("tests/"):
            return next((path for path in self.files
                         if path.startswith("tests/") and path.endswith("/" + name)), None)
        return None


def layer_of(path):
    return next((layer for layer in LAYERS if path.startswith(layer.prefix)), None)


def judge_system(layer, name):
    """What is wrong with an include of a header outside the tree, or None."""
    if name.startswith(GUI_LIBRARIES) and not layer.gui:
        return "<%s> belongs to sim-gui/" % name
    if layer.system is not None and name not in layer.system:
        return "<%s>: %s" % (name, layer.rule)
    return None


def judge(tree, layer, path, mark, name):
    if name.startswith("/"):
        return 'an absolute path: "%s"' % name
    found = tree.resolve(layer, path, name, mark == '"')
    # These are whichever machine's the build names: part of the contract for all.
    if name in MACHINE and any(seen in (HAL, "tests/") for seen in layer.sees):
        return None
    if name in GENERATED and path.startswith(GENERATED[name]):
        return None
    if found is not None and not (mark == "<" and name in ISO_C):
        if found == path or found.startswith(tuple(layer.sees)) or found.startswith(layer.prefix):
            return None
        return '"%s" is %s: %s' % (name, found, layer.rule)
    if mark == '"':
        # A header that the build makes is in no folder of the tree.
        if layer.system is not None or name.rpartition("/")[2] in tree.names:
            return '"%s" is nowhere that this file may look: %s' % (name, layer.rule)
        return None
    return judge_system(layer, name)


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description="Check the directions of includes.")
    parser.add_argument("--root", type=pathlib.Path, default=here.parent.parent)
    args = parser.parse_args()

    findings, checked = csource.Findings("includes"), 0
    tree = Tree(args.root)
    for path in tree.files:
        layer = layer_of(path)
        if layer is None or not path.endswith((".c", ".h", ".S")):
            continue
        for line, mark, name in csource.includes(csource.read(args.root, path)):
            checked += 1
            wrong = judge(tree, layer, path, mark, name)
            if wrong:
                findings.add(path, line, wrong)
    findings.finish(checked, "includes")


if __name__ == "__main__":
    sys.exit(main())
