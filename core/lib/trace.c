/* SPDX-License-Identifier: MIT */
/*
 * trace.c: a ring of events for each CPU. Only its CPU writes it, masked, so it needs no lock.
 *
 * A ring also knows who runs on its CPU, so that an event can say so without asking the scheduler,
 * which may be what notes it.
 */
#include "lib/trace.h"

#include "lib/string.h"

#include <hal/compiler.h>
#include <hal/cpu.h>
#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/machine.h>

struct trace_ring {
    uint64_t count; /* of all events ever; the newest is at (count - 1) % KTRACE_EVENTS */
    uint8_t depth;  /* of interrupts */
    struct hal_trace_thread running;
    struct hal_trace_event events[KTRACE_EVENTS];
};

static KSTATE struct trace_ring rings[HAL_CPU_MAX];

/* The place of the next event, which the caller fills in and gives to finish. */
static struct hal_trace_event *begin(enum hal_trace_kind kind, uint64_t time, uint64_t a,
                                     uint64_t b)
{
    unsigned cpu = hal_cpu_id();
    struct trace_ring *ring = &rings[cpu];
    struct hal_trace_event *event = &ring->events[ring->count % KTRACE_EVENTS];

    *event = (struct hal_trace_event){.time = time,
                                      .a = a,
                                      .b = b,
                                      .kind = (uint8_t)kind,
                                      .cpu = (uint8_t)cpu,
                                      .depth = ring->depth,
                                      .self = ring->running};
    return event;
}

static void finish(const struct hal_trace_event *event)
{
    rings[event->cpu].count++;
    hal_trace(event);
}

void ktrace_event(enum hal_trace_kind kind, uint64_t time, uint64_t a, uint64_t b)
{
    struct hal_trace_event *event = begin(kind, time, a, b);

    if (kind == HAL_TRACE_INTERRUPT)
        event->depth = ++rings[event->cpu].depth;
    finish(event);
    if (kind == HAL_TRACE_END)
        rings[event->cpu].depth--;
}

void ktrace_thread(enum hal_trace_kind kind, uint64_t time, const struct hal_trace_thread *other,
                   uint64_t b, uint32_t c)
{
    struct hal_trace_event *event = begin(kind, time, other->number, b);

    event->other = *other;
    event->c = c;
    finish(event);
}

void ktrace_named(enum hal_trace_kind kind, uint64_t time, const char *name, uint64_t a, uint64_t b)
{
    struct hal_trace_event *event = begin(kind, time, a, b);

    (void)string_copy(event->other.name, sizeof event->other.name, name);
    finish(event);
}

void ktrace_request(enum hal_trace_kind kind, uint64_t time, uint64_t sector, uint32_t sectors,
                    uint32_t op, int result)
{
    struct hal_trace_event *event = begin(kind, time, sector, sectors);

    event->c = op;
    event->other.number = (uint32_t)-result;
    finish(event);
}

void ktrace_switch(uint64_t time, const struct hal_trace_thread *from, char state,
                   const struct hal_trace_thread *to)
{
    unsigned cpu = hal_cpu_id();
    struct trace_ring *ring = &rings[cpu];
    struct hal_trace_event *event = &ring->events[ring->count % KTRACE_EVENTS];
    struct hal_trace_thread coming = *to;

    HAL_OPAQUE(event);
    /* As begin and finish, but member by member: this is done at every switch. */
    event->time = time;
    event->self = *from;
    event->other = coming;
    event->a = from->number;
    event->b = coming.number;
    event->c = 0;
    event->kind = HAL_TRACE_SWITCH;
    event->cpu = (uint8_t)cpu;
    event->depth = ring->depth;
    event->state = state;
    ring->running = coming;
    ring->count++;
    hal_trace(event);
}

void ktrace_start(const struct hal_trace_thread *self)
{
    rings[hal_cpu_id()].running = *self;
}

int ktrace_read(unsigned cpu, unsigned age, struct hal_trace_event *event)
{
    const struct trace_ring *ring;

    if (cpu >= HAL_CPU_MAX)
        return -ENOENT;
    ring = &rings[cpu];
    if (age >= KTRACE_EVENTS || age >= ring->count)
        return -ENOENT;
    *event = ring->events[(ring->count - 1 - age) % KTRACE_EVENTS];
    return 0;
}

uint64_t ktrace_count(unsigned cpu)
{
    return rings[cpu].count;
}

const char *ktrace_name(enum hal_trace_kind kind)
{
    static const char *const names[HAL_TRACE_KINDS] = {
        [HAL_TRACE_NONE] = "none",
        [HAL_TRACE_SWITCH] = "switch",
        [HAL_TRACE_INTERRUPT] = "interrupt",
        [HAL_TRACE_WAKE] = "wake",
        [HAL_TRACE_FAULT] = "fault",
        [HAL_TRACE_CREATE] = "create",
        [HAL_TRACE_EXIT] = "exit",
        [HAL_TRACE_MOVE] = "move",
        [HAL_TRACE_END] = "end",
        [HAL_TRACE_READY] = "ready",
        [HAL_TRACE_WAIT] = "wait",
        [HAL_TRACE_GOT] = "got",
        [HAL_TRACE_REQUEST] = "request",
        [HAL_TRACE_DONE] = "done",
        [HAL_TRACE_PANIC] = "panic",
    };

    return (unsigned)kind < HAL_TRACE_KINDS ? names[kind] : "unknown";
}
