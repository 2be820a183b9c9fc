/* SPDX-License-Identifier: MIT */
/*
 * store.c: see store.h.
 */
#include "store.h"

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

static int fault(const struct hal_block_request *request)
{
    if (store.only_writes && request->op == HAL_BLOCK_READ)
        return 0;
    store.requests++;
    if (store.requests == store.fail_at)
        return -EIO;
    return store.fail_from && store.requests >= store.fail_from ? -EIO : 0;
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

int store_mount(void)
{
    struct problem problem;

    return fat32_mount(block_card(), &store.root, &problem);
}

void store_unmount(void)
{
    vnode_put(store.root);
    store.root = NULL;
}

static struct fat32_node *node_of(struct vnode *vnode)
{
    return (struct fat32_node *)((char *)vnode - offsetof(struct fat32_node, vnode));
}

bool store_is_writable(void)
{
    return store.root && node_of(store.root)->volume->writer;
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

static struct mutex *lock(void)
{
    struct mutex *mutex = &node_of(store.root)->volume->mutex;

    mutex_lock(mutex);
    return mutex;
}

static int make(const char *path, bool directory)
{
    struct fat32_node *node = NULL;
    struct vnode *parent = NULL;
    const char *name;
    int error = parent_of(path, &parent, &name);

    if (error)
        return error;
    lock();
    error = fat32_create(node_of(parent), name, strlen(name), directory, &node);
    mutex_unlock(&node_of(store.root)->volume->mutex);
    if (node)
        vnode_put(&node->vnode);
    vnode_put(parent);
    return error;
}

int store_create(const char *path)
{
    return make(path, false);
}

int store_mkdir(const char *path)
{
    return make(path, true);
}

static int take_away(const char *path, bool directory)
{
    struct vnode *parent = NULL;
    const char *name;
    int error = parent_of(path, &parent, &name);

    if (error)
        return error;
    lock();
    error = fat32_remove(node_of(parent), name, strlen(name), directory);
    mutex_unlock(&node_of(store.root)->volume->mutex);
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

int store_rename(const char *from, const char *to)
{
    struct vnode *from_parent = NULL, *to_parent = NULL;
    const char *from_name, *to_name;
    int error = parent_of(from, &from_parent, &from_name);

    if (error)
        return error;
    error = parent_of(to, &to_parent, &to_name);
    if (!error) {
        lock();
        error = fat32_rename(node_of(from_parent), from_name, strlen(from_name), node_of(to_parent),
                             to_name, strlen(to_name));
        mutex_unlock(&node_of(store.root)->volume->mutex);
        vnode_put(to_parent);
    }
    vnode_put(from_parent);
    return error;
}

int64_t store_write_to(struct vnode *file, uint64_t offset, const void *data, size_t n)
{
    int64_t result;

    lock();
    result = fat32_write(node_of(file), offset, data, n);
    mutex_unlock(&node_of(store.root)->volume->mutex);
    return result;
}

int64_t store_write(const char *path, uint64_t offset, const void *data, size_t n)
{
    struct vnode *vnode = NULL;
    int64_t result = store_lookup(path, &vnode);

    if (!result) {
        result = store_write_to(vnode, offset, data, n);
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
        lock();
        error = fat32_truncate(node_of(vnode), size);
        mutex_unlock(&node_of(store.root)->volume->mutex);
        vnode_put(vnode);
    }
    return error;
}

int store_sync(void)
{
    int error;

    lock();
    error = fat32_sync(node_of(store.root)->volume);
    mutex_unlock(&node_of(store.root)->volume->mutex);
    return error;
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

static void *allocate(void *context, size_t bytes)
{
    (void)context;
    return calloc(1, bytes);
}

static void release(void *context, void *memory)
{
    (void)context;
    free(memory);
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
                                      .allocate = allocate,
                                      .release = release,
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
