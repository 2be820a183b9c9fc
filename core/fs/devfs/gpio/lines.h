/* SPDX-License-Identifier: MIT */
/*
 * lines.h: lines that somebody has asked for, between lines.c and events.c.
 */
#pragma once

#include "deferred/ktimer.h"
#include "dev/gpio.h"
#include "fs/devfs/gpio/abi.h"
#include "fs/vnode.h"
#include "ipc/poll.h"
#include "sync/mutex.h"
#include "sync/wait.h"

#include <hal/gpio.h>

#define LINES_EDGES (GPIO_ABI_RISING | GPIO_ABI_FALLING)

struct gpio_lines {
    struct vnode vnode; /**< without a name */
    unsigned count;
    bool old; /**< events are told as version 1 does */
    char consumer[GPIO_ABI_NAME];
    uint8_t pins[HAL_GPIO_PINS];

    struct mutex mutex;            /**< guards these two */
    uint64_t flags[HAL_GPIO_PINS]; /**< of each line, as asked for */
    bool listening;

    struct gpio_listener listener; /**< gpio.c's while listening */
    bool polled;                   /**< this machine tells of no edges: who reads looks; atomic */

    struct poll_source source; /**< of those who wait for events */
    struct ktimer looker;      /**< looks at polled lines while any of them waits */

    struct spinlock lock; /**< guards the rest */
    struct wait_queue readers;
    struct gpio_abi_event *ring; /**< of `room` events */
    uint32_t room, head, used;
    uint32_t number, line_number[HAL_GPIO_PINS];
    uint64_t edges[HAL_GPIO_PINS]; /**< flags that say which are wanted, and how */
    uint64_t levels;               /**< bits of lines that were high when last seen */
};

static inline struct gpio_lines *lines_of(struct vnode *vnode)
{
    return (struct gpio_lines *)((char *)vnode - offsetof(struct gpio_lines, vnode));
}

/** What lines.c does for both versions of the interface. May sleep. */
HAL_MUST_CHECK int lines_get_bits(struct gpio_lines *lines, struct gpio_abi_bits *values);
HAL_MUST_CHECK int lines_set_bits(struct gpio_lines *lines, const struct gpio_abi_bits *values);
HAL_MUST_CHECK int lines_set_config(struct gpio_lines *lines, const struct gpio_abi_config *config);

/** Begins to note edges as flags[] says, or ends it. Caller holds the mutex. 0 or an error. */
HAL_MUST_CHECK int events_start(struct gpio_lines *lines);
void events_stop(struct gpio_lines *lines);

/** Once, before anything else of this. */
void events_init(struct gpio_lines *lines);

/** vnode_ops.poll */
unsigned events_poll(struct file *file, struct poll_waiter *waiter);

/** vnode_ops.file_read: whole events. */
int64_t events_read(struct file *file, uint64_t offset, void *data, size_t n);
