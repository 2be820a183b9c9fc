/* SPDX-License-Identifier: MIT */
/*
 * cpu.c: the four processors: masking, waiting, and starting the other three.
 *
 * At boot the others are called out of the firmware's stub (where QEMU would burn the host's time
 * on them), brought up to the upper half, and parked in wfi on a stack of their own. hal_cpu_start
 * marks one as wanted and pokes its mailbox, whose interrupt ends the wfi although it is masked.
 */
#include "arch/cpu.h"
#include "arch/mmu.h"
#include "arch/tables.h"
#include "soc/intc.h"
#include "soc/timer.h"
#include "soc/watch.h"

#include <hal/cpu.h>
#include <hal/errno.h>
#include <hal/machine.h>
#include <hal/upcall.h>
#include <pi3/mmio.h>

/** One 64-bit slot a CPU, in the firmware's stub: the address to jump to. Slot 0 is not used. */
#define SPIN_TABLE 0xd8u
#define SPIN_WAIT_MICROS 20000u

enum cpu_phase { CPU_ABSENT, CPU_PARKED, CPU_WANTED, CPU_RUNNING };

static uint8_t cpu_phases[HAL_CPU_MAX];

/** CPU 0's is used from boot to the end; the others' from their first C code on. */
char boot_stacks[HAL_CPU_MAX * BOOT_STACK_BYTES] __attribute__((aligned(4096)));

void hal_irq_unmask(void)
{
    __asm__ volatile("msr daifclr, #3" ::: "memory"); /* FIQ, too: see soc/watch.c */
}

void hal_cpu_idle(void)
{
    soc_watch_pause();
    /* wfi ends on a pending interrupt although it is masked, so nothing slips between. */
    __asm__ volatile("dsb sy\n\twfi" ::: "memory");
    soc_watch_resume(); /* before what is taken here switches threads */
    __asm__ volatile("msr daifclr, #2\n\tisb\n\tmsr daifset, #2" ::: "memory");
}

void hal_cpu_relax(void)
{
    __asm__ volatile("yield" ::: "memory");
}

unsigned hal_cpu_count(void)
{
    return HAL_CPU_MAX;
}

void hal_cpu_breakpoint(void)
{
    __asm__ volatile("brk #0" ::: "memory");
}

static void cpu_set_phase(unsigned cpu, enum cpu_phase phase)
{
    __atomic_store_n(&cpu_phases[cpu], (uint8_t)phase, __ATOMIC_RELEASE);
}

static enum cpu_phase cpu_phase_of(unsigned cpu)
{
    return (enum cpu_phase)__atomic_load_n(&cpu_phases[cpu], __ATOMIC_ACQUIRE);
}

void arch_release_cpus(void)
{
    /* The stub reads its slots with caches off: the store has to reach memory, then sev. */
    for (unsigned cpu = 1; cpu < HAL_CPU_MAX; cpu++) {
        volatile uint64_t *slot = (volatile uint64_t *)(LINEAR_BASE + SPIN_TABLE + 8u * cpu);
        *slot = (uintptr_t)secondary_enter - LINEAR_BASE;
        mmu_flush((const void *)(uintptr_t)slot, sizeof *slot);
    }
    __asm__ volatile("dsb sy\n\tsev" ::: "memory");
    cpu_set_phase(0, CPU_RUNNING);
}

void machine_start_secondary(unsigned cpu)
{
    soc_timer_start_cpu();
    intc_start_cpu(cpu);
    cpu_set_phase(cpu, CPU_PARKED);
    while (cpu_phase_of(cpu) != CPU_WANTED) {
        __asm__ volatile("dsb sy\n\twfi" ::: "memory");
        intc_drop_pokes(cpu);
    }
    cpu_set_phase(cpu, CPU_RUNNING);
    hal_upcall_cpu();
}

int hal_cpu_start(unsigned cpu)
{
    uint64_t give_up = mmio_microseconds() + SPIN_WAIT_MICROS;
    uint8_t parked = CPU_PARKED;

    if (cpu == 0 || cpu >= HAL_CPU_MAX) {
        return -EINVAL;
    }
    while (cpu_phase_of(cpu) == CPU_ABSENT) {
        if (mmio_microseconds() > give_up) {
            return -ENOSYS;
        }
        hal_cpu_relax();
    }
    if (!__atomic_compare_exchange_n(&cpu_phases[cpu], &parked, (uint8_t)CPU_WANTED, false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
        return -EBUSY;
    }
    intc_poke(cpu, HAL_IRQ_IPI);
    return 0;
}

void hal_cpu_ipi(unsigned cpu)
{
    if (cpu < HAL_CPU_MAX && cpu_phase_of(cpu) == CPU_RUNNING) {
        intc_poke(cpu, HAL_IRQ_IPI);
    }
}
