/* SPDX-License-Identifier: MIT */
/*
 * chain.c: following the links of the FAT, and remembering where they led.
 *
 * To read byte 5,000,000 of a file one has to follow its chain from the start. So each
 * open file keeps what it has seen of its chain as runs of adjacent clusters. Most files are one
 * run or a few:
 *
 *     index in the file   0 1 2 3 4 | 5 6 7 | 8 9 ...
 *     cluster             9 10 .. 13| 40 .. | 20 21 ...
 *
 * A card may be so fragmented that the runs do not fit. Then every second one is forgotten: what
 * lies between the rest is walked again when needed. A loop shows as a link into a run of the same
 * chain; since a loop leads through all of itself for ever, one remembered run of it is enough. And
 * whatever the links do, no walk goes on for longer than the volume has clusters.
 */
#include "fs/fat32/volume.h"

#include "lib/bytes.h"
#include "heap/heap.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define LINK_MASK 0x0FFFFFFFu
#define LINK_FREE 0u
#define LINK_BAD 0x0FFFFFF7u
#define LINK_END_MIN 0x0FFFFFF8u
#define ENTRY_BYTES 4u

void fat32_chain_init(struct fat32_chain *chain, const struct fat32_volume *volume, uint32_t start,
                      uint64_t limit)
{
    uint64_t clusters = volume->geometry.clusters;

    chain->start = start;
    chain->limit = (uint32_t)(limit < clusters ? limit : clusters);
    chain->runs = chain->few;
    chain->used = 0;
    chain->size = FAT32_RUNS_INLINE;
}

void fat32_chain_finish(struct fat32_chain *chain)
{
    if (chain->runs != chain->few)
        kfree(chain->runs);
}

/** The entries of the FAT from that of `cluster` on. */
static int table_at(struct fat32_volume *volume, uint32_t cluster, const uint8_t **entries,
                    size_t *available)
{
    const struct fat32_geometry *geometry = &volume->geometry;
    uint64_t offset = (uint64_t)cluster * ENTRY_BYTES;
    int error = fat32_look(volume, geometry->fat_start + offset, entries, available);

    /* The copy may lag behind on a volume that was not unmounted; then it is no help. */
    if (error == -EIO && geometry->fat_spare && !geometry->dirty)
        error = fat32_look(volume, geometry->fat_spare + offset, entries, available);
    return error;
}

int fat32_table_get(struct fat32_volume *volume, uint32_t cluster, uint32_t *value)
{
    const uint8_t *entries;
    size_t available;
    int error = table_at(volume, cluster, &entries, &available);

    if (!error)
        *value = le32(entries) & LINK_MASK;
    return error;
}

/** The cluster that follows `cluster`. -ENOENT: none does. -EIO: the link is no good. */
static int follow(struct fat32_volume *volume, uint32_t cluster, uint32_t *next)
{
    int error = fat32_table_get(volume, cluster, next);

    if (error)
        return error;
    if (fat32_cluster_linkable(&volume->geometry, *next))
        return 0;
    if (*next >= LINK_END_MIN)
        return -ENOENT;
    if (*next == LINK_FREE)
        fat32_complain(volume, "cluster %u is part of a file and marked as free", cluster);
    else if (*next == LINK_BAD)
        fat32_complain(volume, "cluster %u is part of a file and marked as bad", cluster);
    else if (*next == volume->geometry.root_cluster)
        fat32_complain(volume, "the link of cluster %u leads to the root", cluster);
    else
        fat32_complain(volume, "the link of cluster %u leads out of the volume", cluster);
    return -EIO;
}

/**
 * How many clusters from `first` on are linked each to its neighbour: at most `most`, and no more
 * than one piece of the FAT tells.
 */
static int count_adjacent(struct fat32_volume *volume, uint32_t first, uint32_t most,
                          uint32_t *count)
{
    const uint8_t *entries;
    size_t available;
    int error;

    *count = 1;
    if (most <= 1)
        return 0;
    error = table_at(volume, first, &entries, &available);
    if (error)
        return error;
    while (*count < most && available >= ENTRY_BYTES) {
        uint32_t link = le32(entries) & LINK_MASK;

        if (link != first + *count || !fat32_cluster_linkable(&volume->geometry, link))
            break;
        (*count)++;
        entries += ENTRY_BYTES;
        available -= ENTRY_BYTES;
    }
    return 0;
}

