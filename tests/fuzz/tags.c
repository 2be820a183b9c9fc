/* SPDX-License-Identifier: MIT */
/*
 * tags.c: a fuzzer over boot tags of both kinds, and the memory map that is made of them.
 *
 * The input is what the firmware left, all of it. The mutator starts from a list of ATAGs and from
 * a device tree, and changes words: to tokens, sizes and offsets that mean something, or copies a
 * piece over another. Whatever comes of it, reading ends, stays in the input, names what is wrong,
 * and the map is sorted, apart, in whole pages, RAM of the board, and free of what is reserved.
 *
 *     fuzz-tags -max_total_time=600   as long as wanted; the last line says how many were tried
 *     fuzz-tags crash-...             one input again
 */
#include "../unit/fake_hal.h"
#include "../unit/tree_builder.h"

#include "boot/tags/atags.h"
#include "boot/tags/fdt.h"
#include "boot/tags/tags.h"
#include "lib/log.h"
#include "mem/memory.h"

#include <hal/machine.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

static struct boot_info info;
static struct memory_map map;

static void expect(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

/* ---- what must hold ---- */

static void check_info(size_t size)
{
    expect(info.ram_count <= BOOT_RAM_MAX && info.reserved_count <= BOOT_RESERVED_MAX, "counts");
    expect(memchr(info.cmdline, '\0', sizeof info.cmdline) != NULL, "command line without end");
    expect(memchr(info.problem, '\0', sizeof info.problem) != NULL, "sentence without end");
    expect((info.flaws > 0) == (info.problem[0] != '\0'), "a flaw without a sentence");
    expect(strlen(info.problem) < sizeof info.problem - 1, "a sentence that was cut");
    expect(info.bytes <= size, "more tags than there are bytes");
}

static bool overlap(const struct hal_range *a, const struct hal_range *b)
{
    if (a->bytes == 0 || b->bytes == 0)
        return false;
    return a->start <= b->start ? b->start - a->start < a->bytes : a->start - b->start < b->bytes;
}

static void check_map(void)
{
    for (unsigned i = 0; i < map.count; i++) {
        const struct hal_range *range = &map.ranges[i];

        expect(range->bytes > 0, "an empty range");
        expect(range->start % HAL_PAGE_SIZE == 0 && range->bytes % HAL_PAGE_SIZE == 0, "no pages");
        expect(memory_is_ram(range->start, range->bytes), "no RAM");
        expect(i == 0 || map.ranges[i - 1].start + map.ranges[i - 1].bytes < range->start,
               "not sorted, or not apart");
        expect(!overlap(range, &fake.reserved[0]), "the machine's own memory");
        for (unsigned k = 0; k < info.reserved_count; k++)
            expect(!overlap(range, &info.reserved[k]), "reserved memory");
    }
}

/* ---- the walks that the shell does, looking at every byte that they offer ---- */

static volatile uint8_t seen;

static void look(const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        seen ^= ((const uint8_t *)bytes)[i];
}

static void walk_tree(const uint8_t *data, size_t size)
{
    struct fdt_cursor cursor;
    struct hal_range range;
    struct fdt_item item;
    struct fdt fdt;

    if (fdt_open(data, size, &fdt) != 0)
        return;
    for (size_t i = 0; fdt_reservation(&fdt, i, &range) == 0;)
        i++;
    for (cursor = fdt_begin(&fdt); fdt_next(&cursor, &item) == 0;) {
        if (item.name)
            look(item.name, strlen(item.name));
        look(item.value, item.bytes);
    }
}

static void walk_list(const uint8_t *data, size_t size)
{
    struct atag_cursor cursor = {data, size};
    struct atag atag;

    while (atag_next(&cursor, &atag) == 0)
        look(atag.data, (size_t)atag.words * 4);
}

/* A board with RAM in two places, and a log that keeps to itself. Reading tags leaves no state. */
static void start_board(void)
{
    fake_hal_reset(0);
    fake.ranges[0] = (struct hal_range){0, 0x3c000000};
    fake.ranges[1] = (struct hal_range){UINT64_C(0x100000000), 0x10000000};
    fake.range_count = 2;
    fake.reserved[0] = (struct hal_range){0, 0x80000};
    fake.reserved_count = 1;
    klog_init();
    klog_set_console_level(0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (fake.range_count == 0)
        start_board();
    tags_read(data, size, &info);
    check_info(size);
    memory_map_build(&info, &map);
    check_map();
    if (info.format == TAGS_DEVICE_TREE)
        walk_tree(data, size);
    else if (info.format == TAGS_ATAGS)
        walk_list(data, size);
    return 0;
}

/* ---- the mutator ---- */

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static size_t sample_list(uint8_t *data, size_t max_size)
{
    static const uint32_t words[] = {5, ATAG_CORE,    1,          4096,       0, /* */
                                     4, ATAG_MEM,     0x10000000, 0,             /* */
                                     4, ATAG_MEM,     0x08000000, 0x20000000,    /* */
                                     4, ATAG_INITRD2, 0x8000000,  0x100000,      /* */
                                     5, ATAG_CMDLINE, 0x746e6175, 0x353d6d75, 0x736d,
                                     2, 0x12345678, /* "...tum=5ms" */
                                     0, ATAG_NONE};
    size_t size = sizeof words < max_size ? sizeof words : max_size;

    memcpy(data, words, size);
    return size;
}

/* Few, or more than are read. */
static uint32_t pick_count(uint32_t *state)
{
    return next_random(state) % 8 == 0 ? next_random(state) % 100 : next_random(state) % 3;
}

/* Empty nodes in each other; what is in them ends with them. */
static void build_nest(struct builder *tree, uint32_t depth)
{
    for (uint32_t i = 0; i < depth; i++)
        builder_node(tree, "n");
    for (uint32_t i = 0; i < depth; i++)
        builder_end(tree);
}

static void build_nodes(struct builder *tree, uint32_t *state)
{
    static const uint64_t memory[2][2] = {{0, 0x10000000}, {0x20000000, 0x8000000}};
    static const uint64_t region[1][2] = {{0x1000000, 0x200000}};
    uint32_t address = 1 + next_random(state) % 2, size = 1 + next_random(state) % 2;

    builder_root(tree, address, size, 0x8000000);
    for (uint32_t i = pick_count(state); i > 0; i--) {
        builder_region(tree, "memory@1", address, size, memory, 2);
        builder_text(tree, "device_type", "memory");
        builder_end(tree);
    }
    build_nest(tree, pick_count(state));
    builder_node(tree, "reserved-memory");
    builder_cells(tree, "#address-cells", &address, 1);
    builder_cells(tree, "#size-cells", &size, 1);
    builder_region(tree, "dsp@1000000", address, size, region, 1);
    builder_text(tree, "status", "okay");
    builder_end(tree);
    builder_end(tree);
    builder_node(tree, "chosen");
    builder_text(tree, "bootargs", "quantum=5ms debug");
    builder_cells(tree, "linux,initrd-start", (uint32_t[]){0x8000000}, 1);
    builder_cells(tree, "linux,initrd-end", (uint32_t[]){0, 0x8100000}, 2);
    builder_end(tree);
    builder_end(tree);
}

static size_t sample_tree(uint8_t *data, size_t max_size, uint32_t *state)
{
    static struct builder tree;
    size_t size;

    builder_start(&tree);
    for (uint32_t i = pick_count(state); i > 0; i--)
        builder_reserve(&tree, next_random(state) * 16, next_random(state) % 65536);
    build_nodes(&tree, state);
    builder_finish(&tree);
    size = tree.size < max_size ? tree.size : max_size;
    memcpy(data, tree.bytes, size);
    return size;
}

/* A token, a size, an offset near something, or anything. */
static uint32_t pick_value(uint32_t *state, size_t size)
{
    static const uint32_t values[] = {0,  1,  2,          3,          4,          5,
                                      8,  9,  16,         17,         0x54410002, 0x54410009,
                                      36, 40, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff};
    uint32_t pick = next_random(state);

    if (pick % 4 == 0)
        return next_random(state) << 8 | (next_random(state) & 255);
    if (pick % 4 == 1)
        return next_random(state) % ((uint32_t)size + 8);
    return values[next_random(state) % (sizeof values / sizeof values[0])];
}

static void change_word(uint8_t *data, size_t size, uint32_t *state)
{
    size_t words = size / 4, to = next_random(state) % words, from = next_random(state) % words;
    size_t n = 1 + next_random(state) % 16;
    uint32_t value = pick_value(state, size);

    if (next_random(state) % 4 == 0) {
        n = n < words - to ? n : words - to;
        n = n < words - from ? n : words - from;
        memmove(data + to * 4, data + from * 4, n * 4);
        return;
    }
    /* Trees are big-endian, lists little. */
    for (unsigned i = 0; i < 4; i++)
        data[to * 4 + i] = (uint8_t)(value >> (data[0] == 0xd0 ? 24 - 8 * i : 8 * i));
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    uint32_t state = seed, start = next_random(&state) % 64;

    if (start == 0)
        size = sample_list(data, max_size);
    else if (start <= 2 || size < 8)
        size = sample_tree(data, max_size, &state);
    for (uint32_t i = next_random(&state) % 6; i > 0 && size >= 4; i--)
        change_word(data, size, &state);
    if (next_random(&state) % 4 == 0)
        size = LLVMFuzzerMutate(data, size, max_size);
    return size;
}
