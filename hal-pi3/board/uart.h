/* SPDX-License-Identifier: MIT */
/*
 * uart.h: the console's serial port, between the port's registers and <hal/uart.h>.
 */
#pragma once

#include <stdbool.h>

/** Which port carries the console: `console=` in the kernel command line. */
enum uart_choice {
    UART_PL011, /**< console=serial0, and without the word: QEMU's first serial port */
    UART_MINI   /**< console=serial1: QEMU's second */
};

/** Sets the port up. At boot, on CPU 0, after intc_start. */
void board_uart_start(enum uart_choice choice);

/** The port's interrupt in the GPU's list. */
unsigned board_uart_gpu_irq(void);

/** The port interrupted: quiets what core has to look at first. True when core is to be told. */
bool board_uart_take_interrupt(void);

/** The poke that stands for "there is room" arrived. True when core is to be told. */
bool board_uart_take_poke(void);

/** GPU_IRQ_SYSTIMER_1 was taken: room may be reported again. */
void board_uart_take_pace(void);

/** Waits until all output has left on the wire, 20 ms at most. Any context. */
void board_uart_flush(void);
