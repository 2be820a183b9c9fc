/* SPDX-License-Identifier: MIT */
/*
 * races.c: two things that want to end the same wait at the same moment. Exactly one of them does,
 * and nothing is lost by the other.
 *
 *   a wake-up against falling asleep, a deadline, or a cancellation
 *   the hand-over of a mutex against the deadline of who waits for it
 *   the end of a thread against who joins it; of a stack against who wakes by a completion on it
 *   the beginnings of threads, each of which wants a number and a place in the table
 *   a timer or an item of work against who cancels it; arming against the rest of the timers
 *
 * Where exactly the two meet is chance: the suite os-sync runs these under many seeds. The size is
 * how often each race is run.
 */
#include "deferred/ktimer.h"
#include "deferred/work.h"
#include "ktest/sync/crew.h"
#include "ktest/sync/tests.h"
#include "lib/format.h"
#include "lib/string.h"
#include "sync/flow/bounded.h"
#include "sync/flow/gate.h"
#include "sync/flow/semaphore.h"
#include "sync/mutex.h"
#include "sync/wait.h"
#include "thread/thread.h"

#include <hal/errno.h>
#include <hal/runtime.h>
#include <hal/time.h>

/* ---- falling asleep against a wake-up ---- */

/* Two threads that give each other the turn; a wake-up that is lost would end the game. */
struct game {
    unsigned turns;
    struct spinlock lock; /* guards turn */
    struct wait_queue queue;
    unsigned turn;
    volatile bool lost;
};

static void part_ping(struct crew_member *member)
{
    struct game *game = member->play;

    for (unsigned i = 0; i < game->turns && !game->lost; i++) {
        hal_irq_state_t state = spinlock_acquire(&game->lock);

        while (game->turn % 2 != member->number && !game->lost)
            if (wait_sleep(&game->queue, &game->lock, hal_time_now() + 60 * CREW_S))
                game->lost = true;
        game->turn++;
        (void)wait_wake_one(&game->queue);
        spinlock_release(&game->lock, state);
        crew_dawdle(member);
    }
}

void test_race_ping(struct ktest_run *run)
{
    struct game game = {.turns = ktest_size(200)};
    struct crew crew;

    spinlock_init(&game.lock, LOCK_RANK_WAIT);
    wait_init(&game.queue);
    if (!crew_play(&crew, run, 2, part_ping, &game))
        return;
    KTEST_EXPECT(run, !game.lost && game.turn == 2 * game.turns);
    KTEST_EXPECT(run, wait_empty(&game.queue));
}

/* The same in a monitor: what is signalled between unlocking and falling asleep must arrive. */
struct match {
    unsigned turns;
    struct mutex mutex;
    struct condition turned;
    unsigned turn;
    bool lost;
};

static void part_match(struct crew_member *member)
{
    struct match *match = member->play;

    for (unsigned i = 0; i < match->turns; i++) {
        mutex_lock(&match->mutex);
        while (match->turn % 2 != member->number && !match->lost)
            if (condition_wait_until(&match->turned, hal_time_now() + 60 * CREW_S))
                match->lost = true;
        match->turn++;
        condition_signal(&match->turned);
        mutex_unlock(&match->mutex);
        crew_dawdle(member);
    }
}

void test_race_match(struct ktest_run *run)
{
    struct match match = {.turns = ktest_size(400)};
    struct crew crew;

    mutex_init(&match.mutex);
    condition_init(&match.turned, &match.mutex);
    if (!crew_play(&crew, run, 2, part_match, &match))
        return;
    KTEST_EXPECT(run, !match.lost && match.turn == 2 * match.turns);
}

/* ---- a wake-up against a deadline ---- */

struct bank {
    unsigned rounds;
    struct semaphore units;
    volatile unsigned given, taken, late;
};

