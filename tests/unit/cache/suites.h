/* SPDX-License-Identifier: MIT */
/*
 * suites.h: what tests of the page cache share: a medium that can fail.
 */
#pragma once

#include "../fake_hal.h"
#include "cache/cache.h"
#include "cache/page/page.h"

#include "../../marks.h"

#define MIB (1u << 20)
#define MEDIUM_PAGES 256u
#define JUNK 0xee /* what the medium has where nothing was written */

/** An object and its medium, which lies in pieces: each page of it on another place. */
struct medium {
    struct cache_object object;
    uint8_t bytes[MEDIUM_PAGES * HAL_PAGE_SIZE];
    unsigned reads, writes, pages_written; /* operations so far */
    unsigned largest;                      /* pages of one write */
    bool bad_reads[MEDIUM_PAGES];          /* pages that cannot be read, or written */
    bool bad_writes[MEDIUM_PAGES];
    void (*mapping)(struct medium *medium, bool held); /* called by map; or NULL */
    void (*carrying)(struct medium *medium);           /* called by read and write; or NULL */
    unsigned scatter;                                  /* pages that lie together; 0: all */
    uint8_t log[128];                                  /* the pages that were written first */
    unsigned logged;
};

/** A medium full of JUNK but for its first `size` bytes, which are `fill`. */
void medium_init(struct medium *medium, uint64_t size, uint8_t fill);

Suite *claims_suite(void);
Suite *index_suite(void);
Suite *model_suite(void);
