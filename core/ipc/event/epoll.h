/* SPDX-License-Identifier: MIT */
/*
 * epoll.h: a set of files, as a file, that keeps a list of those that may be ready: so waiting for
 * many costs what is ready, not how many they are.
 *
 *     item: file, descriptor, events, data      in the set by file and descriptor
 *       |
 *       +-- hangs in the file's source (poll.h); told: it goes to the end of the list
 *
 * Who waits takes items from the list and asks each file. An item that is ready is told, and then:
 * level-triggered, it goes back to the list; edge-triggered, only when its file tells anew; with
 * EPOLL_ONCE, when it has been changed (epoll_change).
 *
 * A set keeps no reference to its files: an item goes when its file is closed for good. Sets may be
 * in sets, up to EPOLL_DEPTH deep, and not in a circle.
 *
 * All may sleep, and 0 or an error.
 */
#pragma once

#include <hal/compiler.h>

#include <stdint.h>

struct file;

/** Beside the WATCH_ bits, which are poll's. */
#define EPOLL_EXCLUSIVE 0x10000000u
#define EPOLL_ONCE 0x40000000u
#define EPOLL_EDGE 0x80000000u

#define EPOLL_DEPTH 5u

struct epoll_event {
    uint32_t events;
    uint64_t data; /**< the program's */
};

/** Readies all this. Boot. */
void epoll_start(void);

/** An empty set, as an open file. -ENOMEM. */
HAL_MUST_CHECK int epoll_open(struct file **set);

/**
 * Puts `file`, known to the program as `number`, in, changes what is wanted of it, or takes it out.
 * -EINVAL: `set` is none, or is `file`; -EPERM: `file` is always ready; -EEXIST, -ENOENT; -ELOOP:
 * a circle, or too deep; -ENOMEM.
 */
HAL_MUST_CHECK int epoll_add(struct file *set, struct file *file, unsigned number,
                             const struct epoll_event *event);
HAL_MUST_CHECK int epoll_change(struct file *set, struct file *file, unsigned number,
                                const struct epoll_event *event);
HAL_MUST_CHECK int epoll_remove(struct file *set, struct file *file, unsigned number);

/** Takes an event: 0, or an error that ends the taking and leaves it in the set. */
typedef int epoll_taker(void *context, unsigned index, const struct epoll_event *event);

/**
 * Waits until any of the set is ready, and gives `take` up to `most` events: how many; 0:
 * `deadline`; -EINTR; what `take` said, if it was the first; -EINVAL: no set.
 */
HAL_MUST_CHECK int64_t epoll_await(struct file *set, unsigned most, uint64_t deadline,
                                   epoll_taker *take, void *context);

/** `file` is being closed for good: it is in no set any more. */
void epoll_forget(struct file *file);
