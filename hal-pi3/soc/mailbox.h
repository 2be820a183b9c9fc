/* SPDX-License-Identifier: MIT */
/*
 * mailbox.h: asking the firmware (property tags), which runs on the other processor of the chip.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

enum mailbox_tag {
    TAG_FIRMWARE = 0x00000001,
    TAG_BOARD_REVISION = 0x00010002,
    TAG_ARM_MEMORY = 0x00010005,
    TAG_SET_POWER = 0x00028001,
    TAG_CLOCK_RATE = 0x00030002,
    TAG_CLOCK_RATE_MAX = 0x00030004,
    TAG_SET_EXPANDER = 0x00038041,
    TAG_FB_ALLOCATE = 0x00040001,
    TAG_FB_PITCH = 0x00040008,
    TAG_FB_SET_SIZE = 0x00048003,
    TAG_FB_SET_VIRTUAL = 0x00048004,
    TAG_FB_SET_DEPTH = 0x00048005,
    TAG_FB_SET_ORDER = 0x00048006,
    TAG_FB_SET_OFFSET = 0x00048009
};

/** One tag of a message: what is asked, and after the call what was answered. */
struct mailbox_item {
    enum mailbox_tag tag;
    uint32_t words; /**< how many of `values` the tag has room for, 1 .. 2 */
    uint32_t values[2];
    uint32_t answered; /**< bytes of the answer; 0 when the firmware does not know the tag */
};

#define MAILBOX_ITEMS 8u

/**
 * Sends `count` (1 .. MAILBOX_ITEMS) items in one message and waits for the answers, at most a
 * second. 0, -EIO (the firmware refused the message) or -ETIMEDOUT. Look at `answered` of each item
 * too. Any context; two callers take turns.
 */
HAL_MUST_CHECK int mailbox_ask(struct mailbox_item *items, unsigned count);

/** One tag with up to two values. -EIO also when the firmware does not know the tag. */
HAL_MUST_CHECK int mailbox_ask_one(enum mailbox_tag tag, uint32_t *first, uint32_t *second);

/**
 * Sends one tag and does not wait. The wish is dropped when somebody else is using the mailbox or
 * the last one has not been answered yet. Any context.
 */
void mailbox_tell(enum mailbox_tag tag, uint32_t first, uint32_t second);
