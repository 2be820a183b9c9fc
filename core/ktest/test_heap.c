/* SPDX-License-Identifier: MIT */
/*
 * test_heap.c: the heap, whichever allocator serves: alignment, no overlap, use of freed memory,
 * bounded fragmentation, saturating arithmetic, exhaustion; several threads at a time; caches of
 * objects.
 *
 * Bump gives nothing back, so what a test takes from it is gone for the others: the tests that
 * would take all are skipped with it.
 */
#include "boot/cmdline.h"
#include "heap/cache.h"
#include "heap/heap.h"
#include "ktest/tests.h"
#include "lib/string.h"
#include "mem/frame.h"
#include "mem/reclaim.h"
#include "thread/thread.h"

#include <hal/machine.h>
#include <hal/runtime.h>

#include <stdint.h>

static struct heap_stats heap_now(void)
{
    struct heap_stats stats;

    heap_settle();
    heap_read_stats(&stats);
    return stats;
}

/* True, and the test is skipped, if memory that is freed is lost. */
static bool skip_bump(struct ktest_run *run)
{
    char name[16];

    if (!cmdline_value("allocator", name, sizeof name) || !string_equal(name, "bump"))
        return false;
    run->skipped = "bump gives nothing back";
    return true;
}

static bool aligned(const void *pointer, size_t alignment)
{
    return ((uintptr_t)pointer & (alignment - 1)) == 0;
}

/* ---- heap ---- */

void test_heap_alignment(struct ktest_run *run)
{
    for (size_t bytes = 1; bytes <= 8192; bytes = bytes * 3 / 2 + 1) {
        void *block = kmalloc(bytes);

        KTEST_EXPECT(run, block != NULL && aligned(block, 16));
        kfree(block);
    }
    for (size_t alignment = 1; alignment <= HEAP_ALIGNMENT_MAX; alignment *= 2) {
        void *block = kmalloc_aligned(100, alignment);

        /* A small machine may have no place that is so aligned. */
        KTEST_EXPECT(run, block != NULL || alignment > 65536);
        KTEST_EXPECT(run, aligned(block, alignment));
        kfree(block);
    }
    KTEST_EXPECT(run, kmalloc_aligned(100, 0) == NULL);
    KTEST_EXPECT(run, kmalloc_aligned(100, 24) == NULL);
}

#define BLOCKS 64u

static size_t block_size(unsigned i)
{
    return 1 + (size_t)i * i * 7 % 3000;
}

static bool block_intact(const uint8_t *block, unsigned i)
{
    for (size_t k = 0; k < block_size(i); k++) {
        if (block[k] != (uint8_t)(i + 1))
            return false;
    }
    return true;
}

void test_heap_overlap(struct ktest_run *run)
{
    struct heap_stats before = heap_now();
    uint8_t *blocks[BLOCKS];

    for (unsigned i = 0; i < BLOCKS; i++) {
        blocks[i] = kmalloc(block_size(i));
        if (KTEST_EXPECT(run, blocks[i] != NULL))
            memset(blocks[i], (int)i + 1, block_size(i));
    }
    /* Every other one goes, overwritten, and comes back; the rest must not notice. */
    for (unsigned i = 0; i < BLOCKS; i += 2) {
        if (blocks[i] != NULL)
            memset(blocks[i], 0xAF, block_size(i));
        kfree(blocks[i]);
        blocks[i] = kmalloc(block_size(i));
        if (KTEST_EXPECT(run, blocks[i] != NULL))
            memset(blocks[i], (int)i + 1, block_size(i));
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        KTEST_EXPECT(run, blocks[i] == NULL || block_intact(blocks[i], i));
        kfree(blocks[i]);
    }
    KTEST_EXPECT(run, heap_now().live_blocks == before.live_blocks);
    KTEST_EXPECT(run, heap_now().live_bytes == before.live_bytes);
}

