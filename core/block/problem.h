/* SPDX-License-Identifier: MIT */
/*
 * problem.h: why a card cannot be used, in two sentences for people: what is wrong, what to do.
 *
 * An error number tells the caller how to go on; it does not tell the owner of the card that her
 * image was cut short. Code that looks at a card's structure fills one of these beside its error.
 */
#pragma once

#include <hal/compiler.h>

#include <stddef.h>

#define PROBLEM_WHAT_MAX 119 /**< fits into one line of the kernel's log */

struct problem {
    char what[PROBLEM_WHAT_MAX + 1]; /**< what is wrong, a sentence; "" if nothing is */
    const char *remedy;              /**< what to do, a sentence; constant text, never NULL */
};

/** Nothing is wrong. */
void problem_clear(struct problem *problem);

/** States what is wrong, as formatted text, and what to do. */
void problem_set(struct problem *problem, const char *remedy, const char *format, ...)
    HAL_FORMAT(3, 4);

/** Writes both sentences, or "", into the `size` bytes at `to`, cut if they do not fit. */
void problem_text(const struct problem *problem, char *to, size_t size);

/* Remedies that more than one place gives. */
extern const char problem_format_it[];
extern const char problem_write_again[];
extern const char problem_insert[];
