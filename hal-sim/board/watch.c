/* SPDX-License-Identifier: MIT */
/*
 * watch.c: hal_cpu_watch: a CPU that keeps interrupts masked is found out.
 *
 * With the real clock the host does that (host/watch.c). With the virtual clock it is a matter of
 * machine time, so that it repeats. Four times in the time that is too long all CPUs are looked at:
 * a look sets CPU_PROBE, the first interrupt point at which the CPU is unmasked or idles takes it
 * away, and if four looks in a row find it, the CPU has been masked since the first of them.
 *
 * Looking must not change the run, because not every build watches: it takes no time, uses no
 * chance, and is no occasion for anything else (is_due in cpu.c).
 */
#include "board/machine.h"

#include "host/host.h"

#include <hal/upcall.h>

enum { LOOKS = 4 };

void sim_watch_reset(void)
{
    machine.watch_at = HAL_TIME_NEVER;
}

static void clear(struct cpu *cpu)
{
    cpu->looks = 0;
    atomic_fetch_and(&cpu->pending, ~(uint32_t)CPU_PROBE);
}

void sim_watch_idle(struct cpu *cpu)
{
    if (atomic_load_explicit(&cpu->pending, memory_order_relaxed) & CPU_PROBE)
        clear(cpu);
}

/* The length of time between two looks. */
static uint64_t interval(void)
{
    uint64_t least = HAL_TIME_NEVER;
    for (unsigned i = 0; i < machine.cpu_count; i++)
        if (machine.cpu[i].watch && machine.cpu[i].watch < least)
            least = machine.cpu[i].watch;
    return least / LOOKS;
}

static void look(struct cpu *cpu)
{
    if (!cpu->watch || !atomic_load(&cpu->started) || atomic_load(&cpu->idle))
        return;
    if (!(atomic_fetch_or(&cpu->pending, CPU_PROBE) & CPU_PROBE)) {
        cpu->looks = 0;
    } else if (++cpu->looks >= LOOKS) {
        clear(cpu);
        atomic_fetch_or(&cpu->pending, CPU_STALL);
    }
}

/* Has the next look take place at its time. */
static void plan(uint64_t now)
{
    uint64_t wait = interval();
    machine.watch_at = wait > HAL_TIME_NEVER / LOOKS - 1 ? HAL_TIME_NEVER : now + wait;
    sim_time_plan();
}

static void look_at_all(uint64_t now)
{
    for (unsigned i = 0; i < machine.cpu_count; i++)
        look(&machine.cpu[i]);
    uint64_t due = atomic_load_explicit(&machine.due, memory_order_relaxed);
    machine.watch_at = now + interval();
    atomic_store_explicit(&machine.next, due < machine.watch_at ? due : machine.watch_at,
                          memory_order_relaxed);
}

bool sim_watch_attend(struct cpu *cpu)
{
    uint64_t now = sim_time_now();
    if (now >= machine.watch_at)
        look_at_all(now);
    if (!hal_irq_masked())
        sim_watch_idle(cpu);
    uint32_t pending = atomic_fetch_and(&cpu->pending, ~(uint32_t)CPU_STALL);
    return (pending & CPU_STALL) && hal_irq_masked();
}

/* The frames up to the HAL's function that the guest has called are in the backtrace, too. */
HAL_NOINLINE void sim_watch_report(void)
{
    struct hal_fault fault = {.kind = HAL_FAULT_STALL,
                              .address = sim_cpu_this()->watch,
                              .pc = (uintptr_t)__builtin_return_address(0),
                              .frame = *(uintptr_t *)__builtin_frame_address(0),
                              .detail = SIM_STALL_MASKED};
    hal_irq_state_t masked = hal_irq_save();
    if (!sim_fault(&fault))
        hal_board_stop(HAL_STOP_PANIC, 0);
    hal_irq_restore(masked);
}

static long watch_work(void *argument)
{
    struct cpu *cpu = sim_cpu_this();
    cpu->watch = *(const uint64_t *)argument;
    clear(cpu);
    if (machine.real)
        return host_watch_start(cpu, cpu->watch);
    plan(sim_time_now());
    return 0;
}

void hal_cpu_watch(uint64_t ns)
{
    (void)sim_cpu_host(watch_work, &ns, COST_DEVICE);
}
