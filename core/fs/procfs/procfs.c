/* SPDX-License-Identifier: MIT */
/*
 * procfs.c: a directory of texts.
 *
 * All vnodes are made at mount, and kept: there are few.
 */
#include "fs/procfs/procfs.h"

#include "dev/clock.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "heap/heap.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define PROC_MAGIC 0x9fa0u
#define NS_PER_SECOND 1000000000
#define TEXT_FIRST 1024u
#define TEXT_MAX (1u << 20)
#define ROOT_ID 1u

static const struct proc_file files[] = {
    {"cmdline", proc_say_cmdline},
    {"diskstats", proc_say_diskstats},
    {"filesystems", proc_say_filesystems},
    {"loadavg", proc_say_loadavg},
    {"locks", proc_say_locks},
    {"meminfo", proc_say_meminfo},
    {"mounts", proc_say_mounts},
    {"partitions", proc_say_partitions},
    {"slabinfo", proc_say_slabinfo},
    {"stat", proc_say_stat},
    {"uptime", proc_say_uptime},
    {"version", proc_say_version},
};

#define FILES (sizeof(files) / sizeof(files[0]))

/* One mounted procfs. A reference to each vnode keeps it; the last that goes frees all. */
struct procfs {
    uint32_t live; /* vnodes, changed atomically */
    struct proc_node {
        struct vnode vnode;
        struct procfs *procfs;
        const struct proc_file *file; /* NULL: the root */
    } root, nodes[FILES];
};

/* What a file holds for those who have it open. */
struct proc_text {
    size_t length;
    char text[];
};

static struct proc_node *node_of(struct vnode *vnode)
{
    return (struct proc_node *)((char *)vnode - offsetof(struct proc_node, vnode));
}

const struct proc_file *proc_file_at(unsigned number)
{
    return number < FILES ? &files[number] : NULL;
}

/* ---- texts ---- */

/* Has `file` write its text, in more and more room, until it fits. */
static int make_text(const struct proc_file *file, struct proc_text **made)
{
    for (size_t size = TEXT_FIRST; size <= TEXT_MAX; size *= 2) {
        struct proc_text *text = kmalloc(sizeof(*text) + size);
        struct report report = {.size = size};
        int error;

        if (!text)
            return -ENOMEM;
        report.text = text->text;
        error = file->say(&report);
        if (!error && report.length < size) {
            text->length = report.length;
            *made = text;
            return 0;
        }
        kfree(text);
        if (error)
            return error;
    }
    return -EFBIG;
}

static int text_open(struct vnode *vnode, struct file *file)
{
    struct proc_text *text;
    int error;

    if ((file->flags & FILE_ACCESS) != FILE_READ_ONLY)
        return -EACCES;
    error = make_text(node_of(vnode)->file, &text);
    if (!error)
        file->private = text;
    return error;
}

static void text_close(struct vnode *vnode, struct file *file)
{
    (void)vnode;
    kfree(file->private);
}

static int64_t text_read(struct file *file, uint64_t offset, void *data, size_t n)
{
    const struct proc_text *text = file->private;

    if (offset >= text->length)
        return 0;
    if (n > text->length - offset)
        n = text->length - (size_t)offset;
    memcpy(data, text->text + offset, n);
    return (int64_t)n;
}

/* ---- the directory ---- */

static int root_lookup(struct vnode *directory, const char *name, size_t n, struct vnode **found)
{
    struct procfs *procfs = node_of(directory)->procfs;

    for (unsigned i = 0; i < FILES; i++) {
        if (string_length(files[i].name) == n && memcmp(files[i].name, name, n) == 0) {
            *found = vnode_get(&procfs->nodes[i].vnode);
            return 0;
        }
    }
    return -ENOENT;
}

static int root_iterate(struct vnode *directory, uint64_t *position, struct directory_entry *entry)
{
    struct procfs *procfs = node_of(directory)->procfs;

    if (*position >= FILES)
        return -ENOENT;
    string_copy(entry->name, sizeof(entry->name), files[*position].name);
    entry->attributes = procfs->nodes[*position].vnode.attributes;
    (*position)++;
    return 0;
}

static void release(struct vnode *vnode)
{
    struct procfs *procfs = node_of(vnode)->procfs;

    vnode_finish(vnode);
    if (__atomic_sub_fetch(&procfs->live, 1, __ATOMIC_ACQ_REL) == 0)
        kfree(procfs);
}

static const struct vnode_ops root_ops = {
    .lookup = root_lookup,
    .iterate = root_iterate,
    .release = release,
};

static const struct vnode_ops text_ops = {
    .open = text_open,
    .close = text_close,
    .file_read = text_read,
    .release = release,
};

/* ---- mounting ---- */

static void make_node(struct procfs *procfs, struct proc_node *node, struct mount *mount,
                      const struct proc_file *file)
{
    int64_t now = wall_now() * NS_PER_SECOND;
    struct vnode_attributes attributes = {
        .type = file ? VNODE_FILE : VNODE_DIRECTORY,
        .mode = file ? 0444 : 0555,
        .links = file ? 1 : 2,
        .id = file ? ROOT_ID + 1 + (uint64_t)(file - files) : ROOT_ID,
        .modified = now,
        .accessed = now,
        .changed = now,
        .created = now,
    };

    node->procfs = procfs;
    node->file = file;
    vnode_init(&node->vnode, mount, file ? &text_ops : &root_ops, &attributes);
    procfs->live++;
}

static int procfs_mount(struct mount *mount, const struct block_device *device, const char *options,
                        struct problem *problem)
{
    struct procfs *procfs = kcalloc(1, sizeof(*procfs));

    (void)device, (void)options;
    if (!procfs) {
        problem_set(problem, "Give the machine more memory.", "Out of memory: no room for procfs.");
        return -ENOMEM;
    }
    make_node(procfs, &procfs->root, mount, NULL);
    for (unsigned i = 0; i < FILES; i++) {
        make_node(procfs, &procfs->nodes[i], mount, &files[i]);
        /* The reference from its making only keeps it. */
        vnode_keep(&procfs->nodes[i].vnode);
        vnode_put(&procfs->nodes[i].vnode);
    }
    mount->read_only = true;
    mount->private = procfs;
    mount->root = &procfs->root.vnode;
    return 0;
}

static int procfs_unmount(struct mount *mount)
{
    struct procfs *procfs = mount->private;
    uint32_t last = procfs->live; /* the root has gone; the memory goes with the last file */

    for (unsigned i = 0; i < last; i++)
        vnode_put(vnode_unkeep(&procfs->nodes[i].vnode));
    return 0;
}

static int procfs_status(struct mount *mount, struct file_system_status *status)
{
    *status = (struct file_system_status){
        .block_bytes = HAL_PAGE_SIZE, .id = mount->number, .name_max = 255, .magic = PROC_MAGIC};
    return 0;
}

static const struct file_system procfs_type = {
    .name = "procfs",
    .mount = procfs_mount,
    .unmount = procfs_unmount,
    .status = procfs_status,
};

static const struct file_system proc_type = {
    .name = "proc", /* Linux's name for it */
    .mount = procfs_mount,
    .unmount = procfs_unmount,
    .status = procfs_status,
};

void procfs_register(void)
{
    file_system_register(&procfs_type);
    file_system_register(&proc_type);
}
