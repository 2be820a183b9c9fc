/* SPDX-License-Identifier: MIT */
/*
 * look.c: tree, find, du, stat.
 */
#include "dev/clock.h"
#include "heap/heap.h"
#include "lib/string.h"
#include "shell/commands/command.h"
#include "shell/edit/expand.h"
#include "shell/files/files.h"
#include "shell/files/walk.h"
#include "tty/tty.h"

#include <hal/errno.h>

/* ---- tree ---- */

struct census {
    bool all;
    uint64_t directories, files;
};

static bool hidden(const struct walk_entry *entry)
{
    return entry->depth > 0 && (entry->name[0] == '.' || entry->attributes->hidden);
}

static int draw(const struct walk_entry *entry, void *context)
{
    struct census *census = context;
    bool directory = entry->attributes->type == VNODE_DIRECTORY;

    if (entry->leaving)
        return 0;
    if (hidden(entry) && !census->all)
        return WALK_SKIP;
    for (unsigned depth = 1; depth < entry->depth; depth++)
        tty_print("%s   ", depth < 64 && entry->last >> depth & 1 ? " " : "\u2502");
    if (entry->depth > 0)
        tty_print("%s ", entry->depth < 64 && entry->last >> entry->depth & 1
                             ? "\u2514\u2500\u2500"
                             : "\u251c\u2500\u2500");
    tty_print("%s%s\n", entry->name, directory && entry->depth > 0 ? "/" : "");
    if (entry->depth > 0 && directory)
        census->directories++;
    else if (entry->depth > 0)
        census->files++;
    return 0;
}

void command_tree(struct job *job)
{
    unsigned options, first = files_options(job, "a", 0, &options);
    struct census census = {.all = options};

    if (first == 0)
        return;
    for (unsigned i = first; i == first || i < job->args.count; i++) {
        const char *path = i < job->args.count ? job->args.words[i] : ".";

        (void)files_report(path, walk_tree(job->base, path, draw, files_skipped, &census));
    }
    tty_print("%llu director%s, %llu file%s\n", (unsigned long long)census.directories,
              census.directories == 1 ? "y" : "ies", (unsigned long long)census.files,
              census.files == 1 ? "" : "s");
}

/* ---- find ---- */

struct wanted {
    const char *pattern; /* NULL: any */
    char type;           /* as files_mode_text; 0: any */
};

static int find(const struct walk_entry *entry, void *context)
{
    const struct wanted *wanted = context;
    char mode[FILES_MODE_TEXT];

    files_mode_text(entry->attributes, mode);
    if (!entry->leaving && (wanted->type == 0 || mode[0] == wanted->type) &&
        (wanted->pattern == NULL || expand_matches(wanted->pattern, entry->name, '*', '?')))
        tty_print("%s\n", entry->path);
    return 0;
}

/* Takes "-name PATTERN" and "-type LETTER". */
static bool find_read_test(const struct job *job, unsigned i, struct wanted *wanted)
{
    const char *word = job->args.words[i], *value = job->args.words[i + 1];

    if (string_equal(word, "-name") && value != NULL) {
        wanted->pattern = value;
        return true;
    }
    if (string_equal(word, "-type") && value != NULL && value[0] != '\0' && value[1] == '\0' &&
        string_find_char("fdlcbp", value[0]) != NULL) {
        wanted->type = value[0] == 'f' ? '-' : value[0];
        return true;
    }
    command_usage(job, "find does not know %s%s%s", word, value ? " " : "", value ? value : "");
    return false;
}

void command_find_files(struct job *job)
{
    struct wanted wanted = {NULL, 0};
    unsigned paths = 1;

    while (paths < job->args.count && job->args.words[paths][0] != '-')
        paths++;
    for (unsigned i = paths; i < job->args.count; i += 2) {
        if (!find_read_test(job, i, &wanted))
            return;
    }
    for (unsigned i = 1; i == 1 || i < paths; i++) {
        const char *path = i < paths ? job->args.words[i] : ".";

        (void)files_report(path, walk_tree(job->base, path, find, files_skipped, &wanted));
    }
}

/* ---- du ---- */

#define DU_DEPTH 64u

struct usage {
    bool summary;
    uint64_t blocks[DU_DEPTH]; /* of 512 bytes, in the directory at each depth so far */
};

