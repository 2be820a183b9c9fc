/* SPDX-License-Identifier: MIT */
/*
 * trace.c: what happened, as a hash and as a stream of events.
 *
 * Nothing in an event depends on an address of the host or, with the virtual clock, on its time; so
 * equal hashes mean equal runs, in every build.
 */
#include "board/machine.h"

#include "host/host.h"
#include "tayberry.h"

_Atomic bool sim_trace_wanted;

static void mix(uint64_t *hash, uint64_t value)
{
    uint64_t h = (*hash ^ value) * 0xff51afd7ed558ccdull;
    *hash = h ^ h >> 32;
}

/* Hashing costs a few nanoseconds, which buys nothing with the real clock: no two runs agree. */
static void trace_hash(uint64_t now, uint32_t kind, uint64_t a, uint64_t b)
{
    mix(&machine.trace, now ^ (uint64_t)kind << 56);
    mix(&machine.trace, a ^ b << 32);
}

void sim_trace_event(uint32_t kind, uint64_t a, uint64_t b)
{
    if (machine.real && !sim_trace_wanted)
        return;
    struct tb_event event = {.time = sim_time_now(), .kind = kind, .a = a, .b = b};
    if (!machine.real)
        trace_hash(event.time, kind, a, b);
    if (sim_trace_wanted)
        outside_event(&event);
}

static long event_work(void *argument)
{
    host_lock(HOST_MACHINE);
    outside_event(argument);
    host_unlock(HOST_MACHINE);
    return 0;
}

void sim_trace_guest_event(uint32_t kind, uint64_t a, uint64_t b)
{
    struct cpu *cpu = sim_cpu_this();
    if (!machine.real)
        trace_hash(sim_time_now(), kind, a, b);
    if (!sim_trace_wanted)
        return;
    bool entered = cpu->in_host;
    struct tb_event event = {.time = 0, .kind = kind, .a = a, .b = b};
    sim_cpu_enter(cpu);
    event.time = sim_time_now();
    fiber_call_host(cpu, event_work, &event);
    if (!entered) {
        sim_cpu_leave(cpu);
        if (machine.real) /* that somebody listens must not show in a virtual run */
            sim_cpu_point(0);
    }
}
