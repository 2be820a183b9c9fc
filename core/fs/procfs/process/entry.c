/* SPDX-License-Identifier: MIT */
/*
 * entry.c: directories, links and texts of processes.
 *
 *     /proc/17             a directory with what is in `things`
 *     /proc/17/task/18     the same, of a thread, without task
 *     /proc/17/fd/3        a link: following it leads to the open file itself, whatever its name
 *
 * A vnode's number is made of the process's or thread's, the thing's, and the descriptor's.
 */
#include "fs/procfs/process/entry.h"

#include "dev/clock.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/procfs/process/texts.h"
#include "fs/procfs/text.h"
#include "fs/vfs.h"
#include "heap/heap.h"
#include "lib/format.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define NUMBER_BYTES 12u
#define SELF_BYTES 40u

enum kind { TEXT, FOLDER, TASKS, FILES, SELF, THREAD_SELF, PROGRAM, DIRECTORY, ROOT, OPEN_FILE };

struct thing {
    const char *name;
    enum kind kind;
    uint16_t mode;
    proc_process_say *say; /* of a TEXT */
};

static const struct thing things[] = {
    {"cmdline", TEXT, 0444, proc_say_arguments},
    {"comm", TEXT, 0444, proc_say_comm},
    {"cwd", DIRECTORY, 0777, NULL},
    {"environ", TEXT, 0400, proc_say_environment},
    {"exe", PROGRAM, 0777, NULL},
    {"fd", FILES, 0500, NULL},
    {"limits", TEXT, 0444, proc_say_limits},
    {"maps", TEXT, 0444, proc_say_maps},
    {"mounts", TEXT, 0444, proc_say_process_mounts},
    {"root", ROOT, 0777, NULL},
    {"stat", TEXT, 0444, proc_say_process_stat},
    {"statm", TEXT, 0444, proc_say_process_statm},
    {"status", TEXT, 0444, proc_say_process_status},
    {"task", TASKS, 0555, NULL}, /* last: threads have all the others */
};
#define THINGS (sizeof(things) / sizeof(things[0]))

static const struct thing folder = {"", FOLDER, 0555, NULL};
static const struct thing open_file = {"", OPEN_FILE, 0700, NULL};
static const struct thing selves[] = {{"self", SELF, 0777, NULL},
                                      {"thread-self", THREAD_SELF, 0777, NULL}};
#define SELVES (sizeof(selves) / sizeof(selves[0]))

struct proc_entry {
    struct vnode vnode;
    const struct thing *thing;
    struct proc_who who;
    unsigned descriptor; /* of an OPEN_FILE */
};

static struct proc_entry *entry_of(struct vnode *vnode)
{
    return (struct proc_entry *)((char *)vnode - offsetof(struct proc_entry, vnode));
}

static enum vnode_type type_of(enum kind kind)
{
    switch (kind) {
    case TEXT:
        return VNODE_FILE;
    case FOLDER:
    case TASKS:
    case FILES:
        return VNODE_DIRECTORY;
    default:
        return VNODE_SYMLINK;
    }
}

/* No other file has it, of this process or another one: see the head of this file. */
static uint64_t number_of(const struct thing *thing, const struct proc_who *who,
                          unsigned descriptor)
{
    uint64_t which = thing >= things && thing < things + THINGS   ? (uint64_t)(thing - things)
                     : thing >= selves && thing < selves + SELVES ? 24u + (uint64_t)(thing - selves)
                     : thing == &folder                           ? 30u
                                                                  : 31u;

    return 1ull << 62 | (uint64_t)(who->tid ? who->tid : who->pid) << 24 |
           (who->tid ? 1ull << 23 : 0) | which << 16 | descriptor;
}

static void describe(const struct thing *thing, const struct proc_who *who, unsigned descriptor,
                     struct vnode_attributes *attributes)
{
    struct proc_view view;
    int64_t now = wall_now() * WALL_NS;

    *attributes = (struct vnode_attributes){
        .type = type_of(thing->kind),
        .mode = thing->mode,
        .links = type_of(thing->kind) == VNODE_DIRECTORY ? 2 : 1,
        .id = number_of(thing, who, descriptor),
        .modified = now,
        .accessed = now,
        .changed = now,
        .created = now,
    };
    if (who->pid == 0 || proc_view_begin(who, &view))
        return;
    attributes->uid = view.credentials.effective_uid;
    attributes->gid = view.credentials.effective_gid;
    proc_view_end(&view);
}

static const struct vnode_ops ops;

static int make(struct mount *mount, const struct thing *thing, const struct proc_who *who,
                unsigned descriptor, struct vnode **made)
{
    struct proc_entry *entry = kcalloc(1, sizeof(*entry));
    struct vnode_attributes attributes;

    if (!entry)
        return -ENOMEM;
    entry->thing = thing;
    entry->who = *who;
    entry->descriptor = descriptor;
    describe(thing, who, descriptor, &attributes);
    vnode_init(&entry->vnode, mount, &ops, &attributes);
    *made = &entry->vnode;
    return 0;
}

