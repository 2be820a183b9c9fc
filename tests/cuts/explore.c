/* SPDX-License-Identifier: MIT */
/*
 * explore.c: goes through a log and makes each volume that a cut of the power could leave.
 *
 * What a flush has finished is on the card. Of the writes since, any may be and any may not. A cut
 * right behind a write is tried with that write in each choice, for the choices without it were
 * tried at the cut before it. Where the number of open writes is beyond settings.subset_bits: all
 * of them, all but one, and samples.
 *
 * The card holds what is finished, except while a volume is judged.
 */
#include "cuts.h"

#include <stdlib.h>
#include <string.h>

#define OPEN_MAX 4096u

struct level {
    uint8_t *image; /* what is finished */
    uint64_t *hashes;
    uint64_t hash;
    struct log log; /* what mounting a cut volume writes */
    uint32_t *stamps, stamp;
};

static struct level levels[DEPTH_MAX + 1];

struct exploration {
    const struct log *log;
    const struct where *only;
    unsigned depth;
    struct where where;
    struct expected expected;
    uint32_t open[OPEN_MAX]; /* events: writes that are not flushed */
    unsigned count;
};

static struct exploration explorations[DEPTH_MAX + 1];
static unsigned sequences; /* explored by this process */

void explore_base(unsigned depth)
{
    struct level *level = &levels[depth];

    if (!level->image) {
        level->image = malloc((size_t)card.sectors * HAL_SECTOR_SIZE);
        level->hashes = malloc(card.sectors * sizeof *level->hashes);
        level->stamps = calloc(card.sectors, sizeof *level->stamps);
        log_init(&level->log);
        if (!level->image || !level->hashes || !level->stamps)
            exit(2);
    }
    memcpy(level->image, card.image, (size_t)card.sectors * HAL_SECTOR_SIZE);
    memcpy(level->hashes, card.hashes, card.sectors * sizeof *level->hashes);
    level->hash = card.hash;
}

void explore_restore(unsigned depth)
{
    const struct level *level = &levels[depth];

    for (uint32_t i = 0; i < card.sectors; i++)
        if (card.hashes[i] != level->hashes[i])
            card_put(i, level->image + (size_t)i * HAL_SECTOR_SIZE, level->hashes[i]);
}

/* ---- one choice ---- */

/* True if write number `i` of those that are open is on the card by the choice. */
static bool is_chosen(const struct exploration *e, unsigned i, uint64_t choice, bool newest)
{
    unsigned n = e->count;
    uint64_t random;

    if (newest && i == n - 1)
        return true;
    if (n <= settings.subset_bits)
        return choice >> i & 1;
    if (choice <= n - newest) /* all of them, or all but one */
        return choice != i + 1;
    random = mix_hash(mix_hash(choice, e->where.cut[e->depth]), i);
    return random >> 40 & 1;
}

/* How many choices there are. */
static uint64_t choices(const struct exploration *e, bool newest)
{
    unsigned others = e->count - newest;

    if (e->count <= settings.subset_bits)
        return (uint64_t)1 << others;
    return 1 + others + settings.samples;
}

/* The hash of the volume that the choice makes. */
static uint64_t hash_of(const struct exploration *e, uint64_t choice, bool newest)
{
    struct level *level = &levels[e->depth];
    uint64_t hash = level->hash;

    level->stamp++;
    for (unsigned i = e->count; i-- > 0;) {
        const struct event *event = &e->log->events[e->open[i]];

        if (!is_chosen(e, i, choice, newest) || level->stamps[event->sector] == level->stamp)
            continue;
        level->stamps[event->sector] = level->stamp;
        hash += event->hash - level->hashes[event->sector];
    }
    return hash;
}

static void make(const struct exploration *e, uint64_t choice, bool newest)
{
    for (unsigned i = 0; i < e->count; i++) {
        const struct event *event = &e->log->events[e->open[i]];

        if (is_chosen(e, i, choice, newest))
            card_put(event->sector, event->data, event->hash);
    }
}

/* ---- torn sectors ---- */

enum { TORN_NOT, TORN_FRONT, TORN_BACK, TORN_GARBAGE, TORN_KINDS };

/*
 * What is left of the sector whose write was cut: its first or second half is new, or it contains
 * neither. False if that is no other than with the write or without.
 */
static bool tear(const struct event *event, unsigned kind)
{
    const uint8_t *there = card.image + (size_t)event->sector * HAL_SECTOR_SIZE;
    uint64_t random = event->hash;
    uint8_t torn[HAL_SECTOR_SIZE];

    memcpy(torn, there, sizeof torn);
    if (kind == TORN_FRONT)
        memcpy(torn, event->data, sizeof torn / 2);
    if (kind == TORN_BACK)
        memcpy(torn + sizeof torn / 2, event->data + sizeof torn / 2, sizeof torn / 2);
    for (unsigned i = 0; kind == TORN_GARBAGE && i < sizeof torn; i++)
        torn[i] = (uint8_t)chance(&random, 256);
    if (memcmp(torn, there, sizeof torn) == 0 || memcmp(torn, event->data, sizeof torn) == 0)
        return false;
    card_put_new(event->sector, torn);
    return true;
}

/* True if the one cut that is to be tried is here, and a sector is torn. */
static bool is_torn(const struct exploration *e)
{
    return e->only && e->only->depth == e->depth && e->only->torn != TORN_NOT;
}

