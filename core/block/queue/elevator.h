/* SPDX-License-Identifier: MIT */
/*
 * elevator.h: which request is next: as an elevator decides at which floor to stop.
 *
 * Disks with an arm take milliseconds to move it, so the order of requests decides how much they
 * get done. All requests that may be served lie in a tree by sector and in a list by arrival; an
 * elevator is one function that picks one of them:
 *
 *     fifo    the one that came first
 *     sstf    the nearest (shortest seek time first): least movement at each step, but requests far
 *             off may wait for ever while new ones come near
 *     look    onwards in the same direction as long as there are any, then back: as an elevator
 *     clook   upwards only, then from the lowest again: so that all places wait equally long
 *
 * Whatever the elevator wants, no request is passed by more than `bound` requests that came later:
 * when the oldest has been passed so often, it is next. A request merged with an older one goes
 * with that one and passes nobody.
 */
#pragma once

#include "lib/list.h"
#include "lib/tree.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

#define ELEVATOR_BOUND 32u /**< what `bound` is, unless somebody says otherwise */

struct block_request;
struct elevator;

struct elevator_kind {
    const char *name;
    const char *summary; /**< a few words */
    /** One of those in the queue, which is not empty; the arm is at sector `head`. */
    struct block_request *(*pick)(struct elevator *elevator, uint64_t head);
};

/** The queue. Guarded by whoever owns it. */
struct elevator {
    const struct elevator_kind *kind;
    struct tree sorted;
    struct list arrivals;
    unsigned count;
    unsigned bound;
    uint64_t taken;   /**< requests that have left, ever */
    uint64_t hurried; /**< of these, taken because they had been passed `bound` times */
    bool downwards;   /**< look's */
};

/** An empty one. */
void elevator_init(struct elevator *elevator, const struct elevator_kind *kind, unsigned bound);

/** Adds a request behind all others. Its `at` is set. */
void elevator_add(struct elevator *elevator, struct block_request *request);

/** Takes a request out, but not to serve it. */
void elevator_remove(struct elevator *elevator, struct block_request *request);

/** Puts `heir`, which is in no queue, in the place in time of `request`, which leaves. */
void elevator_replace(struct elevator *elevator, struct block_request *request,
                      struct block_request *heir);

/** Takes the next to serve out; NULL if there is none. */
struct block_request *elevator_take(struct elevator *elevator, uint64_t head);

/** The first request whose sector is `at` or beyond; NULL if there is none. */
struct block_request *elevator_from(const struct elevator *elevator, uint64_t at);

/** The last request whose sector is below `at`; NULL if there is none. */
struct block_request *elevator_below(const struct elevator *elevator, uint64_t at);

/** The one behind it by sector, or NULL. */
struct block_request *elevator_behind(const struct block_request *request);

/** True if `a` came before `b`. */
bool elevator_is_older(const struct block_request *a, const struct block_request *b);

/** The kind called `name`, or NULL. Any context. */
const struct elevator_kind *elevator_find(const char *name);

/** Kind number `index`, or NULL behind the last. Any context. */
const struct elevator_kind *elevator_at(unsigned index);
