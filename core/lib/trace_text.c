/* SPDX-License-Identifier: MIT */
/*
 * trace_text.c: an event as a line of ftrace's text, which trace viewers read.
 *
 *     TASK-PID    CPU#  FLAGS   TIMESTAMP     EVENT: FIELDS
 *     shell-5     [000] d... 0.010123456: sched_switch: prev_comm=shell prev_pid=5 ...
 *
 * The flags are four characters: d (interrupts are masked, as always when an event is noted), a dot
 * (whether another thread should run is not said), h inside an interrupt, and a dot. Names are made
 * such that a reader which cuts lines at spaces and equals signs is not misled. The idle threads
 * are number 0, as they are there. Priorities are those of Linux: 120 and the nice level, or below
 * 100 for a thread that was given a priority.
 *
 * Events that Linux has no like of are told as marks. Addresses are left out: they would differ
 * from run to run.
 */
#include "lib/format.h"
#include "lib/trace.h"

#include <hal/block.h>
#include <hal/inspect.h>
#include <hal/irq.h>

#define PRIORITY_NORMAL 16 /* of sched/policy.h: the middle of the levels */
#define PRIO_NORMAL 120
#define CARD "179,0" /* the device number that Linux gives an SD card */

/* Text that may be cut; `length` goes on counting. */
struct line {
    char *text;
    size_t size, length;
};

static void put(struct line *line, const char *format, ...) HAL_FORMAT(2, 3);

static void put(struct line *line, const char *format, ...)
{
    size_t at = line->length < line->size ? line->length : line->size;
    va_list args;

    va_start(args, format);
    line->length += format_text_va(line->text + at, line->size - at, format, args);
    va_end(args);
}

/* A name without what would mislead a reader, for `size` > 0. */
static const char *clean(const char *name, char *text, size_t size)
{
    size_t i = 0;

    for (; name[i] && i + 1 < size; i++)
        text[i] = name[i] > ' ' && name[i] < 0x7f && name[i] != '=' ? name[i] : '_';
    text[i] = '\0';
    return i ? text : "<...>";
}

static unsigned pid(const struct hal_trace_thread *thread)
{
    return thread->idle ? 0 : thread->number;
}

static int prio(const struct hal_trace_thread *thread)
{
    return thread->idle || thread->priority == PRIORITY_NORMAL ? PRIO_NORMAL + thread->nice
                                                               : thread->priority;
}

/* "prev_comm=shell prev_pid=5 prev_prio=120", with `prefix` before each; idle threads are called
 * what they are called on Linux. */
static void put_thread(struct line *line, const char *prefix, const struct hal_trace_thread *thread,
                       unsigned cpu)
{
    char name[HAL_TRACE_NAME];

    if (thread->idle)
        put(line, "%scomm=swapper/%u", prefix, cpu);
    else
        put(line, "%scomm=%s", prefix, clean(thread->name, name, sizeof name));
    put(line, " %spid=%u %sprio=%d", prefix, pid(thread), prefix, prio(thread));
}

static void put_head(struct line *line, const struct hal_trace_event *event)
{
    char name[HAL_TRACE_NAME];
    const char *task = event->self.idle ? "<idle>" : clean(event->self.name, name, sizeof name);

    put(line, "%16s-%-7u [%03u] d.%c. %5llu.%09llu: ", task, pid(&event->self), event->cpu,
        event->depth ? 'h' : '.', (unsigned long long)(event->time / 1000000000),
        (unsigned long long)(event->time % 1000000000));
}

static void put_switch(struct line *line, const struct hal_trace_event *event)
{
    put(line, "sched_switch: ");
    put_thread(line, "prev_", &event->self, event->cpu);
    put(line, " prev_state=%s ==> ",
        event->state == 'r' ? "R+" : (const char[2]){event->state, '\0'});
    put_thread(line, "next_", &event->other, event->cpu);
}

static void put_interrupt(struct line *line, const struct hal_trace_event *event)
{
    static const char *const names[HAL_IRQ_LINES] = {
        [HAL_IRQ_TIMER] = "timer", [HAL_IRQ_UART] = "uart",       [HAL_IRQ_BLOCK] = "block",
        [HAL_IRQ_GPIO] = "gpio",   [HAL_IRQ_DISPLAY] = "display", [HAL_IRQ_IPI] = "ipi",
    };

    if (event->kind == HAL_TRACE_END)
        put(line, "irq_handler_exit: irq=%u ret=handled", (unsigned)event->a);
    else
        put(line, "irq_handler_entry: irq=%u name=%s", (unsigned)event->a,
            event->a < HAL_IRQ_LINES ? names[event->a] : "?");
}

