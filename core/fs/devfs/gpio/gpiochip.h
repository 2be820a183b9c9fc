/* SPDX-License-Identifier: MIT */
/*
 * gpiochip.h: the pins of the header as /dev/gpiochip0, which speaks as Linux's does (abi.h).
 *
 * The chip tells of its lines; whoever wants to use some asks for them and gets an open file for
 * them alone, by which they are read, driven, and, with edges asked for, read as events. The lines
 * are his until that file is closed.
 *
 * Both versions of the interface are spoken (abi.h, old.h). Debouncing is refused (-ENOTSUP), and
 * so is watching others' requests (-ENOTTY).
 */
#pragma once

#include "fs/devfs/gpio/abi.h"

#include <hal/compiler.h>

#include <stdbool.h>

struct file;

/**
 * What goes with GPIO_ABI_GET_LINES inside the kernel: there is no table of descriptors at this
 * height, so the open file itself comes back, with one reference; who called makes it request.fd.
 */
struct gpio_lines_call {
    struct gpio_abi_lines request;
    struct file *file;
};

/** Makes it a device. Boot. */
void gpiochip_register(void);

/* ---- between chip.c, lines.c and events.c ---- */

/** Flags by which a line is requested, of all that are; 0: it is not. */
uint64_t gpiochip_flags(unsigned pin);
void gpiochip_set_flags(unsigned pin, uint64_t flags);

/** Fills in what there is to say of line info->offset. 0 or -EINVAL. Any context. */
HAL_MUST_CHECK int gpiochip_read_info(struct gpio_abi_info *info);

/**
 * Asks for lines: 0 and the open file, -EINVAL, -EBUSY, -ENOTSUP, -ENOMEM. `old`: for one who reads
 * events as of version 1. May sleep.
 */
HAL_MUST_CHECK int lines_open(const struct gpio_abi_lines *request, bool old, struct file **file);
