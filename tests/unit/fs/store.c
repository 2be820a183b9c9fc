/* SPDX-License-Identifier: MIT */
/*
 * store.c: see store.h.
 */
#include "store.h"

#include "../check_memory.h"
#include "../fake_hal.h"

#include "block/block.h"
#include "fs/fat32/fat32.h"
#include "fs/fat32/write/write.h"

#include <hal/errno.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct store store;

/* ---- the card ---- */

static unsigned sectors_of(const struct hal_block_request *request)
{
    unsigned count = 0;

    for (unsigned i = 0; i < request->segment_count; i++)
        count += request->segments[i].sectors;
    return count;
}

/* Sector `index` of what a request writes. */
static const uint8_t *sector_of(const struct hal_block_request *request, unsigned index)
{
    const struct hal_block_segment *segment = request->segments;

    for (; index >= segment->sectors; segment++)
        index -= segment->sectors;
    return (const uint8_t *)segment->data + (size_t)index * HAL_SECTOR_SIZE;
}

/* The part of a write that is on the card although it has failed. */
static void tear(const struct hal_block_request *request)
{
    unsigned count = request->op == HAL_BLOCK_WRITE ? sectors_of(request) : 0;
    unsigned whole = store.tear == STORE_HALF ? (count + 1) / 2 : count / 2;
    uint8_t *at = store.bytes + request->sector * HAL_SECTOR_SIZE;

    if (count == 0 || store.tear == STORE_NOTHING)
        return;
    store.torn++;
    for (unsigned i = 0; i < whole; i++)
        memcpy(at + (size_t)i * HAL_SECTOR_SIZE, sector_of(request, i), HAL_SECTOR_SIZE);
    if (store.tear == STORE_GARBAGE)
        memset(at + (size_t)whole * HAL_SECTOR_SIZE, 0xA5, HAL_SECTOR_SIZE);
}

static int fault(const struct hal_block_request *request)
{
    if (store.only_writes && request->op == HAL_BLOCK_READ)
        return 0;
    store.requests++;
    if (store.requests != store.fail_at && !(store.fail_from && store.requests >= store.fail_from))
        return 0;
    tear(request);
    return -EIO;
}

static int write_sectors(void *context, uint64_t sector, const void *data, unsigned count)
{
    (void)context;
    memcpy(store.bytes + sector * HAL_SECTOR_SIZE, data, (size_t)count * HAL_SECTOR_SIZE);
    return 0;
}

void store_make_with(const struct mkfs_options *options)
{
    struct mkfs_options all = *options;
    struct mkfs_result result;

    memset(&store, 0, sizeof store);
    store.size = (size_t)options->sectors * HAL_SECTOR_SIZE;
    store.bytes = calloc(1, store.size);
    all.write = write_sectors;
    all.volume_id = 0x7A7BE44Fu;
    if (!store.bytes || fat_format(&all, &result))
        abort();
}

void store_make(uint64_t sectors, uint32_t cluster_bytes)
{
    const struct mkfs_options options = {.sectors = sectors, .cluster_bytes = cluster_bytes};

    store_make_with(&options);
}

void store_finish(void)
{
    free(store.bytes);
    store.bytes = NULL;
}

void store_start(uint64_t ram_bytes)
{
    fake_kernel_start(ram_bytes);
    fake.card = fake.card_store = store.bytes;
    fake.card_sectors = store.size / HAL_SECTOR_SIZE;
    fake.card_fault = fault;
    store.root = NULL;
    if (block_start())
        abort();
}

int store_mount_with(const char *options)
{
    struct problem problem;
    int error;

    memset(&store.mount, 0, sizeof store.mount);
    store.mount.type = &fat32_file_system;
    error = fat32_file_system.mount(&store.mount, block_card(), options, &problem);
    store.root = error ? NULL : store.mount.root;
    return error;
}

int store_mount(void)
{
    return store_mount_with("");
}

int store_unmount(void)
{
    vnode_put(store.root);
    store.root = NULL;
    return fat32_file_system.unmount(&store.mount);
}

bool store_is_writable(void)
{
    return store.root && !store.mount.read_only && fat32_volume_of(store.root)->writer;
}

bool store_mark(unsigned bit)
{
    const uint8_t *boot = store.bytes;
    size_t fat = (size_t)(boot[14] | boot[15] << 8) * (size_t)(boot[11] | boot[12] << 8);

    return boot[fat + 4 + bit / 8] >> bit % 8 & 1;
}

/* ---- operations ---- */

int store_lookup(const char *path, struct vnode **found)
{
    struct vnode *vnode = vnode_get(store.root);
    int error = 0;

    while (*path == '/' && path[1] && !error) {
        size_t n = strcspn(path + 1, "/");
        struct vnode *next = NULL;

        error = vnode->attributes.type == VNODE_DIRECTORY
                    ? vnode->ops->lookup(vnode, path + 1, n, &next)
                    : -ENOTDIR;
        vnode_put(vnode);
        vnode = next;
        path += 1 + n;
    }
    *found = vnode;
    return error;
}

/* The directory of `path`, and the name in it. */
static int parent_of(const char *path, struct vnode **parent, const char **name)
{
    char directory[4096];
    const char *slash = strrchr(path, '/');
    int error;

    snprintf(directory, sizeof directory, "%.*s", (int)(slash - path), path);
    *name = slash + 1;
    error = store_lookup(directory, parent);
    if (!error && (*parent)->attributes.type != VNODE_DIRECTORY) {
        vnode_put(*parent);
        error = -ENOTDIR;
    }
    return error;
}

