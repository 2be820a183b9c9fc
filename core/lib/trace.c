/* SPDX-License-Identifier: MIT */
/*
 * trace.c: a ring of events for each CPU. Only its CPU writes it, masked, so it needs no lock.
 */
#include "lib/trace.h"

#include <hal/cpu.h>
#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/machine.h>

#define TRACE_EVENTS 64u

struct trace_ring {
    uint64_t count; /* of all events ever; the newest is at (count - 1) % TRACE_EVENTS */
    struct ktrace_record records[TRACE_EVENTS];
};

static KSTATE struct trace_ring rings[HAL_CPU_MAX];

void ktrace_event(enum trace_kind kind, uint64_t time, uint64_t a, uint64_t b)
{
    struct trace_ring *ring = &rings[hal_cpu_id()];

    ring->records[ring->count % TRACE_EVENTS] =
        (struct ktrace_record){.time = time, .a = a, .b = b, .kind = kind};
    ring->count++;
}

int ktrace_read(unsigned cpu, unsigned age, struct ktrace_record *record)
{
    const struct trace_ring *ring;

    if (cpu >= HAL_CPU_MAX)
        return -ENOENT;
    ring = &rings[cpu];
    if (age >= TRACE_EVENTS || age >= ring->count)
        return -ENOENT;
    *record = ring->records[(ring->count - 1 - age) % TRACE_EVENTS];
    return 0;
}

const char *ktrace_name(enum trace_kind kind)
{
    static const char *const names[] = {
        [TRACE_NONE] = "none", [TRACE_SWITCH] = "switch", [TRACE_INTERRUPT] = "interrupt",
        [TRACE_WAKE] = "wake", [TRACE_FAULT] = "fault",   [TRACE_CREATE] = "create",
        [TRACE_EXIT] = "exit", [TRACE_MOVE] = "move",
    };

    return (unsigned)kind < sizeof names / sizeof names[0] ? names[kind] : "unknown";
}
