/* SPDX-License-Identifier: MIT */
/*
 * tty.h: the console: the UART with a line discipline.
 *
 * Output is queued and sent by interrupts; "\n" goes out as "\r\n". Input is queued by interrupts
 * and read in one of two modes. Canonical: by lines, with echo and erasing (line.h). Raw: byte by
 * byte, no echo; the shell's editor works on it.
 *
 * When nobody reads and the input queue is full, the kernel stops taking bytes from the device
 * until there is room again. A sender that can wait, such as a pipe into the simulator, loses
 * nothing; a real line without flow control loses what does not fit.
 */
#pragma once

#include <hal/compiler.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct poll_source;

enum tty_mode { TTY_CANONICAL, TTY_RAW };

/** Makes the console work. Boot calls it once, before HAL_IRQ_UART is enabled. 0. */
HAL_MUST_CHECK int tty_start(void);

/** HAL_IRQ_UART: moves bytes between the queues and the device. */
void tty_interrupt(void);

/** Caller is the reader. What is half typed in canonical mode is forgotten. */
void tty_set_mode(enum tty_mode mode);

/**
 * Reads. Canonical: one line with its newline, or what Ctrl-D ended (0: end of file); a line longer
 * than `n` comes in parts. Raw: what is there, at least one byte.
 *
 * Returns the count, -EINTR when Ctrl-C was typed (canonical mode) or the thread was cancelled, or
 * -ETIMEDOUT at `deadline` of hal_time_now. One thread reads at a time. May sleep.
 */
HAL_MUST_CHECK int64_t tty_read(void *data, size_t n, uint64_t deadline);

/** True if tty_read would not wait. Caller is the reader. */
bool tty_has_input(void);

/** Where to wait for tty_has_input to change. Any context. */
struct poll_source *tty_source(void);

/**
 * Writes all of it, not mixed with what other threads write; waits while the queue is full. A
 * cancelled thread does not wait: what does not fit is dropped. May sleep.
 */
void tty_write(const void *data, size_t n);

/** Writes formatted text, as one tty_write. May sleep. */
void tty_print(const char *format, ...) HAL_FORMAT(1, 2);
void tty_print_va(const char *format, va_list args) HAL_FORMAT(1, 0);

/** Waits until the device has everything that was written before the call. May sleep. */
void tty_drain(void);

/**
 * From now on a typed Ctrl-C is not input but a request to stop: it cancels thread number `id`
 * (thread_cancel), and input typed before it is dropped. 0 ends that. A Ctrl-C that is already the
 * next byte to be read counts, so "command, Ctrl-C" means the same however fast it was typed.
 * Thread context.
 */
void tty_watch_interrupt(uint32_t id);

/** Sends what is queued, by polling and past all locks. For a panic: no thread runs any more. */
void tty_flush_polled(void);

/** Takes a byte that was queued or waits in the device, past all locks; false if there is none. */
bool tty_read_polled(uint8_t *byte);
