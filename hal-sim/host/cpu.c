/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

/*
 * cpu.c: the host thread behind a simulated CPU.
 *
 * With the virtual clock that is the thread which calls tb_run_*, for as long as the call lasts,
 * and it is behind all of them. With the real clock it is a thread of its own, from power-on or
 * hal_cpu_start to the end of the guest. Either way it has an
 * alternate stack for signals, since a handler must not run on a guest stack that may be exhausted,
 * and a POSIX timer that signals this thread and no other.
 */
#include "host/host.h"

#include "board/machine.h"
#include "host/private.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { ALTERNATE_BYTES = 65536, NAG_NS = 10000000 };

enum { RETRY_NS = 20000 };

static struct host_cpu {
    pthread_t thread;
    void (*body)(struct cpu *);
    _Atomic pid_t tid; /* 0: no thread plays this CPU now */
    pid_t timer_tid;   /* the thread that the timer signals; 0: there is no timer */
    timer_t timer;
    _Atomic uint64_t armed; /* when it fires next */
    _Atomic bool nagging;
    uint64_t mask; /* signals blocked while this thread plays the CPU */
    uint8_t *alternate;
    stack_t alternate_before;
} host_cpus[HAL_CPU_MAX];

static _Thread_local pid_t own_tid __attribute__((tls_model("initial-exec")));

UNWATCHED static struct host_cpu *host_of(const struct cpu *cpu)
{
    return &host_cpus[host_index(cpu)];
}

bool host_cpu_on_alternate(uintptr_t address)
{
    return sim_cpu_is_here() &&
           address - (uintptr_t)host_of(sim_cpu_this())->alternate < ALTERNATE_BYTES;
}

stack_t host_cpu_alternate(const struct cpu *cpu)
{
    return (stack_t){.ss_sp = host_of(cpu)->alternate, .ss_size = ALTERNATE_BYTES};
}

static int make_alternate(struct host_cpu *host)
{
    if (host->alternate)
        return 0;
    void *at =
        mmap(NULL, ALTERNATE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return -errno;
    host->alternate = at;
    return 0;
}

static void delete_timer(struct host_cpu *host)
{
    if (host->timer_tid)
        (void)timer_delete(host->timer);
    host->timer_tid = 0;
    atomic_store(&host->armed, HOST_NEVER);
}

/* A timer for the calling thread, unless the one there is that already. */
static int make_timer(struct host_cpu *host)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = HOST_SIGNAL};
    if (host->timer_tid == own_tid)
        return 0;
    delete_timer(host);
    event._sigev_un._tid = own_tid;
    if (timer_create(CLOCK_MONOTONIC, &event, &host->timer))
        return -errno;
    host->timer_tid = own_tid;
    return 0;
}

uint64_t host_cpu_mask(const struct cpu *cpu)
{
    return host_of(cpu)->mask;
}

uint64_t host_cpu_signals(void)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
    uint64_t ours = 1ull << (HOST_SIGNAL - 1);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        ours |= 1ull << (numbers[i] - 1);
    return ours;
}

/* Lets the calling thread take our signals, and remembers its mask. */
static void allow_signals(struct host_cpu *host)
{
    uint64_t ours = host_cpu_signals();
    (void)syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &ours, &host->mask, sizeof ours);
    host->mask &= ~ours;
}

int host_cpu_adopt(struct cpu *cpu)
{
    struct host_cpu *host = host_of(cpu);
    stack_t alternate;
    own_tid = (pid_t)syscall(SYS_gettid); /* each time: the process may be a fork of what it was */
    int error = make_alternate(host);
    if (error)
        return error;
    error = make_timer(host);
    if (error)
        return error;
    alternate = host_cpu_alternate(cpu);
    if (sigaltstack(&alternate, &host->alternate_before))
        return -errno;
    allow_signals(host);
    host_user_adopt(cpu);
    atomic_store(&host->tid, own_tid);
    return machine.real ? 0 : host_watch_start(cpu, machine.stall_ns);
}

