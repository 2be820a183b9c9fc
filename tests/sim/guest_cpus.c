/* SPDX-License-Identifier: MIT */
/*
 * guest_cpus.c: the behaviours of a guest that uses all CPUs.
 *
 * Most of them are a crowd: twice as many contexts as CPUs, and each CPU's timer goes over to the
 * next one of a common queue. So every context is interrupted anywhere and goes on on any CPU. Each
 * works out the same numbers twice, in floating-point registers, and notices when they differ.
 */
#include "guest.h"

#include <hal/context.h>
#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/machine.h>
#include <hal/mem.h>

enum { CROWD = 2 * HAL_CPU_MAX, READY = 200, END = 600, DOT = 64, WORK = 20000 };

KSTATE static struct {
    unsigned next, now;
} ticket;
KSTATE static struct hal_context crowd[CROWD], start[HAL_CPU_MAX];
KSTATE static unsigned queue[CROWD], queue_first, running[HAL_CPU_MAX], switches, up;
KSTATE static void (*at_end)(void);

/* ---- the crowd ---- */

static void lock(void)
{
    unsigned mine = __atomic_fetch_add(&ticket.next, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&ticket.now, __ATOMIC_SEQ_CST) != mine)
        hal_cpu_relax();
}

static void unlock(void)
{
    __atomic_fetch_add(&ticket.now, 1, __ATOMIC_SEQ_CST);
}

/* The context whose turn it is. The lock is held. */
static unsigned take_next(unsigned instead)
{
    unsigned next = queue[queue_first];
    queue[queue_first] = instead;
    queue_first = (queue_first + 1) % (CROWD - hal_cpu_count());
    return next;
}

static void set_timer(void)
{
    hal_timer_set(hal_time_now() + 20000 + switches % 7 * 10000);
}

/* On any CPU, in its timer's interrupt. */
static void crowd_tick(void)
{
    lock();
    unsigned self = hal_cpu_id(), old = running[self], next = take_next(old);
    running[self] = next;
    if (++switches == READY)
        guest_print("ready\n");
    else if (switches > READY && switches % DOT == 0)
        guest_print(".");
    if (switches == END && at_end)
        at_end();
    set_timer();
    hal_cpu_ipi((self + 1) % hal_cpu_count());
    hal_context_switch(&crowd[old], &crowd[next]);
    /* Another CPU, maybe; and the lock is the one that it took. */
    unlock();
}

static void crowd_member(void *number)
{
    double a = (double)(uintptr_t)number + 1, b = a;
    unlock();
    hal_irq_unmask();
    for (;;) {
        /* Some 100 ns of the host, of which the virtual clock knows nothing. */
        for (unsigned i = 0; i < 20; i++) {
            a = a * 1.5 + 0.25;
            b = b * 1.5 + 0.25;
            a = a > 1e100 ? a * 1e-100 : a;
            b = b > 1e100 ? b * 1e-100 : b;
            __asm__ volatile("" : "+x"(a), "+x"(b));
        }
        if (a != b)
            hal_board_stop(HAL_STOP_PANIC, 1);
        hal_cpu_relax();
    }
}

/* A CPU joins. */
static void crowd_join(void)
{
    unsigned self = hal_cpu_id();
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_irq_enable(HAL_IRQ_IPI);
    lock();
    running[self] = self;
    set_timer();
    hal_context_switch(&start[self], &crowd[self]);
    hal_board_stop(HAL_STOP_PANIC, 2); /* nobody switches back */
}

static void start_others(void (*function)(void))
{
    guest_on_cpu = function;
    for (unsigned cpu = hal_cpu_count() - 1; cpu; cpu--)
        if (hal_cpu_start(cpu))
            hal_board_stop(HAL_STOP_PANIC, 3);
}

