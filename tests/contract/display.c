/* SPDX-License-Identifier: MIT */
/*
 * display.c: the promises of hal/display.h: a linear framebuffer, if there is one.
 */
#include "contract.h"

static struct hal_display display KSTATE;
static bool have_display KSTATE;

CONTRACT_TEST(open_describes_the_display)
{
    int error = hal_display_open(320, 200, &display);
    if (error == -ENODEV)
        SKIP("there is no display");
    REQUIRE(error == 0);
    have_display = true;
    EXPECT(display.pixels != NULL);
    EXPECT(display.width > 0 && display.height > 0);
    EXPECT(display.pitch >= display.width * 4);
    EXPECT_EQUAL(display.pitch % 4, 0);
}

static uint32_t *pixel(uint32_t x, uint32_t y)
{
    return display.pixels + (size_t)y * (display.pitch / 4) + x;
}

CONTRACT_TEST(pixels_keep_their_colour)
{
    if (!have_display)
        SKIP("there is no display");
    for (uint32_t y = 0; y < display.height; y++)
        for (uint32_t x = 0; x < display.width; x += 13)
            *pixel(x, y) = (x << 16 | y) & 0xffffff;
    unsigned wrong = 0;
    for (uint32_t y = 0; y < display.height; y++)
        for (uint32_t x = 0; x < display.width; x += 13)
            wrong += (*pixel(x, y) & 0xffffff) != ((x << 16 | y) & 0xffffff);
    EXPECT_EQUAL(wrong, 0);
}

CONTRACT_TEST(show_makes_visible)
{
    if (!have_display)
        SKIP("there is no display");
    uint32_t last = display.width * display.height - 1;
    *pixel(0, 0) = 0x123456;
    *pixel(display.width - 1, display.height - 1) = 0x00ff01;
    hal_display_show(0, display.height);
    contract_want("pixel", 0, 0x123456);
    enum contract_answer answer = contract_answer();
    if (answer == ANSWER_CANNOT)
        SKIP("nobody outside sees the display");
    EXPECT_EQUAL(answer, ANSWER_YES);
    contract_want("pixel", last, 0x00ff01);
    EXPECT_EQUAL(contract_answer(), ANSWER_YES);
}

CONTRACT_TEST(show_ignores_lines_outside)
{
    if (!have_display)
        SKIP("there is no display");
    hal_display_show(display.height, 1);
    hal_display_show(display.height - 1, 1000);
    hal_display_show(0, UINT32_MAX);
    hal_display_show(UINT32_MAX, UINT32_MAX);
    hal_display_show(1, UINT32_MAX);
    hal_display_show(5, 0);
    EXPECT(hal_irq_masked());
}

const struct contract_test display_tests[] = {
    {"hal_display_open describes the display", open_describes_the_display},
    {"a pixel keeps its colour", pixels_keep_their_colour},
    {"hal_display_show makes a change visible", show_makes_visible},
    {"hal_display_show ignores lines outside the display", show_ignores_lines_outside},
    {NULL, NULL},
};
