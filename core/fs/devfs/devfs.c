/* SPDX-License-Identifier: MIT */
/*
 * devfs.c: the nodes, made when devfs is mounted and when a device comes, and gone with it.
 */
#include "fs/devfs/devfs.h"

#include "block/block.h"
#include "fs/devfs/device.h"
#include "fs/devfs/gpio/gpiochip.h"
#include "fs/devfs/nodes.h"
#include "fs/mount.h"
#include "fs/ramfs/ramfs.h"
#include "lib/log.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/kstate.h>

#define DEVFS_MOUNTS 8u

static KSTATE struct devfs {
    struct mutex mutex; /* guards the rest */
    struct mount *mounts[DEVFS_MOUNTS];
} devfs;

/* Disks go; their devices only wait for the next of that name. */
static bool has_gone(const struct device *device)
{
    return device->type == VNODE_BLOCK && !block_find(device->name);
}

/* Takes the node of `device` away, if what has its name is that. */
static void remove_node(struct mount *mount, const struct device *device)
{
    struct vnode *root = mount->root, *node = NULL;
    size_t n = string_length(device->name);

    rwlock_write(&root->lock);
    if (root->ops->lookup(root, device->name, n, &node) == 0 &&
        node->attributes.type == device->type && node->attributes.device == device->number) {
        rwlock_write(&node->lock);
        (void)!root->ops->unlink(root, device->name, n, node);
        rwlock_end_write(&node->lock);
    }
    rwlock_end_write(&root->lock);
    vnode_put(node);
}

/* Makes the node of `device`, unless there is something of that name. 0 or an error. */
static int add_node(struct mount *mount, const struct device *device)
{
    struct vnode_attributes attributes = {
        .type = device->type, .mode = device->mode, .device = device->number};
    struct vnode *root = mount->root, *node = NULL;
    int error;

    rwlock_write(&root->lock);
    error = root->ops->create(root, device->name, string_length(device->name), &attributes, &node);
    rwlock_end_write(&root->lock);
    vnode_put(node);
    return error == -EEXIST ? 0 : error;
}

/* Caller holds the mutex. */
static int update_nodes(struct mount *mount)
{
    const struct device *device = device_from(0);
    int error = 0;

    for (; device && !error; device = device_from(device->id + 1)) {
        if (has_gone(device))
            remove_node(mount, device);
        else
            error = add_node(mount, device);
    }
    return error;
}

/* The names by which a program knows its own open files. */
static int add_links(struct mount *mount)
{
    static const char *const links[][2] = {{"fd", "/proc/self/fd"},
                                           {"stdin", "/proc/self/fd/0"},
                                           {"stdout", "/proc/self/fd/1"},
                                           {"stderr", "/proc/self/fd/2"}};
    struct vnode *root = mount->root, *link = NULL;
    int error = 0;

    for (unsigned i = 0; i < sizeof(links) / sizeof(links[0]) && !error; i++) {
        rwlock_write(&root->lock);
        error =
            root->ops->symlink(root, links[i][0], string_length(links[i][0]), links[i][1], &link);
        rwlock_end_write(&root->lock);
        if (!error)
            vnode_put(link);
    }
    return error;
}

/* Enters `mount` in the table, or with `to` NULL takes it off. Caller holds the mutex. */
static int replace(struct mount *from, struct mount *to)
{
    for (unsigned i = 0; i < DEVFS_MOUNTS; i++) {
        if (devfs.mounts[i] == from) {
            devfs.mounts[i] = to;
            return 0;
        }
    }
    return -EBUSY;
}

static int devfs_mount(struct mount *mount, const struct block_device *device, const char *options,
                       struct problem *problem)
{
    int error = ramfs_mount_with_mode(mount, options, 0755, problem);

    (void)device;
    if (error)
        return error;
    mount->names_change = true; /* devices come */
    mutex_lock(&devfs.mutex);
    error = update_nodes(mount);
    if (!error)
        error = add_links(mount);
    if (!error)
        error = replace(NULL, mount);
    mutex_unlock(&devfs.mutex);
    if (error) {
        problem_set(problem, "Unmount another, or make room.",
                    "%s: no room for the devices' nodes (error %d).",
                    error == -ENOMEM ? "Out of memory" : "Not made", -error);
        vnode_put(mount->root);
        (void)ramfs_unmount(mount);
    }
    return error;
}

static int devfs_unmount(struct mount *mount)
{
    mutex_lock(&devfs.mutex);
    (void)!replace(mount, NULL);
    mutex_unlock(&devfs.mutex);
    return ramfs_unmount(mount);
}

static const struct file_system devfs_type = {
    .name = "devfs",
    .mount = devfs_mount,
    .unmount = devfs_unmount,
    .status = ramfs_status,
};

void devfs_announce(void)
{
    mutex_lock(&devfs.mutex);
    for (unsigned i = 0; i < DEVFS_MOUNTS; i++) {
        if (devfs.mounts[i] && update_nodes(devfs.mounts[i]))
            klog(KLOG_WARNING, "devfs: out of memory: no node for a new device");
    }
    mutex_unlock(&devfs.mutex);
}

void devfs_register(void)
{
    mutex_init(&devfs.mutex);
    nodes_register_memory();
    nodes_register_block();
    nodes_register_console();
    gpiochip_register();
    file_system_register(&devfs_type);
}
