/* SPDX-License-Identifier: MIT */
/*
 * timer.c: time: the processor's generic timer, and two compare registers of the system timer.
 *
 * All cores read one counter through CNTVCT_EL0 (boot.S sets its offset to zero on each) and each
 * has a comparator. Its frequency is in CNTFRQ_EL0: 19.2 MHz on the board, 62.5 MHz in QEMU. The
 * virtual timer is used because it works in EL1 whatever the level above has set up.
 *
 * Rounding is against firing early: nanoseconds from ticks round down, ticks from nanoseconds up.
 *
 * The system timer counts microseconds. Two of its four compare registers belong to the firmware.
 * Number 3 guards the card driver's waits and number 1 paces the serial port, because the timer of
 * <hal/time.h> is core's.
 *
 * Source: Arm Architecture Reference Manual, chapter D11; BCM2837 ARM Peripherals, section 12.
 */
#include "soc/timer.h"
#include "soc/bcm2837.h"

#include <hal/cpu.h>
#include <hal/time.h>
#include <pi3/mmio.h>

#define SYSTIMER_STATUS (SYSTIMER_BASE + 0x00u)
#define SYSTIMER_LOW (SYSTIMER_BASE + 0x04u)
#define SYSTIMER_COMPARE(n) (SYSTIMER_BASE + 0x0cu + 4u * (n))

#define SYSTIMER_SOON_MICROS 10u

#define NANOSECONDS UINT64_C(1000000000)
#define MICROSECONDS UINT64_C(1000000)

#define CONTROL_ENABLE (1u << 0)
#define CONTROL_STATUS (1u << 2)

static uint64_t timer_frequency;
static uint64_t timer_power_on;

static uint64_t timer_count(void)
{
    uint64_t count;

    __asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(count)::"memory");
    return count;
}

static void timer_control(uint64_t value)
{
    __asm__ volatile("msr cntv_ctl_el0, %0\n\tisb" ::"r"(value) : "memory");
}

void soc_timer_start(void)
{
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(timer_frequency));
    if (timer_frequency == 0) {
        timer_frequency = 19200000;
    }
    timer_power_on = timer_count();
    soc_timer_start_cpu();
}

void soc_timer_start_cpu(void)
{
    timer_control(0);
}

uint64_t hal_time_now(void)
{
    return soc_timer_ns(timer_count() - timer_power_on);
}

uint64_t soc_timer_ns(uint64_t ticks)
{
    return ticks / timer_frequency * NANOSECONDS +
           ticks % timer_frequency * NANOSECONDS / timer_frequency;
}

uint64_t soc_timer_ticks(uint64_t ns)
{
    uint64_t part = ns % NANOSECONDS * timer_frequency;

    return ns / NANOSECONDS * timer_frequency + (part + NANOSECONDS - 1) / NANOSECONDS;
}

void hal_timer_set(uint64_t deadline)
{
    if (deadline == HAL_TIME_NEVER) {
        timer_control(0);
        return;
    }
    /* A timer that was armed may fire between the two, and would be armed again behind that. */
    hal_irq_state_t state = hal_irq_save();
    __asm__ volatile("msr cntv_cval_el0, %0" ::"r"(soc_timer_ticks(deadline) + timer_power_on));
    timer_control(CONTROL_ENABLE);
    hal_irq_restore(state);
}

bool soc_timer_take_interrupt(void)
{
    uint64_t control;

    __asm__ volatile("mrs %0, cntv_ctl_el0" : "=r"(control));
    if ((control & CONTROL_ENABLE) == 0 || (control & CONTROL_STATUS) == 0) {
        return false;
    }
    timer_control(0);
    return true;
}

uint64_t hal_time_wall(void)
{
    return 0;
}

uint64_t mmio_microseconds(void)
{
    uint64_t ticks = timer_count();

    return ticks / timer_frequency * MICROSECONDS +
           ticks % timer_frequency * MICROSECONDS / timer_frequency;
}

void mmio_wait(unsigned microseconds)
{
    uint64_t end = mmio_microseconds() + microseconds + 1;

    while (mmio_microseconds() < end) {
        __asm__ volatile("yield");
    }
}

void systimer_arm(enum systimer_user user, uint32_t microseconds)
{
    mmio_barrier();
    mmio_write(SYSTIMER_STATUS, 1u << user);
    uint32_t at = mmio_read(SYSTIMER_LOW) + microseconds;
    mmio_write(SYSTIMER_COMPARE(user), at);
    /* It looks for the moment itself, and not for what is past: that comes again after 71 minutes.
     */
    while ((int32_t)(mmio_read(SYSTIMER_LOW) - at) >= 0 &&
           (mmio_read(SYSTIMER_STATUS) >> user & 1) == 0) {
        at = mmio_read(SYSTIMER_LOW) + SYSTIMER_SOON_MICROS;
        mmio_write(SYSTIMER_COMPARE(user), at);
    }
    mmio_barrier();
}

void systimer_quiet(enum systimer_user user)
{
    mmio_barrier();
    mmio_write(SYSTIMER_STATUS, 1u << user);
    mmio_barrier();
}
