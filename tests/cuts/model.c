/* SPDX-License-Identifier: MIT */
/*
 * model.c: what the tree should be after each operation, and whether a tree that was found is one
 * that a cut may leave.
 *
 * Trees are compared by a hash, but for one thing: data that was written over in place may be old
 * or new, sector by sector, until the next sync. Trees with such a mixture are compared by bytes.
 */
#include "cuts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ARENA_BYTES (8u << 20)
#define KNOWN 512u

struct model model;

static uint8_t arena[ARENA_BYTES]; /* contents; they never change once they are here */
static size_t arena_used;

static struct {
    struct snapshot tree;
    uint32_t next_id;
    size_t arena_used;
} base;

/*
 * Trees with mixtures that were found good in this sequence, by their hashes: most volumes with one
 * are like others, and need not be mounted again to be compared.
 */
static struct {
    uint64_t hash;
    unsigned first, last;
} known[KNOWN];

/* ---- files ---- */

uint64_t file_hash(const struct entry *file)
{
    uint64_t hash = hash_bytes(file->directory ? 2 : 3, file->path, strlen(file->path));

    return file->directory ? hash : hash_bytes(hash + file->bytes, file->content, file->bytes);
}

static struct snapshot *last(void)
{
    return &model.states[model.count - 1];
}

static void rehash(struct snapshot *tree)
{
    tree->hash = 1;
    for (unsigned i = 0; i < tree->count; i++) {
        tree->files[i].hash = file_hash(&tree->files[i]);
        tree->hash += tree->files[i].hash;
    }
}

static void update(struct snapshot *tree, struct entry *file)
{
    tree->hash -= file->hash;
    file->hash = file_hash(file);
    tree->hash += file->hash;
}

struct entry *tree_find_file(struct snapshot *tree, const char *path)
{
    for (unsigned i = 0; i < tree->count; i++)
        if (strcasecmp(tree->files[i].path, path) == 0)
            return &tree->files[i];
    return NULL;
}

