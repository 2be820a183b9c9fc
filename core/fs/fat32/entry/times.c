/* SPDX-License-Identifier: MIT */
/*
 * times.c: points in time as directory entries have them.
 *
 *     date   7 bits of years since 1980, 4 of month, 5 of day
 *     time   5 bits of hours, 6 of minutes, 5 of pairs of seconds
 *     and for the time of creation one more byte: hundredths, 0 to 199, since that pair began
 *
 * They are taken as UTC: the specification's "local time" would need to know where the card was.
 */
#include "fs/fat32/entry/entry.h"

#include "dev/clock.h"
#include "lib/bytes.h"

#define HUNDREDTHS 100

static int clamp(int value, int low, int high)
{
    if (value < low)
        return low;
    return value > high ? high : value;
}

int64_t fat32_time_read(unsigned date, unsigned time, unsigned hundredths)
{
    struct calendar calendar = {
        .year = 1980 + (int)(date >> 9),
        .month = clamp((int)(date >> 5 & 15), 1, 12),
        .day = clamp((int)(date & 31), 1, 31),
        .hour = clamp((int)(time >> 11), 0, 23),
        .minute = clamp((int)(time >> 5 & 63), 0, 59),
        .second = clamp((int)(time & 31) * 2, 0, 58),
    };
    int64_t seconds = 0;

    /* The 31st of a shorter month: back to its last day. */
    while (calendar_to_seconds(&calendar, &seconds) != 0 && calendar.day > 28)
        calendar.day--;
    return seconds * WALL_NS + (hundredths < 200 ? hundredths : 0) * (WALL_NS / HUNDREDTHS);
}

void fat32_time_put(int64_t ns, uint8_t *date, uint8_t *time, uint8_t *hundredths)
{
    int64_t rest = ns % WALL_NS;
    struct calendar calendar;

    calendar_from_seconds(ns / WALL_NS, &calendar);
    if (ns < 0 || calendar.year < 1980) {
        calendar = (struct calendar){.year = 1980, .month = 1, .day = 1};
        rest = 0;
    }
    if (calendar.year > 2107)
        calendar = (struct calendar){
            .year = 2107, .month = 12, .day = 31, .hour = 23, .minute = 59, .second = 58};
    put_le16(date, (uint16_t)((calendar.year - 1980) << 9 | calendar.month << 5 | calendar.day));
    if (time)
        put_le16(time,
                 (uint16_t)(calendar.hour << 11 | calendar.minute << 5 | calendar.second / 2));
    if (hundredths)
        *hundredths = (uint8_t)(calendar.second % 2 * HUNDREDTHS + rest / (WALL_NS / HUNDREDTHS));
}

int64_t fat32_time_kept(int64_t ns)
{
    uint8_t date[2], time[2];

    fat32_time_put(ns, date, time, NULL);
    return fat32_time_read(le16(date), le16(time), 0);
}
