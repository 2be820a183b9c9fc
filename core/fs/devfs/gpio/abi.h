/* SPDX-License-Identifier: MIT */
/*
 * abi.h: what Linux's programs say to /dev/gpiochip0, version 2 of the interface: requests and the
 * layout of what goes with them, the same on x86-64 and AArch64.
 *
 * A number of a request tells the direction (1 to the kernel, 2 from it), the size of what goes
 * with it, the letter of the interface (0xB4) and which it is:
 *
 *     31 30 | 29 .. 16 | 15 .. 8 | 7 .. 0
 *     way     bytes      letter    number
 *
 * Lines of a request are bits of `bits` and `mask` in the order in which they were asked for.
 *
 * Source: the numbers and layouts of Linux, include/uapi/linux/gpio.h.
 */
#pragma once

#include <stdint.h>

#define GPIO_ABI_NAME 32
#define GPIO_ABI_LINES 64
#define GPIO_ABI_ATTRIBUTES 10

#define GPIO_ABI_REQUEST(way, number, type) \
    ((unsigned)(way) << 30 | (unsigned)sizeof(type) << 16 | 0xB4u << 8 | (number))

/** Flags of a line: what it is asked to be, and what it is. */
enum {
    GPIO_ABI_USED = 1 << 0,
    GPIO_ABI_ACTIVE_LOW = 1 << 1, /**< 1 means a low level */
    GPIO_ABI_INPUT = 1 << 2,
    GPIO_ABI_OUTPUT = 1 << 3,
    GPIO_ABI_RISING = 1 << 4,      /**< tell of edges to 1, */
    GPIO_ABI_FALLING = 1 << 5,     /**< and to 0 */
    GPIO_ABI_OPEN_DRAIN = 1 << 6,  /**< drive low levels only */
    GPIO_ABI_OPEN_SOURCE = 1 << 7, /**< drive high levels only */
    GPIO_ABI_PULL_UP = 1 << 8,
    GPIO_ABI_PULL_DOWN = 1 << 9,
    GPIO_ABI_NO_PULL = 1 << 10,
    GPIO_ABI_REALTIME = 1 << 11 /**< times of events are of the wall clock */
};

struct gpio_abi_chip {
    char name[GPIO_ABI_NAME], label[GPIO_ABI_NAME];
    uint32_t lines;
};

enum { GPIO_ABI_FLAGS = 1, GPIO_ABI_VALUES = 2, GPIO_ABI_DEBOUNCE = 3 };

struct gpio_abi_attribute {
    uint32_t id; /**< one of the three above */
    uint32_t padding;
    uint64_t value; /**< flags; values as bits; or microseconds in the lower half */
};

/** What holds for some lines only. */
struct gpio_abi_exception {
    struct gpio_abi_attribute attribute;
    uint64_t mask;
};

struct gpio_abi_config {
    uint64_t flags; /**< of lines without an exception */
    uint32_t count; /**< of exceptions */
    uint32_t padding[5];
    struct gpio_abi_exception exceptions[GPIO_ABI_ATTRIBUTES];
};

struct gpio_abi_lines {
    uint32_t offsets[GPIO_ABI_LINES];
    char consumer[GPIO_ABI_NAME]; /**< who asks, for people */
    struct gpio_abi_config config;
    uint32_t count;  /**< of lines */
    uint32_t events; /**< so many are kept for who is slow to read; 0: a usual number */
    uint32_t padding[5];
    int32_t fd; /**< from the kernel: what was asked for, as an open file */
};

struct gpio_abi_info {
    char name[GPIO_ABI_NAME], consumer[GPIO_ABI_NAME];
    uint32_t offset; /**< to the kernel: which line */
    uint32_t count;  /**< of attributes */
    uint64_t flags;
    struct gpio_abi_attribute attributes[GPIO_ABI_ATTRIBUTES];
    uint32_t padding[4];
};

struct gpio_abi_bits {
    uint64_t bits, mask;
};

enum { GPIO_ABI_EVENT_RISING = 1, GPIO_ABI_EVENT_FALLING = 2 };

struct gpio_abi_event {
    uint64_t time; /**< ns */
    uint32_t id;   /**< one of the two above */
    uint32_t offset;
    uint32_t number;      /**< among the events of the request, from 1 on */
    uint32_t line_number; /**< among those of the line */
    uint32_t padding[6];
};

_Static_assert(sizeof(struct gpio_abi_chip) == 68, "as Linux");
_Static_assert(sizeof(struct gpio_abi_config) == 272, "as Linux");
_Static_assert(sizeof(struct gpio_abi_lines) == 592, "as Linux");
_Static_assert(sizeof(struct gpio_abi_info) == 256, "as Linux");
_Static_assert(sizeof(struct gpio_abi_event) == 48, "as Linux");

/* To the chip. */
#define GPIO_ABI_GET_CHIP GPIO_ABI_REQUEST(2, 0x01, struct gpio_abi_chip)
#define GPIO_ABI_GET_INFO GPIO_ABI_REQUEST(3, 0x05, struct gpio_abi_info)
#define GPIO_ABI_GET_LINES GPIO_ABI_REQUEST(3, 0x07, struct gpio_abi_lines)
/* To lines. */
#define GPIO_ABI_SET_CONFIG GPIO_ABI_REQUEST(3, 0x0D, struct gpio_abi_config)
#define GPIO_ABI_GET_BITS GPIO_ABI_REQUEST(3, 0x0E, struct gpio_abi_bits)
#define GPIO_ABI_SET_BITS GPIO_ABI_REQUEST(3, 0x0F, struct gpio_abi_bits)
