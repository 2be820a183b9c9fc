/* SPDX-License-Identifier: MIT */
/*
 * root.c: finding the file system on the card, and saying why there is none.
 *
 * A machine without a usable card is a machine all the same: everything here that fails leaves the
 * kernel running, with a sentence for whoever asks.
 */
#include "fs/root/root.h"

#include "block/block.h"
#include "block/partition.h"
#include "block/problem.h"
#include "fs/fat32/fat32.h"
#include "fs/mount.h"
#include "fs/vfs.h"
#include "lib/format.h"
#include "lib/log.h"
#include "lib/string.h"
#include "heap/heap.h"

#include <hal/errno.h>
#include <hal/kstate.h>

#define PROBLEM_TEXT_MAX 255

static KSTATE struct root_state {
    char device[BLOCK_NAME_MAX + 1];
    char problem[PROBLEM_TEXT_MAX + 1];
} root;

static int start_card(struct problem *problem)
{
    int error = block_start();

    if (error == -ENOMEDIUM)
        problem_set(problem, problem_insert, "There is no card.");
    else if (error)
        problem_set(problem, "Try again, or another card.",
                    "The card does not answer as it should (error %d).", -error);
    else
        klog(KLOG_INFO, "%s: %s, %llu sectors%s", block_card()->name, block_description(),
             (unsigned long long)block_card()->sectors,
             block_card()->read_only ? ", read only" : "");
    return error;
}

/** None of the partitions can be FAT32: says which types there are. */
static void describe_types(const struct partition_table *table, struct problem *problem)
{
    char types[PARTITION_MAX * 6 + 1] = "";
    size_t used = 0;

    for (unsigned i = 0; i < table->count; i++)
        used += format_text(types + used, sizeof(types) - used, " 0x%02X",
                            (unsigned)table->entries[i].type);
    problem_set(problem, problem_format_it, "No partition of the card is FAT32 (types:%s).", types);
}

/** Mounts the first partition that can be; the reason of the first that cannot is the one to tell.
 */
static int mount_first(const struct partition_table *table, const char *path, const char *options,
                       struct problem *problem)
{
    int first_error = 0;

    for (unsigned i = 0; i < table->count; i++) {
        const struct partition *entry = &table->entries[i];
        struct problem reason;
        int error;

        if (!partition_type_is_fat32(entry->type))
            continue;
        error = mount_add("fat32", &entry->device, path, options, &reason);
        if (!error) {
            string_copy(root.device, sizeof(root.device), entry->device.name);
            return 0;
        }
        if (!first_error) {
            first_error = error;
            *problem = reason;
        }
    }
    if (!first_error) {
        describe_types(table, problem);
        first_error = -ENOTSUP;
    }
    return first_error;
}

static int find_volume(const char *path, const char *options, struct problem *problem)
{
    struct partition_table *table = kmalloc(sizeof(*table));
    int error;

    if (!table) {
        problem_set(problem, "Give the machine more memory.",
                    "Out of memory: no room to mount the card.");
        return -ENOMEM;
    }
    error = start_card(problem);
    if (!error)
        error = partition_scan(block_card(), table, problem);
    if (!error)
        error = mount_first(table, path, options, problem);
    kfree(table);
    return error;
}

int vfs_mount_root(void)
{
    struct vnode *there = vfs_root();

    if (there) {
        vnode_put(there);
        return -EBUSY;
    }
    return vfs_mount_card("/", "");
}

int vfs_mount_card(const char *path, const char *options)
{
    struct problem problem;
    int error;

    file_system_register(&fat32_file_system);
    problem_clear(&problem);
    error = find_volume(path, options, &problem);
    if (error) {
        problem_text(&problem, root.problem, sizeof(root.problem));
        /* Below the console's level: the shell says it at its prompt, and once is enough. */
        klog(KLOG_NOTICE, "card: %s", problem.what);
        klog(KLOG_NOTICE, "card: %s", problem.remedy);
        return error;
    }
    root.problem[0] = '\0';
    return 0;
}

int vfs_unmount_root(void)
{
    int error = mount_remove("/");
    struct vnode *there = vfs_root();

    vnode_put(there);
    if (!there && !error) {
        root.device[0] = '\0';
        string_copy(root.problem, sizeof(root.problem), "Nothing is mounted.");
    }
    return error;
}

void vfs_forget_problem(void)
{
    root.problem[0] = '\0';
}

const char *vfs_mount_problem(void)
{
    return root.problem;
}

const char *vfs_mount_device(void)
{
    return root.device;
}
