/* SPDX-License-Identifier: MIT */
/*
 * state.c: sched: what the CPUs do, by which policy; and changing that.
 */
#include "heap/heap.h"
#include "lib/string.h"
#include "sched/sched.h"
#include "shell/commands/command.h"
#include "sync/mutex.h"
#include "thread/thread.h"
#include "tty/tty.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/machine.h>
#include <hal/time.h>

#define QUANTUM_MIN 100000u      /* 100 us */
#define QUANTUM_MAX 10000000000u /* 10 s */
#define NAMES_TEXT 160u

static KSTATE struct state_seen {
    uint64_t when; /* the last sched; 0: none */
    uint64_t idle[HAL_CPU_MAX];
} seen; /* two at the same time print odd loads, and harm nothing */

/* Tenths of a percent in which the CPU was busy since the last look. */
static unsigned load_since(unsigned cpu, uint64_t idle, uint64_t now)
{
    uint64_t last = __atomic_load_n(&seen.idle[cpu], __ATOMIC_RELAXED);
    uint64_t span = (now - __atomic_load_n(&seen.when, __ATOMIC_RELAXED)) / 1000;
    uint64_t idled = idle > last ? (idle - last) / 1000 : 0;

    __atomic_store_n(&seen.idle[cpu], idle, __ATOMIC_RELAXED);
    return span == 0 || idled >= span ? 0 : (unsigned)((span - idled) * 1000 / span);
}

static void print_cpu(unsigned cpu, uint64_t now)
{
    struct sched_cpu_info info;
    struct thread_info thread;
    unsigned load;

    scheduler_read_cpu(cpu, &info);
    if (!info.online)
        return;
    if (thread_read_info(info.running, &thread) != 0 || thread.id != info.running)
        thread.name[0] = '\0'; /* it has ended meanwhile */
    load = load_since(cpu, info.idle, now);
    tty_print("%3u %4u.%u %% %6u %10llu %8llu %8llu  %4u %s\n", cpu, load / 10, load % 10,
              info.ready, (unsigned long long)info.switches, (unsigned long long)info.arrivals,
              (unsigned long long)info.steals, info.running, thread.name);
}

static void print_state(void)
{
    uint64_t now = hal_time_now(), quantum = thread_quantum();

    tty_print("policy %s, quantum ", scheduler_policy_name());
    if (quantum == 0)
        tty_print("as the policy likes\n");
    else
        tty_print("%llu us\n", (unsigned long long)quantum / 1000);
    tty_print("CPU    LOAD  READY   SWITCHES  ARRIVED   STOLEN  RUNNING\n");
    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++)
        print_cpu(cpu, now);
    __atomic_store_n(&seen.when, now, __ATOMIC_RELAXED);
}

static void change_policy(const struct job *job, const char *name)
{
    char names[NAMES_TEXT];

    if (scheduler_set_policy(name) == 0)
        return;
    scheduler_list_policies(names, sizeof(names));
    command_usage(job, "%s is no policy; there are: %s", name, names);
}

static void change_quantum(const struct job *job, const char *text)
{
    uint64_t ns;

    if (!command_duration(job, text, &ns))
        return;
    if (ns != 0 && (ns < QUANTUM_MIN || ns > QUANTUM_MAX))
        command_usage(job, "%s is not a time from 100us to 10s", text);
    else
        thread_set_quantum(ns);
}

void command_sched_state(struct job *job)
{
    char *const *words = job->args.words;

    if (job->args.count == 1)
        print_state();
    else if (job->args.count == 2)
        change_policy(job, words[1]);
    else if (job->args.count == 3 && string_equal(words[1], "quantum"))
        change_quantum(job, words[2]);
    else
        command_usage(job, "sched needs a policy, or quantum and a time");
}
