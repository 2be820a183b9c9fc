/* SPDX-License-Identifier: MIT */
/*
 * threads.c: spawn, sleep, kill, uptime.
 */
#include "lib/format.h"
#include "lib/string.h"
#include "heap/heap.h"
#include "shell/commands/command.h"
#include "shell/sched/shares.h"
#include "thread/cpu.h"
#include "thread/run.h"
#include "thread/thread.h"
#include "tty/tty.h"

#include <hal/cpu.h>
#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/machine.h>
#include <hal/runtime.h>
#include <hal/time.h>

static KSTATE unsigned threads_at_first;

static unsigned count_threads(void)
{
    struct thread_info info;
    unsigned count = 0;

    for (uint32_t id = 0; thread_read_info(id, &info) == 0; id = info.id + 1)
        count++;
    return count;
}

void command_prepare(void)
{
    command_prepare_ps();
    threads_at_first = count_threads();
}

bool command_alone(void)
{
    return count_threads() <= threads_at_first;
}

/* ---- spawn ---- */

#define SPAWN_MAX 64u
#define SPAWN_PRIORITY 24u
/* A pure loop looks at the clock after so many turns, which take at least 30 ms on any machine. */
#define PURE_TURNS (1u << 26)
#define PURE_LEAST_NS 1000000u

struct spawn_batch {
    bool stop;  /* atomic */
    bool stuck; /* atomic: a pure loop found that the clock does not move meanwhile */
    unsigned count;
    struct thread *threads[SPAWN_MAX];
};

/* Busy threads are less important than the shell, where that counts. */
static void spawn_step_back(void)
{
    if (thread_set_priority(thread_current(), SPAWN_PRIORITY))
        return; /* there is no such level, and all are equal */
}

static bool spawn_stopped(const struct spawn_batch *batch)
{
    return __atomic_load_n(&batch->stop, __ATOMIC_RELAXED);
}

static void spawn_stop(struct spawn_batch *batch)
{
    __atomic_store_n(&batch->stop, true, __ATOMIC_RELAXED);
}

static void spawn_poll(void *argument)
{
    struct spawn_batch *batch = argument;

    spawn_step_back();
    while (!spawn_stopped(batch))
        hal_cpu_relax();
}

/* Nothing is called in this loop: only the timer interrupt can end it early. */
static void spawn_count(const struct spawn_batch *batch)
{
    for (volatile uint32_t turns = 0; turns < PURE_TURNS && !spawn_stopped(batch); turns++)
        continue;
}

static void spawn_pure(void *argument)
{
    struct spawn_batch *batch = argument;

    spawn_step_back();
    while (!spawn_stopped(batch)) {
        uint64_t before = hal_time_now();

        spawn_count(batch);
        if (!spawn_stopped(batch) && hal_time_now() - before < PURE_LEAST_NS) {
            __atomic_store_n(&batch->stuck, true, __ATOMIC_RELAXED);
            spawn_stop(batch);
        }
    }
}

static bool spawn_read_arguments(const struct job *job, uint64_t *n, uint64_t *ns, bool *pure)
{
    *pure = job->args.count == 4 && string_equal(job->args.words[3], "--pure");
    if (job->args.count < 3 || job->args.count > 4 || (job->args.count == 4 && !*pure)) {
        command_usage(job, "spawn needs how many, and for how long");
        return false;
    }
    if (!command_number(job, job->args.words[1], SPAWN_MAX, n) ||
        !command_duration(job, job->args.words[2], ns))
        return false;
    if (*n == 0)
        command_usage(job, "spawn starts 1 .. %u threads", SPAWN_MAX);
    return *n > 0;
}

/* Starts the threads; returns false, with an error printed, if not all could be had. */
static bool spawn_start(struct spawn_batch *batch, uint64_t n, bool pure)
{
    for (; batch->count < n; batch->count++) {
        char name[THREAD_NAME_MAX + 1];

        format_text(name, sizeof(name), "busy-%u", batch->count + 1);
        if (thread_create(name, pure ? spawn_pure : spawn_poll, batch,
                          &batch->threads[batch->count]) != 0) {
            command_error("out of memory: no room for %llu threads, only for %u",
                          (unsigned long long)n, batch->count);
            return false;
        }
    }
    return true;
}

/* The background part: keeps the threads going for the time, then ends them. */
static void spawn_supervise(struct job *job)
{
    struct spawn_batch *batch = kcalloc(1, sizeof(*batch));
    uint64_t n, ns;
    bool pure;

    if (batch == NULL) {
        command_error("out of memory: no thread started");
        return;
    }
    if (spawn_read_arguments(job, &n, &ns, &pure)) {
        if (spawn_start(batch, n, pure))
            thread_sleep(ns); /* shorter when it is cancelled: the threads end with it */
        spawn_stop(batch);
        for (unsigned i = 0; i < batch->count; i++)
            thread_join(batch->threads[i]);
    }
    if (batch->stuck)
        command_error("spawn --pure: time stands still while a loop calls nothing (virtual "
                      "clock); leave --pure away");
    kfree(batch);
}

void command_spawn(struct job *job)
{
    static const struct command supervisor = {
        .name = "spawn", .arguments = "", .run = spawn_supervise};
    uint64_t n, ns;
    bool pure;

    if (!spawn_read_arguments(job, &n, &ns, &pure))
        return;
    if (job->number != 0)
        spawn_supervise(job); /* in the background already */
    else
        job_start_background(job, &supervisor);
}

/* ---- sleep, kill, uptime ---- */

void command_sleep(struct job *job)
{
    uint64_t ns;

    if (job->args.count != 2)
        command_usage(job, "sleep needs a length of time");
    else if (command_duration(job, job->args.words[1], &ns) && thread_sleep(ns) == -EINTR)
        return; /* cancelled: the shell says so */
}

void command_kill(struct job *job)
{
    bool by_job = job->args.count == 2 && job->args.words[1][0] == '%';
    uint64_t number;
    int error;

    if (job->args.count != 2) {
        command_usage(job, "kill needs one command to end");
        return;
    }
    if (!command_number(job, job->args.words[1] + by_job, UINT32_MAX, &number))
        return;
    if (!by_job)
        number = job_of_thread((uint32_t)number);
    error = number == 0 ? -ENOENT : job_cancel((unsigned)number);
    if (error != 0)
        command_error("%s is no command in the background", job->args.words[1]);
}

void command_uptime(struct job *job)
{
    uint64_t now = hal_time_now();
    uint64_t seconds = now / 1000000000, idle = 0;
    unsigned tenths;

    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++)
        idle += run_idle_time(cpu);
    tenths = shares_permille(idle, now * cpu_count_online());

    if (command_takes_none(job))
        tty_print("up %llu:%02u:%02u, idle %u.%u %%\n", (unsigned long long)seconds / 3600,
                  (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60), tenths / 10,
                  tenths % 10);
}
