/* SPDX-License-Identifier: MIT */
/*
 * host.c: the host's side of the threads benchmark: POSIX threads, and two ways to switch stacks.
 */
#include "bench.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define STATE
#define THREAD pthread_t
#define START(thread, entry) start_thread(&(thread), entry)
#define JOIN(thread) pthread_join(thread, NULL)
#define YIELD() sched_yield()
#define LOCK pthread_mutex_t
#define LOCK_INIT(lock) pthread_mutex_init(lock, NULL)
#define TAKE(lock) pthread_mutex_lock(lock)
#define GIVE(lock) pthread_mutex_unlock(lock)
#define CONDITION pthread_cond_t
#define CONDITION_INIT(condition, lock) pthread_cond_init(condition, NULL)
#define AWAIT(condition, lock) pthread_cond_wait(condition, lock)
#define SIGNAL(condition) pthread_cond_signal(condition)
#define POST(side) post(side)
#define EXPECT(side) expect(side)
#define NOW() now()
#define FAIL(text) fail(text)

static uint64_t read_clock(clockid_t clock)
{
    struct timespec at;

    clock_gettime(clock, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

uint64_t bench_cpu_time(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t bench_wall_time(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

static bool on_all_cores;

static uint64_t now(void)
{
    return on_all_cores ? bench_wall_time() : bench_cpu_time();
}

static _Noreturn void fail(const char *text)
{
    fprintf(stderr, "bench-threads: the host: %s\n", text);
    exit(EXIT_FAILURE);
}

static pthread_attr_t attributes;

static void *run(void *entry)
{
    void (*function)(void *);

    memcpy(&function, &entry, sizeof function);
    function(NULL);
    return NULL;
}

static void start_thread(pthread_t *thread, void (*entry)(void *))
{
    void *argument;

    memcpy(&argument, &entry, sizeof argument);
    if (pthread_create(thread, &attributes, run, argument))
        fail("no thread can be made");
}

/* ---- the bare futex ---- */

static struct side {
    uint32_t posted;
    char apart[60]; /* another cache line */
} sides[2];

static void post(unsigned side)
{
    __atomic_store_n(&sides[side].posted, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &sides[side].posted, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void expect(unsigned side)
{
    while (!__atomic_exchange_n(&sides[side].posted, 0, __ATOMIC_SEQ_CST))
        syscall(SYS_futex, &sides[side].posted, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

#include "workload.c"

/* ---- cores ---- */

static void stay_on(pthread_t thread, unsigned core)
{
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(core, &one);
    (void)pthread_setaffinity_np(thread, sizeof one, &one);
}

/* Core number `n` of those that the process may use, or the last of them. */
static unsigned core_of(const cpu_set_t *allowed, unsigned n)
{
    unsigned last = 0;

    for (unsigned core = 0; core < CPU_SETSIZE; core++)
        if (CPU_ISSET(core, allowed)) {
            last = core;
            if (n-- == 0)
                break;
        }
    return last;
}

static void wake_between(enum bench_figure figure, unsigned mine, unsigned others, unsigned runs)
{
    pthread_t other;

    leave = false;
    start_thread(&other, answer);
    stay_on(pthread_self(), mine);
    stay_on(other, others);
    measure_wake(figure, runs * 4, other);
}

void bench_host(struct bench_figures *figures, unsigned runs, bool spread)
{
    struct bench_figures *before = bench_order.figures;
    cpu_set_t allowed;

    pthread_attr_init(&attributes);
    pthread_getaffinity_np(pthread_self(), sizeof allowed, &allowed);
    bench_order.figures = figures;
    on_all_cores = spread;
    if (spread) {
        wake_between(BENCH_WAKE_OTHER, core_of(&allowed, 0), core_of(&allowed, 1), runs);
        pthread_setaffinity_np(pthread_self(), sizeof allowed, &allowed);
    } else {
        wake_between(BENCH_WAKE, core_of(&allowed, 0), core_of(&allowed, 0), runs);
    }
    measure_all(runs);
    pthread_setaffinity_np(pthread_self(), sizeof allowed, &allowed);
    on_all_cores = false;
    bench_order.figures = before;
}

/* ---- very many ---- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void pass_gate(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
}

static uint64_t resident(void)
{
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file) {
        if (fscanf(file, "%*u %llu", &pages) != 1)
            pages = 0;
        fclose(file);
    }
    return pages * 4096;
}

void bench_host_many(struct bench_many *many, unsigned threads)
{
    pthread_t *all = calloc(threads, sizeof *all);
    uint64_t used = resident(), begun = now(), at;
    unsigned count = 0;
    void *argument;
    void (*entry)(void *) = pass_gate;

    if (!all)
        fail("no memory");
    memcpy(&argument, &entry, sizeof argument);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)sysconf(_SC_THREAD_STACK_MIN));
    pthread_mutex_lock(&gate);
    while (count < threads && pthread_create(&all[count], &attributes, run, argument) == 0)
        count++;
    if (count == 0)
        fail("no thread can be made");
    at = now();
    many->threads = count;
    many->create = (at - begun) * 1000 / count;
    many->bytes = (resident() - used) / count;
    begun = at;
    pthread_mutex_unlock(&gate);
    for (unsigned i = 0; i < count; i++)
        pthread_join(all[i], NULL);
    many->join = (now() - begun) * 1000 / count;
    free(all);
}

/* ---- switching stacks ---- */

enum { SWITCHES = 20000, BATCHES = 50, STACK = 65536 };

static ucontext_t here, there;
static _Alignas(16) char stack[STACK];

static void bounce(void)
{
    for (;;)
        swapcontext(&there, &here);
}

static double least_of(void (*once)(void))
{
    double least = 0;

    for (unsigned batch = 0; batch < BATCHES; batch++) {
        uint64_t begun = now();
        double took;

        for (unsigned i = 0; i < SWITCHES / 2; i++)
            once();
        took = (double)(now() - begun) / SWITCHES;
        if (least == 0 || took < least)
            least = took;
    }
    return least;
}

static void swap_once(void)
{
    swapcontext(&here, &there);
}

double bench_swapcontext(void)
{
    getcontext(&there);
    there.uc_stack = (stack_t){.ss_sp = stack, .ss_size = sizeof stack};
    makecontext(&there, bounce, 0);
    return least_of(swap_once);
}

/* void by_hand(void **save, void *load): the registers that a call preserves, and the stack. */
__asm__(".text\n"
        ".local by_hand\n"
        ".type by_hand, @function\n"
        "by_hand:\n"
        "push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15\n"
        "mov %rsp, (%rdi); mov %rsi, %rsp\n"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp\n"
        "ret\n"
        ".size by_hand, . - by_hand\n");
void by_hand(void **save, void *load);

static void *this_stack, *other_stack;

static void bounce_by_hand(void)
{
    for (;;)
        by_hand(&other_stack, this_stack);
}

static void hand_once(void)
{
    by_hand(&this_stack, other_stack);
}

double bench_by_hand(void)
{
    void **top = (void **)(void *)(stack + sizeof stack) - 2;

    *top = (void *)(uintptr_t)bounce_by_hand;
    other_stack = top - 6;
    return least_of(hand_once);
}
