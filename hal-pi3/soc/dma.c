/* SPDX-License-Identifier: MIT */
/*
 * dma.c: channel 5 of the DMA controller.
 *
 * A channel works through a chain of control blocks in memory, one for each piece here:
 *
 *     TI | source | destination | bytes | stride | next | 0 | 0        32 bytes each
 *
 * The device's side of a block does not move and waits for the device's request line; the memory
 * side counts up. Only the last block interrupts.
 *
 * The controller sees neither the caches nor the ARM's addresses: RAM is at 0xc0000000 for it, and
 * devices at 0x7e000000. So the control blocks lie in the uncached page; memory that is to be sent
 * is cleaned before; and memory that is to be filled is cleaned before, so that nothing in the
 * cache is written over what has come, and dropped from the cache afterwards, because the processor
 * may have fetched parts of it in advance.
 *
 * Channels 0 to 6 are full ones; of these the firmware leaves 2, 4 and 5 to the ARM on all boards
 * (Linux's device tree) and in QEMU.
 *
 * Source: BCM2837 ARM Peripherals, section 4.
 */
#include "soc/dma.h"
#include "arch/mmu.h"
#include "soc/bcm2837.h"

#include <hal/mem.h>
#include <pi3/mmio.h>

#define CHANNEL 5u
#define DMA_CONTROL (DMA_BASE + 0x100u * CHANNEL + 0x00u)
#define DMA_BLOCK (DMA_BASE + 0x100u * CHANNEL + 0x04u)
#define DMA_LENGTH (DMA_BASE + 0x100u * CHANNEL + 0x14u)
#define DMA_DEBUG (DMA_BASE + 0x100u * CHANNEL + 0x20u)
#define DMA_ENABLE (DMA_BASE + 0xff0u)

#define CONTROL_ACTIVE (1u << 0)
#define CONTROL_END (1u << 1)
#define CONTROL_INTERRUPT (1u << 2)
#define CONTROL_ERROR (1u << 8)
#define CONTROL_PRIORITY \
    (8u << 16 | 15u << 20) /* usual, and when a device is about to overflow \
                            */
#define CONTROL_WAIT_FOR_WRITES (1u << 28)
#define CONTROL_RESET (1u << 31)
#define DEBUG_ERRORS 7u

#define INFO_INTERRUPT (1u << 0)
#define INFO_WAIT_FOR_RESPONSE (1u << 3)
#define INFO_COUNT_DESTINATION (1u << 4)
#define INFO_PACE_DESTINATION (1u << 6)
#define INFO_COUNT_SOURCE (1u << 8)
#define INFO_PACE_SOURCE (1u << 10)
#define INFO_LINE(line) ((line) << 16)

/** How the controller addresses RAM past the VideoCore's caches. */
#define BUS_UNCACHED 0xc0000000u

struct dma_block {
    volatile uint32_t info, source, destination, bytes, stride, next, unused[2];
} __attribute__((aligned(32)));

static struct dma_block dma_blocks[DMA_PIECES] __attribute__((section(".bss.uncached")));
static struct {
    void *memory;
    uint32_t bytes;
} dma_pieces[DMA_PIECES];
static unsigned dma_count;
static enum dma_way dma_way;
static uint32_t dma_device;
static unsigned dma_line;

static uint32_t dma_bus_address(const void *memory)
{
    return (uint32_t)hal_mem_physical(memory) | BUS_UNCACHED;
}

void dma_start(void)
{
    mmio_barrier();
    mmio_write(DMA_ENABLE, mmio_read(DMA_ENABLE) | 1u << CHANNEL);
    mmio_write(DMA_CONTROL, CONTROL_RESET);
    mmio_barrier();
}

void dma_prepare(enum dma_way way, uint32_t device, unsigned line)
{
    dma_count = 0;
    dma_way = way;
    dma_device = device;
    dma_line = line;
}

void dma_add(void *memory, uint32_t bytes)
{
    struct dma_block *block = &dma_blocks[dma_count];
    uint32_t address = dma_bus_address(memory);
    bool in = dma_way == DMA_FROM_DEVICE;

    dma_pieces[dma_count].memory = memory;
    dma_pieces[dma_count].bytes = bytes;
    block->info = INFO_LINE(dma_line) | INFO_WAIT_FOR_RESPONSE |
                  (in ? INFO_PACE_SOURCE | INFO_COUNT_DESTINATION
                      : INFO_PACE_DESTINATION | INFO_COUNT_SOURCE);
    block->source = in ? dma_device : address;
    block->destination = in ? address : dma_device;
    block->bytes = bytes;
    block->stride = 0;
    block->next = 0;
    if (dma_count > 0) {
        dma_blocks[dma_count - 1].next = dma_bus_address(block);
    }
    dma_count++;
}

/** Nothing of the memory is in the cache any more; what was newer there has been written. */
static void dma_flush(void)
{
    for (unsigned i = 0; i < dma_count; i++) {
        mmu_flush(dma_pieces[i].memory, dma_pieces[i].bytes);
    }
}

void dma_go(void)
{
    dma_flush();
    dma_blocks[dma_count - 1].info |= INFO_INTERRUPT;
    mmio_barrier();
    mmio_write(DMA_CONTROL, CONTROL_END | CONTROL_INTERRUPT);
    mmio_write(DMA_DEBUG, DEBUG_ERRORS);
    mmio_write(DMA_BLOCK, dma_bus_address(dma_blocks));
    mmio_write(DMA_CONTROL, CONTROL_ACTIVE | CONTROL_PRIORITY | CONTROL_WAIT_FOR_WRITES);
    mmio_barrier();
}

enum dma_state dma_look(void)
{
    mmio_barrier();
    uint32_t control = mmio_read(DMA_CONTROL);
    /* Not while it is active: the write would have to say so, and it may end in between. */
    if ((control & CONTROL_ACTIVE) == 0) {
        mmio_write(DMA_CONTROL, CONTROL_END | CONTROL_INTERRUPT);
    }
    mmio_barrier();
    if ((control & CONTROL_ERROR) != 0) {
        return DMA_FAILED;
    }
    if ((control & CONTROL_ACTIVE) != 0) {
        return DMA_RUNNING;
    }
    if (dma_way == DMA_FROM_DEVICE) {
        dma_flush();
    }
    dma_count = 0;
    return DMA_DONE;
}

uint32_t dma_position(void)
{
    mmio_barrier();
    uint32_t position = mmio_read(DMA_BLOCK) + mmio_read(DMA_LENGTH);
    mmio_barrier();
    return position;
}

void dma_stop(void)
{
    mmio_barrier();
    mmio_write(DMA_CONTROL, CONTROL_RESET);
    /* The write has arrived, and with it the end, when a read from the channel comes back. */
    (void)mmio_read(DMA_CONTROL);
    mmio_barrier();
}
