/* SPDX-License-Identifier: MIT */
/*
 * mem.c: mem: how memory is used, and what is in it.
 *
 * Fragmentation is shown as free runs of each order, and as the share of free memory that a request
 * of that order cannot have, because it lies in smaller runs (Gorman and Whitcroft call it the
 * unusable free space index). With 3 runs of 4 KiB and 1 of 16 KiB free, 7 frames in all:
 *
 *     a request for 4 KiB  can have all of them            0 %
 *     one for 8 or 16 KiB  only the run of 4 frames       3/7 = 42 %
 *     one for 32 KiB       nothing                        100 %
 */
#include "shell/memory/mem.h"

#include "boot/boot.h"
#include "heap/heap.h"
#include "lib/string.h"
#include "mem/frame.h"
#include "mem/memory.h"
#include "shell/commands/command.h"
#include "shell/debug.h"
#include "thread/thread.h"
#include "tty/tty.h"

#include <hal/errno.h>
#include <hal/mem.h>

#define MEM_DEFAULT 256u /* bytes of a dump */
#define MEM_CACHES 5u    /* that are listed */

/* ---- totals ---- */

static void mem_print_totals(const struct frame_stats *frames)
{
    struct heap_stats heap;

    heap_read_stats(&heap);
    tty_print("frames  %llu KiB, of which %llu KiB are free and %llu KiB used\n",
              mem_kib(frames->total), mem_kib(frames->free), mem_kib(frames->used));
    tty_print("        %llu KiB were never used since power-on; %llu KiB wait in CPUs' caches\n",
              mem_kib(frames->untouched), mem_kib(frames->cached));
    tty_print("        below %llu KiB free, caches are asked to give back, up to %llu KiB\n",
              mem_kib(frames->low), mem_kib(frames->high));
    tty_print("heap    %llu KiB of frames; %llu bytes in %llu blocks in use (%s, %s)\n",
              mem_kib(heap.frames), (unsigned long long)heap.live_bytes,
              (unsigned long long)heap.live_blocks, heap_allocator_name(),
              heap_is_checked() ? "checked" : "not checked");
    if (heap_is_plain())
        tty_print("        (allocations are counted with checks=1)\n");
    else
        tty_print("        %llu allocations since power-on, %llu of them failed\n",
                  (unsigned long long)heap.allocations, (unsigned long long)heap.failures);
}

/* ---- by tag ---- */

/* What the sites of `tag` have in use. */
static void mem_sum_tag(unsigned tag, int64_t *blocks, int64_t *bytes)
{
    struct hal_alloc_site site;

    *blocks = *bytes = 0;
    for (unsigned i = 0; hal_inspect_site(i, &site); i++) {
        if (site.tag == tag) {
            *blocks += site.blocks;
            *bytes += site.bytes;
        }
    }
}

static void mem_print_tags(void)
{
    struct mem_survey survey = {0};

    mem_survey_add(&survey, 0, mem_frame_end());
    tty_print("TAG               FRAMES       KiB    BLOCKS       BYTES\n");
    tty_print("%-15s %8llu %9llu\n", mem_kind_name(HAL_FRAME_KERNEL),
              (unsigned long long)survey.kinds[HAL_FRAME_KERNEL],
              mem_kib(survey.kinds[HAL_FRAME_KERNEL]));
    for (unsigned tag = 0; tag < alloc_tag_total(); tag++) {
        uint64_t frames = survey.kinds[HAL_FRAME_TAGS + tag];
        int64_t blocks, bytes;

        mem_sum_tag(tag, &blocks, &bytes);
        if (frames != 0 || blocks != 0)
            tty_print("%-15s %8llu %9llu %9lld %11lld\n", alloc_tag_name(tag),
                      (unsigned long long)frames, mem_kib(frames), (long long)blocks,
                      (long long)bytes);
    }
    if (!heap_is_checked())
        tty_print("(blocks and bytes of frames: objects are counted with checks=1)\n");
}

/* ---- fragmentation ---- */

