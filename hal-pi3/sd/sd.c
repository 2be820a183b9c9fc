/* SPDX-License-Identifier: MIT */
/*
 * sd.c: the transfers of an SD card: reading, writing, and being sure that it has been written.
 *
 * A transfer is a little state machine, moved on by the controller's flags:
 *
 *     COMMAND --answered--> DATA --all blocks and "done"--> finished (read)
 *                                                      \--> STATUS <--> PAUSE --ready--> finished
 *
 * The answer to each command is the card's status word (R1), whose upper bits are errors, also of
 * earlier commands. A card goes on programming after it has taken the data, so a write is finished
 * only when the card, asked for its status (CMD13), is back in transfer state. A flush asks just
 * that. Before a second try of a transfer the card is asked as well, because it may be busy with
 * what it took of the first. A card that makes no progress for `TRANSFER_MICROS` is given up.
 *
 * The data goes by DMA: the channel is started when the card has answered, and the transfer goes on
 * when both the channel and the controller have said that they are done, each by its interrupt.
 * Memory that does not begin with a line of the cache cannot be used so; then the processor moves
 * each sector when its flag is up.
 *
 * Source: SD Physical Layer Simplified Specification 6.00, sections 4.3 (commands), 4.7, 4.10
 * (status), 4.6.2 (time-outs).
 */
#include "sd/sd.h"
#include "sd/emmc.h"
#include "sd/sd_command.h"
#include "soc/bcm2837.h"
#include "soc/dma.h"

#include <hal/errno.h>
#include <pi3/mmio.h>

/** Cards may take 100 ms to begin a read and 250 to 500 ms to write. */
#define TRANSFER_MICROS 1000000u
#define PAUSE_MICROS 200u
/**
 * So many sectors are moved in one go at most, with interrupts masked: some 100 us. The flag for
 * the next one is then left standing, and interrupts again.
 */
#define SECTORS_A_STEP 8u

enum sd_phase { PHASE_COMMAND, PHASE_DATA, PHASE_STATUS, PHASE_PAUSE };

static void sd_progress(struct sd_transfer *transfer)
{
    transfer->give_up = mmio_microseconds() + TRANSFER_MICROS;
}

static void sd_ask_status(struct sd_transfer *transfer)
{
    transfer->flags = 0;
    transfer->phase = PHASE_STATUS;
    emmc_command(CMD_SEND_STATUS, EMMC_SHORT, transfer->card->address, 0, 0);
}

/** True if a DMA channel can move all of the data. */
static bool sd_can_dma(const struct sd_transfer *transfer)
{
    if (transfer->segment_count > DMA_PIECES) {
        return false;
    }
    for (unsigned i = 0; i < transfer->segment_count; i++) {
        if ((uintptr_t)transfer->segments[i].data % DMA_ALIGN != 0) {
            return false;
        }
    }
    return true;
}

/** The card is about to move data: so does the channel. */
static void sd_start_dma(struct sd_transfer *transfer)
{
    bool read = transfer->op == HAL_BLOCK_READ;

    dma_prepare(read ? DMA_FROM_DEVICE : DMA_TO_DEVICE, emmc_data_address(), DMA_LINE_EMMC);
    for (unsigned i = 0; i < transfer->segment_count; i++) {
        const struct hal_block_segment *segment = &transfer->segments[i];
        dma_add(segment->data, segment->sectors * HAL_SECTOR_SIZE);
    }
    dma_go();
    transfer->landed = false;
    sd_progress(transfer);
}

/** Issues the command that moves the data. */
static void sd_ask_data(struct sd_transfer *transfer)
{
    bool read = transfer->op == HAL_BLOCK_READ;
    bool several = transfer->sectors > 1;
    unsigned index = read ? (several ? CMD_READ_SEVERAL : CMD_READ_ONE)
                          : (several ? CMD_WRITE_SEVERAL : CMD_WRITE_ONE);
    unsigned kind = EMMC_SHORT | (read ? EMMC_READ : EMMC_WRITE) | (several ? EMMC_SEVERAL : 0);
    uint64_t address =
        transfer->card->by_blocks ? transfer->sector : transfer->sector * HAL_SECTOR_SIZE;

    transfer->flags = 0;
    transfer->phase = PHASE_COMMAND;
    transfer->by_dma = sd_can_dma(transfer);
    emmc_announce_blocks(!transfer->by_dma);
    emmc_command(index, kind, (uint32_t)address, transfer->sectors, HAL_SECTOR_SIZE);
}

void sd_transfer_start(struct sd_transfer *transfer)
{
    transfer->sectors = 0;
    for (unsigned i = 0; i < transfer->segment_count; i++) {
        transfer->sectors += transfer->segments[i].sectors;
    }
    transfer->moved = 0;
    transfer->segment = 0;
    transfer->in_segment = 0;
    transfer->by_dma = false;
    sd_progress(transfer);
    if (transfer->op == HAL_BLOCK_FLUSH || transfer->again) {
        sd_ask_status(transfer);
    } else {
        sd_ask_data(transfer);
    }
}

/** Where the next sector's data lies; moves on to the one behind it. */
static uint32_t *sd_next_sector(struct sd_transfer *transfer)
{
    const struct hal_block_segment *segment = &transfer->segments[transfer->segment];
    uint8_t *data = segment->data;
    uint32_t *sector = (uint32_t *)(void *)(data + transfer->in_segment * HAL_SECTOR_SIZE);

    transfer->moved++;
    transfer->in_segment++;
    if (transfer->in_segment == segment->sectors) {
        transfer->in_segment = 0;
        transfer->segment++;
    }
    return sector;
}