static void release(struct vnode *vnode)
{
    vnode_finish(vnode);
    kfree(entry_of(vnode));
}

/* ---- texts ---- */

static int say(void *context, struct report *report)
{
    const struct proc_entry *entry = context;
    struct proc_view view;
    int error = proc_view_begin(&entry->who, &view);

    if (error)
        return error;
    error = entry->thing->say(&view, report);
    proc_view_end(&view);
    return error;
}

static int open_text(struct vnode *vnode, struct file *file)
{
    struct proc_entry *entry = entry_of(vnode);

    return entry->thing->kind == TEXT ? proc_text_open(file, say, entry) : 0;
}

/* ---- links ---- */

/* The open file that a link is about, a reference, or NULL. */
static struct file *find_file(const struct proc_entry *entry)
{
    struct file *file = NULL;
    struct proc_view view;

    if (proc_view_begin(&entry->who, &view))
        return NULL;
    if (view.files)
        file = descriptor_file(view.files, entry->descriptor);
    proc_view_end(&view);
    return file;
}

/* The directory, a reference. -ESRCH; -ENOENT: a zombie. */
static int find_directory(const struct proc_entry *entry, struct vnode **directory)
{
    struct proc_view view;
    int error = proc_view_begin(&entry->who, &view);

    if (error)
        return error;
    *directory = !view.space ? NULL : view.directory ? vnode_get(view.directory) : vfs_root();
    proc_view_end(&view);
    return *directory ? 0 : -ENOENT;
}

static int follow_file(const struct proc_entry *entry, struct vnode **to)
{
    struct file *file = find_file(entry);
    int error = 0;

    if (!file)
        return -ENOENT;
    /* What the kernel made for one open file cannot be opened again. */
    if (!file->vnode->mount && !file->vnode->ops->open)
        error = -ENXIO;
    else
        *to = vnode_get(file->vnode);
    file_put(file);
    return error;
}

static int follow(struct vnode *link, struct vnode **to)
{
    const struct proc_entry *entry = entry_of(link);

    switch (entry->thing->kind) {
    case OPEN_FILE:
        return follow_file(entry, to);
    case DIRECTORY:
        return find_directory(entry, to);
    default:
        return -EAGAIN; /* by its text */
    }
}

static int file_text(const struct proc_entry *entry, char *text)
{
    struct file *file = find_file(entry);
    int error;

    if (!file)
        return -ENOENT;
    error = proc_file_text(file->vnode, text, VFS_PATH_MAX);
    file_put(file);
    return error;
}

static int directory_text(const struct proc_entry *entry, char *text)
{
    struct vnode *directory;
    int error = find_directory(entry, &directory);

    if (error)
        return error;
    error = vfs_path_of(directory, text, VFS_PATH_MAX);
    vnode_put(directory);
    return error;
}

static int self_text(enum kind kind, char *text)
{
    const struct user_thread *self = user_thread_current();

    if (!self)
        return -ENOENT;
    if (kind == SELF)
        (void)format_text(text, SELF_BYTES, "%u", self->process->pid);
    else
        (void)format_text(text, SELF_BYTES, "%u/task/%u", self->process->pid, self->tid);
    return 0;
}

static int link_text(const struct proc_entry *entry, char *text)
{
    switch (entry->thing->kind) {
    case SELF:
    case THREAD_SELF:
        return self_text(entry->thing->kind, text);
    case PROGRAM:
        return proc_view_program(&entry->who, text, VFS_PATH_MAX);
    case DIRECTORY:
        return directory_text(entry, text);
    case OPEN_FILE:
        return file_text(entry, text);
    default:
        string_copy(text, VFS_PATH_MAX, "/");
        return 0;
    }
}

static int64_t read_link(struct vnode *vnode, char *to, size_t n)
{
    char *text = kmalloc(VFS_PATH_MAX);
    int64_t result;

    if (!text)
        return -ENOMEM;
    result = link_text(entry_of(vnode), text);
    if (!result) {
        result = (int64_t)string_length(text);
        memcpy(to, text, n < (size_t)result ? n : (size_t)result);
    }
    kfree(text);
    return result;
}

/* ---- directories ---- */

/* The number that a name stands for, or 0: it is none, or 0. */
static uint32_t read_number(const char *name, size_t n)
{
    uint32_t number = 0;

    for (size_t i = 0; i < n; i++) {
        if (!char_is_digit(name[i]) || (i == 0 && name[i] == '0') || n > 9)
            return 0;
        number = number * 10 + (uint32_t)(name[i] - '0');
    }
    return number;
}

/* How many things there are of a process, or of a thread. */
static size_t count_things(const struct proc_who *who)
{
    return who->tid ? THINGS - 1 : THINGS;
}

static int lookup_thing(const struct proc_entry *of, const char *name, size_t n,
                        struct vnode **found)
{
    struct proc_who now;

