/* SPDX-License-Identifier: MIT */
/*
 * board_art.c: a Raspberry Pi 3 Model B seen from above, in millimetres from its top left corner.
 *
 * Connectors, chips and holes are where the board's mechanical drawing has them; traces and small
 * parts are there for the eye.
 */
#include <stdio.h>
#include <string.h>

#include "diagram/board.h"
#include "draw/picture.h"

#define COLOUR_BACK 0xff1a1f29
#define COLOUR_SILK 0xe8f2ea
#define COLOUR_STEEL 0xffd5dae0
#define COLOUR_STEEL2 0xff8d96a1

/* A box with a gradient from top to bottom and an edge. */
static void board_art_box(struct canvas *canvas, struct point at, struct point size, float radius,
                          uint32_t top, uint32_t bottom)
{
    canvas_round_rect(canvas, at.x - 0.18f, at.y - 0.18f, size.x + 0.36f, size.y + 0.36f,
                      radius + 0.18f);
    canvas_fill_colour(canvas, colour_mix(bottom, 0xff000000, 0.55f));
    canvas_round_rect(canvas, at.x, at.y, size.x, size.y, radius);
    canvas_fill_gradient(canvas, 0, at.y, top, 0, at.y + size.y, bottom);
}

static enum font_size board_art_font(const struct view *view)
{
    return view->scale >= 2.4f ? FONT_8X16 : view->scale >= 1.8f ? FONT_6X12 : FONT_5X8;
}

static void board_art_silk(struct canvas *canvas, const struct view *view, float x, float y,
                           const char *text)
{
    if (view->scale >= 1.0f)
        picture_text(canvas, board_art_font(view), x, y, text, COLOUR_SILK, FONT_ACROSS);
}

/* ---- the bare board ---- */

static void board_art_draw_traces(struct canvas *canvas)
{
    static const struct point runs[][4] = {
        {{20, 17}, {20, 13}, {16, 9}, {16, 7}},   {{22, 17}, {22, 13}, {20, 11}, {20, 7}},
        {{24, 17}, {24, 12}, {26, 10}, {26, 7}},  {{26, 17}, {26, 12}, {30, 8}, {30, 7}},
        {{28, 17}, {28, 13}, {35, 8}, {35, 7}},   {{30, 17}, {30, 14}, {40, 9}, {40, 7}},
        {{33, 22}, {38, 22}, {46, 27}, {50, 27}}, {{33, 24}, {38, 24}, {45, 29}, {50, 29}},
        {{33, 26}, {37, 26}, {44, 31}, {50, 31}}, {{33, 28}, {36, 28}, {41, 34}, {41, 45}},
        {{20, 31}, {20, 36}, {27, 42}, {27, 46}}, {{22, 31}, {22, 36}, {29, 42}, {29, 46}},
        {{24, 31}, {24, 36}, {31, 41}, {31, 46}}, {{18, 24}, {14, 24}, {9, 27}, {6, 27}},
        {{18, 26}, {14, 26}, {9, 29}, {6, 29}},   {{18, 28}, {14, 28}, {9, 31}, {6, 31}},
        {{59, 25}, {63, 22}, {66, 22}, {69, 22}}, {{59, 27}, {64, 27}, {66, 27}, {69, 27}},
        {{59, 30}, {63, 34}, {63, 41}, {66, 44}}, {{57, 32}, {61, 36}, {61, 43}, {66, 47}},
        {{12, 50}, {12, 44}, {15, 40}, {15, 34}}, {{10, 50}, {10, 43}, {13, 39}, {13, 34}},
        {{55, 43}, {55, 38}, {52, 35}, {52, 33}}, {{59, 23}, {63, 17}, {64, 10}, {69, 10}},
    };

    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
        canvas_line(canvas, runs[i], 4, 0.35f);
    canvas_fill_colour(canvas, 0x5541c47c);
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        canvas_circle(canvas, runs[i][1].x, runs[i][1].y, 0.42f);
        canvas_circle(canvas, runs[i][2].x, runs[i][2].y, 0.42f);
    }
    canvas_fill_colour(canvas, 0x9041c47c);
}

static void board_art_draw_holes(struct canvas *canvas)
{
    static const struct point holes[4] = {
        {3.5f, 3.5f}, {61.5f, 3.5f}, {3.5f, 52.5f}, {61.5f, 52.5f}};

    for (unsigned i = 0; i < 4; i++) {
        canvas_circle(canvas, holes[i].x, holes[i].y, 2.9f);
        canvas_fill_gradient(canvas, 0, holes[i].y - 3, 0xfff0d27a, 0, holes[i].y + 3, 0xffb8923a);
        canvas_circle(canvas, holes[i].x, holes[i].y, 1.45f);
        canvas_fill_colour(canvas, COLOUR_BACK);
    }
}

