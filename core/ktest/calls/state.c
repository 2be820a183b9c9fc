/* SPDX-License-Identifier: MIT */
/*
 * state.c: what a program has, as a few numbers: its addresses, descriptors, rights and limits, its
 * children, and all files of the scene. Not in it is what only makes things faster, and what time
 * and the mere asking change: pages that are there, times of access.
 */
#include "ktest/calls/calls.h"

#include "fs/devfs/gpio/gpiochip.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/vfs.h"
#include "heap/heap.h"
#include "lib/string.h"
#include "proc/process.h"
#include "vm/space.h"

#include <hal/gpio.h>
#include <hal/runtime.h>

#define DEEPEST 24u
#define MOST_FILES 500u /* of a volume that somebody has written garbage to there are more */
#define BYTES 512u      /* of each file's beginning and end */

#define UNKNOWN 0u

/* The number so far of the part that is being read. */
struct digest {
    uint64_t value;
    bool failed;
    unsigned files;
    struct vm_space *space;
};

enum {
    PART_ADDRESSES,
    PART_DESCRIPTORS,
    PART_RIGHTS,
    PART_ACTIONS,
    PART_CHILDREN,
    PART_THREAD,
    PART_PINS,
    PART_TERMINAL,
    PART_FILES
};

static const char *const parts[CALLS_PARTS] = {
    "addresses",  "descriptors", "rights and limits", "actions", "children",
    "the thread", "pins",        "the terminal",      "files",
};

static void add_bytes(struct digest *digest, const void *data, size_t n)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < n; i++)
        digest->value = (digest->value ^ bytes[i]) * 0x100000001b3u;
}

static void add(struct digest *digest, uint64_t value)
{
    digest->value = (digest->value ^ value) * 0x9e3779b97f4a7c15u;
    digest->value ^= digest->value >> 29;
}

static void add_regions(struct digest *digest, struct vm_space *space)
{
    struct vm_region_info info;
    struct vm_usage usage;
    uintptr_t at = 0;

    while (vm_region_at(space, at, &info)) {
        add(digest, info.start);
        add(digest, info.end);
        add(digest, (uint64_t)info.access << 32 | info.flags);
        add(digest, (uintptr_t)(info.file ? info.file->vnode : NULL));
        add(digest, info.offset);
        file_put(info.file);
        at = info.end;
    }
    vm_read_usage(space, &usage);
    add(digest, usage.mapped);
    add(digest, usage.break_end);
}

static void add_descriptors(struct digest *digest, struct descriptor_table *table)
{
    int i = 0;

    while ((i = descriptor_next(table, (unsigned)i)) >= 0) {
        struct file *file = descriptor_file(table, (unsigned)i);

        add(digest, (uint64_t)i << 1 | (descriptor_is_closing(table, (unsigned)i) == 1));
        if (file) {
            mutex_lock(&file->mutex);
            add(digest, (uintptr_t)file->vnode);
            add(digest, file->offset);
            add(digest, file->flags);
            mutex_unlock(&file->mutex);
            file_put(file);
        }
        i++;
    }
}

/* False: children go when they have ended, whatever their parent does. */
static bool keeps_children(const struct process *process)
{
    const struct signal_action *action = &process->signals.actions[SIGNAL_CHLD];

    return action->handler != SIGNAL_IGNORE && !(action->flags & SIGNAL_NO_ZOMBIES);
}

static void add_rights(struct digest *digest, struct process *process)
{
    mutex_lock(&process->mutex);
    add(digest, (uintptr_t)process->directory);
    add(digest, process->umask);
    add_bytes(digest, &process->credentials, sizeof(process->credentials));
    add_bytes(digest, process->limits, sizeof(process->limits));
    add_bytes(digest, process->name, string_length(process->name));
    mutex_unlock(&process->mutex);
    process_lock();
    add(digest, (uint64_t)process->group << 32 | process->session);
    process_unlock();
}

static void add_actions(struct digest *digest, struct process *process)
{
    process_lock();
    add_bytes(digest, process->signals.actions, sizeof(process->signals.actions));
    process_unlock();
}

static void add_children(struct digest *digest, struct process *process)
{
    process_lock();
    if (keeps_children(process))
        list_for_each (link, &process->children)
            add(digest, list_entry(link, struct process, sibling)->pid);
    process_unlock();
}

static void add_thread(struct digest *digest, const struct user_thread *self)
{
    add(digest, self->signals.restores ? self->signals.saved : self->signals.blocked);
    add(digest, self->clear_tid);
    add(digest, self->robust_list);
    add(digest, hal_user_tls(&self->user));
    add_bytes(digest, &self->signals.stack, sizeof(self->signals.stack));
}

/*
 * True if somebody else may be changing the part just now: another thread, who takes a signal whose
 * handler is for once; or another process, who ends and gives back what it shares with the caller.
 */
static bool is_others(struct process *process, unsigned part)
{
    bool threads, processes;

    process_lock();
    threads = process->thread_count > 1;
    processes = process_from(0) != process || process_from(process->pid + 1);
    process_unlock();
    if (part == PART_ACTIONS)
        return threads;
    return (part == PART_PINS || part == PART_TERMINAL) && (threads || processes);
}

