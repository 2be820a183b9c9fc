/* SPDX-License-Identifier: MIT */
/*
 * test_time.c: the monotonic clock, sleeping, and the calendar.
 */
#include "dev/clock.h"
#include "ktest/tests.h"
#include "lib/string.h"
#include "lib/trace.h"
#include "thread/run.h"
#include "thread/thread.h"

#include <hal/cpu.h>
#include <hal/errno.h>
#include <hal/machine.h>
#include <hal/time.h>

void test_time_monotonic(struct ktest_run *run)
{
    uint64_t first = hal_time_now(), last = first;
    bool back = false;

    for (unsigned i = 0; i < 10000; i++) {
        uint64_t now = hal_time_now();

        back = back || now < last;
        last = now;
        hal_cpu_relax();
    }
    KTEST_EXPECT(run, !back);
    KTEST_EXPECT(run, last > first);
}

void test_time_sleep(struct ktest_run *run)
{
    static const uint64_t lengths[] = {1, 1000, 100000, 1000000, 20000000};

    for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        uint64_t start = hal_time_now();

        KTEST_EXPECT(run, thread_sleep(lengths[i]) == 0);
        KTEST_EXPECT(run, hal_time_now() - start >= lengths[i]);
    }
}

void test_time_past(struct ktest_run *run)
{
    uint64_t start = hal_time_now();

    KTEST_EXPECT(run, thread_sleep_until(0) == 0);
    KTEST_EXPECT(run, thread_sleep(0) == 0);
    KTEST_EXPECT(run, hal_time_now() - start < UINT64_C(10000000000));
}

/* ---- very many that want to wake up at the same time ---- */

#define SLEEPERS 100u

struct crowd {
    uint64_t deadline;
    unsigned most; /* atomic: wake-ups in one interrupt */
};

/* The most sleepers woken in one interrupt since then, of what the trace of this CPU still knows.
 */
static unsigned most_wakes(uint64_t since)
{
    hal_irq_state_t state = hal_irq_save();
    struct hal_trace_event event;
    unsigned wakes = 0, most = 0;

    for (unsigned age = 0; ktrace_read(hal_cpu_id(), age, &event) == 0 && event.time >= since;
         age++) {
        wakes += event.kind == HAL_TRACE_WAKE && string_equal(event.other.name, "sleeper");
        most = wakes > most ? wakes : most;
        if (event.kind == HAL_TRACE_INTERRUPT || event.kind == HAL_TRACE_SWITCH)
            wakes = 0;
    }
    hal_irq_restore(state);
    return most;
}

static void part_of_crowd(void *argument)
{
    struct crowd *crowd = argument;
    unsigned most, before;

    (void)thread_sleep_until(crowd->deadline);
    most = most_wakes(crowd->deadline);
    before = __atomic_load_n(&crowd->most, __ATOMIC_RELAXED);
    while (most > before && !__atomic_compare_exchange_n(&crowd->most, &before, most, false,
                                                         __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
}

void test_time_crowd(struct ktest_run *run)
{
    struct crowd crowd = {.deadline = hal_time_now() + UINT64_C(1000000000)};
    struct thread *sleepers[SLEEPERS];
    unsigned started = 0;

    KTEST_EXPECT(run, thread_set_affinity(thread_current(), 1u << 0) == 0);
    while (started < SLEEPERS &&
           KTEST_EXPECT(run, thread_create_sized("sleeper", part_of_crowd, &crowd, HAL_STACK_SMALL,
                                                 &sleepers[started]) == 0))
        started++;
    for (unsigned i = 0; i < started; i++)
        thread_join(sleepers[i]);
    KTEST_EXPECT(run, crowd.most >= 1 && crowd.most <= RUN_WAKES_MOST);
    KTEST_EXPECT(run, thread_set_affinity(thread_current(), (1u << HAL_CPU_MAX) - 1) == 0);
}

void test_calendar_dates(struct ktest_run *run)
{
    static const struct {
        int64_t seconds;
        struct calendar date;
    } known[] = {
        {0, {1970, 1, 1, 0, 0, 0, 4}},
        {951827696, {2000, 2, 29, 12, 34, 56, 2}},
        {2147483648, {2038, 1, 19, 3, 14, 8, 2}},
        {INT64_C(4107542399), {2100, 2, 28, 23, 59, 59, 0}},
        {INT64_C(4107542400), {2100, 3, 1, 0, 0, 0, 1}},
        {INT64_C(253402300799), {9999, 12, 31, 23, 59, 59, 5}},
    };

    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const struct calendar *want = &known[i].date;
        struct calendar got;
        int64_t back;

        calendar_from_seconds(known[i].seconds, &got);
        KTEST_EXPECT(run, got.year == want->year && got.month == want->month &&
                              got.day == want->day && got.weekday == want->weekday);
        KTEST_EXPECT(run, got.hour == want->hour && got.minute == want->minute &&
                              got.second == want->second);
        KTEST_EXPECT(run, calendar_to_seconds(want, &back) == 0 && back == known[i].seconds);
    }
}

void test_calendar_round_trip(struct ktest_run *run)
{
    unsigned wrong = 0;

    /* A step that is no multiple of a day, through two leap rules. */
    for (int64_t seconds = 0; seconds < INT64_C(14000000000); seconds += 7654321) {
        struct calendar calendar;
        int64_t back;

        calendar_from_seconds(seconds, &calendar);
        if (calendar_to_seconds(&calendar, &back) != 0 || back != seconds)
            wrong++;
    }
    KTEST_EXPECT(run, wrong == 0);
}

void test_calendar_text(struct ktest_run *run)
{
    int64_t seconds;

    KTEST_EXPECT(run, calendar_from_text("2000-02-29", "12:34:56", &seconds) == 0);
    KTEST_EXPECT(run, seconds == 951827696);
    KTEST_EXPECT(run, calendar_from_text("2001-02-29", "00:00", &seconds) == -EINVAL);
    KTEST_EXPECT(run, calendar_from_text("2100-02-29", "00:00", &seconds) == -EINVAL);
    KTEST_EXPECT(run, calendar_from_text("2001-13-01", "00:00", &seconds) == -EINVAL);
    KTEST_EXPECT(run, calendar_from_text("2001-1-1", "00:00", &seconds) == -EINVAL);
    KTEST_EXPECT(run, calendar_from_text("2001-01-01", "24:00", &seconds) == -EINVAL);
    KTEST_EXPECT(run, calendar_from_text("2001-01-01", "12:00x", &seconds) == -EINVAL);
    KTEST_EXPECT(run, calendar_from_text("1969-12-31", "23:59", &seconds) == -EINVAL);
}
