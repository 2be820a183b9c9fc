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
#include "board/live.h"
#include "board/machine.h"

#include "host/host.h"
#include "tayberry.h"

#include <hal/errno.h>
#include <hal/upcall.h>

struct machine machine;

struct cpu sim_cpu_nobody;
_Thread_local struct hal_cpu_face hal_cpu_face_here = {
    .cpu = &sim_cpu_nobody, .masked = true, .look = true, .in_host = true};

void sim_cpu_play(struct cpu *cpu)
{
    hal_cpu_face_here.in_host = true;
    hal_cpu_face_here.masked = cpu->masked;
    hal_cpu_face_here.look = true;
    hal_cpu_face_here.id = (uint8_t)sim_cpu_number(cpu);
    atomic_signal_fence(memory_order_seq_cst);
    hal_cpu_face_here.cpu = cpu;
    atomic_signal_fence(memory_order_seq_cst);
}

void sim_cpu_put_down(void)
{
    sim_cpu_this()->masked = hal_irq_masked();
    hal_cpu_face_here.cpu = &sim_cpu_nobody;
    atomic_signal_fence(memory_order_seq_cst);
    hal_cpu_face_here.masked = true;
    hal_cpu_face_here.id = 0;
}

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
    long result = fiber_call_host(sim_cpu_enter(), host_work_run, &work);
    sim_cpu_leave();
    sim_cpu_point(cost);
    return result;
}

/* ---- raising ---- */

void sim_cpu_attend(struct cpu *cpu, uint32_t bits)
{
    uint32_t before = atomic_fetch_or(&cpu->pending, bits);
    if (cpu == sim_cpu_this())
        sim_cpu_look();
    if (machine.real && (before & bits) != bits)
        host_cpu_kick(cpu);
}

void sim_cpu_attend_all(uint32_t bits)
{
    for (unsigned i = 0; i < machine.cpu_count; i++)
        sim_cpu_attend(&machine.cpu[i], bits);
}

/* Virtual clock: if a CPU idles that was given something, whoever is played looks after it at the
 * next point. */
static void look_soon(void)
{
    if (machine.real || machine.cpu_count == 1)
        return;
    atomic_store_explicit(&machine.due, 0, memory_order_relaxed);
    atomic_store_explicit(&machine.next, 0, memory_order_relaxed);
}

void sim_cpu_raise(struct cpu *cpu, enum hal_irq line)
{
    sim_cpu_attend(cpu, 1u << line);
    look_soon();
}

/* Has it look at its bits again: a look at its timer does no harm. */
static void wake(struct cpu *cpu)
{
    if (machine.real)
        sim_cpu_attend(cpu, CPU_TIMER);
    look_soon();
}

/* ---- taking ---- */

static unsigned lowest_bit(uint32_t bits)
{
    return (unsigned)__builtin_ctz(bits);
}

/* One of `ready`: the lowest with the real clock, one that the seed picks with the virtual. */
static unsigned choose_line(uint32_t ready)
{
    if (machine.real || sim_schedule_on() || !(ready & (ready - 1)))
        return lowest_bit(ready);
    unsigned skip = (unsigned)(machine_random(RNG_STRIKE) % (unsigned)__builtin_popcount(ready));
    while (skip--)
        ready &= ready - 1;
    return lowest_bit(ready);
}

/* Takes one interrupt, masked, on the stack that was interrupted. It may end on another CPU. */
static void cpu_take(uint32_t ready)
{
    struct cpu *cpu = sim_cpu_this();
    tools_entered(true);
    unsigned line = choose_line(ready);
    cpu->strike_in = -1;
    if (line == HAL_IRQ_TIMER && !machine.real)
        sim_schedule_timer_taken(sim_cpu_number(cpu));
    atomic_fetch_and(&cpu->pending, ~(1u << line));
    atomic_fetch_add_explicit(&cpu->taken, 1, memory_order_relaxed);
    if (!machine.real)
        (void)sim_time_spend(COST_INTERRUPT);
    if (sim_trace_is_wanted())
        sim_trace_guest_event(TB_EVENT_IRQ, line, 0);
    tools_entered(false);
    hal_upcall_interrupt((enum hal_irq)line);
    tools_entered(true);
    if (line == HAL_IRQ_TIMER && !machine.real)
        sim_schedule_timer_done(sim_cpu_number(sim_cpu_this()));
    tools_entered(false);
    if (line == HAL_IRQ_UART)
        sim_uart_level();
}

