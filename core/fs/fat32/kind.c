/* SPDX-License-Identifier: MIT */
/*
 * kind.c: FAT32 as a kind of file system: mounted with options, changed, measured, unmounted.
 *
 * FAT32 knows no owners and no permissions but one mark, "read-only". All else comes from options:
 *
 *     ro, rw          as everywhere
 *     uid=N, gid=N    who owns everything
 *     umask=NNN       (octal) what nobody may; fmask= for files, dmask= for directories
 *     quiet           what cannot be kept, such as another owner, is ignored without an error
 */
#include "fs/fat32/fat32.h"

#include "fs/fat32/data/pages.h"
#include "fs/fat32/volume.h"
#include "fs/fat32/write/write.h"
#include "lib/bytes.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define MASK_USUAL 022u
#define WRITE_BITS 0222u
#define MAGIC 0x4d44u /* Linux's */

/* --- modes --- */

static unsigned full_mode(const struct fat32_volume *volume, bool directory)
{
    return 0777u & ~(directory ? volume->options.dmask : volume->options.fmask);
}

void fat32_permit(const struct fat32_volume *volume, struct vnode_attributes *attributes)
{
    bool directory = attributes->type == VNODE_DIRECTORY;
    unsigned mode = full_mode(volume, directory);

    /* On a directory the mark means something else to those who set it. */
    if (!directory && attributes->read_only)
        mode &= ~WRITE_BITS;
    attributes->mode = (uint16_t)mode;
    attributes->uid = volume->options.uid;
    attributes->gid = volume->options.gid;
}

bool fat32_mode_is_read_only(const struct fat32_volume *volume, unsigned mode)
{
    return (mode & full_mode(volume, false) & WRITE_BITS) == 0;
}

/** True if a file can have `mode`: all that the mask leaves, but that nobody may write it. */
static bool can_be(const struct fat32_volume *volume, bool directory, unsigned mode)
{
    unsigned full = full_mode(volume, directory), lacks = full & ~mode;

    return lacks == 0 || (!directory && lacks == (full & WRITE_BITS));
}

int fat32_allow(const struct fat32_volume *volume, const struct vnode_attributes *now,
                const struct vnode_attributes *wanted, unsigned *which)
{
    unsigned refused = 0;

    if ((*which & VNODE_SET_OWNER) && (wanted->uid != now->uid || wanted->gid != now->gid))
        refused |= VNODE_SET_OWNER;
    if ((*which & VNODE_SET_MODE) && !can_be(volume, now->type == VNODE_DIRECTORY, wanted->mode))
        refused |= VNODE_SET_MODE;
    *which &= ~(refused | VNODE_SET_OWNER);
    return refused && !volume->options.quiet ? -EPERM : 0;
}

/* --- options --- */

static int read_number(const struct mount_option *option, unsigned base, uint32_t most,
                       uint32_t *number)
{
    uint64_t value = 0;

    for (size_t i = 0; i < option->value_bytes; i++) {
        unsigned digit = (unsigned)(option->value[i] - '0');

        value = value * base + digit;
        if (digit >= base || value > most)
            return -EINVAL;
    }
    *number = (uint32_t)value;
    return option->value_bytes > 0 ? 0 : -EINVAL;
}

static int read_mask(const struct mount_option *option, struct fat32_options *options)
{
    bool files = !mount_option_is(option, "dmask"), directories = !mount_option_is(option, "fmask");
    uint32_t mask;
    int error = read_number(option, 8, 0777, &mask);

    if (!error && files)
        options->fmask = (uint16_t)mask;
    if (!error && directories)
        options->dmask = (uint16_t)mask;
    return error;
}

static int read_option(const struct mount_option *option, struct fat32_options *options)
{
    if (mount_option_is(option, "uid"))
        return read_number(option, 10, UINT32_MAX, &options->uid);
    if (mount_option_is(option, "gid"))
        return read_number(option, 10, UINT32_MAX, &options->gid);
    if (mount_option_is(option, "umask") || mount_option_is(option, "fmask") ||
        mount_option_is(option, "dmask"))
        return read_mask(option, options);
    if (option->value)
        return -EINVAL;
    if (mount_option_is(option, "quiet"))
        options->quiet = true;
    else if (mount_option_is(option, "ro") || mount_option_is(option, "rw"))
        options->read_only = mount_option_is(option, "ro");
    else
        return -EINVAL;
    return 0;
}

int fat32_options_read(const char *text, struct fat32_options *options, struct problem *problem)
{
    struct mount_option option;

    while (mount_next_option(&text, &option)) {
        int error = read_option(&option, options);

        if (error) {
            problem_set(problem, "Known are: ro rw uid= gid= umask= fmask= dmask= quiet.",
                        "FAT32 has no such option: %.*s", (int)(text - option.name), option.name);
            return error;
        }
    }
    return 0;
}

void fat32_options_usual(struct fat32_options *options)
{
    *options = (struct fat32_options){.fmask = MASK_USUAL, .dmask = MASK_USUAL};
}

