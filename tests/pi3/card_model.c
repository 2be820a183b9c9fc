/* SPDX-License-Identifier: MIT */
/*
 * card_model.c: the controller and card of card_model.h, and the firmware that they need.
 *
 * Written from the specifications, not from the driver: SD Physical Layer Simplified Specification
 * 6.00 for the card's states, BCM2837 ARM Peripherals section 5 for the registers.
 */
#include "card_model.h"
#include "fake_bus.h"

#include "soc/mailbox.h"

#include <hal/errno.h>

#include <stdlib.h>
#include <string.h>

#define BASE 0x3f300000u
#define ADDRESS 0x4567u
#define APP 0x20u /* status: the next command is an application's */

enum state { IDLE = 0, READY = 1, IDENT = 2, STBY = 3, TRAN = 4, DATA = 5, RCV = 6, PRG = 7 };
enum flags {
    COMMAND_DONE = 1,
    DATA_DONE = 2,
    WRITE_READY = 0x10,
    READ_READY = 0x20,
    ERROR = 0x8000,
    COMMAND_TIMEOUT = 0x10000
};

struct card_model card;

static struct {
    uint32_t registers[64];
    uint32_t flags;
    enum state state;
    bool application;
    unsigned rounds, busy;
    uint32_t buffer[128];
    unsigned words, words_wanted; /**< of the block that is being moved */
    unsigned blocks_left, blocks_moved;
    uint64_t sector;
    bool writing, scr, failing;
} controller;

static uint32_t *reg(unsigned offset)
{
    return &controller.registers[offset / 4];
}

static void raise_flags(uint32_t flags)
{
    controller.flags |= flags & *reg(0x34);
}

void card_raise(uint32_t flags)
{
    raise_flags(flags);
}

bool card_interrupts(void)
{
    return (controller.flags & *reg(0x38)) != 0;
}

static void load_block(void)
{
    if (controller.scr) {
        static const uint8_t scr[8] = {0x02, 0x35, 0x80, 0x00};
        memcpy(controller.buffer, scr, sizeof scr);
        if (card.one_line) {
            ((uint8_t *)controller.buffer)[1] = 0x31;
        }
        controller.words_wanted = 2;
    } else {
        if (controller.sector >= CARD_SECTORS) {
            abort();
        }
        memcpy(controller.buffer, card.storage[controller.sector], 512);
        controller.words_wanted = 128;
    }
    controller.words = 0;
}

/** The transfer that a command has begun, or the next block of it. */
static void next_block(void)
{
    if (controller.failing && controller.blocks_moved == card.fault_block) {
        controller.failing = false;
        controller.blocks_left = 0;
        raise_flags(card.fault_flags);
        return;
    }
    if (controller.blocks_left == 0) {
        controller.busy = controller.writing ? card.rounds_busy : 0;
        controller.state = controller.busy > 0 ? PRG : TRAN;
        if (controller.writing || !card.early_done) {
            raise_flags(DATA_DONE);
        }
        return;
    }
    controller.words = 0;
    controller.words_wanted = 128;
    if (!controller.writing) {
        load_block();
    }
    bool last = !controller.writing && card.early_done && controller.blocks_left == 1;
    raise_flags((controller.writing ? WRITE_READY : READ_READY) | (last ? DATA_DONE : 0));
}

static void block_moved(void)
{
    if (controller.writing) {
        memcpy(card.storage[controller.sector], controller.buffer, 512);
    }
    card.blocks++;
    controller.blocks_moved++;
    controller.blocks_left--;
    controller.sector++;
    next_block();
}

static void answer_status(uint32_t more)
{
    uint32_t ready = controller.state == PRG ? 0 : 1u << 8;

    *reg(0x10) = (uint32_t)controller.state << 9 | ready | more;
    raise_flags(COMMAND_DONE);
}

static void no_answer(void)
{
    raise_flags(COMMAND_DONE | ERROR | COMMAND_TIMEOUT);
}

static void answer_long(const uint32_t words[4])
{
    memcpy(reg(0x10), words, 16);
    raise_flags(COMMAND_DONE);
}

