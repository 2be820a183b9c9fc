/* SPDX-License-Identifier: MIT */
/*
 * memory.c: meminfo and slabinfo.
 */
#include "cache/cache.h"
#include "fs/procfs/procfs.h"
#include "heap/cache.h"
#include "heap/heap.h"
#include "lib/string.h"
#include "mem/frame.h"

#include <hal/machine.h>

static void say_kib(struct report *report, const char *name, uint64_t pages)
{
    report_add(report, "%s: %*llu kB\n", name, (int)(23 - string_length(name)),
               (unsigned long long)pages * (HAL_PAGE_SIZE / 1024));
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

int proc_say_meminfo(struct report *report)
{
    struct cache_stats cache;
    struct frame_stats frames;
    struct heap_stats heap;

    frame_read_stats(&frames);
    cache_read_stats(&cache);
    heap_read_stats(&heap);
    say_kib(report, "MemTotal", frames.total);
    say_kib(report, "MemFree", frames.free);
    say_kib(report, "MemAvailable", frames.free + less(cache.pages, cache.dirty + cache.writing));
    say_kib(report, "Buffers", 0);
    say_kib(report, "Cached", cache.pages);
    say_kib(report, "Dirty", cache.dirty);
    say_kib(report, "Writeback", cache.writing);
    say_kib(report, "SwapTotal", 0);
    say_kib(report, "SwapFree", 0);
    say_kib(report, "Slab", heap.frames);
    say_kib(report, "FrameTable", frames.metadata);
    return 0;
}

/* A name without blanks, as the columns want it. */
static const char *cache_name(const struct object_cache_info *info)
{
    return info->name[0] != '\0' ? info->name : "heap";
}

int proc_say_slabinfo(struct report *report)
{
    struct object_cache_info info;

    report_add(report, "slabinfo - version: 2.1\n"
                       "# name            <active_objs> <num_objs> <objsize> <objperslab> "
                       "<pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata "
                       "<active_slabs> <num_slabs> <sharedavail>\n");
    for (unsigned i = 0; object_cache_read_info(i, &info) == 0; i++) {
        uint64_t slabs = info.slabs > 0 ? info.slabs : 1;

        report_add(report,
                   "%-17s %6llu %6llu %6zu %4llu %4llu : tunables 0 0 0 : slabdata %6llu %6llu 0\n",
                   cache_name(&info), (unsigned long long)info.live, (unsigned long long)info.total,
                   info.bytes, (unsigned long long)(info.total / slabs),
                   (unsigned long long)(info.frames / slabs), (unsigned long long)info.slabs,
                   (unsigned long long)info.slabs);
    }
    return 0;
}
