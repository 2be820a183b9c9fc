/* SPDX-License-Identifier: MIT */
/*
 * tags.h: the boot tags that the simulated firmware leaves at 0x100.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SIM_RESERVED = 0x80000, /**< where RAM begins that core may use */
    SIM_TAGS_MAX = 0xef00,  /**< bytes of boot tags */
    SIM_COMMAND_LINE_MAX = 3776
};

struct sim_tags {
    const void *raw; /**< the tags themselves; NULL: they are made here */
    size_t raw_bytes;
    const char *command_line; /**< NULL: the board has no tags */
    bool tree;                /**< a device tree, not ATAGs */
};

/** Leaves boot tags in RAM, as a firmware would. */
void sim_tags_place(const struct sim_tags *tags);

/** Where boot tags go: room for `bytes` bytes, at most SIM_TAGS_MAX. memory.c has it. */
uint8_t *sim_memory_tags(size_t bytes);
