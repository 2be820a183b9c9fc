/* SPDX-License-Identifier: MIT */
/*
 * cpu.c: the soft interrupt mask, interrupt points, and idling.
 *
 * Masking is a flag and a word of pending bits. Whatever raises an interrupt sets a bit; the CPU
 * looks at the bits when it unmasks, when it leaves the host, and at every interrupt point. So
 * masking costs two memory accesses, and an interrupt cannot be lost.
 *
 * With the virtual clock an interrupt strikes only at a point: at a call of the HAL. The seed says
 * whether at the first point where it could, or a few points later; that is how one binary shows
 * many interleavings and each of them again. With the real clock a signal may also bring it between
 * any two instructions; host/trap.c then gets here through sim_cpu_take_and_unmask.
 */
#include "board/machine.h"

#include "host/host.h"
#include "tayberry.h"

#include <hal/errno.h>
#include <hal/upcall.h>

/* core finds CPU 0 at the start of it: <hal/machine_cpu.h>. */
_Static_assert(offsetof(struct machine, cpu) == 0 && offsetof(struct cpu, face) == 0, "layout");
struct machine machine;

struct host_work {
    long (*function)(void *);
    void *argument;
};

static long host_work_run(void *argument)
{
    const struct host_work *work = argument;
    host_lock(HOST_MACHINE);
    long result = work->function(work->argument);
    host_unlock(HOST_MACHINE);
    outside_flush();
    return result;
}

long sim_cpu_host(long (*function)(void *), void *argument, unsigned cost)
{
    struct host_work work = {function, argument};
    struct cpu *cpu = sim_cpu_this();
    sim_cpu_enter(cpu);
    long result = fiber_call_host(cpu, host_work_run, &work);
    sim_cpu_leave(sim_cpu_this());
    sim_cpu_point(cost);
    return result;
}

/* ---- raising ---- */

void sim_cpu_attend(struct cpu *cpu, uint32_t bits)
{
    uint32_t before = atomic_fetch_or(&cpu->face.pending, bits);
    if (machine.real && (before & bits) != bits)
        host_cpu_kick(cpu);
}

void sim_cpu_raise(struct cpu *cpu, enum hal_irq line)
{
    sim_cpu_attend(cpu, 1u << line);
}

/* ---- taking ---- */

static uint32_t cpu_ready(const struct cpu *cpu)
{
    return atomic_load(&cpu->face.pending) & cpu->enabled;
}

static unsigned lowest_bit(uint32_t bits)
{
    return (unsigned)__builtin_ctz(bits);
}

/* One of `ready`: the lowest with the real clock, one that the seed picks with the virtual. */
static unsigned choose_line(uint32_t ready)
{
    if (machine.real || !(ready & (ready - 1)))
        return lowest_bit(ready);
    unsigned skip = (unsigned)(machine_random(RNG_STRIKE) % (unsigned)__builtin_popcount(ready));
    while (skip--)
        ready &= ready - 1;
    return lowest_bit(ready);
}

/* Takes one interrupt, masked, on the stack that was interrupted. */
static void cpu_take(uint32_t ready)
{
    unsigned line = choose_line(ready);
    struct cpu *cpu = sim_cpu_this();
    cpu->strike_in = -1;
    atomic_fetch_and(&cpu->face.pending, ~(1u << line));
    if (!machine.real)
        atomic_fetch_add_explicit(&machine.now, COST_INTERRUPT, memory_order_relaxed);
    sim_trace_guest(TB_EVENT_IRQ, line, 0);
    hal_upcall_interrupt((enum hal_irq)line);
    if (line == HAL_IRQ_UART)
        sim_uart_level();
}

void sim_cpu_take_and_unmask(void)
{
    for (;;) {
        uint32_t ready;
        while ((ready = cpu_ready(sim_cpu_this())) != 0)
            cpu_take(ready);
        sim_cpu_this()->face.masked = false;
        atomic_signal_fence(memory_order_seq_cst);
        if (!cpu_ready(sim_cpu_this()))
            return;
        sim_cpu_this()->face.masked = true;
    }
}

/* Virtual clock: whether the deliverable interrupt strikes at this point. */
static bool strikes_now(struct cpu *cpu)
{
    if (cpu->strike_in < 0) {
        unsigned roll = machine_random(RNG_STRIKE) & 7;
        cpu->strike_in = roll < 4 ? 0 : (int)roll - 3;
    }
    return cpu->strike_in-- == 0;
}

static void point_virtual(struct cpu *cpu)
{
    sim_cpu_enter(cpu);
    sim_time_catch_up();
    while ((atomic_load(&cpu->face.pending) & CPU_YIELD) || sim_time_now() >= machine.run_until)
        fiber_suspend_guest(cpu);
    sim_cpu_leave(cpu);
    uint32_t ready = cpu->face.masked ? 0 : cpu_ready(cpu);
    if (ready && strikes_now(cpu)) {
        cpu->face.masked = true;
        cpu_take(ready);
        sim_cpu_this()->face.masked = false;
    }
}

static long attend_work(void *unused)
{
    (void)unused;
    sim_cpu_attend_real();
    return 0;
}

