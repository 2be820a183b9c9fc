/* SPDX-License-Identifier: MIT */
/*
 * block.c: disks and their partitions as files: any bytes of them can be read and written.
 *
 * Their pages are in the page cache while somebody has them open, and are written back by sync, by
 * the flusher, and when the last who may write closes. Nobody changes a file system under its
 * driver: what shares sectors with something that is mounted cannot be opened for writing, nor be
 * mounted while it is. So pages and medium differ only where a file system writes, or fsck, and
 * there the medium is read; and all pages are read again when somebody may have written.
 */
#include "block/block.h"

#include "cache/cache.h"
#include "fs/devfs/device.h"
#include "fs/devfs/devfs.h"
#include "fs/devfs/nodes.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "heap/heap.h"
#include "lib/log.h"
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
        unsigned users;            /* open files */
        unsigned writers;          /* of these; the first claims the device, for all of them */
        struct mount_claim claim;  /* while there are any */
        struct cache_object pages; /* while there are users; its context is the disk */
        uint64_t changes;          /* of the table of mounts when the pages were right */
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

/* Caller holds the mutex, as below. */
static int sync_node(struct block_node *node)
{
    int error;

    if (node->users == 0)
        return 0;
    error = cache_sync(&node->pages);
    return error ? error : block_flush(node->pages.context);
}

static int begin_writing(struct block_node *node, const struct block_device *disk)
{
    int error = disk->read_only ? -EROFS : 0;

    if (!error && node->writers == 0)
        error = mount_begin_claim(&node->claim, disk);
    node->writers += !error;
    return error;
}

/* What has been written is on the medium when others may write to it. */
static void end_writing(struct block_node *node)
{
    int error = node->writers == 1 ? sync_node(node) : 0;

    if (error)
        klog(KLOG_ERROR, "%s: what was written last is lost (error %d)", node->device.name, -error);
    if (--node->writers == 0)
        mount_end_claim(&node->claim);
}

static int block_node_open(const struct device *device, struct file *file)
{
    struct block_node *node = node_of(device);
    const struct block_device *disk;
    int error = block_open(device->name, &disk);

    if (error)
        return error == -ENOENT ? -ENXIO : error;
    mutex_lock(&nodes.mutex);
    if (writes(file))
        error = begin_writing(node, disk);
    if (!error && node->users++ == 0)
        cache_object_init(&node->pages, &cache_device_ops, (void *)disk,
                          disk->sectors * HAL_SECTOR_SIZE);
    mutex_unlock(&nodes.mutex);
    if (error)
        block_close(disk);
    return error;
}

static void block_node_close(const struct device *device, struct file *file)
{
    struct block_node *node = node_of(device);
    const struct block_device *disk = node->pages.context;

    mutex_lock(&nodes.mutex);
    if (writes(file))
        end_writing(node);
    if (--node->users == 0)
        cache_object_finish(&node->pages);
    mutex_unlock(&nodes.mutex);
    block_close(disk);
}

/* ---- reading past the cache, where others may write ---- */

/* Up to PART_SECTORS sectors around some bytes of the device. */
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

static int64_t read_medium(const struct block_device *disk, uint64_t offset, uint8_t *to, size_t n)
{
    uint8_t *buffer = kmalloc_aligned(PART_SECTORS * HAL_SECTOR_SIZE, HAL_SECTOR_SIZE);
    size_t done = 0;
    int error = 0;

    if (!buffer)
        return -ENOMEM;
    while (done < n && !error) {
        struct part part = first_part(offset + done, n - done);

        error = block_read(disk, part.sector, buffer, part.sectors);
        if (!error)
            memcpy(to + done, buffer + part.skip, part.bytes);
        done += error ? 0 : part.bytes;
    }
    kfree(buffer);
    return done > 0 ? (int64_t)done : error;
}

/* ---- reading and writing ---- */

/* How many of the `n` bytes from `offset` on the device has. */
static size_t room(const struct block_node *node, uint64_t offset, size_t n)
{
    uint64_t bytes = node->pages.size;

    if (offset >= bytes)
        return 0;
    return n > bytes - offset ? (size_t)(bytes - offset) : n;
}

/* False: somebody else may be writing to the medium, and pages of it mean nothing. */
static bool use_pages(struct block_node *node)
{
    uint64_t changes;
    bool usable = true;

    mutex_lock(&nodes.mutex);
    if (node->writers == 0) {
        usable = !mount_is_used(node->pages.context, &changes);
        if (usable && changes != node->changes)
            cache_forget(&node->pages, 0, node->pages.size);
        if (usable)
            node->changes = changes;
    }
    mutex_unlock(&nodes.mutex);
    return usable;
}

static int64_t block_node_read(const struct device *device, struct file *file, uint64_t offset,
                               void *data, size_t n)
{
    struct block_node *node = node_of(device);

    (void)file;
    n = room(node, offset, n);
    if (n == 0)
        return 0;
    return use_pages(node) ? cache_read(&node->pages, offset, data, n)
                           : read_medium(node->pages.context, offset, data, n);
}

static int64_t block_node_write(const struct device *device, struct file *file, uint64_t offset,
                                const void *data, size_t n)
{
    struct block_node *node = node_of(device);
    size_t fits = room(node, offset, n);

    (void)file;
    if (fits == 0)
        return n > 0 ? -ENOSPC : 0;
    return cache_write(&node->pages, offset, data, fits);
}

static int block_node_sync(const struct device *device)
{
    int error;

    mutex_lock(&nodes.mutex);
    error = sync_node(node_of(device));
    mutex_unlock(&nodes.mutex);
    return error;
}

int devfs_sync_disks(void)
{
    int first = 0;

    mutex_lock(&nodes.mutex);
    for (unsigned i = 0; i < nodes.used; i++) {
        int error = nodes.all[i].writers > 0 ? sync_node(&nodes.all[i]) : 0;

        first = first ? first : error;
    }
    mutex_unlock(&nodes.mutex);
    return first;
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