/* Members 0 and 1 give; the others want, for some microseconds. */
static void part_bank(struct crew_member *member)
{
    struct bank *bank = member->play;

    for (unsigned i = 0; i < bank->rounds; i++) {
        if (member->number < 2) {
            __atomic_add_fetch(&bank->given, 1, __ATOMIC_RELAXED);
            semaphore_up(&bank->units);
            thread_sleep(crew_random(member, 30) * CREW_US);
        } else if (semaphore_down_until(&bank->units,
                                        hal_time_now() + crew_random(member, 30) * CREW_US)) {
            __atomic_add_fetch(&bank->late, 1, __ATOMIC_RELAXED);
        } else {
            __atomic_add_fetch(&bank->taken, 1, __ATOMIC_RELAXED);
        }
    }
}

void test_race_deadline(struct ktest_run *run)
{
    struct bank bank = {.rounds = ktest_size(100)};
    struct crew crew;

    semaphore_init(&bank.units, 0);
    if (!crew_play(&crew, run, 5, part_bank, &bank))
        return;
    KTEST_EXPECT(run, bank.given == bank.taken + semaphore_count(&bank.units));
    KTEST_EXPECT(run, bank.taken + bank.late == 3 * bank.rounds);
    KTEST_EXPECT(run, wait_empty(&bank.units.waiters));
}

/* ---- a wake-up that comes too late for the first and is meant for the next ---- */

struct heirs {
    unsigned rounds;
    struct semaphore units;
    struct barrier round;
    struct completion ended, served; /* of the impatient member and the patient one */
    volatile int first;              /* what became of the impatient one */
    volatile unsigned wrong;
};

/* Gives one unit, at about the time when member 1 gives up: if that does not get it, then member 2
 * does, and not only when more is given. */
static void give_one(struct heirs *heirs, struct crew_member *member)
{
    thread_sleep(crew_random(member, 20) * CREW_US);
    semaphore_up(&heirs->units);
    completion_wait(&heirs->ended);
    if (heirs->first == 0)
        semaphore_up(&heirs->units); /* that one had it; now for member 2 */
    if (completion_wait_until(&heirs->served, hal_time_now() + 60 * CREW_S)) {
        heirs->wrong++;
        semaphore_up(&heirs->units);
        completion_wait(&heirs->served);
    }
}

static void part_heirs(struct crew_member *member)
{
    struct heirs *heirs = member->play;

    for (unsigned i = 0; i < heirs->rounds; i++) {
        if (member->number == 0) {
            give_one(heirs, member);
        } else if (member->number == 1) {
            uint64_t patience = crew_random(member, 20) * CREW_US;

            heirs->first = semaphore_down_until(&heirs->units, hal_time_now() + patience);
            completion_one(&heirs->ended);
        } else {
            semaphore_down(&heirs->units);
            completion_one(&heirs->served);
        }
        (void)barrier_wait(&heirs->round);
    }
}

void test_race_heirs(struct ktest_run *run)
{
    struct heirs heirs = {.rounds = ktest_size(100)};
    struct crew crew;

    semaphore_init(&heirs.units, 0);
    barrier_init(&heirs.round, 3);
    completion_init(&heirs.ended);
    completion_init(&heirs.served);
    if (!crew_play(&crew, run, 3, part_heirs, &heirs))
        return;
    KTEST_EXPECT(run, heirs.wrong == 0);
    KTEST_EXPECT(run, semaphore_count(&heirs.units) == 0 && wait_empty(&heirs.units.waiters));
}

/* ---- a wake-up against a cancellation ---- */

struct victim {
    struct semaphore units;
    volatile int result;
};

static void victim_main(void *argument)
{
    struct victim *victim = argument;

    victim->result = semaphore_down_until(&victim->units, hal_time_now() + 60 * CREW_S);
}

/* Cancels the victim and gives it what it waits for, in either order, at about the same time. */
static bool cancel_once(struct crew_member *member, struct victim *victim)
{
    struct thread *thread;
    uint32_t id;
    bool good;

    semaphore_init(&victim->units, 0);
    victim->result = 1;
    if (thread_create("victim", victim_main, victim, &thread) != 0)
        return false;
    id = thread->id;
    crew_dawdle(member);
    if (crew_random(member, 2)) {
        semaphore_up(&victim->units);
        good = thread_cancel(id) == 0;
    } else {
        good = thread_cancel(id) == 0;
        crew_dawdle(member);
        semaphore_up(&victim->units);
    }
    thread_join(thread);
    /* Either it has the unit, or it was cancelled and the unit is still there. */
    return good && ((victim->result == 0 && semaphore_count(&victim->units) == 0) ||
                    (victim->result == -EINTR && semaphore_count(&victim->units) == 1));
}

