/* SPDX-License-Identifier: MIT */
/*
 * ramfs.c: mounting, with its options and limits (see ramfs.h).
 */
#include "fs/ramfs/ramfs.h"

#include "fs/ramfs/node.h"
#include "heap/heap.h"
#include "lib/string.h"
#include "mem/frame.h"

#include <hal/errno.h>
#include <hal/machine.h>
#include <hal/runtime.h>

#define RAMFS_MAGIC 0x858458f6u
#define TMPFS_MAGIC 0x01021994u
#define TMPFS_MODE 01777
#define RAMFS_MODE 0755
#define OPTION_VALUE_MAX 24u

struct settings {
    uint64_t bytes, files;
    struct vnode_attributes root;
};

static uint64_t ram_pages(void)
{
    struct frame_stats stats;

    frame_read_stats(&stats);
    return stats.total;
}

/* What the letter behind a number multiplies it by; 0: no such letter. */
static uint64_t unit_of(char letter)
{
    switch (char_to_lower(letter)) {
    case 'k':
        return 1u << 10;
    case 'm':
        return 1u << 20;
    case 'g':
        return 1u << 30;
    default:
        return 0;
    }
}

/* "64", "64k", "10m", "1g", or where `percent` is given, "25%" of it. 0 or -EINVAL. */
static int read_amount(const char *text, uint64_t percent, uint64_t *amount)
{
    const char *end;
    uint64_t unit = 1;

    if (string_to_u64(text, amount, &end))
        return -EINVAL;
    if (*end == '%' && percent > 0 && *amount <= 100) {
        *amount = percent / 100 * *amount;
        end++;
    } else if (*end) {
        unit = unit_of(*end++);
    }
    if (*end || unit == 0 || *amount > UINT64_MAX / unit)
        return -EINVAL;
    *amount *= unit;
    return 0;
}

static int read_octal(const char *text, uint16_t *mode)
{
    unsigned value = 0;

    if (!*text)
        return -EINVAL;
    for (; *text; text++) {
        if (*text < '0' || *text > '7' || value > 0777)
            return -EINVAL;
        value = value * 8 + (unsigned)(*text - '0');
    }
    *mode = (uint16_t)value;
    return 0;
}

static int read_owner(const char *text, uint32_t *owner)
{
    const char *end;
    uint64_t value;

    if (string_to_u64(text, &value, &end) || *end || value > UINT32_MAX)
        return -EINVAL;
    *owner = (uint32_t)value;
    return 0;
}

static int read_option(const struct mount_option *option, struct settings *settings)
{
    uint64_t ram = ram_pages() * HAL_PAGE_SIZE;
    char value[OPTION_VALUE_MAX];

    if (mount_option_is(option, "ro") || mount_option_is(option, "rw"))
        return 0;
    if (!option->value || option->value_bytes >= sizeof(value))
        return -EINVAL;
    memcpy(value, option->value, option->value_bytes);
    value[option->value_bytes] = '\0';
    if (mount_option_is(option, "size"))
        return read_amount(value, ram, &settings->bytes);
    if (mount_option_is(option, "nr_inodes"))
        return read_amount(value, 0, &settings->files);
    if (mount_option_is(option, "mode"))
        return read_octal(value, &settings->root.mode);
    if (mount_option_is(option, "uid"))
        return read_owner(value, &settings->root.uid);
    if (mount_option_is(option, "gid"))
        return read_owner(value, &settings->root.gid);
    return -EINVAL;
}

static int read_options(const char *options, struct settings *settings, struct problem *problem)
{
    struct mount_option option;

    while (mount_next_option(&options, &option)) {
        if (read_option(&option, settings)) {
            problem_set(problem, "Options are size= nr_inodes= mode= uid= gid= ro rw.",
                        "The option \"%.*s\" means nothing here, or its value does not.",
                        (int)option.name_bytes, option.name);
            return -EINVAL;
        }
    }
    return 0;
}