/* What is asked of the lines, but not what they cost the hardware. */
static void add_pins(struct digest *digest)
{
    for (unsigned pin = 0; pin < HAL_GPIO_PINS; pin++)
        add(digest, gpiochip_flags(pin));
}

static void add_terminal(struct digest *digest)
{
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);
    struct tty_settings settings = tty.discipline.settings;
    struct tty_window window = tty.window;

    spinlock_release(&tty.lock, irq);
    add_bytes(digest, &settings, sizeof(settings));
    add_bytes(digest, &window, sizeof(window));
    process_lock();
    add(digest, (uint64_t)tty.terminal.session << 32 | tty.terminal.foreground);
    process_unlock();
}

/* ---- files ---- */

/*
 * True if the process can write to the file by writing to memory. A call that cannot write all that
 * it has to tell, because the memory ends, has written the first part of it (as Linux does): if
 * that is such memory, the file is another one.
 */
static bool is_memory(struct vm_space *space, const struct vnode *vnode)
{
    struct vm_region_info info;
    uintptr_t at = 0;
    bool found = false;

    while (!found && vm_region_at(space, at, &info)) {
        found = info.file && info.file->vnode == vnode && (info.flags & VM_SHARED) &&
                (info.access & HAL_USER_WRITE);
        file_put(info.file);
        at = info.end;
    }
    return found;
}

static void add_content(struct digest *digest, struct vnode *vnode, uint64_t size)
{
    uint8_t bytes[BYTES];
    int64_t n = vfs_read(vnode, 0, bytes, sizeof(bytes));

    add_bytes(digest, bytes, n > 0 ? (size_t)n : 0);
    n = size > BYTES ? vfs_read(vnode, size - BYTES, bytes, sizeof(bytes)) : 0;
    add_bytes(digest, bytes, n > 0 ? (size_t)n : 0);
}

static void add_vnode(struct digest *digest, struct vnode *vnode)
{
    struct vnode_attributes attributes;
    char text[128];

    vfs_attributes(vnode, &attributes);
    add(digest, (uint64_t)attributes.type << 32 | attributes.mode);
    add(digest, (uint64_t)attributes.uid << 32 | attributes.gid);
    add(digest, (uint64_t)attributes.links << 48 ^ attributes.size);
    add(digest, attributes.id);
    if (is_memory(digest->space, vnode))
        return;
    add(digest, (uint64_t)attributes.modified);
    if (attributes.type == VNODE_FILE)
        add_content(digest, vnode, attributes.size);
    if (attributes.type == VNODE_SYMLINK) {
        int64_t n = vfs_readlink(vnode, text, sizeof(text));

        add_bytes(digest, text, n > 0 && n < (int64_t)sizeof(text) ? (size_t)n : 0);
    }
}

/* The files in `directory`, a reference to which goes. */
static void add_files(struct digest *digest, struct vnode *directory, unsigned depth)
{
    struct directory_entry *entry = kmalloc(sizeof(*entry));
    uint64_t position = 0;
    struct vnode *vnode;

    digest->failed |= !entry;
    while (entry && digest->files++ < MOST_FILES && vfs_iterate(directory, &position, entry) == 0) {
        add_bytes(digest, entry->name, string_length(entry->name));
        if (vfs_find(directory, entry->name, VFS_NO_FOLLOW, &vnode))
            continue;
        if (vnode->mount->names_change) { /* processes */
            vnode_put(vnode);
            continue;
        }
        add_vnode(digest, vnode);
        if (entry->attributes.type == VNODE_DIRECTORY && depth < DEEPEST)
            add_files(digest, vnode, depth + 1);
        else
            vnode_put(vnode);
    }
    kfree(entry);
    vnode_put(directory);
}

bool calls_read_state(struct vnode *root, struct calls_state *state)
{
    struct process *process = process_current();
    bool failed = false;

    for (unsigned i = 0; i < CALLS_PARTS; i++) {
        struct digest digest = {.value = 0xcbf29ce484222325u, .space = process->space};

        switch (i) {
        case PART_ADDRESSES:
            add_regions(&digest, process->space);
            break;
        case PART_DESCRIPTORS:
            add_descriptors(&digest, process->files);
            break;
        case PART_RIGHTS:
            add_rights(&digest, process);
            break;
        case PART_ACTIONS:
            add_actions(&digest, process);
            break;
        case PART_CHILDREN:
            add_children(&digest, process);
            break;
        case PART_THREAD:
            add_thread(&digest, user_thread_current());
            break;
        case PART_PINS:
            add_pins(&digest);
            break;
        case PART_TERMINAL:
            add_terminal(&digest);
            break;
        default:
            add_files(&digest, vnode_get(root), 0);
            break;
        }
        state->part[i] = is_others(process, i) ? UNKNOWN : digest.value;
        failed |= digest.failed;
    }
    return !failed;
}

const char *calls_difference(const struct calls_state *a, const struct calls_state *b)
{
    for (unsigned i = 0; i < CALLS_PARTS; i++)
        if (a->part[i] != b->part[i] && a->part[i] != UNKNOWN && b->part[i] != UNKNOWN)
            return parts[i];
    return NULL;
}
