/* SPDX-License-Identifier: MIT */
/*
 * inspect.h: what core tells whoever looks at it from outside: a window, a debugger, a test.
 *
 * The backend calls these functions while the kernel stands still, or looks on while it runs; core
 * implements them so that they take no lock, call nothing of the HAL, change nothing unless they
 * say so, and end whatever they find. What they tell of a kernel that is in the middle of something
 * may be out of date by that. A backend that nobody looks into never calls them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a page frame is, as one byte. */
enum hal_frame {
    HAL_FRAME_NONE,      /**< no RAM, or not the kernel's */
    HAL_FRAME_KERNEL,    /**< the allocator's own tables */
    HAL_FRAME_UNTOUCHED, /**< free, and never used since power-on */
    HAL_FRAME_FREE,
    HAL_FRAME_TAGS = 16 /**< in use: HAL_FRAME_TAGS + the tag of who asked for it */
};

/** Writes what frames `first` .. `first` + n - 1 (numbers: physical address / page size) are. */
void hal_inspect_frames(uint64_t first, uint8_t *frames, size_t n);

/** The name of tag `tag` (a part of the kernel), or NULL when there are no more. */
const char *hal_inspect_tag(unsigned tag);

/** A line of the source that allocates memory, and what it has done since power-on. */
struct hal_alloc_site {
    const char *file;
    unsigned line;
    unsigned tag;
    uint64_t calls;    /**< attempts */
    uint64_t failures; /**< of these */
    int64_t blocks;    /**< live */
    int64_t bytes;     /**< of these */
};

/** Site `number`, or false when there are no more. */
bool hal_inspect_site(unsigned number, struct hal_alloc_site *site);

enum hal_fail_kind {
    HAL_FAIL_NONE,
    HAL_FAIL_NTH,  /**< allocation number n from now (1: the next), once */
    HAL_FAIL_FROM, /**< that one and all after it */
    HAL_FAIL_SITE, /**< every one of site `site` */
    HAL_FAIL_SHARE /**< one in n, by chance from `seed` */
};

struct hal_fail_plan {
    enum hal_fail_kind kind;
    unsigned site;
    uint64_t n;
    uint64_t seed;
};

/** Changes which allocations fail from now on. */
void hal_inspect_fail(const struct hal_fail_plan *plan);

/** Allocations asked for since power-on, failed ones too. */
uint64_t hal_inspect_allocations(void);

/**
 * The number of the thread that CPU `cpu` runs, and its name, NUL-terminated and cut to `bytes`
 * (0: not wanted). 0: there is none yet. Also asked in the middle of anything.
 */
uint32_t hal_inspect_thread(unsigned cpu, char *name, size_t bytes);

/**
 * Writes the abstract state of the kernel as lines of text, NUL-terminated, and returns its length
 * without the NUL, which may be more than fits: threads, open files, mounts, memory by tag. Caches
 * and statistics are left out, so a command that failed leaves this as it was.
 */
size_t hal_inspect_state(char *text, size_t bytes);

/**
 * Writes who is where and waits for what, as lines of text for people, NUL-terminated, and returns
 * its length without the NUL, which may be more than fits: each CPU with its thread and spinlocks,
 * and each thread that does not run.
 */
size_t hal_inspect_hang(char *text, size_t bytes);

/**
 * What is known about the heap's block at or around `address`: one or more lines for people (where
 * it was allocated and freed, with backtraces). False: nothing.
 */
bool hal_inspect_block(const void *address, char *text, size_t bytes);

struct hal_trace_event;

/**
 * Writes `event` as a line of Linux's ftrace, without a newline and NUL-terminated. Returns its
 * length without the NUL, which may be more than fits.
 */
size_t hal_inspect_trace_text(const struct hal_trace_event *event, char *text, size_t bytes);
