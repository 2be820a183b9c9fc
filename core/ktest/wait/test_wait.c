/* SPDX-License-Identifier: MIT */
/*
 * test_wait.c: no wake-up is lost, whoever is quicker.
 *
 * 1. Two threads poll one pipe that two others write to, and 2. wait for it edge-triggered, by one
 *    set each: all bytes arrive, and nobody waits when there is something.
 * 3. Four threads take turns at a lock that is a word of user memory, of which some pages go away
 *    meanwhile. 4. Waiters that are moved to another word are woken there.
 * 5. Four owners lock bytes of one file: of those that overlap only one has them at a time.
 */
#include "fs/file.h"
#include "fs/lock/filelock.h"
#include "heap/heap.h"
#include "ipc/event/epoll.h"
#include "ipc/futex/futex.h"
#include "ipc/ready.h"
#include "ipc/unnamed.h"
#include "ktest/sync/crew.h"
#include "ktest/wait/tests.h"
#include "mem/reclaim.h"
#include "sys/wait/watch.h"
#include "thread/thread.h"
#include "vm/copy.h"

#include <hal/aspace.h>
#include <hal/errno.h>
#include <hal/time.h>

#define CREW 4u
#define PATIENCE 20000000000u /* ns: who has waited for so long was not woken */

struct play {
    struct file *ends[2];
    struct vm_space *space;
    uintptr_t word;
    unsigned rounds;
    unsigned writers, read, wrong; /* atomic */
    unsigned inside[2];            /* who has the lock, or the bytes */
};

static void judge(struct play *play, bool good)
{
    if (!good)
        __atomic_fetch_add(&play->wrong, 1, __ATOMIC_RELAXED);
}

static uint64_t patience(void)
{
    return hal_time_now() + PATIENCE;
}

/* ---- files ---- */

static void write_bytes(struct crew_member *member, struct play *play)
{
    for (unsigned i = 0; i < play->rounds; i++) {
        crew_dawdle(member);
        judge(play, file_write(play->ends[1], "x", 1) == 1);
    }
    if (__atomic_sub_fetch(&play->writers, 1, __ATOMIC_ACQ_REL) == 0) {
        file_put(play->ends[1]);
        play->ends[1] = NULL;
    }
}

/* Reads what is there: false at the end. */
static bool read_bytes(struct play *play)
{
    uint8_t bytes[4];
    int64_t n;

    while ((n = file_read(play->ends[0], bytes, sizeof(bytes))) > 0)
        __atomic_fetch_add(&play->read, (unsigned)n, __ATOMIC_RELAXED);
    return n == -EAGAIN;
}

static void part_poll(struct crew_member *member)
{
    struct play *play = member->play;
    struct watch watch = {.file = play->ends[0], .wanted = READY_IN | READY_HANG_UP};

    if (member->number < 2) {
        write_bytes(member, play);
        return;
    }
    do {
        int64_t ready = watch_wait(&watch, 1, patience());

        judge(play, ready == 1);
        if (ready != 1)
            return;
    } while (read_bytes(play));
}

/* epoll_taker */
static int take(void *context, unsigned index, const struct epoll_event *event)
{
    *(uint32_t *)context = event->events;
    return index == 0 ? 0 : -EINVAL;
}

static void part_epoll(struct crew_member *member)
{
    struct play *play = member->play;
    const struct epoll_event event = {READY_IN | EPOLL_EDGE, member->number};
    struct file *set = NULL;
    uint32_t events;

    if (member->number < 2) {
        write_bytes(member, play);
        return;
    }
    judge(play, epoll_open(&set) == 0 && epoll_add(set, play->ends[0], 0, &event) == 0);
    do {
        int64_t ready = epoll_await(set, 1, patience(), take, &events);

        judge(play, ready == 1);
        if (ready != 1)
            break;
    } while (read_bytes(play));
    file_put(set);
}

static void play_files(struct ktest_run *run, void (*part)(struct crew_member *member))
{
    struct play play = {.rounds = ktest_size(200), .writers = 2};
    struct crew crew;

    KTEST_REQUIRE(run, pipe_create_unnamed(true, play.ends) == 0);
    if (crew_play(&crew, run, CREW, part, &play)) {
        KTEST_EXPECT(run, play.wrong == 0);
        KTEST_EXPECT(run, play.read == 2 * play.rounds);
    }
    file_put(play.ends[1]);
    file_put(play.ends[0]);
}

void test_wait_poll(struct ktest_run *run)
{
    play_files(run, part_poll);
}

void test_wait_epoll(struct ktest_run *run)
{
    play_files(run, part_epoll);
}

/* ---- words: 0 free, 1 taken, 2 taken and somebody may wait ---- */

static uint32_t change(struct play *play, uint32_t from, uint32_t to)
{
    uint32_t expected = from;

    judge(play, vm_cmpxchg_u32(play->space, play->word, &expected, to) == 0);
    return expected;
}

