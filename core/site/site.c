/* SPDX-License-Identifier: MIT */
/*
 * site.c: the table of sites, which the linker made, and the tags that follow from their files.
 */
#include "site/site.h"

#include "lib/string.h"

#include <hal/inspect.h>
#include <hal/machine.h>
#include <hal/runtime.h>

/* Weak: a program that allocates nothing has no such section. */
extern const struct alloc_site *const __start_alloc_sites[] __attribute__((weak));
extern const struct alloc_site *const __stop_alloc_sites[] __attribute__((weak));

#define OTHER "other" /* tag 0, which also takes what no other has room for */

static KSTATE struct site_state {
    char tags[ALLOC_TAG_MAX][ALLOC_TAG_NAME_MAX + 1];
    unsigned tag_total;
} sites;

unsigned alloc_site_total(void)
{
    return (unsigned)(__stop_alloc_sites - __start_alloc_sites);
}

const struct alloc_site *alloc_site_at(unsigned number)
{
    return __start_alloc_sites[number];
}

const char *alloc_file(const char *file)
{
    const char *best = file;

    for (const char *at = file; *at; at++)
        if ((at == file || at[-1] == '/') &&
            (string_starts_with(at, "core/") || string_starts_with(at, "tests/")))
            best = at;
    return best;
}

struct alloc_live alloc_live_of(const struct alloc_site *site)
{
    struct alloc_live sum = {0};

    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++) {
        const struct alloc_live *live = &site->count->cpu[cpu].live;

        sum.blocks += __atomic_load_n(&live->blocks, __ATOMIC_RELAXED);
        sum.bytes += __atomic_load_n(&live->bytes, __ATOMIC_RELAXED);
    }
    return sum;
}

const char *alloc_site_file(const struct alloc_site *site)
{
    return alloc_file(site->file);
}

/* "core/fs/fat32/node.c": from "fs" to the last slash. */
static void write_tag(const struct alloc_site *site, char *tag)
{
    const char *file = alloc_site_file(site), *start = file, *end = file;

    for (const char *at = file; *at; at++)
        if (*at == '/')
            end = at;
    while (start < end && *start != '/')
        start++;
    start += start < end;
    if (end - start > (ptrdiff_t)ALLOC_TAG_NAME_MAX)
        end = start + ALLOC_TAG_NAME_MAX;
    memcpy(tag, start, (size_t)(end - start));
    tag[end - start] = '\0';
    if (start == end)
        (void)string_copy(tag, ALLOC_TAG_NAME_MAX + 1, OTHER);
}

/* The number of tag `name`, which is added if it is new and there is room. */
static unsigned find_tag(const char *name)
{
    unsigned i = 0;

    while (i < sites.tag_total && !string_equal(sites.tags[i], name))
        i++;
    if (i < sites.tag_total)
        return i;
    if (i == ALLOC_TAG_MAX - 1)
        return 0;
    (void)string_copy(sites.tags[sites.tag_total++], ALLOC_TAG_NAME_MAX + 1, name);
    return i;
}

unsigned alloc_tag_total(void)
{
    return sites.tag_total;
}

const char *alloc_tag_name(unsigned tag)
{
    return tag < sites.tag_total ? sites.tags[tag] : NULL;
}

void alloc_site_init(void)
{
    char tag[ALLOC_TAG_NAME_MAX + 1];

    (void)find_tag(OTHER);
    for (unsigned i = 0; i < alloc_site_total(); i++) {
        struct alloc_count *count = alloc_site_at(i)->count;

        write_tag(alloc_site_at(i), tag);
        count->number = (uint16_t)i;
        count->tag = (uint16_t)find_tag(tag);
    }
}

/* ---- for those who look in from outside: what is constant after boot, and counters ---- */

const char *hal_inspect_tag(unsigned tag)
{
    return alloc_tag_name(tag);
}

bool hal_inspect_site(unsigned number, struct hal_alloc_site *out)
{
    const struct alloc_site *site;
    struct alloc_live live;

    if (number >= alloc_site_total())
        return false;
    site = alloc_site_at(number);
    live = alloc_live_of(site);
    *out = (struct hal_alloc_site){
        .file = alloc_site_file(site),
        .line = site->line,
        .tag = alloc_site_tag(site),
        .calls = __atomic_load_n(&site->count->calls, __ATOMIC_RELAXED),
        .failures = __atomic_load_n(&site->count->failures, __ATOMIC_RELAXED),
        .blocks = live.blocks,
        .bytes = live.bytes,
    };
    return true;
}
