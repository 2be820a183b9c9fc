/* SPDX-License-Identifier: MIT */
/*
 * inspect.c: the heap's answers to whoever looks in from outside (hal/inspect.h): sites, tags,
 * allocations, and which of them fail. They read what is constant after boot and counters.
 */
#include "heap/fail.h"

#include <hal/inspect.h>

const char *hal_inspect_tag(unsigned tag)
{
    return alloc_tag_name(tag);
}

bool hal_inspect_site(unsigned number, struct hal_alloc_site *out)
{
    const struct alloc_site *site;

    if (number >= alloc_site_total())
        return false;
    site = alloc_site_at(number);
    *out = (struct hal_alloc_site){
        .file = alloc_site_file(site),
        .line = site->line,
        .tag = alloc_site_tag(site),
        .calls = __atomic_load_n(&site->count->calls, __ATOMIC_RELAXED),
        .failures = __atomic_load_n(&site->count->failures, __ATOMIC_RELAXED),
        .blocks = __atomic_load_n(&site->count->blocks, __ATOMIC_RELAXED),
        .bytes = __atomic_load_n(&site->count->bytes, __ATOMIC_RELAXED),
    };
    return true;
}

void hal_inspect_fail(const struct hal_fail_plan *plan)
{
    alloc_fail_set(plan);
}

uint64_t hal_inspect_allocations(void)
{
    return alloc_attempts();
}
