/* SPDX-License-Identifier: MIT */
/*
 * mkfs.c: mkfs: the formatter of fs/mkfs at the prompt.
 */
#include "fs/mkfs/mkfs.h"

#include "dev/clock.h"
#include "heap/heap.h"
#include "lib/string.h"
#include "shell/block/volume.h"
#include "shell/commands/command.h"
#include "tty/tty.h"

#include <hal/errno.h>

#define CLUSTER_MIN 512u
#define CLUSTER_MAX 65536u
#define EPOCH_DATE 0x21u   /* 1980-01-01 */
#define SPREAD 2654435761u /* seconds to numbers that look different */

/* Takes "-n LABEL" and "-c CLUSTER" off the front: the index of what follows, 0: wrong, and said.
 */
static unsigned read_arguments(const struct job *job, struct mkfs_options *options)
{
    const struct args *args = &job->args;
    uint64_t bytes;
    unsigned i = 1;

    for (; i + 1 < args->count && args->words[i][0] == '-'; i += 2) {
        if (string_equal(args->words[i], "-n"))
            options->label = args->words[i + 1];
        else if (!string_equal(args->words[i], "-c"))
            break;
        else if (string_to_size(args->words[i + 1], &bytes) || bytes < CLUSTER_MIN ||
                 bytes > CLUSTER_MAX || (bytes & (bytes - 1)) != 0) {
            command_usage(job, "%s is no size of clusters: 512, 1K, 2K, ... 64K",
                          args->words[i + 1]);
            return 0;
        } else
            options->cluster_bytes = (uint32_t)bytes;
    }
    if (i + 1 == args->count && args->words[i][0] != '-')
        return i;
    command_usage(job, "mkfs needs a device");
    return 0;
}

static void set_time(struct mkfs_options *options)
{
    int64_t now = wall_now();
    struct calendar c;

    calendar_from_seconds(now, &c);
    options->volume_id = (uint32_t)now * SPREAD;
    options->date = EPOCH_DATE;
    if (c.year >= 1980 && c.year <= 2107) {
        options->date = (uint16_t)((c.year - 1980) << 9 | c.month << 5 | c.day);
        options->time = (uint16_t)(c.hour << 11 | c.minute << 5 | c.second / 2);
    }
}

/* False, and that is said: there is something that must not be lost like that. */
static bool may_format(const struct shell_volume *volume)
{
    const char *name = volume->device->name;
    char partition[BLOCK_NAME_MAX + 1];

    if (shell_volume_has_partition(volume, partition))
        command_error("%s has partitions: say which one, such as %s", name, partition);
    else if (volume->mounted)
        command_error("%s is mounted: umount it first", name);
    else if (volume->device->read_only)
        command_error("%s: read-only", name);
    else
        return true;
    return false;
}

static void format(struct shell_volume *volume, struct mkfs_options *options)
{
    const char *name = volume->device->name;
    struct mkfs_result result;
    int error;

    options->context = volume;
    options->write = shell_volume_write;
    options->sectors = volume->device->sectors;
    options->hidden = volume->device->first;
    set_time(options);
    error = fat_format(options, &result);
    if (error == 0)
        error = block_flush(volume->device);
    if (error == -EINVAL)
        command_error("%s: no volume can be like that: a label has up to 11 plain characters",
                      name);
    else if (error == -ENOSPC)
        command_error("%s: too small for a volume", name);
    else if (error == -EFBIG)
        command_error("%s: too many clusters for FAT32: say larger ones by -c", name);
    else if (error)
        shell_volume_error(volume, "formatting", error);
    else
        tty_print("%s: %u clusters of %u bytes\n", name, result.clusters, result.cluster_bytes);
    if (!error && result.clusters < MKFS_CLUSTERS_USUAL)
        tty_print("Some systems take it for FAT16: it has less than %u clusters.\n",
                  MKFS_CLUSTERS_USUAL);
}

void command_mkfs(struct job *job)
{
    struct mkfs_options options = {.label = NULL};
    unsigned first = read_arguments(job, &options);
    struct shell_volume volume;

    if (first == 0 || !shell_volume_open(&volume, job, job->args.words[first], false))
        return;
    if (may_format(&volume))
        format(&volume, &options);
    shell_volume_close(&volume);
}