/** Begins to move data. */
static void transfer(bool writing, uint32_t argument, bool failing)
{
    uint32_t count = *reg(0x04) >> 16;

    controller.writing = writing;
    controller.failing = failing;
    controller.scr = (*reg(0x04) & 0x3ff) == 8;
    controller.blocks_left = count;
    controller.blocks_moved = 0;
    controller.sector = card.kind == CARD_SDHC || controller.scr ? argument : argument / 512;
    if (card.kind != CARD_SDHC && argument % 512 != 0) {
        abort();
    }
    controller.state = writing ? RCV : DATA;
    next_block();
}

static void send_csd(void)
{
    /* As the controller shows it: bit n of the register at bit n - 8. */
    uint32_t csd[4] = {0};

    if ((card.size_register[0] | card.size_register[1] | card.size_register[2]) != 0) {
        answer_long(card.size_register);
        return;
    }
    if (card.kind == CARD_SDHC) {
        csd[3] = 1u << (126 - 8 - 96); /* the second form; C_SIZE 0 is 1,024 sectors */
    } else {
        /* READ_BL_LEN 9 at 83:80, C_SIZE 63 at 73:62, C_SIZE_MULT 0: 64 * 4 blocks of 512 bytes. */
        csd[2] = 9u << (80 - 8 - 64);
        csd[1] = 63u << (62 - 8 - 32);
    }
    if (card.protected) {
        csd[0] |= 1u << (13 - 8);
    }
    answer_long(csd);
}

static void send_cid(void)
{
    uint32_t words[4] = {0x12345600, 0, 0, 0};
    const char *name = "TAYBR"; /* bits 103:64 */

    for (unsigned i = 0; i < 5; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            unsigned at = 96 - 8 * i + bit - 8;
            words[at / 32] |= (uint32_t)(name[i] >> bit & 1) << at % 32;
        }
    }
    controller.state = IDENT;
    answer_long(words);
}

static void application_command(unsigned index, uint32_t argument)
{
    (void)argument;
    switch (index) {
    case 41:
        if (controller.rounds < card.rounds_until_ready) {
            controller.rounds++;
            *reg(0x10) = 0x00ff8000;
        } else {
            controller.state = READY;
            *reg(0x10) = 0x80ff8000 | (card.kind == CARD_SDHC ? 1u << 30 : 0);
        }
        raise_flags(COMMAND_DONE);
        break;
    case 51:
        answer_status(APP);
        if (!card.no_scr) {
            transfer(false, 0, false);
        }
        break;
    default:
        answer_status(APP);
        break;
    }
}

static void plain_command(unsigned index, uint32_t argument, bool failing)
{
    switch (index) {
    case 0:
        controller.state = IDLE;
        controller.rounds = 0;
        raise_flags(COMMAND_DONE);
        break;
    case 2:
        send_cid();
        break;
    case 3:
        controller.state = STBY;
        *reg(0x10) = ADDRESS << 16 | 0x500;
        raise_flags(COMMAND_DONE);
        break;
    case 7:
        controller.state = TRAN;
        answer_status(0);
        break;
    case 8:
        if (card.kind == CARD_OLD) {
            no_answer();
            break;
        }
        *reg(0x10) = card.wrong_echo ? 0x155 : argument & 0xfff;
        raise_flags(COMMAND_DONE);
        break;
    case 9:
        send_csd();
        break;
    case 13:
        if (controller.state == PRG && controller.busy-- == 0) {
            controller.state = TRAN;
        }
        answer_status(0);
        break;
    case 17:
    case 18:
    case 24:
    case 25:
        if (controller.state != TRAN) {
            no_answer(); /* illegal in this state */
            break;
        }
        answer_status(0);
        transfer(index >= 24, argument, failing);
        break;
    case 55:
        controller.application = true;
        answer_status(APP);
        break;
    case 12:
        if (controller.state == RCV && card.rounds_busy > 0) {
            controller.busy = card.rounds_busy;
            controller.state = PRG;
        } else if (controller.state == DATA || controller.state == RCV) {
            controller.state = TRAN;
        }
        answer_status(0);
        break;
    default:
        answer_status(0);
        break;
    }
}

