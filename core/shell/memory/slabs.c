/* SPDX-License-Identifier: MIT */
/*
 * slabs.c: the object caches: what each is for, and how full its slabs are.
 *
 * A cache without a name is one that the heap makes for itself: headers of slabs, stacks. With
 * another allocator than slab there are no slabs, and with checks on objects are blocks of kmalloc:
 * then a named cache counts its objects and has no memory of its own.
 */
#include "shell/memory/mem.h"

#include "heap/cache.h"
#include "heap/heap.h"
#include "lib/string.h"
#include "shell/commands/command.h"
#include "thread/thread.h"
#include "tty/tty.h"

static void slabs_print_head(void)
{
    tty_print("CACHE             BYTES     LIVE    TOTAL  CACHED   SLABS     KiB    USE\n");
}

/* USE is the share of the slabs' memory that objects in use have. */
static void slabs_print(const struct object_cache_info *info)
{
    uint64_t bytes = info->frames * HAL_PAGE_SIZE;
    uint64_t permille = bytes > 0 ? info->live * info->bytes * 1000 / bytes : 0;
    const char *name = info->name[0] != '\0' ? info->name : "(heap's own)";

    tty_print("%-16s %6zu %8llu %8llu %7llu %7llu %7llu %3llu.%llu %%\n", name, info->bytes,
              (unsigned long long)info->live, (unsigned long long)info->total,
              (unsigned long long)info->magazines, (unsigned long long)info->slabs,
              mem_kib(info->frames), (unsigned long long)permille / 10,
              (unsigned long long)permille % 10);
}

void command_slabs(struct job *job)
{
    struct object_cache_info info;
    bool all = job->args.count == 2 && string_equal(job->args.words[1], "-a");
    uint64_t frames = 0, live = 0;
    unsigned i = 0;

    if (job->args.count > 1 && !all) {
        command_usage(job, "slabs takes nothing but -a");
        return;
    }
    slabs_print_head();
    for (; object_cache_read_info(i, &info) == 0 && !thread_cancelled(); i++) {
        if (all || info.frames > 0 || info.allocations > 0)
            slabs_print(&info);
        frames += info.frames;
        live += info.live * info.bytes;
    }
    tty_print("%u caches; %llu KiB of slabs, of which objects in use have %llu KiB\n", i,
              mem_kib(frames), (unsigned long long)live / 1024);
    if (frames == 0)
        tty_print("The heap's allocator is %s, which has no slabs.\n", heap_allocator_name());
}

static uint64_t slabs_key(unsigned number, const void *context)
{
    struct object_cache_info info;

    (void)context;
    return object_cache_read_info(number, &info) == 0 ? info.frames : 0;
}

void mem_print_caches(unsigned count)
{
    struct mem_ranking ranking = {{0}};
    struct object_cache_info info;
    unsigned total = 0, number;
    bool first = true;

    while (object_cache_read_info(total, &info) == 0)
        total++;
    for (; count > 0 && mem_rank_next(&ranking, total, slabs_key, NULL, &number); count--) {
        if (first)
            slabs_print_head();
        first = false;
        if (object_cache_read_info(number, &info) == 0)
            slabs_print(&info);
    }
}