static void part_cancel(struct crew_member *member)
{
    unsigned rounds = *(const unsigned *)member->play;
    struct victim victim;

    while (rounds-- > 0)
        member->result += !cancel_once(member, &victim);
}

void test_race_cancel(struct ktest_run *run)
{
    unsigned rounds = ktest_size(20);
    struct crew crew;

    if (crew_play(&crew, run, 2, part_cancel, &rounds))
        KTEST_EXPECT(run, crew.members[0].result == 0 && crew.members[1].result == 0);
}

/* ---- a cancellation against falling asleep ---- */

struct dozer {
    bool tired; /* atomic: is about to fall asleep */
    int result;
};

static void dozer_main(void *argument)
{
    struct dozer *dozer = argument;

    __atomic_store_n(&dozer->tired, true, __ATOMIC_RELEASE);
    dozer->result = thread_sleep(60 * CREW_S);
}

/* Nothing but the cancellation ends the sleep, and it comes just before, or just after it began. */
static void part_doze(struct crew_member *member)
{
    unsigned rounds = *(const unsigned *)member->play;

    while (rounds-- > 0) {
        struct dozer dozer = {.tired = false};
        struct thread *thread;

        if (thread_create("dozer", dozer_main, &dozer, &thread) != 0) {
            member->result++;
            continue;
        }
        while (!__atomic_load_n(&dozer.tired, __ATOMIC_ACQUIRE))
            thread_yield();
        member->result += thread_cancel(thread->id) != 0;
        thread_join(thread);
        member->result += dozer.result != -EINTR;
    }
}

void test_race_doze(struct ktest_run *run)
{
    unsigned rounds = ktest_size(30);
    struct crew crew;

    if (crew_play(&crew, run, 2, part_doze, &rounds))
        KTEST_EXPECT(run, crew.members[0].result == 0 && crew.members[1].result == 0);
}

/* ---- the hand-over of a mutex against a deadline ---- */

struct door {
    unsigned rounds;
    struct mutex mutex;
    volatile unsigned inside, wrong, passed, late;
};

/* With or without the mutex. */
static void note_wrong(struct door *door, bool wrong)
{
    if (wrong)
        __atomic_add_fetch(&door->wrong, 1, __ATOMIC_RELAXED);
}

static void part_door(struct crew_member *member)
{
    struct door *door = member->play;

    for (unsigned i = 0; i < door->rounds; i++) {
        int error =
            mutex_lock_until(&door->mutex, hal_time_now() + crew_random(member, 40) * CREW_US);

        if (error) {
            __atomic_add_fetch(&door->late, 1, __ATOMIC_RELAXED);
            note_wrong(door, mutex_owned(&door->mutex) || error != -ETIMEDOUT);
            continue;
        }
        note_wrong(door, door->inside++ != 0 || !mutex_owned(&door->mutex));
        crew_dawdle(member);
        door->inside--;
        door->passed++;
        mutex_unlock(&door->mutex);
    }
}

void test_race_handover(struct ktest_run *run)
{
    struct door door = {.rounds = ktest_size(100)};
    struct crew crew;

    mutex_init(&door.mutex);
    if (!crew_play(&crew, run, 4, part_door, &door))
        return;
    KTEST_EXPECT(run, door.wrong == 0);
    KTEST_EXPECT(run, door.passed + door.late == 4 * door.rounds);
    KTEST_EXPECT(run, mutex_owner(&door.mutex) == NULL && wait_empty(&door.mutex.waiters));
}

/* ---- a completion on the stack of who waits, against its end ---- */

struct counter_hall {
    unsigned rounds;
    struct bounded_queue requests;
    void *slots[2];
};

