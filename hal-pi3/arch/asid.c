/* SPDX-License-Identifier: MIT */
/*
 * asid.c: giving out ASIDs, and the next generation of them. See asid.h.
 *
 * The way that is taken nearly always is without a lock: the space was live last on this CPU, and
 * its mark is still what it was. That is safe at any moment of a change of generations on another
 * CPU, because that change keeps the number of what `asid_active` says, whether it is live or was
 * the last; and a CPU's own word is changed by that CPU alone, but for the generation in it.
 */
#include "arch/asid.h"

#include <hal/machine.h>
#include <pi3/lock.h>

static struct lock asid_lock;

/** The mark that is live on each CPU, or was last. Written under the lock. */
static uint64_t asid_active[HAL_CPU_MAX];

/* Under the lock. */
static uint64_t asid_generation = ASID_COUNT; /**< in the place that it has in marks */
static uint64_t asid_next = 1;                /**< the first number not given out yet */
static uint64_t asid_kept[HAL_CPU_MAX];       /**< marks that outlived the last generation */
static uint8_t asid_flush[HAL_CPU_MAX];       /**< ASID_FLUSH: not done yet in this one */

static void asid_next_generation(void)
{
    asid_generation += ASID_COUNT;
    asid_next = 1;
    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++) {
        asid_kept[cpu] = asid_active[cpu];
        asid_flush[cpu] = ASID_FLUSH;
    }
}

static int asid_is_kept(uint64_t number)
{
    int kept = 0;

    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++) {
        kept |= asid_kept[cpu] != 0 && asid_number(asid_kept[cpu]) == number;
    }
    return kept;
}

/**
 * If the space of the old mark `mark` was live when the generation began: its new mark, also for
 * the CPUs on which it is live still. Else 0.
 */
static uint64_t asid_keep(uint64_t mark)
{
    uint64_t renewed = 0;

    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++) {
        if (mark != 0 && asid_kept[cpu] == mark) {
            renewed = asid_generation | asid_number(mark);
        }
    }
    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++) {
        if (renewed != 0 && asid_active[cpu] == mark) {
            __atomic_store_n(&asid_active[cpu], renewed, __ATOMIC_RELAXED);
        }
    }
    return renewed;
}

static uint64_t asid_give(void)
{
    for (;;) {
        if (asid_next == ASID_COUNT) {
            asid_next_generation();
        }
        uint64_t number = asid_next++;
        if (!asid_is_kept(number)) {
            return asid_generation | number;
        }
    }
}

static uint64_t asid_renew(uint64_t mark)
{
    uint64_t renewed = asid_keep(mark);

    return renewed != 0 ? renewed : asid_give();
}

uint64_t asid_activate(uint64_t *mark, unsigned cpu, unsigned *work)
{
    uint64_t own = __atomic_load_n(mark, __ATOMIC_RELAXED);

    *work = 0;
    if (own != 0 && own == __atomic_load_n(&asid_active[cpu], __ATOMIC_RELAXED)) {
        return own;
    }
    hal_irq_state_t state = lock_take(&asid_lock);
    own = *mark;
    if (own == 0 || asid_generation != own - asid_number(own)) {
        own = asid_renew(own);
        __atomic_store_n(mark, own, __ATOMIC_SEQ_CST);
    }
    __atomic_store_n(&asid_active[cpu], own, __ATOMIC_RELAXED);
    *work = ASID_CHANGED | asid_flush[cpu];
    asid_flush[cpu] = 0;
    lock_release(&asid_lock, state);
    return own;
}
