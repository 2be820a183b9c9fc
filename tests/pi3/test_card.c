/* SPDX-License-Identifier: MIT */
/*
 * test_card.c: the card: controller, protocol and request queue, against a model of the hardware.
 *
 * Controller (BCM2837 ARM Peripherals, section 5)
 *  1. It is started in the order that works: pins, power, reset, clock of at most 400 kHz, flags.
 *  2. After every write to a register but the data register two cycles of the card's clock pass.
 *  3. The divisor never makes the clock faster than asked for.
 *  4. Commands carry the right type, checks and direction.
 *  5. A flag is cleared before the block it announces is moved.
 *  6. A controller that does not react is -EIO.
 *
 * Card (SD Physical Layer Simplified Specification)
 *  7. Old, standard and high-capacity cards are told apart, sized and addressed as they want.
 *  8. The size is computed as in the worked examples.
 *  9. No card, a card that is never ready and a card that answers nonsense have their errors.
 * 10. Four lines are used only by cards that have them, and an SCR that cannot be read is no error.
 *
 * Requests (hal/block.h)
 * 11. Reads and writes of any shape move the right bytes, driven by interrupts or by polling.
 * 12. A write, and a flush, is done only when the card has stopped being busy.
 * 13. Requests complete in order, and not before their data has been moved.
 * 14. At most eight sectors are moved in one go by the processor.
 * 15. Passing faults are retried; lasting ones end with the right error, in bounded time.
 * 16. A card that is pulled out fails its requests with -ENOMEDIUM, and can be found again.
 * 17. Requests that are wrong are refused and nothing is queued.
 * 18. A protected card can be read and not written.
 * 19. A second try waits until the card has stopped being busy with the first.
 * 20. A flag that nobody waits for does not interrupt for ever.
 * 21. "Complete" may come together with the last block's flag.
 *
 * What is special about DMA: test_dma.c.
 */
#include "dma_model.h"
#include "fake_bus.h"
#include "requests.h"

#include "sd/block.h"
#include "sd/emmc.h"
#include "sd/sd.h"
#include "../marks.h"

#include <hal/errno.h>
#include <pi3/mmio.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define CRC_ERROR (1u << 17 | 1u << 15)
#define DATA_TIMEOUT (1u << 20 | 1u << 15)

/* ---- the controller ---- */

/** Copies the writes to the controller out of the trace: offset and value. */
static void controller_writes(char *to, size_t room)
{
    to[0] = '\0';
    for (const char *line = fake_trace(); *line != '\0'; line = strchr(line, '\n') + 1) {
        if (strncmp(line, "W 3f3000", 8) == 0) {
            strncat(to, line + 8, 12);
        }
        ck_assert_uint_lt(strlen(to), room - 16);
    }
}

START_TEST(controller_starts_in_order)
{
    char writes[1024];

    fake_trace_clear();
    ck_assert_int_eq(emmc_start(), 0);
    controller_writes(writes, sizeof writes);
    ck_assert_str_eq(writes, "28 00000000\n"
                             "2c 01000000\n"
                             "3c 00000000\n"
                             "2c 000e0000\n"
                             "2c 000e0000\n"
                             "2c 000e3f01\n"
                             "2c 000e3f05\n"
                             "38 00000000\n"
                             "30 017f8033\n"
                             "34 017f8033\n");
    /* Pins: 34 .. 39 inputs, 48 .. 53 ALT3. */
    ck_assert_uint_eq(fake_peek(0x3f20000cu) >> 12, 0);
    ck_assert_uint_eq(fake_peek(0x3f200010u), 7u << 24 | 7u << 27);
    ck_assert_uint_eq(fake_peek(0x3f200014u), 0xfff);
}
END_TEST

START_TEST(every_write_is_followed_by_a_pause)
{
    struct sd_card found;
    unsigned writes = 0;

    ck_assert_int_eq(sd_identify(&found), 0);
    for (const char *line = fake_trace(); *line != '\0'; line = strchr(line, '\n') + 1) {
        if (strncmp(line, "W 3f3000", 8) == 0 && strncmp(line + 8, "20", 2) != 0) {
            writes++;
            const char *next = strchr(line, '\n') + 1;
            ck_assert_int_eq(strncmp(next, "delay ", 6), 0);
            /* Two cycles at 25 MHz are 80 ns, at 1.4 GHz 112 of the processor's. */
            ck_assert_int_ge(atoi(next + 6), 112);
        }
    }
    ck_assert_uint_gt(writes, 50);
}
END_TEST

