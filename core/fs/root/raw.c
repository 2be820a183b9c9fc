/* SPDX-License-Identifier: MIT */
/*
 * raw.c: a card that is an archive from its first sector on, and nothing else: what `tayberry
 * --exec` puts into the slot. There is no file system to be read before its content is there.
 */
#include "fs/root/root.h"

#include "block/block.h"
#include "fs/cpio/cpio.h"
#include "fs/mount.h"
#include "heap/heap.h"
#include "lib/log.h"

#include <hal/block.h>
#include <hal/errno.h>
#include <hal/runtime.h>

#define BUFFER_SECTORS 128u
#define BUFFER_BYTES (BUFFER_SECTORS * HAL_SECTOR_SIZE)

struct raw {
    const struct block_device *device;
    uint64_t sector; /* the next to be read */
    size_t start, count;
    uint8_t *buffer;
};

/* Reads the next sectors. 0: there are no more. */
static int64_t refill(struct raw *raw)
{
    uint64_t left = raw->device->sectors - raw->sector;
    size_t n = left < BUFFER_SECTORS ? (size_t)left : BUFFER_SECTORS;
    int error = n > 0 ? block_read(raw->device, raw->sector, raw->buffer, n) : 0;

    if (error)
        return error;
    raw->sector += n;
    raw->start = 0;
    raw->count = n * HAL_SECTOR_SIZE;
    return (int64_t)raw->count;
}

static int64_t read_raw(void *context, void *data, size_t n)
{
    struct raw *raw = context;
    int64_t result = raw->count > 0 ? 1 : refill(raw);

    if (result <= 0)
        return result;
    if (n > raw->count)
        n = raw->count;
    memcpy(data, raw->buffer + raw->start, n);
    raw->start += n;
    raw->count -= n;
    return (int64_t)n;
}

static bool is_archive(const struct raw *raw)
{
    return raw->count >= 6 && memcmp(raw->buffer, "07070", 5) == 0;
}

/* Makes the archive's content the root. */
static int unpack(struct raw *raw, struct problem *problem)
{
    const struct cpio_source source = {.read = read_raw, .context = raw};
    struct cpio_totals totals;
    int error = mount_add("ramfs", NULL, "/", "", problem);

    if (error)
        return error;
    error = cpio_unpack(&source, NULL, &totals, problem);
    if (error) {
        (void)!mount_remove("/");
        return error;
    }
    klog(KLOG_INFO, "initramfs: %llu files and folders, %llu bytes, the card itself",
         (unsigned long long)totals.entries, (unsigned long long)totals.bytes);
    return 0;
}

bool vfs_mount_raw(void)
{
    struct raw raw = {.device = block_card()};
    struct problem problem;
    int64_t n;
    int error = -ENOMEM;

    if (!raw.device)
        return false;
    problem_set(&problem, "Give the machine more memory.", "Out of memory: no room for a buffer.");
    raw.buffer = kmalloc(BUFFER_BYTES);
    n = raw.buffer ? refill(&raw) : -ENOMEM;
    if (n >= 0 && !is_archive(&raw)) {
        kfree(raw.buffer);
        return false;
    }
    if (n >= 0)
        error = unpack(&raw, &problem);
    kfree(raw.buffer);
    if (error) {
        klog(KLOG_ERROR, "initramfs: the card is an archive that is not used");
        klog(KLOG_ERROR, "initramfs: %s", problem.what);
        klog(KLOG_ERROR, "initramfs: %s", problem.remedy);
    }
    return !error;
}
