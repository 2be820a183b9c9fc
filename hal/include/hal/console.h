/* SPDX-License-Identifier: MIT */
/*
 * console.h: the way out for a kernel that can trust nothing: one byte at a time, by polling.
 */
#pragma once

#include <stdint.h>

/**
 * Sends one byte on the console's line after what hal_uart_write has accepted, and waits until the
 * line has taken it. Any context, also a panic's, on any CPU, with any lock held. The wait is
 * bounded: a line that takes nothing for long loses the byte.
 */
void hal_console_putc(uint8_t byte);