/* The newest write is torn, and of the others those of the choice are there. */
static void try_torn(struct exploration *e, const struct event *newest, uint64_t choice,
                     unsigned kind)
{
    uint64_t known, volume;

    if (e->only && (e->only->torn != kind || e->only->choice[e->depth] != choice))
        return;
    e->where.choice[e->depth] = choice;
    e->where.torn = kind;
    make(e, choice, false);
    if (tear(newest, kind)) {
        volume = mix_hash(card.hash, TORN_KINDS);
        COUNT(torn);
        if (e->only && settings.dump)
            card_dump(settings.dump);
        if (e->only || !seen_find(volume, &known) ||
            (known != TREE_FOUND_OUT && !judge_allows(&e->expected, known)))
            (void)seen_add(volume, judge_torn(&e->where, &e->expected, newest->sector));
    }
    e->where.torn = TORN_NOT;
    explore_restore(e->depth);
}

/* True if the sequence that is being explored is one of those with torn sectors. */
static bool tears(void)
{
    return settings.torn_each > 0 && sequences % settings.torn_each == 0;
}

static void try_all_torn(struct exploration *e)
{
    const struct event *newest = &e->log->events[e->open[--e->count]];
    uint64_t last = choices(e, false) - 1;
    /* Without a record half a sector of a directory is as good as a whole one. */
    bool atomic = geometries[settings.geometry].atomic;

    for (unsigned kind = atomic ? TORN_FRONT : TORN_GARBAGE; kind < TORN_KINDS; kind++) {
        try_torn(e, newest, 0, kind);
        if (last > 0)
            try_torn(e, newest, last, kind);
    }
    e->count++;
}

static bool is_nested(const struct exploration *e, uint64_t volume)
{
    if (e->depth == DEPTH_MAX)
        return false;
    if (e->only)
        return e->only->depth > e->depth;
    return settings.nested_each > 0 && (volume >> 23) % settings.nested_each == 0;
}

/* The volume is new, or what it becomes is not among the expected by its hash. */
static void judge_choice(struct exploration *e, uint64_t choice, bool newest)
{
    struct log *log = &levels[e->depth].log;
    bool cut_again;
    uint64_t volume, tree;

    make(e, choice, newest);
    volume = card.hash;
    cut_again = is_nested(e, volume);
    if (e->only && settings.dump && !cut_again)
        card_dump(settings.dump);
    if (cut_again)
        explore_base(e->depth + 1);
    log->used = 0;
    tree = judge_card(&e->where, &e->expected, cut_again ? log : NULL);
    if (seen_add(volume, tree)) {
        COUNT(distinct);
        if (e->depth > 0)
            COUNT(nested);
        if (e->depth == DEPTH_MAX)
            COUNT(deepest);
        if (cut_again && log->used > 0) {
            const struct expected exact = {e->expected.first, e->expected.last, tree};

            explore_restore(e->depth + 1);
            explore(log, 0, e->only, &e->where, &exact);
        }
    }
    explore_restore(e->depth);
}

static void try_choice(struct exploration *e, uint64_t choice, bool newest)
{
    uint64_t volume, tree;

    e->where.choice[e->depth] = choice;
    COUNT(tried);
    volume = hash_of(e, choice, newest);
    if (!e->only && seen_find(volume, &tree) && tree && judge_allows(&e->expected, tree))
        return;
    judge_choice(e, choice, newest);
}

/* ---- all of them ---- */

static void try_cut(struct exploration *e, unsigned cut, bool newest)
{
    uint64_t n = choices(e, newest);

    e->where.cut[e->depth] = cut;
    if (e->only && e->only->cut[e->depth] != cut)
        return;
    for (uint64_t choice = 0; choice < n; choice++)
        if (!e->only || (e->only->choice[e->depth] == choice && !is_torn(e)))
            try_choice(e, choice, newest);
    if (newest && (e->only ? is_torn(e) : tears()))
        try_all_torn(e);
}

static void flush(struct exploration *e)
{
    struct level *level = &levels[e->depth];

    for (unsigned i = 0; i < e->count; i++) {
        const struct event *event = &e->log->events[e->open[i]];

        card_put(event->sector, event->data, event->hash);
        memcpy(level->image + (size_t)event->sector * HAL_SECTOR_SIZE, event->data,
               HAL_SECTOR_SIZE);
        level->hashes[event->sector] = event->hash;
    }
    level->hash = card.hash;
    e->count = 0;
}

static void go_on(struct exploration *e, unsigned from)
{
    const struct log *log = e->log;

    for (unsigned i = 0; i < log->used; i++) {
        const struct event *event = &log->events[i];

        if (event->kind == EVENT_WRITE) {
            if (e->count == OPEN_MAX)
                abort();
            e->open[e->count++] = i;
            if (i >= from)
                try_cut(e, i + 1, true);
        } else if (event->kind == EVENT_FLUSH) {
            flush(e);
        } else {
            e->expected.last = event->state + 1 < model.count ? event->state + 1 : event->state;
            if (event->synced == UINT32_MAX)
                continue;
            e->expected.first = event->synced;
            if (i >= from)
                try_cut(e, i + 1, false); /* by now nothing should be open */
        }
    }
}

void explore(const struct log *log, unsigned from, const struct where *only,
             const struct where *where, const struct expected *expected)
{
    unsigned depth = where ? where->depth + 1 : 0;
    struct exploration *e = &explorations[depth];

    e->log = log;
    e->only = only;
    e->depth = depth;
    e->where = where ? *where : (struct where){0};
    e->where.depth = depth;
    e->expected = *expected;
    e->count = 0;
    if (log->overflow)
        COUNT(overflows);
    go_on(e, from);
    sequences += depth == 0;
}
