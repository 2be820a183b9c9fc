/* SPDX-License-Identifier: MIT */
/*
 * board.c: the table of the header's pins. The order is the header's, so place n is entry n - 1.
 */
#include "diagram/board.h"

#include <string.h>

static const struct board_pin board_pins[BOARD_PINS] = {
    {"3V3.1", BOARD_3V3, 0},    {"5V.1", BOARD_5V, 0},      {"GPIO2", BOARD_GPIO, 2},
    {"5V.2", BOARD_5V, 0},      {"GPIO3", BOARD_GPIO, 3},   {"GND.1", BOARD_GROUND, 0},
    {"GPIO4", BOARD_GPIO, 4},   {"GPIO14", BOARD_GPIO, 14}, {"GND.2", BOARD_GROUND, 0},
    {"GPIO15", BOARD_GPIO, 15}, {"GPIO17", BOARD_GPIO, 17}, {"GPIO18", BOARD_GPIO, 18},
    {"GPIO27", BOARD_GPIO, 27}, {"GND.3", BOARD_GROUND, 0}, {"GPIO22", BOARD_GPIO, 22},
    {"GPIO23", BOARD_GPIO, 23}, {"3V3.2", BOARD_3V3, 0},    {"GPIO24", BOARD_GPIO, 24},
    {"GPIO10", BOARD_GPIO, 10}, {"GND.4", BOARD_GROUND, 0}, {"GPIO9", BOARD_GPIO, 9},
    {"GPIO25", BOARD_GPIO, 25}, {"GPIO11", BOARD_GPIO, 11}, {"GPIO8", BOARD_GPIO, 8},
    {"GND.5", BOARD_GROUND, 0}, {"GPIO7", BOARD_GPIO, 7},   {"GPIO0", BOARD_GPIO, 0},
    {"GPIO1", BOARD_GPIO, 1},   {"GPIO5", BOARD_GPIO, 5},   {"GND.6", BOARD_GROUND, 0},
    {"GPIO6", BOARD_GPIO, 6},   {"GPIO12", BOARD_GPIO, 12}, {"GPIO13", BOARD_GPIO, 13},
    {"GND.7", BOARD_GROUND, 0}, {"GPIO19", BOARD_GPIO, 19}, {"GPIO16", BOARD_GPIO, 16},
    {"GPIO26", BOARD_GPIO, 26}, {"GPIO20", BOARD_GPIO, 20}, {"GND.8", BOARD_GROUND, 0},
    {"GPIO21", BOARD_GPIO, 21},
};

const struct board_pin *board_pin(unsigned number)
{
    return &board_pins[number - 1];
}

/* "J8:11" -> 11; 0 for anything else. */
static unsigned board_parse_place(const char *name, size_t length)
{
    unsigned number = 0;

    if (length < 4 || length > 5 || memcmp(name, "J8:", 3) != 0 || name[3] == '0')
        return 0;
    for (size_t i = 3; i < length; i++) {
        if (name[i] < '0' || name[i] > '9')
            return 0;
        number = number * 10 + (unsigned)(name[i] - '0');
    }
    return number <= BOARD_PINS ? number : 0;
}

unsigned board_find_pin(const char *name, size_t length)
{
    for (unsigned number = 1; number <= BOARD_PINS; number++) {
        const char *known = board_pin(number)->name;
        if (strlen(known) == length && memcmp(known, name, length) == 0)
            return number;
    }
    return board_parse_place(name, length);
}

unsigned board_find_gpio(unsigned gpio)
{
    for (unsigned number = 1; number <= BOARD_PINS; number++) {
        const struct board_pin *pin = board_pin(number);
        if (pin->kind == BOARD_GPIO && pin->gpio == gpio)
            return number;
    }
    return 0;
}

void board_place_pin(unsigned number, float *x, float *y)
{
    unsigned column = (number - 1) / 2;
    bool outer = number % 2 == 0;

    *x = 32.5f * BOARD_MM + ((float)column - 9.5f) * BOARD_PITCH;
    *y = 3.5f * BOARD_MM + (outer ? -0.5f : 0.5f) * BOARD_PITCH;
}
