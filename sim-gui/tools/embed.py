#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Puts a file into a C array of char, with a NUL after it: embed.py INPUT OUTPUT.c NAME HEADER."""
import sys

source, output, name, header = sys.argv[1:]
with open(source, "rb") as file:
    data = file.read() + b"\0"
with open(output, "w", encoding="ascii") as file:
    file.write('#include "%s"\n\nconst char %s[] = {\n' % (header, name))
    for i in range(0, len(data), 20):
        file.write("    " + ", ".join(str(byte - 256 if byte > 127 else byte)
                                      for byte in data[i:i + 20]) + ",\n")
    file.write("};\nconst unsigned long %s_size = %d;\n" % (name, len(data) - 1))
