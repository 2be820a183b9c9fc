/* SPDX-License-Identifier: MIT */
/*
 * map.c: the tables of a page map, and what its words mean.
 */
#include "vm/page/map.h"

#include "cache/cache.h"
#include "mem/frame.h"

#include <hal/aspace.h>
#include <hal/errno.h>
#include <hal/runtime.h>

#define LEVEL_BITS 9u
#define SHARES_MAX 60000u /* references of a frame, well below the most that it can count */

static unsigned index_at(uint64_t number, unsigned level)
{
    return (unsigned)(number >> level * LEVEL_BITS) % PAGE_LEAF;
}

uintptr_t *page_map_find(const struct page_map *map, uint64_t number)
{
    uintptr_t *table = map->root;

    if (number >= PAGE_MAP_END)
        return NULL;
    for (unsigned level = PAGE_MAP_LEVELS - 1; table && level > 0; level--)
        table = (uintptr_t *)table[index_at(number, level)];
    return table ? &table[index_at(number, 0)] : NULL;
}

static uintptr_t *take_spare(struct page_spares *spares)
{
    return spares->count > 0 ? spares->tables[--spares->count] : NULL;
}

uintptr_t *page_map_make(struct page_map *map, uint64_t number, struct page_spares *spares)
{
    uintptr_t *table;

    if (!map->root)
        map->root = take_spare(spares);
    table = map->root;
    for (unsigned level = PAGE_MAP_LEVELS - 1; table && level > 0; level--) {
        uintptr_t *word = &table[index_at(number, level)];

        if (!*word)
            *word = (uintptr_t)take_spare(spares);
        table = (uintptr_t *)*word;
    }
    return table ? &table[index_at(number, 0)] : NULL;
}

/*
 * Goes to the first page from *number on that can have a word: past what absent tables stand for.
 * The leaf that it is in, or NULL when it has come to `end`.
 */
static uintptr_t *next_leaf(const struct page_map *map, uint64_t *number, uint64_t end)
{
    while (*number < end) {
        uintptr_t *table = map->root;
        unsigned level = PAGE_MAP_LEVELS;

        while (table && --level > 0)
            table = (uintptr_t *)table[index_at(*number, level)];
        if (table)
            return table;
        *number = ((*number >> level * LEVEL_BITS) + 1) << level * LEVEL_BITS;
    }
    return NULL;
}

uintptr_t *page_map_next(const struct page_map *map, uint64_t *number, uint64_t end)
{
    uintptr_t *leaf;

    while ((leaf = next_leaf(map, number, end))) {
        do {
            uintptr_t *word = &leaf[index_at(*number, 0)];

            if (*word)
                return word;
            ++*number;
        } while (*number < end && index_at(*number, 0) != 0);
    }
    return NULL;
}

static bool is_empty(const uintptr_t *table)
{
    for (unsigned i = 0; i < PAGE_LEAF; i++)
        if (table[i])
            return false;
    return true;
}

/* Frees the table in `word`, if there is one and nothing is in it. */
static void trim_word(uintptr_t *word)
{
    if (*word && is_empty((const uintptr_t *)*word)) {
        frame_put((void *)*word);
        *word = 0;
    }
}

/* Goes over the tables of `level` (0: leaves) that stand for any of the pages. */
static void trim_level(struct page_map *map, uint64_t first, uint64_t end, unsigned level)
{
    unsigned shift = (level + 1) * LEVEL_BITS;

    for (uint64_t i = first >> shift; i <= (end - 1) >> shift; i++) {
        uintptr_t *table = map->root;

        for (unsigned above = PAGE_MAP_LEVELS - 1; table && above > level + 1; above--)
            table = (uintptr_t *)table[index_at(i << shift, above)];
        if (table)
            trim_word(&table[index_at(i << shift, level + 1)]);
        else
            i |= PAGE_LEAF - 1; /* none of its neighbours has a table either */
    }
}

void page_map_trim(struct page_map *map, uint64_t first, uint64_t end)
{
    if (!map->root || first >= end)
        return;
    for (unsigned level = 0; level + 1 < PAGE_MAP_LEVELS; level++)
        trim_level(map, first, end, level);
    if (is_empty(map->root)) {
        frame_put(map->root);
        map->root = NULL;
    }
}

int page_spares_fill(struct page_spares *spares)
{
    while (spares->count < PAGE_MAP_LEVELS) {
        void *table = frame_alloc(0);

        if (!table)
            return -ENOMEM;
        memset(table, 0, HAL_PAGE_SIZE);
        spares->tables[spares->count++] = table;
    }
    return 0;
}

void page_spares_free(struct page_spares *spares)
{
    while (spares->count > 0)
        frame_put(spares->tables[--spares->count]);
}

/* ---- words ---- */

static struct cache_page *cached_page(uintptr_t word)
{
    return (struct cache_page *)(word & ~(uintptr_t)PAGE_FLAGS);
}

static void *frame_of(uintptr_t word)
{
    return (void *)(word & ~(uintptr_t)PAGE_FLAGS);
}

void *page_bytes(uintptr_t word)
{
    return word & PAGE_CACHED ? cache_page_data(cached_page(word)) : frame_of(word);
}

bool page_is_sole(uintptr_t word)
{
    return !(word & PAGE_CACHED) && frame_references(frame_of(word)) == 1;
}

bool page_share(uintptr_t word)
{
    if (word & PAGE_CACHED)
        cache_hold(cached_page(word));
    else if (frame_references(frame_of(word)) >= SHARES_MAX)
        return false;
    else
        frame_get(frame_of(word));
    return true;
}

void page_modified(uintptr_t word)
{
    if (word & PAGE_CACHED)
        cache_page_dirty(cached_page(word));
}

static void let_go(uintptr_t word)
{
    if (word & PAGE_CACHED)
        cache_put(cached_page(word));
    else
        frame_put(frame_of(word));
}

void page_give(uintptr_t word)
{
    if (page_access(word) & HAL_USER_WRITE)
        page_modified(word);
    let_go(word);
}

void page_give_now(uintptr_t word)
{
    if ((word & PAGE_CACHED) && (page_access(word) & HAL_USER_WRITE))
        cache_page_dirty_now(cached_page(word));
    let_go(word);
}
