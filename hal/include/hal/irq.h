/* SPDX-License-Identifier: MIT */
/*
 * irq.h: the interrupt lines, by what they mean; how the machine numbers them is the backend's.
 *
 * A line that is enabled and becomes pending calls hal_upcall_interrupt(line) on a CPU that has
 * interrupts unmasked. The backend quiets the source as far as needed for the line not to be taken
 * again for the same cause; the driver in core then looks at the device. TIMER and IPI belong to
 * each CPU; the others are taken by CPU 0. Every line is disabled at power-on.
 */
#pragma once

enum hal_irq {
    HAL_IRQ_TIMER,   /**< this CPU's deadline of time.h has passed */
    HAL_IRQ_UART,    /**< input has arrived, or there is room for output (uart.h) */
    HAL_IRQ_BLOCK,   /**< a request of block.h is done */
    HAL_IRQ_GPIO,    /**< a watched edge was seen on a pin (gpio.h) */
    HAL_IRQ_DISPLAY, /**< a new frame begins, where the display can tell (display.h) */
    HAL_IRQ_IPI,     /**< another CPU, or this one, called hal_cpu_ipi */
    HAL_IRQ_LINES    /**< how many there are */
};

/**
 * Lets `line` interrupt. For TIMER and IPI: on this CPU. Any context.
 *
 * If its cause is present already, the interrupt is taken as soon as interrupts are unmasked.
 */
void hal_irq_enable(enum hal_irq line);

/**
 * Keeps `line` from interrupting; its cause is remembered until it is enabled again.
 *
 * Any context. After it returns no new hal_upcall_interrupt(line) starts on this CPU; one that runs
 * on another CPU may still be running.
 */
void hal_irq_disable(enum hal_irq line);
