#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turns console fonts into C tables, so that the window needs no file when it runs.

    mkfont.py OUTPUT.c FONT.psfu.gz ...

A PSF file is a header, glyphs of `charsize` bytes (each row padded to whole bytes, the leftmost
pixel in the highest bit), and a table that lists for each glyph the characters it stands for. There
are two versions: PSF1, always 8 wide, whose table is 16-bit characters, and PSF2 with sizes in its
header, whose table is UTF-8. In both, sequences of combining characters follow a mark and are left
out here.
"""
import gzip
import struct
import sys


def read_psf1(data):
    mode, height = data[2], data[3]
    count = 512 if mode & 1 else 256
    glyphs = [data[4 + i * height:4 + (i + 1) * height] for i in range(count)]
    places = {}
    glyph, plain = 0, True
    for (value,) in struct.iter_unpack("<H", data[4 + count * height:]):
        if value == 0xffff:
            glyph, plain = glyph + 1, True
        elif value == 0xfffe:
            plain = False
        elif plain:
            places.setdefault(value, glyph)
    return 8, height, glyphs, places


def read_psf2(data):
    _, _, start, _, count, size, height, width = struct.unpack("<8I", data[:32])
    glyphs = [data[start + i * size:start + (i + 1) * size] for i in range(count)]
    places = {}
    for glyph, entry in enumerate(data[start + count * size:].split(b"\xff")[:count]):
        for character in entry.split(b"\xfe")[0].decode("utf-8"):
            places.setdefault(ord(character), glyph)
    return width, height, glyphs, places


def read_font(path):
    data = gzip.open(path).read()
    if data[:2] == b"\x36\x04":
        return read_psf1(data)
    if data[:4] == b"\x72\xb5\x4a\x86":
        return read_psf2(data)
    sys.exit("%s: not a console font (PSF)" % path)


def rows(values, per_row):
    for i in range(0, len(values), per_row):
        yield "    " + ", ".join(values[i:i + per_row]) + ","


def main():
    out = ["/* Made by mkfont.py from the Spleen fonts (Copyright 2018-2020 Frederic Cambus,",
           "   BSD-2-Clause; the full text is in Debian's package fonts-spleen). */",
           '#include "draw/font.h"', ""]
    entries = []
    for number, path in enumerate(sys.argv[2:]):
        width, height, glyphs, places = read_font(path)
        out.append("static const unsigned char font_bits_%d[] = {" % number)
        out += rows(["0x%02x" % byte for glyph in glyphs for byte in glyph], 16)
        out += ["};", "", "static const struct font_place font_places_%d[] = {" % number]
        out += rows(["{0x%x, %d}" % pair for pair in sorted(places.items())], 8)
        out += ["};", ""]
        entries.append("    {%d, %d, %d, %d, font_bits_%d, font_places_%d}," %
                       (width, height, len(glyphs[0]), len(places), number, number))
    out += ["const struct font font_table[] = {"] + entries + ["};"]
    with open(sys.argv[1], "w", encoding="ascii") as file:
        file.write("\n".join(out) + "\n")


main()
