/* SPDX-License-Identifier: MIT */
/*
 * block.c: disks and their partitions as files: any bytes of them can be read and written.
 *
 * Whole sectors go to the medium as they are; a part of one is read, changed and written. There is
 * no cache here. Nobody changes a file system under its driver: what shares sectors with something
 * that is mounted cannot be opened for writing, nor be mounted while it is.
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

#define CARD_MAJOR 179u
#define RAM_MAJOR 1u
#define OTHER_MAJOR 240u /* the first of those that are free for use at a place */
#define BLOCK_NODES 32u
#define PART_SECTORS 64u

static KSTATE struct block_nodes {
    struct mutex mutex; /* guards the rest */
    unsigned used, others;
    struct block_node {
        struct device device;
        unsigned writers;         /* open files; the first claims the device, for all of them */
        struct mount_claim claim; /* while there are any */
    } all[BLOCK_NODES];
} nodes;

static struct block_node *node_of(const struct device *device)
{
    return &nodes.all[list_entry(device, const struct block_node, device) - nodes.all];
}

static bool writes(const struct file *file)
{
    return (file->flags & FILE_ACCESS) != FILE_READ_ONLY;
}

static int begin_writing(struct block_node *node, const struct block_device *disk)
{
    int error = disk->read_only ? -EROFS : 0;

    mutex_lock(&nodes.mutex);
    if (!error && node->writers == 0)
        error = mount_begin_claim(&node->claim, disk);
    node->writers += !error;
    mutex_unlock(&nodes.mutex);
    return error;
}

static void end_writing(struct block_node *node)
{
    mutex_lock(&nodes.mutex);
    if (--node->writers == 0)
        mount_end_claim(&node->claim);
    mutex_unlock(&nodes.mutex);
}

static int block_node_open(const struct device *device, struct file *file)
{
    const struct block_device *disk;
    int error = block_open(device->name, &disk);

    if (error)
        return error == -ENOENT ? -ENXIO : error;
    if (writes(file))
        error = begin_writing(node_of(device), disk);
    if (error)
        block_close(disk);
    return error;
}

static void block_node_close(const struct device *device, struct file *file)
{
    if (writes(file))
        end_writing(node_of(device));
    block_close(block_find(device->name)); /* it stays while it is open */
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
    const struct block_device *disk = block_find(device->name);
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
    const struct block_device *disk = block_find(device->name);

    return disk ? block_flush(disk) : 0;
}

static const struct device_ops ops = {
    .open = block_node_open,
    .close = block_node_close,
    .read = block_node_read,
    .write = block_node_write,
    .sync = block_node_sync,
};

/* Linux's number of it; what has none gets one of those for use at a place. */
static uint64_t number_of(const struct block_entry *entry)
{
    const char *end = entry->device.name + string_length("ram");
    uint64_t number;

    if (string_starts_with(entry->device.name, "mmcblk0"))
        return DEVICE_NUMBER(CARD_MAJOR, entry->number);
    if (string_starts_with(entry->device.name, "ram") && string_to_u64(end, &number, &end) == 0 &&
        *end == '\0')
        return DEVICE_NUMBER(RAM_MAJOR, number);
    return DEVICE_NUMBER(OTHER_MAJOR, nodes.others++);
}

/* Caller holds the mutex. */
static void add_block(const struct block_entry *entry)
{
    const char *name = entry->device.name;
    struct device *device = &nodes.all[nodes.used].device;

    if (nodes.used == BLOCK_NODES || device_named(name, string_length(name)))
        return;
    *device = (struct device){
        .type = VNODE_BLOCK,
        .mode = 0660,
        .number = number_of(entry),
        .ops = &ops,
    };
    string_copy(device->name, sizeof(device->name), name);
    if (device_register(device) == 0)
        nodes.used++;
}

void nodes_register_block(void)
{
    mutex_init(&nodes.mutex);
}

void devfs_update_disks(void)
{
    struct block_entry entry;

    mutex_lock(&nodes.mutex);
    for (unsigned i = 0; block_entry_at(i, &entry); i++)
        add_block(&entry);
    mutex_unlock(&nodes.mutex);
    devfs_announce();
}
