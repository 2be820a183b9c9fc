/* SPDX-License-Identifier: MIT */
/*
 * intc.c: the two interrupt controllers, and how their sources become the lines of <hal/irq.h>.
 *
 * Each core has a little controller in the local block: it sees the core's own timer, its four
 * mailboxes and one wire for all devices of the GPU side. Behind that wire (routed to core 0) the
 * older controller of the first Pi has 64 sources in two registers. Its third register, "basic",
 * repeats some of them as shortcuts that do not show in its summary bits; reading the two full
 * registers needs none of that.
 *
 * Some lines have no wire of their own: the end of a card request is known only after the backend
 * has run its state machine, and a serial port does not interrupt for "there is still room". For
 * them, and for IPIs, mailbox 0 of a core carries one bit a line. What arrives for a disabled line
 * is kept in `intc_latched` until it is enabled.
 *
 * One exception delivers one line: after the upcall, which may have switched threads in between,
 * nothing that was read before is trusted; what is still pending interrupts again at once.
 *
 * Source: QA7 rev 3.4, sections 3 and 4; BCM2837 ARM Peripherals, section 7.
 */
#include "soc/intc.h"
#include "board/uart.h"
#include "sd/block.h"
#include "soc/bcm2837.h"
#include "soc/gpio.h"
#include "soc/timer.h"

#include <hal/cpu.h>
#include <hal/machine.h>
#include <hal/upcall.h>
#include <pi3/mmio.h>

#define ARMCTRL_PENDING(n) (ARMCTRL_BASE + 0x04u + 4u * (n))
#define ARMCTRL_ENABLE(n) (ARMCTRL_BASE + 0x10u + 4u * (n))
#define ARMCTRL_DISABLE(n) (ARMCTRL_BASE + 0x1cu + 4u * (n))
#define ARMCTRL_FIQ (ARMCTRL_BASE + 0x0cu)
#define ARMCTRL_BASIC_OFF (ARMCTRL_BASE + 0x24u)

#define LOCAL_GPU_ROUTING (LOCAL_BASE + 0x0cu)
#define LOCAL_TIMER_CONTROL(n) (LOCAL_BASE + 0x40u + 4u * (n))
#define LOCAL_MAILBOX_CONTROL(n) (LOCAL_BASE + 0x50u + 4u * (n))
#define LOCAL_SOURCE(n) (LOCAL_BASE + 0x60u + 4u * (n))
#define LOCAL_MAILBOX_SET(n) (LOCAL_BASE + 0x80u + 16u * (n))
#define LOCAL_MAILBOX_CLEAR(n) (LOCAL_BASE + 0xc0u + 16u * (n))

#define SOURCE_VIRTUAL_TIMER (1u << 3)
#define FAST_PHYSICAL_TIMER (1u << 5) /* of LOCAL_TIMER_CONTROL: as FIQ */
#define SOURCE_MAILBOX_0 (1u << 4)
#define SOURCE_GPU (1u << 8)

/** By CPU, one bit a line. Only CPU 0's words count for lines that are not a CPU's own. */
static uint32_t intc_enabled[HAL_CPU_MAX];
static uint32_t intc_latched[HAL_CPU_MAX];
/** By CPU: what its LOCAL_TIMER_CONTROL holds. Its own only, masked. */
static uint32_t intc_timers[HAL_CPU_MAX];
/** The GPU's interrupts that are let through, by number. */
static uint64_t intc_gpu_enabled;

static unsigned intc_owner(enum hal_irq line)
{
    return line == HAL_IRQ_TIMER || line == HAL_IRQ_IPI ? hal_cpu_id() : 0;
}

/** Lets a timer of this CPU through, or not. Masked. */
static void intc_route_timer(unsigned cpu, uint32_t bit, bool on)
{
    intc_timers[cpu] = on ? intc_timers[cpu] | bit : intc_timers[cpu] & ~bit;
    mmio_barrier();
    mmio_write(LOCAL_TIMER_CONTROL(cpu), intc_timers[cpu]);
    mmio_barrier();
}

void intc_route_watch(bool on)
{
    intc_route_timer(hal_cpu_id(), FAST_PHYSICAL_TIMER, on);
}

void intc_start_cpu(unsigned cpu)
{
    mmio_barrier();
    mmio_write(LOCAL_TIMER_CONTROL(cpu), 0);
    mmio_write(LOCAL_MAILBOX_CLEAR(cpu), 0xffffffff);
    mmio_write(LOCAL_MAILBOX_CONTROL(cpu), 1);
    mmio_barrier();
}

void intc_start(void)
{
    mmio_barrier();
    mmio_write(ARMCTRL_FIQ, 0);
    mmio_write(ARMCTRL_DISABLE(0), 0xffffffff);
    mmio_write(ARMCTRL_DISABLE(1), 0xffffffff);
    mmio_write(ARMCTRL_BASIC_OFF, 0xff);
    mmio_barrier();
    mmio_write(LOCAL_GPU_ROUTING, 0);
    intc_start_cpu(0);
    intc_enable_gpu(GPU_IRQ_SYSTIMER_1);
}

void intc_enable_gpu(unsigned irq)
{
    __atomic_fetch_or(&intc_gpu_enabled, UINT64_C(1) << irq, __ATOMIC_SEQ_CST);
    mmio_barrier();
    mmio_write(ARMCTRL_ENABLE(irq / 32), 1u << irq % 32);
    mmio_barrier();
}

void intc_disable_gpu(unsigned irq)
{
    __atomic_fetch_and(&intc_gpu_enabled, ~(UINT64_C(1) << irq), __ATOMIC_SEQ_CST);
    mmio_barrier();
    mmio_write(ARMCTRL_DISABLE(irq / 32), 1u << irq % 32);
    mmio_barrier();
}

