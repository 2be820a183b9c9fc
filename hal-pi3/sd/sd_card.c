/* SPDX-License-Identifier: MIT */
/*
 * sd_card.c: getting to know a card: the conversation from power-on to the first transfer.
 *
 *     CMD0              everybody: idle
 *     CMD8              2.7 to 3.6 V, and a pattern to echo; old cards do not know it
 *     CMD55 + ACMD41    initialise; repeated until the card says ready, up to a second
 *     CMD2, CMD3        who are you, take an address
 *     CMD9              what are you: the CSD register, with the size
 *     CMD7              selected, and at full speed from here on
 *     CMD55 + ACMD51    can you use four data lines; then CMD55 + ACMD6
 *     CMD16             blocks of 512 bytes, for cards that could have others
 *
 * Cards of up to 2 GiB (SDSC) are addressed by bytes, larger ones (SDHC, SDXC) by blocks; ACMD41
 * tells. The size is coded differently in each. Each command here is waited for by polling.
 *
 * Source: SD Physical Layer Simplified Specification 6.00, sections 4.2 (identification), 5.2
 * (CID), 5.3 (CSD), 5.6 (SCR), 4.10.1 (status).
 */
#include "sd/emmc.h"
#include "sd/sd.h"
#include "sd/sd_command.h"

#include <hal/cpu.h>
#include <hal/errno.h>
#include <hal/runtime.h>
#include <pi3/mmio.h>

#define COMMAND_MICROS 200000u
#define INITIALISE_MICROS 1000000u
#define RETRY_MICROS 10000u
#define CLOCK_TRANSFER 25000000u

#define IF_COND_27_TO_36V 0x1aau
#define OP_COND_VOLTAGES 0x00ff8000u
#define OP_COND_LARGE 0x50000000u /**< we know block addresses, and may draw full power */
#define OP_COND_READY 0x80000000u
#define OP_COND_BY_BLOCKS 0x40000000u
#define STATUS_ERRORS 0xfdf90008u
#define STATUS_PROTECTED (1u << 26)
#define STATUS_READY (1u << 8)
#define STATUS_STATE(status) ((status) >> 9 & 0xfu)
#define STATE_TRANSFER 4u
#define SCR_BYTES 8u
#define SCR_FOUR_LINES 0x0400u /**< in the first word, as it comes in (byte order of the line) */
#define WIDTH_FOUR_LINES 2u

int sd_status_error(uint32_t status)
{
    if ((status & STATUS_PROTECTED) != 0) {
        return -EROFS;
    }
    return (status & STATUS_ERRORS) != 0 ? -EIO : 0;
}

bool sd_status_ready(uint32_t status)
{
    return STATUS_STATE(status) == STATE_TRANSFER && (status & STATUS_READY) != 0;
}

int sd_flags_error(uint32_t flags)
{
    if ((flags & EMMC_COMMAND_TIMEOUT) != 0) {
        return -ENOMEDIUM;
    }
    return (flags & EMMC_DATA_TIMEOUT) != 0 ? -ETIMEDOUT : -EIO;
}

/**
 * Waits for `wanted`, or an error. `seen` gathers the flags of one command, 0 at first: the chip
 * may say that the data is complete together with what is waited for first, or before it.
 */
static int sd_wait(uint32_t *seen, uint32_t wanted)
{
    uint64_t give_up = mmio_microseconds() + COMMAND_MICROS;

    for (;;) {
        uint64_t now = mmio_microseconds(); /* before the look: a thread may lose the CPU between */
        *seen |= emmc_take_flags();
        if ((*seen & EMMC_ERRORS) != 0) {
            return sd_flags_error(*seen);
        }
        if ((*seen & wanted) != 0) {
            return 0;
        }
        if (now > give_up) {
            return -ETIMEDOUT;
        }
        hal_cpu_relax();
    }
}

/** A command without data, waited for. After an error the controller is ready for the next. */
static int sd_say(enum sd_command_index index, unsigned kind, uint32_t argument)
{
    uint32_t seen = 0;

    emmc_command(index, kind, argument, 0, 0);
    int result = sd_wait(&seen, EMMC_COMMAND_DONE);
    if (result != 0 && emmc_recover() != 0) {
        return -EIO;
    }
    return result;
}

