/* SPDX-License-Identifier: MIT */
/*
 * fault.h: disks over other devices that spoil what they pass on, or take the time that a disk with
 * an arm would take. For tests, and to see what software does when hardware fails.
 *
 * A fault disk has rules. Of the rules that a request fits, the first decides what becomes of it:
 *
 *     fail    nothing is passed on; it ends with an error
 *     tear    the first sectors of a write (or read) are passed on; then it ends with an error
 *     drop    a write that is said to be done, and is not; a flush likewise
 *     lose    it never ends by itself: the queue's deadline ends it
 *     delay   it is passed on later
 *
 * A rule can let the first `skip` requests that fit it pass, and stop after `count` more, so that
 * "the third write" or "each read of these sectors" can be said.
 */
#pragma once

#include "block/disks/seek.h"
#include "block/request.h"

#define FAULT_RULES_MAX 8u

enum fault_kind { FAULT_FAIL, FAULT_TEAR, FAULT_DROP, FAULT_LOSE, FAULT_DELAY };

struct fault_rule {
    enum fault_kind kind;
    unsigned ops;         /**< bits: 1u << BLOCK_READ, ... */
    uint64_t first, last; /**< requests that touch any of these sectors; flushes always fit */
    uint64_t skip;        /**< so many that fit are passed on first */
    uint64_t count;       /**< and so many are then met; 0: all */
    int error;            /**< of fail and tear; 0: -EIO */
    uint32_t keep;        /**< of tear: so many sectors; 0: half of them */
    uint64_t ns;          /**< of delay; fail and tear end with their error so much later */
};

/**
 * Makes a disk over the device called `name`, which is open meanwhile, called fault0, fault1, ...
 * (or seek0, ... if `model` is not NULL: then each request takes as long as the model says, one at
 * a time, in virtual time that is real time to the machine). Requests that fail are begun `retries`
 * times more, and have `timeout` ns each. 0 and the device; or what block_open returns, -ENOMEM,
 * -EEXIST. block_remove ends it. May sleep.
 */
HAL_MUST_CHECK int block_fault_create(const char *name, const struct seek_model *model,
                                      unsigned retries, uint64_t timeout,
                                      const struct block_device **device);

/** Adds a rule: 0; -EINVAL (it is no fault disk), -ENOSPC. Any context. */
HAL_MUST_CHECK int block_fault_add(const struct block_device *device,
                                   const struct fault_rule *rule);

/** Forgets all rules of a fault disk; requests that were lost stay so. Any context. */
void block_fault_clear(const struct block_device *device);

/** How many requests rules have met since it was made. Any context. */
uint64_t block_fault_met(const struct block_device *device);
