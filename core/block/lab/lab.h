/* SPDX-License-Identifier: MIT */
/*
 * lab.h: elevators on paper: the same requests under each kind, in virtual time.
 *
 * The elevators are those of the kernel (block/queue/elevator.h); the disk is a model
 * (block/disks/seek.h) that serves one request at a time, without merging. All is computed, nothing
 * is read, and the same words give the same numbers each time.
 */
#pragma once

#include "block/disks/seek.h"
#include "block/queue/elevator.h"
#include "block/request.h"

#include <stddef.h>

#define LAB_REQUESTS_MAX 256u

struct lab_stream {
    struct lab_entry {
        uint64_t arrival;             /**< ns; not before the one before it */
        struct block_request request; /**< `at` and `sectors` count */
        uint64_t begun;
        unsigned passed; /**< by requests that came later */
    } entries[LAB_REQUESTS_MAX];
    unsigned count;
};

/** What one kind made of the stream. */
struct lab_result {
    const struct elevator_kind *kind;
    uint64_t movement;  /**< sectors that the arm passed over */
    uint64_t mean_wait; /**< ns from arrival until it is begun */
    uint64_t most_wait;
    uint64_t end;    /**< ns until the last is done */
    unsigned passed; /**< how often the most unlucky request was */
    uint64_t hurried;
};

struct elevator_lab {
    struct seek_model model;
    uint64_t start; /**< where the arm is at first */
    unsigned bound;
    /* Of streams that are made here. */
    const char *pattern;
    uint64_t seed;
    unsigned requests;
    uint64_t gap;                  /**< mean ns between arrivals; 0: all at once */
    char past[BLOCK_NAME_MAX + 1]; /**< the device whose last requests are taken; "": none */
    struct lab_stream stream;
};

/**
 * Reads words[0 .. count): options NAME=VALUE, and sector numbers, and makes the stream. Returns 0;
 * or -EINVAL, with a sentence in `error`.
 */
HAL_MUST_CHECK int elevator_lab_read(struct elevator_lab *lab, char *const *words, unsigned count,
                                     char *error, size_t size);

/** Runs the stream under `kind`. */
struct lab_result elevator_lab_run(struct elevator_lab *lab, const struct elevator_kind *kind);

/** Runs it under all kinds and prints a line for each, 79 columns at most, without newlines. */
void elevator_lab_report(struct elevator_lab *lab, void (*print)(void *context, const char *line),
                         void *context);
