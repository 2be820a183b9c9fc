/* SPDX-License-Identifier: MIT */
/*
 * calendar.c: seconds to dates and back, without loops over years.
 *
 * The idea: let the year begin on the first of March, so that the leap day comes last. Then a month
 * begins at day (153 * m + 2) / 5 of its year (m = 0 for March), and 400 years, an "era", always
 * have 146,097 days.
 *
 * Example: 2000-03-01 is the first day of an era. 1970-01-01 is 719,468 days after 0000-03-01.
 * Pure functions.
 */
#include "dev/clock.h"

#include <hal/errno.h>

#define DAYS_PER_ERA 146097
#define DAYS_BEFORE_EPOCH 719468
#define SECONDS_PER_DAY 86400
#define LAST_SECOND INT64_C(253402300799) /* 9999-12-31 23:59:59 */

static bool year_is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && year_is_leap(year));
}

/* Fills in the date `days` days after 1970-01-01; days >= 0. */
static void calendar_from_days(int64_t days, struct calendar *calendar)
{
    int64_t shifted = days + DAYS_BEFORE_EPOCH;
    int era = (int)(shifted / DAYS_PER_ERA);
    int day_of_era = (int)(shifted % DAYS_PER_ERA);
    int year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int march_month = (5 * day_of_year + 2) / 153;

    calendar->day = day_of_year - (153 * march_month + 2) / 5 + 1;
    calendar->month = march_month < 10 ? march_month + 3 : march_month - 9;
    calendar->year = era * 400 + year_of_era + (calendar->month <= 2);
    calendar->weekday = (int)((days + 4) % 7); /* 1970-01-01 was a Thursday */
}

void calendar_from_seconds(int64_t seconds, struct calendar *calendar)
{
    int64_t rest;

    if (seconds < 0)
        seconds = 0;
    if (seconds > LAST_SECOND)
        seconds = LAST_SECOND;
    calendar_from_days(seconds / SECONDS_PER_DAY, calendar);
    rest = seconds % SECONDS_PER_DAY;
    calendar->hour = (int)(rest / 3600);
    calendar->minute = (int)(rest / 60 % 60);
    calendar->second = (int)(rest % 60);
}

static bool calendar_valid(const struct calendar *c)
{
    return c->year >= 1970 && c->year <= 9999 && c->month >= 1 && c->month <= 12 && c->day >= 1 &&
           c->day <= month_days(c->year, c->month) && c->hour >= 0 && c->hour < 24 &&
           c->minute >= 0 && c->minute < 60 && c->second >= 0 && c->second < 60;
}

int calendar_to_seconds(const struct calendar *calendar, int64_t *seconds)
{
    int year = calendar->year - (calendar->month <= 2);
    int march_month = calendar->month > 2 ? calendar->month - 3 : calendar->month + 9;
    int64_t days;

    if (!calendar_valid(calendar))
        return -EINVAL;
    days = (int64_t)365 * year + year / 4 - year / 100 + year / 400;
    days += (153 * march_month + 2) / 5 + calendar->day - 1 - DAYS_BEFORE_EPOCH;
    *seconds =
        days * SECONDS_PER_DAY + calendar->hour * 3600 + calendar->minute * 60 + calendar->second;
    return 0;
}

/* Reads `digits` digits at *text, then `after` if it is not 0, and moves *text behind. */
static bool calendar_read_number(const char **text, int digits, char after, int *number)
{
    *number = 0;
    for (; digits > 0; digits--, (*text)++) {
        if (**text < '0' || **text > '9')
            return false;
        *number = *number * 10 + (**text - '0');
    }
    if (after == '\0')
        return true;
    return *(*text)++ == after;
}

int calendar_from_text(const char *date, const char *time, int64_t *seconds)
{
    struct calendar calendar = {0};
    bool good = calendar_read_number(&date, 4, '-', &calendar.year) &&
                calendar_read_number(&date, 2, '-', &calendar.month) &&
                calendar_read_number(&date, 2, '\0', &calendar.day) && *date == '\0';

    good = good && calendar_read_number(&time, 2, ':', &calendar.hour) &&
           calendar_read_number(&time, 2, '\0', &calendar.minute);
    if (good && *time == ':') {
        time++;
        good = calendar_read_number(&time, 2, '\0', &calendar.second);
    }
    if (!good || *time != '\0')
        return -EINVAL;
    return calendar_to_seconds(&calendar, seconds);
}