/* Waits for an answer in a place that is used for something else right afterwards. */
static void ask(struct counter_hall *hall)
{
    struct completion answered;

    completion_init(&answered);
    if (bounded_queue_put(&hall->requests, &answered, HAL_TIME_NEVER) == 0)
        completion_wait(&answered);
    memset(&answered, 0x5a, sizeof answered);
    __asm__ volatile("" : : "r"(&answered) : "memory");
}

/* Member 0 answers; the others ask. */
static void part_hall(struct crew_member *member)
{
    struct counter_hall *hall = member->play;
    void *answered;

    if (member->number > 0) {
        for (unsigned i = 0; i < hall->rounds; i++) {
            ask(hall);
            crew_dawdle(member);
        }
        return;
    }
    for (unsigned i = 0; i < 2 * hall->rounds; i++) {
        member->result += bounded_queue_get(&hall->requests, &answered, HAL_TIME_NEVER) != 0;
        completion_all(answered);
    }
}

void test_race_stack(struct ktest_run *run)
{
    struct counter_hall hall = {.rounds = ktest_size(100)};
    struct crew crew;

    bounded_queue_init(&hall.requests, hall.slots, 2);
    if (!crew_play(&crew, run, 3, part_hall, &hall))
        return;
    KTEST_EXPECT(run, crew.members[0].result == 0 && bounded_queue_count(&hall.requests) == 0);
}

/* ---- the end of a thread against a join ---- */

struct short_life {
    unsigned work;
    volatile unsigned done;
};

static void short_main(void *argument)
{
    struct short_life *life = argument;

    if (life->work % 3 == 0)
        thread_sleep(life->work * CREW_US);
    life->done = life->work;
}

static void part_join(struct crew_member *member)
{
    unsigned rounds = *(const unsigned *)member->play;

    while (rounds-- > 0) {
        struct short_life life = {.work = 1 + crew_random(member, 20)};
        struct thread *thread;

        if (thread_create("short", short_main, &life, &thread) != 0) {
            member->result++;
            continue;
        }
        crew_dawdle(member);
        thread_join(thread);
        member->result += life.done != life.work;
    }
}

void test_race_join(struct ktest_run *run)
{
    unsigned rounds = ktest_size(30);
    struct crew crew;

    if (crew_play(&crew, run, 3, part_join, &rounds))
        for (unsigned i = 0; i < 3; i++)
            KTEST_EXPECT(run, crew.members[i].result == 0);
}

/* ---- many threads that begin at the same time ---- */

enum { BIRTHS = 4 }; /* of each member, in a row */

static void birth_main(void *argument)
{
    *(volatile bool *)argument = true;
}

/* Whether the thread can be found by its number, which is its own. */
static bool is_found(const struct thread *thread)
{
    struct thread_info info;

    return thread_read_info(thread->id, &info) == 0 && info.id == thread->id &&
           string_equal(info.name, thread->name);
}

static void part_births(struct crew_member *member)
{
    for (unsigned rounds = *(const unsigned *)member->play; rounds > 0; rounds--) {
        struct thread *threads[BIRTHS] = {NULL};
        volatile bool lived[BIRTHS] = {false};
        char name[16];

        for (unsigned i = 0; i < BIRTHS; i++) {
            (void)format_text(name, sizeof name, "birth %u.%u", member->number, i);
            member->result += thread_create(name, birth_main, (void *)&lived[i], &threads[i]) != 0;
        }
        for (unsigned i = 0; i < BIRTHS; i++)
            member->result += threads[i] && !is_found(threads[i]);
        for (unsigned i = 0; i < BIRTHS; i++) {
            if (threads[i])
                thread_join(threads[i]);
            member->result += !lived[i];
        }
    }
}

void test_race_births(struct ktest_run *run)
{
    unsigned rounds = ktest_size(10);
    struct crew crew;

    if (crew_play(&crew, run, 4, part_births, &rounds))
        for (unsigned i = 0; i < 4; i++)
            KTEST_EXPECT(run, crew.members[i].result == 0);
}

/* ---- cancelling what may run at this moment ---- */

