/* SPDX-License-Identifier: MIT */
/*
 * hang.c: who is where and waits for what, in words, for somebody who looks at a kernel from
 * outside because it does not come on:
 *
 *     CPU 0: thread 7 (poller), since 0.003210 s
 *       holds spinlock queue.lock (core/x/y.c:10), since core/x/y.c:44
 *     thread 3 (init) on CPU 0 waits at core/a.c:12 for mutex a.lock (core/a.c:5)
 *       which thread 6 (player) holds, since core/a.c:33
 *     thread 6 (player) on CPU 1 sleeps until 4.500000 s, at core/b.c:20
 *
 * Asked while the kernel stands still, maybe in the middle of something: takes no lock, calls
 * nothing of the HAL, and follows each list for so many steps only.
 */
#include "lib/report.h"
#include "sync/check/held.h"
#include "sync/check/waits.h"
#include "sync/spinlock.h"
#include "thread/cpu.h"
#include "thread/thread.h"

#include <hal/inspect.h>
#include <hal/time.h>

#define THREADS_MAX 4096u

static void say_thread(struct report *report, const char *before, const struct thread *thread)
{
    report_add(report, "%sthread %u (%.*s)", before, thread->id, THREAD_NAME_MAX, thread->name);
}

static void say_time(struct report *report, const char *before, uint64_t ns)
{
    report_add(report, "%s%llu.%06llu s", before, (unsigned long long)ns / 1000000000,
               (unsigned long long)ns / 1000 % 1000000);
}

static void say_site(struct report *report, const char *before, const struct lock_site *site)
{
    char where[64];

    if (!site)
        return;
    lock_site_text(site, where, sizeof where);
    report_add(report, "%s%s", before, where);
}

/* ---- CPUs ---- */

static void say_cpu(struct report *report, const struct cpu *cpu)
{
    char text[200];

    report_add(report, "CPU %u: ", cpu->id);
    if (cpu->current->idle) {
        report_add(report, "idle");
    } else {
        say_thread(report, "", cpu->current);
        say_time(report, ", since ", cpu->current->run_since);
    }
    report_add(report, "%s, %u ready\n", cpu->interrupts ? ", in an interrupt" : "",
               cpu->queue.ready);
    for (unsigned i = 0; spinlock_text_of(cpu->id, i, text, sizeof text); i++)
        if (text[0])
            report_add(report, "  %s\n", text);
}

/* ---- threads ---- */

/* Who is in the way of `wait`: the holders of a lock, or the thread that is to end. */
static void say_obstacles(struct report *report, const struct lock_wait *wait)
{
    const struct lock_hold *hold = NULL;

    if (wait->what == WAIT_FOR_END) {
        say_thread(report, " for the end of ", wait->object);
        report_add(report, "\n");
        return;
    }
    report_add(report, "\n");
    for (unsigned i = 0; i < HELD_MAX && (hold = held_next(wait->object, hold)); i++) {
        say_thread(report, "  which ", hold->thread);
        say_site(report, " holds, since ", hold->site);
        report_add(report, "\n");
    }
}

static void say_wait(struct report *report, const struct lock_wait *wait)
{
    char name[96];

    say_site(report, " waits at ", wait->site);
    if (wait->what != WAIT_FOR_END) {
        lock_class_text(wait->class, name, sizeof name);
        report_add(report, " for %s%s%s", name,
                   wait->what == WAIT_FOR_READ    ? ", to read"
                   : wait->what == WAIT_FOR_WRITE ? ", to write"
                                                  : "",
                   wait->over ? ", and has it" : "");
    }
    say_obstacles(report, wait);
}

static void say_sleep(struct report *report, const struct thread *thread)
{
    if (thread->deadline == HAL_TIME_NEVER)
        report_add(report, " sleeps until it is woken");
    else
        say_time(report, " sleeps until ", thread->deadline);
    say_site(report, ", at ", thread->sleeps_at);
    report_add(report, "\n");
}

/* The threads that run are told of with their CPUs. */
static void say_other(struct report *report, const struct thread *thread)
{
    if (thread->idle || thread->state == THREAD_RUNNING)
        return;
    say_thread(report, "", thread);
    report_add(report, " on CPU %u", thread->cpu);
    if (thread->state == THREAD_SLEEPING && thread->wait)
        say_wait(report, thread->wait);
    else if (thread->state == THREAD_SLEEPING)
        say_sleep(report, thread);
    else
        report_add(report, thread->state == THREAD_READY ? " is ready\n" : " has ended\n");
}

size_t hal_inspect_hang(char *text, size_t bytes)
{
    struct report report = {.text = text, .size = bytes};
    const struct thread *thread = NULL;

    if (bytes)
        text[0] = '\0';
    for (unsigned id = 0; id < HAL_CPU_MAX; id++)
        if (cpu_at(id)->current)
            say_cpu(&report, cpu_at(id));
    for (unsigned i = 0; i < THREADS_MAX && (thread = thread_peek(thread)); i++)
        say_other(&report, thread);
    return report.length;
}
