/* SPDX-License-Identifier: MIT */
/*
 * seek.c: see seek.h. Whole numbers only.
 *
 * Example: 1,000,000 sectors in tracks of 500, so 2,000 tracks; settle 1 ms, stroke 12 ms, 7200 rpm
 * (8.333 ms a turn). From track 0 to track 500: 1 + 12 * sqrt(500 / 2000) = 7 ms. Then on average
 * half a turn, 4.17 ms, and for 8 sectors 8/500 of a turn, 0.13 ms.
 */
#include "block/disks/seek.h"

#define MINUTE 60000000000u /* ns */

struct seek_model seek_usual(uint64_t sectors)
{
    return (struct seek_model){
        .sectors = sectors, .track = 500, .settle = 1000000, .stroke = 14000000, .rpm = 7200};
}

/** The largest number whose square is not above `n`. */
static uint64_t root(uint64_t n)
{
    uint64_t result = 0;

    for (uint64_t bit = 1ull << 31; bit > 0; bit >>= 1)
        if ((result + bit) * (result + bit) <= n)
            result += bit;
    return result;
}

uint64_t seek_time(const struct seek_model *model, uint64_t from, uint64_t to)
{
    uint64_t tracks = model->sectors / model->track, a = from / model->track, b = to / model->track;
    uint64_t distance = a < b ? b - a : a - b;

    if (distance == 0)
        return 0;
    if (distance > tracks)
        distance = tracks;
    /* The root of a ratio times 2^20 is the root of the ratio times 2^10. */
    return model->settle +
           model->stroke / 1024 * root(distance * (1u << 20) / (tracks ? tracks : 1));
}

/** How far `at` is round its track, in ns of a turn. */
static uint64_t angle(const struct seek_model *model, uint64_t at, uint64_t turn)
{
    return at % model->track * turn / model->track;
}

uint64_t seek_service(const struct seek_model *model, uint64_t now, uint64_t from, uint64_t at,
                      uint32_t sectors)
{
    uint64_t time = seek_time(model, from, at), turn;

    if (model->rpm == 0)
        return time;
    turn = MINUTE / model->rpm;
    time += (turn + angle(model, at, turn) - (now + time) % turn) % turn;
    return time + sectors * turn / model->track;
}