static void board_art_draw_bare(struct canvas *canvas)
{
    /* A card sticks out of the slot on the underside. */
    board_art_box(canvas, (struct point){-2.6f, 22.5f}, (struct point){8, 11}, 0.8f, 0xff3a4250,
                  0xff262c37);
    for (unsigned shade = 0; shade < 4; shade++) {
        float grow = 1.6f - 0.4f * (float)shade;
        canvas_round_rect(canvas, 0.5f - grow, 1.1f - grow, 85 + 2 * grow, 56 + 2 * grow, 3 + grow);
        canvas_fill_colour(canvas, 0x22000000);
    }
    canvas_round_rect(canvas, 0, 0, 85, 56, 3);
    canvas_fill_gradient(canvas, 0, 0, 0xff0d5a31, 0, 56, 0xff093f23);
    canvas_round_rect(canvas, 0.3f, 0.3f, 84.4f, 55.4f, 2.7f);
    canvas_fill_gradient(canvas, 0, 0, 0xff1c8a4e, 85, 56, 0xff116b3a);
    board_art_draw_traces(canvas);
    board_art_draw_holes(canvas);
}

/* ---- what is soldered to it ---- */

static void board_art_draw_header(struct canvas *canvas)
{
    board_art_box(canvas, (struct point){7.1f, 0.96f}, (struct point){50.8f, 5.08f}, 0.3f,
                  0xff2d3138, 0xff17191d);
    for (unsigned number = 1; number <= BOARD_PINS; number++) {
        float x, y;

        board_place_pin(number, &x, &y);
        x /= BOARD_MM;
        y /= BOARD_MM;
        canvas_round_rect(canvas, x - 0.95f, y - 0.95f, 1.9f, 1.9f, 0.25f);
        canvas_fill_colour(canvas, 0xff0e1013);
        canvas_round_rect(canvas, x - 0.55f, y - 0.55f, 1.1f, 1.1f, 0.2f);
        canvas_fill_gradient(canvas, x, y - 0.6f, 0xfff7e2a0, x, y + 0.6f, 0xffb98f36);
    }
}

static void board_art_draw_chip(struct canvas *canvas, const struct view *view, struct point at,
                                float size, const char *text)
{
    board_art_box(canvas, at, (struct point){size, size}, 0.4f, 0xff33383f, 0xff1d2025);
    canvas_circle(canvas, at.x + 1.2f, at.y + 1.2f, 0.4f);
    canvas_fill_colour(canvas, 0xff5b626c);
    if (view->scale >= 1.0f)
        picture_text(canvas, board_art_font(view), at.x + size / 2, at.y + size / 2, text, 0xaab0b8,
                     FONT_ACROSS);
}

static void board_art_draw_usb(struct canvas *canvas, float middle)
{
    board_art_box(canvas, (struct point){69.6f, middle - 6.6f}, (struct point){17.4f, 13.2f}, 0.5f,
                  COLOUR_STEEL, COLOUR_STEEL2);
    board_art_box(canvas, (struct point){86.2f, middle - 7.3f}, (struct point){1.2f, 14.6f}, 0.4f,
                  COLOUR_STEEL, COLOUR_STEEL2);
    for (unsigned i = 0; i < 2; i++) {
        float y = middle + (i ? 2.0f : -4.6f);
        canvas_round_rect(canvas, 73, y, 7, 2.6f, 0.5f);
        canvas_fill_gradient(canvas, 0, y, 0xff7a828d, 0, y + 2.6f, 0xffaab2bb);
    }
    canvas_rect(canvas, 71.2f, middle - 6.4f, 0.35f, 12.8f);
    canvas_rect(canvas, 82.6f, middle - 6.4f, 0.35f, 12.8f);
    canvas_fill_colour(canvas, 0x50303843);
}

static void board_art_draw_ethernet(struct canvas *canvas)
{
    board_art_box(canvas, (struct point){65.7f, 37.7f}, (struct point){21.3f, 16.1f}, 0.5f,
                  COLOUR_STEEL, COLOUR_STEEL2);
    canvas_round_rect(canvas, 69, 41.2f, 12, 9.1f, 0.6f);
    canvas_fill_gradient(canvas, 0, 41, 0xff868f9a, 0, 50, 0xffb3bac3);
    canvas_rect(canvas, 67.2f, 38, 0.35f, 15.5f);
    canvas_rect(canvas, 83.4f, 38, 0.35f, 15.5f);
    canvas_fill_colour(canvas, 0x50303843);
    canvas_rect(canvas, 84.6f, 39.2f, 2.2f, 2.6f);
    canvas_fill_colour(canvas, 0xff2f7a46);
    canvas_rect(canvas, 84.6f, 49.6f, 2.2f, 2.6f);
    canvas_fill_colour(canvas, 0xff9a7a2c);
}