void sim_cpu_take_and_unmask(void)
{
    for (;;) {
        uint32_t ready;
        while ((ready = sim_cpu_ready(sim_cpu_this())) != 0)
            cpu_take(ready);
        sim_cpu_unmask();
        if (!sim_cpu_ready(sim_cpu_this()))
            return;
        sim_cpu_mask();
    }
}

/* Virtual clock: of the deliverable interrupts, those that strike at this point. */
static uint32_t who_strikes(struct cpu *cpu)
{
    uint32_t ready = sim_cpu_ready(cpu);
    if (sim_schedule_on())
        return sim_schedule_strikes(cpu, ready);
    if (ready && cpu->strike_in < 0) {
        unsigned roll = machine_random(RNG_STRIKE) & 7;
        cpu->strike_in = roll < 4 ? 0 : (int)roll - 3;
    }
    return ready && cpu->strike_in-- == 0 ? ready : 0;
}

/* Virtual clock: what is due, and whoever wants the host's thread, before this CPU goes on. */
static void keep_time(struct cpu *cpu)
{
    sim_time_catch_up();
    while ((atomic_load(&cpu->pending) & CPU_YIELD) || sim_time_now() >= machine.run_until)
        fiber_suspend_guest(cpu);
}

/* Virtual clock: whether the point is more than an occasion for watch.c, which leaves no trace. */
static bool is_due(const struct cpu *cpu)
{
    return sim_time_now() >= atomic_load_explicit(&machine.due, memory_order_relaxed) ||
           (atomic_load(&cpu->pending) & CPU_ATTENTION) ||
           machine.points >= machine.schedule.next || (!hal_irq_masked() && sim_cpu_ready(cpu));
}

static void point_virtual(void)
{
    struct cpu *cpu = sim_cpu_enter();
    if (sim_watch_attend(cpu)) {
        sim_cpu_leave();
        sim_watch_report();
        cpu = sim_cpu_enter();
    }
    if (!is_due(cpu)) {
        sim_cpu_leave();
        return;
    }
    keep_time(cpu);
    sim_schedule_point(cpu);
    if (sim_turn_is_over())
        sim_turn_choose(cpu);
    uint32_t ready = hal_irq_masked() ? 0 : who_strikes(cpu);
    sim_cpu_leave();
    if (ready) {
        sim_cpu_mask();
        cpu_take(ready);
        sim_cpu_unmask();
    }
}

static long attend_work(void *unused)
{
    (void)unused;
    sim_cpu_attend_real();
    return 0;
}

static void point_real(void)
{
    /* Again, because what arrives while it is entered says so by nothing but its bit. */
    while (atomic_load(&sim_cpu_this()->pending) & CPU_ATTENTION) {
        struct cpu *cpu = sim_cpu_enter();
        fiber_call_host(cpu, attend_work, NULL);
        if (atomic_load(&cpu->pending) & CPU_CUT)
            fiber_abandon_guest(cpu);
        sim_cpu_leave();
    }
    if (hal_irq_masked())
        return;
    /* Before the bits are looked at: who sets one from now on sets the flag again. */
    HAL_CPU_FACE_SET(look, 0);
    if (sim_cpu_ready(sim_cpu_this())) {
        sim_cpu_mask();
        sim_cpu_take_and_unmask();
    }
}

void sim_cpu_point_slow(void)
{
    if (machine.real)
        point_real();
    else
        point_virtual();
}

void sim_cpu_attend_real(void)
{
    struct cpu *cpu = sim_cpu_this();
    for (;;) {
        atomic_store(&cpu->asleep, true);
        uint32_t pending = atomic_load(&cpu->pending);
        if (!(pending & CPU_PAUSE) || (pending & CPU_CUT))
            break;
        outside_parked();
        host_word_wait(&cpu->pending, pending, HOST_NEVER);
    }
    atomic_store(&cpu->asleep, false);
    /* After parking, since the clock has stood still until then. */
    if (atomic_load(&cpu->pending) & CPU_TIMER) {
        atomic_fetch_and(&cpu->pending, ~(uint32_t)CPU_TIMER);
        sim_time_check_timer(cpu);
    }
}

/* ---- the contract ---- */

void hal_cpu_point(void)
{
    if (machine.real)
        point_real(); /* to the end, where the flag is cleared */
    else
        sim_cpu_point(COST_MASK);
}

void *hal_cpu_point_with(void *result)
{
    hal_cpu_point();
    return result;
}

void hal_irq_unmask(void)
{
    hal_irq_restore(0);
}

