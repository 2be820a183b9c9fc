/* SPDX-License-Identifier: MIT */
/*
 * tty.h: the console: the UART with a line discipline.
 *
 * Output is queued and sent by interrupts; "\n" goes out as "\r\n". Input is queued by interrupts
 * and read in one of two modes. Canonical: by lines, with echo and erasing (Backspace, Ctrl-U,
 * Ctrl-W), Ctrl-D for end of file. Raw: byte by byte, no echo.
 */
#pragma once

#include <hal/compiler.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tty_mode { TTY_CANONICAL, TTY_RAW };

/** Any context but interrupts. */
void tty_set_mode(enum tty_mode mode);

/**
 * Reads. Canonical: one line with its newline, or what Ctrl-D ended (0: end of file). Raw: what is
 * there, at least one byte. Returns the count, -EINTR when Ctrl-C was typed (canonical mode) or the
 * thread was cancelled, -ETIMEDOUT after `deadline` of hal_time_now. May sleep.
 */
HAL_MUST_CHECK int64_t tty_read(void *data, size_t n, uint64_t deadline);

/** Writes all of it; waits while the queue is full. May sleep. */
void tty_write(const void *data, size_t n);

/** Writes formatted text. May sleep. */
void tty_print(const char *format, ...) HAL_FORMAT(1, 2);
void tty_print_va(const char *format, va_list args) HAL_FORMAT(1, 0);

/** Waits until everything written has left. May sleep. */
void tty_drain(void);

/** True once after Ctrl-C was typed since the last call, in either mode, while
 * `tty_watch_interrupt` is on. Any context. */
bool tty_take_interrupt(void);

/**
 * While on, a typed Ctrl-C is not input but a request to stop the command in the foreground: it
 * sets the flag of tty_take_interrupt and cancels thread `id`'s sleep (thread_cancel is not used:
 * wait_sleep in that thread returns -EINTR once). 0: off.
 */
void tty_watch_interrupt(uint32_t id);