void test_heap_zeros(struct ktest_run *run)
{
    for (size_t bytes = 10; bytes < 20000; bytes *= 5) {
        uint8_t *block = kmalloc(bytes);
        uint8_t sum = 0;

        if (block != NULL)
            memset(block, 0xAF, bytes);
        kfree(block);
        block = kcalloc(bytes / 10, 10);
        for (size_t i = 0; block != NULL && i < bytes / 10 * 10; i++)
            sum |= block[i];
        KTEST_EXPECT(run, block != NULL && sum == 0);
        kfree(block);
    }
}

void test_heap_refusal(struct ktest_run *run)
{
    volatile size_t huge = SIZE_MAX; /* volatile: or the compiler objects to the size */
    void *a = kmalloc(0), *b = kmalloc(0);
    struct heap_stats before = heap_now();

    KTEST_EXPECT(run, a != NULL && b != NULL && a != b);
    KTEST_EXPECT(run, kmalloc(huge) == NULL);
    KTEST_EXPECT(run, kmalloc(huge / 2) == NULL);
    KTEST_EXPECT(run, kmalloc_aligned(huge - 8, 4096) == NULL);
    KTEST_EXPECT(run, kmalloc_aligned(huge - 8, HEAP_ALIGNMENT_MAX) == NULL);
    KTEST_EXPECT(run, kmalloc_aligned(1, huge / 2 + 1) == NULL);
    KTEST_EXPECT(run, kcalloc(huge / 2, 3) == NULL);
    KTEST_EXPECT(run, heap_now().live_blocks == before.live_blocks);
    KTEST_EXPECT(run, heap_now().failures > before.failures);
    kfree(a);
    kfree(b);
    kfree(NULL);
}

/* One large and one small block, overwritten before they are freed. */
static bool reuse_round(void)
{
    void *large = kmalloc(3072), *small = kmalloc(512);
    bool good = large != NULL && small != NULL;

    if (good) {
        memset(large, 0xAF, 3072);
        memset(small, 0xAF, 512);
    }
    kfree(large);
    kfree(small);
    return good;
}

void test_heap_reuse(struct ktest_run *run)
{
    uint64_t frames;
    bool good = true;

    if (skip_bump(run))
        return;
    /* What is kept of freed memory, to be reused or to be watched, has come to its limit by then.
     */
    for (unsigned i = 0; i < 200 && good; i++)
        good = reuse_round();
    frames = heap_now().frames;
    for (unsigned i = 0; i < 1000 && good; i++)
        good = reuse_round();
    KTEST_EXPECT(run, good);
    /* Otherwise it would be about 1000 more; how slabs fill up differs by a few. */
    KTEST_EXPECT(run, heap_now().frames <= frames + 16);
}

/* Runs of frames that nobody is to have, as a list through their first words. */
struct kept {
    struct kept *next;
};

#define LEFT_PAGES 1024u

/* Takes frames until the heap can have LEFT_PAGES, about: it fills each block and looks at it
 * again, which takes long for all the memory that a machine may have. */
static struct kept *keep_the_rest(void)
{
    struct kept *first = NULL, *one;
    struct frame_stats frames;

    for (frame_read_stats(&frames); frames.free > LEFT_PAGES; frame_read_stats(&frames)) {
        one = frame_alloc(FRAME_ORDER_MAX);
        if (!one)
            break;
        one->next = first;
        first = one;
    }
    return first;
}

static void give_back(struct kept *first)
{
    while (first != NULL) {
        struct kept *next = first->next;

        frame_put(first);
        first = next;
    }
}

void test_heap_exhaustion(struct ktest_run *run)
{
    struct heap_stats before = heap_now();
    void **first = NULL, **block;
    struct kept *kept;
    unsigned n = 0;

    if (skip_bump(run))
        return;
    kept = keep_the_rest();
    while ((block = kmalloc(65536)) != NULL) {
        *block = first;
        first = block;
        n++;
    }
    while (first != NULL) {
        block = *first;
        kfree(first);
        first = block;
    }
    give_back(kept);
    KTEST_EXPECT(run, n > 0);
    KTEST_EXPECT(run, heap_now().failures == before.failures + 1);
    /* Caches may have given theirs away. */
    KTEST_EXPECT(run, heap_now().live_bytes <= before.live_bytes);
    block = kmalloc(65536);
    KTEST_EXPECT(run, block != NULL);
    kfree(block);
}

