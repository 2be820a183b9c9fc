/* SPDX-License-Identifier: MIT */
/*
 * driver.c: operations on paths, done by the driver of core/fs/fat32. All that this harness knows
 * of the driver's interface is in this file.
 */
#include "cuts.h"

#include "../unit/fake_hal.h"
#include "block/block.h"
#include "cache/page/page.h"
#include "fs/fat32/fat32.h"
#include "fs/fat32/write/write.h"
#include "lib/log.h"

#include <hal/errno.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT 6u
#define LOG_LINES 12u /* of the kernel's log, that a failure shows */

static struct vnode *root;

/*
 * Files that were written, as the name cache of the whole system keeps them: so that what they have
 * in pages is not written when the operation ends.
 */
static struct vnode *kept[KEPT];
static unsigned keep_next, operations_done;

static struct fat32_node *node_of(struct vnode *vnode)
{
    return (struct fat32_node *)((char *)vnode - offsetof(struct fat32_node, vnode));
}

static struct fat32_volume *volume(void)
{
    return node_of(root)->volume;
}

static struct problem problem;

const char *driver_problem(void)
{
    return problem.what;
}

int driver_mount(void)
{
    int error = fat32_mount(block_card(), &root, &problem);

    if (error)
        return error;
    if (volume()->writer)
        return 0;
    driver_unmount();
    return -EROFS;
}

static void drop_kept(bool all)
{
    for (unsigned i = 0; i < KEPT; i++)
        if (kept[i] && (all || node_of(kept[i])->removed)) {
            vnode_put(kept[i]);
            kept[i] = NULL;
        }
}

/* The end of an operation that had `vnode`: it is kept, and now and then the flusher comes by. */
static void keep(struct vnode *vnode)
{
    bool have = false;

    for (unsigned i = 0; i < KEPT; i++)
        have = have || kept[i] == vnode;
    if (have) {
        vnode_put(vnode);
    } else {
        vnode_put(kept[keep_next % KEPT]);
        kept[keep_next++ % KEPT] = vnode;
    }
    drop_kept(false);
    if (++operations_done % 2 == 0)
        (void)cache_writeback_some();
}

void driver_unmount(void)
{
    drop_kept(true);
    keep_next = operations_done = 0;
    vnode_put(root);
    root = NULL;
}

void driver_print_log(void)
{
    struct klog_line line;
    uint64_t end = 0;

    while (klog_read(end, &line) == 0)
        end = line.number + 1;
    for (uint64_t next = end > LOG_LINES ? end - LOG_LINES : 0; klog_read(next, &line) == 0;) {
        printf("#     %s\n", line.text);
        next = line.number + 1;
    }
}

/* ---- paths ---- */

static int lookup(const char *path, struct vnode **found)
{
    struct vnode *vnode = vnode_get(root);
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
    char directory[PATH_BYTES];
    const char *slash = strrchr(path, '/');
    int error;

    snprintf(directory, sizeof directory, "%.*s", (int)(slash - path), path);
    *name = slash + 1;
    error = lookup(directory, parent);
    if (!error && (*parent)->attributes.type != VNODE_DIRECTORY) {
        vnode_put(*parent);
        error = -ENOTDIR;
    }
    return error;
}

/* ---- directories ---- */

bool driver_holds;

/* The vnode at `path`, if the caller of an operation is to have it; NULL otherwise. */
static struct vnode *hold(const char *path)
{
    struct vnode *vnode = NULL;

    if (driver_holds && lookup(path, &vnode))
        vnode = NULL;
    return vnode;
}

