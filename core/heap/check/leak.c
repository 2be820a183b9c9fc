/* SPDX-License-Identifier: MIT */
/*
 * leak.c: the sites' counts, compared with what they were at the first prompt.
 */
#include "heap/leak.h"

#include "heap/heap.h"
#include "lib/log.h"

void heap_leaks_begin(void)
{
    for (unsigned i = 0; i < alloc_site_total(); i++) {
        struct alloc_count *count = alloc_site_at(i)->count;

        count->settled_blocks = __atomic_load_n(&count->blocks, __ATOMIC_RELAXED);
        count->settled_bytes = __atomic_load_n(&count->bytes, __ATOMIC_RELAXED);
    }
}

bool heap_next_leak(unsigned *number, struct heap_leak *leak)
{
    while (*number < alloc_site_total()) {
        const struct alloc_site *site = alloc_site_at((*number)++);
        const struct alloc_count *count = site->count;

        *leak = (struct heap_leak){
            .site = site,
            .blocks = __atomic_load_n(&count->blocks, __ATOMIC_RELAXED) - count->settled_blocks,
            .bytes = __atomic_load_n(&count->bytes, __ATOMIC_RELAXED) - count->settled_bytes};
        if (site->use == ALLOC_ORDINARY && leak->blocks > 0)
            return true;
    }
    return false;
}

unsigned heap_report_leaks(void)
{
    struct heap_leak leak;
    unsigned number = 0, leaks = 0;

    while (heap_is_checked() && heap_next_leak(&number, &leak)) {
        klog(KLOG_WARNING, "leak: %lld block%s, %lld bytes, allocated at %s:%u",
             (long long)leak.blocks, leak.blocks == 1 ? "" : "s", (long long)leak.bytes,
             alloc_site_file(leak.site), leak.site->line);
        leaks++;
    }
    return leaks;
}
