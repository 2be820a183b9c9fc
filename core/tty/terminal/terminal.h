/* SPDX-License-Identifier: MIT */
/*
 * terminal.h: the terminal as programs have it: open files, and what ioctl does with them.
 *
 * It has three names, as on Linux. /dev/tty is the caller's own terminal, if it has one.
 * /dev/console is where the kernel's messages go: opening it never makes it anybody's own, and it
 * is not hung up. The serial line itself is /dev/ttyAMA0, on both machines.
 *
 * All may sleep. Errors and rules are Linux's. A kernel thread may read and write too.
 */
#pragma once

#include "fs/file.h"

#include <hal/compiler.h>

#include <stddef.h>
#include <stdint.h>

enum terminal_name { TERMINAL_OWN, TERMINAL_CONSOLE, TERMINAL_LINE };

/** -ENXIO: the caller has no terminal. */
HAL_MUST_CHECK int terminal_open(enum terminal_name name, struct file *file);

HAL_MUST_CHECK int64_t terminal_read(enum terminal_name name, struct file *file, void *data,
                                     size_t n);
HAL_MUST_CHECK int64_t terminal_write(enum terminal_name name, struct file *file, const void *data,
                                      size_t n);

/** `argument`: as vnode_ops.ioctl. control.c's. */
HAL_MUST_CHECK int terminal_ioctl(struct file *file, unsigned request, void *argument);

/** As vnode_ops.poll. */
unsigned terminal_poll(struct file *file, struct poll_waiter *waiter);

struct tty_window;

/** The size of what the other end shows; who is in the foreground gets SIGNAL_WINCH. */
void terminal_set_window(const struct tty_window *window);

/** True if the terminal has been hung up since `file` was opened. Any context. */
bool terminal_is_hung_up(const struct file *file);
