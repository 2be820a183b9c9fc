/* SPDX-License-Identifier: MIT */
/*
 * wheel.h: a hierarchical timing wheel: things that have a time, taken out in its order.
 *
 * Adding and removing take the same few steps however many there are, and allocate nothing: the
 * nodes lie inside the objects. A time has 64 bits, that is 11 digits of base 64. Level n of the
 * wheel has a slot for each value of digit n, and a node lies at the level of the highest digit in
 * which its time differs from now. With two digits of base 4, and now = 12:
 *
 *     level 1:  |    | 1. | 2x | 3x |      x in 2x is 21, which differs from 12 in digit 1
 *     level 0:  |    |    | 12 | 13 |      13 differs in digit 0 only
 *
 * So all of a level come before all of the next higher one, and the slots of a level are in order.
 * When now reaches a slot of a higher level, its nodes move to lower ones, at most ten times in the
 * life of a node. Slots at level 0 are one nanosecond wide: the order is exact, and nodes of the
 * same time stay in the order in which they were added.
 *
 * The owner's lock guards a wheel.
 */
#pragma once

#include "lib/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WHEEL_BITS 6u
#define WHEEL_SLOTS (1u << WHEEL_BITS)
#define WHEEL_LEVELS 11u

struct wheel_node {
    struct list link;
    uint64_t time;
    uint8_t level, slot; /**< where it is, while it is in a wheel */
    bool linked;
};

struct wheel {
    uint64_t now;
    size_t count;
    uint8_t moving;                  /**< the level whose slot of `now` is being emptied; 0: none */
    uint64_t occupied[WHEEL_LEVELS]; /**< a bit for each slot that has nodes */
    uint64_t earliest[WHEEL_LEVELS][WHEEL_SLOTS]; /**< no node of the slot is before it */
    struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

/** Makes an empty wheel whose time is `now`. */
void wheel_init(struct wheel *wheel, uint64_t now);

/** Adds `node`, which is in no wheel, for `time`; a time that has passed is next. */
void wheel_add(struct wheel *wheel, struct wheel_node *node, uint64_t time);

/** Takes `node` out, if it is in. Returns whether it was. */
bool wheel_remove(struct wheel *wheel, struct wheel_node *node);

/**
 * Takes out the first node whose time is not after `until`; NULL if there is none, and then now is
 * `until` (unless it was later). Does a bounded number of steps: *more means that it is not done
 * and wants to be called again.
 */
struct wheel_node *wheel_take(struct wheel *wheel, uint64_t until, bool *more);

/** A time before which wheel_take gives nothing, usually that of the first node; UINT64_MAX if the
 * wheel is empty. */
uint64_t wheel_next(const struct wheel *wheel);
