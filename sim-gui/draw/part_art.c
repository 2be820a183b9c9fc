/* SPDX-License-Identifier: MIT */
/*
 * part_art.c: LEDs, push buttons and resistors, in the units of their boxes (diagram.c).
 */
#include <math.h>
#include <stdio.h>

#include "draw/picture.h"

#define LED_X 20.0f
#define LED_Y 17.0f
#define LED_RADIUS 9.5f
#define LED_GLOW 34.0f

#define CAP_X 33.7f
#define CAP_Y 22.7f
#define CAP_RADIUS 14.5f

static uint32_t part_art_opaque(uint32_t colour)
{
    return 0xff000000 | colour;
}

static enum font_size part_art_font(const struct view *view)
{
    return view->scale >= 2.6f ? FONT_8X16 : view->scale >= 1.9f ? FONT_6X12 : FONT_5X8;
}

/* ---- LED ---- */

/* The lens: a cylinder with a round top, and the wider flange at its foot. */
static void part_art_led_body(struct canvas *canvas)
{
    canvas_circle(canvas, LED_X, LED_Y, LED_RADIUS);
    canvas_rect(canvas, LED_X - LED_RADIUS, LED_Y, 2 * LED_RADIUS, 14);
    canvas_rect(canvas, LED_X - LED_RADIUS - 1.8f, 29.5f, 2 * LED_RADIUS + 3.6f, 4.5f);
}

static void part_art_draw_led(struct canvas *canvas, const struct part *part,
                              const struct view *view)
{
    canvas_rect(canvas, 14.2f, 33, 1.6f, 9.5f);
    canvas_rect(canvas, 24.2f, 33, 1.6f, 9.5f);
    canvas_fill_colour(canvas, 0xffb9c0c9);
    part_art_draw_light(canvas, part, view, 0);
    if (part->label[0])
        picture_text(canvas, part_art_font(view), LED_X, 1.5f, part->label, 0xaab4c2, FONT_ACROSS);
}

/* Dark, the lens is a deep tint of its colour; lit, it turns bright from the middle and glows. */
void part_art_draw_light(struct canvas *canvas, const struct part *part, const struct view *view,
                         float brightness)
{
    uint32_t colour = part_art_opaque(part->colour);
    uint32_t dark = colour_mix(colour, 0xff12151b, 0.72f);
    uint32_t lit = colour_mix(colour, 0xffffffff, 0.15f);
    struct paint lens = {PAINT_RADIAL,
                         colour_mix(dark, colour_mix(lit, 0xffffffff, 0.75f), brightness),
                         colour_mix(dark, lit, brightness),
                         {LED_X, LED_Y + 2},
                         {LED_X + LED_RADIUS * 1.5f, LED_Y + 2}};
    struct paint glow = {PAINT_GLOW, 0, 0, {LED_X, LED_Y + 4}, {LED_X + LED_GLOW, LED_Y + 4}};

    picture_place_part(canvas, part, view);
    part_art_led_body(canvas);
    canvas_fill(canvas, &lens);
    canvas_round_rect(canvas, LED_X - 6.5f, LED_Y - 5, 3, 12, 1.5f);
    canvas_fill_colour(canvas, colour_mix(0x50ffffff, 0xb0ffffff, brightness));
    if (brightness <= 0)
        return;
    glow.one = ((uint32_t)(200 * brightness * brightness) << 24) | part->colour;
    canvas_circle(canvas, LED_X, LED_Y + 4, LED_GLOW);
    canvas_fill(canvas, &glow);
}

/* ---- push button ---- */

static void part_art_draw_button(struct canvas *canvas, const struct part *part,
                                 const struct view *view)
{
    char text[2 * PART_TEXT + 8];
    bool function_key = part->key[0] == 'F' && part->key[1];

    canvas_rect(canvas, 0, 11.5f, 67.4f, 3);
    canvas_rect(canvas, 0, 30.5f, 67.4f, 3);
    canvas_fill_colour(canvas, 0xffb9c0c9);
    canvas_round_rect(canvas, 11, 0, 45.4f, 45.4f, 4);
    canvas_fill_gradient(canvas, 11, 0, 0xff4a505a, 11, 45.4f, 0xff2b2f37);
    canvas_round_rect(canvas, 14, 3, 39.4f, 39.4f, 3);
    canvas_fill_gradient(canvas, 14, 3, 0xffc3c9d1, 14, 42, 0xff8f97a1);
    for (unsigned corner = 0; corner < 4; corner++)
        canvas_circle(canvas, corner & 1 ? 49.0f : 18.4f, corner & 2 ? 38.0f : 7.4f, 2.2f);
    canvas_fill_colour(canvas, 0xff4a505a);
    part_art_draw_cap(canvas, part, view, false);
    snprintf(text, sizeof(text), "%s%s%s%s", part->label, part->label[0] && part->key[0] ? " " : "",
             part->key[0] && !function_key ? "Alt+" : "", part->key);
    picture_text(canvas, part_art_font(view), CAP_X, 51.5f, text, 0xaab4c2, FONT_ACROSS);
}

