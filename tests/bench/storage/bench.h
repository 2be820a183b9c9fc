/* SPDX-License-Identifier: MIT */
/*
 * bench.h: what the sides of the storage benchmark share. The kernel's side runs in a simulated
 * machine of this process and does one job each time it is started; main.c says which, does the
 * same beside it by the host's own means, and prints the tables.
 *
 * Times are ns by the clock on the wall, for a part of the work is waiting for the host's disk; of
 * one file also those of the processor, which other programs spoil less.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum bench_job {
    BENCH_DATA,  /* one file: written, read, at random places */
    BENCH_FILES, /* many files in one directory */
    BENCH_LEAVE, /* many files are made, and stay */
    BENCH_COSTS, /* sectors written by each operation */
    BENCH_MOUNT  /* the volume is mounted again and again */
};

enum bench_data {
    DATA_WRITE_NEW,    /* a file that was not there, with fsync */
    DATA_WRITE_OVER,   /* the same bytes again, with fsync */
    DATA_READ_DISK,    /* neither kernel nor host has any of it in memory */
    DATA_READ_COLD,    /* the host has, the kernel has not */
    DATA_READ_WARM,    /* again */
    DATA_RANDOM_COLD,  /* 4 KiB here and there, after mounting anew */
    DATA_RANDOM_WARM,  /* again */
    DATA_RANDOM_WRITE, /* with one fsync behind them */
    DATA_ROWS
};

#define BENCH_PIECE 65536u       /* bytes of a sequential read or write */
#define BENCH_RANDOM_PIECE 4096u /* bytes of a random one */
#define BENCH_RANDOM_COUNT 8192u

enum bench_files {
    FILES_CREATE, /* with sync */
    FILES_STAT,   /* each by its name, after mounting anew */
    FILES_AGAIN,  /* once more */
    FILES_LIST,   /* the directory, after mounting anew */
    FILES_RENAME, /* each, in the directory, with sync */
    FILES_DELETE, /* each, with sync */
    FILES_ROWS
};

#define BENCH_SIZES 3u
extern const unsigned bench_sizes[BENCH_SIZES];

/** The name of file `number` in the benchmarks of many: 48 characters. */
#define BENCH_NAME "A rather long name of a file, number %06u.text"

#define BENCH_COSTS_MAX 20u

struct bench_cost {
    const char *name;
    const char *minimum;           /* what the rules of order need, as a sum */
    unsigned sectors, flushes;     /* ... and its result */
    unsigned did_write, did_flush; /* what was counted */
    unsigned requests;
};

#define BENCH_MOUNTS 20u

struct bench_order {
    enum bench_job job;
    unsigned bytes;    /* of the file */
    unsigned size;     /* how many files BENCH_LEAVE makes */
    const char *error; /* what went wrong, or NULL */
    int number;        /* its errno number, negative */

    uint64_t data[DATA_ROWS], processor[DATA_ROWS];
    struct bench_traffic {
        uint64_t requests, sectors, flushes; /* that the card was asked for */
    } traffic[DATA_ROWS];
    uint64_t files[FILES_ROWS][BENCH_SIZES]; /* for all files */
    uint64_t file_flushes[FILES_ROWS];       /* with the most files */
    struct bench_cost costs[BENCH_COSTS_MAX];
    unsigned costs_count;
    uint64_t mount_ns, mount_worst_ns; /* the fastest and the slowest of BENCH_MOUNTS */
    uint64_t recover_ns;               /* of a volume that was left in use */
    uint64_t count_ns;                 /* counting its free clusters */
};

extern struct bench_order bench_order;

/** Has the host forget what it has of the image in memory, if it is on a disk. Calls the host. */
void bench_forget(void);

/** The processor time of this process, in ns. Calls the host. */
uint64_t bench_processor(void);

/** A number from 0 to `limit` - 1, for both sides the same row of them. */
static inline uint32_t bench_random(uint64_t *state, uint32_t limit)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((*state >> 33) % limit);
}

/** The least of those that were measured. */
static inline void bench_keep_best(uint64_t *best, uint64_t ns)
{
    if (*best == 0 || ns < *best)
        *best = ns;
}
