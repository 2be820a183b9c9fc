/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. An object comes constructed: the first time, and again as it was given back; the constructor
 *     runs once for each object with slab, and for each allocation with the others.
 *  2. Objects are aligned and apart, of any size and alignment that a cache may have; what it may
 *     not have is NULL.
 *  3. What `slabs` shows adds up: live, free, in magazines, all of the heap's frames.
 *  4. A wrong pointer, or a cache destroyed with objects in use, is a panic.
 *  5. Destroyed caches leave nothing.
 */
#include "heap/suites.h"

#include "heap/cache.h"
#include "mem/reclaim.h"

#include <string.h>

struct thing {
    uint64_t state;
    uint8_t rest[72];
};

static unsigned constructed;

static void construct(void *object)
{
    ((struct thing *)object)->state = 0x600d;
    constructed++;
}

static bool read_info(const char *name, struct object_cache_info *info)
{
    for (unsigned i = 0; object_cache_read_info(i, info) == 0; i++)
        if (strcmp(info->name, name) == 0)
            return true;
    return false;
}

static void check_thing(struct thing *thing)
{
    ck_assert_ptr_nonnull(thing);
    ck_assert_uint_eq(thing->state, 0x600d);
    memset(thing, 0xee, sizeof *thing);
    thing->state = 0x600d;
}

START_TEST(objects_come_constructed)
{
    static struct thing *things[500];
    struct object_cache *cache;
    unsigned after;

    start(_i, 8 * MIB);
    constructed = 0;
    cache = object_cache_create("things", sizeof(struct thing), 0, construct);
    ck_assert_ptr_nonnull(cache);
    for (unsigned i = 0; i < 500; i++)
        check_thing(things[i] = object_allocate(cache));
    after = constructed;
    ck_assert_uint_ge(after, 500);
    for (unsigned i = 0; i < 5000; i++) {
        object_free(cache, things[i * 7 % 500]);
        check_thing(things[i * 7 % 500] = object_allocate(cache));
    }
    ck_assert_uint_eq(constructed, _i == 0 ? after : after + 5000);
    for (unsigned i = 0; i < 500; i++)
        object_free(cache, things[i]);
    object_cache_destroy(cache);
}
END_TEST

START_TEST(objects_are_aligned_and_apart)
{
    static uint8_t *objects[64];

    start(_i, 8 * MIB);
    for (size_t alignment = 0; alignment <= 4096; alignment = alignment ? alignment * 2 : 8)
        for (size_t bytes = 1; bytes <= 20000; bytes = bytes * 5 + 1) {
            struct object_cache *cache = object_cache_create("any", bytes, alignment, NULL);

            ck_assert_ptr_nonnull(cache);
            for (unsigned i = 0; i < 64; i++) {
                ck_assert_ptr_nonnull(objects[i] = object_allocate(cache));
                ck_assert_uint_eq((uintptr_t)objects[i] % (alignment ? alignment : 16), 0);
                memset(objects[i], (int)i, bytes);
            }
            for (unsigned i = 0; i < 64; i++) {
                ck_assert(objects[i][0] == i && objects[i][bytes - 1] == i);
                object_free(cache, objects[i]);
            }
            object_cache_destroy(cache);
            if (allocators[_i] == &heap_bump)
                start(_i, 8 * MIB);
        }
}
END_TEST

START_TEST(impossible_caches_are_refused)
{
    start(_i, 8 * MIB);
    ck_assert_ptr_null(object_cache_create("none", 0, 0, NULL));
    ck_assert_ptr_null(object_cache_create("huge", SIZE_MAX, 0, NULL));
    ck_assert_ptr_null(object_cache_create("huge", 100000, 0, NULL));
    ck_assert_ptr_null(object_cache_create("odd", 16, 24, NULL));
    ck_assert_ptr_null(object_cache_create("huge", 16, SIZE_MAX / 2 + 1, NULL));
}
END_TEST

START_TEST(what_is_shown_adds_up)
{
    static void *objects[1000];
    struct object_cache_info info;
    struct object_cache *cache;
    struct heap_stats stats;
    uint64_t frames = 0;

    start(0, 16 * MIB);
    cache = object_cache_create("shown", 200, 0, NULL);
    for (unsigned i = 0; i < 1000; i++)
        ck_assert_ptr_nonnull(objects[i] = object_allocate(cache));
    for (unsigned i = 0; i < 300; i++)
        object_free(cache, objects[i]);
    ck_assert(read_info("shown", &info));
    ck_assert_uint_eq(info.bytes, 208);
    ck_assert_uint_eq(info.live, 700);
    ck_assert_uint_eq(info.allocations, 1000);
    ck_assert_uint_ge(info.total, info.live + info.magazines);
    for (unsigned i = 0; object_cache_read_info(i, &info) == 0; i++)
        frames += info.frames;
    heap_read_stats(&stats);
    ck_assert_uint_eq(frames, stats.frames);
    ck_assert_uint_eq(stats.live_blocks, 701); /* the cache itself is one */
}
END_TEST

START_TEST(destroyed_caches_leave_nothing)
{
    struct object_cache_info info;
    struct heap_stats stats;

    start(_i, 8 * MIB);
    for (unsigned round = 0; round < 20; round++) {
        struct object_cache *cache = object_cache_create("gone", 500, 64, construct);
        void *objects[50];

        for (unsigned i = 0; i < 50; i++)
            ck_assert_ptr_nonnull(objects[i] = object_allocate(cache));
        for (unsigned i = 0; i < 50; i++)
            object_free(cache, objects[i]);
        object_free(cache, NULL);
        object_cache_destroy(cache);
    }
    ck_assert(!read_info("gone", &info));
    (void)reclaim_frames(SIZE_MAX);
    heap_read_stats(&stats);
    ck_assert_uint_eq(stats.live_blocks, 0);
    ck_assert(stats.frames == 0 || allocators[_i] == &heap_bump);
}
END_TEST

static void free_twice(void *cache)
{
    void *object = object_allocate(cache);

    object_free(cache, object);
    object_free(cache, object);
}

static void free_inside(void *cache)
{
    object_free(cache, (char *)object_allocate(cache) + 16);
}

static void free_into_another(void *cache)
{
    object_free(cache, kmalloc(200));
}

static void destroy_in_use(void *cache)
{
    memset(object_allocate(cache), 0, 1);
    object_cache_destroy(cache);
}

START_TEST(misuse_is_a_panic)
{
    static void (*const misuse[])(void *) = {free_twice, free_inside, free_into_another,
                                             destroy_in_use};

    start(0, 8 * MIB);
    ck_assert(fake_panics(misuse[_i], object_cache_create("victim", 200, 0, NULL)));
    ck_assert_ptr_nonnull(strstr(fake.console, "victim"));
}
END_TEST

Suite *caches_suite(void)
{
    Suite *suite = suite_create("caches");
    TCase *tcase = tcase_create("caches");

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, objects_come_constructed, 0, ALLOCATORS);
    tcase_add_loop_test(tcase, objects_are_aligned_and_apart, 0, ALLOCATORS);
    tcase_add_loop_test(tcase, impossible_caches_are_refused, 0, ALLOCATORS);
    tcase_add_test(tcase, what_is_shown_adds_up);
    tcase_add_loop_test(tcase, destroyed_caches_leave_nothing, 0, ALLOCATORS);
    tcase_add_loop_test(tcase, misuse_is_a_panic, 0, 4);
    suite_add_tcase(suite, tcase);
    return suite;
}