    if (proc_who_from(of->who.pid, &now) || now.pid != of->who.pid || now.born != of->who.born)
        return -ENOENT;
    for (size_t i = 0; i < count_things(&of->who); i++) {
        if (string_length(things[i].name) == n && memcmp(things[i].name, name, n) == 0)
            return make(of->vnode.mount, &things[i], &of->who, 0, found);
    }
    return -ENOENT;
}

static int lookup_task(const struct proc_entry *of, const char *name, size_t n,
                       struct vnode **found)
{
    struct proc_who who = of->who;
    uint32_t wanted = read_number(name, n);

    if (wanted == 0 || proc_thread_from(&of->who, wanted, &who.tid) || who.tid != wanted)
        return -ENOENT;
    return make(of->vnode.mount, &folder, &who, 0, found);
}

/* The first descriptor from `least` on. -ENOENT. */
static int descriptor_from(const struct proc_who *who, unsigned least)
{
    struct proc_view view;
    int number = -ENOENT;

    if (proc_view_begin(who, &view))
        return -ENOENT;
    if (view.files)
        number = descriptor_next(view.files, least);
    proc_view_end(&view);
    return number < 0 ? -ENOENT : number;
}

static int lookup_file(const struct proc_entry *of, const char *name, size_t n,
                       struct vnode **found)
{
    uint32_t wanted = read_number(name, n);

    if (wanted == 0 && !(n == 1 && name[0] == '0'))
        return -ENOENT;
    if (wanted >= DESCRIPTORS_MAX || descriptor_from(&of->who, wanted) != (int)wanted)
        return -ENOENT;
    return make(of->vnode.mount, &open_file, &of->who, wanted, found);
}

static int lookup(struct vnode *directory, const char *name, size_t n, struct vnode **found)
{
    const struct proc_entry *of = entry_of(directory);

    switch (of->thing->kind) {
    case FOLDER:
        return lookup_thing(of, name, n, found);
    case TASKS:
        return lookup_task(of, name, n, found);
    default:
        return lookup_file(of, name, n, found);
    }
}

static void fill(struct directory_entry *entry, const struct thing *thing,
                 const struct proc_who *who, unsigned descriptor, uint32_t number)
{
    if (thing->name[0])
        string_copy(entry->name, sizeof(entry->name), thing->name);
    else
        (void)format_text(entry->name, sizeof(entry->name), "%u", number);
    describe(thing, who, descriptor, &entry->attributes);
}

static int next_task(const struct proc_who *of, uint64_t *position, struct directory_entry *entry)
{
    struct proc_who who = *of;

    if (*position > UINT32_MAX || proc_thread_from(of, (uint32_t)*position, &who.tid))
        return -ENOENT;
    fill(entry, &folder, &who, 0, who.tid);
    *position = (uint64_t)who.tid + 1;
    return 0;
}

static int next_file(const struct proc_who *of, uint64_t *position, struct directory_entry *entry)
{
    int number = *position < DESCRIPTORS_MAX ? descriptor_from(of, (unsigned)*position) : -ENOENT;

    if (number < 0)
        return number;
    fill(entry, &open_file, of, (unsigned)number, (uint32_t)number);
    *position = (uint64_t)number + 1;
    return 0;
}

static int iterate(struct vnode *directory, uint64_t *position, struct directory_entry *entry)
{
    const struct proc_entry *of = entry_of(directory);

    if (of->thing->kind == TASKS)
        return next_task(&of->who, position, entry);
    if (of->thing->kind == FILES)
        return next_file(&of->who, position, entry);
    if (*position >= count_things(&of->who))
        return -ENOENT;
    fill(entry, &things[*position], &of->who, 0, 0);
    (*position)++;
    return 0;
}

static const struct vnode_ops ops = {
    .open = open_text,
    .close = proc_text_close,
    .file_read = proc_text_read,
    .lookup = lookup,
    .iterate = iterate,
    .readlink = read_link,
    .follow = follow,
    .release = release,
};

/* ---- the root's ---- */

int proc_process_lookup(struct mount *mount, const char *name, size_t n, struct vnode **found)
{
    static const struct proc_who nobody;
    uint32_t pid = read_number(name, n);
    struct proc_who who;

    for (size_t i = 0; i < SELVES; i++) {
        if (string_length(selves[i].name) == n && memcmp(selves[i].name, name, n) == 0)
            return make(mount, &selves[i], &nobody, 0, found);
    }
    if (pid == 0 || proc_who_from(pid, &who) || who.pid != pid)
        return -ENOENT;
    return make(mount, &folder, &who, 0, found);
}

int proc_process_iterate(uint64_t *position, struct directory_entry *entry)
{
    static const struct proc_who nobody;
    struct proc_who who;

    if (*position < SELVES) {
        fill(entry, &selves[*position], &nobody, 0, 0);
        (*position)++;
        return 0;
    }
    if (*position > UINT32_MAX || proc_who_from((uint32_t)(*position - SELVES), &who))
        return -ENOENT;
    fill(entry, &folder, &who, 0, who.pid);
    *position = SELVES + (uint64_t)who.pid + 1;
    return 0;
}
