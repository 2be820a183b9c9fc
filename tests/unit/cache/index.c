/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. Whatever is entered, marked and taken out, at any numbers of 64 bits, get and next tell what
 *     a plain list tells.
 *  2. Adding says beforehand how many tables it takes, and takes no more; an empty index has none.
 */
#include "cache/suites.h"

#include "heap/heap.h"

#include <stdlib.h>

#define NUMBERS 200

static struct entry {
    uint64_t number;
    bool there, marked;
} entries[NUMBERS];

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static struct cache_page *page_of(unsigned i)
{
    return (struct cache_page *)(uintptr_t)(16 * (i + 1));
}

/* Numbers that lie together, far apart, at the ends of tables, and at the end of all. */
static void choose_numbers(uint64_t *state)
{
    for (unsigned i = 0; i < NUMBERS; i++) {
        uint64_t base = next_random(state) >> next_random(state) % 64;

        entries[i] = (struct entry){.number = i % 3 == 0 ? i : i % 3 == 1 ? base : base | 63};
        if (i == 1)
            entries[i].number = UINT64_MAX;
        for (unsigned j = 0; j < i; j++)
            if (entries[j].number == entries[i].number) {
                entries[i].number++;
                j = UINT32_MAX; /* look at all again */
            }
    }
}

/* The entry that comes first from `from` on; NUMBERS: none. */
static unsigned expect_next(uint64_t from, enum cache_which which)
{
    unsigned best = NUMBERS;

    for (unsigned i = 0; i < NUMBERS; i++)
        if (entries[i].there && entries[i].number >= from &&
            (which == CACHE_ALL || entries[i].marked) &&
            (best == NUMBERS || entries[i].number < entries[best].number))
            best = i;
    return best;
}

static void compare(const struct cache_index *index, uint64_t from)
{
    for (enum cache_which which = CACHE_ALL; which <= CACHE_UNCLEAN; which++) {
        unsigned expected = expect_next(from, which);
        uint64_t number = 0;
        struct cache_page *page = cache_index_next(index, from, which, &number);

        ck_assert_ptr_eq(page, expected == NUMBERS ? NULL : page_of(expected));
        if (page)
            ck_assert_uint_eq(number, entries[expected].number);
    }
}

static void step(struct cache_index *index, uint64_t *state)
{
    unsigned i = (unsigned)(next_random(state) % NUMBERS);
    struct cache_spares spares = {NULL, 0};

    if (!entries[i].there) {
        unsigned need = cache_index_add(index, entries[i].number, page_of(i), &spares);

        if (need > 0) {
            ck_assert_uint_le(need, CACHE_TABLES_MAX);
            ck_assert_int_eq(cache_spares_fill(&spares, need), 0);
            ck_assert_uint_eq(cache_index_add(index, entries[i].number, page_of(i), &spares), 0);
            ck_assert_uint_eq(spares.count, 0);
        }
        entries[i].there = true;
        entries[i].marked = false;
    } else if (next_random(state) % 2) {
        entries[i].marked = !entries[i].marked;
        cache_index_mark(index, entries[i].number, entries[i].marked);
    } else {
        cache_index_remove(index, entries[i].number);
        entries[i].there = false;
    }
    ck_assert_ptr_eq(cache_index_get(index, entries[i].number),
                     entries[i].there ? page_of(i) : NULL);
    compare(index, next_random(state) % 4 ? entries[i].number : next_random(state));
}

START_TEST(index_tells_what_a_list_tells)
{
    uint64_t state = 0x9e3779b97f4a7c15ull + (uint64_t)_i;
    struct cache_index index = {NULL, 0};
    struct heap_stats before, after;

    fake_kernel_start(8 * MIB);
    heap_read_stats(&before);
    choose_numbers(&state);
    for (unsigned i = 0; i < 4000; i++)
        step(&index, &state);
    for (unsigned i = 0; i < NUMBERS; i++)
        if (entries[i].there)
            cache_index_remove(&index, entries[i].number);
    ck_assert_ptr_null(index.root);
    heap_read_stats(&after);
    ck_assert_uint_eq(before.live_blocks, after.live_blocks);
}
END_TEST

Suite *index_suite(void)
{
    Suite *suite = suite_create("index");
    TCase *tests = tcase_create("index");

    tcase_add_loop_test(tests, index_tells_what_a_list_tells, 0, 20);
    suite_add_tcase(suite, tests);
    return suite;
}