/* The share of free memory, in percent, that lies in runs too small for `order`. */
static unsigned mem_unusable(const struct frame_stats *frames, unsigned order)
{
    uint64_t usable = 0;

    for (unsigned i = order; i <= FRAME_ORDER_MAX; i++)
        usable += frames->free_runs[i] << i;
    if (order == 0 || frames->free == 0 || usable > frames->free)
        return 0;
    return (unsigned)((frames->free - usable) * 100 / frames->free);
}

static void mem_print_runs(const struct frame_stats *frames)
{
    tty_print("the largest free run has %llu KiB\nof      ", mem_kib(frames->largest_free_pages));
    for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++) {
        unsigned long long kib = mem_kib(1ull << order);

        tty_print("%6llu%c", kib < 1024 ? kib : kib / 1024, kib < 1024 ? 'K' : 'M');
    }
    tty_print("\nfree    ");
    for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++)
        tty_print("%7llu", (unsigned long long)frames->free_runs[order]);
    tty_print("\nunusable");
    for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++)
        tty_print("%6u%%", mem_unusable(frames, order));
    tty_print("\n");
}

/* ---- the map of ranges ---- */

static void mem_print_range(const char *what, const struct hal_range *range)
{
    tty_print("  %08llx .. %08llx  %8llu KiB  %s\n", (unsigned long long)range->start,
              (unsigned long long)(range->start + range->bytes - 1),
              (unsigned long long)range->bytes / 1024, what);
}

static void mem_print_ranges(void)
{
    const struct memory_map *usable = boot_memory();
    struct hal_range range;

    tty_print("map of physical memory:\n");
    for (unsigned i = 0; hal_mem_ram(i, &range); i++)
        mem_print_range("RAM", &range);
    for (unsigned i = 0; hal_mem_reserved(i, &range); i++)
        mem_print_range("reserved: the machine, the kernel", &range);
    for (unsigned i = 0; i < usable->count && !thread_cancelled(); i++)
        mem_print_range("managed by the kernel", &usable->ranges[i]);
}

static void mem_print_all(void)
{
    struct frame_stats frames;

    frame_read_stats(&frames);
    mem_print_totals(&frames);
    mem_print_tags();
    mem_print_caches(MEM_CACHES);
    mem_print_runs(&frames);
    mem_print_ranges();
}

/* ---- what is in it ---- */

static void mem_dump(uint64_t at, uint64_t bytes)
{
    uint8_t data[DEBUG_ROW_BYTES];
    char row[DEBUG_ROW_TEXT];

    while (bytes > 0 && !thread_cancelled()) {
        size_t n = bytes < DEBUG_ROW_BYTES ? (size_t)bytes : DEBUG_ROW_BYTES;
        int error = debug_read_memory(at, data, n);

        if (error != 0) {
            command_error("%08llx: %s", (unsigned long long)at,
                          error == -EPERM    ? "reserved by the machine"
                          : error == -EACCES ? "the guard page of a stack"
                                             : command_error_text(error));
            return;
        }
        debug_format_row(row, at, data, n);
        tty_write(row, string_length(row));
        at += n;
        bytes -= n;
    }
}

static void mem_dump_words(struct job *job)
{
    uint64_t at, bytes = MEM_DEFAULT;

    if (job->args.count > 3)
        command_usage(job, "mem takes an address and a length");
    else if (command_number(job, job->args.words[1], UINT64_MAX, &at) &&
             (job->args.count == 2 || command_number(job, job->args.words[2], UINT64_MAX, &bytes)))
        mem_dump(at, bytes);
}

void command_mem(struct job *job)
{
    const char *word = job->args.count > 1 ? job->args.words[1] : "";

    if (job->args.count == 1)
        mem_print_all();
    else if (string_equal(word, "map"))
        mem_map(job);
    else if (string_equal(word, "top"))
        mem_top(job);
    else if (string_equal(word, "leaks"))
        mem_leaks(job);
    else
        mem_dump_words(job);
}
