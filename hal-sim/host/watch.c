/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

/*
 * watch.c: notices a CPU that does not come on.
 *
 * A timer counts the processor time of the host thread that plays a CPU, and looks four times in
 * the length of time that is too long. Processor time passes only while the thread works: a CPU
 * that idles has no ticks, and neither a loaded host nor a debugger that holds the process makes a
 * healthy guest look ill.
 *
 * Real clock: what is watched is the mask (hal_cpu_watch). Each look that finds interrupts masked
 * raises an IPI, and the next one sees whether any interrupt was taken since. After four looks that
 * found them masked and none taken, they were masked all the time.
 *
 * Virtual clock: the mask is watched in machine time (board/watch.c), which repeats. But a guest
 * that reaches no interrupt point has no machine time at all, and would hold the caller of tb_run_*
 * for ever. So here it is machine time itself that is watched, for tb_config.stall_ms.
 */
#include "board/machine.h"
#include "host/host.h"
#include "host/private.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { LOOKS = 4 };

static struct host_watch {
    pid_t tid; /* the thread whose time it counts; 0: there is no timer */
    timer_t timer;
    uint64_t ns;    /* how long is too long */
    unsigned looks; /* in a row that found no progress */
    uint64_t seen;  /* what progress is measured by, at the last look */
} watches[HAL_CPU_MAX];

UNWATCHED static struct host_watch *watch_of(const struct cpu *cpu)
{
    return &watches[host_index(cpu)];
}

static void delete_timer(struct host_watch *watch)
{
    if (watch->tid)
        (void)timer_delete(watch->timer);
    watch->tid = 0;
}

static int make_timer(struct host_watch *watch)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID,
                             .sigev_signo = HOST_SIGNAL,
                             .sigev_value.sival_int = HOST_WATCH_MARK};
    pid_t tid = (pid_t)syscall(SYS_gettid);
    if (watch->tid == tid)
        return 0;
    delete_timer(watch);
    event._sigev_un._tid = tid;
    if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &watch->timer))
        return -errno;
    watch->tid = tid;
    return 0;
}

static void set_timer(struct host_watch *watch, uint64_t ns)
{
    struct timespec look = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    struct itimerspec looks = {look, look};
    watch->looks = 0;
    (void)timer_settime(watch->timer, 0, &looks, NULL);
}

int host_watch_start(struct cpu *cpu, uint64_t ns)
{
    struct host_watch *watch = watch_of(cpu);
    int error = ns ? make_timer(watch) : 0;
    if (error || !watch->tid)
        return error;
    watch->ns = ns;
    set_timer(watch, ns / LOOKS);
    return 0;
}

void host_watch_stop(struct cpu *cpu)
{
    if (watch_of(cpu)->tid)
        set_timer(watch_of(cpu), 0);
}

void host_watch_end(struct cpu *cpu)
{
    delete_timer(watch_of(cpu));
}

/* Real clock: whether it is masked, and has taken nothing since the last look raised an IPI. */
UNWATCHED static bool stays_masked(struct cpu *cpu, struct host_watch *watch)
{
    const uint32_t ipi = 1u << HAL_IRQ_IPI;
    uint64_t taken = atomic_load(&cpu->taken), before = watch->seen;
    watch->seen = taken;
    if (!hal_irq_masked() || !(atomic_load(&cpu->enabled) & ipi))
        return false;
    atomic_fetch_or(&cpu->pending, ipi);
    return taken == before;
}

UNWATCHED static bool time_stands(struct host_watch *watch)
{
    uint64_t now = atomic_load(&machine.now), before = watch->seen;
    watch->seen = now;
    return now == before;
}

UNWATCHED const char *host_watch_look(struct cpu *cpu, uint64_t *ns)
{
    struct host_watch *watch = watch_of(cpu);
    bool stands = machine.real ? stays_masked(cpu, watch) : time_stands(watch);
    watch->looks = stands ? watch->looks + 1 : 0;
    if (watch->looks < LOOKS)
        return NULL;
    watch->looks = 0;
    *ns = watch->ns;
    return machine.real ? SIM_STALL_MASKED
                        : "no interrupt point is reached (by the host's processor time); an "
                          "edge-grained build (tayberry-edges) can interrupt it anywhere";
}