/** A command that is answered with the status word. */
static int sd_say_checked(enum sd_command_index index, unsigned kind, uint32_t argument)
{
    int result = sd_say(index, kind, argument);

    return result != 0 ? result : sd_status_error(emmc_response(0));
}

static int sd_say_application(const struct sd_card *card, enum sd_command_index index,
                              unsigned kind, uint32_t argument)
{
    int result = sd_say(CMD_APPLICATION, EMMC_SHORT, card->address);

    return result != 0 ? result : sd_say(index, kind, argument);
}

/** Repeats ACMD41 until the card has initialised itself. `modern`: it has understood CMD8. */
static int sd_initialise(struct sd_card *card, bool modern)
{
    uint32_t conditions = OP_COND_VOLTAGES | (modern ? OP_COND_LARGE : 0);
    uint64_t give_up = mmio_microseconds() + INITIALISE_MICROS;

    for (;;) {
        int result = sd_say_application(card, ACMD_SEND_OP_COND, EMMC_UNCHECKED, conditions);
        if (result != 0) {
            return result;
        }
        uint32_t answer = emmc_response(0);
        if ((answer & OP_COND_READY) != 0) {
            card->by_blocks = modern && (answer & OP_COND_BY_BLOCKS) != 0;
            return 0;
        }
        if (mmio_microseconds() > give_up) {
            return -ETIMEDOUT;
        }
        mmio_wait(RETRY_MICROS);
    }
}

/**
 * Bits [high:low] of a 128-bit register. The controller drops the lowest byte, a checksum, so bit 8
 * of the register is bit 0 of the answer's word 0.
 */
static uint32_t sd_bits(const uint32_t words[4], unsigned high, unsigned low)
{
    uint32_t value = 0;

    for (unsigned bit = high - 8 + 1; bit-- > low - 8;) {
        value = value << 1 | (words[bit / 32] >> bit % 32 & 1u);
    }
    return value;
}

static void sd_long_response(uint32_t words[4])
{
    for (unsigned i = 0; i < 4; i++) {
        words[i] = emmc_response(i);
    }
}

/** The name that the maker gave the card, and its kind. */
static void sd_describe(struct sd_card *card, const uint32_t cid[4])
{
    const char *kind = card->by_blocks ? " (SDHC)" : " (SDSC)";
    size_t n = 0;

    for (unsigned i = 0; i < 5; i++) {
        char c = (char)sd_bits(cid, 103 - 8 * i, 96 - 8 * i);
        if (c > ' ' && c <= '~') {
            card->description[n++] = c;
        }
    }
    if (n == 0) {
        card->description[n++] = '?';
    }
    while (*kind != '\0') {
        card->description[n++] = *kind++;
    }
    card->description[n] = '\0';
}

/**
 * Size and write protection from the CSD. Worked example, first form: C_SIZE 3751, C_SIZE_MULT 7,
 * READ_BL_LEN 10 is 3752 * 2^9 blocks of 1,024 bytes = 3,842,048 sectors. Second form: C_SIZE 7579
 * is 7580 * 512 KiB = 7,761,920 sectors.
 */
static int sd_read_csd(struct sd_card *card)
{
    uint32_t csd[4];
    int result = sd_say(CMD_SEND_CSD, EMMC_LONG, card->address);

    if (result != 0) {
        return result;
    }
    sd_long_response(csd);
    card->read_only = sd_bits(csd, 13, 12) != 0;
    if (sd_bits(csd, 127, 126) == 0) {
        unsigned shift = sd_bits(csd, 49, 47) + 2 + sd_bits(csd, 83, 80);
        card->sectors = ((uint64_t)sd_bits(csd, 73, 62) + 1) << shift >> 9;
    } else {
        card->sectors = ((uint64_t)sd_bits(csd, 69, 48) + 1) * 1024;
    }
    return card->sectors != 0 ? 0 : -EIO;
}