/* ---- many blocks, and an account of them ---- */

#define PLACES 96u

struct place {
    uint8_t *block;
    uint32_t bytes;
    uint8_t fill;
};

/* What one thread does to the heap: its places lie in a block of the heap themselves. */
struct mill {
    struct place *places;
    uint32_t random;
    uint32_t most; /* bytes of a block */
    uint64_t live, live_most;
    bool good;
};

static uint32_t next_random(struct mill *mill)
{
    mill->random = mill->random * 1664525 + 1013904223;
    return mill->random >> 8;
}

static bool place_intact(const struct place *place)
{
    for (uint32_t i = 0; i < place->bytes; i++) {
        if (place->block[i] != place->fill)
            return false;
    }
    return true;
}

static void empty_place(struct mill *mill, struct place *place)
{
    if (place->block == NULL)
        return;
    mill->good = mill->good && place_intact(place);
    mill->live -= place->bytes;
    kfree(place->block);
    place->block = NULL;
}

static void fill_place(struct mill *mill, struct place *place)
{
    empty_place(mill, place);
    place->bytes = 1 + next_random(mill) % mill->most;
    place->fill = (uint8_t)next_random(mill);
    place->block = kmalloc(place->bytes);
    if (place->block == NULL)
        return;
    mill->good = mill->good && aligned(place->block, HEAP_ALIGNMENT);
    memset(place->block, place->fill, place->bytes);
    mill->live += place->bytes;
    if (mill->live > mill->live_most)
        mill->live_most = mill->live;
}

static void resize_place(struct mill *mill, struct place *place)
{
    uint32_t bytes = 1 + next_random(mill) % mill->most;
    uint8_t *block;

    if (place->block == NULL)
        return;
    block = krealloc(place->block, bytes);
    if (block == NULL)
        return;
    mill->live += bytes;
    mill->live -= place->bytes;
    place->block = block;
    place->bytes = bytes < place->bytes ? bytes : place->bytes;
    mill->good = mill->good && place_intact(place);
    place->bytes = bytes;
    memset(block, place->fill, bytes);
}

static void turn(struct mill *mill, unsigned rounds)
{
    for (unsigned i = 0; i < rounds && mill->good; i++) {
        struct place *place = &mill->places[next_random(mill) % PLACES];

        switch (next_random(mill) % 8) {
        case 0:
            resize_place(mill, place);
            break;
        case 1:
        case 2:
            empty_place(mill, place);
            break;
        default:
            fill_place(mill, place);
        }
    }
}

static void finish_mill(struct mill *mill)
{
    for (unsigned i = 0; i < PLACES; i++)
        empty_place(mill, &mill->places[i]);
    kfree(mill->places);
}

static bool start_mill(struct mill *mill, uint32_t seed, uint32_t most)
{
    *mill = (struct mill){.random = seed, .most = most, .good = true};
    mill->places = kcalloc(PLACES, sizeof *mill->places);
    return mill->places != NULL;
}

void test_heap_random(struct ktest_run *run)
{
    struct heap_stats before = heap_now();
    struct mill mill;

    KTEST_REQUIRE(run, start_mill(&mill, 1, 1500));
    turn(&mill, 4000);
    finish_mill(&mill);
    KTEST_EXPECT(run, mill.good);
    KTEST_EXPECT(run, heap_now().live_blocks == before.live_blocks);
}