static const struct {
    uint32_t base, wanted, divisor;
} clocks[] = {{50000000, 400000, 63},   {50000000, 25000000, 1},  {200000000, 400000, 250},
              {250000000, 400000, 313}, {250000000, 25000000, 5}, {41666667, 25000000, 1},
              {0, 400000, 250}};

START_TEST(clock_is_never_too_fast)
{
    fake_poke(0, clocks[_i].base);
    ck_assert_int_eq(emmc_start(), 0);
    ck_assert_int_eq(emmc_set_clock(clocks[_i].wanted), 0);
    uint32_t control = mmio_read(0x3f30002cu);
    uint32_t divisor = (control >> 8 & 0xff) | (control >> 6 & 3) << 8;
    ck_assert_uint_eq(divisor, clocks[_i].divisor);
    uint32_t base = clocks[_i].base != 0 ? clocks[_i].base : 200000000;
    ck_assert_uint_le(base / (2 * divisor), clocks[_i].wanted);
    ck_assert_uint_eq(control & 7, 7);
}
END_TEST

START_TEST(dead_controller_is_an_error)
{
    struct sd_card found;

    card.stuck = true;
    ck_assert_int_eq(sd_identify(&found), -EIO);
    ck_assert_uint_lt(fake_now(), 1000000);
}
END_TEST

/* ---- the card ---- */

START_TEST(cards_are_told_apart)
{
    static const enum card_kind kinds[] = {CARD_OLD, CARD_SDSC, CARD_SDHC};
    static const char *const names[] = {"TAYBR (SDSC)", "TAYBR (SDSC)", "TAYBR (SDHC)"};
    struct sd_card found;

    insert(kinds[_i]);
    card.rounds_until_ready = 5;
    ck_assert_int_eq(sd_identify(&found), 0);
    ck_assert_str_eq(found.description, names[_i]);
    ck_assert_int_eq(found.by_blocks, kinds[_i] == CARD_SDHC);
    ck_assert_uint_eq(found.sectors, kinds[_i] == CARD_SDHC ? 1024 : 256);
    ck_assert(!found.read_only);
    ck_assert_uint_eq(found.address, 0x45670000);
    ck_assert_uint_eq(card.commands[41], 6);
    /* Old cards must not be asked for high capacity; nobody is asked to change the voltage. */
    ck_assert_uint_eq(card.arguments[41], kinds[_i] == CARD_OLD ? 0x00ff8000 : 0x50ff8000);
    ck_assert_uint_eq(card.arguments[8], 0x1aa);
    ck_assert_uint_eq(card.arguments[7], 0x45670000);
    ck_assert_uint_eq(card.arguments[16], 512);
}
END_TEST

START_TEST(commands_are_of_their_kind)
{
    struct sd_card found;

    ck_assert_int_eq(sd_identify(&found), 0);
    ck_assert_uint_eq(card.kinds[0], 0x00000000);
    ck_assert_uint_eq(card.kinds[2], 0x02090000);
    ck_assert_uint_eq(card.kinds[3], 0x031a0000);
    ck_assert_uint_eq(card.kinds[7], 0x071b0000);
    ck_assert_uint_eq(card.kinds[8], 0x081a0000);
    ck_assert_uint_eq(card.kinds[9], 0x09090000);
    ck_assert_uint_eq(card.kinds[41], 0x29020000);
    ck_assert_uint_eq(card.kinds[51], 0x333a0010);
}
END_TEST

/** Puts `value` at bits [high:low] of a register as the controller shows it. */
static void put_bits(uint32_t words[4], unsigned low, uint32_t value)
{
    for (unsigned bit = 0; bit < 32 && value >> bit != 0; bit++) {
        unsigned at = low + bit - 8;
        words[at / 32] |= (value >> bit & 1u) << at % 32;
    }
}

