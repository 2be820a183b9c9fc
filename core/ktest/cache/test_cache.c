/* SPDX-License-Identifier: MIT */
/*
 * test_cache.c: threads that read, write, truncate, sync and reclaim the pages of one file at once.
 *
 * The file is a small file system of its own: its lock (the vnode's) lets readers in together, the
 * file system's lock is taken by map, and whoever checkpoints holds it while it waits for pages.
 * What each byte is follows from its place and the version of its page, so every read can be
 * judged. The medium lies in memory, takes its time, and fails if it is told to.
 */
#include "cache/cache.h"
#include "cache/page/page.h"
#include "heap/heap.h"
#include "ktest/cache/tests.h"
#include "ktest/sync/crew.h"
#include "mem/reclaim.h"
#include "sync/mutex.h"
#include "sync/rwlock.h"
#include "thread/thread.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define PAGES 12u
#define BYTES (PAGES * HAL_PAGE_SIZE)
#define PIECE 700u

struct file {
    struct cache_object object;
    struct rwlock lock;         /* guards size and version: the vnode's */
    uint64_t size;              /* bytes */
    uint8_t version[PAGES];     /* what was written to each page last */
    struct mutex volume;        /* guards where: the file system's */
    uint8_t where[PAGES];       /* page of the medium */
    uint8_t *medium;            /* PAGES pages */
    bool fails;                 /* writes to it fail; atomic */
    volatile unsigned failures; /* so many did; atomic */
    volatile unsigned wrong;    /* atomic */
    unsigned rounds;
};

static int map(struct cache_object *object, uint64_t page, unsigned n, bool held,
               struct cache_map *map)
{
    struct file *file = object->context;

    if (!held)
        mutex_lock(&file->volume);
    map->pages = n < 3 ? n : 3;
    map->count = map->pages;
    for (unsigned i = 0; i < map->pages; i++)
        map->runs[i] = (struct cache_run){file->where[page + i], 8};
    if (!held)
        mutex_unlock(&file->volume);
    return 0;
}

static int read(struct cache_object *object, uint64_t page, unsigned n, uint8_t *data,
                const struct cache_map *map)
{
    struct file *file = object->context;

    (void)page;
    thread_yield();
    for (unsigned i = 0; i < n; i++)
        memcpy(data + i * HAL_PAGE_SIZE, file->medium + map->runs[i].sector * HAL_PAGE_SIZE,
               HAL_PAGE_SIZE);
    return 0;
}

static int write(struct cache_object *object, uint64_t page, unsigned n, void *const *pages,
                 const struct cache_map *map)
{
    struct file *file = object->context;
    bool fails;

    (void)page;
    thread_yield();
    fails = __atomic_load_n(&file->fails, __ATOMIC_RELAXED);
    if (fails && n > 1)
        return -EIO; /* each is tried alone then */
    if (fails) {
        __atomic_fetch_add(&file->failures, 1, __ATOMIC_RELAXED);
        return -EIO;
    }
    for (unsigned i = 0; i < n; i++)
        memcpy(file->medium + map->runs[i].sector * HAL_PAGE_SIZE, pages[i], HAL_PAGE_SIZE);
    return 0;
}

static const struct cache_ops ops = {.map = map, .read = read, .write = write};

static uint8_t byte_at(const struct file *file, uint64_t offset)
{
    return (uint8_t)(file->version[offset / HAL_PAGE_SIZE] * 31 + offset / 64);
}

static void note_wrong(struct file *file)
{
    __atomic_fetch_add(&file->wrong, 1, __ATOMIC_RELAXED);
}

/* ---- what members do, once ---- */

static void do_read(struct crew_member *member, struct file *file)
{
    uint8_t piece[PIECE];
    uint64_t offset;
    int64_t got;

    rwlock_read(&file->lock);
    offset = crew_random(member, BYTES);
    got = cache_read(&file->object, offset, piece, PIECE);
    if (got < 0 && got != -ENOMEM)
        note_wrong(file);
    if (got >= 0 && got < PIECE && offset + (uint64_t)got < file->size)
        note_wrong(file);
    for (int64_t i = 0; i < got; i++)
        if (piece[i] != byte_at(file, offset + (uint64_t)i)) {
            note_wrong(file);
            break;
        }
    rwlock_end_read(&file->lock);
}

