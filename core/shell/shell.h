/* SPDX-License-Identifier: MIT */
/*
 * shell.h: the kernel's own shell on the console.
 */
#pragma once

#include <hal/compiler.h>

/** Prints a banner, then reads and runs lines for ever. The body of a thread. May sleep. */
HAL_NORETURN void shell_main(void *unused);
