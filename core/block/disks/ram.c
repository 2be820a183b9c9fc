/* SPDX-License-Identifier: MIT */
/*
 * ram.c: a disk that is a table of chunks of memory.
 *
 *     sector:   0 .. 127 | 128 .. 255 | ...        chunks[sector / 128], 64 KiB each
 *
 * A request is served when it is begun: it is copied, and has ended. So a RAM disk has no
 * interrupts, no wait, and one request at a time. Its memory is not a leak when the machine stops:
 * it stays until somebody removes the disk.
 */
#include "block/disks/ram.h"

#include "block/disk.h"
#include "heap/heap.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mem/frame.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define CHUNK_BYTES 65536u
#define CHUNK_SECTORS (CHUNK_BYTES / HAL_SECTOR_SIZE)
#define CHUNK_PAGES (CHUNK_BYTES / HAL_PAGE_SIZE)
#define CHUNKS_MAX (1u << 20) /* 64 GiB: far more than any board has */

struct ram_disk {
    struct block_disk disk;
    size_t count;
    uint8_t *chunks[];
};

/** Copies `sectors` sectors between `data` and the disk from `at` on. */
static void copy(const struct ram_disk *ram, enum block_op op, uint64_t at, uint8_t *data,
                 uint32_t sectors)
{
    while (sectors > 0) {
        uint32_t within = (uint32_t)(at % CHUNK_SECTORS), now = CHUNK_SECTORS - within;
        uint8_t *place = ram->chunks[at / CHUNK_SECTORS] + (size_t)within * HAL_SECTOR_SIZE;

        if (now > sectors)
            now = sectors;
        if (op == BLOCK_READ)
            memcpy(data, place, (size_t)now * HAL_SECTOR_SIZE);
        else
            memcpy(place, data, (size_t)now * HAL_SECTOR_SIZE);
        at += now;
        data += (size_t)now * HAL_SECTOR_SIZE;
        sectors -= now;
    }
}

static int start(struct block_disk *disk, struct block_request *request)
{
    const struct ram_disk *ram = disk->context;
    struct block_request *part = request->step == BLOCK_FLUSH ? NULL : request;

    for (; part; part = block_next_merged(request, part)) {
        uint64_t at = part->at;

        for (unsigned i = 0; i < part->vector_count; i++) {
            copy(ram, part->step, at, part->vectors[i].data, part->vectors[i].sectors);
            at += part->vectors[i].sectors;
        }
    }
    block_end(request, 0);
    return 0;
}

static void free_ram(struct ram_disk *ram)
{
    for (size_t i = 0; i < ram->count; i++)
        frame_put(ram->chunks[i]);
    kfree(ram);
}

static void remove(struct block_disk *disk)
{
    free_ram(disk->context);
}

static const struct block_driver driver = {.kind = "ram", .start = start, .remove = remove};

static struct ram_disk *allocate(size_t count)
{
    struct ram_disk *ram = heap_allocate_zeros(1, sizeof(*ram) + count * sizeof(ram->chunks[0]),
                                               ALLOC_SITE_FOR(ALLOC_PERMANENT));

    for (size_t i = 0; ram && i < count; i++) {
        ram->chunks[i] = frame_alloc_pages_at(CHUNK_PAGES, 0, ALLOC_SITE_FOR(ALLOC_PERMANENT));
        if (!ram->chunks[i]) {
            ram->count = i;
            free_ram(ram);
            return NULL;
        }
        memset(ram->chunks[i], 0, CHUNK_BYTES);
    }
    if (ram)
        ram->count = count;
    return ram;
}

static int make_known(struct ram_disk *ram)
{
    char name[BLOCK_NAME_MAX + 1];
    int error = -EEXIST;

    for (unsigned i = 0; i < BLOCK_RAM_MAX && error == -EEXIST; i++) {
        format_text(name, sizeof(name), "ram%u", i);
        error = block_disk_add(&ram->disk, name, ram->count * CHUNK_SECTORS, false);
    }
    return error;
}

int block_ram_create(uint64_t bytes, const struct block_device **device)
{
    struct ram_disk *ram;
    int error;

    if (bytes == 0 || bytes % CHUNK_BYTES != 0 || bytes / CHUNK_BYTES > CHUNKS_MAX)
        return -EINVAL;
    ram = allocate((size_t)(bytes / CHUNK_BYTES));
    if (!ram)
        return -ENOMEM;
    ram->disk.driver = &driver;
    ram->disk.context = ram;
    ram->disk.limits = (struct block_limits){BLOCK_SECTORS_MAX, BLOCK_VECTORS_MAX, 1, 0, 0};
    error = make_known(ram);
    if (error)
        free_ram(ram);
    else
        *device = &ram->disk.device;
    return error;
}
