/* SPDX-License-Identifier: MIT */
/*
 * lines.h: pins as Linux gives them to programs: the GPIO character device, version 2.
 *
 * /dev/gpiochip0 is the chip, and its lines are the pins: line 17 is GPIO17. A program asks the
 * chip for some lines, and says what they are to be. What it gets is another descriptor, which is
 * those lines: values are read and set by ioctl, and edges are read like a file, an event at a
 * time. Closing it gives the lines back.
 *
 * The same program runs on any Linux whose board has pins. Source: <linux/gpio.h>.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define LINES_CHIP "/dev/gpiochip0"
#define LINES_ON_BOARD 54u /**< that the Pi's chip has */

/**
 * Asks for `count` lines, which get `flags` (GPIO_V2_LINE_FLAG_...). `consumer`: who we are, for
 * people. Returns a descriptor, or -1 after a message.
 */
int lines_request(const uint32_t *offsets, unsigned count, uint64_t flags, const char *consumer);

/** Sets the lines of `mask`, bit 0 the first that was asked for, to the bits of `values`. False
 * after a message. */
bool lines_set(int fd, uint64_t mask, uint64_t values);

/** Waits for an event, and sets *offset to the line that it is of. False after a message. */
bool lines_event(int fd, uint32_t *offset);

/** Reads a number from `least` to `most`; false after a message that names it by `what`. */
bool lines_number(const char *text, unsigned long least, unsigned long most, const char *what,
                  unsigned long *number);
