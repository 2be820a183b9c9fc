/* SPDX-License-Identifier: MIT */
/*
 * paper.h: a disk whose driver does nothing: the test sees what it was given, in which order, and
 * says when and how each ends.
 */
#pragma once

#include "block/disk.h"

#include <stdbool.h>
#include <stdint.h>

#define PAPER_SECTORS 4096u
#define PAPER_LOG 8192u

struct paper {
    struct block_disk disk;
    uint8_t image[PAPER_SECTORS]; /**< a byte stands for a sector's content */
    struct block_request *given[64];
    unsigned given_count;
    struct paper_start {
        struct block_request *request;
        enum block_op step;
        uint64_t at;
        uint32_t sectors;
    } log[PAPER_LOG]; /**< what was begun, in order */
    unsigned log_count;
    int refuse;   /**< start returns this, unless 0 */
    bool at_once; /**< each ends when it is begun */
    bool lets_go; /**< abort succeeds */
};

extern struct paper paper;

/** A fresh kernel, and the disk "paper0" with this depth and tries. */
void paper_start(const char *elevator, unsigned depth, unsigned retries);

/** Number `index` of those that were given ends: data moves, unless it is an error. */
void paper_end(unsigned index, int error);

/** All that were given end, and what is given then, too. */
void paper_end_all(void);

/** A request with a buffer, and how it ended. */
struct note {
    struct block_request request;
    struct block_vector vectors[4];
    uint8_t *data;
    unsigned ended; /**< how often */
    int error;
    uint64_t sequence; /**< of its end, from 1 on */
};

/** Makes and submits a request of `sectors` sectors at `at`; a write fills them with `value`. */
struct note *note_submit(enum block_op op, unsigned flags, uint64_t at, uint32_t sectors,
                         uint8_t value);

/** The first byte of sector `index` of the request's data. */
uint8_t note_byte(const struct note *note, uint32_t index);

/** Frees all notes. */
void notes_free(void);
