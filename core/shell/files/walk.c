/* SPDX-License-Identifier: MIT */
/*
 * walk.c: the directories from the beginning to where the walk is are a list of frames, each with
 * the entries that are still to come.
 *
 *     /a          b c          frame of /a: c is to come
 *     /a/b        x y          frame of /a/b: y
 *     /a/b/x                   here
 */
#include "shell/files/walk.h"

#include "heap/heap.h"
#include "lib/string.h"
#include "shell/commands/listing.h"
#include "thread/thread.h"

#include <hal/errno.h>
#include <hal/runtime.h>

struct frame {
    struct frame *up;
    struct vnode *directory; /* a reference */
    struct vnode_attributes attributes;
    struct listing listing;
    struct listing_entry *next; /* to be visited */
    size_t length;              /* of the path up to this directory */
    size_t name;                /* where in the path its name begins */
};

struct walk {
    struct frame *top;
    unsigned depth; /* frames */
    uint64_t last;
    size_t beginning; /* length of the path that the walk began with */
    walk_visit *visit;
    walk_failed *failed;
    void *context;
    char path[VFS_PATH_MAX];
};

static int visit(struct walk *walk, const char *name, const struct vnode_attributes *attributes,
                 struct vnode *directory, bool leaving)
{
    struct walk_entry entry = {.path = walk->path,
                               .suffix = walk->path + walk->beginning,
                               .name = name,
                               .attributes = attributes,
                               .directory = directory,
                               .depth = leaving ? walk->depth - 1 : walk->depth,
                               .last = walk->last,
                               .leaving = leaving};

    return thread_cancelled() ? -EINTR : walk->visit(&entry, walk->context);
}

/* Reads a directory whose path is walk->path. Takes the reference. */
static int push(struct walk *walk, struct vnode *directory, size_t name)
{
    struct frame *frame = kcalloc(1, sizeof(*frame));
    int error = -ENOMEM;

    if (frame != NULL) {
        error = listing_read(directory, NULL, NULL, &frame->listing);
        if (error == 0) {
            vfs_attributes(directory, &frame->attributes);
            frame->directory = directory;
            frame->next = frame->listing.first;
            frame->length = string_length(walk->path);
            frame->name = name;
            frame->up = walk->top;
            walk->top = frame;
            walk->depth++;
            return 0;
        }
        listing_finish(&frame->listing);
        kfree(frame);
    }
    vnode_put(directory);
    return error;
}

static void pop(struct walk *walk)
{
    struct frame *frame = walk->top;

    walk->top = frame->up;
    walk->depth--;
    vnode_put(frame->directory);
    listing_finish(&frame->listing);
    kfree(frame);
}

/* Appends a name to the path of the top frame. */
static int extend(struct walk *walk, const char *name)
{
    size_t n = walk->top->length;
    bool slash = n == 0 || walk->path[n - 1] != '/';

    if (n + slash + string_length(name) >= sizeof(walk->path))
        return -ENAMETOOLONG;
    if (slash)
        walk->path[n++] = '/';
    string_copy(walk->path + n, sizeof(walk->path) - n, name);
    return 0;
}

/* Visits an entry of the top frame and, if it is a directory, enters it. */
static int enter(struct walk *walk, const struct listing_entry *entry)
{
    struct vnode *directory;
    int error = extend(walk, entry->name);

    if (error != 0)
        return error;
    error = visit(walk, entry->name, &entry->attributes, walk->top->directory, false);
    if (error == WALK_SKIP || entry->attributes.type != VNODE_DIRECTORY || error < 0)
        return error < 0 ? error : 0;
    error = vfs_find(walk->top->directory, entry->name, VFS_NO_FOLLOW, &directory);
    if (error == 0)
        error = push(walk, directory, string_length(walk->path) - string_length(entry->name));
    if (error != 0 && error != -EINTR) {
        walk->failed(walk->path, error, walk->context);
        error = 0;
    }
    return error;
}

static int step(struct walk *walk)
{
    struct frame *frame = walk->top;
    struct listing_entry *entry = frame->next;
    int error;

    if (entry != NULL) {
        frame->next = entry->next;
        if (walk->depth < 64) {
            walk->last &= ~(UINT64_C(1) << walk->depth);
            walk->last |= (uint64_t)(entry->next == NULL) << walk->depth;
        }
        return enter(walk, entry);
    }
    walk->path[frame->length] = '\0';
    error = visit(walk, walk->path + frame->name, &frame->attributes,
                  frame->up ? frame->up->directory : NULL, true);
    pop(walk);
    return error < 0 ? error : 0;
}

static int begin(struct walk *walk, struct vnode *base)
{
    struct vnode_attributes attributes;
    struct vnode *vnode;
    int error = vfs_find(base, walk->path, VFS_NO_FOLLOW, &vnode);

    if (error != 0)
        return error;
    vfs_attributes(vnode, &attributes);
    error = visit(walk, walk->path, &attributes, NULL, false);
    if (error == 0 && attributes.type == VNODE_DIRECTORY)
        return push(walk, vnode, 0);
    vnode_put(vnode);
    return error < 0 ? error : 0;
}

int walk_tree(struct vnode *base, const char *path, walk_visit *visit_, walk_failed *failed,
              void *context)
{
    struct walk *walk;
    int error;

    if (string_length(path) >= VFS_PATH_MAX)
        return -ENAMETOOLONG;
    walk = kcalloc(1, sizeof(*walk));
    if (walk == NULL)
        return -ENOMEM;
    walk->visit = visit_;
    walk->failed = failed;
    walk->context = context;
    walk->beginning = string_length(path);
    string_copy(walk->path, sizeof(walk->path), path);
    error = begin(walk, base);
    while (error == 0 && walk->top != NULL)
        error = step(walk);
    while (walk->top != NULL)
        pop(walk);
    kfree(walk);
    return error;
}