static void put_about(struct line *line, const struct hal_trace_event *event)
{
    switch (event->kind) {
    case HAL_TRACE_WAKE:
        put(line, "sched_waking: ");
        put_thread(line, "", &event->other, event->cpu);
        break;
    case HAL_TRACE_READY:
        put(line, event->c ? "sched_wakeup_new: " : "sched_wakeup: ");
        put_thread(line, "", &event->other, event->cpu);
        put(line, " target_cpu=%03u", (unsigned)event->b);
        break;
    case HAL_TRACE_MOVE:
        put(line, "sched_migrate_task: ");
        put_thread(line, "", &event->other, event->cpu);
        put(line, " orig_cpu=%u dest_cpu=%u", event->c, (unsigned)event->b);
        break;
    default:
        put(line, "sched_process_exit: ");
        put_thread(line, "", &event->self, event->cpu);
        break;
    }
}

static void put_create(struct line *line, const struct hal_trace_event *event)
{
    char name[HAL_TRACE_NAME];

    put(line, "sched_process_fork: comm=%s pid=%u",
        event->self.idle ? "swapper" : clean(event->self.name, name, sizeof name),
        pid(&event->self));
    put(line, " child_comm=%s child_pid=%u", clean(event->other.name, name, sizeof name),
        event->other.number);
}

static void put_wait(struct line *line, const struct hal_trace_event *event)
{
    static const char *const flags[] = {"MUTEX", "READ", "WRITE", "THREAD"};
    char name[HAL_TRACE_NAME];

    put(line, "contention_%s: ", event->kind == HAL_TRACE_WAIT ? "begin" : "end");
    put(line, "lock=%s class=%u flags=%s", clean(event->other.name, name, sizeof name),
        (unsigned)event->a, event->b < 4 ? flags[event->b] : "?");
}

static void put_request(struct line *line, const struct hal_trace_event *event)
{
    char name[HAL_TRACE_NAME];
    char op = event->c == HAL_BLOCK_READ ? 'R' : event->c == HAL_BLOCK_WRITE ? 'W' : 'F';
    unsigned long long sector = event->a, sectors = event->b;

    if (event->kind == HAL_TRACE_DONE)
        put(line, "block_rq_complete: " CARD " %c () %llu + %llu [%d]", op, sector, sectors,
            -(int)event->other.number);
    else
        put(line, "block_rq_issue: " CARD " %c %llu () %llu + %llu [%s]", op,
            sectors * HAL_SECTOR_SIZE, sector, sectors,
            event->self.idle ? "swapper" : clean(event->self.name, name, sizeof name));
}

static void put_event(struct line *line, const struct hal_trace_event *event)
{
    static void (*const writers[HAL_TRACE_KINDS])(struct line *, const struct hal_trace_event *) = {
        [HAL_TRACE_SWITCH] = put_switch,   [HAL_TRACE_INTERRUPT] = put_interrupt,
        [HAL_TRACE_END] = put_interrupt,   [HAL_TRACE_WAKE] = put_about,
        [HAL_TRACE_READY] = put_about,     [HAL_TRACE_MOVE] = put_about,
        [HAL_TRACE_EXIT] = put_about,      [HAL_TRACE_CREATE] = put_create,
        [HAL_TRACE_WAIT] = put_wait,       [HAL_TRACE_GOT] = put_wait,
        [HAL_TRACE_REQUEST] = put_request, [HAL_TRACE_DONE] = put_request,
    };

    if (event->kind < HAL_TRACE_KINDS && writers[event->kind])
        writers[event->kind](line, event);
    else
        put(line, "tracing_mark_write: %s", ktrace_name((enum hal_trace_kind)event->kind));
}

size_t hal_inspect_trace_text(const struct hal_trace_event *event, char *text, size_t bytes)
{
    struct line line = {.text = text, .size = bytes};

    put_head(&line, event);
    put_event(&line, event);
    return line.length;
}
