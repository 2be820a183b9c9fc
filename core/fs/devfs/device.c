/* SPDX-License-Identifier: MIT */
/*
 * device.c: the list of devices. They come at boot and when a card is found, and never go, so who
 * has found one may keep it.
 *
 * An open file of a device has the device in its `private`.
 */
#include "fs/devfs/device.h"

#include "boot/panic.h"
#include "fs/file.h"
#include "lib/string.h"
#include "sync/spinlock.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>

static KSTATE struct devices {
    struct spinlock lock; /* guards the rest; all zeros: free */
    struct list all;      /* in the order of their ids; its links are NULL until the first comes */
    uint64_t last_id;
} devices;

static hal_irq_state_t lock_devices(void)
{
    hal_irq_state_t state;

    if (devices.lock.rank != LOCK_RANK_DEVICE) /* the first call: at boot */
        spinlock_init(&devices.lock, LOCK_RANK_DEVICE);
    state = spinlock_acquire(&devices.lock);
    if (!devices.all.next)
        list_init(&devices.all);
    return state;
}

static bool same_name(const struct device *device, const char *name, size_t n)
{
    return string_length(device->name) == n && memcmp(device->name, name, n) == 0;
}

/* Caller holds the lock. */
static bool is_taken(const struct device *wanted)
{
    list_for_each (link, &devices.all) {
        const struct device *device = list_entry(link, struct device, link);

        if (same_name(device, wanted->name, string_length(wanted->name)) ||
            (device->type == wanted->type && device->number == wanted->number))
            return true;
    }
    return false;
}

int device_register(struct device *device)
{
    hal_irq_state_t state = lock_devices();
    int error = is_taken(device) ? -EEXIST : 0;

    if (!error) {
        device->id = ++devices.last_id;
        list_add_tail(&devices.all, &device->link);
    }
    spinlock_release(&devices.lock, state);
    return error;
}

void device_setup(struct device *device, const char *name, enum vnode_type type, uint64_t number,
                  uint16_t mode, const struct device_ops *ops)
{
    *device = (struct device){.type = type, .number = number, .mode = mode, .ops = ops};
    string_copy(device->name, sizeof(device->name), name);
    kassert(device_register(device) == 0);
}

/* What device_find and its sisters look for. */
struct wanted {
    enum vnode_type type;
    uint64_t number, id;
    const char *name;
    size_t length;
};

static const struct device *find(bool (*fits)(const struct device *, const struct wanted *),
                                 const struct wanted *wanted)
{
    hal_irq_state_t state = lock_devices();
    const struct device *found = NULL;

    list_for_each (link, &devices.all) {
        const struct device *device = list_entry(link, struct device, link);

        if (!found && fits(device, wanted))
            found = device;
    }
    spinlock_release(&devices.lock, state);
    return found;
}

static bool number_fits(const struct device *device, const struct wanted *wanted)
{
    return device->type == wanted->type && device->number == wanted->number;
}

static bool name_fits(const struct device *device, const struct wanted *wanted)
{
    return same_name(device, wanted->name, wanted->length);
}

static bool id_fits(const struct device *device, const struct wanted *wanted)
{
    return device->id >= wanted->id;
}

const struct device *device_find(enum vnode_type type, uint64_t number)
{
    return find(number_fits, &(struct wanted){.type = type, .number = number});
}

const struct device *device_named(const char *name, size_t n)
{
    return find(name_fits, &(struct wanted){.name = name, .length = n});
}

const struct device *device_from(uint64_t id)
{
    return find(id_fits, &(struct wanted){.id = id});
}

/* ---- device nodes ---- */

int device_vnode_open(struct vnode *vnode, struct file *file)
{
    const struct device *device = device_find(vnode->attributes.type, vnode->attributes.device);

    if (!device)
        return -ENXIO;
    file->private = (void *)device;
    return device->ops->open ? device->ops->open(device, file) : 0;
}

void device_vnode_close(struct vnode *vnode, struct file *file)
{
    const struct device *device = file->private;

    (void)vnode;
    if (device->ops->close)
        device->ops->close(device, file);
}

int64_t device_file_read(struct file *file, uint64_t offset, void *data, size_t n)
{
    const struct device *device = file->private;

    return device->ops->read ? device->ops->read(device, file, offset, data, n) : -EINVAL;
}

int64_t device_file_write(struct file *file, uint64_t offset, const void *data, size_t n)
{
    const struct device *device = file->private;

    return device->ops->write ? device->ops->write(device, file, offset, data, n) : -EINVAL;
}

int device_file_ioctl(struct file *file, unsigned request, void *argument)
{
    const struct device *device = file->private;

    return device->ops->ioctl ? device->ops->ioctl(device, file, request, argument) : -ENOTTY;
}

unsigned device_file_poll(struct file *file, struct poll_waiter *waiter)
{
    const struct device *device = file->private;

    return device->ops->poll ? device->ops->poll(device, file, waiter)
                             : (unsigned)VNODE_CAN_READ | VNODE_CAN_WRITE;
}

int device_vnode_sync(struct vnode *vnode)
{
    const struct device *device = device_find(vnode->attributes.type, vnode->attributes.device);

    return device && device->ops->sync ? device->ops->sync(device) : 0;
}
