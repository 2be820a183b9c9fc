/* SPDX-License-Identifier: MIT */
/*
 * judge.h: what the files of this folder share.
 */
#pragma once

#include "fs/check/check.h"

#define CHECK_PIECE 4096u /* bytes that are read and kept at once */
#define CHECK_PIECES 64u

#define CHECK_ROW_PIECE 262144u

/* A row of bytes, zeros at first, in pieces: the kernel has no memory for 8 MiB in one. */
struct check_row {
    uint8_t **pieces;
    uint32_t count;
};

/** check.c: makes room for `bytes`. -ENOMEM; to be ended in any case. */
HAL_MUST_CHECK int check_row_begin(struct check_row *row, const struct check_means *means,
                                   uint64_t bytes);
void check_row_end(struct check_row *row, const struct check_means *means);

static inline uint8_t *check_row_at(const struct check_row *row, uint64_t offset)
{
    return row->pieces[offset / CHECK_ROW_PIECE] + offset % CHECK_ROW_PIECE;
}

/* Where things are on the volume, in bytes. */
struct check_volume {
    uint32_t sector_bytes, cluster_bytes;
    uint32_t clusters; /* 2 .. clusters + 1 */
    uint32_t root;
    uint64_t fat, fat_bytes, data, info;
    unsigned fats;
    bool mirrored;
    uint8_t media;
    char label[11];
};

struct judge {
    const struct check_means *means;
    struct check_result *result;
    struct check_volume volume;
    uint8_t *pieces;
    unsigned piece_count;           /* CHECK_PIECES, or as many as the volume has */
    uint64_t numbers[CHECK_PIECES]; /* which they are, + 1; 0: none */
    struct check_row owned;         /* a bit for each cluster */
    uint32_t *directories;          /* to be looked at: first cluster, and that of the parent */
    uint32_t pending, room;
    uint64_t *names; /* hashes of those of one directory */
    uint32_t name_count, name_room;
    bool labelled; /* the root has a label */
};

/** Reports a finding. */
void judge_found(struct judge *judge, enum check_class class, const char *format, ...)
    HAL_FORMAT(3, 4);

/** The bytes of the volume at `offset`, `n` of which lie in one piece; until the next call. */
HAL_MUST_CHECK int judge_look(struct judge *judge, uint64_t offset, const uint8_t **data);

/** The entry of `cluster` in the FAT that counts. */
HAL_MUST_CHECK int judge_link(struct judge *judge, uint32_t cluster, uint32_t *value);

static inline bool judge_valid(const struct judge *judge, uint32_t cluster)
{
    return cluster >= 2 && cluster - 2 < judge->volume.clusters;
}

static inline uint64_t judge_place(const struct judge *judge, uint32_t cluster)
{
    return judge->volume.data + (uint64_t)(cluster - 2) * judge->volume.cluster_bytes;
}

/** boot.c: where things are, by a boot sector. -EINVAL: it cannot be one, for a reason. */
HAL_MUST_CHECK int judge_parse(struct judge *judge, const uint8_t *boot);

/** boot.c: the boot sector and its copy, FSInfo. */
HAL_MUST_CHECK int judge_boot(struct judge *judge);
HAL_MUST_CHECK int judge_info(struct judge *judge);

/** table.c: the FATs against each other, their first entries, and what nobody has. */
HAL_MUST_CHECK int judge_table(struct judge *judge);
HAL_MUST_CHECK int judge_rest(struct judge *judge);

/**
 * table.c: gives the chain from `first` to `name`. *length: how many clusters are its; `most`: how
 * many it should have at most (UINT32_MAX: no matter).
 */
HAL_MUST_CHECK int judge_own(struct judge *judge, uint32_t first, uint32_t most, const char *name,
                             uint32_t *length);

/** tree.c: all directories. */
HAL_MUST_CHECK int judge_tree(struct judge *judge);

#define CHECK_NAME_BYTES 780u

/* An entry with its name, as it is put together from slots. */
struct check_entry {
    uint8_t slot[32];
    uint16_t units[260];
    unsigned unit_count; /* 0: it has no long name */
    char text[CHECK_NAME_BYTES];
};

/** names.c: a long name that collects. */
struct check_long {
    uint16_t units[260];
    unsigned total, next; /* slots; the ordinal that has to follow */
    uint8_t sum;
};

/** Takes in a slot of a long name; reports one that does not fit. */
void judge_long(struct judge *judge, struct check_long *name, const uint8_t *slot);

/** Slots that wait for their entry have none. */
void judge_orphan(struct judge *judge, struct check_long *name);

/** Makes the entry's name of both; reports what is wrong with it. */
void judge_name(struct judge *judge, struct check_long *name, struct check_entry *entry);

/* What the specification says of names; also for fs/repair. */
uint8_t check_sum(const uint8_t *short_name);
bool check_short_is_legal(const uint8_t *short_name);
bool check_label_is_legal(const uint8_t *label);
bool check_unit_is_legal(uint16_t unit);
uint16_t check_long_unit(const uint8_t *slot, unsigned i); /* i < 13 */
/** Equal for names that are alike but for case. */
uint64_t check_hash_short(const uint8_t *short_name);
uint64_t check_hash_long(const uint16_t *units, unsigned n);

/** Adds the names of an entry to those of its directory. */
HAL_MUST_CHECK int judge_add_names(struct judge *judge, const struct check_entry *entry);

/** Reports names that occur twice, and forgets all. */
void judge_compare_names(struct judge *judge, const char *directory);
