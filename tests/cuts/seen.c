/* SPDX-License-Identifier: MIT */
/*
 * seen.c: volumes by their hash, and what each becomes, in a table that processes share without a
 * lock: a place in it is taken by the one that succeeds to write its key.
 */
#include "cuts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PROBES 64u

struct place {
    uint64_t volume; /* 0: free */
    uint64_t tree;   /* 0: not known yet */
};

static struct place *places;
static uint64_t mask, lost;

void seen_start(unsigned bits)
{
    size_t bytes = sizeof *places << bits;

    places = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
                  -1, 0);
    if (places == MAP_FAILED)
        exit(2);
    mask = ((uint64_t)1 << bits) - 1;
}

void seen_clear(void)
{
    if (madvise(places, (mask + 1) * sizeof *places, MADV_REMOVE))
        memset(places, 0, (mask + 1) * sizeof *places);
}

/* The place of the volume, or a free one; NULL: the table is full around there. */
static struct place *find(uint64_t volume)
{
    for (uint64_t i = 0; i < PROBES; i++) {
        struct place *place = &places[((volume >> 7) + i) & mask];
        uint64_t key = __atomic_load_n(&place->volume, __ATOMIC_ACQUIRE);

        if (key == volume || key == 0)
            return place;
    }
    return NULL;
}

bool seen_find(uint64_t volume, uint64_t *tree)
{
    const struct place *place = find(volume);

    *tree = place && place->volume ? __atomic_load_n(&place->tree, __ATOMIC_ACQUIRE) : 0;
    return place && place->volume;
}

bool seen_add(uint64_t volume, uint64_t tree)
{
    for (;;) {
        struct place *place = find(volume);
        uint64_t expected = 0;
        bool new;

        if (!place) {
            lost++;
            return true;
        }
        new = __atomic_compare_exchange_n(&place->volume, &expected, volume, false,
                                          __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
        if (!new &&expected != volume)
            continue; /* another one took it */
        __atomic_store_n(&place->tree, tree, __ATOMIC_RELEASE);
        return new;
    }
}

uint64_t seen_lost(void)
{
    return lost;
}
