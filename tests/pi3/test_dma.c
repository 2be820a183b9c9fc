/* SPDX-License-Identifier: MIT */
/*
 * test_dma.c: the card's data goes by DMA (BCM2837 ARM Peripherals, section 4), against models of
 * channel, controller and card. What does not depend on who moves the data: test_card.c.
 *
 * 1. Memory that begins with a line of the cache is moved by DMA: the processor touches the data
 *    register not once, and looks at the controllers as often for one sector as for all.
 * 2. The control blocks are as the data sheet wants them, one for each piece, and the last one
 *    interrupts.
 * 3. Memory is cleaned before a transfer, and dropped from the cache after a read.
 * 4. When a request is complete, with an error too, the channel has stopped.
 * 5. A channel that moves nothing is given up in time; a slow one is not. Its error is -EIO.
 */
#include "dma_model.h"
#include "fake_bus.h"
#include "requests.h"

#include "sd/block.h"
#include "../marks.h"

#include <hal/errno.h>
#include <hal/mem.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Reads or writes `sectors`, and counts what the processor does after the submission. */
static void measure(enum hal_block_op op, uint32_t sectors, unsigned *interrupts, unsigned *lines)
{
    ask(op, 5, sectors);
    ck_assert_int_eq(hal_block_submit(&request), 0);
    fake_trace_clear();
    taken = 0;
    ck_assert_ptr_eq(run_interrupts(100000), &request);
    ck_assert_int_eq(request.result, 0);
    *interrupts = taken;
    *lines = fake_trace_count("R ") + fake_trace_count("W ");
    ck_assert_uint_eq(fake_trace_count("R 3f300020") + fake_trace_count("W 3f300020"), 0);
}

START_TEST(the_processor_moves_nothing)
{
    enum hal_block_op op = _i ? HAL_BLOCK_WRITE : HAL_BLOCK_READ;
    unsigned interrupts[2], lines[2];

    find();
    measure(op, 1, &interrupts[0], &lines[0]);
    ck_assert_uint_eq(dma.words, 128);
    measure(op, 200, &interrupts[1], &lines[1]);
    ck_assert_uint_eq(dma.words, 201 * 128);
    ck_assert_uint_eq(dma.started, 2);
    /* The answer, the channel's end, the controller's, and of a write the status. */
    ck_assert_uint_le(interrupts[0], 4);
    ck_assert_uint_eq(interrupts[1], interrupts[0]);
    ck_assert_uint_eq(lines[1], lines[0]);
}
END_TEST

START_TEST(control_blocks_are_as_they_should)
{
    bool read = _i == 0;

    find();
    ask(read ? HAL_BLOCK_READ : HAL_BLOCK_WRITE, 10, 50);
    request.segment_count = 3;
    request.segments[0].sectors = 1;
    request.segments[1].data = data + 512;
    request.segments[1].sectors = 30;
    request.segments[2].data = data + 100 * 512;
    request.segments[2].sectors = 19;
    ck_assert_int_eq(run(), 0);
    ck_assert_uint_eq(dma.block_count, 3);
    for (unsigned i = 0; i < 3; i++) {
        const uint32_t *block = dma.blocks[i];
        uint32_t memory_at =
            (uint32_t)hal_mem_physical(request.segments[i].data) | UINT32_C(0xc0000000);

        /* Line 11, wait for responses; paced source and counting destination, or the reverse. */
        ck_assert_uint_eq(block[0], (read ? 0x000b0418u : 0x000b0148u) | (i == 2 ? 1u : 0u));
        ck_assert_uint_eq(block[1], read ? 0x7e300020u : memory_at);
        ck_assert_uint_eq(block[2], read ? memory_at : 0x7e300020u);
        ck_assert_uint_eq(block[3], request.segments[i].sectors * 512);
        ck_assert_uint_eq(block[4], 0);
        ck_assert_int_eq(block[5] == 0, i == 2);
    }
}
END_TEST