/* Mounts with `settings`. 0, -ENOSPC (no room even for the root) or -ENOMEM. */
static int start(struct mount *mount, const struct settings *settings)
{
    struct ramfs *ramfs = kcalloc(1, sizeof(*ramfs));
    struct ramfs_node *root;
    int error;

    if (!ramfs)
        return -ENOMEM;
    ramfs->mount = mount;
    ramfs->pages_max = settings->bytes / HAL_PAGE_SIZE;
    ramfs->files_max = settings->files;
    spinlock_init(&ramfs->lock, LOCK_RANK_DEVICE);
    error = node_create(ramfs, &settings->root, &root);
    if (error) {
        kfree(ramfs);
        return error;
    }
    node_gain_name(root);
    ramfs->root = root;
    mount->private = ramfs;
    mount->root = &root->vnode;
    return 0;
}

int ramfs_mount_with_mode(struct mount *mount, const char *options, uint16_t mode,
                          struct problem *problem)
{
    uint64_t half = ram_pages() / 2;
    struct settings settings = {
        .bytes = half * HAL_PAGE_SIZE,
        .files = half,
        .root = {.type = VNODE_DIRECTORY, .mode = mode},
    };
    int error = read_options(options, &settings, problem);

    if (error)
        return error;
    error = start(mount, &settings);
    if (error)
        problem_set(problem,
                    error == -ENOMEM ? "Give the machine more memory." : "Raise nr_inodes.",
                    error == -ENOMEM ? "Out of memory: no room for the root directory."
                                     : "There is no room for the root directory.");
    return error;
}

static int mount_ramfs(struct mount *mount, const struct block_device *device, const char *options,
                       struct problem *problem)
{
    (void)device;
    return ramfs_mount_with_mode(mount, options, RAMFS_MODE, problem);
}

static int mount_tmpfs(struct mount *mount, const struct block_device *device, const char *options,
                       struct problem *problem)
{
    (void)device;
    return ramfs_mount_with_mode(mount, options, TMPFS_MODE, problem);
}

int ramfs_unmount(struct mount *mount)
{
    struct ramfs *ramfs = mount->private;

    directory_remove_all(ramfs->root);
    node_lose_name(ramfs->root);
    kfree(ramfs);
    return 0;
}

int ramfs_status(struct mount *mount, struct file_system_status *status)
{
    struct ramfs *ramfs = mount->private;
    hal_irq_state_t state = spinlock_acquire(&ramfs->lock);

    *status = (struct file_system_status){
        .block_bytes = HAL_PAGE_SIZE,
        .blocks = ramfs->pages_max,
        .free_blocks = ramfs->pages_max - ramfs->pages,
        .files = ramfs->files_max,
        .free_files = ramfs->files_max - ramfs->files,
        .id = mount->number,
        .name_max = RAMFS_NAME_MAX,
        .magic = RAMFS_MAGIC,
    };
    spinlock_release(&ramfs->lock, state);
    return 0;
}

static int status_tmpfs(struct mount *mount, struct file_system_status *status)
{
    (void)ramfs_status(mount, status);
    status->magic = TMPFS_MAGIC;
    return 0;
}

/* The limits can change, but not below what is in use. */
static int set_limits(struct ramfs *ramfs, const struct settings *settings)
{
    hal_irq_state_t state = spinlock_acquire(&ramfs->lock);
    uint64_t pages = settings->bytes / HAL_PAGE_SIZE;
    int error = pages < ramfs->pages || settings->files < ramfs->files ? -EBUSY : 0;

    if (!error) {
        ramfs->pages_max = pages;
        ramfs->files_max = settings->files;
    }
    spinlock_release(&ramfs->lock, state);
    return error;
}

static int remount(struct mount *mount, const char *options, struct problem *problem)
{
    struct ramfs *ramfs = mount->private;
    struct settings settings = {
        .bytes = ramfs->pages_max * HAL_PAGE_SIZE,
        .files = ramfs->files_max,
    };
    int error = read_options(options, &settings, problem);

    if (error)
        return error;
    error = set_limits(ramfs, &settings);
    if (error)
        problem_set(problem, "Remove files first.", "More than that is in use.");
    return error;
}

static const struct file_system ramfs_type = {
    .name = "ramfs",
    .mount = mount_ramfs,
    .unmount = ramfs_unmount,
    .status = ramfs_status,
    .remount = remount,
};

static const struct file_system tmpfs_type = {
    .name = "tmpfs",
    .mount = mount_tmpfs,
    .unmount = ramfs_unmount,
    .status = status_tmpfs,
    .remount = remount,
};

void ramfs_register(void)
{
    file_system_register(&ramfs_type);
    file_system_register(&tmpfs_type);
}
