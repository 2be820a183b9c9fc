/* SPDX-License-Identifier: MIT */
/*
 * copy.c: cp, mv.
 *
 * Both take one thing to a new path, or several into a directory. A move to another file system is
 * a copy, and then a removal.
 */
#include "fs/file.h"
#include "heap/heap.h"
#include "lib/string.h"
#include "shell/commands/command.h"
#include "shell/files/files.h"
#include "shell/files/walk.h"
#include "thread/thread.h"

#include <hal/errno.h>

#define CHUNK 32768u

/* ---- one file ---- */

static int copy_content(struct file *from, struct file *to)
{
    char *chunk = kmalloc(CHUNK);
    int64_t n = chunk == NULL ? -ENOMEM : 0, done = 0;

    while (n >= 0 && (n = file_read(from, chunk, CHUNK)) > 0) {
        for (int64_t at = 0; at < n; at += done) {
            done = thread_cancelled() ? -EINTR : file_write(to, chunk + at, (size_t)(n - at));
            if (done <= 0)
                break;
        }
        if (done <= 0) {
            n = done < 0 ? done : -EIO;
            break;
        }
    }
    kfree(chunk);
    return n < 0 ? (int)n : 0;
}

static int copy_file(struct vnode *base, const char *from, const char *to)
{
    struct vnode_attributes attributes;
    struct file *source, *target;
    int error = file_open(base, from, FILE_READ_ONLY, 0, &source);

    if (error != 0)
        return error;
    vfs_attributes(source->vnode, &attributes);
    error = attributes.type == VNODE_DIRECTORY ? -EISDIR : 0;
    if (error == 0)
        error = file_open(base, to, FILE_WRITE_ONLY | FILE_CREATE, attributes.mode, &target);
    if (error == 0) {
        if (target->vnode == source->vnode)
            error = -EEXIST;
        else if (target->vnode->attributes.type == VNODE_FILE)
            error = file_truncate(target, 0);
        if (error == 0)
            error = copy_content(source, target);
        file_put(target);
    }
    file_put(source);
    return error;
}

static int copy_link(struct vnode *base, const char *from, const char *to)
{
    char *text = kmalloc(VFS_PATH_MAX);
    struct vnode *vnode;
    int64_t n;
    int error = text == NULL ? -ENOMEM : vfs_find(base, from, VFS_NO_FOLLOW, &vnode);

    if (error == 0) {
        n = vfs_readlink(vnode, text, VFS_PATH_MAX - 1);
        vnode_put(vnode);
        if (n >= VFS_PATH_MAX)
            n = -ENAMETOOLONG;
        error = n < 0 ? (int)n : 0;
        if (error == 0) {
            text[n] = '\0';
            error = vfs_symlink(base, to, text);
        }
    }
    kfree(text);
    return error;
}

/* ---- trees ---- */

struct copying {
    struct vnode *base;
    const char *to;
    char *path; /* VFS_PATH_MAX bytes: where the visited one is copied to */
    bool failed;
};

static int copy_special(struct vnode *base, const char *to, const struct vnode_attributes *like)
{
    struct vnode *created;
    int error = vfs_create(base, to, like, &created);

    if (error == 0)
        vnode_put(created);
    return error;
}

static int copy_one(struct copying *copying, const struct walk_entry *entry)
{
    int error = files_join(copying->path, VFS_PATH_MAX, copying->to,
                           entry->suffix[0] == '/' ? entry->suffix + 1 : entry->suffix);

    if (error != 0)
        return error;
    switch (entry->attributes->type) {
    case VNODE_DIRECTORY:
        error = vfs_mkdir(copying->base, copying->path, entry->attributes->mode);
        return error == -EEXIST ? 0 : error;
    case VNODE_SYMLINK:
        return copy_link(copying->base, entry->path, copying->path);
    case VNODE_FILE:
        return copy_file(copying->base, entry->path, copying->path);
    default:
        return copy_special(copying->base, copying->path, entry->attributes);
    }
}

static int copy_visited(const struct walk_entry *entry, void *context)
{
    struct copying *copying = context;
    int error = entry->leaving ? 0 : copy_one(copying, entry);

    if (error == 0 || error == -EINTR)
        return error;
    files_error(copying->path, error);
    copying->failed = true;
    return entry->attributes->type == VNODE_DIRECTORY ? WALK_SKIP : 0;
}

static void copy_failed(const char *path, int error, void *context)
{
    struct copying *copying = context;

    files_error(path, error);
    copying->failed = true;
}

/* True if `directory` is `vnode` or in it. */
static bool is_inside(struct vnode *directory, const struct vnode *vnode)
{
    struct vnode *at = vnode_get(directory), *up = NULL;
    bool inside, top = false;

    while (at != vnode && !top && vfs_find(at, "..", 0, &up) == 0) {
        top = up == at;
        vnode_put(at);
        at = up;
    }
    inside = at == vnode;
    vnode_put(at);
    return inside;
}

