/* SPDX-License-Identifier: MIT */
/*
 * test_frames.c: page frames: alignment, odd sizes, references, exhaustion, and memory from caches.
 */
#include "ktest/tests.h"
#include "mem/frame.h"
#include "mem/reclaim.h"
#include "sync/spinlock.h"
#include "thread/thread.h"

#include <hal/cpu.h>
#include <hal/machine.h>
#include <hal/runtime.h>
#include <hal/time.h>

#include <stdint.h>

#define PATIENCE UINT64_C(10000000000) /* ns, for what another thread has to do */

static struct frame_stats frames_now(void)
{
    struct frame_stats stats;

    frame_read_stats(&stats);
    return stats;
}

static bool aligned(const void *pointer, size_t alignment)
{
    return ((uintptr_t)pointer & (alignment - 1)) == 0;
}

void test_frame_alignment(struct ktest_run *run)
{
    uint64_t before = frames_now().free;

    for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++) {
        void *run_of_frames = frame_alloc(order);

        if (run_of_frames == NULL) /* a small machine may have no run so large */
            continue;
        KTEST_EXPECT(run, aligned(run_of_frames, (size_t)HAL_PAGE_SIZE << order));
        KTEST_EXPECT(run, frame_run_pages(run_of_frames) == 1u << order);
        frame_free(run_of_frames, order);
    }
    KTEST_EXPECT(run, frames_now().free >= before);
}

#define RUNS 12u

/* Run i has 2 * i + 1 pages, each of which begins with a word of its own. */
static bool fill_run(uint64_t *memory, unsigned i, bool check)
{
    bool good = true;

    for (size_t page = 0; page < 2 * i + 1; page++) {
        uint64_t *word = memory + page * HAL_PAGE_SIZE / sizeof(*memory);

        if (check)
            good = good && *word == i * 1000 + page;
        *word = i * 1000 + page;
    }
    return good;
}

void test_frame_odd_sizes(struct ktest_run *run)
{
    struct frame_stats before;
    uint64_t *runs[RUNS];

    frame_drain();
    before = frames_now();
    for (unsigned i = 0; i < RUNS; i++) {
        runs[i] = frame_alloc_pages(2 * i + 1, i % 3);
        if (!KTEST_EXPECT(run, runs[i] != NULL))
            continue;
        KTEST_EXPECT(run, aligned(runs[i], (size_t)HAL_PAGE_SIZE << i % 3));
        KTEST_EXPECT(run, frame_run_pages(runs[i]) == 2 * i + 1);
        (void)fill_run(runs[i], i, false);
    }
    KTEST_EXPECT(run, frames_now().free <= before.free - RUNS * RUNS);
    for (unsigned i = 0; i < RUNS; i++) {
        KTEST_EXPECT(run, runs[i] == NULL || fill_run(runs[i], i, true));
        frame_put(runs[i]);
    }
    frame_drain();
    KTEST_EXPECT(run, frames_now().largest_free_pages == before.largest_free_pages);
}

void test_frame_references(struct ktest_run *run)
{
    uint64_t before = frames_now().free;
    void *shared = frame_alloc_pages(3, 0);

    KTEST_REQUIRE(run, shared != NULL);
    frame_get(shared);
    KTEST_EXPECT(run, frame_references(shared) == 2);
    frame_put(shared);
    KTEST_EXPECT(run, frame_references(shared) == 1);
    KTEST_EXPECT(run, frames_now().free <= before - 3);
    frame_put(shared);
    KTEST_EXPECT(run, frame_references(shared) == 0);
    KTEST_EXPECT(run, frame_references((char *)shared + 1) == 0);
    KTEST_EXPECT(run, frame_run_pages(NULL) == 0);
    KTEST_EXPECT(run, frames_now().free >= before);
}

void test_frame_refusal(struct ktest_run *run)
{
    uint64_t before = frames_now().free;

    KTEST_EXPECT(run, frame_alloc(FRAME_ORDER_MAX + 1) == NULL);
    KTEST_EXPECT(run, frame_alloc(64) == NULL);
    KTEST_EXPECT(run, frame_alloc_pages(0, 0) == NULL);
    KTEST_EXPECT(run, frame_alloc_pages(FRAME_PAGES_MAX + 1, 0) == NULL);
    KTEST_EXPECT(run, frame_order(1) == 0);
    KTEST_EXPECT(run, frame_order(HAL_PAGE_SIZE) == 0);
    KTEST_EXPECT(run, frame_order(HAL_PAGE_SIZE + 1) == 1);
    KTEST_EXPECT(run, frame_order(SIZE_MAX) == FRAME_ORDER_MAX + 1);
    KTEST_EXPECT(run, frames_now().free == before);
}

/* ---- exhaustion ---- */

/* Runs of frames that are held, as a list through their own first words. */
struct held {
    struct held *next;
};

/* Takes runs of 2^order while may(order), and there are some; adds up what it took. */
static struct held *take(struct held *first, unsigned order, bool (*may)(unsigned order),
                         uint64_t *frames)
{
    struct held *one;

    while (may(order) && (one = frame_alloc(order)) != NULL) {
        one->next = first;
        first = one;
        *frames += 1u << order;
    }
    return first;
}

static bool may_all(unsigned order)
{
    (void)order;
    return frames_now().free > 0;
}

/* Until even who keeps some for later has given it. */
static bool may_always(unsigned order)
{
    (void)order;
    return true;
}

static void give(struct held *held)
{
    while (held != NULL) {
        struct held *next = held->next;

        frame_put(held);
        held = next;
    }
}

