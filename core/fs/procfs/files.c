/* SPDX-License-Identifier: MIT */
/*
 * files.c: what is mounted, what can be, and on what: mounts, filesystems, partitions, diskstats.
 */
#include "block/block.h"
#include "fs/devfs/device.h"
#include "fs/mount.h"
#include "fs/procfs/procfs.h"
#include "heap/heap.h"
#include "lib/string.h"

#include <hal/block.h>

#define NS_PER_MS 1000000u

void proc_say_filesystems(struct report *report)
{
    const struct file_system *type = file_system_next(NULL);

    for (; type; type = file_system_next(type))
        report_add(report, "%s\t%s\n", type->needs_device ? "" : "nodev", type->name);
}

/* A word of a line: what would end it is written as an octal number. */
static void say_word(struct report *report, const char *word)
{
    for (; *word; word++) {
        bool odd = *word == ' ' || *word == '\t' || *word == '\n' || *word == '\\';

        report_add(report, odd ? "\\%03o" : "%c", (unsigned char)*word);
    }
}

static void say_options(struct report *report, const struct mount *mount)
{
    const char *options = mount->options;
    struct mount_option option;

    report_add(report, "%s", mount->read_only ? "ro" : "rw");
    while (mount_next_option(&options, &option)) {
        if (mount_option_is(&option, "ro") || mount_option_is(&option, "rw"))
            continue;
        report_add(report, ",%.*s", (int)option.name_bytes, option.name);
        if (option.value)
            report_add(report, "=%.*s", (int)option.value_bytes, option.value);
    }
}

static void say_mount(struct report *report, const struct mount *mount, const char *path)
{
    say_word(report, mount->device);
    report_add(report, " ");
    say_word(report, path);
    report_add(report, " %s ", mount->type->name);
    say_options(report, mount);
    report_add(report, " 0 0\n");
}

void proc_say_mounts(struct report *report)
{
    char *path = kmalloc(VFS_PATH_MAX);
    struct mount *mount;
    struct vnode *root;

    if (!path)
        return;
    for (unsigned i = 0; (mount = mount_at(i, &root, path, VFS_PATH_MAX)); i++) {
        say_mount(report, mount, path);
        vnode_put(root);
    }
    kfree(path);
}

static const struct device *next_disk(uint64_t id)
{
    const struct device *device = device_from(id);

    while (device && device->type != VNODE_BLOCK)
        device = device_from(device->id + 1);
    return device;
}

static unsigned major_of(const struct device *device)
{
    return (unsigned)(device->number >> 32);
}

static unsigned minor_of(const struct device *device)
{
    return (uint32_t)device->number;
}

void proc_say_partitions(struct report *report)
{
    const struct device *disk = next_disk(0);

    report_add(report, "major minor  #blocks  name\n\n");
    for (; disk; disk = next_disk(disk->id + 1))
        report_add(report, "%4u %8u %10llu %s\n", major_of(disk), minor_of(disk),
                   (unsigned long long)disk->bytes / 1024, disk->name);
}

void proc_say_diskstats(struct report *report)
{
    const struct device *disk = next_disk(0);
    struct block_stats stats;

    block_read_stats(&stats);
    if (disk)
        report_add(report, "%4u %7u %s %llu 0 %llu 0 %llu 0 %llu 0 0 0 0 0 0 0 0 %llu 0\n",
                   major_of(disk), minor_of(disk), disk->name, (unsigned long long)stats.reads,
                   (unsigned long long)stats.sectors_read, (unsigned long long)stats.writes,
                   (unsigned long long)stats.sectors_written, (unsigned long long)stats.flushes);
}
