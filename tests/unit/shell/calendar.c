/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. Every day from 1970 to 9999 agrees with the host's gmtime, its weekday too, and goes back to
 * the same second.
 *  2. Seconds outside those years are clamped; dates that do not exist are refused.
 *  3. Text is read in one form only.
 */
#include "suites.h"

#include "dev/clock.h"

#include <hal/errno.h>

#include <stdint.h>
#include <time.h>

#define LAST INT64_C(253402300799)

START_TEST(every_day_is_the_hosts)
{
    for (int64_t seconds = 0; seconds <= LAST; seconds += 86400 - 7) {
        time_t host = (time_t)seconds;
        struct calendar ours;
        const struct tm *theirs = gmtime(&host);
        int64_t back;

        calendar_from_seconds(seconds, &ours);
        ck_assert(ours.year == theirs->tm_year + 1900 && ours.month == theirs->tm_mon + 1);
        ck_assert(ours.day == theirs->tm_mday && ours.weekday == theirs->tm_wday);
        ck_assert(ours.hour == theirs->tm_hour && ours.minute == theirs->tm_min &&
                  ours.second == theirs->tm_sec);
        ck_assert(calendar_to_seconds(&ours, &back) == 0);
        ck_assert(back == seconds);
    }
}
END_TEST

START_TEST(the_ends_of_time_are_clamped)
{
    struct calendar calendar;

    calendar_from_seconds(INT64_MIN, &calendar);
    ck_assert_int_eq(calendar.year, 1970);
    calendar_from_seconds(INT64_MAX, &calendar);
    ck_assert_int_eq(calendar.year, 9999);
    ck_assert_int_eq(calendar.second, 59);
}
END_TEST

START_TEST(impossible_dates_are_refused)
{
    static const struct calendar bad[] = {
        {1969, 12, 31, 0, 0, 0, 0}, {10000, 1, 1, 0, 0, 0, 0}, {2000, 0, 1, 0, 0, 0, 0},
        {2000, 13, 1, 0, 0, 0, 0},  {2000, 1, 0, 0, 0, 0, 0},  {2000, 1, 32, 0, 0, 0, 0},
        {2001, 2, 29, 0, 0, 0, 0},  {2100, 2, 29, 0, 0, 0, 0}, {2000, 4, 31, 0, 0, 0, 0},
        {2000, 1, 1, 24, 0, 0, 0},  {2000, 1, 1, 0, 60, 0, 0}, {2000, 1, 1, 0, 0, 60, 0},
        {2000, 1, 1, -1, 0, 0, 0},  {2000, -3, 1, 0, 0, 0, 0},
    };
    int64_t seconds;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(calendar_to_seconds(&bad[i], &seconds) == -EINVAL, "case %zu", i);
}
END_TEST

START_TEST(text_has_one_form)
{
    static const char *const bad[][2] = {
        {"2026-1-31", "00:00"},
        {"26-01-31", "00:00"},
        {"2026-01-31x", "00:00"},
        {"2026/01/31", "00:00"},
        {"", ""},
        {"2026-01-31", "0:00"},
        {"2026-01-31", "00:00:0"},
        {"2026-01-31", "00:00:00:"},
        {"2026-01-31", "00-00"},
        {"2026-01-", "00:00"},
        {"2026-01-31", ""},
        {"2026-02-30", "00:00"},
    };
    int64_t seconds;

    ck_assert_int_eq(calendar_from_text("2026-01-31", "12:34", &seconds), 0);
    ck_assert_int_eq(seconds, 1769862840);
    ck_assert_int_eq(calendar_from_text("2026-01-31", "12:34:56", &seconds), 0);
    ck_assert_int_eq(seconds, 1769862896);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(calendar_from_text(bad[i][0], bad[i][1], &seconds) == -EINVAL, "%s %s",
                      bad[i][0], bad[i][1]);
}
END_TEST

Suite *calendar_suite(void)
{
    Suite *suite = suite_create("calendar");
    TCase *dates = tcase_create("dates");

    tcase_set_timeout(dates, 60);
    tcase_add_test(dates, every_day_is_the_hosts);
    tcase_add_test(dates, the_ends_of_time_are_clamped);
    tcase_add_test(dates, impossible_dates_are_refused);
    tcase_add_test(dates, text_has_one_form);
    suite_add_tcase(suite, dates);
    return suite;
}
