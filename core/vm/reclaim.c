/* SPDX-License-Identifier: MIT */
/*
 * reclaim.c: when frames are short, pages of files that nobody has touched for a while are let go.
 *
 * The page cache cannot give back what somebody maps. So a hand goes round all spaces, and round
 * the pages of each, and takes pages of the cache out of the page maps; those that were written to
 * are dirty then, and will be written back. That loses nothing. A page that is in use is touched
 * again soon; that is a fault that finds it in the cache, and counts there as a use, so the cache
 * keeps it (cache/page/lru.c); one that is not touched again is not used, and the cache gives it
 * back. So the cache's two lists decide, and the hand tells them what programs use, without asking
 * the processor for its marks.
 *
 *     page map --- the hand --> page cache: unused for long --> free
 *         ^                          |
 *         +----- touched again ------+
 *
 * Pages of a program's own would have to be written somewhere first; they stay. A module that can
 * do that finds them here: words without PAGE_CACHED in private regions.
 *
 * Under pages_lock nobody can take a region of a file away (origin_lock), so the page's object
 * stays until its hold has been given up.
 */
#include "mem/reclaim.h"

#include "vm/region/region.h"

#include <hal/kstate.h>

#define LOOK_MAX 64u /* words that are looked at with the locks held */

static KSTATE struct spaces {
    struct spinlock lock; /* guards the list */
    struct list all;      /* in the order in which they are looked at */
    uint64_t count;
    struct reclaimer reclaimer;
} spaces;

/* Takes what can go out of the next pages of a space; caller holds both locks. How many; *end: the
 * hand has come round. */
static size_t look(struct vm_space *space, size_t wanted, bool *end)
{
    size_t got = 0;

    *end = false;
    for (unsigned i = 0; i < LOOK_MAX && got < wanted && !*end; i++) {
        uintptr_t *word = page_map_next(&space->map, &space->hand, PAGE_MAP_END);

        *end = !word;
        if (word && (*word & PAGE_CACHED)) {
            vm_hide(space, space->hand, space->hand + 1);
            page_give_now(*word);
            *word = 0;
            space->resident--;
            got++;
        }
        space->hand = word ? space->hand + 1 : 0;
    }
    return got;
}

/* Looks at the first space; when it is done with it, another one is the first. */
static size_t look_at_first(size_t wanted, bool *end)
{
    hal_irq_state_t outer = spinlock_acquire(&spaces.lock), inner;
    size_t got = 0;

    *end = true;
    if (!list_empty(&spaces.all)) {
        struct vm_space *space = list_entry(spaces.all.next, struct vm_space, link);

        inner = spinlock_acquire(&space->pages_lock);
        got = look(space, wanted, end);
        spinlock_release(&space->pages_lock, inner);
        if (*end) {
            list_remove(&space->link);
            list_add_tail(&spaces.all, &space->link);
        }
    }
    spinlock_release(&spaces.lock, outer);
    return got;
}

static size_t reclaim(void *context, size_t frames)
{
    uint64_t ends = 0, most = __atomic_load_n(&spaces.count, __ATOMIC_RELAXED) + 1;
    size_t got = 0;

    (void)context;
    while (got < frames && ends < most) {
        bool end;

        got += look_at_first(frames - got, &end);
        ends += end;
    }
    return got;
}

void vm_reclaim_add(struct vm_space *space)
{
    hal_irq_state_t state = spinlock_acquire(&spaces.lock);

    list_add_tail(&spaces.all, &space->link);
    __atomic_store_n(&spaces.count, spaces.count + 1, __ATOMIC_RELAXED);
    spinlock_release(&spaces.lock, state);
}

void vm_reclaim_remove(struct vm_space *space)
{
    hal_irq_state_t state = spinlock_acquire(&spaces.lock);

    list_remove(&space->link);
    __atomic_store_n(&spaces.count, spaces.count - 1, __ATOMIC_RELAXED);
    spinlock_release(&spaces.lock, state);
}

void vm_reclaim_init(void)
{
    spinlock_init(&spaces.lock, LOCK_RANK_MAPPED);
    list_init(&spaces.all);
    spaces.reclaimer.name = "user memory";
    spaces.reclaimer.reclaim = reclaim;
    reclaim_register(&spaces.reclaimer);
}
