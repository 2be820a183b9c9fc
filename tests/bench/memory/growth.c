/* SPDX-License-Identifier: MIT */
/*
 * growth.c: replaces blocks of the kernel's heap at random while many are live, for callgrind to
 * count the instructions.
 *
 *     memory-growth ALLOCATOR LIVE OPERATIONS LEAST MOST
 *
 * The blocks have LEAST to MOST bytes. The heap runs on the fake machine of the unit tests, so a
 * count depends on nothing but the binary. Only the replacements are counted, and of these as many
 * go ahead uncounted. The allocator "none" shows what the loop itself takes. bump gives nothing
 * back, so with it RAM has to hold everything that was ever allocated.
 */
#include "fake_hal.h"
#include "heap/heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/callgrind.h>

#define RAM_LEAST (16ull << 20)
#define RAM_MOST (1008ull << 20)

struct growth {
    bool none;
    uint32_t live, operations, least, most;
    uint64_t random;
    void **blocks;
};

static uint64_t next_random(struct growth *growth)
{
    growth->random ^= growth->random << 13;
    growth->random ^= growth->random >> 7;
    return growth->random ^= growth->random << 17;
}

static void *allocate(const struct growth *growth, uint64_t random)
{
    static uint64_t nothing[2];
    size_t bytes = growth->least + random % (growth->most - growth->least + 1);
    void *block = growth->none ? nothing : kmalloc(bytes);

    if (!block) {
        fprintf(stderr, "memory-growth: out of memory\n");
        exit(EXIT_FAILURE);
    }
    return block;
}

static void fill(struct growth *growth)
{
    growth->blocks = calloc(growth->live, sizeof *growth->blocks);
    for (uint32_t i = 0; i < growth->live; i++)
        growth->blocks[i] = allocate(growth, next_random(growth) >> 32);
}

static void replace(struct growth *growth)
{
    for (uint32_t i = 0; i < growth->operations; i++) {
        uint64_t random = next_random(growth);
        uint32_t at = (uint32_t)random % growth->live;

        if (!growth->none)
            kfree(growth->blocks[at]);
        growth->blocks[at] = allocate(growth, random >> 32);
    }
}

int main(int argc, char **argv)
{
    struct growth growth = {.random = 0x2545f4914f6cdd1d};
    char command_line[64];
    uint64_t ram;

    if (argc < 6) {
        fprintf(stderr, "usage: memory-growth ALLOCATOR LIVE OPERATIONS LEAST MOST\n");
        return EXIT_FAILURE;
    }
    growth.none = strcmp(argv[1], "none") == 0;
    growth.live = (uint32_t)atol(argv[2]);
    growth.operations = (uint32_t)atol(argv[3]);
    growth.least = (uint32_t)atol(argv[4]);
    growth.most = (uint32_t)atol(argv[5]);
    /* Sizes are rounded to the next power of two at worst, half as much again on average. */
    ram = RAM_LEAST + 5 * growth.most / 4 * (growth.live + 2ull * growth.operations);
    snprintf(command_line, sizeof command_line, "checks=0 allocator=%s",
             growth.none ? "slab" : argv[1]);
    fake_kernel_start_with(ram < RAM_MOST ? ram : RAM_MOST, command_line);
    fill(&growth);
    replace(&growth);
    CALLGRIND_START_INSTRUMENTATION;
    replace(&growth);
    CALLGRIND_STOP_INSTRUMENTATION;
    return EXIT_SUCCESS;
}
