/* SPDX-License-Identifier: MIT */
/*
 * board.c: the promises of hal/board.h that a running kernel can see.
 *
 * hal_board_stop is seen from outside: the modes of outside.c.
 */
#include "contract.h"

CONTRACT_TEST(name_is_a_constant_text)
{
    const char *name = hal_board_name();
    REQUIRE(name != NULL && name[0] != '\0');
    for (const char *c = name; *c != '\0'; c++)
        EXPECT(*c >= ' ' && *c <= '~');
    EXPECT(hal_board_name() == name);
}

CONTRACT_TEST(led_is_lit)
{
    for (unsigned i = 0; i < 4; i++) {
        hal_board_led(i % 2 == 0);
        contract_want("led", i % 2 == 0, 0);
        enum contract_answer answer = contract_answer();
        if (answer == ANSWER_CANNOT)
            SKIP("nobody outside sees the LED");
        EXPECT_EQUAL(answer, ANSWER_YES);
    }
}

CONTRACT_TEST(entropy_fills)
{
    static uint8_t first[64] KSTATE, second[64] KSTATE;
    int error = hal_board_entropy(first, sizeof(first));
    if (error == -EIO)
        SKIP("the source of entropy does not answer");
    EXPECT_EQUAL(error, 0);
    EXPECT_EQUAL(hal_board_entropy(second, sizeof(second)), 0);
    EXPECT(memcmp(first, second, sizeof(first)) != 0);
    /* 64 random bytes with the same value in every fourth place: once in 2^120. */
    for (unsigned phase = 0; phase < 4; phase++) {
        unsigned same = 0;
        for (unsigned i = phase; i < sizeof(first); i += 4)
            same += first[i] == first[phase];
        EXPECT(same < sizeof(first) / 4);
    }
}

CONTRACT_TEST(entropy_fills_no_more)
{
    uint8_t bytes[40];
    for (size_t n = 0; n <= 24; n++) {
        memset(bytes, 0xcc, sizeof(bytes));
        if (hal_board_entropy(bytes + 8, n) == -EIO)
            SKIP("the source of entropy does not answer");
        for (size_t i = 0; i < sizeof(bytes); i++)
            EXPECT((i >= 8 && i < 8 + n) || bytes[i] == 0xcc);
    }
}

CONTRACT_TEST(choose_gives_an_index)
{
    uint32_t threads[] = {7, 11, 13, 17};
    hal_irq_state_t state = hal_irq_save();
    for (unsigned i = 0; i < 100; i++)
        for (unsigned n = 1; n <= 4; n++)
            EXPECT(hal_board_choose(threads, n) < n);
    EXPECT(hal_irq_masked());
    EXPECT(threads[0] == 7 && threads[3] == 17);
    hal_irq_restore(state);
}

const struct contract_test board_tests[] = {
    {"hal_board_name is a constant, printable text", name_is_a_constant_text},
    {"hal_board_led lights the LED, and puts it out", led_is_lit},
    {"hal_board_entropy gives other bytes each time", entropy_fills},
    {"hal_board_entropy fills what it was given, and no more", entropy_fills_no_more},
    {"hal_board_choose gives one of the threads, and leaves them", choose_gives_an_index},
    {NULL, NULL},
};
