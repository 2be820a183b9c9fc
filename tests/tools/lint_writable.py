#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that the writable memory of the core is all in one section, `kstate`.

    lint_writable.py libtayberry-core.a

The state of the machine lives in three places: its RAM, the machine's own structure, and the
core's writable statics. Power-on, power-cut and snapshots copy these and nothing else, so a static
variable outside the section KSTATE would survive a power cycle. Constant tables are fine, also
those with pointers in them (.data.rel.ro).
"""
import sys

import csource
import elf

ALLOWED = ("kstate", ".kstate", ".data.rel.ro", "alloc_sites")


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: lint_writable.py LIBRARY.a")
    findings = csource.Findings("writable")
    sections = elf.sections(sys.argv[1])
    symbols = elf.symbols(sys.argv[1])
    checked = 0
    for section in sections:
        if "A" not in section.flags:
            continue
        checked += 1
        if "W" not in section.flags or section.name.startswith(ALLOWED) or not section.size:
            continue
        inside = [s.name for s in symbols
                  if s.origin == section.origin and s.section == section.index
                  and s.kind in ("OBJECT", "TLS", "NOTYPE") and s.name]
        findings.add(section.origin, 0, "%d bytes in %s: %s (mark it KSTATE, or make it const)"
                     % (section.size, section.name, ", ".join(inside) or "no name"))
    for symbol in symbols:
        if symbol.section == "COM":
            findings.add(symbol.origin, 0, "the common symbol %s (mark it KSTATE)" % symbol.name)
    findings.finish(checked, "sections")


if __name__ == "__main__":
    main()
