/* SPDX-License-Identifier: MIT */
/*
 * mounts.c: mount, umount, df, sync.
 */
#include "block/block.h"
#include "fs/devfs/devfs.h"
#include "fs/mount.h"
#include "heap/heap.h"
#include "lib/string.h"
#include "shell/commands/command.h"
#include "shell/files/files.h"
#include "thread/thread.h"
#include "tty/tty.h"

#include <hal/errno.h>

/* Calls `act` with each mount and its path, while it cannot go away. */
static int each_mount(void (*act)(struct mount *mount, const char *path))
{
    char *path = kmalloc(VFS_PATH_MAX);
    struct mount *mount;
    struct vnode *root;
    int error = path == NULL ? -ENOMEM : 0;

    for (unsigned i = 0; error == 0 && !thread_cancelled(); i++) {
        mount = mount_at(i, &root, path, VFS_PATH_MAX);
        if (mount == NULL)
            break;
        if (path[0] == '/')
            act(mount, path);
        else
            error = -ENOMEM; /* which it takes to know the path */
        vnode_put(root);
    }
    kfree(path);
    return error;
}

/* ---- mount ---- */

static void print_mount(struct mount *mount, const char *path)
{
    tty_print("%s on %s type %s (%s%s%s)\n", mount->device, path, mount->type->name,
              mount->read_only ? "ro" : "rw", mount->options[0] ? "," : "", mount->options);
}

struct mount_request {
    const char *type, *options, *device, *directory;
};

/* Takes "-t TYPE" and "-o OPTIONS" off the front, and then DEVICE and DIRECTORY. */
static bool mount_read_arguments(const struct job *job, struct mount_request *request)
{
    unsigned i = 1;

    for (; i + 1 < job->args.count && job->args.words[i][0] == '-'; i += 2) {
        if (string_equal(job->args.words[i], "-t"))
            request->type = job->args.words[i + 1];
        else if (string_equal(job->args.words[i], "-o"))
            request->options = job->args.words[i + 1];
        else
            break;
    }
    if (i + 2 != job->args.count) {
        command_usage(job, "mount needs a device and a directory");
        return false;
    }
    request->device = job->args.words[i];
    request->directory = job->args.words[i + 1];
    return true;
}

static const struct file_system *find_type(const char *name)
{
    const struct file_system *type = NULL;

    while ((type = file_system_next(type)) != NULL && !string_equal(type->name, name))
        continue;
    return type;
}

static const struct block_device *find_device(const char *name)
{
    return block_find(string_starts_with(name, "/dev/") ? name + 5 : name);
}

/* The absolute form of the directory `path`, in memory for the caller to free. */
static int absolute(struct job *job, const char *path, char **text)
{
    struct vnode *directory;
    int error;

    *text = kmalloc(VFS_PATH_MAX);
    if (*text == NULL)
        return -ENOMEM;
    error = vfs_find(job->base, path, 0, &directory);
    if (error == 0) {
        error = directory->attributes.type == VNODE_DIRECTORY
                    ? vfs_path_of(directory, *text, VFS_PATH_MAX)
                    : -ENOTDIR;
        vnode_put(directory);
    }
    return error;
}

static int mount_it(struct job *job, const struct file_system *type,
                    const struct mount_request *request, struct problem *problem)
{
    const struct block_device *device = NULL;
    char *path = NULL;
    int error = absolute(job, request->directory, &path);

    if (error == 0 && type->needs_device) {
        device = find_device(request->device);
        error = device == NULL ? -ENXIO : 0;
    }
    if (error == 0)
        error = mount_add(type->name, device, path, request->options, problem);
    kfree(path);
    return error;
}

void command_mount(struct job *job)
{
    struct mount_request request = {.type = "fat32", .options = ""};
    const struct file_system *type;
    struct problem problem;
    char text[256];
    int error;

    if (job->args.count == 1) {
        (void)files_report("mount", each_mount(print_mount));
        return;
    }
    if (!mount_read_arguments(job, &request))
        return;
    type = find_type(request.type);
    if (type == NULL) {
        command_error("there is no file system called %s", request.type);
        return;
    }
    problem_clear(&problem);
    error = mount_it(job, type, &request, &problem);
    problem_text(&problem, text, sizeof(text));
    if (error != 0 && text[0] != '\0')
        command_error("%s: %s", request.device, text);
    else
        (void)files_report(error == -ENXIO ? request.device : request.directory, error);
}

/* ---- umount ---- */

/* Where the device of that name is mounted. -ENOENT. */
static int path_of_device(const char *name, char *path)
{
    struct mount *mount;
    struct vnode *root;
    bool found = false;
    int error = 0;

    if (string_starts_with(name, "/dev/"))
        name += 5;
    for (unsigned i = 0; error == 0 && !found; i++) {
        mount = mount_at(i, &root, path, VFS_PATH_MAX);
        if (mount == NULL)
            return -ENOENT;
        found = string_equal(mount->device, name);
        error = path[0] == '/' ? 0 : -ENOMEM;
        vnode_put(root);
    }
    return error;
}

static int unmount(struct job *job, const char *name, void *context)
{
    char *path = NULL;
    int error = absolute(job, name, &path);

    (void)context;
    if (error == -ENOENT || error == -ENOTDIR)
        error = path_of_device(name, path);
    if (error == 0)
        error = mount_remove(path);
    if (error == -EINVAL)
        command_error("%s: nothing is mounted there", name);
    kfree(path);
    return error == -EINVAL ? -EINTR : error; /* -EINTR: has been reported */
}

void command_umount(struct job *job)
{
    unsigned options, first = files_options(job, "", 1, &options);

    if (first != 0)
        files_each(job, first, unmount, NULL);
}

/* ---- df ---- */

static void print_space(struct mount *mount, const char *path)
{
    struct file_system_status status = {0};
    char size[FILES_SIZE_TEXT], used[FILES_SIZE_TEXT], free[FILES_SIZE_TEXT];
    uint64_t in_use, percent;

    if (mount->type->status == NULL || mount->type->status(mount, &status) != 0 ||
        status.blocks == 0)
        return; /* it has no space, or cannot say so */
    in_use = status.blocks - status.free_blocks;
    percent = (in_use * 100 + status.blocks - 1) / status.blocks;
    files_size_text(status.blocks * status.block_bytes, size);
    files_size_text(in_use * status.block_bytes, used);
    files_size_text(status.free_blocks * status.block_bytes, free);
    tty_print("%-14s %6s %6s %6s %4llu%%  %s\n", mount->device, size, used, free,
              (unsigned long long)percent, path);
}

void command_df(struct job *job)
{
    if (!command_takes_none(job))
        return;
    tty_print("%-14s %6s %6s %6s %5s  %s\n", "DEVICE", "SIZE", "USED", "FREE", "USE", "MOUNTED ON");
    (void)files_report("df", each_mount(print_space));
}

/* ---- sync ---- */

void command_sync(struct job *job)
{
    if (command_takes_none(job) && files_report("sync", mount_sync_all()))
        (void)files_report("sync", devfs_sync_disks());
}
