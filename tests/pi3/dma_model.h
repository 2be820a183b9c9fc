/* SPDX-License-Identifier: MIT */
/*
 * dma_model.h: channel 5 of the DMA controller on the fake bus, connected to the card's controller.
 *
 * The channel moves data when it is told to (dma_step), so that a test sees what the processor does
 * meanwhile. What the driver does to the cache is written down in the trace:
 *
 *     flush 2001c040 512      mmu_flush: physical address and bytes
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct dma_model {
    bool stalls;            /**< it moves nothing, for ever */
    bool fails;             /**< it ends with an error instead of its first step */
    unsigned started;       /**< how often */
    unsigned words;         /**< moved */
    uint32_t blocks[32][6]; /**< the control blocks of the last transfer: info to next */
    unsigned block_count;
};

extern struct dma_model dma;

/** A fresh channel on the bus. */
void dma_setup(void);

/** Moves up to half a sector, if the card has or takes that much. False: nothing was moved. */
bool dma_step(void);

/** True while a transfer is under way. */
bool dma_is_active(void);

/** The interrupt wire of the channel. */
bool dma_interrupts(void);
