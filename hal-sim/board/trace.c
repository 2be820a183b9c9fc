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

#include <hal/trace.h>

_Atomic bool sim_trace_wanted;
_Atomic bool sim_trace_heard;

static void mix(uint64_t *hash, uint64_t value)
{
    uint64_t h = (*hash ^ value) * 0xff51afd7ed558ccdull;
    *hash = h ^ h >> 32;
}

/* Hashing costs a few nanoseconds, which buys nothing with the real clock: no two runs agree. */
static void trace_hash(const struct tb_event *event)
{
    mix(&machine.trace, event->time ^ (uint64_t)event->kind << 56 ^ (uint64_t)event->cpu << 52);
    mix(&machine.trace, event->a ^ event->b << 32);
}

/* What happened now. The cpu is that of the calling thread: 0 if it is not the guest's doing. */
static struct tb_event make_event(uint32_t kind, uint64_t a, uint64_t b)
{
    return (struct tb_event){.time = sim_time_now(),
                             .kind = kind,
                             .cpu = sim_cpu_number(sim_cpu_this()),
                             .a = a,
                             .b = b};
}

void sim_trace_event(uint32_t kind, uint64_t a, uint64_t b)
{
    if (machine.real && !sim_trace_wanted)
        return;
    struct tb_event event = make_event(kind, a, b);
    if (!machine.real)
        trace_hash(&event);
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
    bool entered = sim_cpu_entered();
    struct cpu *cpu = sim_cpu_enter();
    struct tb_event event = make_event(kind, a, b);
    if (!machine.real)
        trace_hash(&event);
    if (sim_trace_wanted)
        fiber_call_host(cpu, event_work, &event);
    if (!entered) {
        sim_cpu_leave();
        if (machine.real) /* that somebody listens must not show in a virtual run */
            sim_cpu_point(0);
    }
}

/* ---- what the kernel tells (hal/trace.h) ---- */

struct telling {
    const struct hal_trace_event *event;
};

static long tell_work(void *argument)
{
    const struct telling *telling = argument;
    host_lock(HOST_MACHINE);
    outside_scheduled(telling->event);
    host_unlock(HOST_MACHINE);
    return 0;
}

void hal_trace(const struct hal_trace_event *event)
{
    if (!atomic_load_explicit(&sim_trace_heard, memory_order_relaxed))
        return;
    struct telling telling = {event};
    bool entered = sim_cpu_entered();
    fiber_call_host(sim_cpu_enter(), tell_work, &telling);
    if (!entered)
        sim_cpu_leave(); /* it is masked: the point at which it unmasks looks at what arrived */
}

/* ---- text ---- */

struct written {
    const char *text;
    size_t n;
};

static long write_work(void *argument)
{
    const struct written *written = argument;
    host_lock(HOST_MACHINE);
    outside_text(written->text, written->n);
    host_unlock(HOST_MACHINE);
    return 0;
}

void hal_trace_text(const char *text, size_t n)
{
    struct written written = {text, n};
    bool entered = sim_cpu_entered();
    fiber_call_host(sim_cpu_enter(), write_work, &written);
    if (!entered)
        sim_cpu_leave();
}
