/* SPDX-License-Identifier: MIT */
/*
 * ftrace.c: the text of Linux's ftrace, as in /sys/kernel/tracing/trace.
 *
 * The kernel words the lines (hal_inspect_trace_text); here is the head of the file, by which
 * readers know what it is. How many entries there are is known at the end only; it is filled in
 * where the file can be gone back in.
 */
#include "lib/trace/recorder.h"

#include <inttypes.h>

static long count_at; /* where the number of entries belongs, or -1 */
static unsigned cpu_count;

static void put_count(FILE *file, uint64_t events)
{
    char text[64];
    snprintf(text, sizeof text, "%" PRIu64 "/%" PRIu64, events, events);
    fprintf(file, "# entries-in-buffer/entries-written: %-24s #P:%u\n", text, cpu_count);
}

static void begin(FILE *file, unsigned cpus)
{
    cpu_count = cpus;
    fputs("# tracer: nop\n#\n", file);
    count_at = ftell(file);
    if (count_at >= 0)
        put_count(file, 0);
    fputs("#\n"
          "#                                _-----=> irqs-off\n"
          "#                               / _----=> need-resched\n"
          "#                              | / _---=> hardirq/softirq\n"
          "#                              || / _--=> preempt-depth\n"
          "#                              ||| /     delay\n"
          "#           TASK-PID     CPU#  ||||   TIMESTAMP  FUNCTION\n"
          "#              | |         |   ||||      |         |\n",
          file);
}

static void event(FILE *file, const struct tb_sched_event *event)
{
    char text[512];
    if (event->kind == TB_SCHED_POWER)
        fprintf(file, "%16s-%-7u [000] d... %5" PRIu64 ".%09" PRIu64 ": tracing_mark_write: %s\n",
                "<idle>", 0, event->time / 1000000000, event->time % 1000000000,
                event->a ? "restored" : "power on");
    else if (tb_sched_text(event, text, sizeof text) > 0)
        fprintf(file, "%s\n", text);
}

static bool end(FILE *file, uint64_t events, uint64_t last)
{
    (void)last;
    if (count_at >= 0 && fseek(file, count_at, SEEK_SET) == 0)
        put_count(file, events);
    return true;
}

const struct trace_format trace_ftrace = {begin, event, end};
