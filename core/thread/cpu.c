/* SPDX-License-Identifier: MIT */
/*
 * cpu.c: the table of CPUs, and how one CPU has the others stand still: for a panic or the debug
 * shell, which want to see the kernel as it was at that moment.
 *
 * Who wants to stop the others enters its number in `by` and interrupts them. They park in the
 * handler of the interrupt, masked, until `by` is 0 again. Of two that want it at the same time one
 * comes first; the other parks, and has its turn afterwards if there is one.
 */
#include "thread/cpu.h"

#include <hal/context.h>
#include <hal/cpu.h>
#include <hal/kstate.h>
#include <hal/time.h>

#define STOP_PATIENCE_NS 100000000u /* for an interrupt to be taken */

KSTATE struct cpu cpu_table[HAL_CPU_MAX];
static KSTATE uint32_t online; /* atomic */

static KSTATE struct stop_state {
    unsigned by;     /* atomic: number + 1 of the CPU that stopped the others, 0: nobody did */
    uint32_t parked; /* atomic: a bit for each CPU that stands still */
} stop;

uint32_t cpu_online(void)
{
    return __atomic_load_n(&online, __ATOMIC_ACQUIRE);
}

unsigned cpu_count_online(void)
{
    unsigned count = 0;

    for (uint32_t left = cpu_online(); left != 0; left &= left - 1)
        count++;
    return count;
}

void cpu_set_online(void)
{
    __atomic_or_fetch(&online, 1u << hal_cpu_id(), __ATOMIC_RELEASE);
}

/* ---- standing still ---- */

static unsigned stopped_by(void)
{
    return __atomic_load_n(&stop.by, __ATOMIC_ACQUIRE);
}

static void park(void)
{
    struct cpu *cpu = cpu_here();

    cpu->stopped_depth = (unsigned)hal_context_backtrace(0, cpu->stopped_at, CPU_BACKTRACE_MAX);
    __atomic_or_fetch(&stop.parked, 1u << cpu->id, __ATOMIC_RELEASE);
    while (stopped_by() != 0)
        hal_cpu_relax();
    __atomic_and_fetch(&stop.parked, ~(1u << cpu->id), __ATOMIC_RELEASE);
}

bool cpu_stand_still(void)
{
    return stopped_by() != 0;
}

void cpu_stop_interrupt(void)
{
    unsigned by = stopped_by();

    if (by != 0 && by != hal_cpu_id() + 1)
        park();
}

static void await_parked(uint32_t others)
{
    uint64_t deadline = hal_time_now() + STOP_PATIENCE_NS;

    while ((__atomic_load_n(&stop.parked, __ATOMIC_ACQUIRE) & others) != others &&
           hal_time_now() < deadline)
        hal_cpu_relax();
}

bool cpu_stop_others(void)
{
    unsigned me = hal_cpu_id() + 1, by = 0;
    uint32_t others = cpu_online() & ~(1u << (me - 1));

    while (!__atomic_compare_exchange_n(&stop.by, &by, me, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE)) {
        if (by == me)
            return false;
        park();
        by = 0;
    }
    for (unsigned id = 0; id < HAL_CPU_MAX; id++)
        if (others >> id & 1)
            hal_cpu_ipi(id);
    if (others)
        await_parked(others);
    return true;
}

void cpu_resume_others(void)
{
    __atomic_store_n(&stop.by, 0, __ATOMIC_RELEASE);
}

bool cpu_stopped(unsigned id)
{
    return __atomic_load_n(&stop.parked, __ATOMIC_ACQUIRE) >> id & 1;
}
