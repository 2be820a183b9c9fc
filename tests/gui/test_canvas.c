/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. A shape covers each pixel by the share that is inside; overlapping outlines count once, and
 * an outline that goes round the other way is a hole.
 *  2. Nothing is drawn outside the clip, wherever a shape lies.
 *  3. Transforms place shapes; gradients run from end to end; glow adds light.
 *  4. Text has the pixels of its glyphs, across and upwards; unknown characters are question marks.
 *  5. A picture that is written as PNG is read back the same; a file that cannot be written fully
 * is an error and leaves nothing.
 */
#include <errno.h>
#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "draw/canvas.h"
#include "draw/font.h"
#include "draw/png_file.h"
#include "gui_test.h"

static uint32_t at(const struct canvas *canvas, int x, int y)
{
    return canvas->pixels[y * canvas->width + x];
}

static double sum(const struct canvas *canvas)
{
    double total = 0;

    for (int i = 0; i < canvas->width * canvas->height; i++)
        total += (canvas->pixels[i] & 0xff) / 255.0;
    return total;
}

START_TEST(pixels_are_covered_by_their_share)
{
    struct canvas *canvas = canvas_create(10, 10);

    canvas_rect(canvas, 2.5f, 3, 4, 2.25f);
    canvas_fill_colour(canvas, 0xffffffff);
    ck_assert_uint_eq(at(canvas, 1, 3), 0);
    ck_assert_uint_eq(at(canvas, 2, 3), 0x808080);
    ck_assert_uint_eq(at(canvas, 3, 3), 0xffffff);
    ck_assert_uint_eq(at(canvas, 6, 4), 0x808080);
    ck_assert_uint_eq(at(canvas, 3, 5), 0x404040);
    ck_assert_uint_eq(at(canvas, 3, 6), 0);
    canvas_destroy(canvas);
}
END_TEST

START_TEST(a_circle_has_its_area)
{
    struct canvas *canvas = canvas_create(100, 100);

    canvas_circle(canvas, 50, 50, 40);
    canvas_fill_colour(canvas, 0xffffffff);
    ck_assert_double_eq_tol(sum(canvas), 3.14159 * 1600, 25);
    canvas_fill_rect(canvas, (struct rect){0, 0, 100, 100}, 0);
    canvas_circle(canvas, 50, 50, 40);
    canvas_hole(canvas, 50, 50, 30);
    canvas_fill_colour(canvas, 0xffffffff);
    ck_assert_double_eq_tol(sum(canvas), 3.14159 * 700, 15);
    canvas_destroy(canvas);
}
END_TEST

START_TEST(overlapping_outlines_are_painted_once)
{
    struct canvas *canvas = canvas_create(20, 20);
    struct point points[3] = {{4, 4}, {15, 4}, {15, 15}};

    canvas_line(canvas, points, 3, 4);
    canvas_rect(canvas, 0, 0, 10, 10);
    canvas_fill_colour(canvas, 0x80ffffff);
    ck_assert_uint_eq(at(canvas, 5, 4), 0x808080);
    ck_assert_uint_eq(at(canvas, 15, 4), 0x808080);
    ck_assert_uint_eq(at(canvas, 15, 12), 0x808080);
    ck_assert_uint_eq(at(canvas, 2, 8), 0x808080);
    canvas_destroy(canvas);
}
END_TEST

START_TEST(nothing_is_drawn_outside_the_clip)
{
    struct canvas *canvas = canvas_create(30, 30);
    struct paint glow = {PAINT_GLOW, 0xffffffff, 0, {0, 0}, {1000, 0}};

    canvas_clip(canvas, (struct rect){10, 10, 5, 5});
    for (int x = -1000; x <= 1000; x += 250) {
        canvas_round_rect(canvas, (float)x, -500, 1000, 1000, 20);
        canvas_fill_colour(canvas, 0xffffffff);
        canvas_circle(canvas, (float)x, 0, 900);
        canvas_fill(canvas, &glow);
        font_draw(canvas, FONT_16X32, x, 5, "wide text", 0xffffff, FONT_ACROSS);
        font_draw(canvas, FONT_16X32, 5, x, "high text", 0xffffff, FONT_UPWARDS);
        canvas_fill_rect(canvas, (struct rect){x, x, 2000, 2000}, 0xffffff);
    }
    for (int y = 0; y < 30; y++) {
        for (int x = 0; x < 30; x++) {
            bool inside = x >= 10 && x < 15 && y >= 10 && y < 15;
            ck_assert_uint_eq(at(canvas, x, y), inside ? 0xffffff : 0);
        }
    }
    canvas_clip(canvas, (struct rect){-50, -50, 40, 40});
    canvas_fill_rect(canvas, (struct rect){0, 0, 30, 30}, 0xff);
    ck_assert_uint_eq(at(canvas, 0, 0), 0);
    canvas_destroy(canvas);
}
END_TEST