/** Moves the sector that a flag has announced, if one has. */
static bool sd_move_sector(struct sd_transfer *transfer)
{
    uint32_t flag = transfer->op == HAL_BLOCK_READ ? EMMC_READ_READY : EMMC_WRITE_READY;

    if ((transfer->flags & flag) == 0 || transfer->moved == transfer->sectors) {
        return false;
    }
    transfer->flags &= ~flag;
    uint32_t *sector = sd_next_sector(transfer);
    if (transfer->op == HAL_BLOCK_READ) {
        emmc_read_block(sector, HAL_SECTOR_SIZE);
    } else {
        emmc_write_block(sector, HAL_SECTOR_SIZE);
    }
    sd_progress(transfer);
    return true;
}

static int sd_step_command(struct sd_transfer *transfer)
{
    if ((transfer->flags & EMMC_COMMAND_DONE) == 0) {
        return SD_UNDER_WAY;
    }
    transfer->flags &= ~(uint32_t)EMMC_COMMAND_DONE;
    transfer->phase = PHASE_DATA;
    int result = sd_status_error(emmc_response(0));
    if (result != 0) {
        return result;
    }
    if (transfer->by_dma) {
        sd_start_dma(transfer);
    }
    return SD_UNDER_WAY;
}

/** Has the channel moved all? 0, -EIO or not yet. */
static int sd_look_at_dma(struct sd_transfer *transfer)
{
    if (transfer->landed) {
        return 0;
    }
    enum dma_state state = dma_look();
    transfer->landed = state == DMA_DONE;
    return state == DMA_DONE ? 0 : state == DMA_FAILED ? -EIO : SD_UNDER_WAY;
}

/** Moves what is announced, by the processor. */
static int sd_move_sectors(struct sd_transfer *transfer)
{
    for (unsigned i = 1; sd_move_sector(transfer) && i < SECTORS_A_STEP; i++) {
        transfer->flags |= emmc_take_flags();
    }
    return transfer->moved < transfer->sectors ? SD_UNDER_WAY : 0;
}

static int sd_step_data(struct sd_transfer *transfer)
{
    int moved = transfer->by_dma ? sd_look_at_dma(transfer) : sd_move_sectors(transfer);

    if (moved != 0) {
        return moved;
    }
    if ((transfer->flags & EMMC_DATA_DONE) == 0) {
        return SD_UNDER_WAY;
    }
    if (transfer->op == HAL_BLOCK_READ) {
        return 0;
    }
    sd_progress(transfer);
    sd_ask_status(transfer);
    return SD_UNDER_WAY;
}

static int sd_step_status(struct sd_transfer *transfer)
{
    if ((transfer->flags & EMMC_COMMAND_DONE) == 0) {
        return SD_UNDER_WAY;
    }
    uint32_t status = emmc_response(0);
    bool before = transfer->again && transfer->op != HAL_BLOCK_FLUSH;
    int result = before ? 0 : sd_status_error(status); /* the failed try's errors are known */
    if (result != 0) {
        return result;
    }
    if (sd_status_ready(status)) {
        if (before) {
            transfer->again = false;
            sd_progress(transfer);
            sd_ask_data(transfer);
        }
        return before ? SD_UNDER_WAY : 0;
    }
    transfer->phase = PHASE_PAUSE;
    transfer->pause_end = mmio_microseconds() + PAUSE_MICROS;
    return SD_UNDER_WAY;
}

static int sd_step_pause(struct sd_transfer *transfer)
{
    if (mmio_microseconds() >= transfer->pause_end) {
        sd_ask_status(transfer);
    }
    return SD_UNDER_WAY;
}

/** One phase's turn. */
static int sd_step_phase(struct sd_transfer *transfer)
{
    switch ((enum sd_phase)transfer->phase) {
    case PHASE_COMMAND:
        return sd_step_command(transfer);
    case PHASE_DATA:
        return sd_step_data(transfer);
    case PHASE_STATUS:
        return sd_step_status(transfer);
    default:
        return sd_step_pause(transfer);
    }
}

/** True if nothing has happened for too long. */
static bool sd_is_stuck(struct sd_transfer *transfer)
{
    if (mmio_microseconds() <= transfer->give_up) {
        return false;
    }
    if (transfer->by_dma && transfer->phase == PHASE_DATA && !transfer->landed) {
        uint32_t place = dma_position();
        if (place != transfer->place) {
            transfer->place = place;
            sd_progress(transfer);
            return false;
        }
    }
    return true;
}

void sd_transfer_stop(const struct sd_transfer *transfer)
{
    if (transfer->by_dma) {
        dma_stop();
    }
}

int sd_transfer_step(struct sd_transfer *transfer)
{
    for (;;) {
        unsigned phase = transfer->phase;
        transfer->flags |= emmc_take_flags();
        if ((transfer->flags & EMMC_ERRORS) != 0) {
            return sd_flags_error(transfer->flags);
        }
        int result = sd_step_phase(transfer);
        if (result != SD_UNDER_WAY) {
            return result;
        }
        if (phase == transfer->phase) {
            return sd_is_stuck(transfer) ? -ETIMEDOUT : SD_UNDER_WAY;
        }
    }
}

uint64_t sd_transfer_next(const struct sd_transfer *transfer)
{
    bool pause = transfer->phase == PHASE_PAUSE && transfer->pause_end < transfer->give_up;

    return pause ? transfer->pause_end : transfer->give_up;
}