/* Where the last component of a path begins. */
static size_t last_component(const char *path)
{
    size_t n = string_length(path);

    while (n > 0 && path[n - 1] == '/')
        n--;
    while (n > 0 && path[n - 1] != '/')
        n--;
    return n;
}

/* -EINVAL: `to`, which is cut and mended again, would be in `from`. */
static int check_tree(struct job *job, const char *from, char *to)
{
    size_t n = last_component(to);
    char saved = to[n];
    struct vnode *source, *directory;
    int error = vfs_find(job->base, from, VFS_NO_FOLLOW, &source);

    if (error != 0)
        return error;
    to[n] = '\0';
    error = vfs_find(job->base, n > 0 ? to : ".", 0, &directory);
    to[n] = saved;
    if (error == 0) {
        if (is_inside(directory, source))
            error = -EINVAL;
        vnode_put(directory);
    }
    vnode_put(source);
    return error;
}

static int copy_tree(struct job *job, const char *from, char *to, bool *failed)
{
    struct copying copying = {.base = job->base, .to = to, .path = kmalloc(VFS_PATH_MAX)};
    int error = copying.path == NULL ? -ENOMEM : check_tree(job, from, to);

    if (error == 0)
        error = walk_tree(job->base, from, copy_visited, copy_failed, &copying);
    kfree(copying.path);
    *failed = copying.failed;
    return error;
}

bool files_copy(struct job *job, const char *from, char *to, bool trees)
{
    bool failed = false;
    int error;

    if (trees)
        error = copy_tree(job, from, to, &failed);
    else
        error = copy_file(job->base, from, to);
    if (error == -EINVAL && trees)
        command_error("%s: a directory cannot be copied into itself, to %s", from, to);
    else if (error == -EISDIR && !trees)
        command_error("%s: a directory: cp -r copies it", from);
    else if (error == -EEXIST && !trees)
        command_error("%s: the same file as %s", from, to);
    else
        return files_report(from, error) && !failed;
    return false;
}

/* ---- the commands ---- */

/*
 * Moves to another file system: what was copied goes once the copy is on its medium, for until then
 * it can be lost, with the power or by an error when it is written.
 */
static void move_far(struct job *job, const char *from, char *to, bool replace)
{
    struct vnode *there;
    int error = replace ? -ENOENT : vfs_find(job->base, to, VFS_NO_FOLLOW, &there);

    if (error == 0)
        vnode_put(there);
    else if (error != -ENOENT)
        files_error(to, error);
    else if (files_copy(job, from, to, true) && files_report(to, mount_sync_all()))
        (void)files_remove(job, from, true, false);
}

/* Moves what is at `from`, by a copy if it has to be. */
static void move(struct job *job, const char *from, char *to, unsigned options)
{
    int error = vfs_rename(job->base, from, to, options & 1 ? VFS_RENAME_NO_REPLACE : 0);

    if (error == -EXDEV) {
        move_far(job, from, to, !(options & 1));
    } else if (error == -EINVAL) {
        command_error("%s: a directory cannot be moved into itself, to %s", from, to);
    } else if (error != -EEXIST || !(options & 1)) {
        (void)files_report(from, error);
    }
}

static void copy(struct job *job, const char *from, char *to, unsigned options)
{
    (void)files_copy(job, from, to, options & 1);
}

/* Whether that is a directory; what is not there is none. */
static int is_directory(struct job *job, const char *path, bool *is)
{
    struct vnode *vnode;
    int error = vfs_find(job->base, path, 0, &vnode);

    *is = false;
    if (error == -ENOENT || error == -ENOTDIR)
        return 0;
    if (error == 0) {
        *is = vnode->attributes.type == VNODE_DIRECTORY;
        vnode_put(vnode);
    }
    return error;
}

/* Does it for each path but the last, to the last one or into it. */
static void act_on_all(struct job *job, unsigned first, unsigned options,
                       void (*act)(struct job *, const char *, char *, unsigned))
{
    const char *last = job->args.words[job->args.count - 1];
    char *to = kmalloc(VFS_PATH_MAX), name[VFS_NAME_MAX + 1];
    bool into;
    int error = to == NULL ? -ENOMEM : is_directory(job, last, &into);

    if (error)
        (void)files_report(last, error);
    else if (!into && job->args.count - first > 2)
        files_error(last, -ENOTDIR);
    else
        for (unsigned i = first; i + 1 < job->args.count && !thread_cancelled(); i++) {
            files_base_name(job->args.words[i], name, sizeof(name));
            if (files_report(last, files_join(to, VFS_PATH_MAX, last, into ? name : "")))
                act(job, job->args.words[i], to, options);
        }
    kfree(to);
}

void command_cp(struct job *job)
{
    unsigned options, first = files_options(job, "r", 2, &options);

    if (first != 0)
        act_on_all(job, first, options, copy);
}

void command_mv(struct job *job)
{
    unsigned options, first = files_options(job, "n", 2, &options);

    if (first != 0)
        act_on_all(job, first, options, move);
}
