/* SPDX-License-Identifier: MIT */
/*
 * strings.h: arguments and environment on their way from one program to the next.
 *
 * The old program's memory is gone before the new one's begins, so they are kept in the kernel
 * meanwhile: the bytes of all strings, each with its NUL, the arguments first.
 *
 * Errors: -ENOMEM; -E2BIG: one string is too long, or all together are. Thread context.
 */
#pragma once

#include <hal/compiler.h>

#include <stddef.h>
#include <stdint.h>

#define PROGRAM_STRING_MAX (128u << 10) /**< bytes of one string with its NUL, as on Linux */
#define PROGRAM_STRINGS_MAX (512u << 10)

struct vm_space;

struct program_strings {
    char *bytes;
    size_t used, room;
    unsigned arguments, variables; /**< how many there are */
};

/** Adds a string of the kernel's; to the environment if `variable`. All arguments come first. */
HAL_MUST_CHECK int program_strings_add(struct program_strings *strings, const char *text,
                                       int variable);

/** Adds those of the user's arrays at `arguments` and `environment`, which end with NULL; 0: there
 * is none. -EFAULT. May sleep. */
HAL_MUST_CHECK int program_strings_read(struct program_strings *strings, struct vm_space *space,
                                        uintptr_t arguments, uintptr_t environment);

/** The first argument, if there is any, gives way to `words`, of which NULL ones are left out. */
HAL_MUST_CHECK int program_strings_replace(struct program_strings *strings,
                                           const char *const *words, unsigned count);

/** Frees them. */
void program_strings_free(struct program_strings *strings);
