/* SPDX-License-Identifier: MIT */
/*
 * trace.c: `trace`: the last events of all CPUs, as the text of ftrace.
 *
 * The rings of events go round quickly, and printing turns them: so all other CPUs stand still for
 * the microseconds in which the wanted events are copied, and printing comes afterwards.
 */
#include "heap/heap.h"
#include "lib/trace.h"
#include "shell/commands/command.h"
#include "thread/cpu.h"
#include "thread/thread.h"
#include "tty/tty.h"

#include <hal/inspect.h>
#include <hal/machine.h>

#define USUAL 40u
#define MOST (HAL_CPU_MAX * KTRACE_EVENTS)

struct collection {
    unsigned wanted, count;          /* of events */
    uint64_t ever;                   /* on all CPUs since power-on */
    struct hal_trace_event events[]; /* newest first */
};

/* The CPU whose event number `age[cpu]` is the newest; HAL_CPU_MAX: there are no more. */
static unsigned newest(const unsigned age[HAL_CPU_MAX], struct hal_trace_event *event)
{
    struct hal_trace_event other;
    unsigned found = HAL_CPU_MAX;

    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++) {
        if (ktrace_read(cpu, age[cpu], &other) != 0)
            continue;
        if (found == HAL_CPU_MAX || other.time > event->time) {
            found = cpu;
            *event = other;
        }
    }
    return found;
}

static void collect(struct collection *collection)
{
    unsigned age[HAL_CPU_MAX] = {0}, cpu;
    hal_irq_state_t state = hal_irq_save();
    bool stopped = cpu_stop_others();

    for (cpu = 0; cpu < HAL_CPU_MAX; cpu++)
        collection->ever += ktrace_count(cpu);
    while (collection->count < collection->wanted &&
           (cpu = newest(age, &collection->events[collection->count])) < HAL_CPU_MAX) {
        age[cpu]++;
        collection->count++;
    }
    if (stopped)
        cpu_resume_others();
    hal_irq_restore(state);
}

static void print(const struct collection *collection)
{
    char text[256];

    tty_print("# tracer: nop\n#\n# entries-in-buffer/entries-written: %u/%llu   #P:%u\n#\n",
              collection->count, (unsigned long long)collection->ever, cpu_count_online());
    tty_print("#           TASK-PID     CPU#  ||||   TIMESTAMP  FUNCTION\n");
    for (unsigned i = collection->count; i-- > 0 && !thread_cancelled();) {
        (void)hal_inspect_trace_text(&collection->events[i], text, sizeof text);
        tty_print("%s\n", text);
    }
}

void command_trace(struct job *job)
{
    struct collection *collection;
    uint64_t count = USUAL;

    if (job->args.count > 2)
        command_usage(job, "trace takes one number");
    if (job->args.count > 2 ||
        (job->args.count == 2 && !command_number(job, job->args.words[1], MOST, &count)))
        return;
    collection = kmalloc(sizeof *collection + (size_t)count * sizeof collection->events[0]);
    if (!collection) {
        command_error("out of memory: %u events need %u KiB", (unsigned)count,
                      (unsigned)(count * sizeof collection->events[0] / 1024));
        return;
    }
    collection->wanted = (unsigned)count;
    collection->count = 0;
    collection->ever = 0;
    collect(collection);
    print(collection);
    kfree(collection);
}
