/* SPDX-License-Identifier: MIT */
/*
 * main.c: the driver of the storage benchmark: has the kernel and the host do the same in turns on
 * one image of a card, and prints the tables.
 *
 *     bench-storage FOLDER [data | files | costs | mount]
 *
 * keeps its images in a new folder in FOLDER, those of `files` in one in /dev/shm, which it removes
 * at its end. Each figure is the best
 * of TAYBERRY_PASSES (3) passes, for noise only ever adds. TAYBERRY_MIB sets the size of the file
 * (64), TAYBERRY_LIMIT how many seconds mcopy may take (20), TAYBERRY_APPEND the kernel's command
 * line.
 */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VOLUME (320ull << 20) /* with clusters of 4 KiB it is FAT32 for everybody */
#define CLUSTER 4096u
#define LARGE (64ull << 30)

const unsigned bench_sizes[BENCH_SIZES] = {100, 1000, 10000};

struct bench_order bench_order;

static char folder[256], card[300], other[300], many[300];

static void leave_folder(void)
{
    if (folder[0]) {
        (void)unlink(card);
        (void)unlink(other);
        (void)rmdir(folder);
    }
    folder[0] = '\0';
}

static bool enter_folder(const char *where)
{
    leave_folder();
    snprintf(folder, sizeof folder, "%s/bench-storage-XXXXXX", where);
    if (!mkdtemp(folder)) {
        folder[0] = '\0';
        return false;
    }
    snprintf(card, sizeof card, "%s/card.img", folder);
    snprintf(other, sizeof other, "%s/other.img", folder);
    snprintf(many, sizeof many, "%s/many", folder);
    return true;
}

_Noreturn void give_up(const char *what)
{
    fprintf(stderr, "bench-storage: %s\n", what);
    exit(EXIT_FAILURE);
}

unsigned number(const char *name, unsigned usual)
{
    const char *text = getenv(name);

    return text && atoi(text) > 0 ? (unsigned)atoi(text) : usual;
}

static void keep_best(uint64_t *best, const uint64_t *now, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        bench_keep_best(&best[i], now[i]);
}

static void do_data(const char *title, uint32_t cluster, unsigned passes)
{
    struct data_times kernel = {{0}, {0}}, host = {{0}, {0}}, now;

    bench_order.bytes = number("TAYBERRY_MIB", 64) << 20;
    card_make(card, VOLUME, bench_order.bytes, cluster, true);
    for (unsigned pass = 0; pass < passes; pass++) {
        card_run(card, BENCH_DATA);
        keep_best(kernel.wall, bench_order.data, DATA_ROWS);
        keep_best(kernel.processor, bench_order.processor, DATA_ROWS);
        plain_measure(card, VOLUME, bench_order.bytes, now.wall, now.processor);
        keep_best(host.wall, now.wall, DATA_ROWS);
        keep_best(host.processor, now.processor, DATA_ROWS);
    }
    print_data(title, &kernel, &host, bench_order.bytes);
}

/* mtools copies into an empty volume, and lists and deletes what the kernel has made. */
static void ask_mtools(struct mtools_times *times)
{
    for (unsigned size = 0; size < BENCH_SIZES; size++) {
        bench_order.size = bench_sizes[size];
        card_make(card, VOLUME, 0, CLUSTER, true);
        card_make(other, VOLUME, 0, CLUSTER, true);
        card_run(other, BENCH_LEAVE);
        mtools_measure(card, other, many, bench_sizes[size], number("TAYBERRY_LIMIT", 20),
                       &times[size]);
    }
}

static void do_files(unsigned passes)
{
    uint64_t best[FILES_ROWS][BENCH_SIZES] = {0};
    struct mtools_times times[BENCH_SIZES] = {0};

    card_make(card, VOLUME, 0, CLUSTER, true);
    for (unsigned pass = 0; pass < passes; pass++) {
        card_run(card, BENCH_FILES);
        keep_best(best[0], bench_order.files[0], FILES_ROWS * BENCH_SIZES);
    }
    if (mtools_present())
        ask_mtools(times);
    print_files(best, times, mtools_present());
}

static void do_costs(void)
{
    card_make(card, VOLUME, 0, CLUSTER, false);
    card_run(card, BENCH_COSTS);
    print_costs();
}

static void do_mount(void)
{
    card_make(card, LARGE, 0, 0, false);
    card_run(card, BENCH_MOUNT);
    print_mount(LARGE);
}

int main(int argc, char **argv)
{
    const char *where = argc > 1 ? argv[1] : "/tmp";
    const char *only = argc > 2 ? argv[2] : NULL;
    unsigned passes = number("TAYBERRY_PASSES", 3);

    if (!enter_folder(where))
        give_up("cannot make a folder for the images");
    atexit(leave_folder);
    printf("# %u passes; the best of each\n", passes);
    if (!only || strcmp(only, "data") == 0)
        for (unsigned i = 0; i < 2; i++)
            do_data(i ? "clusters of 4 KiB" : "clusters of 32 KiB", i ? CLUSTER : 32768, passes);
    if (!only || strcmp(only, "costs") == 0)
        do_costs();
    if (!only || strcmp(only, "mount") == 0)
        do_mount();
    if (!only || strcmp(only, "files") == 0) {
        /* Where a flush costs nothing, because mtools does not flush. */
        if (!enter_folder("/dev/shm") && !enter_folder(where))
            give_up("cannot make a folder for the images");
        do_files(passes);
    }
    return EXIT_SUCCESS;
}