void intc_poke(unsigned cpu, enum hal_irq line)
{
    __asm__ volatile("dsb ishst" ::: "memory");
    mmio_barrier();
    mmio_write(LOCAL_MAILBOX_SET(cpu), 1u << line);
    mmio_barrier();
}

void intc_drop_pokes(unsigned cpu)
{
    mmio_write(LOCAL_MAILBOX_CLEAR(cpu), mmio_read(LOCAL_MAILBOX_CLEAR(cpu)));
    __asm__ volatile("dsb sy" ::: "memory");
}

static void intc_enable_wire(enum hal_irq line, unsigned cpu)
{
    switch (line) {
    case HAL_IRQ_TIMER:
        intc_route_timer(cpu, SOURCE_VIRTUAL_TIMER, true);
        break;
    case HAL_IRQ_UART:
        intc_enable_gpu(board_uart_gpu_irq());
        break;
    case HAL_IRQ_GPIO:
        intc_enable_gpu(GPU_IRQ_GPIO_0);
        break;
    default:
        break;
    }
}

static void intc_disable_wire(enum hal_irq line, unsigned cpu)
{
    switch (line) {
    case HAL_IRQ_TIMER:
        intc_route_timer(cpu, SOURCE_VIRTUAL_TIMER, false);
        break;
    case HAL_IRQ_UART:
        intc_disable_gpu(board_uart_gpu_irq());
        break;
    case HAL_IRQ_GPIO:
        intc_disable_gpu(GPU_IRQ_GPIO_0);
        break;
    default:
        break;
    }
}

void hal_irq_enable(enum hal_irq line)
{
    hal_irq_state_t state = hal_irq_save();
    unsigned cpu = intc_owner(line);
    uint32_t bit = 1u << line;

    __atomic_fetch_or(&intc_enabled[cpu], bit, __ATOMIC_SEQ_CST);
    intc_enable_wire(line, cpu);
    if ((__atomic_fetch_and(&intc_latched[cpu], ~bit, __ATOMIC_SEQ_CST) & bit) != 0) {
        intc_poke(cpu, line);
    }
    hal_irq_restore(state);
}

void hal_irq_disable(enum hal_irq line)
{
    hal_irq_state_t state = hal_irq_save();
    unsigned cpu = intc_owner(line);

    __atomic_fetch_and(&intc_enabled[cpu], ~(1u << line), __ATOMIC_SEQ_CST);
    intc_disable_wire(line, cpu);
    __asm__ volatile("dsb sy" ::: "memory");
    hal_irq_restore(state);
}

static bool intc_is_enabled(unsigned cpu, enum hal_irq line)
{
    return (__atomic_load_n(&intc_enabled[cpu], __ATOMIC_SEQ_CST) >> line & 1u) != 0;
}

static void intc_deliver(enum hal_irq line)
{
    mmio_barrier();
    hal_upcall_interrupt(line);
    mmio_barrier();
}

/** A bit in the mailbox: takes the lowest and leaves the others for the next exception. */
static void intc_take_poke(unsigned cpu)
{
    uint32_t pokes = mmio_read(LOCAL_MAILBOX_CLEAR(cpu));

    if (pokes == 0) {
        return;
    }
    enum hal_irq line = (enum hal_irq)__builtin_ctz(pokes);
    mmio_write(LOCAL_MAILBOX_CLEAR(cpu), 1u << line);
    if (!intc_is_enabled(cpu, line)) {
        __atomic_fetch_or(&intc_latched[cpu], 1u << line, __ATOMIC_SEQ_CST);
    } else if (line != HAL_IRQ_UART || board_uart_take_poke()) {
        intc_deliver(line);
    }
}

static bool intc_has(uint64_t pending, unsigned irq)
{
    return (pending >> irq & 1u) != 0;
}

/** One of the GPU's sources. The card's and the pause's are the backend's own and end in a poke. */
static void intc_take_gpu(void)
{
    uint32_t low = mmio_read(ARMCTRL_PENDING(0));
    uint32_t high = mmio_read(ARMCTRL_PENDING(1));
    uint64_t enabled = __atomic_load_n(&intc_gpu_enabled, __ATOMIC_SEQ_CST);
    uint64_t pending = ((uint64_t)high << 32 | low) & enabled;

    if (intc_has(pending, GPU_IRQ_EMMC) || intc_has(pending, GPU_IRQ_DMA_5) ||
        intc_has(pending, GPU_IRQ_SYSTIMER_3)) {
        sd_block_take_interrupt();
    } else if (intc_has(pending, GPU_IRQ_SYSTIMER_1)) {
        board_uart_take_pace();
    } else if (intc_has(pending, GPU_IRQ_GPIO_0)) {
        if (soc_gpio_take_interrupt()) {
            intc_deliver(HAL_IRQ_GPIO);
        }
    } else if (intc_has(pending, board_uart_gpu_irq())) {
        if (board_uart_take_interrupt()) {
            intc_deliver(HAL_IRQ_UART);
        }
    }
}

void intc_take(void)
{
    unsigned cpu = hal_cpu_id();

    mmio_barrier();
    uint32_t source = mmio_read(LOCAL_SOURCE(cpu));
    if ((source & SOURCE_VIRTUAL_TIMER) != 0) {
        if (soc_timer_take_interrupt()) {
            intc_deliver(HAL_IRQ_TIMER);
        }
    } else if ((source & SOURCE_MAILBOX_0) != 0) {
        intc_take_poke(cpu);
    } else if ((source & SOURCE_GPU) != 0) {
        intc_take_gpu();
    }
    mmio_barrier();
}