static void point_real(struct cpu *cpu)
{
    /* Again, because what arrives while it is entered says so by nothing but its bit. */
    while (atomic_load(&cpu->face.pending) & CPU_ATTENTION) {
        sim_cpu_enter(cpu);
        fiber_call_host(cpu, attend_work, NULL);
        if (atomic_load(&cpu->face.pending) & CPU_CUT)
            fiber_abandon_guest(cpu);
        sim_cpu_leave(cpu);
    }
    if (!cpu->face.masked && cpu_ready(cpu)) {
        cpu->face.masked = true;
        atomic_signal_fence(memory_order_seq_cst);
        sim_cpu_take_and_unmask();
    }
}

void sim_cpu_point_slow(void)
{
    struct cpu *cpu = sim_cpu_this();
    if (machine.real)
        point_real(cpu);
    else
        point_virtual(cpu);
}

void sim_cpu_attend_real(void)
{
    struct cpu *cpu = sim_cpu_this();
    for (;;) {
        atomic_store(&cpu->asleep, true);
        uint32_t pending = atomic_load(&cpu->face.pending);
        if (!(pending & CPU_PAUSE) || (pending & CPU_CUT))
            break;
        outside_parked();
        host_word_wait(&cpu->face.pending, pending, HOST_NEVER);
    }
    atomic_store(&cpu->asleep, false);
    /* After parking, since the clock has stood still until then. */
    if (atomic_load(&cpu->face.pending) & CPU_TIMER) {
        atomic_fetch_and(&cpu->face.pending, ~(uint32_t)CPU_TIMER);
        sim_time_check_timer(cpu);
    }
}

/* ---- the contract ---- */

void hal_cpu_point(void)
{
    sim_cpu_point(COST_MASK);
}

void *hal_cpu_point_with(void *result)
{
    sim_cpu_point(COST_MASK);
    return result;
}

void hal_irq_unmask(void)
{
    hal_irq_restore(0);
}

void hal_irq_enable(enum hal_irq line)
{
    struct cpu *cpu = sim_cpu_this();
    sim_cpu_enter(cpu);
    cpu->enabled |= 1u << line;
    sim_cpu_leave(cpu);
    sim_cpu_point(COST_MASK);
}

void hal_irq_disable(enum hal_irq line)
{
    struct cpu *cpu = sim_cpu_this();
    sim_cpu_enter(cpu);
    cpu->enabled &= ~(1u << line);
    sim_cpu_leave(cpu);
    sim_cpu_point(COST_MASK);
}

void hal_cpu_relax(void)
{
    __builtin_ia32_pause();
    sim_cpu_point(COST_RELAX);
}

unsigned hal_cpu_count(void)
{
    return machine.cpu_count;
}

int hal_cpu_start(unsigned cpu)
{
    return cpu == 0 || cpu >= machine.cpu_count ? -EINVAL : -ENOSYS;
}

void hal_cpu_ipi(unsigned cpu)
{
    if (cpu == 0)
        sim_cpu_raise(&machine.cpu[cpu], HAL_IRQ_IPI);
    sim_cpu_point(COST_MASK);
}

/* ---- idling ---- */

/* Real clock: sleeps until a bit is set. Once nothing could set one by itself, says so. */
static long idle_real(void *unused)
{
    struct cpu *cpu = sim_cpu_this();
    (void)unused;
    sim_time_idle_begin(cpu);
    for (;;) {
        atomic_store(&cpu->asleep, true);
        uint32_t pending = atomic_load(&cpu->face.pending);
        if (pending & (cpu->enabled | CPU_ATTENTION))
            break;
        if (cpu->deadline == HAL_TIME_NEVER)
            outside_stuck();
        host_word_wait(&cpu->face.pending, pending, HOST_NEVER);
    }
    atomic_store(&cpu->asleep, false);
    sim_time_idle_end(cpu);
    sim_cpu_attend_real();
    return 0;
}

/* Virtual clock: lets time jump to the next event, or to where tb_run_* wants control back. */
static void idle_virtual(struct cpu *cpu)
{
    while (!cpu_ready(cpu)) {
        uint64_t event = sim_time_next_event();
        if (event == HAL_TIME_NEVER)
            outside_stuck();
        sim_time_skip_to(event < machine.run_until ? event : machine.run_until);
        sim_time_catch_up();
        if ((atomic_load(&cpu->face.pending) & CPU_YIELD) || sim_time_now() >= machine.run_until)
            fiber_suspend_guest(cpu);
    }
}

void hal_cpu_idle(void)
{
    struct cpu *cpu = sim_cpu_this();
    sim_cpu_enter(cpu);
    atomic_fetch_add(&cpu->idles, 1);
    atomic_store(&cpu->idle, true);
    if (machine.real)
        fiber_call_host(cpu, idle_real, NULL);
    else
        idle_virtual(cpu);
    atomic_store(&cpu->idle, false);
    sim_cpu_leave(cpu);
    sim_cpu_point(0);
    uint32_t ready = cpu_ready(cpu);
    if (ready)
        cpu_take(ready);
}
