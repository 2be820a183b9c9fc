/* SPDX-License-Identifier: MIT */
/*
 * pins.c: the header as a table, and the reading of names.
 */
#include "dev/pins.h"

#include "lib/format.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/gpio.h>

enum { PLACE_3V3 = -1, PLACE_5V = -2, PLACE_GROUND = -3 };

/* What is at each place of the header: a pin, or a supply. Odd places are the inner row. */
static const int8_t places[PINS_HEADER] = {
    PLACE_3V3,
    PLACE_5V, /* 1, 2 */
    2,
    PLACE_5V,
    3,
    PLACE_GROUND,
    4,
    14, /* 3 .. 8 */
    PLACE_GROUND,
    15,
    17,
    18,
    27,
    PLACE_GROUND, /* 9 .. 14 */
    22,
    23,
    PLACE_3V3,
    24,
    10,
    PLACE_GROUND, /* 15 .. 20 */
    9,
    25,
    11,
    8,
    PLACE_GROUND,
    7, /* 21 .. 26 */
    0,
    1,
    5,
    PLACE_GROUND,
    6,
    12, /* 27 .. 32 */
    13,
    PLACE_GROUND,
    19,
    16,
    26,
    20,
    PLACE_GROUND,
    21, /* 33 .. 40 */
};

unsigned pins_header(unsigned pin)
{
    for (unsigned i = 0; i < PINS_HEADER; i++) {
        if (places[i] >= 0 && (unsigned)places[i] == pin)
            return i + 1;
    }
    return 0;
}

/* Matches `prefix` in either case and a decimal number behind it that ends the name. */
static bool pins_number_after(const char *name, const char *prefix, uint64_t *number)
{
    const char *end;

    for (; *prefix != '\0'; prefix++, name++) {
        if (char_to_lower(*name) != char_to_lower(*prefix))
            return false;
    }
    if (!char_is_digit(*name) || char_to_lower(name[1]) == 'x')
        return false;
    return string_to_u64(name, number, &end) == 0 && *end == '\0';
}

int pins_parse(const char *name, unsigned *pin)
{
    uint64_t number;

    if (pins_number_after(name, "GPIO", &number) && number < HAL_GPIO_PINS) {
        *pin = (unsigned)number;
        return 0;
    }
    if (pins_number_after(name, "J8:", &number) && number >= 1 && number <= PINS_HEADER &&
        places[number - 1] >= 0) {
        *pin = (unsigned)places[number - 1];
        return 0;
    }
    return -EINVAL;
}

static const char *pins_supply(int8_t place)
{
    return place == PLACE_GROUND ? "ground" : place == PLACE_5V ? "5 volts" : "3.3 volts";
}

/* What is at place `number` of the header, in words. */
static void pins_describe_place(unsigned number, char *to, size_t size)
{
    int8_t place = places[number - 1];

    if (place >= 0)
        format_text(to, size, "GPIO%d", place);
    else
        string_copy(to, size, pins_supply(place));
}

/* A bare number: names what it could have meant. */
static void pins_explain_number(uint64_t number, char *to, size_t size)
{
    bool is_pin = number < HAL_GPIO_PINS, is_place = number >= 1 && number <= PINS_HEADER;
    unsigned n = (unsigned)number;
    char place[16] = "";

    if (is_place)
        pins_describe_place(n, place, sizeof(place));
    if (is_pin && is_place)
        format_text(to, size, "a bare %u is ambiguous: say GPIO%u (at J8:%u) or J8:%u (%s)", n, n,
                    pins_header(n), n, place);
    else if (is_pin)
        format_text(to, size, "a bare %u is ambiguous: say GPIO%u (at J8:%u)", n, n,
                    pins_header(n));
    else if (is_place)
        format_text(to, size, "a bare %u is ambiguous: say J8:%u (%s)", n, n, place);
    else
        format_text(to, size, "no pin is called %llu: say GPIO0 .. GPIO%u or J8:1 .. J8:%u",
                    (unsigned long long)number, HAL_GPIO_PINS - 1, PINS_HEADER);
}

void pins_explain(const char *name, char *to, size_t size)
{
    uint64_t number;

    if (pins_number_after(name, "", &number))
        pins_explain_number(number, to, size);
    else if (pins_number_after(name, "J8:", &number) && number >= 1 && number <= PINS_HEADER)
        format_text(to, size, "%s carries %s and is no pin to use", name,
                    pins_supply(places[number - 1]));
    else
        format_text(to, size, "%s is no pin: say GPIO0 .. GPIO%u or J8:1 .. J8:%u", name,
                    HAL_GPIO_PINS - 1, PINS_HEADER);
}