START_TEST(the_cache_is_told)
{
    char flush[64];

    find();
    ask(_i ? HAL_BLOCK_WRITE : HAL_BLOCK_READ, 10, 7);
    snprintf(flush, sizeof flush, "flush %08lx %u\n", (unsigned long)hal_mem_physical(data),
             7 * 512);
    fake_trace_clear();
    ck_assert_int_eq(run(), 0);
    ck_assert_uint_eq(fake_trace_count(flush), _i ? 1 : 2);
    /* Before the channel starts ... */
    ck_assert_int_lt(fake_trace_line(flush), fake_trace_line("W 3f007504"));
    if (_i == 0) { /* ... and when it has been seen to be active no more */
        const char *started = strstr(fake_trace(), "W 3f007500 10f80001");
        const char *ended, *dropped;

        ck_assert_ptr_nonnull(started);
        ended = strstr(started, "R 3f007500 ");
        dropped = strstr(started, flush);
        ck_assert(ended != NULL && dropped > ended);
        while (strstr(ended + 1, "R 3f007500 ") < dropped) {
            ended = strstr(ended + 1, "R 3f007500 ");
        }
        ck_assert_uint_eq(strtoul(ended + 11, NULL, 16) & 1, 0);
    }
}
END_TEST

START_TEST(odd_memory_is_moved_by_the_processor)
{
    find();
    ask(HAL_BLOCK_READ, 10, 4);
    request.segment_count = 2;
    request.segments[0].sectors = 2;
    request.segments[1].data = data + 1024 + 32;
    request.segments[1].sectors = 2;
    ck_assert_int_eq(run(), 0);
    ck_assert_uint_eq(dma.started, 0);
    ck_assert(sector_as_made(data, 10) && sector_as_made(data + 1024 + 32 + 512, 13));
    ask(HAL_BLOCK_READ, 10, 4);
    ck_assert_int_eq(run(), 0);
    ck_assert_uint_eq(dma.started, 1);
}
END_TEST

START_TEST(a_channel_that_stands_still_is_given_up)
{
    uint64_t before;

    find();
    before = fake_now();
    dma.stalls = true;
    ask(HAL_BLOCK_READ, 8, 16);
    ck_assert_int_eq(run(), -ETIMEDOUT);
    ck_assert_uint_lt(fake_now() - before, 10000000);
    ck_assert_uint_eq(dma.started, 3);
    dma.stalls = false;
    ask(HAL_BLOCK_READ, 8, 16);
    ck_assert_int_eq(run(), 0);
    ck_assert(sector_as_made(data + 15 * 512, 23));
    dma.fails = true;
    ck_assert_int_eq(run(), -EIO);
    dma.fails = false;
    ck_assert_int_eq(run(), 0);
}
END_TEST

START_TEST(a_slow_channel_is_waited_for)
{
    find();
    ask(HAL_BLOCK_READ, 8, 16);
    ck_assert_int_eq(hal_block_submit(&request), 0);
    sd_block_take_interrupt();
    for (unsigned i = 0; i < 32; i++) { /* half a sector in 0.9 seconds */
        ck_assert_uint_eq(pokes, 0);
        fake_pass(900000);
        ck_assert(dma_step());
        sd_block_take_interrupt();
    }
    ck_assert_ptr_eq(run_interrupts(1000), &request);
    ck_assert_int_eq(request.result, 0);
    ck_assert_uint_eq(dma.started, 1);
}
END_TEST

START_TEST(polling_is_enough_for_dma)
{
    unsigned polls = 0;

    find();
    ask(HAL_BLOCK_READ, 0, 64);
    ck_assert_int_eq(hal_block_submit(&request), 0);
    while (hal_block_completed() == NULL) {
        (void)dma_step();
        ck_assert_uint_lt(++polls, 1000);
    }
    ck_assert_int_eq(request.result, 0);
    ck_assert(sector_as_made(data + 63 * 512, 63));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pi3-dma");
    TCase *tests = tcase_create("dma");

    tcase_add_checked_fixture(tests, setup_lines, NULL);
    tcase_add_loop_test(tests, the_processor_moves_nothing, 0, 2);
    tcase_add_loop_test(tests, control_blocks_are_as_they_should, 0, 2);
    tcase_add_loop_test(tests, the_cache_is_told, 0, 2);
    tcase_add_test(tests, odd_memory_is_moved_by_the_processor);
    tcase_add_test(tests, a_channel_that_stands_still_is_given_up);
    tcase_add_test(tests, a_slow_channel_is_waited_for);
    tcase_add_test(tests, polling_is_enough_for_dma);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