/* True if `path` is below `directory`, or it. */
static bool is_in(const char *path, const char *directory)
{
    size_t n = strlen(directory);

    return strncasecmp(path, directory, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

bool tree_has_children(const struct snapshot *tree, const char *path)
{
    for (unsigned i = 0; i < tree->count; i++)
        if (is_in(tree->files[i].path, path) && strcasecmp(tree->files[i].path, path) != 0)
            return true;
    return false;
}

void tree_print(const struct snapshot *tree)
{
    for (unsigned i = 0; i < tree->count; i++)
        printf("#     %s %u%s %016llx\n", tree->files[i].path, tree->files[i].bytes,
               tree->files[i].directory ? " directory" : "",
               (unsigned long long)tree->files[i].hash);
}

/* ---- states ---- */

void model_base(void)
{
    base.tree = *last();
    base.next_id = model.next_id;
    base.arena_used = arena_used;
    model_reset();
}

void model_reset(void)
{
    if (model.count == 0)
        base.tree.hash = 1;
    model.states[0] = base.tree;
    model.count = 1;
    model.patch_count = 0;
    model.between_count[0] = 0;
    model.next_id = base.next_id;
    arena_used = base.arena_used;
    memset(known, 0, sizeof known);
}

struct snapshot *model_next(void)
{
    if (model.count == STATES_MAX)
        abort();
    model.states[model.count] = *last();
    model.between_count[model.count] = 0;
    model.count++;
    return last();
}

static uint8_t *allocate(size_t bytes)
{
    uint8_t *memory = arena + arena_used;

    arena_used += bytes;
    if (arena_used > ARENA_BYTES)
        abort();
    return memory;
}

void model_create(const char *path, bool directory)
{
    struct snapshot *tree = last();
    struct entry *file = &tree->files[tree->count++];

    if (tree->count > FILES_MAX)
        abort();
    memset(file, 0, sizeof *file);
    snprintf(file->path, sizeof file->path, "%s", path);
    file->id = ++model.next_id;
    file->content = arena;
    file->directory = directory;
    update(tree, file);
}

/* ---- contents ---- */

static void copy_sector(uint8_t *to, const struct entry *file, uint32_t sector)
{
    uint32_t at = sector * HAL_SECTOR_SIZE, n = file->bytes > at ? file->bytes - at : 0;

    memset(to, 0, HAL_SECTOR_SIZE);
    memcpy(to, file->content + at, n < HAL_SECTOR_SIZE ? n : HAL_SECTOR_SIZE);
}

static void note_patches(const struct entry *old, const struct entry *new, uint32_t offset,
                         uint32_t n)
{
    for (uint32_t at = offset / HAL_SECTOR_SIZE * HAL_SECTOR_SIZE;
         at < offset + n && at < old->bytes; at += HAL_SECTOR_SIZE) {
        struct patch *patch = &model.patches[model.patch_count++];

        if (model.patch_count > PATCHES_MAX)
            abort();
        *patch = (struct patch){.state = model.count - 1,
                                .settled = UINT32_MAX,
                                .id = new->id,
                                .sector = at / HAL_SECTOR_SIZE,
                                .from = offset > at ? offset - at : 0,
                                .to = HAL_SECTOR_SIZE};
        if (offset + n - at < patch->to)
            patch->to = offset + n - at;
        copy_sector(patch->old, old, patch->sector);
        copy_sector(patch->new, new, patch->sector);
    }
}

void model_write(const char *path, uint32_t offset, const uint8_t *data, uint32_t n)
{
    struct entry *file = tree_find_file(last(), path), old = *file;
    uint32_t bytes = offset + n > old.bytes ? offset + n : old.bytes;
    uint8_t *content = allocate(bytes);

    memset(content, 0, bytes);
    if (old.bytes > 0)
        memcpy(content, old.content, old.bytes);
    memcpy(content + offset, data, n);
    file->content = content;
    file->bytes = bytes;
    note_patches(&old, file, offset, n);
    update(last(), file);
}

void model_truncate(const char *path, uint32_t bytes)
{
    struct entry *file = tree_find_file(last(), path);
    uint8_t *content = allocate(bytes);

    memset(content, 0, bytes);
    if (bytes > 0 && file->bytes > 0)
        memcpy(content, file->content, bytes < file->bytes ? bytes : file->bytes);
    file->content = content;
    file->bytes = bytes;
    update(last(), file);
}

void model_settle(const char *path)
{
    const struct entry *file = path ? tree_find_file(last(), path) : NULL;

    for (unsigned i = 0; i < model.patch_count; i++)
        if (model.patches[i].settled == UINT32_MAX && (!path || model.patches[i].id == file->id))
            model.patches[i].settled = model.count - 1;
}

/* ---- names ---- */

static void remove_below(struct snapshot *tree, const char *path)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < tree->count; i++)
        if (!is_in(tree->files[i].path, path))
            tree->files[kept++] = tree->files[i];
    tree->count = kept;
    rehash(tree);
}

void model_remove(const char *path)
{
    remove_below(last(), path);
}

static void move(struct snapshot *tree, const char *from, const char *to)
{
    size_t n = strlen(from);

    if (strcasecmp(from, to) != 0)
        remove_below(tree, to);
    for (unsigned i = 0; i < tree->count; i++) {
        char *path = tree->files[i].path, rest[PATH_BYTES];

        if (!is_in(path, from))
            continue;
        snprintf(rest, sizeof rest, "%s", path + n);
        if (snprintf(path, PATH_BYTES, "%s%s", to, rest) >= (int)PATH_BYTES)
            abort();
    }
    rehash(tree);
}