START_TEST(transforms_and_gradients_go_together)
{
    struct canvas *canvas = canvas_create(40, 40);

    canvas_place(canvas, 10, 20, 2);
    canvas_rect(canvas, 0, 0, 10, 5);
    canvas_fill_gradient(canvas, 0, 0, 0xff000000, 10, 0, 0xffffffff);
    ck_assert_uint_eq(at(canvas, 9, 25), 0);
    ck_assert_uint_le(at(canvas, 10, 25) & 0xff, 10);
    ck_assert_uint_ge(at(canvas, 29, 25) & 0xff, 245);
    ck_assert_uint_eq(at(canvas, 19, 20) & 0xff, at(canvas, 19, 29) & 0xff);
    ck_assert_uint_eq(at(canvas, 15, 30), 0);
    canvas_destroy(canvas);
}
END_TEST

START_TEST(glow_adds_light)
{
    struct canvas *canvas = canvas_create(40, 40);
    struct paint glow = {PAINT_GLOW, 0xffff0000, 0, {20, 20}, {40, 20}};

    canvas_fill_rect(canvas, (struct rect){0, 0, 40, 40}, 0x000050);
    canvas_circle(canvas, 20, 20, 20);
    canvas_fill(canvas, &glow);
    ck_assert_uint_eq(at(canvas, 20, 20) & 0xff, 0x50);
    ck_assert_uint_ge(at(canvas, 20, 20) >> 16, 0xe0);
    ck_assert_uint_lt(at(canvas, 30, 20) >> 16, at(canvas, 20, 20) >> 16);
    ck_assert_uint_gt(at(canvas, 30, 20) >> 16, 0);
    ck_assert_uint_eq(at(canvas, 0, 0), 0x50);
    canvas_destroy(canvas);
}
END_TEST

/* Counts pixels that are set in the box. */
static int count(const struct canvas *canvas)
{
    return (int)(sum(canvas) + 0.5);
}

START_TEST(text_reads_across_and_upwards)
{
    struct canvas *across = canvas_create(64, 64), *upwards = canvas_create(64, 64);

    font_draw(across, FONT_8X16, 3, 5, "Tay\xc3\xa4", 0xffffff, FONT_ACROSS);
    font_draw(upwards, FONT_8X16, 5, 3, "Tay\xc3\xa4", 0xffffff, FONT_UPWARDS);
    ck_assert_int_eq(font_measure(FONT_8X16, "Tay\xc3\xa4"), 32);
    ck_assert_int_gt(count(across), 40);
    for (int along = 0; along < 32; along++) {
        for (int down = 0; down < 16; down++)
            ck_assert_uint_eq(at(across, 3 + along, 5 + down),
                              at(upwards, 5 + down, 3 + 31 - along));
    }
    canvas_destroy(across);
    canvas_destroy(upwards);
}
END_TEST

START_TEST(every_size_has_letters_and_a_stand_in)
{
    for (unsigned size = FONT_5X8; size <= FONT_16X32; size++) {
        struct canvas *letter = canvas_create(32, 32), *unknown = canvas_create(32, 32);

        font_draw_symbol(letter, size, 0, 0, '?', 0xffffff, FONT_ACROSS);
        font_draw_symbol(unknown, size, 0, 0, 0x10ffff, 0xffffff, FONT_ACROSS);
        ck_assert_int_gt(count(letter), 5);
        ck_assert_mem_eq(letter->pixels, unknown->pixels, 32 * 32 * 4);
        canvas_destroy(letter);
        canvas_destroy(unknown);
    }
}
END_TEST

START_TEST(a_png_file_is_read_back_the_same)
{
    struct canvas *canvas = canvas_create(37, 21);
    unsigned char rgb[37 * 21 * 3];
    png_image image;

    for (int i = 0; i < 37 * 21; i++)
        canvas->pixels[i] = (uint32_t)i * 7919 & 0xffffff;
    ck_assert_int_eq(png_file_write("round-trip.png", canvas), 0);
    memset(&image, 0, sizeof(image));
    image.version = PNG_IMAGE_VERSION;
    ck_assert(png_image_begin_read_from_file(&image, "round-trip.png"));
    ck_assert_uint_eq(image.width, 37);
    ck_assert_uint_eq(image.height, 21);
    image.format = PNG_FORMAT_RGB;
    ck_assert(png_image_finish_read(&image, NULL, rgb, 0, NULL));
    for (int i = 0; i < 37 * 21; i++)
        ck_assert_uint_eq((uint32_t)rgb[i * 3] << 16 | (uint32_t)rgb[i * 3 + 1] << 8 |
                              rgb[i * 3 + 2],
                          canvas->pixels[i]);
    ck_assert_int_eq(remove("round-trip.png"), 0);
    canvas_destroy(canvas);
}
END_TEST

START_TEST(a_png_file_that_cannot_be_written_is_an_error)
{
    struct canvas *canvas = canvas_create(8, 8);

    ck_assert_int_eq(png_file_write("/no/such/folder/x.png", canvas), -ENOENT);
    ck_assert_int_eq(png_file_write("/dev/full", canvas), -ENOSPC);
    canvas_destroy(canvas);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        pixels_are_covered_by_their_share,     a_circle_has_its_area,
        overlapping_outlines_are_painted_once, nothing_is_drawn_outside_the_clip,
        transforms_and_gradients_go_together,  glow_adds_light,
        text_reads_across_and_upwards,         every_size_has_letters_and_a_stand_in,
        a_png_file_is_read_back_the_same,      a_png_file_that_cannot_be_written_is_an_error,
    };

    return gui_test_run("canvas", tests, sizeof(tests) / sizeof(tests[0]), NULL, NULL);
}
