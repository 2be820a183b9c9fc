/* SPDX-License-Identifier: MIT */
/*
 * heap.c: a fuzzer over sequences of operations on the heap, held against the oracle of
 * tests/unit/heap/model.h.
 *
 * The first byte of the input chooses the allocator, and whether checks are on. Then each operation
 * takes five bytes:
 *
 *     | what | which block | size, low | size, high | alignment, or how to read the size |
 *
 * It may not crash, hang, overlap, damage, misjudge or leak a block.
 */
#include "../unit/fake_hal.h"
#include "../unit/heap/model.h"

#include "heap/heap.h"

#define RAM_BYTES (1u << 20)
#define RECORD 5u
#define OPERATIONS_MAX 4000u
#define BLOCKS 64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct model model;

/* Small sizes are the most; some are of pages, and some just below what size_t can hold. */
static size_t read_bytes(const uint8_t *record)
{
    size_t value = record[2] | (size_t)record[3] << 8;

    switch (record[4] >> 5) {
    case 6:
        return value * 64;
    case 7:
        return (SIZE_MAX >> record[2] % 64) - record[3];
    case 0:
    case 1:
        return value;
    default:
        return value % 1200;
    }
}

static size_t read_alignment(const uint8_t *record)
{
    unsigned shift = record[4] % 32;

    if (shift == 31)
        return record[2]; /* seldom a power of two */
    return shift < 16 ? HEAP_ALIGNMENT : (size_t)1 << (shift - 15) * 2;
}

static void operate(const uint8_t *record)
{
    unsigned at = record[1] % BLOCKS;

    switch (record[0] % 8) {
    case 0:
    case 1:
    case 2:
        model_allocate(&model, at, read_bytes(record), read_alignment(record));
        break;
    case 3:
        model_allocate_zeros(&model, at, record[4] % 32, read_bytes(record));
        break;
    case 4:
        model_reallocate(&model, at, read_bytes(record));
        break;
    case 5:
        model_look(&model, at, read_bytes(record));
        break;
    default:
        model_free(&model, at);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct heap_allocator *const allocators[] = {&heap_slab, &heap_bin, &heap_bump};

    if (size == 0)
        return 0;
    model_start(&model, allocators[data[0] % 3], data[0] & 4, RAM_BYTES);
    for (size_t i = 0; i < OPERATIONS_MAX && 1 + (i + 1) * RECORD <= size; i++)
        operate(data + 1 + i * RECORD);
    model_finish(&model);
    return 0;
}
