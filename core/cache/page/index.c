/* SPDX-License-Identifier: MIT */
/*
 * index.c: see index.h. Levels count from 0, the tables whose slots are pages.
 */
#include "cache/page/index.h"

#include "heap/heap.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define BITS 6u
#define SLOTS (1u << BITS)
#define HEIGHT_MAX 11u /* 64 bits, six at a time */

struct cache_table {
    uint64_t used;    /* a bit for each slot that is not NULL */
    uint64_t unclean; /* a bit for each slot that is marked, or has a mark below it */
    void *slots[SLOTS];
};

static unsigned slot_of(uint64_t number, unsigned level)
{
    return (unsigned)(number >> level * BITS) % SLOTS;
}

/* True if a tree of this height has a place for the number. */
static bool reaches(unsigned height, uint64_t number)
{
    return height >= HEIGHT_MAX || number >> height * BITS == 0;
}

/* ---- spares ---- */

int cache_spares_fill(struct cache_spares *spares, unsigned count)
{
    while (spares->count < count) {
        struct cache_table *table =
            heap_allocate(sizeof(*table), HEAP_ALIGNMENT, ALLOC_SITE_FOR(ALLOC_CACHE));

        if (!table)
            return -ENOMEM;
        memset(table, 0, sizeof(*table));
        table->slots[0] = spares->list;
        spares->list = table;
        spares->count++;
    }
    return 0;
}

static struct cache_table *take_spare(struct cache_spares *spares)
{
    struct cache_table *table = spares->list;

    spares->list = table->slots[0];
    spares->count--;
    table->slots[0] = NULL;
    return table;
}

void cache_spares_free(struct cache_spares *spares)
{
    while (spares->count > 0)
        kfree(take_spare(spares));
}

/* ---- finding ---- */

struct cache_page *cache_index_get(const struct cache_index *index, uint64_t number)
{
    void *at = index->root;

    if (!reaches(index->height, number))
        return NULL;
    for (unsigned level = index->height; level > 0 && at; level--)
        at = ((struct cache_table *)at)->slots[slot_of(number, level - 1)];
    return at;
}

static uint64_t marks_of(const struct cache_table *table, enum cache_which which)
{
    return which == CACHE_UNCLEAN ? table->unclean : table->used;
}

/*
 * Goes down once towards *number. Where nothing is from there on, *number becomes the first number
 * behind that table and the result is NULL; 0 for that number means that there is none.
 */
static struct cache_page *descend(const struct cache_index *index, uint64_t *number,
                                  enum cache_which which)
{
    const struct cache_table *table = index->root;

    for (unsigned level = index->height; level-- > 0;) {
        unsigned from = slot_of(*number, level), slot;
        uint64_t marks = marks_of(table, which) >> from << from;

        if (marks == 0) {
            unsigned shift = (level + 1) * BITS;

            *number = shift >= 64 ? 0 : ((*number >> shift) + 1) << shift;
            return NULL;
        }
        slot = (unsigned)__builtin_ctzll(marks);
        if (slot > from)
            *number = ((*number >> level * BITS) + (slot - from)) << level * BITS;
        if (level == 0)
            return table->slots[slot];
        table = table->slots[slot];
    }
    return NULL;
}

struct cache_page *cache_index_next(const struct cache_index *index, uint64_t number,
                                    enum cache_which which, uint64_t *found)
{
    bool first = true;

    while (index->root && reaches(index->height, number) && (first || number > 0)) {
        struct cache_page *page = descend(index, &number, which);

        if (page) {
            *found = number;
            return page;
        }
        first = false;
    }
    return NULL;
}

/* ---- changing ---- */

/* How high a tree has to be for the number. */
static unsigned height_for(uint64_t number)
{
    unsigned height = 1;

    while (!reaches(height, number))
        height++;
    return height;
}

/* How many tables are missing for page `number`. */
static unsigned count_missing(const struct cache_index *index, uint64_t number)
{
    unsigned height = height_for(number);
    const struct cache_table *table = index->root;

    if (!table)
        return height;
    if (height > index->height) /* new roots, and a whole new way down from the highest one */
        return height - index->height + height - 1;
    for (unsigned level = index->height - 1; level > 0; level--) {
        table = table->slots[slot_of(number, level)];
        if (!table)
            return level;
    }
    return 0;
}

/* Makes the tree as high as page `number` needs. */
static void grow(struct cache_index *index, uint64_t number, struct cache_spares *spares)
{
    if (!index->root) {
        index->height = height_for(number);
        index->root = take_spare(spares);
    }
    while (!reaches(index->height, number)) {
        struct cache_table *root = take_spare(spares);

        root->slots[0] = index->root;
        root->used = 1;
        root->unclean = index->root->unclean != 0;
        index->root = root;
        index->height++;
    }
}

unsigned cache_index_add(struct cache_index *index, uint64_t number, struct cache_page *page,
                         struct cache_spares *spares)
{
    unsigned missing = count_missing(index, number);
    struct cache_table *table;

    if (missing > spares->count)
        return missing;
    grow(index, number, spares);
    table = index->root;
    for (unsigned level = index->height; level-- > 1;) {
        unsigned slot = slot_of(number, level);

        if (!table->slots[slot]) {
            table->slots[slot] = take_spare(spares);
            table->used |= 1ull << slot;
        }
        table = table->slots[slot];
    }
    table->slots[slot_of(number, 0)] = page;
    table->used |= 1ull << slot_of(number, 0);
    return 0;
}

/* The tables on the way to page `number`: way[level]. */
static void find_way(const struct cache_index *index, uint64_t number, struct cache_table **way)
{
    struct cache_table *table = index->root;

    for (unsigned level = index->height; level-- > 0;) {
        way[level] = table;
        table = table->slots[slot_of(number, level)];
    }
}

void cache_index_mark(struct cache_index *index, uint64_t number, bool unclean)
{
    struct cache_table *way[HEIGHT_MAX];

    find_way(index, number, way);
    for (unsigned level = 0; level < index->height; level++) {
        uint64_t bit = 1ull << slot_of(number, level);

        if (unclean)
            way[level]->unclean |= bit;
        else
            way[level]->unclean &= ~bit;
        if (!unclean && way[level]->unclean)
            break; /* those above are still right */
    }
}

/* Takes roots away that lead to their first slot only. */
static void shrink(struct cache_index *index)
{
    while (index->height > 1 && index->root->used == 1) {
        struct cache_table *root = index->root;

        index->root = root->slots[0];
        index->height--;
        kfree(root);
    }
}

void cache_index_remove(struct cache_index *index, uint64_t number)
{
    struct cache_table *way[HEIGHT_MAX];

    cache_index_mark(index, number, false);
    find_way(index, number, way);
    for (unsigned level = 0; level < index->height; level++) {
        unsigned slot = slot_of(number, level);

        way[level]->slots[slot] = NULL;
        way[level]->used &= ~(1ull << slot);
        if (way[level]->used) {
            shrink(index);
            return;
        }
        kfree(way[level]);
    }
    index->root = NULL;
    index->height = 0;
}
