/* SPDX-License-Identifier: MIT */
/*
 * clock.c: the wall clock: a distance from the monotonic clock, once somebody has set it.
 *
 * Two words, written and read whole: `set` says that `distance` counts, and is written after it.
 * A clock that was stopped at boot is at that distance from zero.
 */
#include "dev/clock.h"

#include <hal/kstate.h>
#include <hal/time.h>

#define NS_PER_SECOND 1000000000u

static KSTATE struct wall_state {
    int64_t distance; /* seconds from power-on's own count to the wall clock's */
    bool set;
    bool stopped;
} wall;

static int64_t seconds_since_power_on(void)
{
    return wall.stopped ? 0 : (int64_t)(hal_time_now() / NS_PER_SECOND);
}

int64_t wall_now(void)
{
    uint64_t board = hal_time_wall();

    if (__atomic_load_n(&wall.set, __ATOMIC_ACQUIRE))
        return __atomic_load_n(&wall.distance, __ATOMIC_RELAXED) + seconds_since_power_on();
    return board != 0 ? (int64_t)(board / NS_PER_SECOND) : seconds_since_power_on();
}

int64_t wall_now_ns(void)
{
    uint64_t board = hal_time_wall(), now = wall.stopped ? 0 : hal_time_now();

    if (__atomic_load_n(&wall.set, __ATOMIC_ACQUIRE))
        return __atomic_load_n(&wall.distance, __ATOMIC_RELAXED) * WALL_NS + (int64_t)now;
    return board != 0 ? (int64_t)board : (int64_t)now;
}

bool wall_known(void)
{
    return __atomic_load_n(&wall.set, __ATOMIC_ACQUIRE) || hal_time_wall() != 0;
}

void wall_set(int64_t seconds)
{
    __atomic_store_n(&wall.distance, seconds - seconds_since_power_on(), __ATOMIC_RELAXED);
    __atomic_store_n(&wall.set, true, __ATOMIC_RELEASE);
}

void wall_stop(int64_t seconds)
{
    wall.stopped = true;
    wall_set(seconds);
}