/* The connectors along the lower edge, and the two for flat cables. */
static void board_art_draw_edge(struct canvas *canvas)
{
    board_art_box(canvas, (struct point){6.7f, 50.6f}, (struct point){7.8f, 6.2f}, 0.6f,
                  COLOUR_STEEL, COLOUR_STEEL2);
    board_art_box(canvas, (struct point){24.5f, 45.6f}, (struct point){15, 11.6f}, 0.6f,
                  COLOUR_STEEL, COLOUR_STEEL2);
    canvas_rect(canvas, 26.5f, 48, 3, 0.5f);
    canvas_rect(canvas, 34.5f, 48, 3, 0.5f);
    canvas_rect(canvas, 24.7f, 54.6f, 14.6f, 0.4f);
    canvas_fill_colour(canvas, 0x60303843);
    board_art_box(canvas, (struct point){50, 44}, (struct point){7, 12}, 0.4f, 0xff30343b,
                  0xff1a1c20);
    board_art_box(canvas, (struct point){51, 56}, (struct point){5, 2.4f}, 0.5f, 0xff30343b,
                  0xff1a1c20);
    board_art_box(canvas, (struct point){43.2f, 33.6f}, (struct point){3.6f, 22}, 0.3f, 0xffe9e4d8,
                  0xffbfb8a8);
    canvas_rect(canvas, 45.3f, 34.2f, 1.2f, 20.8f);
    canvas_fill_colour(canvas, 0xff2a2d33);
    board_art_box(canvas, (struct point){1.6f, 17}, (struct point){3.6f, 22}, 0.3f, 0xffe9e4d8,
                  0xffbfb8a8);
    canvas_rect(canvas, 1.9f, 17.6f, 1.2f, 20.8f);
    canvas_fill_colour(canvas, 0xff2a2d33);
}

static void board_art_draw_small(struct canvas *canvas)
{
    static const struct point parts[] = {
        {12, 14}, {14.4f, 14}, {12, 17}, {14.4f, 20}, {36, 15},    {38.4f, 15}, {36, 18},
        {36, 33}, {38.4f, 33}, {36, 36}, {38.4f, 36}, {12, 36},    {9.6f, 36},  {17.5f, 44},
        {20, 44}, {17.5f, 47}, {20, 47}, {48, 18},    {50.4f, 18}, {52.8f, 18}, {55.2f, 18},
        {62, 30}, {62, 33},    {49, 38}, {51.4f, 38}, {58, 38},    {58, 41},    {48.6f, 41},
        {18, 53}, {20.4f, 53}, {41, 53}, {65, 19},    {65, 22},
    };

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        canvas_rect(canvas, parts[i].x, parts[i].y, 1.7f, 0.95f);
    canvas_fill_colour(canvas, 0xffcdd2d8);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        canvas_rect(canvas, parts[i].x + 0.4f, parts[i].y, 0.9f, 0.95f);
    canvas_fill_colour(canvas, 0xff8a6a45);
    board_art_box(canvas, (struct point){10, 39}, (struct point){4.2f, 4.2f}, 0.5f, 0xff474c54,
                  0xff2c3036);
    board_art_box(canvas, (struct point){16.5f, 36.6f}, (struct point){4.2f, 4.2f}, 0.5f,
                  0xff5c626b, 0xff3b4047);
    board_art_box(canvas, (struct point){49.5f, 20.6f}, (struct point){4.6f, 1.9f}, 0.9f,
                  COLOUR_STEEL, COLOUR_STEEL2);
    /* The chip aerial of the radio. */
    board_art_box(canvas, (struct point){2, 10}, (struct point){1.8f, 5}, 0.2f, 0xfff1efe8,
                  0xffd5d1c6);
}

void board_art_draw(struct canvas *canvas, const struct part *part, const struct view *view)
{
    picture_place_board(canvas, part, view);
    board_art_draw_bare(canvas);
    board_art_draw_small(canvas);
    board_art_draw_header(canvas);
    board_art_draw_chip(canvas, view, (struct point){18.6f, 17}, 14, "BCM2837");
    board_art_draw_chip(canvas, view, (struct point){49.6f, 24}, 9.4f, "LAN9514");
    board_art_draw_usb(canvas, 9);
    board_art_draw_usb(canvas, 27);
    board_art_draw_ethernet(canvas);
    board_art_draw_edge(canvas);
    board_art_silk(canvas, view, 25.6f, 33.8f, "Raspberry Pi 3");
    board_art_silk(canvas, view, 32, 43.8f, "HDMI");
    board_art_silk(canvas, view, 10.6f, 48.8f, "POWER");
    board_art_silk(canvas, view, 78, 18, "USB");
    board_art_silk(canvas, view, 76, 36, "ETHERNET");
    board_art_draw_lamp(canvas, part, view, true, false);
    board_art_draw_lamp(canvas, part, view, false, false);
}