/* Writes all that the file has of a page, with a new version. Caller holds the lock. */
static bool put_page(struct file *file, uint64_t page)
{
    uint64_t start = page * HAL_PAGE_SIZE, end = start + HAL_PAGE_SIZE;
    uint8_t piece[PIECE];

    if (end > file->size)
        end = file->size;
    file->version[page]++;
    for (uint64_t at = start; at < end;) {
        size_t n = end - at < PIECE ? (size_t)(end - at) : PIECE;

        for (size_t i = 0; i < n; i++)
            piece[i] = byte_at(file, at + i);
        if (cache_write(&file->object, at, piece, n) != (int64_t)n)
            return false;
        at += n;
    }
    return true;
}

static void shrink(struct file *file, uint64_t size)
{
    file->size = size;
    cache_resize(&file->object, size);
}

static void do_write(struct crew_member *member, struct file *file)
{
    uint64_t page;

    rwlock_write(&file->lock);
    page = file->size ? crew_random(member, (unsigned)file->size) / HAL_PAGE_SIZE : 0;
    if (file->size && !put_page(file, page))
        shrink(file, page * HAL_PAGE_SIZE);
    rwlock_end_write(&file->lock);
}

/* Cuts it in the middle of a page, or makes it longer, on other places of the medium. */
static void do_resize(struct crew_member *member, struct file *file)
{
    uint64_t old, size;

    rwlock_write(&file->lock);
    old = file->size;
    size = crew_random(member, BYTES + 1);
    mutex_lock(&file->volume);
    if (size < old)
        shrink(file, size);
    for (uint64_t page = size / HAL_PAGE_SIZE + 1; size < old && page + 1 < PAGES; page += 2) {
        uint8_t place = file->where[page];

        file->where[page] = file->where[page + 1];
        file->where[page + 1] = place;
    }
    mutex_unlock(&file->volume);
    if (size > old) {
        file->size = size;
        cache_resize(&file->object, size);
    }
    for (uint64_t page = old / HAL_PAGE_SIZE; page * HAL_PAGE_SIZE < file->size && size > old;
         page++)
        if (!put_page(file, page))
            shrink(file, page * HAL_PAGE_SIZE);
    rwlock_end_write(&file->lock);
}

static void do_sync(struct crew_member *member, struct file *file)
{
    int error;

    if (crew_random(member, 2)) {
        error = cache_sync(&file->object);
    } else { /* a checkpoint */
        mutex_lock(&file->volume);
        error = cache_sync_held(&file->object, 0, BYTES);
        mutex_unlock(&file->volume);
    }
    if (error && !__atomic_load_n(&file->failures, __ATOMIC_RELAXED))
        note_wrong(file);
}

/* ---- parts ---- */

enum { READS = 1, WRITES = 2, RESIZES = 4, SYNCS = 8, RECLAIMS = 16, FAILS = 32, AHEAD = 64 };

static void do_other(struct crew_member *member, struct file *file, unsigned what)
{
    if (what & RECLAIMS)
        (void)cache_lru_reclaim(crew_random(member, 6));
    if (what & RECLAIMS && crew_random(member, 3) == 0)
        cache_forget(&file->object, crew_random(member, BYTES), BYTES);
    if (what & FAILS)
        __atomic_store_n(&file->fails, crew_random(member, 2), __ATOMIC_RELAXED);
    if (what & AHEAD)
        cache_prefetch(&file->object, crew_random(member, BYTES), BYTES);
}

static void play(struct crew_member *member, unsigned what)
{
    struct file *file = member->play;

    for (unsigned round = 0; round < file->rounds; round++) {
        if (what & READS)
            do_read(member, file);
        if (what & WRITES)
            do_write(member, file);
        if (what & RESIZES)
            do_resize(member, file);
        if (what & SYNCS)
            do_sync(member, file);
        do_other(member, file, what);
        crew_dawdle(member);
    }
}