static int make(const char *path, enum vnode_type type)
{
    const struct vnode_attributes attributes = {.type = type, .mode = 0777};
    struct vnode *parent = NULL, *created = NULL;
    const char *name;
    int error = parent_of(path, &parent, &name);

    if (error)
        return error;
    error = parent->ops->create(parent, name, strlen(name), &attributes, &created);
    if (!error)
        vnode_put(created);
    vnode_put(parent);
    return error;
}

int store_create(const char *path)
{
    return make(path, VNODE_FILE);
}

int store_mkdir(const char *path)
{
    return make(path, VNODE_DIRECTORY);
}

static int take_away(const char *path, bool directory)
{
    struct vnode *parent = NULL, *vnode = NULL;
    const char *name;
    int error = parent_of(path, &parent, &name);

    if (error)
        return error;
    error = parent->ops->lookup(parent, name, strlen(name), &vnode);
    if (!error) {
        error = directory ? parent->ops->rmdir(parent, name, strlen(name), vnode)
                          : parent->ops->unlink(parent, name, strlen(name), vnode);
        vnode_put(vnode);
    }
    vnode_put(parent);
    return error;
}

int store_unlink(const char *path)
{
    return take_away(path, false);
}

int store_rmdir(const char *path)
{
    return take_away(path, true);
}

static int move(struct vnode *from, const char *name, struct vnode *to, const char *new_name)
{
    struct vnode *vnode = NULL, *replaced = NULL;
    int error = from->ops->lookup(from, name, strlen(name), &vnode);

    if (error)
        return error;
    error = to->ops->lookup(to, new_name, strlen(new_name), &replaced);
    if (replaced == vnode) {
        vnode_put(replaced);
        replaced = NULL;
    }
    if (error == 0 || error == -ENOENT)
        error = from->ops->rename(from, name, strlen(name), vnode, to, new_name, strlen(new_name),
                                  replaced);
    vnode_put(vnode);
    vnode_put(replaced);
    return error;
}

int store_rename(const char *from, const char *to)
{
    struct vnode *from_parent = NULL, *to_parent = NULL;
    const char *from_name, *to_name;
    int error = parent_of(from, &from_parent, &from_name);

    if (error)
        return error;
    error = parent_of(to, &to_parent, &to_name);
    if (!error) {
        error = move(from_parent, from_name, to_parent, to_name);
        vnode_put(to_parent);
    }
    vnode_put(from_parent);
    return error;
}

int64_t store_write(const char *path, uint64_t offset, const void *data, size_t n)
{
    struct vnode *vnode = NULL;
    int64_t result = store_lookup(path, &vnode);

    if (!result) {
        result = vnode->ops->write(vnode, offset, data, n);
        vnode_put(vnode);
    }
    return result;
}

int64_t store_read(const char *path, uint64_t offset, void *data, size_t n)
{
    struct vnode *vnode = NULL;
    int64_t result = store_lookup(path, &vnode);

    if (!result) {
        result = vnode->ops->read(vnode, offset, data, n);
        vnode_put(vnode);
    }
    return result;
}

int store_truncate(const char *path, uint64_t size)
{
    struct vnode *vnode = NULL;
    int error = store_lookup(path, &vnode);

    if (!error) {
        error = vnode->ops->truncate(vnode, size);
        vnode_put(vnode);
    }
    return error;
}

int store_sync(void)
{
    return fat32_file_system.sync(&store.mount);
}

int store_count(const char *path)
{
    static struct directory_entry entry;
    struct vnode *vnode = NULL;
    uint64_t position = 0;
    int count = 0, error = store_lookup(path, &vnode);

    if (error)
        return error;
    while ((error = vnode->ops->iterate(vnode, &position, &entry)) == 0)
        count++;
    vnode_put(vnode);
    return error == -ENOENT ? count : error;
}

/* ---- the checker ---- */

static int read_sectors(void *context, uint64_t sector, void *data, unsigned count)
{
    (void)context;
    memcpy(data, store.bytes + sector * HAL_SECTOR_SIZE, (size_t)count * HAL_SECTOR_SIZE);
    return 0;
}

static void found(void *context, enum check_class class, const char *text)
{
    const enum check_class *worst = context;

    if (class >= *worst)
        snprintf(store.finding, sizeof store.finding, "%s", text);
}

static int check(enum check_class *worst, struct check_result *result)
{
    const struct check_means means = {.context = worst,
                                      .read = read_sectors,
                                      .allocate = check_memory_allocate,
                                      .release = check_memory_release,
                                      .found = found,
                                      .sectors = store.size / HAL_SECTOR_SIZE};

    store.finding[0] = '\0';
    return fat_check(&means, result);
}

bool store_passes(enum check_class worst)
{
    struct check_result result;

    return check(&worst, &result) == 0 && store.finding[0] == '\0';
}

uint32_t store_free(void)
{
    enum check_class worst = CHECK_DAMAGE;
    struct check_result result;

    if (check(&worst, &result) || store.finding[0])
        return 0;
    return result.clusters - result.used - result.lost - result.bad;
}