START_TEST(sizes_are_as_in_the_examples)
{
    struct sd_card found;

    insert(CARD_SDSC);
    put_bits(card.size_register, 80, 10);
    put_bits(card.size_register, 62, 3751);
    put_bits(card.size_register, 47, 7);
    ck_assert_int_eq(sd_identify(&found), 0);
    ck_assert_uint_eq(found.sectors, 3842048);

    insert(CARD_SDHC);
    put_bits(card.size_register, 126, 1);
    put_bits(card.size_register, 48, 7579);
    ck_assert_int_eq(sd_identify(&found), 0);
    ck_assert_uint_eq(found.sectors, 7761920);
}
END_TEST

START_TEST(bad_cards_have_their_errors)
{
    struct sd_card found;

    fake_trace_enable(false);
    insert(CARD_ABSENT);
    ck_assert_int_eq(sd_identify(&found), -ENOMEDIUM);

    insert(CARD_SDHC);
    fake_trace_enable(false);
    card.rounds_until_ready = UINT_MAX;
    ck_assert_int_eq(sd_identify(&found), -ETIMEDOUT);
    ck_assert_uint_lt(fake_now(), 2000000);

    insert(CARD_SDHC);
    card.wrong_echo = true;
    ck_assert_int_eq(sd_identify(&found), -EIO);
}
END_TEST

START_TEST(four_lines_only_where_there_are)
{
    struct sd_card found;

    ck_assert_int_eq(sd_identify(&found), 0);
    ck_assert_uint_eq(mmio_read(0x3f300028u), 2);
    ck_assert_uint_eq(card.commands[6], 1);
    ck_assert_uint_eq(card.arguments[6], 2);

    insert(CARD_SDHC);
    card.one_line = true;
    ck_assert_int_eq(sd_identify(&found), 0);
    ck_assert_uint_eq(mmio_read(0x3f300028u), 0);
    ck_assert_uint_eq(card.commands[6], 0);

    insert(CARD_SDHC);
    fake_trace_enable(false);
    card.no_scr = true;
    ck_assert_int_eq(sd_identify(&found), 0);
    ck_assert_uint_eq(mmio_read(0x3f300028u), 0);
}
END_TEST

/* ---- requests ---- */

START_TEST(reads_move_the_right_bytes)
{
    static const enum card_kind kinds[] = {CARD_SDSC, CARD_SDHC};

    insert(kinds[_i]);
    find();
    ask(HAL_BLOCK_READ, 3, 1);
    ck_assert_int_eq(run(), 0);
    ck_assert(sector_as_made(data, 3));
    ck_assert_uint_eq(card.kinds[17], 0x113a0010);
    ck_assert_uint_eq(card.arguments[17], kinds[_i] == CARD_SDHC ? 3 : 3 * 512);

    ask(HAL_BLOCK_READ, 10, 50);
    request.segment_count = 3;
    request.segments[0].sectors = 1;
    request.segments[1].data = data + 512;
    request.segments[1].sectors = 30;
    request.segments[2].data = data + 100 * 512;
    request.segments[2].sectors = 19;
    memset(data, 0, DATA_BYTES);
    ck_assert_int_eq(run(), 0);
    for (unsigned i = 0; i < 50; i++) {
        ck_assert(sector_as_made(data + (i < 31 ? i : i + 69) * 512, 10 + i));
    }
    ck_assert_uint_eq(card.kinds[18], 0x123a0036);
    ck_assert_uint_eq(data[31 * 512], 0);
}
END_TEST

START_TEST(flags_are_cleared_before_the_block)
{
    find();
    ask(HAL_BLOCK_READ, 0, 2);
    ck_assert_int_eq(hal_block_submit(&request), 0);
    fake_trace_clear();
    ck_assert_ptr_eq(run_interrupts(1000), &request);
    int cleared = fake_trace_line("W 3f300030");
    int moved = fake_trace_line("R 3f300020");
    ck_assert_int_ge(cleared, 0);
    ck_assert_int_lt(cleared, moved);
    ck_assert_uint_eq(fake_trace_count("R 3f300020"), 256);
}
END_TEST