static void part_truncate(struct crew_member *member)
{
    static const uint8_t parts[4] = {RESIZES, READS, SYNCS, READS | AHEAD};

    play(member, parts[member->number % 4]);
}

static void part_flusher(struct crew_member *member)
{
    static const uint8_t parts[4] = {WRITES, SYNCS, WRITES | READS, SYNCS};

    play(member, parts[member->number % 4]);
}

static void part_reclaim(struct crew_member *member)
{
    static const uint8_t parts[4] = {WRITES | READS, RECLAIMS, RESIZES | READS, SYNCS | RECLAIMS};

    play(member, parts[member->number % 4]);
}

static void part_errors(struct crew_member *member)
{
    static const uint8_t parts[4] = {WRITES | READS, FAILS, RESIZES, SYNCS | RECLAIMS};

    play(member, parts[member->number % 4]);
}

/* ---- scenarios ---- */

static struct file *begin(struct ktest_run *run, unsigned rounds)
{
    struct file *file = kcalloc(1, sizeof(*file));

    if (file && !(file->medium = kmalloc(BYTES))) {
        kfree(file);
        file = NULL;
    }
    if (!KTEST_EXPECT(run, file != NULL))
        return NULL;
    memset(file->medium, 0xee, BYTES);
    rwlock_init(&file->lock);
    mutex_init(&file->volume);
    for (unsigned page = 0; page < PAGES; page++)
        file->where[page] = (uint8_t)(page * 5 % PAGES);
    file->rounds = ktest_size(rounds);
    cache_object_init(&file->object, &ops, file, 0);
    return file;
}

/* All bytes are on the medium in the end, and all pages are given back. */
static void end(struct ktest_run *run, struct file *file)
{
    uint32_t errors = 0;

    file->fails = false;
    KTEST_EXPECT(run, file->wrong == 0);
    KTEST_EXPECT(run, cache_sync(&file->object) == 0);
    KTEST_EXPECT(run, !cache_is_unclean(&file->object));
    KTEST_EXPECT(run, cache_error_since(&file->object, &errors) == (file->failures ? -EIO : 0));
    for (uint64_t at = 0; at < file->size; at++)
        if (file->medium[file->where[at / HAL_PAGE_SIZE] * HAL_PAGE_SIZE + at % HAL_PAGE_SIZE] !=
            byte_at(file, at)) {
            KTEST_EXPECT(run, !"the medium has what was written");
            break;
        }
    cache_object_finish(&file->object);
    KTEST_EXPECT(run, file->object.pages == 0);
    kfree(file->medium);
    kfree(file);
}

static void play_scenario(struct ktest_run *run, void (*part)(struct crew_member *member))
{
    struct file *file = begin(run, 20);
    struct crew crew;

    if (!file)
        return;
    (void)crew_play(&crew, run, 4, part, file);
    end(run, file);
}

void test_cache_truncate(struct ktest_run *run)
{
    play_scenario(run, part_truncate);
}

void test_cache_flusher(struct ktest_run *run)
{
    play_scenario(run, part_flusher);
}

void test_cache_reclaim(struct ktest_run *run)
{
    play_scenario(run, part_reclaim);
}

void test_cache_errors(struct ktest_run *run)
{
    play_scenario(run, part_errors);
}

/* An object goes while its pages are being read ahead, flushed and reclaimed. */
void test_cache_finish(struct ktest_run *run)
{
    for (unsigned round = ktest_size(10); round > 0; round--) {
        struct file *file = begin(run, 1);

        if (!file)
            return;
        file->size = BYTES;
        cache_resize(&file->object, BYTES);
        rwlock_write(&file->lock);
        for (unsigned page = 0; page < PAGES; page++)
            KTEST_EXPECT(run, put_page(file, page));
        rwlock_end_write(&file->lock);
        KTEST_EXPECT(run, cache_sync_range(&file->object, 0, BYTES / 2) == 0);
        cache_forget(&file->object, 0, BYTES / 2);
        cache_prefetch(&file->object, 0, BYTES);
        if (round % 2)
            thread_yield();
        cache_object_finish(&file->object);
        kfree(file->medium);
        kfree(file);
    }
}
