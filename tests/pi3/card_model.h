/* SPDX-License-Identifier: MIT */
/*
 * card_model.h: a card controller with a card in it, on the fake bus, with faults on order.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CARD_SECTORS 256u

enum card_kind { CARD_ABSENT, CARD_OLD, CARD_SDSC, CARD_SDHC };

struct card_model {
    enum card_kind kind;
    unsigned rounds_until_ready; /**< of ACMD41; UINT_MAX: never */
    unsigned rounds_busy;        /**< of CMD13 after each write */
    bool wrong_echo;             /**< CMD8 is answered with another pattern */
    bool one_line;               /**< the card has no four-line mode */
    bool no_scr;                 /**< ACMD51 is not answered with data */
    bool protected;              /**< CSD: permanently write-protected */
    bool early_done;             /**< reads are "complete" when their last block can be read */
    bool stuck;                  /**< the controller's resets never end */
    uint32_t size_register[4];   /**< the CSD as the controller shows it; all 0: made from kind */

    /* The next `fault_count` times that command `fault_command` comes: */
    unsigned fault_command;
    unsigned fault_count;
    uint32_t fault_flags;  /**< these flags are raised instead of an answer; 0: none ever */
    uint32_t fault_status; /**< or: the answer has these error bits */
    unsigned fault_block;  /**< or, if fault_flags: only after so many blocks */

    /* What happened. */
    unsigned commands[64];
    uint32_t arguments[64];
    uint32_t kinds[64]; /**< CMDTM as written */
    unsigned blocks;    /**< moved in all */
    uint8_t storage[CARD_SECTORS][512];
};

extern struct card_model card;

/** A fresh card on a fresh bus; every sector's bytes are (sector * 7 + place) modulo 256. */
void card_setup(enum card_kind kind);

/** Raises flags out of turn, as far as the controller's mask lets them. */
void card_raise(uint32_t flags);

/** The request line for DMA: a word can be taken, or given (`in`: to the card). */
bool card_wants_word(bool in);
uint32_t card_take_word(void);
void card_give_word(uint32_t word);

/** True while an enabled flag is up: the interrupt wire. */
bool card_interrupts(void);
