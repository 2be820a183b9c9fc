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
#include <hal/errno.h>

#define NS_PER_MS 1000000u

int proc_say_filesystems(struct report *report)
{
    const struct file_system *type = file_system_next(NULL);

    for (; type; type = file_system_next(type))
        report_add(report, "%s\t%s\n", type->needs_device ? "" : "nodev", type->name);
    return 0;
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

    report_add(report, "%s", mount_is_read_only(mount) ? "ro" : "rw");
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

int proc_say_mounts(struct report *report)
{
    char *path = kmalloc(VFS_PATH_MAX);
    struct mount *mount;
    struct vnode *root;
    int error = 0;

    if (!path)
        return -ENOMEM;
    for (unsigned i = 0; (mount = mount_at(i, &root, path, VFS_PATH_MAX)); i++) {
        if (path[0] == '/')
            say_mount(report, mount, path);
        else
            error = -ENOMEM; /* its path could not be put together */
        vnode_put(root);
    }
    kfree(path);
    return error;
}

/* The number by which devfs knows the disk, or 0. */
static uint64_t number_of(const struct block_entry *entry)
{
    const char *name = entry->device.name;
    const struct device *device = device_named(name, string_length(name));

    return device ? device->number : 0;
}

static unsigned major_of(uint64_t number)
{
    return (unsigned)(number >> 32);
}

static unsigned minor_of(uint64_t number)
{
    return (uint32_t)number;
}

int proc_say_partitions(struct report *report)
{
    struct block_entry entry;

    report_add(report, "major minor  #blocks  name\n\n");
    for (unsigned i = 0; block_entry_at(i, &entry); i++)
        report_add(
            report, "%4u %8u %10llu %s\n", major_of(number_of(&entry)), minor_of(number_of(&entry)),
            (unsigned long long)entry.device.sectors * HAL_SECTOR_SIZE / 1024, entry.device.name);
    return 0;
}

static void say_way(struct report *report, const struct block_way *way)
{
    report_add(report, " %llu %llu %llu %llu", (unsigned long long)way->requests,
               (unsigned long long)way->merged, (unsigned long long)way->sectors,
               (unsigned long long)way->ns / NS_PER_MS);
}

static void say_disk(struct report *report, const struct block_entry *entry)
{
    const struct block_counts *counts;
    struct block_stats stats;

    block_device_stats(&entry->device, &stats);
    counts = &stats.counts;
    report_add(report, "%4u %7u %s", major_of(number_of(entry)), minor_of(number_of(entry)),
               entry->device.name);
    say_way(report, &counts->read);
    say_way(report, &counts->write);
    /* Between the times and the flushes stand four numbers of discarded sectors: none here. */
    report_add(report, " %llu %llu %llu 0 0 0 0 %llu %llu\n", (unsigned long long)counts->under_way,
               (unsigned long long)counts->busy_ns / NS_PER_MS,
               (unsigned long long)counts->weighted_ns / NS_PER_MS,
               (unsigned long long)counts->flush.requests,
               (unsigned long long)counts->flush.ns / NS_PER_MS);
}

int proc_say_diskstats(struct report *report)
{
    struct block_entry entry;

    for (unsigned i = 0; block_entry_at(i, &entry); i++)
        say_disk(report, &entry);
    return 0;
}
