/* SPDX-License-Identifier: MIT */
/*
 * block.h: the card's interrupts, from the interrupt controller to the request queue.
 */
#pragma once

/** GPU_IRQ_EMMC, GPU_IRQ_DMA_5 or GPU_IRQ_SYSTIMER_3 was taken: moves the transfer on. Masked, on
 * CPU 0. */
void sd_block_take_interrupt(void);