/* --- the operations of fs/mount.h --- */

static int kind_mount(struct mount *mount, const struct block_device *device, const char *text,
                      struct problem *problem)
{
    struct fat32_options options;
    struct fat32_volume *volume;
    int error;

    fat32_options_usual(&options);
    error = fat32_options_read(text, &options, problem);
    if (error)
        return error;
    options.read_only |= mount->read_only;
    error = fat32_volume_create(device, &options, mount, &volume, problem);
    if (error)
        return error;
    mount->folds_names = true;
    mount->root = volume->root;
    mount->private = volume;
    mount->read_only = !volume->writer;
    return 0;
}

static int kind_unmount(struct mount *mount)
{
    int error = fat32_volume_destroy(mount->private);

    mount->private = NULL;
    return error;
}

static int kind_sync(struct mount *mount)
{
    struct fat32_volume *volume = mount->private;
    int error;

    fat32_pages_write_early(volume);
    mutex_lock(&volume->mutex);
    error = fat32_sync(volume);
    mutex_unlock(&volume->mutex);
    return error;
}

/** How many clusters are free: of a volume that is not written, by looking. */
static int count_free(struct fat32_volume *volume, uint32_t *free)
{
    const struct fat32_geometry *geometry = &volume->geometry;
    uint32_t cluster = FAT32_FIRST_CLUSTER;

    if (volume->writer)
        return fat32_space_count(volume, free);
    for (*free = 0; fat32_cluster_valid(geometry, cluster);) {
        const uint8_t *entries;
        size_t available;
        int error =
            fat32_look(volume, geometry->fat_start + (uint64_t)cluster * 4, &entries, &available);

        if (error)
            return error;
        for (; available >= 4 && fat32_cluster_valid(geometry, cluster); available -= 4) {
            *free += (le32(entries) & 0x0FFFFFFFu) == 0;
            entries += 4;
            cluster++;
        }
    }
    return 0;
}

static int kind_status(struct mount *mount, struct file_system_status *status)
{
    struct fat32_volume *volume = mount->private;
    uint32_t free = 0;
    int error;

    mutex_lock(&volume->mutex);
    error = count_free(volume, &free);
    mutex_unlock(&volume->mutex);
    *status = (struct file_system_status){
        .block_bytes = (uint64_t)1 << volume->geometry.cluster_shift,
        .blocks = volume->geometry.clusters,
        .free_blocks = free,
        .id = volume->geometry.volume_id,
        .name_max = VFS_NAME_MAX,
        .magic = MAGIC,
    };
    return error;
}

/** The volume is no longer written. While that is refused nobody notices. Caller holds the mutex.
 */
static int stop_writing(struct mount *mount, struct problem *problem)
{
    struct fat32_volume *volume = mount->private;
    int error;

    if (!volume->writer)
        return 0;
    if (volume->orphans > 0) {
        problem_set(problem, "Close them first.", "Files are open that have been removed.");
        return -EBUSY;
    }
    if (volume->writing > 0 || !mount_close(mount)) {
        problem_set(problem, "Close them first.", "Files are open for writing.");
        return -EBUSY;
    }
    error = fat32_writer_stop(volume, false);
    if (error)
        problem_set(problem, "Try again, or another card.",
                    "What was written could not be put on the card (error %d).", -error);
    __atomic_store_n(&mount->read_only, !volume->writer, __ATOMIC_SEQ_CST);
    mount_reopen(mount);
    return error;
}

/** The volume is written from now on. Caller holds the mutex. */
static int start_writing(struct mount *mount, struct problem *problem)
{
    struct fat32_volume *volume = mount->private;
    int error = 0;

    /* What another mount has left half done is put in order before anything is looked at. */
    if (!volume->writer)
        error = volume->geometry.dirty || !fat32_may_be_written(volume)
                    ? -EROFS
                    : fat32_writer_start(volume);
    if (error)
        problem_set(problem, "Unmount it, have fsck look at it, and mount it again.",
                    "The volume cannot be written.");
    __atomic_store_n(&mount->read_only, !volume->writer, __ATOMIC_SEQ_CST);
    return error;
}

static int kind_remount(struct mount *mount, const char *text, struct problem *problem)
{
    struct fat32_volume *volume = mount->private;
    struct fat32_options options;
    int error;

    problem_clear(problem);
    mutex_lock(&volume->mutex);
    options = volume->options;
    options.read_only = !volume->writer;
    error = fat32_options_read(text, &options, problem);
    if (!error)
        error = options.read_only ? stop_writing(mount, problem) : start_writing(mount, problem);
    if (!error)
        volume->options = options;
    mutex_unlock(&volume->mutex);
    return error;
}

const struct file_system fat32_file_system = {
    .name = "fat32",
    .needs_device = true,
    .mount = kind_mount,
    .unmount = kind_unmount,
    .sync = kind_sync,
    .status = kind_status,
    .remount = kind_remount,
};