START_TEST(writes_last)
{
    find();
    card.rounds_busy = 3;
    for (unsigned i = 0; i < DATA_BYTES; i++) {
        data[i] = (uint8_t)(i / 512 + i * 3);
    }
    ask(HAL_BLOCK_WRITE, 20, 1);
    ck_assert_int_eq(run(), 0);
    ck_assert_uint_eq(card.kinds[24], 0x183a0000);
    unsigned asked = card.commands[13];
    ask(HAL_BLOCK_WRITE, 30, 40);
    ck_assert_int_eq(run(), 0);
    ck_assert_uint_eq(card.kinds[25], 0x193a0026);
    ck_assert_uint_ge(card.commands[13] - asked, 4);
    ck_assert_int_eq(memcmp(card.storage[30], data, 40 * 512), 0);
    ck_assert_int_eq(memcmp(card.storage[20], data, 512), 0);
    ck_assert(sector_as_made(card.storage[21], 21));
    ck_assert(sector_as_made(card.storage[70], 70));
}
END_TEST

START_TEST(flush_asks_the_card)
{
    find();
    unsigned asked = card.commands[13];
    memset(&request, 0, sizeof request);
    request.op = HAL_BLOCK_FLUSH;
    ck_assert_int_eq(run(), 0);
    ck_assert_uint_eq(card.commands[13], asked + 1);
}
END_TEST

START_TEST(requests_complete_in_order)
{
    static struct hal_block_request requests[6];

    find();
    for (unsigned i = 0; i < 6; i++) {
        ask(i == 3 ? HAL_BLOCK_FLUSH : HAL_BLOCK_READ, i, 2);
        request.segments[0].data = data + 1024 * i;
        requests[i] = request;
        ck_assert_int_eq(hal_block_submit(&requests[i]), 0);
    }
    ck_assert_uint_eq(card.blocks, 1); /* the SCR: nothing has been moved yet */
    for (unsigned i = 0; i < 6; i++) {
        ck_assert_ptr_eq(run_interrupts(10000), &requests[i]);
        ck_assert_int_eq(requests[i].result, 0);
    }
    ck_assert_ptr_null(hal_block_completed());
    ck_assert(sector_as_made(data + 1024 * 5, 5));
}
END_TEST

START_TEST(polling_is_enough)
{
    unsigned polls = 0;

    find();
    ask(HAL_BLOCK_READ, 0, 64);
    ck_assert_int_eq(hal_block_submit(&request), 0);
    unsigned before = card.blocks;
    while (hal_block_completed() == NULL) {
        ck_assert_uint_le(card.blocks - before, 8);
        before = card.blocks;
        ck_assert_uint_lt(++polls, 1000);
    }
    ck_assert_uint_ge(polls, 7);
    ck_assert_int_eq(request.result, 0);
    ck_assert(sector_as_made(data + 63 * 512, 63));
}
END_TEST

static const struct {
    unsigned command;
    uint32_t flags, status;
    unsigned block;
    int result; /**< when it lasts */
} faults[] = {
    {18, CRC_ERROR, 0, 0, -EIO}, {18, CRC_ERROR, 0, 2, -EIO}, {18, DATA_TIMEOUT, 0, 3, -ETIMEDOUT},
    {18, 0, 0, 0, -ETIMEDOUT},   {18, 0, 1u << 31, 0, -EIO},  {18, 0, 1u << 21, 0, -EIO},
    {25, CRC_ERROR, 0, 2, -EIO}, {25, 0, 0, 3, -ETIMEDOUT},   {13, CRC_ERROR, 0, 0, -EIO},
};

START_TEST(passing_faults_are_retried)
{
    find();
    card.fault_command = faults[_i].command;
    card.fault_flags = faults[_i].flags;
    card.fault_status = faults[_i].status;
    card.fault_block = faults[_i].block;
    card.fault_count = 1;
    ask(faults[_i].command == 18 ? HAL_BLOCK_READ : HAL_BLOCK_WRITE, 8, 16);
    memset(data, faults[_i].command, DATA_BYTES);
    ck_assert_int_eq(run(), 0);
    ck_assert_uint_eq(card.fault_count, 0);
    if (request.op == HAL_BLOCK_READ) {
        ck_assert(sector_as_made(data, 8) && sector_as_made(data + 15 * 512, 23));
    } else {
        ck_assert_int_eq(memcmp(card.storage[8], data, 16 * 512), 0);
    }
}
END_TEST

