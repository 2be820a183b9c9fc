/* SPDX-License-Identifier: MIT */
/*
 * procfs.c: a directory of texts, and of processes.
 *
 * The vnodes of the kernel's own texts are made at mount, and kept: there are few. Those of
 * processes come and go: process/entry.h.
 */
#include "fs/procfs/procfs.h"

#include "dev/clock.h"
#include "fs/mount.h"
#include "fs/procfs/process/entry.h"
#include "fs/procfs/text.h"
#include "heap/heap.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define PROC_MAGIC 0x9fa0u
#define NS_PER_SECOND 1000000000
#define ROOT_ID 1u

/* By their paths: a folder before what is in it. */
static const struct proc_file files[] = {
    {"cmdline", proc_say_cmdline},
    {"cpuinfo", proc_say_cpuinfo},
    {"diskstats", proc_say_diskstats},
    {"filesystems", proc_say_filesystems},
    {"loadavg", proc_say_loadavg},
    {"locks", proc_say_locks},
    {"meminfo", proc_say_meminfo},
    {"mounts", proc_say_mounts},
    {"partitions", proc_say_partitions},
    {"slabinfo", proc_say_slabinfo},
    {"stat", proc_say_stat},
    {"sys", NULL},
    {"sys/kernel", NULL},
    {"sys/kernel/hostname", proc_say_hostname},
    {"sys/kernel/osrelease", proc_say_osrelease},
    {"sys/kernel/ostype", proc_say_ostype},
    {"sys/kernel/pid_max", proc_say_pid_max},
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

static struct proc_node *node_of(struct vnode *vnode)
{
    return (struct proc_node *)((char *)vnode - offsetof(struct proc_node, vnode));
}

const struct proc_file *proc_file_at(unsigned number)
{
    return number < FILES ? &files[number] : NULL;
}

/* ---- texts ---- */

static int say(void *context, struct report *report)
{
    const struct proc_file *file = context;

    return file->say(report);
}

static int text_open(struct vnode *vnode, struct file *file)
{
    /* Only read by say. */
    return proc_text_open(file, say, (void *)(uintptr_t)node_of(vnode)->file);
}

/* ---- directories ---- */

/* The name of file number `i` in the directory `in` (NULL: the root), or NULL: it is not there. */
static const char *name_in(const struct proc_file *in, unsigned i)
{
    const char *path = files[i].name;

    if (in) {
        if (!string_starts_with(path, in->name) || path[string_length(in->name)] != '/')
            return NULL;
        path += string_length(in->name) + 1;
    }
    return string_find_char(path, '/') ? NULL : path;
}

static int lookup(struct vnode *directory, const char *name, size_t n, struct vnode **found)
{
    struct procfs *procfs = node_of(directory)->procfs;
    const struct proc_file *in = node_of(directory)->file;

    for (unsigned i = 0; i < FILES; i++) {
        const char *own = name_in(in, i);

        if (own && string_length(own) == n && memcmp(own, name, n) == 0) {
            *found = vnode_get(&procfs->nodes[i].vnode);
            return 0;
        }
    }
    return in ? -ENOENT : proc_process_lookup(directory->mount, name, n, found);
}

static int iterate(struct vnode *directory, uint64_t *position, struct directory_entry *entry)
{
    struct procfs *procfs = node_of(directory)->procfs;
    const struct proc_file *in = node_of(directory)->file;
    uint64_t inner;
    int error;

    while (*position < FILES && !name_in(in, (unsigned)*position))
        (*position)++;
    if (*position < FILES) {
        string_copy(entry->name, sizeof(entry->name), name_in(in, (unsigned)*position));
        entry->attributes = procfs->nodes[*position].vnode.attributes;
        (*position)++;
        return 0;
    }
    if (in)
        return -ENOENT;
    inner = *position - FILES;
    error = proc_process_iterate(&inner, entry);
    if (!error)
        *position = inner + FILES;
    return error;
}

/* One of those that count in `live` less. */
static void let_go(struct procfs *procfs)
{
    if (__atomic_sub_fetch(&procfs->live, 1, __ATOMIC_ACQ_REL) == 0)
        kfree(procfs);
}

static void release(struct vnode *vnode)
{
    struct procfs *procfs = node_of(vnode)->procfs;

    vnode_finish(vnode);
    let_go(procfs);
}

static const struct vnode_ops directory_ops = {
    .lookup = lookup,
    .iterate = iterate,
    .release = release,
};

static const struct vnode_ops text_ops = {
    .open = text_open,
    .close = proc_text_close,
    .file_read = proc_text_read,
    .release = release,
};

/* ---- mounting ---- */

static void make_node(struct procfs *procfs, struct proc_node *node, struct mount *mount,
                      const struct proc_file *file)
{
    int64_t now = wall_now() * NS_PER_SECOND;
    bool text = file && file->say;
    struct vnode_attributes attributes = {
        .type = text ? VNODE_FILE : VNODE_DIRECTORY,
        .mode = text ? 0444 : 0555,
        .links = text ? 1 : 2,
        .id = file ? ROOT_ID + 1 + (uint64_t)(file - files) : ROOT_ID,
        .modified = now,
        .accessed = now,
        .changed = now,
        .created = now,
    };

    node->procfs = procfs;
    node->file = file;
    vnode_init(&node->vnode, mount, text ? &text_ops : &directory_ops, &attributes);
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
    mount->names_change = true;
    mount->private = procfs;
    mount->root = &procfs->root.vnode;
    return 0;
}

static int procfs_unmount(struct mount *mount)
{
    struct procfs *procfs = mount->private;

    /* A folder keeps the one that it is in: the root may go with the last of them, or before. */
    __atomic_add_fetch(&procfs->live, 1, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < FILES; i++)
        vnode_put(vnode_unkeep(&procfs->nodes[i].vnode));
    let_go(procfs);
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
    proc_loads_start();
    file_system_register(&procfs_type);
    file_system_register(&proc_type);
}
