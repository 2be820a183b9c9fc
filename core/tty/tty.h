/* SPDX-License-Identifier: MIT */
/*
 * tty.h: the console: the UART, and the line discipline behind it.
 *
 * There is one terminal. What is typed goes through the discipline (discipline/discipline.h) as it
 * arrives, so echo and Ctrl-C do not wait for anybody who reads. Programs use it through its
 * devices (terminal/terminal.h); the kernel's shell by the functions here, with settings of its
 * own: by lines, or byte by byte without echo for the shell's editor.
 *
 * When nobody reads and there is no more room for input, the kernel stops taking bytes from the
 * device until there is room again. A sender that can wait, such as a pipe into the simulator,
 * loses nothing; a real line without flow control loses what does not fit. Ctrl-C and the like act
 * when they arrive, before what was typed ahead of them and waits.
 */
#pragma once

#include <hal/compiler.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tty_mode {
    TTY_CANONICAL, /**< lines, with echo */
    TTY_RAW,       /**< bytes, without */
    TTY_PROGRAMS   /**< what programs find at first: lines, signals, Ctrl-S */
};

/** Makes the console work. Boot calls it once, before HAL_IRQ_UART is enabled. 0. */
HAL_MUST_CHECK int tty_start(void);

/** HAL_IRQ_UART: takes input, and sends output. */
void tty_interrupt(void);

/**
 * For the kernel's shell, and those it runs. What was typed and not read yet counts as typed in the
 * new mode, if it was typed in TTY_RAW. Thread context.
 */
void tty_set_mode(enum tty_mode mode);

/**
 * Reads. By lines: one line with its newline, or what Ctrl-D ended (0: end of file); a line longer
 * than `n` comes in parts. Raw: what is there, at least one byte.
 *
 * Returns the count, -EINTR when the thread was cancelled, or -ETIMEDOUT at `deadline` of
 * hal_time_now. May sleep.
 */
HAL_MUST_CHECK int64_t tty_read(void *data, size_t n, uint64_t deadline);

/**
 * Writes all of it, not mixed with what other threads of the kernel write; waits while the queue is
 * full. A cancelled thread does not wait: what does not fit is dropped. May sleep.
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
 * next byte to be read counts, so "command, Ctrl-C" means the same however fast it was typed. While
 * the terminal is a session's, its keys are that session's matter, and Ctrl-C cancels nobody.
 * Thread context.
 */
void tty_watch_interrupt(uint32_t id);

/** Sends what is queued, by polling and past all locks. For a panic: no thread runs any more. */
void tty_flush_polled(void);

/** Takes a byte that was queued or waits in the device, past all locks; false if there is none. */
bool tty_read_polled(uint8_t *byte);

/** The terminal, for a program that is to have it as its own: see proc/session.h. */
struct terminal *tty_terminal(void);