static void crowd_make(unsigned i)
{
    uint64_t at = GUEST_FREE_RAM + i * 2ull * HAL_STACK_SIZE;
    hal_mem_first_use(at, HAL_STACK_SIZE);
    hal_context_init(&crowd[i], hal_mem_pointer(at), HAL_STACK_SIZE, crowd_member,
                     (void *)(uintptr_t)i);
}

/* The first contexts are the CPUs' own to start with, the others queue. */
static void be_crowd(void)
{
    unsigned cpus = hal_cpu_count();
    for (unsigned i = 0; i < CROWD; i++)
        crowd_make(i);
    for (unsigned i = cpus; i < CROWD; i++)
        queue[i - cpus] = i;
    guest_on_line[HAL_IRQ_TIMER] = crowd_tick;
    start_others(crowd_join);
    crowd_join();
}

static void end_off(void)
{
    hal_board_stop(HAL_STOP_POWER_OFF, 42);
}

static void end_panic(void)
{
    hal_board_stop(HAL_STOP_PANIC, 0);
}

static void end_reboot(void)
{
    hal_board_stop(HAL_STOP_REBOOT, 0);
}

static void be_crowd_off(void)
{
    at_end = end_off;
    be_crowd();
}

static void be_crowd_panic(void)
{
    at_end = end_panic;
    be_crowd();
}

static void be_crowd_reboot(void)
{
    at_end = end_reboot;
    be_crowd();
}

/* ---- others ---- */

static void count_up(void)
{
    __atomic_fetch_add(&up, 1, __ATOMIC_SEQ_CST);
}

static void await_others(void)
{
    while (__atomic_load_n(&up, __ATOMIC_SEQ_CST) < hal_cpu_count() - 1)
        hal_cpu_relax();
}

HAL_NORETURN static void rest(void)
{
    for (;;)
        hal_cpu_idle();
}

static void rest_here(void)
{
    count_up();
    rest();
}

/* All CPUs idle, and nothing will happen. */
static void be_rest(void)
{
    start_others(rest_here);
    await_others();
    guest_print("ready\n");
    rest();
}

static void late(void)
{
    guest_print("late\n");
}

static void rest_until_late(void)
{
    count_up();
    if (hal_cpu_id() == hal_cpu_count() - 1) {
        hal_irq_enable(HAL_IRQ_TIMER);
        hal_timer_set(5000000000u);
    }
    rest();
}

/* All idle, and the last CPU's timer will fire after 5 s. */
static void be_late(void)
{
    guest_on_line[HAL_IRQ_TIMER] = late;
    start_others(rest_until_late);
    await_others();
    guest_print("ready\n");
    rest();
}

/* No CPU calls the HAL any more; every other one is masked. */
static void spin_here(void)
{
    volatile uint64_t spins = 0;
    count_up();
    if (hal_cpu_id() % 2)
        hal_irq_unmask();
    for (;;)
        spins = spins + 1;
}

static void be_spin_all(void)
{
    start_others(spin_here);
    await_others();
    guest_print("ready\n");
    spin_here();
}

static void work(void)
{
    for (unsigned i = 0; i < WORK; i++)
        hal_cpu_relax();
    count_up();
}

static void work_and_rest(void)
{
    work();
    rest();
}

/* As much work on each CPU: how long does it take? */
static void be_work(void)
{
    uint64_t begin = hal_time_now();
    start_others(work_and_rest);
    work();
    while (__atomic_load_n(&up, __ATOMIC_SEQ_CST) < hal_cpu_count())
        hal_cpu_relax();
    guest_print_line("took", hal_time_now() - begin);
    hal_board_stop(HAL_STOP_POWER_OFF, 0);
}

const struct guest_behaviour guest_cpus_behaviours[] = {
    {"crowd", be_crowd},
    {"crowd-off", be_crowd_off},
    {"crowd-panic", be_crowd_panic},
    {"crowd-reboot", be_crowd_reboot},
    {"rest", be_rest},
    {"late", be_late},
    {"spin-all", be_spin_all},
    {"work", be_work},
    {NULL, NULL},
};