/* Who takes `line`, if `self` speaks of it. */
static struct cpu *taker(enum hal_irq line, struct cpu *self)
{
    return line == HAL_IRQ_TIMER || line == HAL_IRQ_IPI ? self : &machine.cpu[0];
}

void hal_irq_enable(enum hal_irq line)
{
    struct cpu *self = sim_cpu_enter(), *cpu = taker(line, self);
    atomic_fetch_or(&cpu->enabled, 1u << line);
    sim_cpu_look();
    if (cpu != self && (atomic_load(&cpu->pending) & 1u << line))
        wake(cpu);
    sim_cpu_leave();
    sim_cpu_point(COST_MASK);
}

void hal_irq_disable(enum hal_irq line)
{
    atomic_fetch_and(&taker(line, sim_cpu_enter())->enabled, ~(1u << line));
    sim_cpu_leave();
    sim_cpu_point(COST_MASK);
}

/* Real clock: the CPU that is waited for may wait itself, for a processor of the host. */
static void give_way(void)
{
    enum { PATIENCE = 64 };
    if (++sim_cpu_enter()->relaxes % PATIENCE == 0)
        host_yield();
    sim_cpu_leave();
}

void hal_cpu_relax(void)
{
    if (!machine.real) {
        tools_entered(true);
        sim_schedule_relax(); /* no other processor is at it that would want a pause */
        tools_entered(false);
    } else {
        __builtin_ia32_pause();
        if (machine.cpu_count > 1)
            give_way();
    }
    sim_cpu_point(COST_RELAX);
}

unsigned hal_cpu_count(void)
{
    return machine.cpu_count;
}

static long start_work(void *argument)
{
    struct cpu *cpu = argument;
    if (atomic_load(&cpu->started) || atomic_load(&machine.power) != POWER_ON)
        return -EBUSY;
    machine_start_cpu(cpu);
    if (outside_cpu_started(cpu) < 0) {
        atomic_store(&cpu->started, false);
        return -ENOSYS;
    }
    look_soon();
    return 0;
}

int hal_cpu_start(unsigned cpu)
{
    if (cpu == 0 || cpu >= machine.cpu_count)
        return -EINVAL;
    return (int)sim_cpu_host(start_work, &machine.cpu[cpu], COST_DEVICE);
}

void hal_cpu_ipi(unsigned cpu)
{
    (void)sim_cpu_enter();
    if (cpu < machine.cpu_count && atomic_load(&machine.cpu[cpu].started))
        sim_cpu_raise(&machine.cpu[cpu], HAL_IRQ_IPI);
    sim_cpu_leave();
    sim_cpu_point(COST_MASK);
}

/* ---- idling ---- */

/* Real clock: sleeps until a bit is set. Once nothing could set one by itself, says so. */
static long idle_real(void *argument)
{
    struct cpu *cpu = argument;
    for (;;) {
        atomic_store(&cpu->asleep, true);
        uint32_t pending = atomic_load(&cpu->pending);
        if (pending & (cpu->enabled | CPU_ATTENTION))
            break;
        if (cpu->deadline == HAL_TIME_NEVER)
            outside_stuck();
        host_word_wait(&cpu->pending, pending, HOST_NEVER);
    }
    atomic_store(&cpu->asleep, false);
    sim_time_idle_end(cpu);
    sim_cpu_attend_real();
    return 0;
}

static long skip_and_idle(void *cpu)
{
    sim_live_idles();
    sim_time_skip_idle(cpu);
    return idle_real(cpu);
}

/* Virtual clock: the others go on. When there are none, time jumps to the next event, or to where
 * tb_run_* wants control back. */
static void idle_virtual(struct cpu *cpu)
{
    while (!sim_cpu_ready(cpu)) {
        if (sim_turn_give(cpu))
            continue;
        uint64_t event = sim_time_next_event();
        if (event == HAL_TIME_NEVER)
            outside_stuck();
        sim_time_skip_to(event < machine.run_until ? event : machine.run_until);
        keep_time(cpu);
    }
    sim_time_idle_end(cpu);
    if (machine.cpu_count > 1)
        sim_turn_choose(cpu);
}

void hal_cpu_idle(void)
{
    struct cpu *cpu = sim_cpu_this();
    (void)sim_cpu_enter();
    sim_time_idle_begin(cpu);
    if (machine.real)
        fiber_call_host(cpu, skip_and_idle, cpu);
    else
        idle_virtual(cpu);
    sim_cpu_leave();
    sim_cpu_point(0);
    uint32_t ready = sim_cpu_ready(cpu);
    if (ready)
        cpu_take(ready);
}
