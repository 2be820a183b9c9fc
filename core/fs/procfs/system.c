/* SPDX-License-Identifier: MIT */
/*
 * system.c: cmdline, cpuinfo, loadavg, stat, uptime, version, sys/kernel.
 *
 * Time on the CPUs is told in hundredths of a second, as Linux does: what is not idle is the user's
 * while programs run their own code, and else the system's.
 */
#include "abi/abi.h"
#include "boot/boot.h"
#include "boot/cmdline.h"
#include "dev/clock.h"
#include "fs/procfs/procfs.h"
#include "lib/format.h"
#include "proc/process.h"
#include "sched/sched.h"
#include "sync/spinlock.h"
#include "sys/machine/name.h"
#include "thread/thread.h"

#include <hal/board.h>
#include <hal/kstate.h>
#include <hal/time.h>

#define NS_PER_SECOND 1000000000u
#define NS_PER_TICK (NS_PER_SECOND / 100)

int proc_say_cmdline(struct report *report)
{
    report_add(report, "%s\n", cmdline_text());
    return 0;
}

int proc_say_version(struct report *report)
{
    report_add(report, "Tayberry version " BOOT_VERSION " (%s)\n", hal_board_name());
    return 0;
}

/* ---- how programs see the system ---- */

int proc_say_hostname(struct report *report)
{
    char name[HOST_NAME_MAX + 1];

    host_name_read(name);
    report_add(report, "%s\n", name);
    return 0;
}

int proc_say_osrelease(struct report *report)
{
    report_add(report, "%s\n", HOST_RELEASE);
    return 0;
}

int proc_say_ostype(struct report *report)
{
    report_add(report, "%s\n", HOST_SYSTEM);
    return 0;
}

int proc_say_pid_max(struct report *report)
{
    report_add(report, "%u\n", PROCESS_NUMBER_MAX + 1);
    return 0;
}

int proc_say_cpuinfo(struct report *report)
{
    struct sched_cpu_info info;

    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++) {
        scheduler_read_cpu(cpu, &info);
        if (info.online)
            report_add(report, "processor\t: %u\nmodel name\t: %s\n\n", cpu, abi_platform);
    }
    report_add(report, "Model\t\t: %s\n", hal_board_name());
    return 0;
}

/* What the CPUs that are in use did together. */
struct cpu_totals {
    unsigned online;
    uint64_t idle, switches;
};

static void read_totals(struct cpu_totals *totals)
{
    struct sched_cpu_info info;

    *totals = (struct cpu_totals){0};
    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++) {
        scheduler_read_cpu(cpu, &info);
        if (!info.online)
            continue;
        totals->online++;
        totals->idle += info.idle;
        totals->switches += info.switches;
    }
}

int proc_say_uptime(struct report *report)
{
    uint64_t now = hal_time_now();
    struct cpu_totals totals;

    read_totals(&totals);
    report_add(report, "%llu.%02llu %llu.%02llu\n", (unsigned long long)(now / NS_PER_SECOND),
               (unsigned long long)(now / NS_PER_TICK % 100),
               (unsigned long long)(totals.idle / NS_PER_SECOND),
               (unsigned long long)(totals.idle / NS_PER_TICK % 100));
    return 0;
}

