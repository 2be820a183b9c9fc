# SPDX-License-Identifier: MIT
"""Symbols and sections of object files, archives and shared libraries, by way of readelf.

readelf reads any machine's files, so the same code judges the simulator and the Pi.
"""
import re
import subprocess
import sys


class Symbol:
    """A symbol: where it is from (archive member or file), its name, kind, binding and section."""

    def __init__(self, origin, name, size, kind, binding, section):
        self.origin, self.name, self.size = origin, name, size
        self.kind, self.binding, self.section = kind, binding, section


class Section:
    def __init__(self, origin, index, name, size, flags):
        self.origin, self.index, self.name, self.size, self.flags = origin, index, name, size, flags


def _readelf(option, path):
    try:
        done = subprocess.run(["readelf", option, "-W", str(path)], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False,
                              env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
    except FileNotFoundError:
        sys.exit("readelf is missing: apt-get install binutils")
    if done.returncode != 0 or not done.stdout:
        sys.exit("readelf cannot read %s: %s" % (path, done.stderr.decode().strip()))
    return done.stdout.decode(errors="replace")


_SYMBOL = re.compile(r"^\s*\d+: [0-9a-f]+\s+(\S+)\s+(\S+)\s+(\S+)\s+\S+(?:\s+\[[^]]*\])?"
                     r"\s+(\S+)\s+(\S.*)$")
_SECTION = re.compile(r"^\s*\[\s*(\d+)\]\s+(\S*)\s+\S+\s+[0-9a-f]{8,}\s+[0-9a-f]+\s+([0-9a-f]+)"
                      r"\s+\S+\s+([A-Za-z]*)\s+\d+\s+\d+\s+\d+$")


def _members(text, path):
    """(origin, line) for each line of readelf's output; an archive names its members."""
    origin = str(path).rpartition("/")[2]
    for line in text.splitlines():
        if line.startswith("File: "):
            # 'lib.a(member.o)', or 'lib.a[folder/member.o]' where the archive is a thin one.
            origin = re.split(r"[/(\[]", line[6:].rstrip(")]"))[-1]
        yield origin, line


def symbols(path, dynamic=False):
    found = []
    text = _readelf("--dyn-syms" if dynamic else "-s", path)
    for origin, line in _members(text, path):
        match = _SYMBOL.match(line)
        if match:
            size, kind, binding, section, name = match.groups()
            name = name.strip().split(" ")[0].partition("@")[0]
            found.append(Symbol(origin, name, int(size, 0), kind, binding, section))
    return found


def sections(path):
    found = []
    for origin, line in _members(_readelf("-S", path), path):
        match = _SECTION.match(line)
        if match:
            index, name, size, flags = match.groups()
            found.append(Section(origin, index, name, int(size, 16), flags))
    return found
