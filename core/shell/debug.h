/* SPDX-License-Identifier: MIT */
/*
 * debug.h: the debug shell, for a kernel that stands still; and looking at memory without harm.
 *
 * It is entered at a breakpoint, and at a panic when the command line has the word `debug`. It
 * polls the console, allocates nothing and passes all locks: interrupts are masked and nothing else
 * runs.
 */
#pragma once

#include <hal/compiler.h>
#include <hal/upcall.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Talks to the user until "continue". `why` is a word for the first line. Masked. */
void debug_shell(const struct hal_fault *fault, const char *why);

/**
 * Copies `n` bytes of RAM from `physical` on. Returns 0; -EFAULT where that is not RAM; -EPERM
 * where the machine has reserved it, except for the boot tags; -EACCES for the guard page of a
 * stack. Any context.
 */
HAL_MUST_CHECK int debug_read_memory(uint64_t physical, uint8_t *to, size_t n);

#define DEBUG_ROW_BYTES 16
#define DEBUG_ROW_TEXT 88

/**
 * Writes a row of a hexadecimal dump, with its newline, into the DEBUG_ROW_TEXT bytes at `to`:
 * `at`, the `n` <= DEBUG_ROW_BYTES bytes as numbers, and as text. Any context.
 */
void debug_format_row(char *to, uint64_t at, const uint8_t *bytes, size_t n);
