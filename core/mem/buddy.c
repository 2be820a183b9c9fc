/* SPDX-License-Identifier: MIT */
/*
 * buddy.c: a buddy allocator over the frames of RAM. (Knowlton, "A Fast Storage Allocator", CACM
 * 1965; Knuth, TAOCP 1, 2.5)
 *
 * Free memory is kept in runs of 2^order frames that start at multiples of their size. A run is
 * split in halves (buddies) until it fits; when both halves are free again they become one run. The
 * buddy of the run at frame f with order o is the run at f XOR 2^o: for f = 12 and o = 2 that is 8,
 * and together they are the run 8 .. 15 of order 3.
 *
 * A run of any number of pages is the start of a run of the next power of two, whose rest is given
 * back at once. 5 pages from the free run 8 .. 15:
 *
 *     | 8  9 10 11 12 | 13 | 14 15 |      in use: 5 pages; free: 1 of order 0, 1 of order 1
 *
 * and when the five come back, as 4 + 1, all joins to 8 .. 15 again. When there is no run of 8,
 * five frames in a row will do, wherever they begin.
 *
 * Everything is kept in the table of frames, also the links of the lists of free runs, by number:
 * free memory itself is never touched. And of the table only the blocks (2 MiB of RAM, 512 entries,
 * 8 KiB) that are in use exist: a block all of whose frames are ours begins as UNTOUCHED, which
 * stands for one free run of the highest order, and gets its entries when the last other run is
 * gone. Blocks that a range of RAM covers in part get theirs at boot. No run crosses the border of
 * a block, as it has 2^FRAME_ORDER_MAX frames.
 *
 * Not here: locks, caches, who owns what: frame.c.
 */
#include "lib/log.h"
#include "mem/frame.h"
#include "mem/frame_table.h"
#include "mem/memory.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/mem.h>
#include <hal/runtime.h>

#define NO_RUN UINT32_MAX
#define BLOCK_TABLE_BYTES (FRAME_BLOCK_PAGES * sizeof(struct frame))
#define BLOCK_TABLE_PAGES (BLOCK_TABLE_BYTES / HAL_PAGE_SIZE)

_Static_assert(sizeof(struct frame) == 16, "an entry has 16 bytes");
_Static_assert(BLOCK_TABLE_BYTES % HAL_PAGE_SIZE == 0, "a block has whole pages of the table");
_Static_assert(FRAME_BLOCK_PAGES == 1u << FRAME_ORDER_MAX, "the largest run is a block");

KSTATE struct frame_table frame_table;

static KSTATE struct buddy_state {
    uint32_t first[FRAME_ORDER_MAX + 1]; /* of the free runs of each order */
    uint64_t runs[FRAME_ORDER_MAX + 1];  /* how many there are */
    uint64_t total;
    uint64_t free;           /* frames; read by others without the lock */
    uint64_t untouched;      /* blocks */
    uint64_t next_untouched; /* no block before this one is UNTOUCHED */
} buddy;

static void count_free(uint64_t frames)
{
    __atomic_store_n(&buddy.free, buddy.free + frames, __ATOMIC_RELAXED);
}

/* ---- the lists of free runs ---- */

static void push(uint64_t number, unsigned order)
{
    struct frame *frame = &frame_table.frames[number];

    frame_set_pages(frame, (size_t)1 << order);
    frame->prev = NO_RUN;
    frame->next = buddy.first[order];
    if (frame->next != NO_RUN)
        frame_table.frames[frame->next].prev = (uint32_t)number;
    buddy.first[order] = (uint32_t)number;
    buddy.runs[order]++;
    frame_set_state(frame, FRAME_FREE);
}

static void take_off(uint64_t number, unsigned order)
{
    struct frame *frame = &frame_table.frames[number];

    if (frame->prev == NO_RUN)
        buddy.first[order] = frame->next;
    else
        frame_table.frames[frame->prev].next = frame->next;
    if (frame->next != NO_RUN)
        frame_table.frames[frame->next].prev = frame->prev;
    buddy.runs[order]--;
    frame->owner = NULL; /* or the links would look like one, in the middle of a run */
    frame_set_state(frame, FRAME_INSIDE);
}

/* ---- blocks ---- */

/* Gives a block its entries, of frames that are ours to hand out or not, and none of them free. */
static struct frame *fill_block(uint64_t block, enum frame_state state)
{
    struct frame *entries = &frame_table.frames[block * FRAME_BLOCK_PAGES];

    hal_mem_first_use((frame_table.home + block * BLOCK_TABLE_PAGES) * HAL_PAGE_SIZE,
                      BLOCK_TABLE_BYTES);
    memset(entries, 0, BLOCK_TABLE_BYTES);
    for (unsigned i = 0; i < FRAME_BLOCK_PAGES; i++)
        entries[i].state = (uint8_t)state;
    __atomic_store_n(&frame_table.blocks[block], FRAME_BLOCK_READY, __ATOMIC_RELEASE);
    return entries;
}