struct alarm {
    struct ktimer timer;
    struct work work;
    volatile bool forbidden; /* it was cancelled: from now on it must not run */
    volatile unsigned ran, wrong;
};

static void alarm_rings(struct alarm *alarm)
{
    alarm->wrong += alarm->forbidden;
    alarm->ran++;
    if (alarm->ran % 4 == 0)
        thread_yield();
    alarm->wrong += alarm->forbidden;
}

static void alarm_timer(struct ktimer *timer)
{
    alarm_rings(list_entry(timer, struct alarm, timer));
}

static void alarm_work(struct work *work)
{
    alarm_rings(list_entry(work, struct alarm, work));
}

static void part_timer(struct crew_member *member)
{
    unsigned rounds = *(const unsigned *)member->play;
    struct alarm alarm = {.ran = 0};

    ktimer_init(&alarm.timer, alarm_timer);
    for (unsigned i = 0, runs = 0; i < rounds; i++, runs = alarm.ran) {
        bool armed;

        alarm.forbidden = false;
        ktimer_arm(&alarm.timer, hal_time_now() + crew_random(member, 20) * CREW_US);
        crew_dawdle(member);
        armed = ktimer_cancel(&alarm.timer);
        alarm.forbidden = true;
        crew_dawdle(member);
        /* It ran, or it was still armed. */
        member->result += alarm.ran - runs + armed != 1;
    }
    member->result += (int)alarm.wrong;
}

void test_race_timer(struct ktest_run *run)
{
    unsigned rounds = ktest_size(100);
    struct crew crew;

    if (crew_play(&crew, run, 3, part_timer, &rounds))
        for (unsigned i = 0; i < 3; i++)
            KTEST_EXPECT(run, crew.members[i].result == 0);
}

/* One timer at a time: nothing but arming it wakes the thread of the timers, which is about to
 * rest when that happens. */
struct bell {
    struct ktimer timer;
    struct completion rung;
};

static void bell_rings(struct ktimer *timer)
{
    completion_one(&list_entry(timer, struct bell, timer)->rung);
}

static void part_bell(struct crew_member *member)
{
    unsigned rounds = *(const unsigned *)member->play;
    struct bell bell;

    ktimer_init(&bell.timer, bell_rings);
    completion_init(&bell.rung);
    while (rounds-- > 0) {
        ktimer_arm(&bell.timer, hal_time_now() + crew_random(member, 20) * CREW_US);
        member->result += completion_wait_until(&bell.rung, hal_time_now() + 60 * CREW_S) != 0;
    }
    (void)ktimer_cancel(&bell.timer);
}

void test_race_rest(struct ktest_run *run)
{
    unsigned rounds = ktest_size(200);
    struct crew crew;

    if (crew_play(&crew, run, 1, part_bell, &rounds))
        KTEST_EXPECT(run, crew.members[0].result == 0);
}

struct office {
    unsigned rounds;
    struct work_queue *queue;
};

static void part_work(struct crew_member *member)
{
    const struct office *office = member->play;
    struct alarm alarm = {.ran = 0};

    work_init(&alarm.work, alarm_work);
    for (unsigned i = 0, runs = 0; i < office->rounds; i++, runs = alarm.ran) {
        bool pending;

        alarm.forbidden = false;
        (void)work_submit(office->queue, &alarm.work);
        crew_dawdle(member);
        pending = work_cancel(&alarm.work);
        alarm.forbidden = true;
        crew_dawdle(member);
        member->result += alarm.ran - runs + pending != 1;
    }
    member->result += (int)alarm.wrong;
}

void test_race_work(struct ktest_run *run)
{
    struct office office = {.rounds = ktest_size(100)};
    struct crew crew;

    if (!KTEST_EXPECT(run, work_queue_create("ktest", 2, &office.queue) == 0))
        return;
    if (crew_play(&crew, run, 3, part_work, &office))
        for (unsigned i = 0; i < 3; i++)
            KTEST_EXPECT(run, crew.members[i].result == 0);
    work_queue_destroy(office.queue);
}
