/* SPDX-License-Identifier: MIT */
/*
 * tree.c: the tree of files at boot.
 *
 *     with initramfs.cpio on the card          without
 *
 *     /       a ramfs, the archive's content   /       the card
 *     /card   the card
 *     /dev    devfs                            /dev    devfs,  if the card has such a folder
 *     /proc   procfs                           /proc   procfs, likewise
 *
 * A card that is an archive itself (raw.c) is as the first, without /card.
 *
 * The archive is unpacked whole or not at all: one that is damaged is thrown away with all that was
 * unpacked of it, and the card is the root, with a line in the log that says why. Meanwhile the
 * card is mounted in a folder of its own and only to be read, so that nothing in the archive can
 * write to it.
 *
 * A mount needs a directory under it, here as with any root: names that exist nowhere would have to
 * be told apart from those that do, by everybody who walks, lists or compares. So a card that is to
 * be the root has the folders; the standard one does. Nothing is made on a card that nobody asked
 * for.
 */
#include "fs/root/root.h"

#include "boot/cmdline.h"
#include "fs/cpio/cpio.h"
#include "fs/devfs/devfs.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/procfs/procfs.h"
#include "fs/ramfs/ramfs.h"
#include "fs/vfs.h"
#include "lib/format.h"
#include "lib/log.h"
#include "lib/string.h"

#include <hal/errno.h>

#define ARCHIVE_DEFAULT "initramfs.cpio"
#define ARCHIVE_NAME_MAX 127u
#define UNPACKING "/.card"

/* Logs that for want of memory there is no `what`. */
static void say_no_memory(const char *what)
{
    klog(KLOG_WARNING, "boot: out of memory: no room for %s", what);
}

/* Mounts `type` at `path`; what is wrong is logged, and the boot goes on. */
static void mount_or_say(const char *type, const char *path)
{
    struct problem problem;
    int error = mount_add(type, NULL, path, "", &problem);

    if (error == -ENOMEM)
        say_no_memory(type);
    else if (error)
        klog(KLOG_WARNING, "boot: no %s at %s: %s (error %d)", type, path,
             problem.what[0] ? problem.what : "it cannot be mounted", -error);
}

static bool is_directory(const char *path)
{
    struct vnode *vnode;
    int error = vfs_find(NULL, path, 0, &vnode);
    bool is;

    if (error == -ENOMEM)
        say_no_memory(path);
    if (error)
        return false;
    is = vnode->attributes.type == VNODE_DIRECTORY;
    vnode_put(vnode);
    return is;
}

static void mount_usual(void)
{
    if (is_directory("/dev"))
        mount_or_say("devfs", "/dev");
    if (is_directory("/proc"))
        mount_or_say("procfs", "/proc");
}

/* ---- the archive ---- */

static int64_t read_archive(void *context, void *data, size_t n)
{
    return file_read(context, data, n);
}

static int unpack(const char *path, struct problem *problem)
{
    struct cpio_source source = {.read = read_archive};
    struct cpio_totals totals;
    struct file *file;
    int error = file_open(NULL, path, FILE_READ_ONLY, 0, &file);

    if (error) {
        problem_set(problem, "Look at the card.", "It cannot be opened (error %d).", -error);
        return error;
    }
    source.context = file;
    error = cpio_unpack(&source, NULL, &totals, problem);
    file_put(file);
    if (!error)
        klog(KLOG_INFO, "initramfs: %llu files and folders, %llu bytes",
             (unsigned long long)totals.entries, (unsigned long long)totals.bytes);
    return error;
}

/* A directory, unless there is one. */
static int make_directory(const char *path)
{
    int error = is_directory(path) ? 0 : vfs_mkdir(NULL, path, 0755);

    return error == -EEXIST ? -ENOTDIR : error;
}

/* Mounts the card at `path`, which is made if need be. */
static int mount_card_at(const char *path, const char *options, struct problem *problem)
{
    int error = make_directory(path);

    if (!error)
        error = vfs_mount_card(path, options);
    if (error)
        problem_set(problem, "Look at the card.", "The card cannot be mounted at %s (error %d).",
                    path, -error);
    return error;
}

/* Fills the new root from the card's file `name`. */
static int fill_root(const char *name, struct problem *problem)
{
    char path[sizeof(UNPACKING) + 1 + ARCHIVE_NAME_MAX];
    int error = mount_card_at(UNPACKING, "ro", problem), gone;

    if (error)
        return error;
    (void)format_text(path, sizeof(path), "%s/%s", UNPACKING, name);
    error = unpack(path, problem);
    gone = mount_remove(UNPACKING);
    if (!gone)
        gone = vfs_rmdir(NULL, UNPACKING);
    if (!error && gone)
        problem_set(problem, "Look at what the archive holds.",
                    "%s cannot be taken away (error %d).", UNPACKING, -gone);
    return error ? error : gone;
}

/* Makes a ramfs the root, in the place of the card. After an error the root is one of the two. */
static int change_root(const char *name, struct problem *problem)
{
    int error = vfs_unmount_root();

    if (!error)
        error = mount_add("ramfs", NULL, "/", "", problem);
    if (!error)
        error = fill_root(name, problem);
    if (!error)
        error = mount_card_at("/card", "", problem);
    if (!error)
        error = make_directory("/dev");
    if (!error)
        error = make_directory("/proc");
    return error;
}

/* The name of the archive on the card; false: none is wanted. *must: one was asked for. */
static bool archive_name(char *name, size_t size, bool *must)
{
    *must = cmdline_value("initrd", name, size);
    if (!*must)
        string_copy(name, size, ARCHIVE_DEFAULT);
    return name[0] != '\0' && !string_equal(name, "none");
}

static bool is_there(const char *name)
{
    char path[ARCHIVE_NAME_MAX + 2];
    struct vnode *vnode;
    int error;

    (void)format_text(path, sizeof(path), "/%s", name);
    error = vfs_find(NULL, path, 0, &vnode);
    if (error == -ENOMEM)
        say_no_memory("looking for an initramfs");
    else if (error && error != -ENOENT)
        klog(KLOG_WARNING, "boot: %s cannot be looked for (error %d)", path, -error);
    if (error)
        return false;
    vnode_put(vnode);
    return true;
}

/* Goes back to the card as the root. */
static void give_up(const char *name, const struct problem *problem)
{
    int error;

    klog(KLOG_ERROR, "initramfs: %s is not used; the card is the root", name);
    klog(KLOG_ERROR, "initramfs: %s", problem->what);
    klog(KLOG_ERROR, "initramfs: %s", problem->remedy);
    (void)!mount_remove("/card");
    (void)!mount_remove(UNPACKING);
    (void)vfs_unmount_root();
    error = vfs_mount_root();
    if (error && error != -EBUSY)
        klog(KLOG_ERROR, "boot: and the card cannot be mounted any more");
}

static void try_archive(void)
{
    char name[ARCHIVE_NAME_MAX + 1];
    struct problem problem;
    bool must;

    if (!archive_name(name, sizeof(name), &must))
        return;
    if (!is_there(name)) {
        if (must)
            klog(KLOG_WARNING, "boot: initrd=%s: the card has no such file", name);
        return;
    }
    problem_clear(&problem);
    if (change_root(name, &problem))
        give_up(name, &problem);
}

void vfs_mount_tree(void)
{
    ramfs_register();
    devfs_register();
    procfs_register();
    if (!vfs_mount_root())
        try_archive();
    else if (vfs_mount_raw())
        vfs_forget_problem();
    else
        klog(KLOG_NOTICE, "boot: going on without files");
    devfs_update_disks();
    mount_usual();
}