void part_art_draw_cap(struct canvas *canvas, const struct part *part, const struct view *view,
                       bool pressed)
{
    uint32_t colour = part_art_opaque(part->colour);
    uint32_t top = colour_mix(colour, 0xffffffff, pressed ? 0.0f : 0.3f);
    uint32_t foot = colour_mix(colour, 0xff000000, pressed ? 0.55f : 0.3f);
    float radius = pressed ? CAP_RADIUS - 1.5f : CAP_RADIUS;

    picture_place_part(canvas, part, view);
    canvas_circle(canvas, CAP_X, CAP_Y, CAP_RADIUS + 1.6f);
    canvas_fill_colour(canvas, 0xff1c1f25);
    canvas_circle(canvas, CAP_X, CAP_Y, radius);
    if (pressed)
        canvas_fill_gradient(canvas, CAP_X, CAP_Y - radius, foot, CAP_X, CAP_Y + radius, top);
    else
        canvas_fill_gradient(canvas, CAP_X, CAP_Y - radius, top, CAP_X, CAP_Y + radius, foot);
    canvas_circle(canvas, CAP_X, CAP_Y, radius - 3);
    canvas_fill_colour(canvas, pressed ? 0x30000000 : 0x28ffffff);
}

/* ---- resistor ---- */

static const uint32_t part_art_bands[10] = {0xff1b1b1d, 0xff7a4a25, 0xffc8322b, 0xffe97f24,
                                            0xffe9cf3a, 0xff3c9b4a, 0xff3566c9, 0xff8a4fc0,
                                            0xff8d8f94, 0xfff2f2ee};

static void part_art_draw_band(struct canvas *canvas, float x, uint32_t colour)
{
    canvas_rect(canvas, x, 1.4f, 2.6f, 8.5f);
    canvas_fill_colour(canvas, colour);
}

/* Two digits, a power of ten and the tolerance: 330 ohms is 33 * 10^1, orange orange brown gold. */
static void part_art_draw_bands(struct canvas *canvas, double ohms)
{
    int power = 0;
    int digits;

    while (ohms >= 99.5 && power < 9) {
        ohms /= 10;
        power++;
    }
    digits = (int)(ohms + 0.5);
    part_art_draw_band(canvas, 20.5f, part_art_bands[digits / 10]);
    part_art_draw_band(canvas, 25.5f, part_art_bands[digits % 10]);
    part_art_draw_band(canvas, 30.5f, part_art_bands[power]);
    part_art_draw_band(canvas, 37.0f, 0xffc9a13b);
}

static void part_art_draw_resistor(struct canvas *canvas, const struct part *part)
{
    canvas_rect(canvas, 0, 4.9f, 58.8f, 1.5f);
    canvas_fill_colour(canvas, 0xffb9c0c9);
    canvas_round_rect(canvas, 14, 0.4f, 8, 10.5f, 4);
    canvas_round_rect(canvas, 37, 0.4f, 8, 10.5f, 4);
    canvas_rect(canvas, 18, 1.4f, 23, 8.5f);
    canvas_fill_gradient(canvas, 0, 0, 0xffe8d5b0, 0, 11.4f, 0xffb89a68);
    part_art_draw_bands(canvas, part->ohms);
}

void part_art_draw(struct canvas *canvas, const struct part *part, const struct view *view)
{
    picture_place_part(canvas, part, view);
    switch (part->kind) {
    case PART_LED:
        part_art_draw_led(canvas, part, view);
        break;
    case PART_BUTTON:
        part_art_draw_button(canvas, part, view);
        break;
    case PART_RESISTOR:
        part_art_draw_resistor(canvas, part);
        break;
    default:
        break;
    }
}
