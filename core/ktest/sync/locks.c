/* SPDX-License-Identifier: MIT */
/*
 * locks.c: mutexes with deadlines, conditions, rwlocks, and what the checks note.
 */
#include "ktest/sync/crew.h"
#include "ktest/sync/tests.h"
#include "sync/check/held.h"
#include "sync/check/order.h"
#include "sync/check/waits.h"
#include "sync/mutex.h"
#include "sync/rwlock.h"
#include "thread/thread.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/time.h>

struct play {
    struct mutex mutex;
    struct condition condition;
    struct rwlock rwlock;
    volatile unsigned inside, most, value;
    volatile unsigned arrived;
    char order[CREW_MAX];
    volatile bool stop;
};

static void play_init(struct play *play)
{
    *play = (struct play){.value = 0};
    mutex_init(&play->mutex);
    condition_init(&play->condition, &play->mutex);
    rwlock_init(&play->rwlock);
}

/* Members begin one behind the other, so that the order of their arrival is known. */
static struct play *arrive(struct crew_member *member)
{
    crew_arrive(member);
    return member->play;
}

/* Inside, until `n` have been there at a time. */
static void stay_with(struct play *play, unsigned n)
{
    uint64_t deadline = hal_time_now() + CREW_PATIENCE;

    while (__atomic_load_n(&play->most, __ATOMIC_RELAXED) < n && hal_time_now() < deadline)
        thread_sleep(CREW_MS / 10);
}

static void note(struct play *play, const struct crew_member *member)
{
    play->order[__atomic_fetch_add(&play->arrived, 1, __ATOMIC_RELAXED)] =
        (char)('0' + member->number);
}

/* ---- mutex ---- */

static void part_lock_briefly(struct crew_member *member)
{
    struct play *play = arrive(member);

    member->result = mutex_lock_until(&play->mutex, hal_time_now() + 5 * CREW_MS);
    if (member->result == 0)
        mutex_unlock(&play->mutex);
}

void test_mutex_timed(struct ktest_run *run)
{
    struct crew crew;
    struct play play;
    uint64_t start = hal_time_now();

    play_init(&play);
    KTEST_EXPECT(run, mutex_lock_until(&play.mutex, 0) == 0); /* free: the deadline is no matter */
    if (crew_play(&crew, run, 1, part_lock_briefly, &play)) {
        KTEST_EXPECT(run, crew.members[0].result == -ETIMEDOUT);
        KTEST_EXPECT(run, hal_time_now() - start >= 5 * CREW_MS);
    }
    KTEST_EXPECT(run, mutex_owned(&play.mutex));
    mutex_unlock(&play.mutex);
    if (crew_play(&crew, run, 1, part_lock_briefly, &play))
        KTEST_EXPECT(run, crew.members[0].result == 0);
    KTEST_EXPECT(run, mutex_owner(&play.mutex) == NULL && wait_empty(&play.mutex.waiters));
}

/* Member 1 gives up; the others are patient. */
static void part_lock_in_turn(struct crew_member *member)
{
    struct play *play = arrive(member);
    uint64_t patience = member->number == 1 ? 3 * CREW_MS : 60 * CREW_S;

    member->result = mutex_lock_until(&play->mutex, hal_time_now() + patience);
    if (member->result)
        return;
    note(play, member);
    mutex_unlock(&play->mutex);
}

void test_mutex_timed_order(struct ktest_run *run)
{
    struct crew crew;
    struct play play;

    play_init(&play);
    mutex_lock(&play.mutex);
    if (!crew_start(&crew, run, 3, part_lock_in_turn, &play)) {
        mutex_unlock(&play.mutex);
        return;
    }
    crew_settle(&crew, run);
    crew_await_end(&crew, run, 1);
    mutex_unlock(&play.mutex);
    crew_join(&crew);
    KTEST_EXPECT(run, crew.members[1].result == -ETIMEDOUT);
    KTEST_EXPECT(run, play.arrived == 2 && play.order[0] == '0' && play.order[1] == '2');
}

/* ---- conditions ---- */

static void part_wait_for_value(struct crew_member *member)
{
    struct play *play = arrive(member);

    mutex_lock(&play->mutex);
    while (play->value == 0)
        condition_wait(&play->condition);
    play->value--;
    member->result = mutex_owned(&play->mutex);
    note(play, member);
    mutex_unlock(&play->mutex);
}

void test_condition_signal(struct ktest_run *run)
{
    struct crew crew;
    struct play play;

    play_init(&play);
    condition_signal(&play.condition); /* to nobody: it is not kept */
    if (!crew_start(&crew, run, 3, part_wait_for_value, &play))
        return;
    crew_settle(&crew, run);
    for (unsigned i = 1; i <= 3; i++) {
        mutex_lock(&play.mutex);
        play.value++;
        condition_signal(&play.condition);
        mutex_unlock(&play.mutex);
        crew_settle(&crew, run);
        KTEST_EXPECT(run, play.arrived == i);
    }
    crew_join(&crew);
    KTEST_EXPECT(run, crew.members[0].result == 1);
    KTEST_EXPECT(run, play.order[0] == '0' && play.order[1] == '1' && play.order[2] == '2');
}

