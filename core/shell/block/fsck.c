/* SPDX-License-Identifier: MIT */
/*
 * fsck.c: fsck: the checker of fs/check and the repair of fs/repair at the prompt.
 *
 * A mounted volume is looked at after a sync and never changed: its driver would not know. What it
 * is marked with while it is mounted is then found, too, and is no fault.
 */
#include "fs/repair/repair.h"
#include "heap/heap.h"
#include "shell/block/volume.h"
#include "shell/commands/command.h"
#include "shell/files/files.h"
#include "tty/tty.h"

#include <hal/errno.h>

enum { MEND = 1, SAVE = 2, QUIET = 4 };

static void print_finding(void *context, enum check_class class, const char *text)
{
    static const char *const classes[] = {"note", "untidy", "damage"};

    (void)context;
    tty_print("%s: %s\n", classes[class], text);
}

static void print_mended(void *context, enum check_class class, const char *text)
{
    (void)context;
    (void)class;
    tty_print("mended: %s\n", text);
}

static void *allocate(void *context, size_t bytes)
{
    (void)context;
    return kcalloc(1, bytes);
}

static void release(void *context, void *memory)
{
    (void)context;
    kfree(memory);
}

static const char *verdict(const struct shell_volume *volume, const struct check_result *result)
{
    if (result->findings[CHECK_DAMAGE])
        return "damaged";
    if (!result->findings[CHECK_UNTIDY])
        return "clean";
    return volume->mounted ? "in use" : "untidy";
}

static void print_summary(const struct shell_volume *volume, const struct check_result *result)
{
    tty_print("%s: %u file%s, %u director%s, %u of %u clusters", volume->device->name,
              result->files, result->files == 1 ? "" : "s", result->directories,
              result->directories == 1 ? "y" : "ies", result->used, result->clusters);
    if (result->lost)
        tty_print(", %u lost", result->lost);
    if (result->bad)
        tty_print(", %u bad", result->bad);
    tty_print(", %s\n", verdict(volume, result));
}

static void say_none(const struct shell_volume *volume)
{
    command_error("%s: there is no FAT32 volume, or its boot sector and the copy are lost",
                  volume->device->name);
}

static void check(const struct shell_volume *volume, const struct check_means *means)
{
    struct check_result result;
    int error = fat_check(means, &result);

    if (error == -EINVAL)
        say_none(volume);
    else if (error)
        shell_volume_error(volume, "looking for damage", error);
    else
        print_summary(volume, &result);
    if (!error && !volume->mounted &&
        (result.findings[CHECK_DAMAGE] || result.findings[CHECK_UNTIDY]))
        tty_print("Nothing was changed; fsck -y %s mends it.\n", volume->device->name);
}

/*
 * What the driver was doing when the power went is the driver's to finish: of a file on its way
 * from one directory to another, the repair would find nothing but clusters that nobody has. Who
 * wants such clusters as files gets them as they are.
 */
static int finish(struct shell_volume *volume, const struct check_means *means)
{
    struct check_means quiet = *means;
    struct check_result result;
    int error;

    quiet.found = NULL;
    error = fat_check(&quiet, &result);
    if (error || !result.in_use)
        return error == -EINVAL ? 0 : error; /* without a boot sector there is nothing to finish */
    error = mount_recover("fat32", volume->device);
    if (!error && means->found)
        print_mended(NULL, CHECK_UNTIDY, "what was under way when the volume was left");
    return error == -ENOMEM ? error : 0; /* otherwise it is more than a cut that has to be mended */
}

static void mend(struct shell_volume *volume, const struct check_means *means, bool save)
{
    const struct repair_options options = {.save_lost = save};
    struct repair_result result = {.mended = 0};
    int error = save ? 0 : finish(volume, means), flushed;

    if (!error)
        error = fat_repair(means, &options, &result);
    flushed = block_flush(volume->device);
    if (error == -EINVAL)
        say_none(volume);
    else if (error == 0 || (error == -EIO && volume->first_bad == UINT64_MAX))
        print_summary(volume, &result.after);
    if (error == -EIO && volume->first_bad == UINT64_MAX)
        command_error("%s: not all could be mended", volume->device->name);
    else if (error != 0 && error != -EINVAL)
        shell_volume_error(volume, "mending", error);
    else if (error == 0 && flushed != 0)
        shell_volume_error(volume, "mending", flushed);
    else if (error == 0 && result.mended > 0)
        tty_print("%u mended; %u cluster%s freed, %u file%s saved.\n", result.mended, result.freed,
                  result.freed == 1 ? "" : "s", result.saved, result.saved == 1 ? "" : "s");
}

/* Says how a mounted volume is treated, and syncs it. False: it is not to be looked at. */
static bool allow_mounted(const struct shell_volume *volume, bool mending)
{
    char *path = kmalloc(VFS_PATH_MAX);
    const char *name = volume->device->name;
    int error = path == NULL ? -ENOMEM : shell_volume_path(volume, path);

    if (error == -ENOENT)
        error = -EBUSY; /* another fsck or mkfs is at it */
    if (error == 0 && mending)
        command_error("%s is mounted on %s: umount it first", name, path);
    else if (error == 0)
        tty_print("%s is mounted on %s: it is only looked at.\n", name, path);
    kfree(path);
    return files_report(name, error) && !mending && files_report("sync", mount_sync_all());
}

static void look_at(struct shell_volume *volume, unsigned options)
{
    bool mending = (options & (MEND | SAVE)) != 0;
    char partition[BLOCK_NAME_MAX + 1];
    struct check_means means = {
        .context = volume,
        .read = shell_volume_read,
        .write = shell_volume_write,
        .allocate = allocate,
        .release = release,
        .sectors = volume->device->sectors,
    };

    if (!(options & QUIET))
        means.found = mending ? print_mended : print_finding;
    if (shell_volume_has_partition(volume, partition)) {
        command_error("%s has partitions: say which one, such as %s", volume->device->name,
                      partition);
        return;
    }
    if (volume->mounted && !allow_mounted(volume, mending))
        return;
    if (mending && volume->device->read_only)
        command_error("%s: read-only", volume->device->name);
    else if (mending)
        mend(volume, &means, (options & SAVE) != 0);
    else
        check(volume, &means);
}

void command_fsck(struct job *job)
{
    unsigned options, first = files_options(job, "ysq", 1, &options);
    struct shell_volume volume;

    if (first == 0)
        return;
    if (job->args.count != first + 1) {
        command_usage(job, "fsck takes one device");
        return;
    }
    if (!shell_volume_open(&volume, job, job->args.words[first], true))
        return;
    look_at(&volume, options);
    shell_volume_close(&volume);
}
