/* SPDX-License-Identifier: MIT */
/*
 * order.h: the order in which locks are taken, as a graph over lock classes.
 *
 * An arrow from a to b says: somebody took a lock of class b while holding one of class a. As long
 * as the arrows make no circle, no set of threads can wait for each other in a circle either. An
 * arrow that would close one is told at once, although nobody waits yet: with every arrow of the
 * circle, who drew it and at which lines. That finds a deadlock in a run in which it did not
 * happen.
 *
 *     one:  lock(a) lock(b)          a --> b
 *     two:  lock(b) lock(a)          a <-- b   closes the circle, even if two ran long after one
 *
 * Two locks of the same class taken one under the other are in order as long as the second always
 * lies at the higher address (or always at the lower one).
 *
 * What is found is only possible, so it is an error in the log and not a panic. The graph has room
 * for ORDER_EDGES arrows between classes; those beyond are counted and not checked.
 */
#pragma once

#include "sync/check/class.h"

#define ORDER_EDGES 512u

/** An arrow, and who drew it first. */
struct order_edge {
    uint16_t from, to; /**< numbers of classes; equal: one under the other, see `upward` */
    bool upward;       /**< from == to: the second lock lay at the higher address */
    uint32_t thread;   /**< number of the thread */
    const struct lock_site *from_site, *to_site;
};

/**
 * A spinlock of class `to` was taken at `to_site` under one of `from` taken at `from_site`. Ranks
 * keep these in order, so nothing is checked. Caller is masked.
 */
void order_note(unsigned from, const struct lock_site *from_site, unsigned to,
                const struct lock_site *to_site);

/**
 * A mutex or rwlock is about to be taken while the caller holds another; `upward`: at a higher
 * address. Tells of a circle that this closes. Thread context; masked, under LOCK_RANK_WAIT at
 * most.
 */
void order_check(unsigned from, const struct lock_site *from_site, unsigned to,
                 const struct lock_site *to_site, bool upward);

/** Arrow number `index`, in the order of their drawing; false: there is none. Any context. */
HAL_MUST_CHECK bool order_at(unsigned index, struct order_edge *edge);

/** How many circles were told so far. Any context. */
unsigned order_reports(void);
