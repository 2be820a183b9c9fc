/* SPDX-License-Identifier: MIT */
/*
 * watch.h: waiting until one of several files can be read or written, for poll and select.
 */
#pragma once

#include "ipc/poll.h"
#include "ipc/ready.h"

#include <hal/compiler.h>

#include <stdint.h>

struct file;

struct watch {
    struct file *file; /**< a reference; NULL: not open */
    struct poll_seat seat;
    unsigned wanted; /**< WATCH_ bits; 0: the entry does not count */
    unsigned found;
};

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

/**
 * For calls that block other signals only while they wait: from now on the signals in the set at
 * `address`, of `bytes` bytes, are those that are blocked, until the call has ended and handlers
 * begin; NULL: nothing changes. 0, -EFAULT or -EINVAL.
 */
HAL_MUST_CHECK int watch_set_mask(uint64_t address, uint64_t bytes);
