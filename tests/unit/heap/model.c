/* SPDX-License-Identifier: MIT */
/*
 * model.c: see model.h.
 */
#include "heap/model.h"

#include "fake_hal.h"
#include "heap/heap.h"
#include "mem/frame.h"
#include "mem/reclaim.h"

#include <hal/machine.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNIT 16u

static _Noreturn void fail(const struct model *model, const char *what, const void *pointer,
                           size_t bytes)
{
    fprintf(stderr, "%s%s (%s): %s: %p, %zu bytes\n", fake.console, model->allocator->name,
            model->checks ? "checked" : "plain", what, pointer, bytes);
    abort();
}

void model_start(struct model *model, const struct heap_allocator *allocator, bool checks,
                 uint64_t ram_bytes)
{
    static char line[64];
    uint32_t *owners = model->owners;

    if (model->ram_bytes != ram_bytes) {
        free(owners);
        owners = malloc(ram_bytes / UNIT * sizeof *owners);
    }
    memset(model, 0, sizeof *model);
    memset(owners, 0, ram_bytes / UNIT * sizeof *owners);
    model->owners = owners;
    model->allocator = allocator;
    model->checks = checks;
    model->ram_bytes = ram_bytes;
    snprintf(line, sizeof line, "allocator=%s checks=%d", allocator->name, checks);
    fake_kernel_start_with(ram_bytes, line);
}

/* ---- whose memory is it? ---- */

static void claim(struct model *model, const struct model_block *block, uint32_t from, uint32_t to)
{
    size_t first = (size_t)(block->pointer - fake.ram), bytes = block->bytes ? block->bytes : 1;

    if (first >= model->ram_bytes || bytes > model->ram_bytes - first)
        fail(model, "a block is outside RAM", block->pointer, bytes);
    for (size_t unit = first / UNIT; unit <= (first + bytes - 1) / UNIT; unit++) {
        if (model->owners[unit] != from)
            fail(model, "blocks overlap", block->pointer, bytes);
        model->owners[unit] = to;
    }
}

static void check_fill(const struct model *model, const struct model_block *block, size_t bytes)
{
    if (bytes > 0 && (block->pointer[0] != block->fill ||
                      memcmp(block->pointer, block->pointer + 1, bytes - 1) != 0))
        fail(model, "the contents have changed", block->pointer, bytes);
}

/* The block at `at` is at `pointer` now. */
static void enter(struct model *model, unsigned at, void *pointer, size_t bytes, size_t alignment)
{
    struct model_block *block = &model->blocks[at];

    block->pointer = pointer;
    block->bytes = bytes;
    block->fill = (uint8_t)(at * 7 + model->live_blocks);
    if ((uintptr_t)pointer % alignment || (uintptr_t)pointer % HEAP_ALIGNMENT)
        fail(model, "a block is not aligned", pointer, alignment);
    claim(model, block, 0, at + 1);
    memset(pointer, block->fill, bytes);
    model->live_blocks++;
    model->live_bytes += bytes;
}

static void leave(struct model *model, unsigned at)
{
    struct model_block *block = &model->blocks[at];

    claim(model, block, at + 1, 0);
    model->live_blocks--;
    model->live_bytes -= block->bytes;
    block->pointer = NULL;
}

/* NULL is right if it cannot be, if memory is short, or if it takes pages that lie in a row. */
static void refuse(struct model *model, size_t bytes, size_t alignment)
{
    bool possible = bytes <= HAL_PAGE_SIZE && alignment <= HAL_PAGE_SIZE && alignment > 0 &&
                    (alignment & (alignment - 1)) == 0;

    model->refused++;
    if (possible && model->live_bytes < model->ram_bytes / 8 && model->live_blocks < 2048 &&
        model->allocator != &heap_bump)
        fail(model, "memory is there, but cannot be had", NULL, bytes);
}

/* ---- operations ---- */

void model_allocate(struct model *model, unsigned at, size_t bytes, size_t alignment)
{
    void *pointer;

    at %= MODEL_BLOCKS;
    model_free(model, at);
    pointer = kmalloc_aligned(bytes, alignment);
    if (pointer && (alignment == 0 || (alignment & (alignment - 1)) || bytes > model->ram_bytes))
        fail(model, "what cannot be was allocated", pointer, bytes);
    if (!pointer)
        refuse(model, bytes, alignment);
    else
        enter(model, at, pointer, bytes, alignment);
}

