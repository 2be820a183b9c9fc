/* SPDX-License-Identifier: MIT */
/*
 * work.h: what the files of this folder share.
 */
#pragma once

#include "fs/check/judge.h"
#include "fs/repair/repair.h"

#define REPAIR_SLOT 32u
#define REPAIR_DIRECTORY_MAX (65536u * REPAIR_SLOT)
#define REPAIR_LINK_MASK 0x0FFFFFFFu
#define REPAIR_LINK_BAD 0x0FFFFFF7u
#define REPAIR_LINK_END 0x0FFFFFFFu
#define REPAIR_LINK_END_MIN 0x0FFFFFF8u

struct repair {
    const struct check_means *means;
    const struct repair_options *options;
    struct repair_result *result;
    struct check_volume volume;
    uint8_t boot[512];
    bool boot_changed;
    struct check_row links; /* the FAT: a word for each cluster, with its four upper bits */
    struct check_row owned; /* a bit for each cluster */

    uint32_t *pending; /* directories: first cluster, and what their ".." should be */
    uint32_t pending_count, pending_room;

    uint64_t *names; /* of one directory: a table of hashes; 0: free */
    uint32_t name_count, name_room;
    uint32_t renamed; /* numbers that were given */

    bool labelled;
    uint8_t label[11];
};

/* A directory in memory. */
struct repair_directory {
    struct repair *repair;
    uint32_t first, parent;
    bool root;
    uint8_t *slots;
    uint32_t count;   /* of slots */
    uint8_t *changed; /* a byte for each 512 of them */
};

/** Tells what was done. */
void repair_say(struct repair *repair, const char *format, ...) HAL_FORMAT(2, 3);

HAL_MUST_CHECK int repair_read(struct repair *repair, uint64_t offset, void *data, uint32_t bytes);
HAL_MUST_CHECK int repair_write(struct repair *repair, uint64_t offset, const void *data,
                                uint32_t bytes);
void *repair_allocate(struct repair *repair, size_t bytes);
void repair_release(struct repair *repair, void *memory);

static inline bool repair_valid(const struct repair *repair, uint32_t cluster)
{
    return cluster >= 2 && cluster - 2 < repair->volume.clusters;
}

/* --- links.c --- */

/** Reads the FAT; from a copy of it if that looks better. */
HAL_MUST_CHECK int repair_load_links(struct repair *repair);

/** Writes it, to all copies. `clean`: with the mark that all is in order. */
HAL_MUST_CHECK int repair_store_links(struct repair *repair, bool clean);

/** Marks the volume on the card as in use. */
HAL_MUST_CHECK int repair_mark(struct repair *repair);

uint32_t repair_link(const struct repair *repair, uint32_t cluster);
void repair_set_link(struct repair *repair, uint32_t cluster, uint32_t value);

/**
 * Gives up to `most` clusters of the chain from `first` on to somebody, and ends it behind what is
 * good. Returns how many; 0: `first` is not to be had.
 */
uint32_t repair_own(struct repair *repair, uint32_t first, uint32_t most, const char *name);

bool repair_is_owned(const struct repair *repair, uint32_t cluster);
uint32_t repair_count_free(const struct repair *repair);

/** A free cluster, which is owned now and a chain by itself; 0: there is none. */
uint32_t repair_take(struct repair *repair);

/* --- record.c --- */

/** Carries out the driver's record, if there is one to be believed. The volume is in use. */
HAL_MUST_CHECK int repair_finish(struct repair *repair);

/* --- names.c --- */

void repair_forget_names(struct repair *repair);
bool repair_has_name(const struct repair *repair, uint64_t hash);
HAL_MUST_CHECK int repair_add_name(struct repair *repair, uint64_t hash);

/**
 * How many slots before number `number` are the long name of the entry there; *units and *n: that
 * name. 0 if there is none that is whole and legal.
 */
uint32_t repair_long_slots(const struct repair_directory *directory, uint32_t first,
                           uint32_t number, uint16_t *units, unsigned *n);

/** The name of a slot, for people. */
void repair_name_text(const uint8_t *slot, char text[16]);

/** Gives the slot a name that the directory does not have: FSCKnnnn and these three letters. */
void repair_rename(struct repair *repair, uint8_t *slot, const char *extension);

/* --- directory.c --- */

/** Reads the `length` clusters of a directory. */
HAL_MUST_CHECK int repair_load_directory(struct repair_directory *directory, uint32_t length);
/** Writes what has changed, and frees the memory. */
HAL_MUST_CHECK int repair_store_directory(struct repair_directory *directory);
void repair_change(struct repair_directory *directory, uint32_t number);

/** All directories, from the root on. */
HAL_MUST_CHECK int repair_tree(struct repair *repair);

/* --- lost.c --- */

/** Clusters that nobody has: freed, or made files. */
HAL_MUST_CHECK int repair_lost(struct repair *repair);
