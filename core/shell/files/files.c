/* SPDX-License-Identifier: MIT */
/*
 * files.c: what the commands that deal with files share: errors, options, names, numbers.
 */
#include "shell/files/files.h"

#include "fs/root/root.h"
#include "lib/format.h"
#include "lib/string.h"
#include "shell/commands/command.h"
#include "thread/thread.h"

#include <hal/errno.h>

void files_error(const char *path, int error)
{
    if (error == -ENOMEDIUM && vfs_mount_problem()[0] != '\0')
        command_error("%s: no files: %s", path, vfs_mount_problem());
    else
        command_error("%s: %s", path, command_error_text(error));
}

void files_skipped(const char *path, int error, void *context)
{
    (void)context;
    files_error(path, error);
}

bool files_report(const char *path, int error)
{
    if (error != 0 && error != -EINTR)
        files_error(path, error);
    return error == 0;
}

/* Takes the letters of one word. */
static bool take_letters(const struct job *job, const char *word, const char *letters,
                         unsigned *set)
{
    for (const char *c = word; *c != '\0'; c++) {
        const char *place = string_find_char(letters, *c);

        if (place == NULL) {
            command_usage(job, "%s has no option -%c", job->command->name, *c);
            return false;
        }
        *set |= 1u << (place - letters);
    }
    return true;
}

unsigned files_options(const struct job *job, const char *letters, unsigned paths, unsigned *set)
{
    unsigned i = 1;

    *set = 0;
    for (; i < job->args.count; i++) {
        const char *word = job->args.words[i];

        if (word[0] != '-' || word[1] == '\0')
            break;
        if (string_equal(word, "--")) {
            i++;
            break;
        }
        if (!take_letters(job, word + 1, letters, set))
            return 0;
    }
    if (job->args.count - i >= paths)
        return i;
    command_usage(job, "%s needs %s", job->command->name, paths == 1 ? "a path" : "two paths");
    return 0;
}

void files_base_name(const char *path, char *name, size_t size)
{
    size_t end = string_length(path), start;

    while (end > 0 && path[end - 1] == '/')
        end--;
    for (start = end; start > 0 && path[start - 1] != '/'; start--)
        continue;
    string_copy(name, end - start < size ? end - start + 1 : size, path + start);
    if (string_equal(name, ".") || string_equal(name, ".."))
        name[0] = '\0';
}

int files_join(char *to, size_t size, const char *directory, const char *name)
{
    size_t n = string_length(directory);
    bool slash = n > 0 && directory[n - 1] != '/' && name[0] != '\0';

    if (n + slash + string_length(name) >= size)
        return -ENAMETOOLONG;
    (void)format_text(to, size, "%s%s%s", directory, slash ? "/" : "", name);
    return 0;
}

void files_mode_text(const struct vnode_attributes *attributes, char text[FILES_MODE_TEXT])
{
    static const char types[] = {
        [VNODE_FILE] = '-',      [VNODE_DIRECTORY] = 'd', [VNODE_SYMLINK] = 'l',
        [VNODE_CHARACTER] = 'c', [VNODE_BLOCK] = 'b',     [VNODE_FIFO] = 'p',
    };
    static const char letters[] = "rwxrwxrwx";

    text[0] = types[attributes->type];
    for (unsigned i = 0; i < 9; i++)
        text[1 + i] = attributes->mode & 0400u >> i ? letters[i] : '-';
    text[10] = '\0';
}

void files_size_text(uint64_t bytes, char text[FILES_SIZE_TEXT])
{
    static const char units[] = "KMGTPE";
    uint64_t tenths = bytes * 10;
    unsigned unit = 0;

    if (bytes < 1024) {
        (void)format_text(text, FILES_SIZE_TEXT, "%llu", (unsigned long long)bytes);
        return;
    }
    for (tenths = (bytes >> 10) * 10 + (bytes & 1023) * 10 / 1024; tenths >= 10240; unit++)
        tenths /= 1024;
    if (tenths < 100)
        (void)format_text(text, FILES_SIZE_TEXT, "%llu.%llu%c", (unsigned long long)tenths / 10,
                          (unsigned long long)tenths % 10, units[unit]);
    else
        (void)format_text(text, FILES_SIZE_TEXT, "%llu%c", (unsigned long long)tenths / 10,
                          units[unit]);
}

void files_each(struct job *job, unsigned first,
                int (*act)(struct job *job, const char *path, void *context), void *context)
{
    for (unsigned i = first; i < job->args.count && !thread_cancelled(); i++)
        (void)files_report(job->args.words[i], act(job, job->args.words[i], context));
}
