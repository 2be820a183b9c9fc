/* SPDX-License-Identifier: MIT */
/*
 * broken.c: programs with a bug each, on purpose: what a search for schedules has to find.
 *
 * Each is right in nearly every schedule. The comment of each says which ones show its bug, and how
 * many preemptions those need at least; the tests of the search hold it to that number. They are
 * not part of "all": run them by name. Their sizes are small, so that all schedules can be tried.
 */
#include "ktest/sync/crew.h"
#include "ktest/sync/tests.h"
#include "sync/mutex.h"
#include "sync/wait.h"
#include "thread/thread.h"

#include <hal/time.h>

/* ---- a lost update ---- */

struct account {
    struct mutex mutex;
    unsigned balance;
};

static unsigned account_read(struct account *account)
{
    unsigned balance;

    mutex_lock(&account->mutex);
    balance = account->balance;
    mutex_unlock(&account->mutex);
    return balance;
}

static void account_write(struct account *account, unsigned balance)
{
    mutex_lock(&account->mutex);
    account->balance = balance;
    mutex_unlock(&account->mutex);
}

/* Each access is locked, but what is written depends on what was read before. */
static void part_deposit(struct crew_member *member)
{
    struct account *account = member->play;
    unsigned balance = account_read(account);

    account_write(account, balance + 1);
}

/* One preemption: between reading and writing. */
void test_broken_update(struct ktest_run *run)
{
    struct account account = {.balance = 0};
    struct crew crew;

    mutex_init(&account.mutex);
    if (crew_play(&crew, run, 2, part_deposit, &account))
        KTEST_EXPECT(run, account.balance == 2);
}

/* ---- a lost wake-up ---- */

struct parcel {
    struct spinlock lock;
    struct wait_queue queue;
    volatile bool here;
};

/* Whether it has come is looked at without the lock; by the time of the wait that may be old. */
static void part_parcel(struct crew_member *member)
{
    struct parcel *parcel = member->play;
    hal_irq_state_t state;

    if (member->number == 0) {
        if (!parcel->here) {
            state = spinlock_acquire(&parcel->lock);
            member->result = wait_sleep(&parcel->queue, &parcel->lock, HAL_TIME_NEVER);
            spinlock_release(&parcel->lock, state);
        }
        return;
    }
    state = spinlock_acquire(&parcel->lock);
    parcel->here = true;
    (void)wait_wake_one(&parcel->queue);
    spinlock_release(&parcel->lock, state);
}

/* One preemption: between the look and the lock. Then nothing ever happens again. */
void test_broken_wakeup(struct ktest_run *run)
{
    struct parcel parcel = {.here = false};
    struct crew crew;

    spinlock_init(&parcel.lock, LOCK_RANK_WAIT);
    wait_init(&parcel.queue);
    if (crew_play(&crew, run, 2, part_parcel, &parcel))
        KTEST_EXPECT(run, parcel.here);
}

/* ---- two locks in two orders ---- */

struct forks {
    struct mutex left, right;
};

static void part_forks(struct crew_member *member)
{
    struct forks *forks = member->play;
    struct mutex *first = member->number ? &forks->right : &forks->left;
    struct mutex *second = member->number ? &forks->left : &forks->right;

    mutex_lock(first);
    mutex_lock(second);
    mutex_unlock(second);
    mutex_unlock(first);
}

/* One preemption: between the two locks. */
void test_broken_order(struct ktest_run *run)
{
    struct forks forks;
    struct crew crew;

    mutex_init(&forks.left);
    mutex_init(&forks.right);
    (void)crew_play(&crew, run, 2, part_forks, &forks);
}

/* ---- a record that changes while it is read ---- */

struct record {
    volatile bool changing;
    volatile unsigned version, left, right;
    struct spinlock lock; /* only there to be an interrupt point */
    volatile bool torn;
};

static void record_pause(struct record *record)
{
    hal_irq_state_t state = spinlock_acquire(&record->lock);

    spinlock_release(&record->lock, state);
}

static void record_write(struct record *record)
{
    record->changing = true;
    record->left++;
    record_pause(record);
    record->right++;
    record->version++;
    record->changing = false;
}

/* Looks for a change under way before it reads, but not after. */
static void record_read(struct record *record)
{
    unsigned version, left;

    if (record->changing)
        return;
    version = record->version;
    record_pause(record);
    left = record->left;
    if (left != record->right && version == record->version)
        record->torn = true;
}

static void part_record(struct crew_member *member)
{
    if (member->number)
        record_write(member->play);
    else
        record_read(member->play);
}

/* Two preemptions: of the reader, before it reads; and of the writer, halfway. */
void test_broken_record(struct ktest_run *run)
{
    struct record record = {.changing = false};
    struct crew crew;

    spinlock_init(&record.lock, LOCK_RANK_WAIT);
    if (crew_play(&crew, run, 2, part_record, &record))
        KTEST_EXPECT(run, !record.torn);
}