void test_frame_exhaustion(struct ktest_run *run)
{
    uint64_t deadline = hal_time_now() + PATIENCE, taken = 0;
    struct frame_stats before, end;
    struct held *held = NULL;
    void *more;

    frame_drain();
    before = frames_now();
    for (unsigned order = FRAME_ORDER_MAX + 1; order-- > 0;)
        held = take(held, order, may_all, &taken);
    do { /* another CPU may be late in giving what it has */
        (void)thread_sleep(1000000);
        held = take(held, 0, may_always, &taken);
        end = frames_now();
        more = frame_alloc(0);
        frame_put(more);
    } while ((more != NULL || end.free != end.cached) && hal_time_now() < deadline);
    give(held);
    frame_drain();
    KTEST_EXPECT(run, more == NULL);
    KTEST_EXPECT(run, end.free == end.cached);
    /* More than was free, if caches gave theirs. */
    KTEST_EXPECT(run, taken >= before.free);
    KTEST_EXPECT(run, frames_now().free >= before.free);
    KTEST_EXPECT(run, frames_now().largest_free_pages >= before.largest_free_pages);
}

/* ---- memory that a cache holds ---- */

#define HOARD 32u
#define REFILL_MOST 64u /* frames that a CPU's cache takes at once, at most */

/* It may be asked by several threads at once. */
struct hoard {
    struct reclaimer reclaimer;
    void *frames[HOARD];
    unsigned count;
    unsigned asked;         /* how often */
    bool masked;            /* it was asked while masked */
    struct thread *last_by; /* who asked */
    struct spinlock lock;   /* guards all that while it is registered */
};

static void *hoard_next(struct hoard *hoard)
{
    hal_irq_state_t state = spinlock_acquire(&hoard->lock);
    void *frame = hoard->count > 0 ? hoard->frames[--hoard->count] : NULL;

    spinlock_release(&hoard->lock, state);
    return frame;
}

static void hoard_note(struct hoard *hoard)
{
    bool masked = hal_irq_masked();
    hal_irq_state_t state = spinlock_acquire(&hoard->lock);

    hoard->asked++;
    hoard->masked = hoard->masked || masked;
    hoard->last_by = thread_current();
    spinlock_release(&hoard->lock, state);
}

static bool hoard_was_asked(struct hoard *hoard)
{
    hal_irq_state_t state = spinlock_acquire(&hoard->lock);
    bool asked = hoard->asked > 0;

    spinlock_release(&hoard->lock, state);
    return asked;
}

static size_t hoard_reclaim(void *context, size_t frames)
{
    struct hoard *hoard = context;
    size_t given = 0;
    void *frame;

    hoard_note(hoard);
    while (given < frames && (frame = hoard_next(hoard)) != NULL) {
        frame_put(frame);
        given++;
    }
    return given;
}

static void hoard_start(struct hoard *hoard)
{
    *hoard =
        (struct hoard){.reclaimer = {.name = "ktest", .reclaim = hoard_reclaim, .context = hoard}};
    while (hoard->count < HOARD && (hoard->frames[hoard->count] = frame_alloc(0)) != NULL)
        hoard->count++;
    spinlock_init(&hoard->lock, LOCK_RANK_DEVICE);
    reclaim_register(&hoard->reclaimer);
}

/* Nobody asks it any more. Returns how many frames it had left. */
static unsigned hoard_end(struct hoard *hoard)
{
    unsigned left;

    reclaim_unregister(&hoard->reclaimer);
    left = hoard->count;
    while (hoard->count > 0)
        frame_put(hoard->frames[--hoard->count]);
    return left;
}

void test_frame_reclaim(struct ktest_run *run)
{
    struct hoard hoard;
    struct held *held = NULL;
    uint64_t taken = 0, before = frames_now().free;
    void *one;

    hoard_start(&hoard);
    for (unsigned order = FRAME_ORDER_MAX + 1; order-- > 0;)
        held = take(held, order, may_all, &taken);
    one = frame_alloc(0); /* the cache has given all by now, or gives a last one */
    frame_put(one);
    give(held);
    KTEST_EXPECT(run, hoard_end(&hoard) == 0);
    KTEST_EXPECT(run, hoard.asked > 0 && !hoard.masked);
    KTEST_EXPECT(run, frames_now().free >= before);
}

/*
 * True if a run of 2^order can be had without asking a cache of memory, and more than the watermark
 * is free then. It does not count what is in the CPUs' caches of frames: those of others may be
 * full, and this one's takes a handful at a time.
 */
static bool may_quietly(unsigned order)
{
    struct frame_stats stats = frames_now();

    return stats.largest_free_pages >= 1u << order &&
           stats.free > stats.low + stats.cached + (1u << order) + REFILL_MOST;
}

/* Until it is clearly below the watermark. */
static bool may_cross(unsigned order)
{
    struct frame_stats stats = frames_now();

    (void)order;
    return stats.free > stats.low - HOARD / 2;
}

void test_frame_watermark(struct ktest_run *run)
{
    struct hoard hoard;
    struct held *held = NULL;
    uint64_t taken = 0, deadline;

    if (frames_now().total < (8u << 20) / HAL_PAGE_SIZE) {
        run->skipped = "so small a machine has no thread that reclaims";
        return;
    }
    (void)thread_sleep(200000000); /* the thread may be busy with the test before */
    hoard_start(&hoard);
    for (unsigned order = FRAME_ORDER_MAX + 1; order-- > 0;)
        held = take(held, order, may_quietly, &taken);
    KTEST_EXPECT(run, !hoard_was_asked(&hoard));
    held = take(held, 0, may_cross, &taken);
    deadline = hal_time_now() + PATIENCE;
    while (!hoard_was_asked(&hoard) && hal_time_now() < deadline)
        (void)thread_sleep(1000000);
    give(held);
    (void)hoard_end(&hoard);
    KTEST_EXPECT(run, hoard.asked > 0 && hoard.last_by != thread_current());
}