void test_condition_broadcast(struct ktest_run *run)
{
    struct crew crew;
    struct play play;

    play_init(&play);
    if (!crew_start(&crew, run, 4, part_wait_for_value, &play))
        return;
    crew_settle(&crew, run);
    mutex_lock(&play.mutex);
    play.value = 3;
    condition_broadcast(&play.condition);
    mutex_unlock(&play.mutex);
    crew_settle(&crew, run);
    /* After Mesa: all were woken, and the last one found nothing and waits on. */
    KTEST_EXPECT(run, play.arrived == 3 && play.value == 0);
    mutex_lock(&play.mutex);
    play.value = 1;
    mutex_unlock(&play.mutex);
    condition_signal(&play.condition); /* without the mutex */
    crew_join(&crew);
    KTEST_EXPECT(run, play.arrived == 4);
}

static void part_wait_long(struct crew_member *member)
{
    struct play *play = member->play;
    uint64_t patience = member->number == 0 ? 3 * CREW_MS : 60 * CREW_S;

    mutex_lock(&play->mutex);
    member->result = condition_wait_until(&play->condition, hal_time_now() + patience);
    if (mutex_owned(&play->mutex))
        play->value++;
    mutex_unlock(&play->mutex);
}

void test_condition_ends(struct ktest_run *run)
{
    struct crew crew;
    struct play play;

    play_init(&play);
    if (!crew_start(&crew, run, 2, part_wait_long, &play))
        return;
    crew_settle(&crew, run);
    KTEST_EXPECT(run, thread_cancel(crew.members[1].thread->id) == 0);
    crew_join(&crew);
    KTEST_EXPECT(run, crew.members[0].result == -ETIMEDOUT);
    KTEST_EXPECT(run, crew.members[1].result == -EINTR);
    KTEST_EXPECT(run, play.value == 2); /* each had the mutex again */
}

/* ---- rwlocks ---- */

static void enter(struct play *play)
{
    crew_note_most(&play->most, __atomic_add_fetch(&play->inside, 1, __ATOMIC_RELAXED));
}

static void leave(struct play *play)
{
    __atomic_sub_fetch(&play->inside, 1, __ATOMIC_RELAXED);
}

static void part_read(struct crew_member *member)
{
    struct play *play = member->play;

    rwlock_read(&play->rwlock);
    enter(play);
    stay_with(play, 3);
    leave(play);
    rwlock_end_read(&play->rwlock);
}

static void part_write(struct crew_member *member)
{
    struct play *play = member->play;

    rwlock_write(&play->rwlock);
    enter(play);
    thread_sleep(2 * CREW_MS);
    leave(play);
    rwlock_end_write(&play->rwlock);
}

void test_rwlock_shares(struct ktest_run *run)
{
    struct crew crew;
    struct play play;

    play_init(&play);
    if (crew_play(&crew, run, 3, part_read, &play))
        KTEST_EXPECT(run, play.most == 3);
    play.most = 0;
    if (crew_play(&crew, run, 3, part_write, &play))
        KTEST_EXPECT(run, play.most == 1);
}

/* Even members read, odd ones write. */
static void part_read_or_write(struct crew_member *member)
{
    struct play *play = arrive(member);

    if (member->number % 2) {
        rwlock_write(&play->rwlock);
        note(play, member);
        enter(play);
        thread_sleep(CREW_MS);
        leave(play);
        rwlock_end_write(&play->rwlock);
    } else {
        rwlock_read(&play->rwlock);
        note(play, member);
        thread_sleep(CREW_MS);
        rwlock_end_read(&play->rwlock);
    }
}

void test_rwlock_writer_first(struct ktest_run *run)
{
    struct crew crew;
    struct play play;

    play_init(&play);
    rwlock_read(&play.rwlock);
    if (crew_start(&crew, run, 4, part_read_or_write, &play)) {
        crew_settle(&crew, run);
        /* Reader 0 came before any writer; reader 2 stands behind writer 1. */
        KTEST_EXPECT(run, play.arrived == 1 && play.order[0] == '0');
        rwlock_end_read(&play.rwlock);
        crew_join(&crew);
        KTEST_EXPECT(run, play.order[1] == '1' && play.order[2] == '2' && play.order[3] == '3');
    } else {
        rwlock_end_read(&play.rwlock);
    }
}

