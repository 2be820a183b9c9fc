/* SPDX-License-Identifier: MIT */
/*
 * volume.c: see volume.h.
 */
#include "shell/block/volume.h"

#include "fs/vfs.h"
#include "lib/string.h"
#include "shell/commands/command.h"
#include "shell/files/files.h"
#include "thread/thread.h"

#include <hal/errno.h>

/* The name of the device that the file at `path` is on. */
static int device_of_path(struct job *job, const char *path, char name[BLOCK_NAME_MAX + 1])
{
    struct vnode *vnode;
    int error = vfs_find(job->base, path, 0, &vnode);

    if (error)
        return error;
    if (vnode->mount->type->needs_device)
        string_copy(name, BLOCK_NAME_MAX + 1, vnode->mount->device);
    else
        error = -ENXIO;
    vnode_put(vnode);
    return error;
}

static int find(struct shell_volume *volume, struct job *job, const char *name, bool paths)
{
    char device[BLOCK_NAME_MAX + 1];
    const char *plain = string_starts_with(name, "/dev/") ? name + 5 : name;
    int error = block_open(plain, &volume->device);

    if (error != -ENOENT)
        return error;
    if (!paths || plain != name)
        return -ENXIO;
    error = device_of_path(job, name, device);
    return error ? error : block_open(device, &volume->device);
}

bool shell_volume_open(struct shell_volume *volume, struct job *job, const char *name, bool paths)
{
    int error;

    *volume = (struct shell_volume){.first_bad = UINT64_MAX};
    error = find(volume, job, name, paths);
    if (error == 0) {
        volume->mounted = mount_begin_claim(&volume->claim, volume->device) != 0;
        volume->claimed = !volume->mounted;
    }
    return files_report(name, error);
}

void shell_volume_close(struct shell_volume *volume)
{
    if (volume->claimed)
        mount_end_claim(&volume->claim);
    block_close(volume->device);
}

int shell_volume_path(const struct shell_volume *volume, char *path)
{
    struct mount *mount;
    struct vnode *root;
    bool found = false;

    for (unsigned i = 0; !found && (mount = mount_at(i, &root, path, VFS_PATH_MAX)); i++) {
        found = mount_is_on(mount, volume->device);
        vnode_put(root);
        if (path[0] != '/')
            return -ENOMEM; /* which it takes to know the path */
    }
    return found ? 0 : -ENOENT;
}

bool shell_volume_has_partition(const struct shell_volume *volume, char name[BLOCK_NAME_MAX + 1])
{
    const struct block_device *device = volume->device;
    struct block_entry entry;

    for (unsigned i = 0; block_entry_at(i, &entry); i++) {
        if (entry.device.disk != device->disk || entry.number == 0)
            continue;
        string_copy(name, BLOCK_NAME_MAX + 1, entry.device.name);
        return !string_equal(name, device->name) && device->first == 0 &&
               entry.device.sectors < device->sectors;
    }
    return false;
}

void shell_volume_error(const struct shell_volume *volume, const char *what, int error)
{
    const char *name = volume->device->name;

    if (error == -EINTR)
        command_error("%s: %s was interrupted", name, what);
    else if (error == -ENOMEM)
        command_error("%s: out of memory: no room for %s", name, what);
    else if (volume->first_bad != UINT64_MAX)
        command_error("%s: %s came to an end at sector %llu: %s", name, what,
                      (unsigned long long)volume->first_bad, command_error_text(error));
    else
        command_error("%s: %s: %s", name, what, command_error_text(error));
}

/* ---- sectors ---- */

static int note(struct shell_volume *volume, uint64_t sector, int error)
{
    if (error && volume->first_bad == UINT64_MAX)
        volume->first_bad = sector;
    return error;
}

int shell_volume_read(void *context, uint64_t sector, void *data, unsigned count)
{
    struct shell_volume *volume = context;

    if (thread_cancelled())
        return -EINTR;
    return note(volume, sector, block_read(volume->device, sector, data, count));
}

int shell_volume_write(void *context, uint64_t sector, const void *data, unsigned count)
{
    struct shell_volume *volume = context;

    if (thread_cancelled())
        return -EINTR;
    return note(volume, sector, block_write(volume->device, sector, data, count));
}
