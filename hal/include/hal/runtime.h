/* SPDX-License-Identifier: MIT */
/*
 * runtime.h: the four functions that a compiler calls by itself, also in freestanding code.
 *
 * The backend supplies them. They behave as ISO C11, section 7.24, says. Any context.
 */
#pragma once

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