static void part_odd_reads(struct crew_member *member)
{
    struct play *play = arrive(member);

    if (member->number == 0) {
        rwlock_write(&play->rwlock);
        note(play, member);
        rwlock_end_write(&play->rwlock);
        return;
    }
    rwlock_read(&play->rwlock);
    note(play, member);
    enter(play);
    stay_with(play, 3);
    leave(play);
    rwlock_end_read(&play->rwlock);
}

void test_rwlock_readers_after(struct ktest_run *run)
{
    struct crew crew;
    struct play play;

    play_init(&play);
    rwlock_write(&play.rwlock);
    if (crew_start(&crew, run, 4, part_odd_reads, &play)) {
        crew_settle(&crew, run);
        KTEST_EXPECT(run, play.arrived == 0);
        rwlock_end_write(&play.rwlock);
        crew_join(&crew);
        /* The writer that waits first, then the readers together. */
        KTEST_EXPECT(run, play.order[0] == '0' && play.most == 3);
    } else {
        rwlock_end_write(&play.rwlock);
    }
}

static void part_try(struct crew_member *member)
{
    struct play *play = member->play;

    if (rwlock_try_read(&play->rwlock)) {
        member->result |= 1;
        rwlock_end_read(&play->rwlock);
    }
    if (rwlock_try_write(&play->rwlock)) {
        member->result |= 2;
        rwlock_end_write(&play->rwlock);
    }
}

void test_rwlock_try(struct ktest_run *run)
{
    struct crew crew;
    struct play play;

    play_init(&play);
    if (crew_play(&crew, run, 1, part_try, &play))
        KTEST_EXPECT(run, crew.members[0].result == 3);
    rwlock_read(&play.rwlock);
    if (crew_play(&crew, run, 1, part_try, &play))
        KTEST_EXPECT(run, crew.members[0].result == 1);
    rwlock_end_read(&play.rwlock);
    rwlock_write(&play.rwlock);
    if (crew_play(&crew, run, 1, part_try, &play))
        KTEST_EXPECT(run, crew.members[0].result == 0);
    rwlock_end_write(&play.rwlock);
}

/* A writer that gives up, and a reader that came after it. */
static void part_give_up(struct crew_member *member)
{
    struct play *play = arrive(member);
    uint64_t patience = member->number == 0 ? 4 * CREW_SETTLE : 60 * CREW_S;

    if (member->number == 0) {
        member->result = rwlock_write_until(&play->rwlock, hal_time_now() + patience);
        return;
    }
    member->result = rwlock_read_until(&play->rwlock, hal_time_now() + patience);
    note(play, member);
    if (member->result == 0)
        rwlock_end_read(&play->rwlock);
}

void test_rwlock_timed(struct ktest_run *run)
{
    struct crew crew;
    struct play play;
    uint64_t start = hal_time_now();
    unsigned early;

    play_init(&play);
    rwlock_read(&play.rwlock);
    if (crew_start(&crew, run, 2, part_give_up, &play)) {
        crew_settle(&crew, run);
        early = play.arrived;
        KTEST_EXPECT(run, early == 0 || hal_time_now() - start >= 4 * CREW_SETTLE);
        /* Nobody unlocks, and yet the reader comes in when the writer is gone. */
        crew_await_end(&crew, run, 1);
        KTEST_EXPECT(run, play.arrived == 1);
        crew_join(&crew);
        KTEST_EXPECT(run, crew.members[0].result == -ETIMEDOUT && crew.members[1].result == 0);
    }
    rwlock_end_read(&play.rwlock);
    KTEST_EXPECT(run, rwlock_try_write(&play.rwlock));
    rwlock_end_write(&play.rwlock);
}

/* ---- wait queues ---- */

void test_locks_nobody(struct ktest_run *run)
{
    unsigned n = ktest_size(1000000);
    struct spinlock lock;
    struct wait_queue queue;
    hal_irq_state_t state;
    unsigned woken = 0;

    spinlock_init(&lock, LOCK_RANK_WAIT);
    wait_init(&queue);
    for (unsigned i = 0; i < n; i++) {
        state = spinlock_acquire(&lock);
        woken += wait_wake_one(&queue) != NULL;
        spinlock_release(&lock, state);
    }
    KTEST_EXPECT(run, woken == 0);
    state = spinlock_acquire(&lock);
    /* None of them was kept for who comes later. */
    KTEST_EXPECT(run, wait_sleep(&queue, &lock, hal_time_now() + CREW_MS) == -ETIMEDOUT);
    spinlock_release(&lock, state);
}

/* ---- the scheduler's hooks ---- */

static KSTATE struct hook_log {
    struct thread *owners[4]; /* that were lent to, nearest first */
    unsigned lent, counted, still_lent;
} hook_log;

static void hook_waits(struct thread *owner, struct thread *waiter)
{
    unsigned n = hook_log.lent;

    (void)waiter;
    if (n < 4) {
        hook_log.owners[n] = owner;
        __atomic_store_n(&hook_log.lent, n + 1, __ATOMIC_RELEASE);
    }
}

