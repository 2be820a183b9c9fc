/* SPDX-License-Identifier: MIT */
/*
 * watch.c: hal_cpu_watch: a CPU that keeps interrupts masked is found out, by an interrupt that it
 * does not mask.
 *
 * The processor knows two kinds of interrupts, IRQ and FIQ, with a bit of the mask for each. The
 * kernel masks IRQ only. The one source of FIQ is the processor's physical timer (the virtual one
 * is <hal/time.h>'s), which the core's little interrupt controller sends that way.
 *
 * It fires four times in the time that is too long. Each time that it finds IRQ masked it pokes the
 * CPU's own mailbox, so that an interrupt waits; next time it sees whether any was taken since. If
 * four times in a row none was, the CPU has been masked since the first. Each time counts from the
 * last one that was really taken, so under an emulator whose host is busy it comes later, and says
 * nothing wrong.
 *
 * Source: Arm Architecture Reference Manual, chapter D11; QA7 rev 3.4, section 4.6.
 */
#include "soc/watch.h"
#include "soc/intc.h"
#include "soc/timer.h"

#include <hal/cpu.h>
#include <hal/machine.h>

#define LOOKS 4u
#define CONTROL_ENABLE 1u

/** Each CPU's own. */
static struct watch {
    uint64_t ns; /**< what is too long; 0: nobody asks */
    uint32_t taken, seen;
    unsigned looks; /**< in a row */
} watches[HAL_CPU_MAX];

static void watch_control(uint64_t value)
{
    __asm__ volatile("msr cntp_ctl_el0, %0\n\tisb" ::"r"(value) : "memory");
}

static void watch_arm(const struct watch *watch)
{
    uint64_t now;

    __asm__ volatile("isb\n\tmrs %0, cntpct_el0" : "=r"(now)::"memory");
    __asm__ volatile("msr cntp_cval_el0, %0" ::"r"(now + soc_timer_ticks(watch->ns / LOOKS)));
    watch_control(CONTROL_ENABLE);
}

void soc_watch_interrupt(void)
{
    watches[hal_cpu_id()].taken++;
}

uint64_t soc_watch_take(bool masked)
{
    struct watch *watch = &watches[hal_cpu_id()];
    bool stays = masked && watch->taken == watch->seen;

    watch->seen = watch->taken;
    watch->looks = stays ? watch->looks + 1 : 0;
    if (watch->ns == 0) {
        watch_control(0);
        return 0;
    }
    if (masked)
        intc_poke(hal_cpu_id(), HAL_IRQ_IPI);
    watch_arm(watch);
    if (watch->looks < LOOKS)
        return 0;
    watch->looks = 0;
    return watch->ns;
}

void soc_watch_pause(void)
{
    if (watches[hal_cpu_id()].ns != 0)
        watch_control(0);
}

void soc_watch_resume(void)
{
    struct watch *watch = &watches[hal_cpu_id()];

    if (watch->ns == 0)
        return;
    watch->looks = 0;
    watch_arm(watch);
}

void hal_cpu_watch(uint64_t ns)
{
    hal_irq_state_t state = hal_irq_save();

    soc_watch_pause();
    watches[hal_cpu_id()].ns = ns;
    intc_route_watch(ns != 0);
    soc_watch_resume();
    hal_irq_restore(state);
    __asm__ volatile("msr daifclr, #1" ::: "memory");
}
