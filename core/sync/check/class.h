/* SPDX-License-Identifier: MIT */
/*
 * class.h: what kind of lock a lock is, and where it was taken: the words that all reports use.
 *
 * A class is all locks that one line of the source makes ready: "the mutex of a volume", however
 * many volumes there are. The macros that initialise locks leave a description of their line in the
 * program, and the macros that take locks leave the place that does. So a report can say
 *
 *     mutex volume->mutex (core/fs/fat32/mount.c:147), taken at core/fs/fat32/node.c:88
 *
 * Classes get numbers when their line first runs. There is room for LOCK_CLASSES; a lock of a class
 * that finds none has number 0: it works, and is in no statistics and no order graph.
 *
 * Boot decides once whether the checks are on: a build with debug information has them on, and the
 * boot words `checks=` and `lockchecks=` say otherwise. They allocate nothing, and call no function
 * of the HAL that a virtual clock could tell: a seed gives the same trace with them and without.
 */
#pragma once

#include <hal/compiler.h>
#include <hal/kstate.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOCK_CLASSES 128u /**< numbers 1 .. LOCK_CLASSES - 1 are given out */

enum lock_kind { LOCK_SPIN, LOCK_MUTEX, LOCK_RWLOCK };

/** A place in the source. */
struct lock_site {
    const char *file; /**< as the compiler was given it */
    uint32_t line;
};

/** The place on whose line this stands. */
#define LOCK_SITE() \
    ({ \
        static const struct lock_site lock_site_ = {__FILE__, __LINE__}; \
        &lock_site_; \
    })

/** What has happened to the locks of a class. Numbers are atomic, and may be a moment old. */
struct lock_class_state {
    uint16_t number;                 /**< 0: not registered yet, or no room */
    uint64_t taken;                  /**< counted while checks are on */
    uint64_t contended;              /**< of these, somebody had to wait; always counted */
    uint64_t longest_ns;             /**< the longest hold, while lock_timing */
    const struct lock_site *longest; /**< which that was */
};

struct lock_class {
    const char *name; /**< as the source calls the lock: "&volume->mutex" */
    struct lock_site site;
    enum lock_kind kind;
    struct lock_class_state *state;
};

/** The class of the line on which this stands. */
#define LOCK_CLASS(kind_, name_) \
    ({ \
        static KSTATE struct lock_class_state lock_state_; \
        static const struct lock_class lock_class_ = {.name = (name_), \
                                                      .site = {__FILE__, __LINE__}, \
                                                      .kind = (kind_), \
                                                      .state = &lock_state_}; \
        &lock_class_; \
    })

extern bool lock_checks_on, lock_timing_on; /* class.c's */

/** True while the checks are on. Any context. */
static inline bool lock_checked(void)
{
    return __builtin_expect(lock_checks_on, 0);
}

/** True while holds are measured. Any context. */
static inline bool lock_timed(void)
{
    return __builtin_expect(__atomic_load_n(&lock_timing_on, __ATOMIC_RELAXED), 0);
}

/** Switches the checks on or off. Boot only, before there is a second thread. */
void lock_checks_start(bool on);

/**
 * How long locks are held is measured while this is on: it asks for the time twice a hold, and that
 * changes what a seed of the virtual clock gives. Off at power-on. Needs the checks. Any context.
 */
void lock_timing(bool on);

/** The number of `class`; gives it one if there is any left. Any context. */
uint16_t lock_class_number(const struct lock_class *class);

/** The class of number `number`, or NULL. Any context. */
const struct lock_class *lock_class_at(unsigned number);

/** The name without a leading `&`; "unnamed" for NULL. */
const char *lock_class_name(const struct lock_class *class);

/** "spinlock", "mutex" or "rwlock". */
const char *lock_class_kind(const struct lock_class *class);

/** Writes "mutex volume->mutex (core/fs/fat32/mount.c:147)" as the class of number `number`. */
void lock_class_text(unsigned number, char *text, size_t size);

/** Writes "core/fs/fat32/node.c:88"; "?" for NULL. */
void lock_site_text(const struct lock_site *site, char *text, size_t size);

/** Counts for a class, by number. Any context. */
void lock_class_took(unsigned number);
void lock_class_contended(unsigned number);
void lock_class_held_for(unsigned number, uint64_t ns, const struct lock_site *site);

/**
 * A spinlock below all others, for the tables of the checks themselves: no rank, no class, no
 * checks. Caller has interrupts masked, takes no other lock inside and calls nothing of the HAL.
 */
struct raw_lock {
    uint32_t taken;
};

void raw_lock_acquire(struct raw_lock *lock);
void raw_lock_release(struct raw_lock *lock);
