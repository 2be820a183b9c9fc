/* SPDX-License-Identifier: MIT */
/*
 * requests.h: requests to the card driver, with the card and DMA models behind it, and the
 * functions of the kernel that it calls.
 */
#pragma once

#include "card_model.h"

#include <hal/block.h>

#include <stdbool.h>
#include <stdint.h>

#define DATA_BYTES (CARD_SECTORS * 512)

extern struct hal_block_request request;
extern uint8_t *data;  /**< DATA_BYTES of it */
extern unsigned pokes; /**< announcements that have not been taken */
extern unsigned taken; /**< interrupts */

/** A fresh machine with a large card. */
void setup(void);

/** The same, with memory that DMA can be used for; or with memory that it cannot. */
void setup_lines(void);
void setup_words(void);

/** Another card in the same slot, after power-on of the whole machine. */
void insert(enum card_kind kind);

/** Finds the card, which works. */
void find(void);

/** Makes a request with one piece of memory, at `data`. */
void ask(enum hal_block_op op, uint64_t sector, uint32_t count);

/** Lets interrupts and alarms happen until a request is complete, or for `patience` rounds. */
struct hal_block_request *run_interrupts(unsigned patience);

/** Submits the request and runs it to its end: its result. */
int run(void);

/** True if these are the bytes of a sector that nobody has written. */
bool sector_as_made(const uint8_t *bytes, unsigned sector);
