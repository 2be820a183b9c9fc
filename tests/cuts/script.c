/* SPDX-License-Identifier: MIT */
/*
 * script.c: the operations that sequences are made of, what they do to the model, and what has to
 * fail.
 */
#include "cuts.h"

#include "../unit/fake_hal.h"

#include <hal/errno.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SECONDS 1000000000u

#define BIG "/a big file with a name that takes slots.data"
#define LONG_100 \
    "0123456789 123456789 123456789 123456789 123456789 123456789 123456789 123456789 123456789 1" \
    "23456789"
#define VERY_LONG "/e/" LONG_100 LONG_100 "a name of 240 units, which fills sectors"

const struct operation preparations[] = {
    {OP_CREATE, "/a.txt", NULL, 0, 0},
    {OP_APPEND, "/a.txt", NULL, 0, 700},
    {OP_CREATE, BIG, NULL, 0, 0},
    {OP_APPEND, BIG, NULL, 0, 2600},
    {OP_CREATE, "/empty", NULL, 0, 0},
    {OP_MKDIR, "/d", NULL, 0, 0},
    {OP_CREATE, "/d/x", NULL, 0, 0},
    {OP_APPEND, "/d/x", NULL, 0, 300},
    {OP_MKDIR, "/d/inner", NULL, 0, 0},
    {OP_MKDIR, "/e", NULL, 0, 0},
    {OP_CREATE, "/d/One more file, so that entries are in several sectors.text", NULL, 0, 0},
    {OP_CREATE, "/a name that pushes others into the next sector of the root", NULL, 0, 0},
};

const struct operation operations[] = {
    /* 0 */
    {OP_CREATE, "/new.txt", NULL, 0, 0},
    {OP_CREATE, "/d/A new file with a long name.text", NULL, 0, 0},
    {OP_WRITE, "/empty", NULL, 0, 1500},
    {OP_APPEND, "/a.txt", NULL, 0, 100},
    {OP_APPEND, "/a.txt", NULL, 0, 1700},
    /* 5 */
    {OP_WRITE, BIG, NULL, 200, 1200},
    {OP_WRITE, "/a.txt", NULL, 1600, 50},
    {OP_TRUNCATE, BIG, NULL, 0, 600},
    {OP_TRUNCATE, BIG, NULL, 0, 0},
    {OP_TRUNCATE, "/a.txt", NULL, 0, 3000},
    /* 10 */
    {OP_RENAME, "/a.txt", "/another name, which is longer than the first.text", 0, 0},
    {OP_RENAME, "/a.txt", BIG, 0, 0},
    {OP_RENAME, "/a.txt", "/d/a.txt", 0, 0},
    {OP_RENAME, "/a.txt", "/d/x", 0, 0},
    {OP_RENAME, "/a.txt", "/A.TXT", 0, 0},
    /* 15 */
    {OP_MKDIR, "/m", NULL, 0, 0},
    {OP_RMDIR, "/e", NULL, 0, 0},
    {OP_RENAME, "/d", "/e/d", 0, 0},
    {OP_RENAME, "/d/inner", "/e", 0, 0},
    {OP_UNLINK, BIG, NULL, 0, 0},
    /* 20 */
    {OP_UNLINK_OPEN, BIG, NULL, 0, 1100},
    {OP_CREATE, VERY_LONG, NULL, 0, 0},
    {OP_FSYNC, "/a.txt", NULL, 0, 0},
    {OP_SYNC, NULL, NULL, 0, 0},
    {OP_REMOUNT, NULL, NULL, 0, 0},
    /* 25 */
    {OP_WRITE, "/d/x", NULL, 100, 2000},
    {OP_TRUNCATE, "/d/x", NULL, 0, 9000}, /* on some volumes there is room for a part only */
};

unsigned operation_count(void)
{
    return sizeof operations / sizeof operations[0];
}

unsigned preparation_count(void)
{
    return sizeof preparations / sizeof preparations[0];
}

static const char *const kinds[OP_KINDS] = {"create",   "mkdir",  "write",  "append",
                                            "truncate", "rename", "unlink", "unlink while open",
                                            "rmdir",    "fsync",  "sync",   "remount"};

void operation_print(const struct operation *operation)
{
    printf("%s %s%s%s at %u, %u bytes\n", kinds[operation->kind],
           operation->path ? operation->path : "", operation->to ? " -> " : "",
           operation->to ? operation->to : "", operation->offset, operation->bytes);
}

struct operation operation_random(uint64_t *random)
{
    static const char *const names[] = {
        "/a.txt", BIG,        "/empty",
        "/d",     "/d/x",     "/d/inner",
        "/e",     "/e/y",     "/d/another long name in the directory below",
        "/New",   "/e/inner", VERY_LONG};
    static const uint8_t weights[] = {
        OP_CREATE, OP_CREATE, OP_CREATE, OP_MKDIR,  OP_MKDIR,    OP_WRITE,       OP_WRITE,
        OP_WRITE,  OP_APPEND, OP_APPEND, OP_APPEND, OP_TRUNCATE, OP_TRUNCATE,    OP_RENAME,
        OP_RENAME, OP_RENAME, OP_RENAME, OP_UNLINK, OP_UNLINK,   OP_UNLINK_OPEN, OP_RMDIR,
        OP_RMDIR,  OP_FSYNC,  OP_SYNC,   OP_REMOUNT};
    const unsigned n = sizeof names / sizeof names[0];
    struct operation operation = {weights[chance(random, sizeof weights)], NULL, NULL, 0, 0};

