/* SPDX-License-Identifier: MIT */
/*
 * block.c: the card and its partitions as files: any bytes of them can be read and written.
 *
 * Whole sectors go to the medium as they are; a part of one is read, changed and written. There is
 * no cache here. What is mounted, or has a mounted partition in it, cannot be opened for writing:
 * nobody changes a file system under its driver.
 */
#include "block/block.h"

#include "fs/devfs/device.h"
#include "fs/devfs/devfs.h"
#include "fs/devfs/nodes.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "heap/heap.h"
#include "lib/string.h"

#include <hal/block.h>
#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>

#define MMC_MAJOR 179u
#define BLOCK_NODES 16u
#define PART_SECTORS 64u

static KSTATE struct block_nodes {
    unsigned used;
    struct block_device disks[BLOCK_NODES]; /* copies: they stay */
    struct device devices[BLOCK_NODES];
} nodes;

/* "mmcblk0" is in use while "mmcblk0p1" is mounted, and the other way round. */
static bool is_mounted(const char *name)
{
    char path[2];
    struct mount *mount;
    struct vnode *root;
    bool found = false;

    for (unsigned i = 0; !found && (mount = mount_at(i, &root, path, sizeof(path))); i++) {
        found = mount->type->needs_device && (string_starts_with(mount->device, name) ||
                                              string_starts_with(name, mount->device));
        vnode_put(root);
    }
    return found;
}

static int block_node_open(const struct device *device, struct file *file)
{
    const struct block_device *disk = device->context;

    if ((file->flags & FILE_ACCESS) == FILE_READ_ONLY)
        return 0;
    if (disk->read_only)
        return -EROFS;
    return is_mounted(disk->name) ? -EBUSY : 0;
}

/* A transfer of up to PART_SECTORS sectors around some bytes of the device. */
struct part {
    uint64_t sector;
    size_t sectors, skip, bytes; /* of these, `bytes` bytes from `skip` on are wanted */
};

static struct part first_part(uint64_t offset, size_t n)
{
    struct part part = {.sector = offset / HAL_SECTOR_SIZE, .skip = offset % HAL_SECTOR_SIZE};

    part.bytes = PART_SECTORS * HAL_SECTOR_SIZE - part.skip;
    if (part.bytes > n)
        part.bytes = n;
    part.sectors = (part.skip + part.bytes + HAL_SECTOR_SIZE - 1) / HAL_SECTOR_SIZE;
    return part;
}

static bool is_whole(const struct part *part)
{
    return part->skip == 0 && part->bytes % HAL_SECTOR_SIZE == 0;
}

static int read_part(const struct block_device *disk, const struct part *part, uint8_t *buffer,
                     uint8_t *to)
{
    int error = block_read(disk, part->sector, buffer, part->sectors);

    if (!error)
        memcpy(to, buffer + part->skip, part->bytes);
    return error;
}

static int write_part(const struct block_device *disk, const struct part *part, uint8_t *buffer,
                      const uint8_t *from)
{
    int error = is_whole(part) ? 0 : block_read(disk, part->sector, buffer, part->sectors);

    if (error)
        return error;
    memcpy(buffer + part->skip, from, part->bytes);
    return block_write(disk, part->sector, buffer, part->sectors);
}

/* Reads into `to` or writes from `from`, whichever is given. */
static int64_t transfer(const struct device *device, uint64_t offset, uint8_t *to,
                        const uint8_t *from, size_t n)
{
    const struct block_device *disk = device->context;
    uint64_t bytes = disk->sectors * HAL_SECTOR_SIZE;
    uint8_t *buffer;
    size_t done = 0;
    int error = 0;

    if (offset >= bytes || n == 0)
        return 0;
    if (n > bytes - offset)
        n = (size_t)(bytes - offset);
    buffer = kmalloc_aligned(PART_SECTORS * HAL_SECTOR_SIZE, HAL_SECTOR_SIZE);
    if (!buffer)
        return -ENOMEM;
    while (done < n && !error) {
        struct part part = first_part(offset + done, n - done);

        error = to ? read_part(disk, &part, buffer, to + done)
                   : write_part(disk, &part, buffer, from + done);
        done += error ? 0 : part.bytes;
    }
    kfree(buffer);
    return done > 0 ? (int64_t)done : error;
}

static int64_t block_node_read(const struct device *device, struct file *file, uint64_t offset,
                               void *data, size_t n)
{
    (void)file;
    return transfer(device, offset, data, NULL, n);
}

static int64_t block_node_write(const struct device *device, struct file *file, uint64_t offset,
                                const void *data, size_t n)
{
    int64_t done = transfer(device, offset, NULL, data, n);

    (void)file;
    return done == 0 && n > 0 ? -ENOSPC : done;
}

static int block_node_sync(const struct device *device)
{
    return block_flush(device->context);
}

static const struct device_ops ops = {
    .open = block_node_open,
    .read = block_node_read,
    .write = block_node_write,
    .sync = block_node_sync,
};

void devfs_add_block(const struct block_device *disk, unsigned number)
{
    struct device *device = &nodes.devices[nodes.used];

    if (nodes.used == BLOCK_NODES)
        return;
    nodes.disks[nodes.used] = *disk;
    *device = (struct device){
        .type = VNODE_BLOCK,
        .mode = 0660,
        .number = DEVICE_NUMBER(MMC_MAJOR, number),
        .bytes = disk->sectors * HAL_SECTOR_SIZE,
        .ops = &ops,
        .context = &nodes.disks[nodes.used],
    };
    string_copy(device->name, sizeof(device->name), disk->name);
    if (device_register(device) == 0)
        nodes.used++;
}