START_TEST(lasting_faults_end)
{
    find();
    card.fault_command = faults[_i].command;
    card.fault_flags = faults[_i].flags;
    card.fault_status = faults[_i].status;
    card.fault_block = faults[_i].block;
    card.fault_count = 1000;
    uint64_t before = fake_now();
    ask(faults[_i].command == 18 ? HAL_BLOCK_READ : HAL_BLOCK_WRITE, 8, 16);
    ck_assert_int_eq(run(), faults[_i].result);
    ck_assert_uint_lt(fake_now() - before, 10000000);
    /* The card is not lost: when the fault is over, the next request works. */
    card.fault_count = 0;
    ask(HAL_BLOCK_READ, 8, 16);
    ck_assert_int_eq(run(), 0);
}
END_TEST

START_TEST(write_protection_is_told)
{
    find();
    card.fault_command = 25;
    card.fault_status = 1u << 26;
    card.fault_count = 1;
    ask(HAL_BLOCK_WRITE, 8, 16);
    ck_assert_int_eq(run(), -EROFS);
}
END_TEST

START_TEST(pulled_cards_are_missed)
{
    struct hal_block_info info;

    find();
    card.kind = CARD_ABSENT;
    ask(HAL_BLOCK_READ, 8, 16);
    ck_assert_int_eq(run(), -ENOMEDIUM);
    ck_assert_int_eq(hal_block_submit(&request), -ENOMEDIUM);
    ck_assert_int_eq(hal_block_probe(&info), -ENOMEDIUM);
    card.kind = CARD_SDSC;
    ck_assert_int_eq(hal_block_probe(&info), 0);
    ck_assert_uint_eq(info.sectors, 256);
    ck_assert_int_eq(run(), 0);
}
END_TEST

START_TEST(wrong_requests_are_refused)
{
    struct hal_block_info info;

    ask(HAL_BLOCK_READ, 0, 1);
    ck_assert_int_eq(hal_block_submit(&request), -ENOMEDIUM);
    ck_assert_int_eq(hal_block_probe(&info), 0);
    ask(HAL_BLOCK_READ, info.sectors, 1);
    ck_assert_int_eq(hal_block_submit(&request), -EINVAL);
    ask(HAL_BLOCK_READ, info.sectors - 1, 2);
    ck_assert_int_eq(hal_block_submit(&request), -EINVAL);
    ask(HAL_BLOCK_READ, UINT64_MAX, 2);
    ck_assert_int_eq(hal_block_submit(&request), -EINVAL);
    ask(HAL_BLOCK_READ, 0, 0);
    ck_assert_int_eq(hal_block_submit(&request), -EINVAL);
    ask(HAL_BLOCK_READ, 0, HAL_BLOCK_SECTORS + 1);
    ck_assert_int_eq(hal_block_submit(&request), -EINVAL);
    ask(HAL_BLOCK_READ, 0, 1);
    request.segment_count = 0;
    ck_assert_int_eq(hal_block_submit(&request), -EINVAL);
    request.segment_count = HAL_BLOCK_SEGMENTS + 1;
    ck_assert_int_eq(hal_block_submit(&request), -EINVAL);
    ask(HAL_BLOCK_READ, 0, 1);
    request.segments[0].data = data + 2;
    ck_assert_int_eq(hal_block_submit(&request), -EINVAL);
    ask((enum hal_block_op)7, 0, 1);
    ck_assert_int_eq(hal_block_submit(&request), -EINVAL);
    ck_assert_ptr_null(hal_block_completed());
    ck_assert_uint_eq(pokes, 0);
}
END_TEST

START_TEST(protected_cards_are_only_read)
{
    struct hal_block_info info;

    card.protected = true;
    ck_assert_int_eq(hal_block_probe(&info), 0);
    ck_assert(info.read_only);
    ask(HAL_BLOCK_WRITE, 8, 1);
    ck_assert_int_eq(run(), -EROFS);
    ck_assert_uint_eq(card.commands[24], 0);
    ask(HAL_BLOCK_READ, 8, 1);
    ck_assert_int_eq(run(), 0);
}
END_TEST

