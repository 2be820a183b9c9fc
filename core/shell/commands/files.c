/* SPDX-License-Identifier: MIT */
/*
 * files.c: pwd, cd, ls, cat, hexdump.
 */
#include "dev/clock.h"
#include "fs/file.h"
#include "fs/vfs.h"
#include "lib/string.h"
#include "heap/heap.h"
#include "shell/commands/command.h"
#include "shell/commands/listing.h"
#include "shell/debug.h"
#include "shell/files/files.h"
#include "thread/thread.h"
#include "tty/tty.h"
#include "tty/utf8.h"

#include <hal/errno.h>
#include <hal/time.h>

#define CHUNK 4096u

void command_pwd(struct job *job)
{
    if (command_takes_none(job))
        tty_print("%s\n", job->directory);
}

/* ---- cd ---- */

static int change_directory(struct job *job, const char *path)
{
    struct vnode *vnode;
    char *directory = kmalloc(sizeof(job->directory));
    int error = directory == NULL ? -ENOMEM : vfs_find(job->base, path, 0, &vnode);

    if (error != 0)
        goto out;
    error = vnode->attributes.type == VNODE_DIRECTORY ? 0 : -ENOTDIR;
    if (error == 0)
        error = vfs_path_of(vnode, directory, sizeof(job->directory));
    if (error == 0) {
        struct vnode *old = job->base;

        string_copy(job->directory, sizeof(job->directory), directory);
        job->base = string_equal(directory, "/") ? NULL : vnode_get(vnode);
        vnode_put(old);
    }
    vnode_put(vnode);
out:
    kfree(directory);
    return error;
}

void command_cd(struct job *job)
{
    int error;

    if (job->args.count != 2) {
        command_usage(job, "cd needs one directory");
        return;
    }
    error = change_directory(job, job->args.words[1]);
    if (error != 0)
        files_error(job->args.words[1], error);
}

/* ---- ls ---- */

struct ls_options {
    bool all, details;
};

/* Takes the options off the front of the words: returns the index of the first path, or 0. */
static unsigned ls_read_options(const struct job *job, struct ls_options *options)
{
    unsigned i = 1;

    for (; i < job->args.count && job->args.words[i][0] == '-' && job->args.words[i][1]; i++) {
        for (const char *c = job->args.words[i] + 1; *c != '\0'; c++) {
            if (*c == 'a')
                options->all = true;
            else if (*c == 'l')
                options->details = true;
            else {
                command_usage(job, "ls has no option -%c", *c);
                return 0;
            }
        }
    }
    return i;
}

static bool ls_wants(const struct directory_entry *entry, void *context)
{
    const struct ls_options *options = context;

    return options->all || (entry->name[0] != '.' && !entry->attributes.hidden);
}

/* What a symbolic link holds. */
static void ls_print_link(struct vnode *base, const char *path)
{
    char text[256];
    struct vnode *vnode;
    int64_t n;

    if (vfs_find(base, path, VFS_NO_FOLLOW, &vnode) != 0)
        return;
    n = vfs_readlink(vnode, text, sizeof(text) - 1);
    vnode_put(vnode);
    if (n < 0)
        return;
    text[n < (int64_t)sizeof(text) ? n : (int64_t)sizeof(text) - 1] = '\0';
    tty_print(" -> %s", text);
}

/* Prints the file called `name` in `base`. */
static void ls_print(struct vnode *base, const char *name, const struct vnode_attributes *a,
                     const struct ls_options *options)
{
    static const char types[] = {
        [VNODE_FILE] = '-',      [VNODE_DIRECTORY] = 'd', [VNODE_SYMLINK] = 'l',
        [VNODE_CHARACTER] = 'c', [VNODE_BLOCK] = 'b',     [VNODE_FIFO] = 'p',
    };
    struct calendar c;

    if (options->details) {
        calendar_from_seconds(a->modified / WALL_NS, &c);
        tty_print("%c%c%c%c %10llu  %04d-%02d-%02d %02d:%02d  ", types[a->type],
                  a->read_only ? 'r' : '-', a->hidden ? 'h' : '-', a->system ? 's' : '-',
                  (unsigned long long)a->size, c.year, c.month, c.day, c.hour, c.minute);
    }
    tty_print("%s%s", name, a->type == VNODE_DIRECTORY ? "/" : "");
    if (options->details && a->type == VNODE_SYMLINK)
        ls_print_link(base, name);
    tty_print("\n");
}

static int ls_directory(struct vnode *vnode, struct ls_options *options)
{
    struct listing listing;
    int error = listing_read(vnode, ls_wants, options, &listing);

    for (struct listing_entry *entry = listing.first; entry && !thread_cancelled();
         entry = entry->next)
        ls_print(vnode, entry->name, &entry->attributes, options);
    listing_finish(&listing);
    return error;
}

static void ls_path(const struct job *job, const char *path, bool heading,
                    struct ls_options *options)
{
    struct vnode_attributes attributes;
    struct vnode *vnode;
    int error = vfs_find(job->base, path, options->details ? VFS_NO_FOLLOW : 0, &vnode);

    if (error == 0) {
        vfs_attributes(vnode, &attributes);
        if (attributes.type != VNODE_DIRECTORY) {
            ls_print(job->base, path, &attributes, options);
        } else {
            if (heading)
                tty_print("%s:\n", path);
            error = ls_directory(vnode, options);
        }
        vnode_put(vnode);
    }
    (void)files_report(path, error);
}

