/* SPDX-License-Identifier: MIT */
/*
 * index.h: the pages of one object by their numbers: a tree of tables.
 *
 * A table has 64 slots and stands for six bits of a page's number, the root for the highest ones.
 * The tree is as high as its greatest number needs, and has only tables in which something is: a
 * file of up to 256 KiB has one, and finding a page takes one step for each six bits.
 *
 *     height 2:        root  [0][1][2]...[63]
 *                             |     |
 *           pages 0-63  [....]     [....]  pages 128-191
 *
 * Each table has a mark for each slot that has something in it, and one for each slot below which a
 * page is not as on the medium. So the next page, or the next such page, is found without looking
 * at those between.
 *
 * The object's lock guards it. Tables are allocated without the lock, as spares, before a page is
 * entered; taking a page out allocates nothing.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

struct cache_page;
struct cache_table;

struct cache_index {
    struct cache_table *root; /**< NULL: it is empty */
    unsigned height;          /**< tables on the way to a page */
};

#define CACHE_TABLES_MAX 20u /**< that entering one page can take: a new root, and a new way */

/** Tables that wait to be used. On the caller's stack; all zero at first. */
struct cache_spares {
    struct cache_table *list;
    unsigned count;
};

enum cache_which { CACHE_ALL, CACHE_UNCLEAN };

/** Page `number`, or NULL. */
struct cache_page *cache_index_get(const struct cache_index *index, uint64_t number);

/** The first page from `number` on, of all or of those that are marked; *found is its number. */
struct cache_page *cache_index_next(const struct cache_index *index, uint64_t number,
                                    enum cache_which which, uint64_t *found);

/**
 * Enters `page` as `number`, where nothing is. 0; or how many spares that takes, which are not
 * there, and nothing was done.
 */
HAL_MUST_CHECK unsigned cache_index_add(struct cache_index *index, uint64_t number,
                                        struct cache_page *page, struct cache_spares *spares);

/** Takes page `number`, which is there, out. */
void cache_index_remove(struct cache_index *index, uint64_t number);

/** Marks page `number`, which is there, as one that is not as on the medium; or takes that back. */
void cache_index_mark(struct cache_index *index, uint64_t number, bool unclean);

/** Allocates until there are `count` spares: 0 or -ENOMEM. Any context, without locks. */
HAL_MUST_CHECK int cache_spares_fill(struct cache_spares *spares, unsigned count);

/** Frees those that were not used. */
void cache_spares_free(struct cache_spares *spares);
