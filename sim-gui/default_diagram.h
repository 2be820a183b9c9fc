/* SPDX-License-Identifier: MIT */
/*
 * default_diagram.h: images/diagram.json as text in the program, made by embed.py at build time.
 */
#pragma once

extern const char default_diagram[]; /* ends in NUL */
extern const unsigned long default_diagram_size;
