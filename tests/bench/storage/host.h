/* SPDX-License-Identifier: MIT */
/*
 * host.h: the host's side of the storage benchmark: images of cards, plain reads and writes of
 * them, mtools, and the tables.
 */
#pragma once

#include "bench.h"

#include <stdbool.h>
#include <stdint.h>

/** Ends the program with a message. */
_Noreturn void give_up(const char *what);

uint64_t wall_clock(void);

/** The number in the environment variable `name`, or what is usual. */
unsigned number(const char *name, unsigned usual);

/* ---- cards.c ---- */

/**
 * Makes the image `path` with a volume of `bytes` and `tail` bytes behind it. `cluster`: bytes, 0:
 * what is usual. `dense`: every block of the file has been written, so that none must be found when
 * it is measured.
 */
void card_make(const char *path, uint64_t bytes, uint64_t tail, uint32_t cluster, bool dense);

/** Starts a machine with that card, whose kernel does `job`. */
void card_run(const char *path, enum bench_job job);

/* ---- host.c ---- */

/** Which image bench_forget is about. */
void bench_image(const char *path);

/** The same as BENCH_DATA by plain calls, on the bytes from `offset` on of the image. */
void plain_measure(const char *path, uint64_t offset, unsigned bytes, uint64_t *data,
                   uint64_t *processor);

/* ---- mtools.c ---- */

struct mtools_times {
    uint64_t start; /* of a program that does next to nothing */
    uint64_t create, list, delete;
    bool create_ended; /* or took longer than it was given */
};

/** False: it is not installed. */
bool mtools_present(void);

/**
 * Copies `count` empty files into a directory of the volume, unless that takes longer than
 * `seconds`; lists and deletes as many. `path`: an empty volume; `full`: one that has them already;
 * `folder`: a directory that is not there yet.
 */
void mtools_measure(const char *path, const char *full, const char *folder, unsigned count,
                    unsigned seconds, struct mtools_times *times);

/* ---- print.c ---- */

/* One side's times of all rows. */
struct data_times {
    uint64_t wall[DATA_ROWS], processor[DATA_ROWS];
};

void print_data(const char *title, const struct data_times *kernel, const struct data_times *host,
                unsigned bytes);
void print_files(uint64_t files[FILES_ROWS][BENCH_SIZES], const struct mtools_times *mtools,
                 bool present);
void print_costs(void);
void print_mount(uint64_t bytes);
