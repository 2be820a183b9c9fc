/* SPDX-License-Identifier: MIT */
/*
 * sd_command.h: the words of the protocol: commands, the status word, and what errors mean.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

enum sd_command_index {
    CMD_IDLE = 0,
    CMD_ALL_SEND_CID = 2,
    CMD_SEND_ADDRESS = 3,
    CMD_SELECT = 7,
    CMD_SEND_IF_COND = 8,
    CMD_SEND_CSD = 9,
    CMD_STOP = 12,
    CMD_SEND_STATUS = 13,
    CMD_SET_BLOCK_BYTES = 16,
    CMD_READ_ONE = 17,
    CMD_READ_SEVERAL = 18,
    CMD_WRITE_ONE = 24,
    CMD_WRITE_SEVERAL = 25,
    CMD_APPLICATION = 55, /**< the next command is one of those below */
    ACMD_SET_WIDTH = 6,
    ACMD_SEND_OP_COND = 41,
    ACMD_SEND_SCR = 51
};

/** 0, -EIO or -EROFS: what the error bits of a card's status word (R1) say. */
HAL_MUST_CHECK int sd_status_error(uint32_t status);

/** Whether the card is in transfer state and takes data. */
bool sd_status_ready(uint32_t status);

/** The error that the controller's flags mean: -ENOMEDIUM (no answer), -ETIMEDOUT or -EIO. */
HAL_MUST_CHECK int sd_flags_error(uint32_t flags);
