/* SPDX-License-Identifier: MIT */
/*
 * panic.h: the end of a kernel that cannot go on, said in full on the console.
 */
#pragma once

#include <hal/compiler.h>
#include <hal/upcall.h>

/** Prints the panic screen (message, where, registers, backtrace, last trace events) and stops. Any
 * context. */
HAL_NORETURN void panic_at(const char *file, int line, const char *format, ...) HAL_FORMAT(3, 4);

#define panic(...) panic_at(__FILE__, __LINE__, __VA_ARGS__)

/** For broken invariants of the kernel only: never for what a user, a disk or a boot tag may hold.
 */
#define kassert(condition) \
    ((condition) ? (void)0 : panic_at(__FILE__, __LINE__, "assertion failed: %s", #condition))
