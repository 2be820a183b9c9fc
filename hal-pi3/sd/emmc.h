/* SPDX-License-Identifier: MIT */
/*
 * emmc.h: the card controller: its registers, and nothing of what the commands mean.
 *
 * One command is under way at a time. Nobody here takes a lock; the caller sees to it that one
 * thread of control uses the controller.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

/** How a command is answered, and whether it moves data. */
enum emmc_kind {
    EMMC_NO_RESPONSE = 0,
    EMMC_LONG = 1u << 16 | 1u << 19,             /**< 136 bits, with a checksum */
    EMMC_SHORT = 2u << 16 | 1u << 19 | 1u << 20, /**< 48 bits, with checksum and command number */
    EMMC_UNCHECKED = 2u << 16,                   /**< 48 bits with neither */
    EMMC_BUSY =
        3u << 16 | 1u << 19 | 1u << 20, /**< as EMMC_SHORT, and the card may be busy after */
    EMMC_READ = 1u << 21 | 1u << 4,     /**< added: data follows, from the card */
    EMMC_WRITE = 1u << 21,              /**< added: data follows, to the card */
    EMMC_SEVERAL = 1u << 5 | 1u << 2 | 1u << 1, /**< added: several blocks, stopped by CMD12 */
    EMMC_ABORT = 3u << 22                       /**< added: ends a transfer that is under way */
};

/** What has happened: bits of the controller's INTERRUPT register. */
enum emmc_flag {
    EMMC_COMMAND_DONE = 1u << 0,
    EMMC_DATA_DONE = 1u << 1,
    EMMC_WRITE_READY = 1u << 4, /**< one block may be written */
    EMMC_READ_READY = 1u << 5,  /**< one block may be read */
    EMMC_ERROR = 1u << 15,      /**< set together with those below */
    EMMC_COMMAND_TIMEOUT = 1u << 16,
    EMMC_DATA_TIMEOUT = 1u << 20
};
/** All of the error bits. */
#define EMMC_ERRORS 0x017f8000u

/** Connects and resets the controller; clock at 400 kHz, one data line. -EIO: it does not react. */
HAL_MUST_CHECK int emmc_start(void);

/** Sets the card's clock to at most `hertz`. No command may be under way. -EIO as above. */
HAL_MUST_CHECK int emmc_set_clock(uint32_t hertz);

/** Uses four data lines instead of one. */
void emmc_use_four_lines(void);

/**
 * Issues command `index`. Data commands move `blocks` blocks of `block_bytes` each (0 otherwise).
 * Forgets all flags first.
 */
void emmc_command(unsigned index, unsigned kind, uint32_t argument, uint32_t blocks,
                  uint32_t block_bytes);

/** The flags (emmc_flag, EMMC_ERRORS) that were raised since the last call. */
uint32_t emmc_take_flags(void);

/** The answer to the last command: word 0, or with EMMC_LONG all four, least significant first. */
uint32_t emmc_response(unsigned word);

/** Moves one block that a flag has announced. `bytes` is a multiple of 4. */
void emmc_read_block(uint32_t *to, uint32_t bytes);
void emmc_write_block(const uint32_t *from, uint32_t bytes);

/**
 * Whether blocks are announced by flags, for a processor that moves them; from emmc_start on they
 * are. A DMA channel is asked for them by the controller's request line, flags or not.
 */
void emmc_announce_blocks(bool on);

/** The bus address of the register that data moves through. */
uint32_t emmc_data_address(void);

/** Lets flags raise GPU_IRQ_EMMC, or not. */
void emmc_listen(bool on);

/** Drops what is under way after an error. -EIO: the controller does not react. */
HAL_MUST_CHECK int emmc_recover(void);
