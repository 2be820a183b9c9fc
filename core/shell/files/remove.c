/* SPDX-License-Identifier: MIT */
/*
 * remove.c: rm, rmdir.
 */
#include "shell/commands/command.h"
#include "shell/files/files.h"
#include "shell/files/walk.h"

#include <hal/errno.h>

struct removal {
    struct vnode *base;
    bool failed;
};

/* Files when the walk comes to them, directories when it leaves them and they are empty. */
static int remove_visited(const struct walk_entry *entry, void *context)
{
    struct removal *removal = context;
    bool directory = entry->attributes->type == VNODE_DIRECTORY;
    struct vnode *base = entry->directory ? entry->directory : removal->base;
    const char *path = entry->directory ? entry->name : entry->path;
    int error;

    if (directory && !entry->leaving)
        return 0;
    error = directory ? vfs_rmdir(base, path) : vfs_unlink(base, path);
    if (error != 0) {
        files_error(entry->path, error);
        removal->failed = true;
    }
    return 0;
}

static void remove_failed(const char *path, int error, void *context)
{
    struct removal *removal = context;

    files_error(path, error);
    removal->failed = true;
}

bool files_remove(struct job *job, const char *path, bool trees, bool force)
{
    struct removal removal = {.base = job->base};
    int error;

    if (trees)
        error = walk_tree(job->base, path, remove_visited, remove_failed, &removal);
    else
        error = vfs_unlink(job->base, path);
    if (force && error == -ENOENT)
        error = 0;
    return files_report(path, error) && !removal.failed;
}

void command_rm(struct job *job)
{
    unsigned options, first = files_options(job, "rf", 1, &options);

    for (unsigned i = first; first != 0 && i < job->args.count; i++) {
        char name[4];

        /* The root, "." and ".." have no name that could be taken away. */
        files_base_name(job->args.words[i], name, sizeof(name));
        if (name[0] == '\0')
            command_error("%s: cannot be removed", job->args.words[i]);
        else
            (void)files_remove(job, job->args.words[i], options & 1, options & 2);
    }
}

static int remove_directory(struct job *job, const char *path, void *context)
{
    (void)context;
    return vfs_rmdir(job->base, path);
}

void command_rmdir(struct job *job)
{
    unsigned options, first = files_options(job, "", 1, &options);

    if (first != 0)
        files_each(job, first, remove_directory, NULL);
}