/* ---- the board's own LEDs ---- */

void board_art_draw_lamp(struct canvas *canvas, const struct part *part, const struct view *view,
                         bool power, bool lit)
{
    float y = power ? 46.2f : 41.8f;
    uint32_t on = power ? 0xffff4a3d : 0xff4dff7c;
    uint32_t off = power ? 0xff5a1f1c : 0xff1d4a2a;
    struct paint glow = {PAINT_GLOW, (on & 0xffffff) | 0xa0000000, 0, {2.6f, y}, {8.2f, y}};

    picture_place_board(canvas, part, view);
    canvas_rect(canvas, 1.5f, y - 0.65f, 2.2f, 1.3f);
    canvas_fill_colour(canvas, 0xffd9dce0);
    canvas_rect(canvas, 1.9f, y - 0.65f, 1.4f, 1.3f);
    canvas_fill_colour(canvas, lit ? colour_mix(on, 0xffffffff, 0.1f) : off);
    if (lit) {
        canvas_circle(canvas, 2.6f, y, 5.6f);
        canvas_fill(canvas, &glow);
    }
    if (view->scale >= 1.0f)
        picture_text(canvas, board_art_font(view), 6.4f, y, power ? "PWR" : "ACT", COLOUR_SILK,
                     FONT_ACROSS);
}

/* ---- labels of the pins ---- */

static uint32_t board_art_label_colour(const struct board_pin *pin)
{
    switch (pin->kind) {
    case BOARD_GROUND:
        return 0x30343c;
    case BOARD_3V3:
        return 0xc7682a;
    case BOARD_5V:
        return 0xb8312f;
    default:
        return 0x2b5f9e;
    }
}

/* "GND.3" is labelled GND; the chip's names stay as they are. */
static void board_art_label_text(const struct board_pin *pin, char text[8])
{
    snprintf(text, 8, "%s", pin->name);
    if (pin->kind != BOARD_GPIO)
        text[strcspn(text, ".")] = '\0';
}

/* A tag beside a pin: its number next to the pin, its name after that, reading from the bottom up.
 */
static void board_art_draw_tag(struct canvas *canvas, unsigned number, enum font_size size, int x,
                               int y)
{
    const struct board_pin *pin = board_pin(number);
    const struct font *font = &font_table[size];
    bool outer = number % 2 == 0;
    int name_room = 6 * font->width + 4, number_room = 2 * font->width + 3;
    char name[8], place[4];
    struct rect tag = {x - (font->height + 2) / 2, outer ? y - number_room - name_room : y,
                       font->height + 2, name_room + number_room};
    int name_top = outer ? tag.y : tag.y + number_room;
    int place_top = outer ? tag.y + name_room : tag.y;

    board_art_label_text(pin, name);
    snprintf(place, sizeof(place), "%u", number);
    canvas_fill_rect(canvas, (struct rect){tag.x, name_top, tag.width, name_room},
                     board_art_label_colour(pin));
    canvas_fill_rect(canvas, (struct rect){tag.x, place_top, tag.width, number_room}, 0xe4e7ec);
    font_draw(canvas, size, tag.x + 1,
              outer ? name_top + name_room - 2 - font_measure(size, name) : name_top + 2, name,
              0xffffff, FONT_UPWARDS);
    font_draw(canvas, size, tag.x + 1,
              place_top + (number_room - font_measure(size, place)) / 2 + 1, place, 0x20242b,
              FONT_UPWARDS);
}

void board_art_draw_labels(struct canvas *canvas, const struct part *part, const struct view *view)
{
    float pitch = BOARD_PITCH * view->scale;
    enum font_size size = pitch >= 20 ? FONT_8X16 : pitch >= 16 ? FONT_6X12 : FONT_5X8;

    if (pitch < 10.5f)
        return;
    for (unsigned number = 1; number <= BOARD_PINS; number++) {
        float x, y;

        board_place_pin(number, &x, &y);
        y += number % 2 ? 1.5f * BOARD_MM + 1 : -1.5f * BOARD_MM - 4;
        board_art_draw_tag(canvas, number, size, (int)(view->x + (part->left + x) * view->scale),
                           (int)(view->y + (part->top + y) * view->scale));
    }
}
