/* SPDX-License-Identifier: MIT */
/*
 * crew.h: some threads that play a scenario together, and what the tests of core/sync share.
 *
 * All members begin at the same time, or, when there is no memory for one of them, none does: so a
 * scenario need not be ready for missing members. Its size, which `ktest NAME SIZE` sets, says how
 * often things are done.
 *
 * Nothing here may depend on how long a CPU is away: a simulated one is a thread of a host that has
 * other work. So "by now they wait" is not a matter of time, but of the threads' state.
 */
#pragma once

#include "ktest/ktest.h"
#include "sync/flow/gate.h"

#include <stdint.h>

#define CREW_MAX 16u
#define CREW_QUANTUM 20000u /**< ns */
#define CREW_US 1000u
#define CREW_MS 1000000u
#define CREW_S UINT64_C(1000000000)
#define CREW_SETTLE (50 * CREW_MS)  /**< in which what must not happen would */
#define CREW_PATIENCE (20 * CREW_S) /**< for what must happen; then the test fails */

struct crew;

struct crew_member {
    struct crew *crew;
    struct thread *thread;
    bool begun; /**< atomic: plays its part, and does not wait for that any more */
    unsigned number;
    uint64_t random;
    volatile int result;
    void *play; /**< what the scenario shares */
};

struct crew {
    struct completion go;
    void (*part)(struct crew_member *member);
    volatile bool called_off;
    unsigned count;
    uint64_t quantum; /**< as it was before */
    struct crew_member members[CREW_MAX];
};

/**
 * Starts `n` threads that call part(member); false, with the test failed, if it cannot. The quantum
 * is short meanwhile, so that they get in each other's way.
 */
bool crew_start(struct crew *crew, struct ktest_run *run, unsigned n,
                void (*part)(struct crew_member *member), void *play);

/** Waits until all have ended. Does nothing for a crew that did not start. */
void crew_join(struct crew *crew);

/** crew_start and crew_join. */
bool crew_play(struct crew *crew, struct ktest_run *run, unsigned n,
               void (*part)(struct crew_member *member), void *play);

/**
 * Waits until the members before this one rest, so that the members do what follows in the order of
 * their numbers, if that makes them sleep, or is all they do.
 */
void crew_arrive(struct crew_member *member);

/**
 * Waits until all members rest at the same time: each sleeps where its part has led it, or has
 * ended. Those that somebody woke before this call have gone on. Fails the test after a while.
 */
void crew_settle(const struct crew *crew, struct ktest_run *run);

/** Waits until member `number` has ended, or sleeps. Each fails the test after a while. */
void crew_await_end(const struct crew *crew, struct ktest_run *run, unsigned number);
void crew_await_rest(const struct crew *crew, struct ktest_run *run, unsigned number);

/** True if `thread`, which nobody has joined yet, sleeps or has ended. */
bool crew_rests(const struct thread *thread);

/** Waits until *count, which others change atomically, is `least` or more; fails after a while. */
void crew_await_count(const volatile unsigned *count, struct ktest_run *run, unsigned least);

/** Makes *most at least `value`; atomic. */
void crew_note_most(volatile unsigned *most, unsigned value);

/** A number below `limit`, by chance. */
unsigned crew_random(struct crew_member *member, unsigned limit);

/** Does something for a while, by chance: nothing, giving way, a loop, or a sleep of some
 * microseconds. Not under a spinlock. */
void crew_dawdle(struct crew_member *member);