static void command(uint32_t word)
{
    unsigned index = word >> 24 & 0x3f;
    uint32_t argument = *reg(0x08);
    bool application = controller.application;

    controller.application = false;
    card.commands[index]++;
    card.arguments[index] = argument;
    card.kinds[index] = word;
    if (card.kind == CARD_ABSENT) {
        no_answer();
        return;
    }
    bool failing = card.fault_count > 0 && index == card.fault_command;
    if (failing) {
        card.fault_count--;
        if (card.fault_status != 0) {
            answer_status(card.fault_status);
            return;
        }
        if (card.fault_block == 0) {
            raise_flags(card.fault_flags);
            return;
        }
    }
    if (application) {
        application_command(index, argument);
    } else {
        plain_command(index, argument, failing);
    }
}

static void write_control1(uint32_t value)
{
    uint32_t resets = 7u << 24;

    if ((value & resets) != 0 && !card.stuck) {
        controller.flags = 0;
        controller.blocks_left = 0;
        if ((value & 1u << 24) != 0) {
            memset(controller.registers, 0, sizeof controller.registers);
        }
        value &= ~resets;
    }
    *reg(0x2c) = value | ((value & 1) != 0 ? 2 : 0);
}

static uint32_t model_read(uintptr_t address)
{
    unsigned offset = (unsigned)(address - BASE);

    if (offset == 0x30) {
        return controller.flags;
    }
    if (offset != 0x20) {
        return *reg(offset);
    }
    return card_take_word();
}

bool card_wants_word(bool in)
{
    return controller.writing == in && controller.blocks_left > 0 &&
           controller.words < controller.words_wanted;
}

uint32_t card_take_word(void)
{
    if (controller.writing || controller.words >= controller.words_wanted) {
        abort(); /* a word that is not there */
    }
    uint32_t word = controller.buffer[controller.words++];
    if (controller.words == controller.words_wanted) {
        block_moved();
    }
    return word;
}

void card_give_word(uint32_t word)
{
    if (!controller.writing || controller.words >= controller.words_wanted) {
        abort();
    }
    controller.buffer[controller.words++] = word;
    if (controller.words == controller.words_wanted) {
        block_moved();
    }
}

static void model_write(uintptr_t address, uint32_t value)
{
    unsigned offset = (unsigned)(address - BASE);

    switch (offset) {
    case 0x0c:
        if ((*reg(0x2c) & 5) != 5) {
            abort(); /* a command without a clock */
        }
        command(value);
        break;
    case 0x20:
        card_give_word(value);
        break;
    case 0x2c:
        write_control1(value);
        break;
    case 0x30:
        controller.flags &= ~value;
        break;
    default:
        *reg(offset) = value;
        break;
    }
}

static const struct fake_model model = {BASE, BASE + 0xfc, model_read, model_write};

void card_setup(enum card_kind kind)
{
    fake_reset();
    fake_add_model(&model);
    memset(&controller, 0, sizeof controller);
    memset(&card, 0, sizeof card);
    card.kind = kind;
    for (unsigned sector = 0; sector < CARD_SECTORS; sector++) {
        for (unsigned i = 0; i < 512; i++) {
            card.storage[sector][i] = (uint8_t)(sector * 7 + i);
        }
    }
}

/* The firmware: powers the card and says how fast the controller's clock is. */
int mailbox_ask_one(enum mailbox_tag tag, uint32_t *first, uint32_t *second)
{
    if (tag == TAG_SET_POWER) {
        return *first == 0 && *second == 3 ? 0 : -EIO;
    }
    if (tag == TAG_CLOCK_RATE && *first == 1) {
        *second = fake_peek(0);
        return 0;
    }
    if (tag == TAG_CLOCK_RATE_MAX && *first == 1) {
        *second = 200000000;
        return 0;
    }
    return -EIO;
}
