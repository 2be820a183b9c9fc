/* SPDX-License-Identifier: MIT */
/*
 * crew.c: see crew.h.
 */
#include "ktest/sync/crew.h"

#include "lib/format.h"
#include "thread/thread.h"

#include <hal/cpu.h>
#include <hal/time.h>

static void crew_main(void *argument)
{
    struct crew_member *member = argument;

    completion_wait(&member->crew->go);
    if (!member->crew->called_off)
        member->crew->part(member);
}

bool crew_start(struct crew *crew, struct ktest_run *run, unsigned n,
                void (*part)(struct crew_member *member), void *play)
{
    completion_init(&crew->go);
    crew->part = part;
    crew->called_off = false;
    crew->quantum = thread_quantum();
    thread_set_quantum(CREW_QUANTUM);
    for (crew->count = 0; crew->count < n; crew->count++) {
        struct crew_member *member = &crew->members[crew->count];
        char name[16];

        *member = (struct crew_member){.crew = crew,
                                       .number = crew->count,
                                       .random = hal_time_now() * 2654435761u + crew->count,
                                       .play = play};
        (void)format_text(name, sizeof name, "crew %u", crew->count);
        if (!KTEST_EXPECT(run, thread_create(name, crew_main, member, &member->thread) == 0)) {
            crew->called_off = true;
            completion_all(&crew->go);
            crew_join(crew);
            return false;
        }
    }
    completion_all(&crew->go);
    return true;
}

void crew_join(struct crew *crew)
{
    for (unsigned i = 0; i < crew->count; i++)
        thread_join(crew->members[i].thread);
    crew->count = 0;
    thread_set_quantum(crew->quantum);
}

bool crew_play(struct crew *crew, struct ktest_run *run, unsigned n,
               void (*part)(struct crew_member *member), void *play)
{
    bool started = crew_start(crew, run, n, part, play);

    if (started)
        crew_join(crew);
    return started;
}

void crew_note_most(volatile unsigned *most, unsigned value)
{
    unsigned before = __atomic_load_n(most, __ATOMIC_RELAXED);

    while (before < value && !__atomic_compare_exchange_n(most, &before, value, false,
                                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
}

unsigned crew_random(struct crew_member *member, unsigned limit)
{
    member->random = member->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)(member->random >> 33) % limit;
}

void crew_dawdle(struct crew_member *member)
{
    unsigned turns = crew_random(member, 20);
    uint64_t end;

    switch (crew_random(member, 6)) {
    case 0:
        thread_yield();
        break;
    case 1:
        thread_sleep((uint64_t)turns * CREW_US);
        break;
    case 2:
    case 3:
        /* So a quantum may end at any moment of what comes next. */
        for (end = hal_time_now() + turns * CREW_US; hal_time_now() < end;)
            hal_cpu_relax();
        break;
    default:
        break;
    }
}