START_TEST(another_try_waits_for_a_busy_card)
{
    find();
    card.rounds_busy = 20;
    card.fault_command = 25;
    card.fault_flags = CRC_ERROR;
    card.fault_block = 2;
    card.fault_count = 1;
    memset(data, 0x5a, DATA_BYTES);
    ask(HAL_BLOCK_WRITE, 8, 16);
    ck_assert_int_eq(run(), 0);
    ck_assert_uint_eq(card.commands[25], 2);
    ck_assert_int_eq(memcmp(card.storage[8], data, 16 * 512), 0);
}
END_TEST

START_TEST(late_flags_are_dropped)
{
    find();
    card_raise(1u << 1);
    ck_assert(card_interrupts());
    sd_block_take_interrupt();
    ck_assert(!card_interrupts());
    ask(HAL_BLOCK_READ, 8, 16);
    ck_assert_int_eq(run(), 0);
}
END_TEST

START_TEST(complete_may_come_early)
{
    card.early_done = true;
    find();
    ck_assert_uint_eq(mmio_read(0x3f300028u), 2);
    for (uint32_t sectors = 1; sectors <= 20; sectors += 19) {
        memset(data, 0, DATA_BYTES);
        ask(HAL_BLOCK_READ, 8, sectors);
        ck_assert_int_eq(run(), 0);
        ck_assert(sector_as_made(data + (sectors - 1) * 512, 8 + sectors - 1));
    }
}
END_TEST

static void add_controller(Suite *suite)
{
    TCase *tests = tcase_create("controller");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, controller_starts_in_order);
    tcase_add_test(tests, every_write_is_followed_by_a_pause);
    tcase_add_loop_test(tests, clock_is_never_too_fast, 0, 7);
    tcase_add_test(tests, dead_controller_is_an_error);
    tcase_add_test(tests, commands_are_of_their_kind);
    suite_add_tcase(suite, tests);
}

static void add_card(Suite *suite)
{
    TCase *tests = tcase_create("card");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_loop_test(tests, cards_are_told_apart, 0, 3);
    tcase_add_test(tests, sizes_are_as_in_the_examples);
    tcase_add_test(tests, bad_cards_have_their_errors);
    tcase_add_test(tests, four_lines_only_where_there_are);
    suite_add_tcase(suite, tests);
}

/** What holds whoever moves the data. */
static void add_common(TCase *tests)
{
    int fault_count = (int)(sizeof faults / sizeof faults[0]);

    tcase_add_loop_test(tests, reads_move_the_right_bytes, 0, 2);
    tcase_add_test(tests, writes_last);
    tcase_add_test(tests, flush_asks_the_card);
    tcase_add_test(tests, requests_complete_in_order);
    tcase_add_loop_test(tests, passing_faults_are_retried, 0, fault_count);
    tcase_add_loop_test(tests, lasting_faults_end, 0, fault_count);
    tcase_add_test(tests, write_protection_is_told);
    tcase_add_test(tests, pulled_cards_are_missed);
    tcase_add_test(tests, wrong_requests_are_refused);
    tcase_add_test(tests, protected_cards_are_only_read);
    tcase_add_test(tests, another_try_waits_for_a_busy_card);
    tcase_add_test(tests, late_flags_are_dropped);
    tcase_add_test(tests, complete_may_come_early);
}

static void add_requests(Suite *suite)
{
    TCase *words = tcase_create("requests by the processor");
    TCase *lines = tcase_create("requests by DMA");

    tcase_add_checked_fixture(words, setup_words, NULL);
    add_common(words);
    tcase_add_test(words, flags_are_cleared_before_the_block);
    tcase_add_test(words, polling_is_enough);
    suite_add_tcase(suite, words);
    tcase_add_checked_fixture(lines, setup_lines, NULL);
    add_common(lines);
    suite_add_tcase(suite, lines);
}

int main(void)
{
    Suite *suite = suite_create("pi3-card");

    add_controller(suite);
    add_card(suite);
    add_requests(suite);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
