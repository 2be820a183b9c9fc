/* SPDX-License-Identifier: MIT */
/*
 * script.h: files that begin with "#!" and name the program that runs them.
 *
 *     #!/bin/sh -e        run as        /bin/sh -e PATH ARGUMENTS...
 *
 * All that follows the interpreter's name on the line is one argument, as on Linux. Pure; any
 * context.
 */
#pragma once

#include <hal/compiler.h>

#include <stddef.h>
#include <stdint.h>

#define SCRIPT_LINE_MAX 256u /**< of the first line, with "#!" and its newline */

struct script {
    char interpreter[SCRIPT_LINE_MAX];
    char argument[SCRIPT_LINE_MAX]; /**< "": there is none */
};

/** Reads the first `n` bytes of a file. -ENOEXEC: it is no script, or its line is too long. */
HAL_MUST_CHECK int script_read(const uint8_t *head, size_t n, struct script *script);