/** The card gets an address, says what it is, and is selected. */
static int sd_get_acquainted(struct sd_card *card)
{
    uint32_t cid[4];
    int result = sd_say(CMD_ALL_SEND_CID, EMMC_LONG, 0);

    if (result == 0) {
        sd_long_response(cid);
        sd_describe(card, cid);
        result = sd_say(CMD_SEND_ADDRESS, EMMC_SHORT, 0);
    }
    if (result == 0) {
        card->address = emmc_response(0) & 0xffff0000u;
        result = sd_read_csd(card);
    }
    if (result == 0) {
        result = sd_say_checked(CMD_SELECT, EMMC_BUSY, card->address);
    }
    return result;
}

/** Uses four data lines if the card says that it can; otherwise one has to do. */
static int sd_widen(struct sd_card *card)
{
    uint32_t scr[SCR_BYTES / 4] = {0};
    uint32_t seen = 0;
    int result = sd_say(CMD_APPLICATION, EMMC_SHORT, card->address);

    if (result != 0) {
        return result;
    }
    emmc_command(ACMD_SEND_SCR, EMMC_SHORT | EMMC_READ, 0, 1, SCR_BYTES);
    if (sd_wait(&seen, EMMC_READ_READY) != 0) {
        return emmc_recover();
    }
    emmc_read_block(scr, SCR_BYTES);
    if (sd_wait(&seen, EMMC_DATA_DONE) != 0) {
        return emmc_recover();
    }
    if ((scr[0] & SCR_FOUR_LINES) == 0) {
        return 0;
    }
    result = sd_say_application(card, ACMD_SET_WIDTH, EMMC_SHORT, WIDTH_FOUR_LINES);
    if (result == 0) {
        emmc_use_four_lines();
    }
    return result;
}

/** After CMD7 a card may be busy for a moment. */
static int sd_wait_ready(const struct sd_card *card)
{
    uint64_t give_up = mmio_microseconds() + COMMAND_MICROS;

    for (;;) {
        int result = sd_say_checked(CMD_SEND_STATUS, EMMC_SHORT, card->address);
        if (result != 0) {
            return result;
        }
        if (sd_status_ready(emmc_response(0))) {
            return 0;
        }
        if (mmio_microseconds() > give_up) {
            return -ETIMEDOUT;
        }
        hal_cpu_relax();
    }
}

/** From power-on to an initialised card. -ENOMEDIUM when nothing answers. */
static int sd_wake(struct sd_card *card)
{
    int result = sd_say(CMD_IDLE, EMMC_NO_RESPONSE, 0);

    if (result != 0) {
        return result;
    }
    result = sd_say(CMD_SEND_IF_COND, EMMC_SHORT, IF_COND_27_TO_36V);
    bool modern = result == 0;
    if (modern && (emmc_response(0) & 0xfff) != IF_COND_27_TO_36V) {
        return -EIO;
    }
    if (result != 0 && result != -ENOMEDIUM) {
        return result;
    }
    return sd_initialise(card, modern);
}

int sd_identify(struct sd_card *card)
{
    memset(card, 0, sizeof *card);
    int result = emmc_start();
    if (result == 0) {
        result = sd_wake(card);
    }
    if (result == 0) {
        result = sd_get_acquainted(card);
    }
    if (result == 0) {
        result = emmc_set_clock(CLOCK_TRANSFER);
    }
    if (result == 0) {
        result = sd_wait_ready(card);
    }
    if (result == 0) {
        result = sd_widen(card);
    }
    if (result == 0) {
        result = sd_say_checked(CMD_SET_BLOCK_BYTES, EMMC_SHORT, HAL_SECTOR_SIZE);
    }
    return result;
}

void sd_recover(const struct sd_card *card)
{
    emmc_listen(false);
    if (emmc_recover() == 0) {
        /* Ends a transfer if one is under way; a card that is idle calls it illegal, which is fine.
         */
        int result = sd_say(CMD_STOP, EMMC_BUSY | EMMC_ABORT, 0);
        if (result == 0 || result == -ENOMEDIUM) {
            result = sd_say(CMD_SEND_STATUS, EMMC_SHORT, card->address);
        }
        (void)result; /* the next transfer finds out */
    }
    emmc_listen(true);
}
