/* SPDX-License-Identifier: MIT */
/*
 * old.h: version 1 of what Linux's programs say to /dev/gpiochip0, as the tools of libgpiod 1 do:
 * lines with one set of flags for all, or one line with edges. abi.h has the rest.
 *
 * Source: the numbers and layouts of Linux, include/uapi/linux/gpio.h.
 */
#pragma once

#include "fs/devfs/gpio/abi.h"

#include <hal/compiler.h>

#include <stddef.h>

/** Flags that lines are asked for with. */
enum {
    GPIO_OLD_INPUT = 1 << 0, /**< in information: the line is used */
    GPIO_OLD_OUTPUT = 1 << 1,
    GPIO_OLD_ACTIVE_LOW = 1 << 2,
    GPIO_OLD_OPEN_DRAIN = 1 << 3,
    GPIO_OLD_OPEN_SOURCE = 1 << 4,
    GPIO_OLD_PULL_UP = 1 << 5,
    GPIO_OLD_PULL_DOWN = 1 << 6,
    GPIO_OLD_NO_PULL = 1 << 7
};

struct gpio_old_info {
    uint32_t offset, flags;
    char name[GPIO_ABI_NAME], consumer[GPIO_ABI_NAME];
};

struct gpio_old_handle {
    uint32_t offsets[GPIO_ABI_LINES];
    uint32_t flags;
    uint8_t values[GPIO_ABI_LINES]; /**< of outputs, to begin with */
    char consumer[GPIO_ABI_NAME];
    uint32_t count;
    int32_t fd; /**< from the kernel */
};

struct gpio_old_edges {
    uint32_t offset, flags;
    uint32_t edges; /**< 1 to 1, 2 to 0, 3 both */
    char consumer[GPIO_ABI_NAME];
    int32_t fd;
};

struct gpio_old_values {
    uint8_t values[GPIO_ABI_LINES];
};

struct gpio_old_config {
    uint32_t flags;
    uint8_t values[GPIO_ABI_LINES];
    uint32_t padding[4];
};

struct gpio_old_event {
    uint64_t time;
    uint32_t id, padding;
};

_Static_assert(sizeof(struct gpio_old_info) == 72, "as Linux");
_Static_assert(sizeof(struct gpio_old_handle) == 364, "as Linux");
_Static_assert(sizeof(struct gpio_old_edges) == 48, "as Linux");
_Static_assert(sizeof(struct gpio_old_config) == 84, "as Linux");
_Static_assert(sizeof(struct gpio_old_event) == 16, "as Linux");

/* To the chip. */
#define GPIO_OLD_GET_INFO GPIO_ABI_REQUEST(3, 0x02, struct gpio_old_info)
#define GPIO_OLD_GET_HANDLE GPIO_ABI_REQUEST(3, 0x03, struct gpio_old_handle)
#define GPIO_OLD_GET_EDGES GPIO_ABI_REQUEST(3, 0x04, struct gpio_old_edges)
/* To lines. */
#define GPIO_OLD_GET_VALUES GPIO_ABI_REQUEST(3, 0x08, struct gpio_old_values)
#define GPIO_OLD_SET_VALUES GPIO_ABI_REQUEST(3, 0x09, struct gpio_old_values)
#define GPIO_OLD_SET_CONFIG GPIO_ABI_REQUEST(3, 0x0A, struct gpio_old_config)

/** What goes with the requests for lines inside the kernel: see struct gpio_lines_call. */
struct gpio_old_handle_call {
    struct gpio_old_handle request;
    struct file *file;
};

struct gpio_old_edges_call {
    struct gpio_old_edges request;
    struct file *file;
};

/** What they are to the chip and to lines: 0 or an error; -ENOTTY: none of them. May sleep. */
HAL_MUST_CHECK int old_chip_ioctl(unsigned request, void *argument);

struct gpio_lines;
HAL_MUST_CHECK int old_lines_ioctl(struct gpio_lines *lines, unsigned request, void *argument);
