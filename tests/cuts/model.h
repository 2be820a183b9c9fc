/* SPDX-License-Identifier: MIT */
/*
 * model.h: the tree as it should be after each operation, and which trees a cut may leave.
 */
#pragma once

#include <hal/block.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATH_BYTES 1000u
#define FILES_MAX 40u
#define CONTENT_MAX 16384u
#define STATES_MAX 40u
#define PATCHES_MAX 256u
#define BETWEEN_MAX 3u

struct entry {
    char path[PATH_BYTES];
    uint32_t id; /* the same as long as it is the same file */
    bool directory;
    uint32_t bytes;
    const uint8_t *content;
    uint64_t hash; /* of all of the above but the id */
};

struct snapshot {
    struct entry files[FILES_MAX];
    unsigned count;
    uint64_t hash; /* of all files, whatever their order */
};

/* A sector of a file that was written over in place. */
struct patch {
    uint32_t state;   /* the first one that has the new content */
    uint32_t settled; /* the first one by which that is on the card to stay; UINT32_MAX: none yet */
    uint32_t id, sector;
    uint32_t from, to; /* bytes of the sector */
    uint8_t old[HAL_SECTOR_SIZE], new[HAL_SECTOR_SIZE];
};

struct model {
    struct snapshot states[STATES_MAX]; /* after so many operations */
    unsigned count;
    struct patch patches[PATCHES_MAX];
    unsigned patch_count;
    uint32_t next_id;
    /* What a volume without a record may be on the way to the state. */
    struct snapshot between[STATES_MAX][BETWEEN_MAX];
    unsigned between_count[STATES_MAX];
    const uint8_t *torn; /* a sector that was torn: files may have it; NULL: none was */
};

extern struct model model;

uint64_t file_hash(const struct entry *file);
struct entry *tree_find_file(struct snapshot *tree, const char *path);
void tree_print(const struct snapshot *tree);

/** The last state is the first from now on; where model_reset goes back to. */
void model_base(void);
void model_reset(void);

/** One more state, like the last; to be changed by the functions below. */
struct snapshot *model_next(void);

void model_create(const char *path, bool directory);
void model_write(const char *path, uint32_t offset, const uint8_t *data, uint32_t n);
void model_truncate(const char *path, uint32_t bytes);
void model_remove(const char *path);
void model_rename(const char *from, const char *to);

/** What was written over in the file at `path`, or with NULL in all, is on the card to stay. */
void model_settle(const char *path);

/** True if the directory has entries. */
bool tree_has_children(const struct snapshot *tree, const char *path);

/** True if a tree is allowed when state `first` is on the card and `last` may be. */
bool model_allows(uint64_t hash, unsigned first, unsigned last);
bool model_allows_tree(struct snapshot *found, unsigned first, unsigned last);
