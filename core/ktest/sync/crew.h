/* SPDX-License-Identifier: MIT */
/*
 * crew.h: some threads that play a scenario together, and what the tests of core/sync share.
 *
 * All members begin at the same time, or, when there is no memory for one of them, none does: so a
 * scenario need not be ready for missing members. Its size, which `ktest NAME SIZE` sets, says how
 * often things are done.
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
#define CREW_SETTLE (50 * CREW_MS) /**< until members that began have got to where they wait */

struct crew;

struct crew_member {
    struct crew *crew;
    struct thread *thread;
    unsigned number;
    uint64_t random;
    volatile int result;
    bool came; /**< for those that arrive one behind the other; atomic */
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

/** Makes *most at least `value`; atomic. */
void crew_note_most(volatile unsigned *most, unsigned value);

/** A number below `limit`, by chance. */
unsigned crew_random(struct crew_member *member, unsigned limit);

/** Does something for a while, by chance: nothing, giving way, a loop, or a sleep of some
 * microseconds. Not under a spinlock. */
void crew_dawdle(struct crew_member *member);