void model_rename(const char *from, const char *to)
{
    unsigned state = model.count - 1;
    struct snapshot *between = model.between[state];
    bool replaces = strcasecmp(from, to) != 0 && tree_find_file(last(), to);

    between[0] = between[1] = between[2] = *last();
    remove_below(&between[0], from);
    remove_below(&between[1], to);
    remove_below(&between[2], from);
    remove_below(&between[2], to);
    model.between_count[state] = replaces ? 3 : 1;
    move(last(), from, to);
}

/* ---- comparing ---- */

bool model_allows(uint64_t hash, unsigned first, unsigned last_state)
{
    for (unsigned i = first; i <= last_state; i++) {
        if (model.states[i].hash == hash)
            return true;
        for (unsigned j = 0; i > first && j < model.between_count[i]; j++)
            if (!geometries[settings.geometry].atomic && model.between[i][j].hash == hash)
                return true;
    }
    return hash != 0 && known[hash % KNOWN].hash == hash && known[hash % KNOWN].first == first &&
           known[hash % KNOWN].last == last_state;
}

/*
 * A sector that differs from state `state` may have been written over: then it is as it was before
 * one of the writes up to that state, or as it became by those after it.
 */
static bool is_patched(const struct entry *file, const uint8_t *found, uint32_t sector, size_t n,
                       unsigned state, unsigned first, unsigned last_state)
{
    uint8_t later[HAL_SECTOR_SIZE];

    if (model.torn && memcmp(found, model.torn, n) == 0)
        return true;
    copy_sector(later, file, sector);
    for (unsigned i = 0; i < model.patch_count; i++) {
        const struct patch *patch = &model.patches[i];

        if (patch->id != file->id || patch->sector != sector || patch->settled <= first ||
            patch->state > last_state)
            continue;
        if (patch->state > state)
            memcpy(later + patch->from, patch->new + patch->from, patch->to - patch->from);
        if (memcmp(found, patch->state > state ? later : patch->old, n) == 0)
            return true;
    }
    return false;
}

static bool same_content(const struct entry *file, const struct entry *found, unsigned state,
                         unsigned first, unsigned last_state)
{
    for (uint32_t at = 0; at < file->bytes; at += HAL_SECTOR_SIZE) {
        size_t n = file->bytes - at < HAL_SECTOR_SIZE ? file->bytes - at : HAL_SECTOR_SIZE;

        if (memcmp(file->content + at, found->content + at, n) != 0 &&
            !is_patched(file, found->content + at, at / HAL_SECTOR_SIZE, n, state, first,
                        last_state))
            return false;
    }
    return true;
}

static bool same_tree(const struct snapshot *tree, struct snapshot *found, unsigned state,
                      unsigned first, unsigned last_state)
{
    if (tree->count != found->count)
        return false;
    for (unsigned i = 0; i < tree->count; i++) {
        const struct entry *file = &tree->files[i], *other = tree_find_file(found, file->path);

        if (!other || strcmp(other->path, file->path) != 0 || other->directory != file->directory ||
            other->bytes != file->bytes)
            return false;
        if (file->hash != other->hash && !same_content(file, other, state, first, last_state))
            return false;
    }
    return true;
}

static bool is_mixture(struct snapshot *found, unsigned first, unsigned last_state)
{
    for (unsigned i = first; i <= last_state && (model.patch_count > 0 || model.torn); i++) {
        if (same_tree(&model.states[i], found, i, first, last_state))
            return true;
        for (unsigned j = 0; i > first && j < model.between_count[i]; j++)
            if (!geometries[settings.geometry].atomic &&
                same_tree(&model.between[i][j], found, i, first, last_state))
                return true;
    }
    return false;
}

bool model_allows_tree(struct snapshot *found, unsigned first, unsigned last_state)
{
    if (model_allows(found->hash, first, last_state))
        return true;
    if (!is_mixture(found, first, last_state))
        return false;
    if (model.torn)
        return true;
    known[found->hash % KNOWN].hash = found->hash;
    known[found->hash % KNOWN].first = first;
    known[found->hash % KNOWN].last = last_state;
    return true;
}
