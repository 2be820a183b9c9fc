/* SPDX-License-Identifier: MIT */
/*
 * dma_model.c: see dma_model.h. Written from BCM2837 ARM Peripherals, section 4.
 */
#include "dma_model.h"
#include "card_model.h"
#include "fake_bus.h"

#include "arch/mmu.h"

#include <hal/mem.h>

#include <stdlib.h>
#include <string.h>

#define BASE 0x3f007500u
#define DATA_REGISTER 0x7e300020u
#define STEP_WORDS 64u

enum bits { ACTIVE = 1, END = 2, INTERRUPT = 4, ERROR = 0x100, WRITABLE = 0x30ff0001 };

struct dma_model dma;

static struct {
    uint32_t control, block;
    uint32_t info, source, destination, bytes, next; /**< of the block that is loaded */
} channel;

/* Physical addresses are distances from half a gigabyte before this. */
static char anchor __attribute__((aligned(64)));
#define ANCHOR_AT 0x20000000u

uint64_t hal_mem_physical(const void *pointer)
{
    return (uintptr_t)pointer - (uintptr_t)&anchor + ANCHOR_AT;
}

static void *pointer_of(uint32_t bus)
{
    if (bus >> 30 != 3) {
        abort(); /* not RAM, or through the VideoCore's caches */
    }
    return (void *)((uintptr_t)&anchor - ANCHOR_AT + (bus & 0x3fffffff));
}

void mmu_flush(const void *start, size_t bytes)
{
    fake_note("flush %08lx %lu\n", (unsigned long)hal_mem_physical(start), (unsigned long)bytes);
}

static void load(uint32_t block)
{
    const uint32_t *words = pointer_of(block);

    if (block % 32 != 0 || dma.block_count == 32) {
        abort();
    }
    memcpy(dma.blocks[dma.block_count++], words, 24);
    channel.block = block;
    channel.info = words[0];
    channel.source = words[1];
    channel.destination = words[2];
    channel.bytes = words[3];
    channel.next = words[5];
}

static uint32_t read_register(uintptr_t address)
{
    switch (address - BASE) {
    case 0x00:
        return channel.control;
    case 0x04:
        return channel.block;
    case 0x14:
        return channel.bytes;
    default:
        return 0;
    }
}

static void write_control(uint32_t value)
{
    if ((value & 1u << 31) != 0) {
        memset(&channel, 0, sizeof channel);
        return;
    }
    channel.control &= ~(value & (END | INTERRUPT)) & ~(uint32_t)WRITABLE;
    channel.control |= value & WRITABLE;
    if ((value & ACTIVE) != 0) {
        if (channel.block == 0) {
            abort();
        }
        dma.started++;
        dma.block_count = 0;
        load(channel.block);
    }
}

static void write_register(uintptr_t address, uint32_t value)
{
    if (address == BASE) {
        write_control(value);
    } else if (address == BASE + 4) {
        if (dma_is_active()) {
            abort();
        }
        channel.block = value;
    }
}

static const struct fake_model model = {BASE, BASE + 0xfc, read_register, write_register};

void dma_setup(void)
{
    memset(&channel, 0, sizeof channel);
    memset(&dma, 0, sizeof dma);
    fake_add_model(&model);
}

bool dma_is_active(void)
{
    return (channel.control & ACTIVE) != 0;
}

bool dma_interrupts(void)
{
    return (channel.control & INTERRUPT) != 0;
}

static void next_block(void)
{
    if ((channel.info & 1) != 0) {
        channel.control |= INTERRUPT;
    }
    channel.block = channel.next;
    if (channel.next != 0) {
        load(channel.next);
    } else {
        channel.control = (channel.control & ~(uint32_t)ACTIVE) | END;
    }
}

/** Moves a word between the card and memory, if the request line is up. */
static bool move_word(void)
{
    bool in = (channel.info >> 10 & 1) != 0;

    if ((channel.info >> 16 & 31) != 11 || !card_wants_word(!in)) {
        return false;
    }
    if (in) {
        *(uint32_t *)pointer_of(channel.destination) = card_take_word();
        channel.destination += (channel.info >> 4 & 1) * 4;
    } else {
        card_give_word(*(const uint32_t *)pointer_of(channel.source));
        channel.source += (channel.info >> 8 & 1) * 4;
    }
    channel.bytes -= 4;
    dma.words++;
    if (channel.bytes == 0) {
        next_block();
    }
    return true;
}

bool dma_step(void)
{
    bool moved = false;

    if (!dma_is_active() || dma.stalls) {
        return false;
    }
    if (dma.fails) {
        channel.control = (channel.control & ~(uint32_t)ACTIVE) | ERROR;
        return false;
    }
    if ((channel.info >> 10 & 1 ? channel.source : channel.destination) != DATA_REGISTER) {
        abort();
    }
    for (unsigned i = 0; i < STEP_WORDS && dma_is_active() && move_word(); i++) {
        moved = true;
    }
    return moved;
}