static int add_up(const struct walk_entry *entry, void *context)
{
    struct usage *usage = context;
    unsigned depth = entry->depth < DU_DEPTH - 1 ? entry->depth : DU_DEPTH - 1;
    bool directory = entry->attributes->type == VNODE_DIRECTORY;
    char size[FILES_SIZE_TEXT];

    if (directory && !entry->leaving) {
        usage->blocks[depth] = 0;
        return 0;
    }
    if (!directory)
        usage->blocks[depth] = 0;
    usage->blocks[depth] += entry->attributes->blocks;
    if (depth > 0)
        usage->blocks[depth - 1] += usage->blocks[depth];
    if (depth == 0 || (directory && !usage->summary)) {
        files_size_text(usage->blocks[depth] * 512, size);
        tty_print("%-7s %s\n", size, entry->path);
    }
    return 0;
}

void command_du(struct job *job)
{
    unsigned options, first = files_options(job, "s", 0, &options);
    struct usage *usage;

    if (first == 0)
        return;
    usage = kcalloc(1, sizeof(*usage));
    if (usage == NULL)
        files_error("du", -ENOMEM);
    for (unsigned i = first; usage != NULL && (i == first || i < job->args.count); i++) {
        const char *path = i < job->args.count ? job->args.words[i] : ".";

        usage->summary = options != 0;
        (void)files_report(path, walk_tree(job->base, path, add_up, files_skipped, usage));
    }
    kfree(usage);
}

/* ---- stat ---- */

static void print_time(const char *name, int64_t ns)
{
    int64_t seconds = ns / WALL_NS - (ns % WALL_NS < 0);
    struct calendar c;

    calendar_from_seconds(seconds, &c);
    tty_print("%9s: %04d-%02d-%02d %02d:%02d:%02d.%09lld UTC\n", name, c.year, c.month, c.day,
              c.hour, c.minute, c.second, (long long)(ns - seconds * WALL_NS));
}

static void print_link(struct vnode *vnode)
{
    char text[256];
    int64_t n = vfs_readlink(vnode, text, sizeof(text) - 1);

    if (n < 0)
        return;
    text[n < (int64_t)sizeof(text) ? n : (int64_t)sizeof(text) - 1] = '\0';
    tty_print(" -> %s", text);
}

static void print_attributes(const char *path, struct vnode *vnode)
{
    static const char *const types[] = {
        [VNODE_FILE] = "file",          [VNODE_DIRECTORY] = "directory",
        [VNODE_SYMLINK] = "link",       [VNODE_CHARACTER] = "character device",
        [VNODE_BLOCK] = "block device", [VNODE_FIFO] = "FIFO",
    };
    struct vnode_attributes a;
    char mode[FILES_MODE_TEXT];

    vfs_attributes(vnode, &a);
    files_mode_text(&a, mode);
    tty_print("     file: %s", path);
    if (a.type == VNODE_SYMLINK)
        print_link(vnode);
    tty_print("\n     type: %s", types[a.type]);
    if (a.type == VNODE_CHARACTER || a.type == VNODE_BLOCK)
        tty_print(" %u:%u", (unsigned)(a.device >> 32), (unsigned)(uint32_t)a.device);
    tty_print("\n     size: %llu bytes, %llu blocks\n", (unsigned long long)a.size,
              (unsigned long long)a.blocks);
    tty_print("     mode: %04o %s%s%s%s, owner %u:%u, %u link%s\n", (unsigned)a.mode, mode,
              a.read_only ? ", read-only" : "", a.hidden ? ", hidden" : "",
              a.system ? ", system" : "", a.uid, a.gid, a.links, a.links == 1 ? "" : "s");
    tty_print("   number: %llu on %s\n", (unsigned long long)a.id, vnode->mount->device);
    print_time("modified", a.modified);
    print_time("accessed", a.accessed);
    print_time("created", a.created);
}

static int print_stat(struct job *job, const char *path, void *context)
{
    struct vnode *vnode;
    int error = vfs_find(job->base, path, VFS_NO_FOLLOW, &vnode);

    (void)context;
    if (error != 0)
        return error;
    print_attributes(path, vnode);
    vnode_put(vnode);
    return 0;
}

void command_stat(struct job *job)
{
    unsigned options, first = files_options(job, "", 1, &options);

    if (first != 0)
        files_each(job, first, print_stat, NULL);
}
