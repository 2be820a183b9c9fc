/* SPDX-License-Identifier: MIT */
/*
 * mem.h: what the commands that look at memory share: counting frames, and listing the largest
 * first.
 *
 * They show memory, so they use none: everything is on the stack, and what has to be sorted is
 * searched again for each line instead. So they work when there is no memory left, which is when
 * they are wanted most. The numbers are read while the kernel goes on; two of one answer may be of
 * moments a little apart.
 */
#pragma once

#include "site/site.h"
#include "shell/job.h"

#include <hal/inspect.h>
#include <hal/machine.h>

#include <stdbool.h>
#include <stdint.h>

/* ---- survey.c ---- */

#define MEM_KINDS (HAL_FRAME_TAGS + ALLOC_TAG_MAX)

/** Frames by kind: a value of enum hal_frame, or HAL_FRAME_TAGS + a tag. */
struct mem_survey {
    uint64_t kinds[MEM_KINDS];
};

/** The number behind the last frame of RAM. Any context. */
uint64_t mem_frame_end(void);

/** Adds the frames first .. end - 1 to the survey. Any context. */
void mem_survey_add(struct mem_survey *survey, uint64_t first, uint64_t end);

/** "free", "heap", ...; "?" for a kind that there is none of. Any context. */
const char *mem_kind_name(unsigned kind);

/** Frames to KiB. */
static inline unsigned long long mem_kib(uint64_t frames)
{
    return frames * (HAL_PAGE_SIZE / 1024);
}

#define MEM_RANKED 512u /**< numbers that can be ranked; higher ones are left out */

/** Those of the numbers 0 .. MEM_RANKED - 1 that were listed already. Begins as zeros. */
struct mem_ranking {
    uint64_t listed[MEM_RANKED / 64];
};

/**
 * Of the numbers 0 .. total - 1 that were not listed yet, the one with the largest key above 0,
 * which then is; false: none is left. `key` gets `context`. Takes total calls of `key`.
 */
bool mem_rank_next(struct mem_ranking *ranking, unsigned total,
                   uint64_t (*key)(unsigned number, const void *context), const void *context,
                   unsigned *number);

/* ---- what `mem` shows, by its first word ---- */

/** map.c: `mem map [plain]` */
void mem_map(struct job *job);
/** top.c: `mem top [bytes | calls | failures] [COUNT]` */
void mem_top(struct job *job);
/** top.c: `mem leaks` */
void mem_leaks(struct job *job);
/** slabs.c: the `count` caches with the most frames, as a part of `mem`. */
void mem_print_caches(unsigned count);
