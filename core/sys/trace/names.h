/* SPDX-License-Identifier: MIT */
/*
 * names.h: the names of numbers in system calls, as Linux's headers have them.
 */
#pragma once

#include "sys/call.h"

#include <stddef.h>
#include <stdint.h>

/** A value that has a name: in those bits of an argument that `mask` has. */
struct names_entry {
    uint64_t mask, value;
    const char *name;
};

/** The names of argument `index` of a call, as a table that ends with a NULL; or NULL: it has
 * none. */
const struct names_entry *names_of(enum sys_number call, unsigned index);

/** "ENOENT" and "No such file or directory", or NULL. */
const char *names_of_error(unsigned error);
const char *names_of_error_text(unsigned error);

/** "SIGSEGV", or NULL. */
const char *names_of_signal(unsigned signal);
