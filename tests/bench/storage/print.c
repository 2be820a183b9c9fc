/* SPDX-License-Identifier: MIT */
/*
 * print.c: the tables of the storage benchmark. docs/BENCHMARKS.md says what the rows are.
 */
#include "host.h"

#include <stdio.h>

#define RATIO_AIM 0.7
#define MTOOLS_AIM 5.0
#define FLAT_AIM 1.5 /* times as long for one of 10,000 as for one of 100, at most */
#define MOUNT_AIM 20000000u

static const char *verdict(bool met)
{
    return met ? "met" : "NOT MET";
}

/* ---- one file ---- */

static void print_rate(uint64_t ns, bool sequential, unsigned bytes)
{
    if (sequential)
        printf(" %7.0f MB/s", (double)bytes * 1e3 / (double)ns);
    else
        printf(" %9.2f us", (double)ns / 1e3 / BENCH_RANDOM_COUNT);
}

void print_data(const char *title, const struct data_times *kernel, const struct data_times *host,
                unsigned bytes)
{
    static const char *const names[DATA_ROWS] = {
        "write a new file, fsync",  "write over it, fsync",  "read, from the host's disk",
        "read, host has it",        "read, both have it",    "read 4 KiB, host has it",
        "read 4 KiB, both have it", "write 4 KiB, one fsync"};

    printf("\n%-28s%13s%13s%7s  %-7s%19s%10s%9s%8s\n", title, "kernel", "host", "ratio", "aim",
           "ms of processor", "requests", "sectors", "flushes");
    for (unsigned row = 0; row < DATA_ROWS; row++) {
        const struct bench_traffic *traffic = &bench_order.traffic[row];
        double ratio = (double)host->wall[row] / (double)kernel->wall[row];
        bool sequential = row < DATA_RANDOM_COLD;

        printf("%-28s", names[row]);
        print_rate(kernel->wall[row], sequential, bytes);
        print_rate(host->wall[row], sequential, bytes);
        printf("%7.2f  %-7s%10.2f : %6.2f%10u%9u%8u\n", ratio,
               sequential ? verdict(ratio >= RATIO_AIM) : "", (double)kernel->processor[row] / 1e6,
               (double)host->processor[row] / 1e6, (unsigned)traffic->requests,
               (unsigned)traffic->sectors, (unsigned)traffic->flushes);
    }
}

/* ---- many files ---- */

static void print_row(const char *name, enum bench_files row, const uint64_t *ns, bool aim)
{
    double first = (double)ns[0] / bench_sizes[0],
           last = (double)ns[BENCH_SIZES - 1] / bench_sizes[BENCH_SIZES - 1];

    printf("%-32s", name);
    for (unsigned size = 0; size < BENCH_SIZES; size++)
        printf(" %9.2f us", (double)ns[size] / 1e3 / bench_sizes[size]);
    printf(" %8.2f   %-7s %8u\n", last / first, aim ? verdict(last <= first * FLAT_AIM) : "",
           (unsigned)bench_order.file_flushes[row]);
}

static double times_faster(uint64_t theirs, uint64_t start, uint64_t ours)
{
    return theirs > start ? (double)(theirs - start) / (double)ours : 0;
}

static void print_against(const char *name, const char *more, uint64_t theirs, uint64_t start,
                          uint64_t ours)
{
    double times = times_faster(theirs, start, ours);

    printf("%-32s %9.2f ms %9.2f ms %s%8.1f x   %s\n", name, (double)ours / 1e6,
           theirs > start ? (double)(theirs - start) / 1e6 : 0.0, more, times,
           verdict(times >= MTOOLS_AIM));
}

void print_files(uint64_t files[FILES_ROWS][BENCH_SIZES], const struct mtools_times *mtools,
                 bool present)
{
    printf("\n%-32s", "time for each file, of so many");
    for (unsigned size = 0; size < BENCH_SIZES; size++)
        printf(" %12u", bench_sizes[size]);
    printf(" %8s   %-7s %8s\n", "last/1st", "aim", "flushes");
    print_row("create, sync", FILES_CREATE, files[FILES_CREATE], true);
    print_row("stat by name, cold", FILES_STAT, files[FILES_STAT], true);
    print_row("stat by name, again", FILES_AGAIN, files[FILES_AGAIN], true);
    print_row("list the directory, cold", FILES_LIST, files[FILES_LIST], false);
    print_row("rename, sync", FILES_RENAME, files[FILES_RENAME], true);
    print_row("delete, sync", FILES_DELETE, files[FILES_DELETE], true);
    for (unsigned size = 0; present && size < BENCH_SIZES; size++) {
        const struct mtools_times *times = &mtools[size];

        printf("\n%5u files beside mtools         %12s %12s   faster   aim\n", bench_sizes[size],
               "kernel", "mtools");
        print_against("create: mcopy", times->create_ended ? "" : "and more: ", times->create,
                      times->start, files[FILES_CREATE][size]);
        print_against("list: mdir", "", times->list, times->start, files[FILES_LIST][size]);
        print_against("delete: mdel", "", times->delete, times->start, files[FILES_DELETE][size]);
    }
}

/* ---- sectors ---- */

static void print_least(unsigned least)
{
    if (least > 0)
        printf("%8u ", least);
    else
        printf("%8s ", "-");
}

void print_costs(void)
{
    printf("\n%-36s %8s %8s %8s %8s   %s\n", "sectors and flushes of", "sectors", "at least",
           "flushes", "at least", "the least is");
    for (unsigned i = 0; i < bench_order.costs_count; i++) {
        const struct bench_cost *cost = &bench_order.costs[i];

        printf("%-36s %8u ", cost->name, cost->did_write);
        print_least(cost->sectors);
        printf("%8u ", cost->did_flush);
        print_least(cost->flushes);
        printf("  %s\n", cost->minimum);
    }
}

/* ---- mounts ---- */

void print_mount(uint64_t bytes)
{
    printf("\nmount of %llu GiB: %.2f ms at best of %u, %.2f at worst; aim: under 20 ms: %s\n",
           (unsigned long long)(bytes >> 30), (double)bench_order.mount_ns / 1e6, BENCH_MOUNTS,
           (double)bench_order.mount_worst_ns / 1e6, verdict(bench_order.mount_ns < MOUNT_AIM));
    printf("its free clusters counted: %.2f ms; mount after it was left in use: %.2f ms\n",
           (double)bench_order.count_ns / 1e6, (double)bench_order.recover_ns / 1e6);
}