/* Of a CPU or all of them: what it was busy, and of that with user code. */
static void say_cpu(struct report *report, const char *name, uint64_t busy, uint64_t user,
                    uint64_t idle)
{
    report_add(report, "%s %llu 0 %llu %llu 0 0 0 0 0 0\n", name, (unsigned long long)user,
               (unsigned long long)(busy - user), (unsigned long long)(idle / NS_PER_TICK));
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

/* Threads without those of idle CPUs, those of them that run or could, and the last one's number.
 */
struct thread_totals {
    unsigned all, runnable;
    uint32_t last;
};

static void count_threads(struct thread_totals *threads)
{
    struct thread_info info;

    *threads = (struct thread_totals){0};
    for (uint32_t id = 0; thread_read_info(id, &info) == 0; id = info.id + 1) {
        threads->all += !info.idle;
        threads->runnable +=
            !info.idle && (info.state == THREAD_RUNNING || info.state == THREAD_READY);
        threads->last = info.id;
    }
}

/* Nobody counts on which CPU user code ran: each has its share of it by how busy it was. */
static void say_cpus(struct report *report, uint64_t now, const struct cpu_totals *totals)
{
    uint64_t busy = less(totals->online * now, totals->idle) / NS_PER_TICK, own;
    uint64_t user = process_total_times().user / NS_PER_TICK;
    struct sched_cpu_info info;
    char name[8];

    user = user < busy ? user : busy;
    say_cpu(report, "cpu ", busy, user, totals->idle);
    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++) {
        scheduler_read_cpu(cpu, &info);
        if (!info.online)
            continue;
        own = less(now, info.idle) / NS_PER_TICK;
        own = own < busy ? own : busy;
        (void)format_text(name, sizeof(name), "cpu%u", cpu);
        say_cpu(report, name, own, busy > 0 ? user * own / busy : 0, info.idle);
    }
}

int proc_say_stat(struct report *report)
{
    uint64_t now = hal_time_now();
    struct cpu_totals totals;
    struct thread_totals threads;

    read_totals(&totals);
    count_threads(&threads);
    say_cpus(report, now, &totals);
    report_add(report, "ctxt %llu\nbtime %lld\nprocesses %u\nprocs_running %u\nprocs_blocked 0\n",
               (unsigned long long)totals.switches,
               (long long)(wall_now() - (int64_t)(now / NS_PER_SECOND)), threads.last,
               threads.runnable);
    return 0;
}

/* ---- loadavg ---- */

#define LOADS PROC_LOADS
#define STEP_NS (5 * (uint64_t)NS_PER_SECOND)
#define ONE 65536u
#define STEPS_MAX 4096u

/*
 * How busy the CPUs were, on average over about 1, 5 and 15 minutes, where what is longer ago
 * counts exponentially less. Nobody samples that: who reads it takes the time since the last
 * reading as one stretch of even load, in steps of five seconds.
 */
static KSTATE struct load {
    struct spinlock lock; /* guards the rest */
    uint64_t when, idle;  /* of the last step */
    uint32_t average[LOADS];
} load;

/* Moves the averages on to `now`. Caller holds the lock. */
static void step_load(uint64_t now, const struct cpu_totals *totals)
{
    /* 65536 / e^(5 s / 60 s), and for 300 s and 900 s */
    static const uint32_t decay[LOADS] = {60296, 64453, 65173};
    uint64_t steps = less(now, load.when) / STEP_NS, span = steps * STEP_NS;
    uint64_t all = less(now, load.when) * totals->online;
    uint64_t busy = less(all, less(totals->idle, load.idle));
    uint64_t even = all > 0 ? busy / (all / ONE + 1) * totals->online : 0;

    if (steps == 0)
        return;
    for (uint64_t i = 0; i < (steps < STEPS_MAX ? steps : STEPS_MAX); i++)
        for (unsigned n = 0; n < LOADS; n++)
            load.average[n] =
                (uint32_t)((load.average[n] * (uint64_t)decay[n] + even * (ONE - decay[n])) / ONE);
    load.when += span;
    load.idle = totals->idle;
}

void proc_loads_start(void)
{
    spinlock_init(&load.lock, LOCK_RANK_DEVICE);
}

void proc_read_loads(uint32_t average[PROC_LOADS])
{
    struct cpu_totals totals;
    hal_irq_state_t state;

    read_totals(&totals);
    state = spinlock_acquire(&load.lock);
    step_load(hal_time_now(), &totals);
    for (unsigned n = 0; n < LOADS; n++)
        average[n] = load.average[n];
    spinlock_release(&load.lock, state);
}

int proc_say_loadavg(struct report *report)
{
    struct thread_totals threads;
    uint32_t average[LOADS];

    count_threads(&threads);
    proc_read_loads(average);
    for (unsigned n = 0; n < LOADS; n++)
        report_add(report, "%u.%02u ", average[n] / ONE, average[n] % ONE * 100 / ONE);
    report_add(report, "%u/%u %u\n", threads.runnable, threads.all, threads.last);
    return 0;
}