/* Makes the next untouched block a free run on the list. False: there is none. */
static bool open_block(void)
{
    uint64_t block = buddy.next_untouched;

    if (buddy.untouched == 0)
        return false;
    while (frame_table.blocks[block] != FRAME_BLOCK_UNTOUCHED)
        block++;
    buddy.next_untouched = block + 1;
    buddy.untouched--;
    (void)fill_block(block, FRAME_INSIDE);
    push(block * FRAME_BLOCK_PAGES, FRAME_ORDER_MAX);
    return true;
}

/* ---- taking and giving ---- */

static uint64_t take_run(unsigned order)
{
    unsigned from = order;
    uint64_t number;

    while (from <= FRAME_ORDER_MAX && buddy.first[from] == NO_RUN)
        from++;
    if (from > FRAME_ORDER_MAX) {
        if (!open_block())
            return BUDDY_NONE;
        from = FRAME_ORDER_MAX;
    }
    number = buddy.first[from];
    take_off(number, from);
    while (from > order) {
        from--;
        push(number + (1ull << from), from);
    }
    return number;
}

/* Adds a run that is not on a list, joining it with its buddies. */
static void give_run(uint64_t number, unsigned order)
{
    while (order < FRAME_ORDER_MAX) {
        uint64_t other = number ^ 1ull << order;
        const struct frame *frame = &frame_table.frames[other];

        if (frame_state(frame) != FRAME_FREE || frame->pages != 1u << order)
            break;
        take_off(other, order);
        number &= ~(1ull << order);
        order++;
    }
    push(number, order);
}

/* Adds the frames first .. end - 1 in the largest aligned runs there are. */
static void give_range(uint64_t first, uint64_t end)
{
    count_free(end - first);
    while (first < end) {
        unsigned order = 0;

        while (order < FRAME_ORDER_MAX && first % (2ull << order) == 0 &&
               first + (2ull << order) <= end)
            order++;
        give_run(first, order);
        first += 1ull << order;
    }
}

/* Where in the block `pages` free frames lie in a row, as one run or several; or BUDDY_NONE. */
static uint64_t find_row(uint64_t block, size_t pages)
{
    uint64_t at = block * FRAME_BLOCK_PAGES, end = at + FRAME_BLOCK_PAGES, first = at;

    while (at < end) {
        const struct frame *frame = &frame_table.frames[at];
        /* Used runs are split by their owners meanwhile: what the state says, the length fits. */
        enum frame_state state = (enum frame_state)__atomic_load_n(&frame->state, __ATOMIC_ACQUIRE);

        at += state == FRAME_FREE || state == FRAME_USED ? frame_pages(frame) : 1;
        if (state != FRAME_FREE)
            first = at;
        else if (at - first >= pages)
            return first;
    }
    return BUDDY_NONE;
}

/* The last resort: free frames in a row that are no buddies. */
static uint64_t take_row(size_t pages)
{
    uint64_t first = BUDDY_NONE, end;

    for (uint64_t block = 0; block < FRAME_BLOCKS_MAX && first == BUDDY_NONE; block++)
        if (frame_table.blocks[block] == FRAME_BLOCK_READY)
            first = find_row(block, pages);
    if (first == BUDDY_NONE)
        return BUDDY_NONE;
    for (end = first; end < first + pages;) {
        size_t size = frame_table.frames[end].pages;

        take_off(end, (unsigned)__builtin_ctzll(size));
        count_free(-(uint64_t)size);
        end += size;
    }
    give_range(first + pages, end);
    return first;
}

/* Takes the free runs of lower orders that end where `number` begins; returns where they begin. */
static uint64_t take_rests_before(uint64_t number, unsigned order)
{
    unsigned o = 0;

    while (o < order && number % FRAME_BLOCK_PAGES && number % (1ull << o) == 0) {
        const struct frame *frame = &frame_table.frames[number - (1ull << o)];

        if (frame_state(frame) != FRAME_FREE || frame->pages != 1u << o) {
            o++;
            continue;
        }
        number -= 1ull << o;
        take_off(number, o);
        o = 0;
    }
    return number;
}

uint64_t buddy_take(size_t pages, unsigned align_order)
{
    unsigned order = align_order;
    uint64_t first, end;

    while (1ull << order < pages)
        order++;
    first = take_run(order);
    if (first == BUDDY_NONE)
        return align_order == 0 && buddy.free >= pages ? take_row(pages) : BUDDY_NONE;
    end = first + (1ull << order);
    if (align_order == 0 && pages < 1ull << order)
        first = take_rests_before(first, order);
    count_free(first - end);
    give_range(first + pages, end);
    return first;
}

