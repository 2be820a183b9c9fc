/* SPDX-License-Identifier: MIT */
/*
 * model.c: random changes to a small tree, against a model of it that is a table of 64 lines.
 *
 * Each operation returns what the model says, and now and then the whole tree is what the model
 * is: on a ramfs and on a FAT32 volume (whose names fold), with a cache of names and without, with
 * memory being reclaimed in between. TAYBERRY_RUNS says how many sequences each has.
 */
#include "suites.h"

#include "../fs/store.h"
#include "../ramfs/rooted.h"

#include "fs/fat32/fat32.h"
#include "fs/path/name_cache.h"
#include "mem/reclaim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NODES 64
#define OPERATIONS 400u

static struct {
    bool used, directory;
    int parent;
    char name[4];
    unsigned bytes;
} nodes[NODES]; /* 0 is the root */

static bool fold;
static uint64_t seed;

static uint32_t chance(uint32_t n)
{
    return root_random(&seed) % n;
}

/* ---- the model ---- */

static int child(int parent, const char *name)
{
    for (int i = 1; i < NODES; i++)
        if (nodes[i].used && nodes[i].parent == parent &&
            (fold ? strcasecmp : strcmp)(nodes[i].name, name) == 0)
            return i;
    return -ENOENT;
}

static bool has_children(int parent)
{
    for (int i = 1; i < NODES; i++)
        if (nodes[i].used && nodes[i].parent == parent)
            return true;
    return false;
}

/* Where a path leads up to its last component. The error, or the directory. */
static int walk(const char *path, char *last, bool *slash)
{
    char copy[32], *at = copy, *next;
    int here = 0;

    strcpy(copy, path + 1);
    *slash = copy[strlen(copy) - 1] == '/';
    if (*slash)
        copy[strlen(copy) - 1] = '\0';
    while ((next = strchr(at, '/'))) {
        *next = '\0';
        here = child(here, at);
        if (here < 0)
            return here;
        if (!nodes[here].directory)
            return -ENOTDIR;
        at = next + 1;
    }
    strcpy(last, at);
    return here;
}

static int model_create(const char *path, bool directory)
{
    bool slash;
    char last[32];
    int parent = walk(path, last, &slash), i = 1;

    if (parent < 0)
        return parent;
    if (child(parent, last) >= 0)
        return -EEXIST;
    if (slash && !directory)
        return -ENOENT;
    while (i < NODES && nodes[i].used)
        i++;
    ck_assert_int_lt(i, NODES);
    nodes[i].used = true;
    nodes[i].directory = directory;
    nodes[i].parent = parent;
    nodes[i].bytes = 0;
    strcpy(nodes[i].name, last);
    return 0;
}

static int model_remove(const char *path, bool directory)
{
    bool slash;
    char last[32];
    int parent = walk(path, last, &slash), i;

    if (parent < 0)
        return parent;
    i = child(parent, last);
    if (i < 0)
        return i;
    if (nodes[i].directory && !directory)
        return -EISDIR;
    if (!nodes[i].directory && (directory || slash))
        return -ENOTDIR;
    if (directory && has_children(i))
        return -ENOTEMPTY;
    nodes[i].used = false;
    return 0;
}

static bool is_in(int i, int directory)
{
    while (i > 0 && i != directory)
        i = nodes[i].parent;
    return i == directory;
}

static int check_replace(int i, int other, int from, int to)
{
    if (nodes[i].directory && from != to && is_in(to, i))
        return -EINVAL;
    if (other < 0)
        return 0;
    if (from != to && is_in(from, other))
        return -ENOTEMPTY;
    if (nodes[i].directory && !nodes[other].directory)
        return -ENOTDIR;
    if (!nodes[i].directory && nodes[other].directory)
        return -EISDIR;
    return has_children(other) ? -ENOTEMPTY : 0;
}

static int model_rename(const char *path, const char *new_path)
{
    bool slash, new_slash;
    char last[32], new_last[32];
    int from = walk(path, last, &slash), to = 0, i, other, error;

    if (from >= 0)
        to = walk(new_path, new_last, &new_slash);
    if (from < 0 || to < 0)
        return from < 0 ? from : to;
    i = child(from, last);
    if (i < 0)
        return i;
    if (!nodes[i].directory && (slash || new_slash))
        return -ENOTDIR;
    other = child(to, new_last);
    if (other == i && strcmp(last, new_last) == 0)
        return 0;
    if (other != i) {
        error = check_replace(i, other, from, to);
        if (error)
            return error;
        if (other >= 0)
            nodes[other].used = false;
    }
    nodes[i].parent = to;
    strcpy(nodes[i].name, new_last);
    return 0;
}

static int model_grow(const char *path)
{
    bool slash;
    char last[32];
    int parent = walk(path, last, &slash), i;

    if (parent < 0)
        return parent;
    i = child(parent, last);
    if (i < 0)
        return i;
    if (nodes[i].directory)
        return -EISDIR;
    if (slash)
        return -ENOTDIR;
    nodes[i].bytes++;
    return 0;
}

