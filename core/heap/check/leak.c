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
        const struct alloc_site *site = alloc_site_at(i);

        site->count->settled = alloc_live_of(site);
    }
}

bool heap_next_leak(unsigned *number, struct heap_leak *leak)
{
    while (*number < alloc_site_total()) {
        const struct alloc_site *site = alloc_site_at((*number)++);
        const struct alloc_live live = alloc_live_of(site), *settled = &site->count->settled;

        *leak = (struct heap_leak){.site = site,
                                   .blocks = live.blocks - settled->blocks,
                                   .bytes = live.bytes - settled->bytes};
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