static void lock_word(struct play *play, const struct futex_word *word)
{
    uint32_t was = change(play, 0, 1);

    while (was != 0) {
        if (was == 2 || change(play, 1, 2) != 0) {
            int error = futex_wait(word, 2, FUTEX_ANY, patience());

            judge(play, error == 0 || error == -EAGAIN);
        }
        was = change(play, 0, 2);
    }
}

static void unlock_word(struct play *play, const struct futex_word *word)
{
    if (change(play, 1, 0) == 1)
        return;
    judge(play, change(play, 2, 0) == 2);
    (void)futex_wake(word, 1, FUTEX_ANY);
}

static void part_futex(struct crew_member *member)
{
    struct play *play = member->play;
    struct futex_word word;

    judge(play, futex_find(play->space, play->word, member->number % 2, &word) == 0);
    for (unsigned i = 0; i < play->rounds; i++) {
        lock_word(play, &word);
        judge(play, __atomic_add_fetch(&play->inside[0], 1, __ATOMIC_RELAXED) == 1);
        crew_dawdle(member);
        __atomic_sub_fetch(&play->inside[0], 1, __ATOMIC_RELAXED);
        unlock_word(play, &word);
        if (crew_random(member, 8) == 0)
            (void)reclaim_frames(crew_random(member, 10));
    }
}

static void part_requeue(struct crew_member *member)
{
    struct play *play = member->play;
    unsigned all = (CREW - 1) * play->rounds;
    struct futex_word word, other;

    judge(play, futex_find(play->space, play->word, false, &word) == 0);
    judge(play, futex_find(play->space, play->word + 4, false, &other) == 0);
    for (unsigned i = 0; member->number > 0 && i < play->rounds; i++) {
        judge(play, futex_wait(&word, 0, FUTEX_ANY, patience()) == 0);
        __atomic_fetch_add(&play->read, 1, __ATOMIC_RELAXED);
    }
    while (member->number == 0 && __atomic_load_n(&play->read, __ATOMIC_RELAXED) < all) {
        judge(play, futex_requeue(&word, &other, crew_random(member, 2), 2, NULL) >= 0);
        crew_dawdle(member);
        (void)futex_wake(&other, 1 + crew_random(member, 2), FUTEX_ANY);
        thread_yield();
    }
}

static void play_words(struct ktest_run *run, void (*part)(struct crew_member *member))
{
    struct play play = {.rounds = ktest_size(100)};
    struct crew crew;
    int64_t at;

    KTEST_REQUIRE(run, vm_space_create(&play.space) == 0);
    at = vm_map(play.space, 0, HAL_PAGE_SIZE, HAL_USER_READ | HAL_USER_WRITE, VM_PRIVATE, NULL, 0);
    if (KTEST_EXPECT(run, at > 0)) {
        play.word = (uintptr_t)at;
        if (crew_play(&crew, run, CREW, part, &play))
            KTEST_EXPECT(run, play.wrong == 0);
    }
    vm_space_put(play.space);
}

void test_wait_futex(struct ktest_run *run)
{
    play_words(run, part_futex);
}

void test_wait_requeue(struct ktest_run *run)
{
    play_words(run, part_requeue);
}

/* ---- locks on files ---- */

static void part_filelock(struct crew_member *member)
{
    struct play *play = member->play;
    struct vnode *vnode = play->ends[0]->vnode;

    for (unsigned i = 0; i < play->rounds; i++) {
        unsigned byte = crew_random(member, 2), length = 1 + crew_random(member, 2 - byte);
        struct filelock_range range = {.kind = FILELOCK_BYTES,
                                       .type = FILELOCK_WRITE,
                                       .first = byte,
                                       .last = byte + length - 1,
                                       .owner = member};

        judge(play, filelock_set(vnode, &range, true) == 0);
        for (unsigned k = byte; k < byte + length; k++)
            judge(play, __atomic_add_fetch(&play->inside[k], 1, __ATOMIC_RELAXED) == 1);
        crew_dawdle(member);
        for (unsigned k = byte; k < byte + length; k++)
            __atomic_sub_fetch(&play->inside[k], 1, __ATOMIC_RELAXED);
        if (crew_random(member, 2)) {
            range.type = FILELOCK_NOTHING;
            judge(play, filelock_set(vnode, &range, true) == 0);
        } else {
            filelock_release(vnode, member);
        }
    }
}

void test_wait_filelock(struct ktest_run *run)
{
    struct play play = {.rounds = ktest_size(100)};
    struct crew crew;

    KTEST_REQUIRE(run, pipe_create_unnamed(true, play.ends) == 0);
    if (crew_play(&crew, run, CREW, part_filelock, &play))
        KTEST_EXPECT(run, play.wrong == 0);
    KTEST_EXPECT(run, !play.ends[0]->vnode->locks);
    file_put(play.ends[1]);
    file_put(play.ends[0]);
}