/* ---- both ---- */

static void make_path(char *path)
{
    static const char *const names[] = {"a", "b", "c", "A", "B", "dd"};
    unsigned depth = 1 + chance(3);

    path[0] = '\0';
    for (unsigned i = 0; i < depth; i++) {
        strcat(path, "/");
        strcat(path, names[chance(fold ? 6 : 3)]);
    }
    if (chance(12) == 0)
        strcat(path, "/");
}

static int create(const char *path, bool directory)
{
    struct vnode_attributes file = {.type = VNODE_FILE, .mode = 0644};
    struct vnode *created = NULL;
    int error;

    if (directory)
        return vfs_mkdir(NULL, path, 0755);
    error = vfs_create(NULL, path, &file, &created);
    vnode_put(created);
    return error;
}

static int grow(const char *path)
{
    struct file *file;
    int error = file_open(NULL, path, FILE_WRITE_ONLY | FILE_APPEND, 0, &file);

    if (error)
        return error;
    ck_assert_int_eq(file_write(file, "x", 1), 1);
    file_put(file);
    return 0;
}

static void operate(void)
{
    unsigned what = chance(10);
    char path[32], other[32];
    int want, is;

    make_path(path);
    make_path(other);
    if (what < 3) {
        want = model_create(path, what == 0);
        is = create(path, what == 0);
    } else if (what < 6) {
        want = model_remove(path, what == 3);
        is = what == 3 ? vfs_rmdir(NULL, path) : vfs_unlink(NULL, path);
    } else if (what < 9) {
        want = model_rename(path, other);
        is = vfs_rename(NULL, path, other, 0);
    } else {
        want = model_grow(path);
        is = grow(path);
    }
    ck_assert_msg(want == is, "operation %u on %s, %s: %d instead of %d", what, path, other, is,
                  want);
}

static void path_of(int i, char *path)
{
    if (i > 0) {
        path_of(nodes[i].parent, path);
        strcat(path, "/");
        strcat(path, nodes[i].name);
    }
}

static void compare(void)
{
    unsigned count[NODES] = {0};
    char path[64], text[64];

    for (int i = 1; i < NODES; i++) {
        struct vnode *vnode;

        if (!nodes[i].used)
            continue;
        count[nodes[i].parent]++;
        path[0] = '\0';
        path_of(i, path);
        vnode = root_find(path);
        ck_assert_int_eq(vnode->attributes.type == VNODE_DIRECTORY, nodes[i].directory);
        ck_assert_uint_eq(vnode->attributes.size, nodes[i].bytes);
        if (nodes[i].directory) {
            ck_assert_int_eq(vfs_path_of(vnode, text, sizeof text), 0);
            ck_assert_str_eq(text, path);
        }
        vnode_put(vnode);
    }
    for (int i = 0; i < NODES; i++) {
        strcpy(path, i == 0 ? "/" : "");
        path_of(i, path);
        if (i == 0 || (nodes[i].used && nodes[i].directory))
            ck_assert_uint_eq(root_count(path), count[i]);
    }
}

static void run(uint64_t number)
{
    struct problem problem;

    memset(nodes, 0, sizeof nodes);
    nodes[0].used = nodes[0].directory = true;
    seed = number;
    if (fold)
        ck_assert_int_eq(mount_add("fat32", block_card(), "/", "", &problem), 0);
    for (unsigned i = 0; i < OPERATIONS; i++) {
        operate();
        if (chance(20) == 0)
            (void)reclaim_frames(1 + chance(100));
        if (chance(10) == 0)
            compare();
    }
    compare();
    if (fold)
        ck_assert_int_eq(mount_remove("/"), 0);
}

START_TEST(random_changes_do_what_the_model_does)
{
    const char *runs = getenv("TAYBERRY_RUNS");
    unsigned count = runs ? (unsigned)atoi(runs) : 20;

    fold = _i % 2;
    for (unsigned i = 0; i < count; i++) {
        if (fold) {
            store_make(4096, 1024);
            store_start(8u << 20);
            file_system_register(&fat32_file_system);
        } else {
            root_start(8u << 20, "");
        }
        if (_i / 2)
            name_cache_start();
        run(1000 * (uint64_t)_i + i);
        if (fold) {
            ck_assert_msg(store_passes(CHECK_UNTIDY), "%s", store.finding);
            store_finish();
        } else {
            root_stop();
        }
    }
    printf("# %u sequences of %u changes on %s, %s cache\n", count, OPERATIONS,
           fold ? "FAT32" : "ramfs", _i / 2 ? "with" : "without");
    fflush(stdout);
}
END_TEST

Suite *model_suite(void)
{
    Suite *suite = suite_create("model");
    TCase *tests = tcase_create("model");

    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, random_changes_do_what_the_model_does, 0, 4);
    suite_add_tcase(suite, tests);
    return suite;
}
