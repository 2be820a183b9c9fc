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
    __atomic_store_n(&member->begun, true, __ATOMIC_RELAXED);
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

/* ---- where they are ---- */

bool crew_rests(const struct thread *thread)
{
    struct thread_info info;

    if (thread_read_info(thread->id, &info))
        return true;
    return info.state == THREAD_SLEEPING || info.state == THREAD_ZOMBIE;
}

static bool member_rests(const struct crew_member *member)
{
    return __atomic_load_n(&member->begun, __ATOMIC_RELAXED) && crew_rests(member->thread);
}

/* Gives way, but does not sleep: else it would itself seem to rest. */
void crew_arrive(struct crew_member *member)
{
    const struct crew_member *before = member->crew->members;

    for (; before < member; before++)
        while (!member_rests(before))
            thread_yield();
}

/* How often the members have got a CPU so far; 0: one does not rest. */
static uint64_t switches_at_rest(const struct crew *crew)
{
    struct thread_info info;
    uint64_t sum = 0;

    for (unsigned i = 0; i < crew->count; i++) {
        if (!member_rests(&crew->members[i]))
            return 0;
        if (thread_read_info(crew->members[i].thread->id, &info) == 0)
            sum += info.switches;
    }
    return sum;
}

/*
 * One look at all is not enough: the first may be woken by the last, between the looks at them. But
 * if all rest once more, and none had a CPU in between, then they rested all that time.
 */
void crew_settle(const struct crew *crew, struct ktest_run *run)
{
    uint64_t deadline = hal_time_now() + CREW_PATIENCE, before = 0, now = 0;

    while ((!now || now != before) && hal_time_now() < deadline) {
        before = switches_at_rest(crew);
        if (!before)
            thread_sleep(CREW_MS / 10);
        now = switches_at_rest(crew);
    }
    KTEST_EXPECT(run, now && now == before);
}

void crew_await_rest(const struct crew *crew, struct ktest_run *run, unsigned number)
{
    uint64_t deadline = hal_time_now() + CREW_PATIENCE;

    while (!member_rests(&crew->members[number]) && hal_time_now() < deadline)
        thread_sleep(CREW_MS / 10);
    KTEST_EXPECT(run, member_rests(&crew->members[number]));
}

static bool has_ended(const struct crew_member *member)
{
    struct thread_info info;

    return thread_read_info(member->thread->id, &info) || info.state == THREAD_ZOMBIE;
}

void crew_await_end(const struct crew *crew, struct ktest_run *run, unsigned number)
{
    uint64_t deadline = hal_time_now() + CREW_PATIENCE;

    while (!has_ended(&crew->members[number]) && hal_time_now() < deadline)
        thread_sleep(CREW_MS / 10);
    KTEST_EXPECT(run, has_ended(&crew->members[number]));
}

void crew_await_count(const volatile unsigned *count, struct ktest_run *run, unsigned least)
{
    uint64_t deadline = hal_time_now() + CREW_PATIENCE;

    while (__atomic_load_n(count, __ATOMIC_ACQUIRE) < least && hal_time_now() < deadline)
        thread_sleep(CREW_MS / 10);
    KTEST_EXPECT(run, __atomic_load_n(count, __ATOMIC_ACQUIRE) >= least);
}

/* ---- by chance ---- */

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