void buddy_give(uint64_t first, size_t pages)
{
    frame_set_state(&frame_table.frames[first], FRAME_INSIDE);
    give_range(first, first + pages);
}

uint64_t buddy_total(void)
{
    return buddy.total;
}

uint64_t buddy_free(void)
{
    return __atomic_load_n(&buddy.free, __ATOMIC_RELAXED);
}

uint64_t buddy_free_runs(unsigned order)
{
    return buddy.runs[order] + (order == FRAME_ORDER_MAX ? buddy.untouched : 0);
}

/* ---- boot ---- */

#define TABLE_REACH ((uint64_t)FRAME_BLOCKS_MAX * FRAME_BLOCK_PAGES)

static uint64_t range_first(const struct memory_map *map, unsigned i)
{
    return map->ranges[i].start / HAL_PAGE_SIZE;
}

/* The first number behind range i, as far as the table can reach. */
static uint64_t range_limit(const struct memory_map *map, unsigned i)
{
    uint64_t end = range_first(map, i) + map->ranges[i].bytes / HAL_PAGE_SIZE;

    return end < TABLE_REACH ? end : TABLE_REACH;
}

/*
 * Finds a home for the table at the start of the first of `count` ranges that has room for the
 * entries of all of them. The entries are as many as make whole blocks.
 */
static bool place_table(const struct memory_map *map, unsigned count)
{
    uint64_t end = range_limit(map, count - 1);
    uint64_t pages = (end + FRAME_BLOCK_PAGES - 1) / FRAME_BLOCK_PAGES * BLOCK_TABLE_PAGES;

    for (unsigned i = 0; i < count; i++) {
        uint64_t first = range_first(map, i);

        if (first >= end || range_limit(map, i) - first < pages)
            continue;
        frame_table.base = (uint8_t *)((uintptr_t)hal_mem_pointer(map->ranges[i].start) -
                                       (uintptr_t)map->ranges[i].start);
        frame_table.frames = hal_mem_pointer(map->ranges[i].start);
        __atomic_store_n(&frame_table.home, first, __ATOMIC_RELAXED);
        __atomic_store_n(&frame_table.home_pages, pages, __ATOMIC_RELAXED);
        __atomic_store_n(&frame_table.end, end, __ATOMIC_RELEASE); /* now others may look */
        return true;
    }
    return false;
}

/* Adds frames of one block that it does not have to itself. */
static void add_part(uint64_t first, uint64_t end)
{
    uint64_t block = first / FRAME_BLOCK_PAGES;

    if (frame_table.blocks[block] == FRAME_BLOCK_CLOSED)
        (void)fill_block(block, FRAME_ABSENT);
    for (uint64_t i = first; i < end; i++)
        frame_set_state(&frame_table.frames[i], FRAME_INSIDE);
    give_range(first, end);
}

static void add_range(uint64_t first, uint64_t end)
{
    while (first < end) {
        uint64_t stop = first - first % FRAME_BLOCK_PAGES + FRAME_BLOCK_PAGES;

        if (stop > end)
            stop = end;
        if (stop - first == FRAME_BLOCK_PAGES) {
            __atomic_store_n(&frame_table.blocks[first / FRAME_BLOCK_PAGES], FRAME_BLOCK_UNTOUCHED,
                             __ATOMIC_RELEASE);
            buddy.untouched++;
            count_free(FRAME_BLOCK_PAGES);
        } else {
            add_part(first, stop);
        }
        first = stop;
    }
}

/* In blocks that have entries, those of the table's own frames say so. */
static void mark_table(void)
{
    for (uint64_t i = frame_table.home; i < frame_table.home + frame_table.home_pages; i++)
        if (frame_table.blocks[i / FRAME_BLOCK_PAGES] == FRAME_BLOCK_READY)
            frame_set_state(&frame_table.frames[i], FRAME_TABLE);
}

int buddy_init(const struct memory_map *map)
{
    unsigned count = map->count;

    for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++)
        buddy.first[order] = NO_RUN;
    while (count > 0 && (range_first(map, count - 1) >= TABLE_REACH || !place_table(map, count)))
        count--;
    if (count == 0)
        return -ENOMEM;
    if (count < map->count)
        klog(KLOG_WARNING, "memory: RAM from 0x%llx on is left out: no room for a table of it",
             (unsigned long long)map->ranges[count].start);
    for (unsigned i = 0; i < count; i++) {
        uint64_t first = range_first(map, i), end = range_limit(map, i);

        buddy.total += end - first;
        if (first == frame_table.home)
            first += frame_table.home_pages;
        add_range(first, end);
    }
    mark_table();
    return 0;
}
