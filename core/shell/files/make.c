/* SPDX-License-Identifier: MIT */
/*
 * make.c: mkdir, touch, write, truncate, ln.
 */
#include "dev/clock.h"
#include "fs/file.h"
#include "lib/string.h"
#include "shell/commands/command.h"
#include "shell/files/files.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define FILE_MODE 0666u
#define DIRECTORY_MODE 0777u
#define UMASK 022u

/* ---- mkdir ---- */

/* Makes each directory on the way that is not there. The path is cut and mended in between. */
static int make_all(struct job *job, char *path)
{
    struct vnode *vnode;
    int error = 0;

    for (char *at = path; *at != '\0' && (error == 0 || error == -EEXIST);) {
        char saved;

        while (*at == '/')
            at++;
        while (*at != '\0' && *at != '/')
            at++;
        saved = *at;
        *at = '\0';
        error = vfs_mkdir(job->base, path, DIRECTORY_MODE & ~UMASK);
        *at = saved;
    }
    if (error != -EEXIST)
        return error;
    error = vfs_find(job->base, path, 0, &vnode);
    if (error == 0) {
        error = vnode->attributes.type == VNODE_DIRECTORY ? 0 : -EEXIST;
        vnode_put(vnode);
    }
    return error;
}

static int make_directory(struct job *job, const char *path, void *context)
{
    char copy[ARGS_LINE_MAX + 1];

    if (!*(const bool *)context)
        return vfs_mkdir(job->base, path, DIRECTORY_MODE & ~UMASK);
    string_copy(copy, sizeof(copy), path);
    return make_all(job, copy);
}

void command_mkdir(struct job *job)
{
    unsigned options, first = files_options(job, "p", 1, &options);
    bool parents = options != 0;

    if (first != 0)
        files_each(job, first, make_directory, &parents);
}

/* ---- touch ---- */

static int touch(struct job *job, const char *path, void *context)
{
    int64_t now = wall_now() * WALL_NS;
    struct vnode_attributes times = {.modified = now, .accessed = now};
    struct vnode *vnode;
    struct file *file;
    int error = vfs_find(job->base, path, 0, &vnode);

    if (error == -ENOENT && !*(const bool *)context) {
        error =
            file_open(job->base, path, FILE_WRITE_ONLY | FILE_CREATE, FILE_MODE & ~UMASK, &file);
        if (error == 0)
            file_put(file);
        return error;
    }
    if (error != 0)
        return error == -ENOENT ? 0 : error;
    error = vfs_set_attributes(vnode, &times, VNODE_SET_MODIFIED | VNODE_SET_ACCESSED);
    vnode_put(vnode);
    return error;
}

void command_touch(struct job *job)
{
    unsigned options, first = files_options(job, "c", 1, &options);
    bool existing = options != 0;

    if (first != 0)
        files_each(job, first, touch, &existing);
}

/* ---- write ---- */

/* Writes all of it, or says why not. */
static int write_all(struct file *file, const char *data, size_t n)
{
    while (n > 0) {
        int64_t done = file_write(file, data, n);

        if (done <= 0)
            return done < 0 ? (int)done : -EIO;
        data += done;
        n -= (size_t)done;
    }
    return 0;
}

static int write_words(struct job *job, unsigned first, struct file *file)
{
    int error = 0;

    for (unsigned i = first; i < job->args.count && error == 0; i++) {
        const char *word = job->args.words[i];

        if (i > first)
            error = write_all(file, " ", 1);
        if (error == 0)
            error = write_all(file, word, string_length(word));
    }
    return error == 0 ? write_all(file, "\n", 1) : error;
}

void command_write(struct job *job)
{
    unsigned options, first = files_options(job, "a", 1, &options);
    unsigned flags = FILE_WRITE_ONLY | FILE_CREATE | (options ? FILE_APPEND : FILE_TRUNCATE);
    struct file *file;
    int error;

    if (first == 0)
        return;
    error = file_open(job->base, job->args.words[first], flags, FILE_MODE & ~UMASK, &file);
    if (error == 0) {
        error = write_words(job, first + 1, file);
        file_put(file);
    }
    (void)files_report(job->args.words[first], error);
}

/* ---- truncate ---- */

/* Reads "512", "4K", "1M", "2G". */
static bool read_size(const struct job *job, const char *text, uint64_t *size)
{
    static const char units[] = "KMG";
    const char *end, *unit;
    unsigned shift = 0;

    if (string_to_u64(text, size, &end) == 0) {
        unit = *end ? string_find_char(units, *end) : NULL;
        if (unit != NULL) {
            shift = 10 * (unsigned)(unit - units + 1);
            end++;
        }
        if (*end == '\0' && *size <= (uint64_t)INT64_MAX >> shift) {
            *size <<= shift;
            return true;
        }
    }
    command_usage(job, "%s is not a size (say 512, 4K, 1M)", text);
    return false;
}

static int set_size(struct job *job, const char *path, void *context)
{
    struct file *file;
    int error =
        file_open(job->base, path, FILE_WRITE_ONLY | FILE_CREATE, FILE_MODE & ~UMASK, &file);

    if (error != 0)
        return error;
    error = file_truncate(file, *(const uint64_t *)context);
    file_put(file);
    return error;
}

void command_truncate(struct job *job)
{
    uint64_t size;

    if (job->args.count < 4 || !string_equal(job->args.words[1], "-s"))
        command_usage(job, "truncate needs a size and a path");
    else if (read_size(job, job->args.words[2], &size))
        files_each(job, 3, set_size, &size);
}

/* ---- ln ---- */

void command_ln(struct job *job)
{
    unsigned options, first = files_options(job, "s", 2, &options);
    const char *to, *name;
    int error;

    if (first == 0)
        return;
    to = job->args.words[first];
    name = job->args.words[first + 1];
    error = options ? vfs_symlink(job->base, name, to) : vfs_link(job->base, to, name);
    (void)files_report(name, error);
}