void command_ls(struct job *job)
{
    struct ls_options options = {false, false};
    unsigned first = ls_read_options(job, &options);

    if (first == 0)
        return;
    if (first == job->args.count)
        ls_path(job, ".", false, &options);
    for (unsigned i = first; i < job->args.count && !thread_cancelled(); i++)
        ls_path(job, job->args.words[i], job->args.count - first > 1, &options);
}

/* ---- cat ---- */

/* True if the chunk is text that may be printed; characters may straddle chunks. */
static bool cat_is_text(struct utf8_decoder *decoder, const char *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (data[i] == '\0' || utf8_decode(decoder, (uint8_t)data[i]) == UTF8_BAD)
            return false;
    }
    return true;
}

static int cat_chunks(struct file *file, bool bytes, char *chunk)
{
    struct utf8_decoder decoder = {0};
    int64_t n;

    while ((n = file_read(file, chunk, CHUNK)) > 0 && !thread_cancelled()) {
        if (!bytes && !cat_is_text(&decoder, chunk, (size_t)n))
            return -EILSEQ;
        tty_write(chunk, (size_t)n);
    }
    if (n == 0 && decoder.expect > 0)
        return -EILSEQ; /* the file ends within a character */
    return n < 0 ? (int)n : 0;
}

static int cat_file(const struct job *job, const char *path, bool bytes)
{
    struct file *file;
    char *chunk;
    int error = file_open(job->base, path, FILE_READ_ONLY, 0, &file);

    if (error != 0)
        return error;
    chunk = kmalloc(CHUNK);
    error = chunk == NULL ? -ENOMEM : cat_chunks(file, bytes, chunk);
    kfree(chunk);
    file_put(file);
    return error;
}

static int cat_console(const struct job *job)
{
    char line[128];
    int64_t n;

    if (job->number != 0)
        return -EBUSY; /* the console's input belongs to the foreground */
    tty_set_mode(TTY_CANONICAL);
    while ((n = tty_read(line, sizeof(line), HAL_TIME_NEVER)) > 0)
        tty_write(line, (size_t)n);
    return 0;
}

void command_cat(struct job *job)
{
    bool bytes = job->args.count > 1 && string_equal(job->args.words[1], "-b");
    unsigned first = bytes ? 2 : 1;

    if (first >= job->args.count)
        command_usage(job, "cat needs a path");
    for (unsigned i = first; i < job->args.count && !thread_cancelled(); i++) {
        const char *path = job->args.words[i];
        int error = string_equal(path, "-") ? cat_console(job) : cat_file(job, path, bytes);

        if (error == -EILSEQ)
            command_error("not UTF-8 text: %s (hexdump shows it, cat -b prints it as it is)", path);
        else if (error != 0 && error != -EINTR)
            files_error(path, error);
    }
}

/* ---- hexdump ---- */

struct hexdump_request {
    const char *path;
    uint64_t offset, bytes;
};

static bool hexdump_read_arguments(const struct job *job, struct hexdump_request *request)
{
    for (unsigned i = 1; i < job->args.count; i++) {
        const char *word = job->args.words[i];
        uint64_t *number = string_equal(word, "-n")   ? &request->bytes
                           : string_equal(word, "-s") ? &request->offset
                                                      : NULL;

        if (number == NULL && request->path != NULL) {
            command_usage(job, "hexdump shows one file at a time");
            return false;
        }
        if (number == NULL) {
            request->path = word;
        } else if (i + 1 == job->args.count) {
            command_usage(job, "%s needs a number", word);
            return false;
        } else if (!command_number(job, job->args.words[++i], UINT64_MAX, number)) {
            return false;
        }
    }
    if (request->path == NULL)
        command_usage(job, "hexdump needs a path");
    return request->path != NULL;
}

static int hexdump_rows(struct file *file, const struct hexdump_request *request, uint8_t *chunk)
{
    uint64_t at = request->offset, left = request->bytes;
    char row[DEBUG_ROW_TEXT];
    int64_t n = 0;

    while (left > 0 && !thread_cancelled()) {
        n = file_read_at(file, at, chunk, left < CHUNK ? (size_t)left : CHUNK);
        if (n <= 0)
            break;
        for (int64_t i = 0; i < n && !thread_cancelled(); i += DEBUG_ROW_BYTES) {
            int64_t bytes = n - i < DEBUG_ROW_BYTES ? n - i : DEBUG_ROW_BYTES;

            debug_format_row(row, at + (uint64_t)i, chunk + i, (size_t)bytes);
            tty_write(row, string_length(row));
        }
        at += (uint64_t)n;
        left -= (uint64_t)n;
    }
    if (n >= 0)
        tty_print("%08llx\n", (unsigned long long)at);
    return n < 0 ? (int)n : 0;
}

void command_hexdump(struct job *job)
{
    struct hexdump_request request = {.bytes = UINT64_MAX};
    struct file *file;
    uint8_t *chunk;
    int error;

    if (!hexdump_read_arguments(job, &request))
        return;
    error = file_open(job->base, request.path, FILE_READ_ONLY, 0, &file);
    if (error == 0) {
        chunk = kmalloc(CHUNK);
        error = chunk == NULL ? -ENOMEM : hexdump_rows(file, &request, chunk);
        kfree(chunk);
        file_put(file);
    }
    if (error != 0 && error != -EINTR)
        files_error(request.path, error);
}