int driver_create(const char *path, bool directory)
{
    const struct vnode_attributes attributes = {.type = directory ? VNODE_DIRECTORY : VNODE_FILE,
                                                .mode = 0777};
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

static int take_away(const char *path, bool directory, struct vnode *vnode)
{
    struct vnode *parent = NULL;
    const char *name;
    int error = parent_of(path, &parent, &name);

    if (error)
        return error;
    error =
        (directory ? parent->ops->rmdir : parent->ops->unlink)(parent, name, strlen(name), vnode);
    vnode_put(parent);
    return error;
}

int driver_remove(const char *path, bool directory)
{
    struct vnode *held = hold(path);
    int error = take_away(path, directory, held);

    vnode_put(held);
    drop_kept(false);
    return error;
}

int driver_unlink_open(const char *path, const void *data, size_t n)
{
    struct vnode *vnode = NULL;
    int error = lookup(path, &vnode);

    if (error)
        return error;
    error = take_away(path, false, vnode);
    if (!error && vnode->attributes.type == VNODE_FILE)
        (void)vnode->ops->write(vnode, vnode->attributes.size, data, n); /* nobody will see it */
    vnode_put(vnode);
    return error;
}

int driver_rename(const char *from, const char *to)
{
    struct vnode *from_parent = NULL, *to_parent = NULL, *held, *replaced;
    const char *from_name, *to_name;
    int error = parent_of(from, &from_parent, &from_name);

    if (error)
        return error;
    error = parent_of(to, &to_parent, &to_name);
    if (!error) {
        held = hold(from);
        replaced = hold(to);
        error = from_parent->ops->rename(from_parent, from_name, strlen(from_name), held, to_parent,
                                         to_name, strlen(to_name), replaced);
        vnode_put(replaced);
        vnode_put(held);
        drop_kept(false);
        vnode_put(to_parent);
    }
    vnode_put(from_parent);
    return error;
}

/* ---- files ---- */

static int open_file(const char *path, struct vnode **vnode)
{
    int error = lookup(path, vnode);

    if (error || (*vnode)->attributes.type == VNODE_FILE)
        return error;
    vnode_put(*vnode);
    return -EISDIR;
}

int64_t driver_write(const char *path, uint64_t offset, const void *data, size_t n)
{
    struct vnode *vnode = NULL;
    int64_t result = open_file(path, &vnode);

    if (result)
        return result;
    result = vnode->ops->write(vnode, offset, data, n);
    keep(vnode);
    return result;
}

int driver_truncate(const char *path, uint64_t size)
{
    struct vnode *vnode = NULL;
    int result = open_file(path, &vnode);

    if (result)
        return result;
    result = vnode->ops->truncate(vnode, size);
    keep(vnode);
    return result;
}

int driver_sync(void)
{
    struct fat32_volume *volume = fat32_volume_of(root);
    int error;

    mutex_lock(&volume->mutex);
    error = fat32_sync(volume);
    mutex_unlock(&volume->mutex);
    return error;
}

int driver_fsync(const char *path)
{
    struct vnode *vnode = NULL;
    int error = lookup(path, &vnode);

    if (!error) {
        error = vnode->ops->sync(vnode);
        vnode_put(vnode);
    }
    return error;
}

/* ---- all of it ---- */

static uint8_t contents[FILES_MAX][CONTENT_MAX];

bool driver_skips;

static bool read_directory(struct vnode *directory, const char *path, struct snapshot *tree);

static bool read_entry(struct vnode *directory, const char *path,
                       const struct directory_entry *entry, struct snapshot *tree)
{
    struct entry *file = &tree->files[tree->count];
    struct vnode *vnode = NULL;
    bool good;

    if (tree->count == FILES_MAX || strlen(path) + strlen(entry->name) + 2 > PATH_BYTES)
        return false;
    strcat(strcat(strcpy(file->path, path), "/"), entry->name);
    if (directory->ops->lookup(directory, entry->name, strlen(entry->name), &vnode))
        return driver_skips;
    file->directory = entry->attributes.type == VNODE_DIRECTORY;
    file->bytes = (uint32_t)entry->attributes.size;
    file->content = contents[tree->count++];
    good = file->bytes <= CONTENT_MAX;
    if (good && !file->directory)
        good = vnode->ops->read(vnode, 0, contents[tree->count - 1], CONTENT_MAX) ==
               (int64_t)file->bytes;
    if (good) {
        file->hash = file_hash(file);
        tree->hash += file->hash;
    } else if (driver_skips) {
        tree->count--;
    }
    if (good && file->directory)
        good = read_directory(vnode, file->path, tree);
    vnode_put(vnode);
    return good || driver_skips;
}

static bool read_directory(struct vnode *directory, const char *path, struct snapshot *tree)
{
    struct directory_entry entry;
    uint64_t position = 0;
    int error;

    while ((error = directory->ops->iterate(directory, &position, &entry)) == 0)
        if (!read_entry(directory, path, &entry, tree))
            return false;
    return error == -ENOENT || driver_skips;
}

bool driver_read_tree(struct snapshot *tree)
{
    tree->count = 0;
    tree->hash = 1;
    return read_directory(root, "", tree);
}