/* Whatever the sizes were before: three times the most that was live is enough. */
void test_heap_fragmentation(struct ktest_run *run)
{
    uint64_t frames, bound;
    struct mill mill;

    if (skip_bump(run))
        return;
    (void)heap_now();
    (void)reclaim_frames(SIZE_MAX);
    frames = heap_now().frames;
    KTEST_REQUIRE(run, start_mill(&mill, 2, 600));
    for (unsigned i = 0; i < 6; i++) {
        mill.most = i % 2 == 0 ? 600 : 2400;
        turn(&mill, 1000);
    }
    /* With checks on, blocks have zones, and freed ones wait, which spreads the others out. */
    bound = (heap_is_checked() ? 16 : 3) * mill.live_most / HAL_PAGE_SIZE + 64;
    (void)heap_now();
    (void)reclaim_frames(SIZE_MAX);
    KTEST_EXPECT(run, heap_now().frames <= frames + bound);
    finish_mill(&mill);
    KTEST_EXPECT(run, mill.good);
}

static void turn_alone(void *argument)
{
    turn(argument, 1500);
}

void test_heap_threads(struct ktest_run *run)
{
    struct heap_stats before = heap_now();
    struct mill mills[3];
    struct thread *threads[3];
    unsigned n = 0;

    while (n < 3 && KTEST_EXPECT(run, start_mill(&mills[n], n, 700))) {
        if (!KTEST_EXPECT(run, thread_create("mill", turn_alone, &mills[n], &threads[n]) == 0)) {
            finish_mill(&mills[n]);
            break;
        }
        n++;
    }
    for (unsigned i = 0; i < n; i++) {
        thread_join(threads[i]);
        finish_mill(&mills[i]);
        KTEST_EXPECT(run, mills[i].good);
    }
    KTEST_EXPECT(run, heap_now().live_blocks == before.live_blocks);
}

void test_heap_gives_back(struct ktest_run *run)
{
    uint64_t frames;
    struct mill mill;

    if (skip_bump(run))
        return;
    (void)heap_now();
    (void)reclaim_frames(SIZE_MAX);
    frames = heap_now().frames;
    KTEST_REQUIRE(run, start_mill(&mill, 3, 5000));
    turn(&mill, 500);
    finish_mill(&mill);
    (void)heap_now();
    (void)reclaim_frames(SIZE_MAX);
    KTEST_EXPECT(run, heap_now().frames <= frames);
}

/* ---- caches ---- */

#define OBJECTS 40u

struct thing {
    uint64_t state;
    uint8_t rest[120];
};

static void construct_thing(void *object)
{
    ((struct thing *)object)->state = 0x600d;
}

static bool use_things(struct object_cache *cache, struct thing **things)
{
    bool good = true;

    for (unsigned i = 0; i < OBJECTS; i++) {
        things[i] = object_allocate(cache);
        good = good && things[i] != NULL && things[i]->state == 0x600d && aligned(things[i], 64);
        if (things[i] != NULL)
            memset(things[i]->rest, (int)i, sizeof things[i]->rest);
    }
    for (unsigned i = 0; i < OBJECTS; i++) {
        good =
            good && (things[i] == NULL || (things[i]->rest[0] == i && things[i]->rest[119] == i));
        object_free(cache, things[i]);
    }
    return good;
}

/* One site for good alignments and bad: one that is refused at once would never have allocated. */
static struct object_cache *make_cache(size_t alignment)
{
    return object_cache_create("things", sizeof(struct thing), alignment, construct_thing);
}

void test_heap_cache(struct ktest_run *run)
{
    struct heap_stats before = heap_now();
    struct object_cache *cache = make_cache(64);
    struct thing *things[OBJECTS];

    KTEST_REQUIRE(run, cache != NULL);
    for (unsigned i = 0; i < 5; i++)
        KTEST_EXPECT(run, use_things(cache, things));
    object_free(cache, NULL);
    object_cache_destroy(cache);
    KTEST_EXPECT(run, heap_now().live_blocks == before.live_blocks);
    KTEST_EXPECT(run, make_cache(24) == NULL);
}
