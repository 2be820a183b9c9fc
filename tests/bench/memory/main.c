/* SPDX-License-Identifier: MIT */
/*
 * main.c: the driver of the memory benchmark: runs one workload on this program's side, once.
 *
 *     bench-memory-SIDE time|footprint WORKLOAD [--trace FILE] [--allocator NAME]
 *
 * prints "pairs P ns T null N" (the fastest round, and the fastest that allocates nothing), or
 * "live L occupied O" in bytes. memory.py calls it for every side in turn. It makes all that it
 * needs itself before the side runs, without malloc.
 */

#include "work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

static const struct work {
    const char *name;
    enum work_kind kind;
    unsigned live, pairs, rounds;
} works[] = {
    {"pairs", WORK_PAIRS, 1, 1000000, 8},    {"small", WORK_SMALL, 100000, 500000, 8},
    {"mixed", WORK_MIXED, 10000, 300000, 8}, {"trace", WORK_TRACE, 1, 0, 8},
    {"grow", WORK_GROW, 100000, 0, 8},       {"grow-mixed", WORK_GROW_MIXED, 10000, 0, 8},
    {"pages", WORK_PAGES, 1, 1000000, 8},
};

static _Noreturn void usage(void)
{
    fprintf(stderr, "usage: bench-memory-SIDE time|footprint WORKLOAD [--trace FILE]"
                    " [--allocator NAME]\n");
    exit(EXIT_FAILURE);
}

/* Memory of zeros that is there to the last page. */
static void *map(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    if (memory == MAP_FAILED) {
        perror("bench-memory");
        exit(EXIT_FAILURE);
    }
    return memory;
}

uint64_t work_clock(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void choose_work(const char *name)
{
    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++)
        if (strcmp(name, works[i].name) == 0) {
            work_order.kind = works[i].kind;
            work_order.live = works[i].live;
            work_order.pairs = works[i].pairs;
            work_order.rounds = works[i].rounds;
            return;
        }
    usage();
}

static void read_options(int argc, char **argv)
{
    if (argc < 3 || (strcmp(argv[1], "time") != 0 && strcmp(argv[1], "footprint") != 0))
        usage();
    work_order.footprint = strcmp(argv[1], "footprint") == 0;
    choose_work(argv[2]);
    for (int i = 3; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--trace") == 0) {
            if (!trace_read(argv[i + 1], &work_order.trace))
                exit(EXIT_FAILURE);
        } else if (strcmp(argv[i], "--allocator") != 0 || !side_option(argv[i + 1])) {
            usage();
        }
    }
}

int main(int argc, char **argv)
{
    size_t blocks;

    read_options(argc, argv);
    blocks =
        work_order.trace.objects > work_order.live ? work_order.trace.objects : work_order.live;
    work_order.blocks = map(blocks * sizeof *work_order.blocks);
    work_order.bytes = map(blocks * sizeof *work_order.bytes);
    if (!side_run())
        return EXIT_FAILURE;
    if (work_result.failed)
        printf("failed\n");
    else if (work_order.footprint)
        printf("live %llu occupied %llu\n", (unsigned long long)work_result.live,
               (unsigned long long)work_result.occupied);
    else
        printf("pairs %llu ns %llu null %llu\n", (unsigned long long)work_result.pairs,
               (unsigned long long)work_result.ns, (unsigned long long)work_result.null_ns);
    return EXIT_SUCCESS;
}
