/* SPDX-License-Identifier: MIT */
/*
 * held.h: which thread holds which mutexes and rwlocks, and since where.
 *
 * Kept while the checks are on, in a table of HELD_MAX records: a hold that finds no room is
 * counted (held_lost) and otherwise unknown, so it cannot be blamed for anything. A record knows
 * its lock by address only and never looks at it.
 */
#pragma once

#include "sync/check/class.h"

struct thread;

#define HELD_MAX 256u

struct lock_hold {
    const void *lock;
    struct thread *thread;
    const struct lock_site *site;
    uint64_t since; /**< hal_time_now, or 0 unless lock_timing */
    uint16_t class;
    bool shared; /**< an rwlock, held for reading */
    struct lock_hold *next_of_thread;
    struct lock_hold *next_of_lock; /**< of the same bucket; of the free ones */
};

/**
 * Before the caller waits for or takes `lock`: panics if it holds it already, and checks the order
 * against all that it holds, but for those of the same class if `nested`. Thread context; masked,
 * under the spinlock of `lock`.
 */
void held_check(const void *lock, unsigned class, bool nested, const struct lock_site *site);

/** The calling thread has got `lock`, or gives it up. Caller is masked. */
void held_add(const void *lock, unsigned class, bool shared, const struct lock_site *site);
void held_remove(const void *lock);

/** True if the calling thread holds `lock`, or if that is not known. Any context. */
bool held_by_caller(const void *lock);

/** The calling thread ends: panics if it holds a lock. Caller is masked. */
void held_check_end(void);

/** Copies record number `index` (0 .. HELD_MAX - 1), with its thread's number; false: it is free.
 */
HAL_MUST_CHECK bool held_at(unsigned index, struct lock_hold *hold, uint32_t *thread);

/** Holds that found no room since power-on. Any context. */
uint64_t held_lost(void);

/** How many records are in use. Any context. */
unsigned held_count(void);

/* For waits.c, which asks with held_lock taken. */

void held_lock(void);
void held_unlock(void);

/** The first record of a hold of `lock` after `hold` (NULL: from the beginning), or NULL. */
const struct lock_hold *held_next(const void *lock, const struct lock_hold *hold);
