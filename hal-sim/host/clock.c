/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

/*
 * clock.c: the host's clocks and its entropy.
 *
 * The kernel asks for the time at every switch of threads, and the host's answer takes longer than
 * the switch. The processor's cycle counter takes a third of that; where the host keeps its own
 * time by it ("tsc" in sysfs: then it runs evenly, and alike on all cores), so do we. Its readings
 * become ns by a line, which is drawn anew every few ms so that it leads to where the host's clock
 * will be:
 *
 *     ns                     . B: begins where A ended,      A line is good for `ticks` ticks and
 *      |                . '      and has made good by its    stands still after its end, so time
 *      |     A     . '           end what A was wrong        never goes back: not between lines,
 *      |      . '                                            and not between threads.
 *      |  . '
 *      +---------+----------+---- ticks
 *
 * Lines lie in two places in turn. Who draws one writes to the place that is not in use and then
 * says that it is; nobody ever waits for that, also not a signal handler that interrupts it.
 */
#include "host/host.h"

#include "board/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define FIRST_LINE_NS 100000u /* each is twice as long as the one before, up to */
#define LONGEST_LINE_NS 4000000u
#define FIRST_LOOK_NS 10000u

static uint64_t read_clock(clockid_t clock)
{
    struct timespec at = {0, 0};
    (void)clock_gettime(clock, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static uint64_t host_clock(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

struct line {
    _Atomic uint64_t tick, ns; /* where it begins */
    _Atomic uint64_t slope;    /* ns a tick, in 1 / 2^32 */
    _Atomic uint64_t ticks;    /* how long it is */
};

static struct {
    struct line lines[2];
    _Atomic uint32_t count; /* of lines ever drawn; the last is in use. 0: none */
    _Atomic bool drawing;   /* somebody draws one */
    _Atomic int unusable;   /* 0: nobody has looked yet; 1: the counter is no clock; -1: it is */
    uint64_t tick, clock;   /* both, as they were when the last line was drawn */
    uint64_t length;        /* of the last line, in ns */
} fast;

/* The counter and the host's clock at one moment, as well as that can be had. */
static void read_both(uint64_t *tick, uint64_t *clock)
{
    uint64_t best = UINT64_MAX;
    for (unsigned i = 0; i < 3; i++) {
        uint64_t before = __rdtsc(), at = host_clock(), after = __rdtsc();
        if (after - before < best) {
            best = after - before;
            *tick = before + best / 2;
            *clock = at;
        }
    }
}

static void publish(uint64_t tick, uint64_t ns, uint64_t slope, uint64_t ticks)
{
    uint32_t count = atomic_load_explicit(&fast.count, memory_order_relaxed) + 1;
    struct line *line = &fast.lines[count & 1];
    atomic_store_explicit(&line->tick, tick, memory_order_relaxed);
    atomic_store_explicit(&line->ns, ns, memory_order_relaxed);
    atomic_store_explicit(&line->slope, slope, memory_order_relaxed);
    atomic_store_explicit(&line->ticks, ticks, memory_order_relaxed);
    atomic_store_explicit(&fast.count, count, memory_order_release);
}

/* Draws the line after one that ended at `end`: from there, or from the host's clock if that is
 * later, to where the host's clock will be. */
static __attribute__((noinline, cold)) void draw(uint64_t end)
{
    uint64_t tick = 0, clock = 0, ns, rate, ticks, aim;
    read_both(&tick, &clock);
    if (tick <= fast.tick || clock <= fast.clock)
        return;
    rate = (uint64_t)(((__uint128_t)(clock - fast.clock) << 32) / (tick - fast.tick));
    fast.length = fast.length * 2 < LONGEST_LINE_NS ? fast.length * 2 : LONGEST_LINE_NS;
    ticks = (uint64_t)(((__uint128_t)fast.length << 32) / (rate ? rate : 1));
    ns = end > clock ? end : clock;
    aim = clock + fast.length;
    fast.tick = tick;
    fast.clock = clock;
    if (ns > aim - fast.length / 2) /* far ahead: go on at half the speed until that is over */
        publish(tick, ns, rate / 2, ticks);
    else
        publish(tick, ns, (uint64_t)(((__uint128_t)(aim - ns) << 32) / (ticks ? ticks : 1)), ticks);
}

/* Whether the host itself keeps time by the counter. */
static bool counter_is_clock(void)
{
    char name[16] = "";
    int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
                  O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool is = read(fd, name, sizeof name - 1) > 0 && strcmp(name, "tsc\n") == 0;
    (void)close(fd);
    return is;
}

/* Before the first line: whether there will be any. Returns the time. */
static __attribute__((noinline, cold)) uint64_t begin(void)
{
    uint64_t now = host_clock();
    if (atomic_load(&fast.unusable) > 0 || atomic_exchange(&fast.drawing, true))
        return now;
    atomic_store(&fast.unusable, counter_is_clock() ? -1 : 1);
    if (atomic_load(&fast.unusable) < 0) {
        read_both(&fast.tick, &fast.clock);
        fast.length = FIRST_LINE_NS / 2;
        while ((now = host_clock()) < fast.clock + FIRST_LOOK_NS)
            continue;
        draw(0);
    }
    atomic_store(&fast.drawing, false);
    return now;
}

/* With several CPUs not before what the program did before: one may have learnt from another that
 * it is later already. */
static uint64_t counter_now(void)
{
    if (machine.cpu_count > 1)
        _mm_lfence();
    return __rdtsc();
}

/* What the line in use says; false: it is over, or being changed, or there is none. *ns: the time,
 * or when it ended. */
static inline bool read_line(uint32_t count, uint64_t *ns)
{
    struct line *line = &fast.lines[count & 1];
    uint64_t start = atomic_load_explicit(&line->tick, memory_order_acquire);
    uint64_t begins = atomic_load_explicit(&line->ns, memory_order_acquire);
    uint64_t slope = atomic_load_explicit(&line->slope, memory_order_acquire);
    uint64_t ticks = atomic_load_explicit(&line->ticks, memory_order_acquire);
    if (atomic_load_explicit(&fast.count, memory_order_relaxed) != count)
        return false;
    uint64_t passed = counter_now() - start;
    bool over = passed >= ticks;
    if ((int64_t)passed < 0) { /* another core's counter, a few ticks behind */
        passed = 0;
        over = false;
    }
    *ns = begins + (uint64_t)(((__uint128_t)(over ? ticks : passed) * slope) >> 32);
    return !over;
}

/* A new line has to be drawn, or is being drawn by somebody. */
static __attribute__((noinline, cold)) uint64_t draw_and_read(void)
{
    for (;;) {
        uint32_t count = atomic_load_explicit(&fast.count, memory_order_acquire);
        uint64_t ns = 0;
        if (count == 0)
            return begin();
        if (read_line(count, &ns))
            return ns;
        if (atomic_load(&fast.count) != count)
            continue;
        if (!atomic_exchange(&fast.drawing, true)) {
            if (atomic_load(&fast.count) == count)
                draw(ns);
            atomic_store(&fast.drawing, false);
        } else if (atomic_load(&fast.count) == count) {
            return ns; /* nobody has seen a later time yet */
        }
    }
}

uint64_t host_now_quickly(void)
{
    uint32_t count = atomic_load_explicit(&fast.count, memory_order_acquire);
    uint64_t ns;
    return count != 0 && read_line(count, &ns) ? ns : 0;
}

uint64_t host_now(void)
{
    uint64_t ns = host_now_quickly();
    return ns ? ns : draw_and_read();
}

uint64_t host_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

int host_entropy(void *bytes, size_t n)
{
    uint8_t *at = bytes;
    while (n) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -EIO;
        at += got;
        n -= (size_t)got;
    }
    return 0;
}
