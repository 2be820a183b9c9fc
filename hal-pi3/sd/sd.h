/* SPDX-License-Identifier: MIT */
/*
 * sd.h: the SD card protocol: what is said to a card, on top of emmc.h.
 */
#pragma once

#include <hal/block.h>
#include <hal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

struct sd_card {
    uint32_t address; /**< the card's relative address, in bits 31:16 as commands want it */
    bool by_blocks;   /**< addresses count blocks (above 2 GiB), otherwise bytes */
    bool read_only;
    uint64_t sectors;
    char description[40];
};

/**
 * Resets and identifies the card and makes it ready for transfers. Polls, up to about two seconds.
 * -ENOMEDIUM: nothing answers. -EIO, -ETIMEDOUT: something does, but not as it should.
 */
HAL_MUST_CHECK int sd_identify(struct sd_card *card);

/** A transfer under way. The first group is the caller's, and stays until the end. */
struct sd_transfer {
    const struct sd_card *card;
    enum hal_block_op op;
    uint64_t sector;
    const struct hal_block_segment *segments;
    unsigned segment_count;
    bool again; /**< an earlier try has failed: the card may still be busy with it */
    /* From here on sd.c's own. */
    unsigned phase;
    bool by_dma;    /**< memory and device are connected by DMA; otherwise sectors are moved here */
    bool landed;    /**< and it has moved all */
    uint32_t place; /**< where it was when somebody looked last */
    uint32_t sectors; /**< in all */
    uint32_t moved;   /**< sectors that have gone through the data register */
    unsigned segment; /**< where the next one belongs */
    uint32_t in_segment;
    uint32_t flags;     /**< of the controller, not dealt with yet */
    uint64_t give_up;   /**< without any progress by this moment the card is lost; microseconds */
    uint64_t pause_end; /**< when to ask the card again whether it is still busy; microseconds */
};

/** sd_transfer_step: not finished. */
#define SD_UNDER_WAY 1

/** Begins the transfer: issues its command. Does not wait. */
void sd_transfer_start(struct sd_transfer *transfer);

/**
 * Does what can be done now, without waiting. SD_UNDER_WAY, or the result: 0, -EIO, -ETIMEDOUT,
 * -ENOMEDIUM (the card does not answer), -EROFS. Called on each interrupt, and when polled.
 */
HAL_MUST_CHECK int sd_transfer_step(struct sd_transfer *transfer);

/** After an error, before sd_recover: from here on the transfer's memory is not touched. */
void sd_transfer_stop(const struct sd_transfer *transfer);

/** The microsecond (mmio_microseconds) by which sd_transfer_step has to be called again at least.
 */
uint64_t sd_transfer_next(const struct sd_transfer *transfer);

/** After a failed transfer: makes controller and card idle again. Polls, some milliseconds at most.
 */
void sd_recover(const struct sd_card *card);
