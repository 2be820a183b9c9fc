/* SPDX-License-Identifier: MIT */
/*
 * cpio.c: a fuzzer over archives: unpack whatever it is into a ramfs, list the tree, unmount it.
 *
 * Random bytes would hardly ever be an archive, so the mutator starts from a sound one and changes
 * fields of its headers, exchanges pieces, and cuts it. It may not crash, hang, leak, read outside
 * its memory, or refuse without a reason.
 *
 *     fuzz-cpio -runs=1000000         as long as wanted
 *     fuzz-cpio crash-...             one input again
 */
#include "../unit/cpio/archive.h"
#include "../unit/fake_hal.h"
#include "../unit/fake_heap.h"

#include "fs/mount.h"
#include "fs/ramfs/ramfs.h"
#include "fs/vfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 1000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    abort();
}

/* Looks at all that is in `directory`, and what is in that; not deeper. */
static void look(struct vnode *directory, unsigned depth)
{
    struct directory_entry *entry = malloc(sizeof *entry);
    uint64_t position = 0;

    for (unsigned i = 0; i < ENTRIES_MAX && vfs_iterate(directory, &position, entry) == 0; i++) {
        struct vnode *vnode = NULL;
        char text[64];

        if (vfs_find(directory, entry->name, VFS_NO_FOLLOW, &vnode) != 0)
            fail("a name that is listed is not found");
        (void)!vfs_read(vnode, 0, text, sizeof text);
        (void)!vfs_readlink(vnode, text, sizeof text);
        if (vnode->attributes.type == VNODE_DIRECTORY && depth > 0)
            look(vnode, depth - 1);
        vnode_put(vnode);
    }
    free(entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct archive archive = {.bytes = (uint8_t *)data, .size = size};
    struct cpio_totals totals;
    struct problem problem;
    struct vnode *root;

    fake_kernel_start(1u << 20);
    memset(&fake_heap, 0, sizeof fake_heap);
    ramfs_register();
    if (mount_add("ramfs", NULL, "/", "size=64k,nr_inodes=200", &problem) != 0)
        fail("no root");
    if (archive_unpack(&archive, size, size % 3 ? 0 : 1 + size % 200, &totals, &problem) != 0 &&
        problem.what[0] == '\0')
        fail("refused without a reason");
    if (totals.entries > size / 110)
        fail("more entries than there is room for");
    root = vfs_root();
    look(root, 2);
    vnode_put(root);
    if (mount_remove("/") != 0)
        fail("the root is still in use");
    if (fake_heap.live != 0)
        fail("blocks left behind");
    return 0;
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

/* Where an entry begins: a magic number at or behind a place by chance; 0 if there is none. */
static size_t find_entry(const uint8_t *data, size_t size, uint32_t *state)
{
    size_t at = next_random(state) % size;

    for (; at + 110 <= size; at++)
        if (memcmp(data + at, "07070", 5) == 0)
            return at;
    return 0;
}

/* Puts another number into a field of a header. */
static void change_field(uint8_t *data, size_t size, uint32_t *state)
{
    static const uint32_t values[] = {0,       1,        2,         3,          4,         5,
                                      77,      110,      255,       4096,       4097,      0xffff,
                                      040755,  0100644,  0120777,   010600,     020600,    0140000,
                                      0x10000, 0x7fffff, 0xfffffff, 0x80000000, 0xffffffff};
    size_t at = find_entry(data, size, state) + 6 + next_random(state) % 13 * 8;
    char text[9];

    if (at + 8 > size)
        return;
    snprintf(text, sizeof text, "%08X",
             values[next_random(state) % (sizeof values / sizeof values[0])]);
    memcpy(data + at, text, 8);
}

/* Changes a letter of a name, mostly to one that means something in paths. */
static void change_name(uint8_t *data, size_t size, uint32_t *state)
{
    size_t at = find_entry(data, size, state) + 110 + next_random(state) % 8;

    if (at < size)
        data[at] = (uint8_t) "./ab\0c.T"[next_random(state) % 8];
}

static void move_piece(uint8_t *data, size_t size, uint32_t *state)
{
    size_t from = find_entry(data, size, state), to = find_entry(data, size, state);
    size_t n = 110 + next_random(state) % 40;

    if (from + n <= size && to + n <= size)
        memmove(data + to, data + from, n);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    uint32_t state = seed;
    unsigned changes = 1 + next_random(&state) % 5;

    if (size < 200 || next_random(&state) % 64 == 0) {
        struct archive archive = {0};

        archive_sample(&archive, next_random(&state) % 2);
        size = archive.size < max_size ? archive.size : max_size;
        memcpy(data, archive.bytes, size);
        archive_free(&archive);
    }
    for (unsigned i = 0; i < changes; i++) {
        unsigned what = next_random(&state) % 4;

        if (what < 2)
            change_field(data, size, &state);
        else if (what == 2)
            change_name(data, size, &state);
        else
            move_piece(data, size, &state);
    }
    if (next_random(&state) % 8 == 0)
        size = LLVMFuzzerMutate(data, size, max_size);
    return size;
}
