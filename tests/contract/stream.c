/* SPDX-License-Identifier: MIT */
/*
 * stream.c: the promises of hal/stream.h on a machine that nobody runs who has streams.
 */
#include "contract.h"

#include <hal/stream.h>

CONTRACT_TEST(no_streams_without_a_program)
{
    uint8_t byte = 0x5a;
    if (hal_stream_is_there()) {
        contract_skip("somebody has streams");
        return;
    }
    EXPECT(hal_stream_read(&byte, 1) <= 0);
    EXPECT_EQUAL(byte, 0x5a);
    EXPECT_EQUAL(hal_stream_write(HAL_STREAM_OUTPUT, &byte, 1), 1);
    EXPECT_EQUAL(hal_stream_write(HAL_STREAM_ERRORS, &byte, 0), 0);
}

const struct contract_test stream_tests[] = {
    {"a machine that nobody has given streams has none", no_streams_without_a_program},
    {NULL, NULL},
};
