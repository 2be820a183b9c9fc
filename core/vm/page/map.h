/* SPDX-License-Identifier: MIT */
/*
 * map.h: which frame a page has: a tree of tables, as a processor's page tables are.
 *
 * A page's number (its address without the twelve lowest bits) has 27 bits, nine for each of three
 * levels; a table is a frame with 512 words:
 *
 *     0x7ffdf123 = page 0x7ffdf:  root[1] --> middle[0x1ff] --> leaf[0x1df] --> its word
 *
 * A word is 0, or the address of what the page has, with flags in its four lowest bits, which are
 * zero in the address: a frame, or a page of the page cache (PAGE_CACHED); and what user code may
 * do with it at this moment without asking, the HAL_USER_ bits shifted by one. That may be less
 * than what its region allows: a page that is to be copied, or noted as modified, before it is
 * written to cannot be written.
 *
 * Each word that is not 0 owns a reference to the frame, or a hold of the page.
 *
 * The owner's spinlock guards a map. Tables come as spares, which are allocated without the lock;
 * clearing words and freeing tables needs no memory.
 */
#pragma once

#include <hal/compiler.h>
#include <hal/machine.h>

#include <stdbool.h>
#include <stdint.h>

#define PAGE_CACHED 1u
#define PAGE_ACCESS_SHIFT 1u
#define PAGE_FLAGS 15u
#define PAGE_MAP_LEVELS 3u
#define PAGE_MAP_END (1ull << 27) /**< numbers are less */
#define PAGE_LEAF 512u            /**< words of a table: those of an aligned group lie together */

struct page_map {
    uintptr_t *root; /**< NULL: empty */
};

/** Tables that wait to be used. On the caller's stack; all zero at first. */
struct page_spares {
    void *tables[PAGE_MAP_LEVELS];
    unsigned count;
};

/** The word of page `number`, any value; NULL: it has none, which means 0. */
uintptr_t *page_map_find(const struct page_map *map, uint64_t number);

/** The word of page `number`, for which tables are made; NULL: there were not enough spares. */
uintptr_t *page_map_make(struct page_map *map, uint64_t number, struct page_spares *spares);

/** The first page from *number on and before `end` whose word is not 0; NULL: there is none. */
uintptr_t *page_map_next(const struct page_map *map, uint64_t *number, uint64_t end);

/** Frees the tables of the pages from `first` on and before `end` in which nothing is left. */
void page_map_trim(struct page_map *map, uint64_t first, uint64_t end);

/** Enough spares for any page_map_make: 0 or -ENOMEM. Without locks. */
HAL_MUST_CHECK int page_spares_fill(struct page_spares *spares);

/** Frees those that were not used. Any context. */
void page_spares_free(struct page_spares *spares);

/* --- words --- */

/** What user code may do with the page. */
static inline unsigned page_access(uintptr_t word)
{
    return (word & PAGE_FLAGS) >> PAGE_ACCESS_SHIFT;
}

/** The same word with another right. */
static inline uintptr_t page_with_access(uintptr_t word, unsigned access)
{
    return (word & ~(uintptr_t)(PAGE_FLAGS - PAGE_CACHED)) | access << PAGE_ACCESS_SHIFT;
}

/** True if both have the same frame or page of the cache. */
static inline bool page_same(uintptr_t word, uintptr_t other)
{
    return (word & ~(uintptr_t)PAGE_FLAGS) == (other & ~(uintptr_t)PAGE_FLAGS);
}

/** Where the kernel reaches its HAL_PAGE_SIZE bytes; the word is not 0. */
void *page_bytes(uintptr_t word);

/** True if it is a frame that this word alone refers to: nobody else can find it. */
bool page_is_sole(uintptr_t word);

/** One reference or hold more, for a second word. False: there are too many. Any context. */
HAL_MUST_CHECK bool page_share(uintptr_t word);

/**
 * Gives up a word that is in no map any more. A page of the cache that could be written to is noted
 * as modified before. May sleep.
 */
void page_give(uintptr_t word);

/** Notes a page of the cache as modified, if the word is one. May sleep. */
void page_modified(uintptr_t word);

/** As page_give, but does not sleep: for who holds the lock of the map. */
void page_give_now(uintptr_t word);
