/* SPDX-License-Identifier: MIT */
/*
 * interrupt.c: from a line to the driver behind it. The drivers do little here: they move bytes,
 * mark requests as done and wake threads. Before the interrupted code goes on, the scheduler may
 * switch.
 */
#include "block/block.h"
#include "boot/boot.h"
#include "dev/gpio.h"
#include "dev/stream/stream.h"
#include "lib/trace.h"
#include "mem/frame.h"
#include "mem/reclaim.h"
#include "thread/cpu.h"
#include "thread/run.h"
#include "thread/thread.h"
#include "tty/tty.h"

#include <hal/cpu.h>
#include <hal/time.h>
#include <hal/upcall.h>

static void dispatch(enum hal_irq line)
{
    switch (line) {
    case HAL_IRQ_TIMER:
        run_timer_interrupt();
        break;
    case HAL_IRQ_UART:
        tty_interrupt();
        stream_interrupt();
        break;
    case HAL_IRQ_BLOCK:
        block_interrupt();
        break;
    case HAL_IRQ_GPIO:
        gpio_interrupt();
        break;
    case HAL_IRQ_IPI: /* another CPU, or this one's past, wants one of these */
        cpu_stop_interrupt();
        run_ipi_interrupt();
        frame_interrupt();
        reclaim_interrupt();
        break;
    default:
        break;
    }
}

void hal_upcall_interrupt(enum hal_irq line)
{
    struct cpu *cpu = cpu_here();

    ktrace_event(HAL_TRACE_INTERRUPT, hal_time_now(), line, 0);
    cpu->interrupts++;
    dispatch(line);
    cpu->interrupts--;
    ktrace_event(HAL_TRACE_END, hal_time_now(), line, 0);
    run_interrupt_exit();
}

void hal_upcall_cpu(void)
{
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_irq_enable(HAL_IRQ_IPI);
    hal_cpu_watch(boot_watch());
    thread_enter_cpu();
}
