/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. Nodes come out in the order of their times, equal ones in the order of their adding, and none
 *     before its time; whatever the times are, up to both ends of 64 bits, and whenever it is
 * asked.
 *  2. A node that was removed does not come out, and one that is not in is not removed.
 *  3. wheel_next is never later than the first node, and going on from there always ends.
 *  4. With 100,000 nodes each comes out after a bounded number of calls, and each call moves a
 *     bounded number of nodes.
 *
 * The oracle is a sorted array.
 */
#include "deferred/wheel.h"

#include "../../marks.h"
#include <stdint.h>
#include <stdlib.h>

#define MANY 100000u

struct item {
    struct wheel_node node;
    uint64_t time;
    unsigned order;
    bool in;
};

static struct wheel wheel;
static struct item items[MANY];
static struct item *sorted[MANY];
static uint64_t seed;

static uint64_t draw(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return seed >> 16;
}

/* Takes the next one, however many calls that needs. */
static struct item *take(uint64_t until, unsigned *calls)
{
    struct wheel_node *node;
    bool more;

    do {
        node = wheel_take(&wheel, until, &more);
        ++*calls;
    } while (!node && more);
    return node ? list_entry(node, struct item, node) : NULL;
}

static void add(struct item *item, uint64_t time, unsigned order)
{
    item->time = time;
    item->order = order;
    item->in = true;
    wheel_add(&wheel, &item->node, time);
}

static int compare(const void *a, const void *b)
{
    const struct item *x = *(struct item *const *)a, *y = *(struct item *const *)b;

    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Times of all sizes: mostly near, some very far, many equal. */
static uint64_t draw_time(uint64_t now)
{
    uint64_t span = UINT64_C(1) << (draw() % 63);
    uint64_t time = now + draw() % span;

    return time < now ? UINT64_MAX : draw() % 4 ? time : time & ~UINT64_C(0xff);
}

START_TEST(times_come_out_in_order)
{
    unsigned n = 2000, calls = 0;

    seed = (uint64_t)_i;
    wheel_init(&wheel, seed * 1000003);
    for (unsigned i = 0; i < n; i++) {
        uint64_t time = draw_time(wheel.now);

        add(&items[i], time < wheel.now ? wheel.now : time, i);
        sorted[i] = &items[i];
    }
    qsort(sorted, n, sizeof sorted[0], compare);
    for (unsigned i = 0; i < n; i++) {
        ck_assert_uint_le(wheel_next(&wheel), sorted[i]->time);
        if (sorted[i]->time > wheel.now) /* not a moment before */
            ck_assert_ptr_null(take(sorted[i]->time - 1, &calls));
        ck_assert_ptr_eq(take(sorted[i]->time, &calls), sorted[i]);
        ck_assert(!wheel_remove(&wheel, &sorted[i]->node));
    }
    ck_assert_uint_eq(wheel_next(&wheel), UINT64_MAX);
    ck_assert_uint_eq(wheel.count, 0);
}
END_TEST

/* The first of those that are in, by a look at all. */
static struct item *first_of(unsigned n)
{
    struct item *first = NULL;

    for (unsigned i = 0; i < n; i++)
        if (items[i].in && (!first || compare(&(struct item *){&items[i]}, &first) < 0))
            first = &items[i];
    return first;
}

START_TEST(adding_and_removing_at_any_moment)
{
    unsigned n = 64, order = 0, calls = 0;

    seed = (uint64_t)_i;
    wheel_init(&wheel, 0);
    for (unsigned i = 0; i < n; i++)
        items[i] = (struct item){.in = false};
    for (unsigned step = 0; step < 5000; step++) {
        struct item *item = &items[draw() % n], *first;
        bool more;

        if (item->in != wheel_remove(&wheel, &item->node))
            ck_abort_msg("step %u: removed what was not in, or the reverse", step);
        item->in = false;
        if (draw() % 3)
            add(item, wheel.now + draw() % (UINT64_C(1) << draw() % 40), order++);
        first = first_of(n);
        if (first) /* one call only, so that what follows meets a slot half emptied */
            if (wheel_take(&wheel, first->time, &more))
                first->in = false;
        ck_assert(!first || first->in == first->node.linked);
        first = first_of(n);
        ck_assert_uint_le(wheel_next(&wheel), first ? first->time : UINT64_MAX);
    }
    for (struct item *first; (first = first_of(n)); first->in = false)
        ck_assert_ptr_eq(take(UINT64_MAX, &calls), first);
}
END_TEST

START_TEST(what_is_past_is_next)
{
    unsigned calls = 0;

    wheel_init(&wheel, 1000);
    add(&items[0], 1000, 0);
    add(&items[1], 0, 1);
    add(&items[2], 1001, 2);
    add(&items[3], UINT64_MAX, 3);
    ck_assert_uint_le(wheel_next(&wheel), 1000);
    ck_assert_ptr_eq(take(1000, &calls), &items[0]);
    ck_assert_ptr_eq(take(1000, &calls), &items[1]);
    ck_assert_ptr_null(take(1000, &calls));
    ck_assert_ptr_eq(take(5000, &calls), &items[2]);
    ck_assert_ptr_null(take(UINT64_MAX - 1, &calls));
    ck_assert_ptr_eq(take(UINT64_MAX, &calls), &items[3]);
}
END_TEST

START_TEST(waking_up_at_wheel_next_ends)
{
    unsigned calls = 0, wakings = 0, left = 500;

    seed = 7;
    wheel_init(&wheel, 0);
    for (unsigned i = 0; i < left; i++)
        add(&items[i], draw_time(0), i);
    for (; left > 0; wakings++) {
        uint64_t now = wheel_next(&wheel);

        while (take(now, &calls))
            left--;
    }
    /* Nothing was cancelled, so each waking found something. */
    ck_assert_uint_le(wakings, 500);
}
END_TEST

START_TEST(a_hundred_thousand_are_no_burden)
{
    uint64_t second = UINT64_C(1000000000);
    unsigned calls = 0, removed = 0;

    seed = 99;
    wheel_init(&wheel, 0);
    for (unsigned i = 0; i < MANY; i++) {
        add(&items[i], second + draw() % (3600 * second), i);
        sorted[i] = &items[i];
    }
    ck_assert_uint_eq(wheel.count, MANY);
    qsort(sorted, MANY, sizeof sorted[0], compare);
    for (unsigned i = 0; i < MANY; i += 2)
        removed += wheel_remove(&wheel, &sorted[i]->node);
    ck_assert_uint_eq(removed, MANY / 2);
    for (unsigned i = 1; i < MANY; i += 2)
        ck_assert_ptr_eq(take(UINT64_MAX - 1, &calls), sorted[i]);
    ck_assert_uint_le(calls, MANY / 2 * (WHEEL_LEVELS + 1));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wheel");
    TCase *all = tcase_create("wheel");
    SRunner *runner;
    int failed;

    tcase_set_timeout(all, 120);
    tcase_add_loop_test(all, times_come_out_in_order, 1, 40);
    tcase_add_loop_test(all, adding_and_removing_at_any_moment, 1, 20);
    tcase_add_test(all, what_is_past_is_next);
    tcase_add_test(all, waking_up_at_wheel_next_ends);
    tcase_add_test(all, a_hundred_thousand_are_no_burden);
    suite_add_tcase(suite, all);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
