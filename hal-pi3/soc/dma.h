/* SPDX-License-Identifier: MIT */
/*
 * dma.h: one channel of the DMA controller, which moves data between a device and memory while the
 * processor does something else.
 *
 * A transfer is put together piece by piece and then goes by itself, at the pace that the device
 * asks for data. Nobody here takes a lock; one transfer is under way at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DMA_PIECES 32u
/** Memory is moved by whole lines of the cache, or the cache would spoil what lies beside it. */
#define DMA_ALIGN 64u

enum dma_way { DMA_FROM_DEVICE, DMA_TO_DEVICE };
enum dma_state { DMA_RUNNING, DMA_DONE, DMA_FAILED };

/** Makes the channel ready. Once, before the first transfer. */
void dma_start(void);

/** Begins to put a transfer together: `device` is the bus address of its data register, `line` the
 * number of its request for data. */
void dma_prepare(enum dma_way way, uint32_t device, unsigned line);

/** Adds memory: RAM whose address and size are multiples of DMA_ALIGN; DMA_PIECES at most. */
void dma_add(void *memory, uint32_t bytes);

/** The transfer goes. It ends in GPU_IRQ_DMA_5. */
void dma_go(void);

/** Takes note of that interrupt, and says what has become of the transfer. What came from the
 * device can be read once this is DMA_DONE. */
enum dma_state dma_look(void);

/** Something that changes while data is moving. */
uint32_t dma_position(void);

/** Ends whatever is under way: no memory is touched any more. */
void dma_stop(void);
