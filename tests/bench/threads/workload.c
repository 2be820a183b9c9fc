/* SPDX-License-Identifier: MIT */
/*
 * workload.c: what both sides do, word for word. guest.c and host.c include it, after they have
 * said what a thread, a lock and so on are for them:
 *
 *     STATE                         before a static variable
 *     THREAD, START(t, f), JOIN(t)  a thread that runs f(NULL)
 *     YIELD()                       lets another thread run
 *     LOCK, LOCK_INIT(l), TAKE(l), GIVE(l)
 *     CONDITION, CONDITION_INIT(c, l), AWAIT(c, l), SIGNAL(c)
 *     POST(side), EXPECT(side)      wakes the thread of that side; waits for being woken
 *     NOW()                         ns
 *     FAIL(text)                    the figures are worth nothing
 */
#include "bench.h"

enum { YIELDS = 20000, WAKES = 4000, CHILDREN = 200 };

/* ---- giving way ---- */

STATE static volatile bool leave;

static void yield_along(void *unused)
{
    (void)unused;
    while (!leave)
        YIELD();
}

static void measure_yield(enum bench_figure figure, unsigned runs)
{
    THREAD other;

    leave = false;
    START(other, yield_along);
    YIELD();
    for (unsigned run = 0; run < runs; run++) {
        uint64_t start = NOW();

        for (unsigned i = 0; i < YIELDS / 2; i++)
            YIELD();
        bench_note(figure, NOW() - start, YIELDS);
    }
    leave = true;
    JOIN(other);
}

/* ---- waking up: two threads wake each other in turn ---- */

static void answer(void *unused)
{
    (void)unused;
    for (;;) {
        EXPECT(1);
        if (leave)
            break;
        POST(0);
    }
}

/* The caller has said where the two threads run. */
static void measure_wake(enum bench_figure figure, unsigned runs, THREAD other)
{
    for (unsigned run = 0; run < runs; run++) {
        uint64_t start = NOW();

        for (unsigned i = 0; i < WAKES / 2; i++) {
            POST(1);
            EXPECT(0);
        }
        bench_note(figure, NOW() - start, WAKES);
    }
    leave = true;
    POST(1);
    JOIN(other);
}

STATE static struct {
    LOCK lock;
    CONDITION changed;
    unsigned turn, last;
} table;

static void take_turns(unsigned mine)
{
    TAKE(&table.lock);
    while (table.turn < table.last) {
        if (table.turn % 2 == mine) {
            table.turn++;
            SIGNAL(&table.changed);
        } else {
            AWAIT(&table.changed, &table.lock);
        }
    }
    GIVE(&table.lock);
}

static void take_other_turns(void *unused)
{
    (void)unused;
    take_turns(1);
}

static void measure_handover(unsigned runs)
{
    LOCK_INIT(&table.lock);
    CONDITION_INIT(&table.changed, &table.lock);
    for (unsigned run = 0; run < runs; run++) {
        uint64_t start = NOW();
        THREAD other;

        table.turn = 0;
        table.last = WAKES;
        START(other, take_other_turns);
        take_turns(0);
        JOIN(other);
        bench_note(BENCH_HANDOVER, NOW() - start, WAKES);
    }
}

/* ---- the Reenix paper's Figure 13 ---- */

STATE static struct {
    LOCK lock;
    unsigned high, value;
} sum;

/* It gives way while it holds the lock, so that all others run into it, and when it does not. */
static void count_up(void *unused)
{
    (void)unused;
    for (;;) {
        unsigned value;

        TAKE(&sum.lock);
        value = sum.value;
        if (value >= sum.high)
            break;
        YIELD();
        sum.value = value + 1;
        GIVE(&sum.lock);
        YIELD();
    }
    GIVE(&sum.lock);
}

static void measure_counter(unsigned row, unsigned runs)
{
    enum { MOST = 100 };
    STATE static THREAD threads[MOST];
    const struct bench_counter *counter = &bench_counters[row];

    LOCK_INIT(&sum.lock);
    for (unsigned run = 0; run < runs; run++) {
        uint64_t start = NOW();

        sum.high = counter->high;
        sum.value = 0;
        for (unsigned i = 0; i < counter->threads; i++)
            START(threads[i], count_up);
        for (unsigned i = 0; i < counter->threads; i++)
            JOIN(threads[i]);
        bench_note((enum bench_figure)(BENCH_COUNTER + row), NOW() - start, 1);
        if (sum.value != counter->high)
            FAIL("the sum is wrong");
    }
}

/* ---- its Figure 14, with threads in the place of processes ---- */

STATE static volatile bool dead;

static void live_for_a_while(void *unused)
{
    (void)unused;
    YIELD();
    dead = true;
}

static void measure_join_live(unsigned runs)
{
    for (unsigned run = 0; run < runs; run++) {
        uint64_t start = NOW();

        for (unsigned i = 0; i < CHILDREN; i++) {
            THREAD child;

            START(child, live_for_a_while);
            JOIN(child);
        }
        bench_note(BENCH_JOIN_LIVE, NOW() - start, CHILDREN);
    }
}

static void measure_join_dead(unsigned runs)
{
    for (unsigned run = 0; run < runs; run++) {
        uint64_t start = NOW();

        for (unsigned i = 0; i < CHILDREN; i++) {
            THREAD child;

            dead = false;
            START(child, live_for_a_while);
            while (!dead)
                YIELD();
            YIELD();
            JOIN(child);
        }
        bench_note(BENCH_JOIN_DEAD, NOW() - start, CHILDREN);
    }
}

/* All but the waking up, which each side prepares in its own way. */
static void measure_all(unsigned runs)
{
    measure_yield(BENCH_YIELD, runs * 10);
    measure_handover(runs);
    measure_join_live(runs);
    measure_join_dead(runs);
    for (unsigned row = 0; row < BENCH_COUNTERS; row++)
        measure_counter(row, bench_counters[row].high > 1000 ? runs / 2 + 1 : runs);
}