void model_allocate_zeros(struct model *model, unsigned at, size_t count, size_t bytes)
{
    struct model_block zeros = {.fill = 0};
    uint8_t *pointer;

    at %= MODEL_BLOCKS;
    model_free(model, at);
    pointer = kcalloc(count, bytes);
    if (!pointer) {
        refuse(model, bytes && count > SIZE_MAX / bytes ? SIZE_MAX : count * bytes, 1);
        return;
    }
    if (bytes && count > SIZE_MAX / bytes)
        fail(model, "a product that overflows was allocated", pointer, bytes);
    zeros.pointer = pointer;
    check_fill(model, &zeros, count * bytes);
    enter(model, at, pointer, count * bytes, 1);
}

void model_reallocate(struct model *model, unsigned at, size_t bytes)
{
    struct model_block *block = &model->blocks[at % MODEL_BLOCKS];
    struct model_block old = *block;
    uint8_t *pointer;

    at %= MODEL_BLOCKS;
    if (old.pointer)
        check_fill(model, &old, old.bytes);
    pointer = krealloc(old.pointer, bytes);
    if (!pointer) {
        refuse(model, bytes, 1);
        if (old.pointer)
            check_fill(model, block, old.bytes);
        return;
    }
    if (old.pointer) {
        struct model_block moved = {.pointer = pointer, .fill = old.fill};

        leave(model, at);
        check_fill(model, &moved, bytes < old.bytes ? bytes : old.bytes);
    }
    enter(model, at, pointer, bytes, 1);
}

void model_free(struct model *model, unsigned at)
{
    struct model_block *block = &model->blocks[at % MODEL_BLOCKS];
    uint8_t *pointer = block->pointer;
    size_t usable;

    at %= MODEL_BLOCKS;
    if (!pointer)
        return;
    check_fill(model, block, block->bytes);
    leave(model, at);
    kfree(pointer);
    if (!model->checks && model->allocator->find(pointer, &usable) == HEAP_BLOCK)
        fail(model, "find takes a freed block for one in use", pointer, usable);
    model->last_freed = pointer;
}

static void expect(const struct model *model, const void *pointer, enum heap_pointer what)
{
    size_t usable = 0;

    if (model->allocator->find(pointer, &usable) != what)
        fail(model, "find is wrong about a pointer", pointer, what);
}

void model_look(struct model *model, unsigned at, size_t offset)
{
    const struct model_block *block = &model->blocks[at % MODEL_BLOCKS];
    size_t usable = 0;

    expect(model, NULL, HEAP_FOREIGN);
    expect(model, &usable, HEAP_FOREIGN);
    offset %= SIZE_MAX / 4;
    expect(model, (void *)(UINTPTR_MAX - offset), HEAP_FOREIGN);
    expect(model, (void *)((uintptr_t)fake.ram + model->ram_bytes + offset), HEAP_FOREIGN);
    expect(model, (void *)((uintptr_t)fake.ram - 1 - offset), HEAP_FOREIGN);
    (void)model->allocator->find(fake.ram + offset % model->ram_bytes, &usable);
    if (!block->pointer || model->checks)
        return;
    expect(model, block->pointer, HEAP_BLOCK);
    (void)model->allocator->find(block->pointer, &usable);
    if (usable < block->bytes)
        fail(model, "find makes a block smaller than it was asked for", block->pointer, usable);
    if (block->bytes > 1)
        expect(model, block->pointer + 1 + offset % (block->bytes - 1), HEAP_INTERIOR);
}

void model_finish(struct model *model)
{
    struct heap_stats stats;

    for (unsigned at = 0; at < MODEL_BLOCKS; at++)
        model_free(model, at);
    heap_settle();
    for (unsigned cpu = HAL_CPU_MAX; cpu-- > 0;) {
        fake_be_cpu(cpu);
        (void)reclaim_frames(SIZE_MAX);
    }
    heap_read_stats(&stats);
    if (stats.live_blocks != 0 || stats.live_bytes != 0)
        fail(model, "something is left", NULL, stats.live_bytes);
    if (stats.frames != 0 && model->allocator != &heap_bump)
        fail(model, "frames are left", NULL, stats.frames);
}
