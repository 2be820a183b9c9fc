/* SPDX-License-Identifier: MIT */
/*
 * block.h: the card: a row of sectors, read and written by requests that complete later.
 *
 * The caller owns a request's memory and everything it points to, and leaves it alone from submit
 * to completion. The data of a request lies in segments (scatter-gather): pieces of kernel memory
 * whose lengths are multiples of HAL_SECTOR_SIZE and whose starts are aligned to HAL_BLOCK_ALIGN
 * of <hal/machine.h>. A request is marked done before its interrupt is raised. Requests may
 * complete in any order; a flush is a barrier: it completes after everything submitted before it is
 * on the medium to stay, and nothing submitted after it starts before.
 *
 * Every request that was accepted completes, and within 10 seconds: a card that does not answer is
 * given up by the backend, which stops it, lets go of the memory and reports -ETIMEDOUT.
 *
 * A write is atomic by sector when the power is cut: a sector has its old or its new content.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

#define HAL_SECTOR_SIZE 512u
/** A request carries at most so many segments, and so many sectors in all. */
#define HAL_BLOCK_SEGMENTS 32u
#define HAL_BLOCK_SECTORS 2048u

struct hal_block_info {
    uint64_t sectors;     /**< how many sectors of HAL_SECTOR_SIZE bytes the card has */
    bool read_only;       /**< writes fail with -EROFS */
    char description[40]; /**< what the card calls itself; printable, NUL-terminated */
};

enum hal_block_op { HAL_BLOCK_READ, HAL_BLOCK_WRITE, HAL_BLOCK_FLUSH };

struct hal_block_segment {
    void *data;
    uint32_t sectors;
};

struct hal_block_request {
    /* The caller's, set before submit. */
    enum hal_block_op op;
    uint64_t sector;
    struct hal_block_segment segments[HAL_BLOCK_SEGMENTS];
    unsigned segment_count;
    void *cookie;
    /* The backend's. */
    int result; /**< after completion: 0, -EIO, -ENOMEDIUM, -EROFS, -ETIMEDOUT */
    struct hal_block_request *next;
};

/**
 * Finds the card and describes it in `info`.
 *
 * Thread context; the first call may take a second on a real card, polling. -ENOMEDIUM: no card in
 * the slot. -EIO or -ETIMEDOUT: a card that does not answer as it should.
 */
HAL_MUST_CHECK int hal_block_probe(struct hal_block_info *info);

/**
 * Queues `request`. Any context; never waits.
 *
 * -EINVAL, and nothing is queued: sectors outside the card, no or too many segments, a length of 0
 * or above the limits, a start that is not aligned. A flush has no segments and its sector is
 * ignored. -ENOMEDIUM: hal_block_probe has not found a card.
 */
HAL_MUST_CHECK int hal_block_submit(struct hal_block_request *request);

/**
 * Takes one completed request, or NULL. Any context.
 *
 * A driver calls it until NULL after each HAL_IRQ_BLOCK: the interrupt is promised only for
 * completions after that. Polling it (with hal_cpu_relax) makes progress with the line disabled
 * too.
 */
struct hal_block_request *hal_block_completed(void);