    if (chance(random, 3) == 0)
        return operations[chance(random, operation_count())];
    operation.path = names[chance(random, n)];
    operation.to = operation.kind == OP_RENAME ? names[chance(random, n)] : NULL;
    operation.offset = operation.kind == OP_WRITE ? chance(random, 3000) : 0;
    operation.bytes = chance(random, 2) ? 1 + chance(random, 300) : 1 + chance(random, 4000);
    if (operation.kind == OP_TRUNCATE && chance(random, 4) == 0)
        operation.bytes = 0;
    return operation;
}

/* ---- what has to come out ---- */

static bool parent_is_there(struct snapshot *tree, const char *path)
{
    char parent[PATH_BYTES];
    const struct entry *file;

    snprintf(parent, sizeof parent, "%.*s", (int)(strrchr(path, '/') - path), path);
    file = tree_find_file(tree, parent);
    return parent[0] == '\0' || (file && file->directory);
}

static bool rename_works(struct snapshot *tree, const struct operation *operation)
{
    const struct entry *from = tree_find_file(tree, operation->path);
    const struct entry *to = tree_find_file(tree, operation->to);
    size_t n = strlen(operation->path);

    if (!from || !parent_is_there(tree, operation->to))
        return false;
    if (from->directory && strncasecmp(operation->to, operation->path, n) == 0 &&
        operation->to[n] == '/')
        return false;
    if (!to || to == from)
        return true;
    return to->directory == from->directory &&
           !(to->directory && tree_has_children(tree, operation->to));
}

static bool works(struct snapshot *tree, const struct operation *operation)
{
    const struct entry *file = operation->path ? tree_find_file(tree, operation->path) : NULL;

    switch (operation->kind) {
    case OP_CREATE:
    case OP_MKDIR:
        return !file && parent_is_there(tree, operation->path);
    case OP_WRITE:
    case OP_APPEND:
    case OP_TRUNCATE:
    case OP_UNLINK:
    case OP_UNLINK_OPEN:
        return file && !file->directory;
    case OP_RMDIR:
        return file && file->directory && !tree_has_children(tree, operation->path);
    case OP_RENAME:
        return rename_works(tree, operation);
    case OP_FSYNC:
        return file != NULL;
    default:
        return true;
    }
}

/* ---- doing it ---- */

static uint8_t data[CONTENT_MAX];

static void fill_data(uint32_t n, unsigned state)
{
    for (uint32_t i = 0; i < n; i++)
        data[i] = (uint8_t)(1 + (state * 37 + i / 16) % 255);
}

static int64_t call_driver(const struct operation *operation, uint32_t offset, unsigned state)
{
    int error;

    switch (operation->kind) {
    case OP_CREATE:
    case OP_MKDIR:
        return driver_create(operation->path, operation->kind == OP_MKDIR);
    case OP_WRITE:
    case OP_APPEND:
        fill_data(operation->bytes, state);
        return driver_write(operation->path, offset, data, operation->bytes);
    case OP_TRUNCATE:
        return driver_truncate(operation->path, operation->bytes);
    case OP_RENAME:
        return driver_rename(operation->path, operation->to);
    case OP_UNLINK:
    case OP_RMDIR:
        return driver_remove(operation->path, operation->kind == OP_RMDIR);
    case OP_UNLINK_OPEN:
        fill_data(operation->bytes, state);
        return driver_unlink_open(operation->path, data, operation->bytes);
    case OP_FSYNC:
        return driver_fsync(operation->path);
    case OP_SYNC:
        return driver_sync();
    default:
        driver_unmount();
        error = driver_mount();
        return error;
    }
}

static void call_model(const struct operation *operation, uint32_t offset, int64_t result)
{
    switch (operation->kind) {
    case OP_CREATE:
    case OP_MKDIR:
        model_create(operation->path, operation->kind == OP_MKDIR);
        break;
    case OP_WRITE:
    case OP_APPEND:
        model_write(operation->path, offset, data, (uint32_t)result);
        break;
    case OP_TRUNCATE:
        model_truncate(operation->path, operation->bytes);
        break;
    case OP_RENAME:
        if (strcmp(tree_find_file(&model.states[model.count - 1], operation->path)->path,
                   operation->to) != 0)
            model_rename(operation->path, operation->to);
        break;
    case OP_UNLINK:
    case OP_UNLINK_OPEN:
    case OP_RMDIR:
        model_remove(operation->path);
        break;
    default:
        break;
    }
}

void operate(const struct operation *operation, struct log *log)
{
    static const struct where nowhere;
    struct snapshot *tree = model_next();
    unsigned state = model.count - 1;
    bool should = works(tree, operation), synced;
    uint32_t offset = operation->offset;
    int64_t result;

    if (operation->kind == OP_APPEND && should)
        offset = tree_find_file(tree, operation->path)->bytes;
    if (offset + operation->bytes > CONTENT_MAX)
        should = false, result = -EFBIG;
    else {
        driver_holds = state % 2;
        fake.now = (uint64_t)(state + 1) * 10 * SECONDS; /* the same, however it came here */
        result = call_driver(operation, offset, state);
    }
    if (should ? result < 0 && result != -ENOSPC : result >= 0) {
        printf("#     ");
        operation_print(operation);
        judge_fail(&nowhere, "operation %u returned %lld", state, (long long)result);
    }
    if (result >= 0)
        call_model(operation, offset, result);
    synced = result >= 0 && operation->kind >= OP_FSYNC;
    if (synced)
        model_settle(operation->kind == OP_FSYNC ? operation->path : NULL);
    if (settings.verbose) {
        printf("#     ");
        operation_print(operation);
        printf("#       state %u, result %lld\n", state, (long long)result);
    }
    COUNT(operations);
    if (log)
        log_done(log, state, synced ? state : UINT32_MAX);
}
