/* SPDX-License-Identifier: MIT */
/*
 * device.h: the devices that there are, by number and by name.
 *
 * A device is known by its type and number (Linux's, Documentation/admin-guide/devices.txt), and a
 * device node of whatever file system leads to it by these. devfs shows each under its name.
 */
#pragma once

#include "fs/vnode.h"
#include "lib/list.h"

#include <hal/compiler.h>

#include <stddef.h>
#include <stdint.h>

#define DEVICE_NAME_MAX 31

struct device;

/** All may sleep; what is NULL is not supported. */
struct device_ops {
    /** `file` is being opened or closed. NULL: nothing to do. */
    int (*open)(const struct device *device, struct file *file);
    void (*close)(const struct device *device, struct file *file);

    /** As vnode_ops.file_read and file_write. NULL: -EINVAL. */
    int64_t (*read)(const struct device *device, struct file *file, uint64_t offset, void *data,
                    size_t n);
    int64_t (*write)(const struct device *device, struct file *file, uint64_t offset,
                     const void *data, size_t n);

    /** As vnode_ops.ioctl. NULL: -ENOTTY. */
    int (*ioctl)(const struct device *device, struct file *file, unsigned request, void *argument);

    /** As vnode_ops.poll. NULL: all. */
    unsigned (*poll)(const struct device *device, struct file *file, struct poll_waiter *waiter);

    /** Returns when what was written is on the medium. NULL: 0. */
    int (*sync)(const struct device *device);
};

/** Once registered it stays, as it is, for good. */
struct device {
    char name[DEVICE_NAME_MAX + 1];
    enum vnode_type type; /**< VNODE_CHARACTER or VNODE_BLOCK */
    uint16_t mode;
    uint64_t number; /**< DEVICE_NUMBER(major, minor) */
    const struct device_ops *ops;
    uint64_t id; /**< device.c's: 1, 2, ... in the order of registration */
    struct list link;
};

/** Makes it known. -EEXIST: its name, or its type and number, is taken. Thread context or boot. */
HAL_MUST_CHECK int device_register(struct device *device);

/** Fills `device` in and registers it; a name or number that is taken is a panic. Boot. */
void device_setup(struct device *device, const char *name, enum vnode_type type, uint64_t number,
                  uint16_t mode, const struct device_ops *ops);

/** The device of that type and number, or NULL. Any context. */
const struct device *device_find(enum vnode_type type, uint64_t number);

/** The device called by these `n` bytes, or NULL. Any context. */
const struct device *device_named(const char *name, size_t n);

/** The first device whose id is at least `id`, or NULL. Any context. */
const struct device *device_from(uint64_t id);

/* Operations for the vnode of a device node, in whatever file system. -ENXIO: no such device. */
int device_vnode_open(struct vnode *vnode, struct file *file);
void device_vnode_close(struct vnode *vnode, struct file *file);
int64_t device_file_read(struct file *file, uint64_t offset, void *data, size_t n);
int64_t device_file_write(struct file *file, uint64_t offset, const void *data, size_t n);
int device_file_ioctl(struct file *file, unsigned request, void *argument);
unsigned device_file_poll(struct file *file, struct poll_waiter *waiter);
int device_vnode_sync(struct vnode *vnode);
