/* SPDX-License-Identifier: MIT */
/*
 * top.c: mem top and mem leaks: the lines of the source that allocate most, and those that hold
 * more than they did at the first prompt.
 */
#include "shell/memory/mem.h"

#include "heap/heap.h"
#include "heap/leak.h"
#include "lib/string.h"
#include "shell/commands/command.h"
#include "thread/thread.h"
#include "tty/tty.h"

#define TOP_DEFAULT 10u

enum top_order { TOP_BYTES, TOP_CALLS, TOP_FAILURES, TOP_ORDERS };

static uint64_t top_key(unsigned number, const void *context)
{
    struct hal_alloc_site site;

    if (!hal_inspect_site(number, &site))
        return 0;
    switch (*(const enum top_order *)context) {
    case TOP_CALLS:
        return site.calls;
    case TOP_FAILURES:
        return site.failures;
    default:
        return site.bytes > 0 ? (uint64_t)site.bytes : 0;
    }
}

/* Without "core/", so that a line has 80 columns; `fail_alloc=` knows a site by the end of its
 * path.
 */
static const char *top_file(const char *file)
{
    return string_starts_with(file, "core/") ? file + string_length("core/") : file;
}

static void top_print(unsigned number)
{
    struct hal_alloc_site site;

    if (!hal_inspect_site(number, &site))
        return;
    tty_print("%9lld %7lld %9llu %6llu  %-14s %s:%u\n", (long long)site.bytes,
              (long long)site.blocks, (unsigned long long)site.calls,
              (unsigned long long)site.failures, mem_kind_name(HAL_FRAME_TAGS + site.tag),
              top_file(site.file), site.line);
}

static void top_print_sum(void)
{
    unsigned total = alloc_site_total(), unused = 0;
    struct hal_alloc_site site;

    if (!heap_is_checked())
        tty_print(
            "BYTES and BLOCKS are those of page frames: objects are counted with checks=1.\n");
    if (heap_is_plain()) {
        tty_print("So are CALLS.\n");
        return;
    }
    for (unsigned i = 0; hal_inspect_site(i, &site); i++)
        unused += site.calls == 0 && site.blocks == 0;
    tty_print("%u sites allocate memory; %u of them have not since power-on\n", total, unused);
}

/* Reads `mem top [ORDER] [COUNT]`. False: an error was printed. */
static bool top_read(const struct job *job, enum top_order *order, uint64_t *count)
{
    static const char *const names[TOP_ORDERS] = {"bytes", "calls", "failures"};
    unsigned at = 2, found = TOP_ORDERS;

    *order = TOP_BYTES;
    *count = TOP_DEFAULT;
    for (unsigned i = 0; i < TOP_ORDERS && at < job->args.count; i++)
        found = string_equal(job->args.words[at], names[i]) ? i : found;
    if (found < TOP_ORDERS) {
        *order = (enum top_order)found;
        at++;
    }
    if (at < job->args.count && !command_number(job, job->args.words[at++], MEM_RANKED, count))
        return false;
    if (at == job->args.count)
        return true;
    command_usage(job, "mem top takes an order (bytes, calls, failures) and how many lines");
    return false;
}

void mem_top(struct job *job)
{
    struct mem_ranking ranking = {{0}};
    enum top_order order;
    uint64_t count;
    unsigned number;

    if (!top_read(job, &order, &count))
        return;
    tty_print("    BYTES  BLOCKS     CALLS FAILED  TAG            SITE\n");
    for (; count > 0 && !thread_cancelled(); count--) {
        if (!mem_rank_next(&ranking, alloc_site_total(), top_key, &order, &number))
            break;
        top_print(number);
    }
    top_print_sum();
}

void mem_leaks(struct job *job)
{
    struct heap_leak leak;
    unsigned number = 0;

    if (job->args.count != 2) {
        command_usage(job, "mem leaks takes nothing more");
        return;
    }
    tty_print("What is live beyond the first prompt, this command's own thread too:\n"
              "    BYTES  BLOCKS  TAG            SITE\n");
    while (heap_next_leak(&number, &leak) && !thread_cancelled())
        tty_print("%9lld %7lld  %-14s %s:%u\n", (long long)leak.bytes, (long long)leak.blocks,
                  alloc_tag_name(alloc_site_tag(leak.site)), top_file(alloc_site_file(leak.site)),
                  leak.site->line);
    if (!heap_is_checked())
        tty_print("Objects are counted with the boot word checks=1; these are page frames.\n");
}
