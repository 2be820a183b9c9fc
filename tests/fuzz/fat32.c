/* SPDX-License-Identifier: MIT */
/*
 * fat32.c: a fuzzer over a whole card: mount it, list everything, read everything.
 *
 * The input is the card, all of it. Random bytes would hardly ever be a card, so the mutator starts
 * from the sample card of tests/unit/fs and changes what is believed: the partition table, the boot
 * sector, links of the FAT, slots of directories. It may not crash, hang, leak or read outside its
 * memory, whatever is on the card.
 *
 *     fuzz-fat32 -runs=1000000        as long as wanted; the last line says how many were tried
 *     fuzz-fat32 crash-...            one input again
 */
#include "../unit/fake_hal.h"
#include "../unit/fake_heap.h"
#include "../unit/fs/sample.h"
#include "../unit/fs/walk.h"

#include "fs/root/root.h"
#include "fs/vfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUESTS_MAX 200000u
#define ENTRIES_MAX 500u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/** Opens a few paths that go through names, case and dots. */
static void open_paths(void)
{
    static const char *const paths[] = {"/dir/sub/DEEP.TXT", "/DIR/../whole.txt", "/nothing/here",
                                        "/a long \u00dcnicode \U0001F353.txt", "/alongn~1.txt/"};

    for (unsigned i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct vnode *vnode = NULL;

        if (vfs_find(NULL, paths[i], 0, &vnode) == 0)
            vnode_put(vnode);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t nothing[1];
    struct walk walk;

    fake_kernel_start(1u << 20);
    memset(&fake_heap, 0, sizeof fake_heap);
    fake.card = size > 0 ? data : nothing;
    fake.card_sectors = size / HAL_SECTOR_SIZE;
    fake.request_limit = REQUESTS_MAX;
    if (vfs_mount_root() == 0) {
        walk_card(&walk, ENTRIES_MAX);
        open_paths();
        vfs_unmount_root();
    } else if (vfs_mount_problem()[0] == '\0') {
        fprintf(stderr, "refused without a reason\n");
        abort();
    }
    if (fake_heap.live != 0) {
        fprintf(stderr, "%lld blocks left behind\n", (long long)fake_heap.live);
        abort();
    }
    return 0;
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

/* What is believed, as bytes from the start of the card: start, length, and the width of a field.
 */
static const struct {
    uint32_t start, bytes, width;
} places[] = {
    {446, 66, 4},                                           /* partition table */
    {IMAGE_PART * 512, 90, 1},                              /* boot sector */
    {IMAGE_PART * 512 + 11, 80, 2},                         /* and again, as words */
    {(IMAGE_PART + 6) * 512, 90, 1},                        /* its copy */
    {(IMAGE_PART + IMAGE_RESERVED) * 512, 62 * 4, 4},       /* FAT */
    {(IMAGE_PART + IMAGE_RESERVED) * 512, 62 * 4, 4},       /* twice as often */
    {(IMAGE_PART + IMAGE_RESERVED + 2) * 512, 3 * 512, 1},  /* directories: clusters 2 to 4 */
    {(IMAGE_PART + IMAGE_RESERVED + 2) * 512, 3 * 512, 2},  /* as words */
    {(IMAGE_PART + IMAGE_RESERVED + 2 + 18) * 512, 512, 2}, /* cluster 20 */
    {(IMAGE_PART + IMAGE_RESERVED + 2) * 512, 3 * 512, 32}, /* whole slots */
};

static uint32_t pick_value(uint32_t *state)
{
    static const uint32_t values[] = {0,          1,          2,          3,          4,
                                      20,         50,         61,         62,         63,
                                      0x0FFFFFF6, 0x0FFFFFF7, 0x0FFFFFF8, 0x0FFFFFFF, 0xFFFFFFFF,
                                      0x80000001, 0x7F,       0x80,       0xE5,       0x0F};
    uint32_t pick = next_random(state);

    if (pick % 4 == 0)
        return next_random(state);
    if (pick % 4 == 1)
        return next_random(state) % (SAMPLE_CLUSTERS + 4);
    return values[next_random(state) % (sizeof values / sizeof values[0])];
}

/** Changes one field, or puts a slot over another. */
static void change_field(uint8_t *data, size_t size, uint32_t *state)
{
    unsigned index = next_random(state) % (sizeof places / sizeof places[0]);
    uint32_t width = places[index].width, fields = places[index].bytes / width;
    size_t at = places[index].start + next_random(state) % fields * (size_t)width;
    size_t from = places[index].start + next_random(state) % fields * (size_t)width;
    uint32_t value = pick_value(state);

    if (at + width > size || from + width > size)
        return;
    if (width == 32)
        memmove(data + at, data + from, width);
    else
        memcpy(data + at, &value, width);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    uint32_t state = seed;
    unsigned changes = 1 + next_random(&state) % 6;
    struct image image;

    if (size < IMAGE_SECTOR || next_random(&state) % 64 == 0) {
        sample_build(&image);
        size = image.size < max_size ? image.size : max_size;
        memcpy(data, image.bytes, size);
        image_free(&image);
    }
    for (unsigned i = 0; i < changes; i++)
        change_field(data, size, &state);
    if (next_random(&state) % 8 == 0)
        size = LLVMFuzzerMutate(data, size, max_size);
    return size;
}