void host_cpu_disown(struct cpu *cpu)
{
    struct host_cpu *host = host_of(cpu);
    atomic_store(&host->tid, 0);
    host_watch_stop(cpu);
    if (atomic_exchange(&host->nagging, false)) {
        const struct itimerspec off = {{0, 0}, {0, 0}};
        (void)timer_settime(host->timer, 0, &off, NULL);
    }
    host_user_disown(cpu);
    (void)sigaltstack(&host->alternate_before, NULL);
}

/* ---- a thread of its own ---- */

static void *thread_main(void *argument)
{
    struct cpu *cpu = argument;
    struct host_cpu *host = host_of(cpu);
    own_tid = (pid_t)syscall(SYS_gettid);
    if (host_cpu_adopt(cpu) == 0) {
        host->body(cpu);
        host_cpu_disown(cpu);
    }
    delete_timer(host);
    host_watch_end(cpu);
    return NULL;
}

int host_cpu_spawn(struct cpu *cpu, void (*body)(struct cpu *))
{
    struct host_cpu *host = host_of(cpu);
    sigset_t all, before;
    int error = make_alternate(host);
    if (error)
        return error;
    host->body = body;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    error = -pthread_create(&host->thread, NULL, thread_main, cpu);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

void host_cpu_join(struct cpu *cpu)
{
    (void)pthread_join(host_of(cpu)->thread, NULL);
}

void host_cpu_free(void)
{
    for (unsigned i = 0; i < HAL_CPU_MAX; i++) {
        struct host_cpu *host = &host_cpus[i];
        delete_timer(host);
        host_watch_end(&machine.cpu[i]);
        if (host->alternate)
            (void)munmap(host->alternate, ALTERNATE_BYTES);
        host->alternate = NULL;
    }
}

/* ---- signals to it ---- */

void host_cpu_kick(struct cpu *cpu)
{
    pid_t tid = atomic_load(&host_of(cpu)->tid);
    if (sim_cpu_this() == cpu || !tid)
        return;
    if (atomic_load(&cpu->asleep))
        host_word_wake(&cpu->pending);
    else
        (void)syscall(SYS_tgkill, getpid(), tid, HOST_SIGNAL);
}

void host_cpu_nag(struct cpu *cpu)
{
    const struct itimerspec soon = {{0, NAG_NS}, {0, NAG_NS}}, off = {{0, 0}, {0, 0}};
    struct host_cpu *host = host_of(cpu);
    if (!atomic_load(&host->tid))
        return;
    (void)timer_settime(host->timer, 0, &soon, NULL);
    atomic_store(&host->nagging, true);
    if (!atomic_load(&host->tid)) /* it was disowned meanwhile, maybe before there was a nag */
        (void)timer_settime(host->timer, 0, &off, NULL);
}

void host_timer_arm(struct cpu *cpu, uint64_t when)
{
    struct host_cpu *host = host_of(cpu);
    struct itimerspec at = {{0, 0}, {(time_t)(when / 1000000000u), (long)(when % 1000000000u)}};
    if (when >= atomic_load(&host->armed))
        return;
    atomic_store(&host->armed, when);
    (void)timer_settime(host->timer, TIMER_ABSTIME, &at, NULL);
}

void host_timer_forget(struct cpu *cpu)
{
    const struct itimerspec off = {{0, 0}, {0, 0}};
    struct host_cpu *host = host_of(cpu);
    (void)timer_settime(host->timer, 0, &off, NULL);
    atomic_store(&host->armed, HOST_NEVER);
}

UNWATCHED void host_timer_retry(struct cpu *cpu)
{
    const struct itimerspec soon = {{0, 0}, {0, RETRY_NS}};
    struct host_cpu *host = host_of(cpu);
    atomic_store(&host->armed, 0);
    (void)timer_settime(host->timer, 0, &soon, NULL);
}

UNWATCHED void host_timer_fired(struct cpu *cpu)
{
    atomic_store(&host_of(cpu)->armed, HOST_NEVER);
}