/** Cuts `run` where it meets a cluster that the chain has been through. -EIO: at its first. */
static int cut_at_overlap(struct fat32_volume *volume, const struct fat32_chain *chain,
                          struct fat32_run *run)
{
    for (uint32_t i = 0; i < chain->used; i++) {
        const struct fat32_run *old = &chain->runs[i];

        if (run->cluster >= old->cluster && run->cluster - old->cluster < old->count) {
            fat32_complain(volume, "a chain of clusters is a loop through %u", run->cluster);
            return -EIO;
        }
        if (old->cluster > run->cluster && old->cluster - run->cluster < run->count)
            run->count = old->cluster - run->cluster;
    }
    return 0;
}

/** Forgets every second run between the first and the last. */
static void thin_runs(struct fat32_chain *chain)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < chain->used; i++) {
        if (i % 2 == 0 || i == chain->used - 1)
            chain->runs[kept++] = chain->runs[i];
    }
    chain->used = kept;
}

/** Makes room for a run, by more memory or by forgetting. Cannot fail. */
static void make_room(struct fat32_chain *chain)
{
    uint32_t size = chain->size * 4;
    struct fat32_run *runs = NULL;

    if (chain->used < chain->size)
        return;
    if (size <= FAT32_RUNS_MAX)
        runs = heap_allocate(size * sizeof(*runs), HEAP_ALIGNMENT, ALLOC_SITE_FOR(ALLOC_CACHE));
    if (!runs) {
        thin_runs(chain);
        return;
    }
    memcpy(runs, chain->runs, chain->used * sizeof(*runs));
    fat32_chain_finish(chain);
    chain->runs = runs;
    chain->size = size;
}

/** Adds `run` to what is known if it begins where that ends. */
static void remember(struct fat32_chain *chain, const struct fat32_run *run)
{
    struct fat32_run *last = chain->used ? &chain->runs[chain->used - 1] : NULL;

    if (last && run->index != last->index + last->count)
        return;
    if (last && run->cluster == last->cluster + last->count) {
        last->count += run->count;
        return;
    }
    make_room(chain);
    chain->runs[chain->used++] = *run;
}

/** Turns `run`, whose index and first cluster are set, into a whole one, and remembers it. */
static int complete_run(struct fat32_volume *volume, struct fat32_chain *chain,
                        struct fat32_run *run)
{
    int error = count_adjacent(volume, run->cluster, chain->limit - run->index, &run->count);

    if (!error && (chain->used == 0 || run->index > chain->runs[chain->used - 1].index))
        error = cut_at_overlap(volume, chain, run);
    if (!error)
        remember(chain, run);
    return error;
}

static int first_run(struct fat32_volume *volume, struct fat32_chain *chain, struct fat32_run *run)
{
    if (!fat32_cluster_valid(&volume->geometry, chain->start)) {
        fat32_complain(volume, "a file or directory starts at cluster %u, which does not exist",
                       chain->start);
        return -EIO;
    }
    run->index = 0;
    run->cluster = chain->start;
    return complete_run(volume, chain, run);
}

/** From `run` to the one that follows it in the chain. */
static int next_run(struct fat32_volume *volume, struct fat32_chain *chain, struct fat32_run *run)
{
    int error = follow(volume, run->cluster + run->count - 1, &run->cluster);

    if (error)
        return error;
    run->index += run->count;
    return complete_run(volume, chain, run);
}

/** The last known run that starts at or before `index`. There is at least one. */
static const struct fat32_run *search_runs(const struct fat32_chain *chain, uint32_t index)
{
    uint32_t low = 0, high = chain->used;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (chain->runs[middle].index <= index)
            low = middle;
        else
            high = middle;
    }
    return &chain->runs[low];
}

int fat32_chain_find(struct fat32_volume *volume, struct fat32_chain *chain, uint32_t index,
                     uint32_t *cluster, uint32_t *count)
{
    struct fat32_run run;
    int error = 0;

    if (index >= chain->limit)
        return -ENOENT;
    if (chain->used)
        run = *search_runs(chain, index);
    else
        error = first_run(volume, chain, &run);
    while (!error && index - run.index >= run.count)
        error = next_run(volume, chain, &run);
    if (error)
        return error;
    *cluster = run.cluster + (index - run.index);
    *count = run.count - (index - run.index);
    return 0;
}
