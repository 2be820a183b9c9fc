/* SPDX-License-Identifier: MIT */
/*
 * watch.h: waiting until one of several files can be read or written, for poll and select.
 */
#pragma once

#include "ipc/poll.h"

#include <hal/compiler.h>

#include <stdint.h>

struct file;

/** Linux's POLL bits, of which VNODE_CAN_ has the first. */
enum {
    WATCH_IN = 1,
    WATCH_URGENT = 2,
    WATCH_OUT = 4,
    WATCH_ERROR = 8,
    WATCH_HANG_UP = 16,
    WATCH_NOT_OPEN = 32,
    WATCH_IN_NORMAL = 0x40,
    WATCH_OUT_NORMAL = 0x100
};

struct watch {
    struct file *file; /**< a reference; NULL: not open */
    struct poll_seat seat;
    unsigned wanted; /**< WATCH_ bits; 0: the entry does not count */
    unsigned found;
};

/** WATCH_ bits, of VNODE_CAN_ bits. */
unsigned watch_events(unsigned can);

/** What `file` is ready for at this moment, as WATCH_ bits; `waiter` as in vnode_ops.poll. May
 * sleep. */
unsigned watch_look(struct file *file, struct poll_waiter *waiter);

/**
 * Waits until one of `count` files is ready for something that is wanted; fills in `found` of all:
 * how many have something. 0: it is `deadline`; -EINTR. May sleep.
 */
HAL_MUST_CHECK int64_t watch_wait(struct watch *watches, unsigned count, uint64_t deadline);

/** Puts their files. */
void watch_finish(struct watch *watches, unsigned count);

/** The timeouts of these calls: as struct timespec or, with `micro`, struct timeval. */
struct watch_limit {
    uint64_t address; /**< NULL: for ever */
    uint64_t deadline;
    uint64_t unit; /**< ns that the second half of it counts */
};
HAL_MUST_CHECK int watch_read_limit(struct watch_limit *limit, uint64_t address, bool micro);

/** Writes back what is left of the time, as Linux does. */
void watch_write_limit(const struct watch_limit *limit);