static void hook_count(struct thread *waiter, void *context)
{
    (void)waiter;
    ++*(unsigned *)context;
}

static void hook_counts(struct thread *owner)
{
    hook_log.counted++;
    waits_each(owner, hook_count, &hook_log.still_lent);
}

struct chain {
    struct ktest_run *run;
    struct mutex mutexes[2];
};

/* Member 0 owns the second mutex of the test and waits for the first; the others wait for it. */
static void part_chain(struct crew_member *member)
{
    struct chain *chain = member->play;
    struct mutex *mutexes = chain->mutexes;

    crew_arrive(member);
    mutex_lock(&mutexes[1]);
    if (member->number == 0) {
        crew_await_rest(member->crew, chain->run, 1);
        crew_await_rest(member->crew, chain->run, 2);
        mutex_lock(&mutexes[0]);
        mutex_unlock(&mutexes[0]);
    }
    mutex_unlock(&mutexes[1]);
}

void test_locks_hooks(struct ktest_run *run)
{
    static const struct waits_hooks hooks = {hook_waits, hook_counts};
    const struct waits_hooks *before;
    struct chain chain = {.run = run};
    struct mutex *mutexes = chain.mutexes;
    struct crew crew;

    hook_log = (struct hook_log){.lent = 0};
    before = waits_set_hooks(&hooks);
    mutex_init(&mutexes[0]);
    mutex_init(&mutexes[1]);
    mutex_lock(&mutexes[0]);
    if (crew_start(&crew, run, 3, part_chain, &chain)) {
        struct thread *first = crew.members[0].thread;

        crew_await_count(&hook_log.lent, run, 3);
        /* Members 1 and 2 lend to member 0; then it lends to this thread. */
        KTEST_EXPECT(run, hook_log.lent == 3);
        KTEST_EXPECT(run, hook_log.owners[0] == first && hook_log.owners[1] == first);
        KTEST_EXPECT(run, hook_log.owners[2] == thread_current());
        mutex_unlock(&mutexes[0]);
        crew_join(&crew);
        /* This thread gave to 0, 0 to 1, 1 to 2. Of these, 0 had two waiting, and 1 then one. */
        KTEST_EXPECT(run, hook_log.counted == 6 && hook_log.still_lent == 3);
    } else {
        mutex_unlock(&mutexes[0]);
    }
    (void)waits_set_hooks(before);
}

/* ---- what the checks note ---- */

void test_order_report(struct ktest_run *run)
{
    unsigned before = order_reports(), again;
    struct mutex a, b;
    struct rwlock c;

    if (!lock_checked()) {
        run->skipped = "checks are off";
        return;
    }
    mutex_init(&a);
    mutex_init(&b);
    rwlock_init(&c);
    mutex_lock(&a);
    mutex_lock(&b);
    mutex_unlock(&b);
    mutex_unlock(&a);
    mutex_lock(&b);
    rwlock_read(&c);
    KTEST_EXPECT(run, !mutex_trylock(&b) && mutex_trylock(&a)); /* who only tries does not wait */
    mutex_unlock(&a);
    rwlock_end_read(&c);
    mutex_unlock(&b);
    again = order_reports();
    KTEST_EXPECT(run, again == before);
}

void test_order_nested(struct ktest_run *run)
{
    unsigned before = order_reports();
    struct mutex mutexes[3];

    if (!lock_checked()) {
        run->skipped = "checks are off";
        return;
    }
    for (unsigned i = 0; i < 3; i++)
        mutex_init(&mutexes[i]);
    for (unsigned i = 0; i < 2; i++) {
        mutex_lock(&mutexes[i]);
        mutex_lock(&mutexes[i + 1]);
        mutex_unlock(&mutexes[i]);
        mutex_unlock(&mutexes[i + 1]);
    }
    KTEST_EXPECT(run, order_reports() == before); /* always upwards */
}

void test_held_records(struct ktest_run *run)
{
    unsigned before = held_count();
    struct lock_hold hold;
    uint32_t owner = 0;
    struct mutex mutex;
    unsigned found = 0;

    if (!lock_checked()) {
        run->skipped = "checks are off";
        return;
    }
    mutex_init(&mutex);
    mutex_lock(&mutex);
    for (unsigned i = 0; i < HELD_MAX; i++)
        if (held_at(i, &hold, &owner) && hold.lock == &mutex)
            found += owner == thread_current()->id && !hold.shared;
    mutex_unlock(&mutex);
    KTEST_EXPECT(run, found == 1);
    for (unsigned i = 0; i < HELD_MAX; i++)
        KTEST_EXPECT(run, !held_at(i, &hold, &owner) || hold.lock != &mutex);
    KTEST_EXPECT(run, held_lost() == 0 && held_count() <= before + 4);
}
