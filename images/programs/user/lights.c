/* SPDX-License-Identifier: MIT */
/*
 * lights.c: a light that runs along the board's nine LEDs.
 *
 *     lights [MILLISECONDS [STEPS]]      100 for each LED, for ever
 *
 * The first button (GPIO23) turns it around, the second (GPIO24) ends it. One thread does both: it
 * waits for the buttons, but not longer than until the next step is due, which is what poll is for.
 */
#include "lines.h"

#include <errno.h>
#include <linux/gpio.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LEDS 9u
#define TURN 23u

static const uint32_t leds[LEDS] = {17, 27, 22, 5, 6, 13, 16, 19, 26};
static const uint32_t buttons[2] = {TURN, 24};

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* What came before the time was up. */
enum what { NOTHING, AROUND, END, BROKEN };

static enum what wait_until(int pressed, uint64_t due)
{
    struct pollfd waiting = {.fd = pressed, .events = POLLIN};
    uint64_t now = now_ms();
    uint32_t offset;
    int n = poll(&waiting, 1, due > now ? (int)(due - now) : 0);

    if (n < 0 && errno != EINTR)
        perror("poll");
    if (n < 0)
        return errno == EINTR ? NOTHING : BROKEN;
    if (n == 0)
        return NOTHING;
    if (!lines_event(pressed, &offset))
        return BROKEN;
    return offset == TURN ? AROUND : END;
}

/* Shows LED number `at` until it is time for the next one. */
static enum what show(int lamps, int pressed, unsigned at, unsigned long ms, int *direction)
{
    uint64_t due = now_ms() + ms;
    enum what what;

    if (!lines_set(lamps, (1u << LEDS) - 1, 1u << at))
        return BROKEN;
    do {
        what = wait_until(pressed, due);
        if (what == AROUND)
            *direction = -*direction;
    } while (what <= AROUND && now_ms() < due);
    return what;
}

static bool run(int lamps, int pressed, unsigned long ms, unsigned long steps)
{
    enum what what = NOTHING;
    int direction = 1, at = 0;

    for (unsigned long i = 0; what <= AROUND && (steps == 0 || i < steps); i++) {
        what = show(lamps, pressed, (unsigned)at, ms, &direction);
        at = (at + direction + (int)LEDS) % (int)LEDS;
    }
    return what != BROKEN && lines_set(lamps, (1u << LEDS) - 1, 0);
}

int main(int argc, char **argv)
{
    unsigned long ms = 100, steps = 0;
    int lamps, pressed;
    bool good;

    if (argc > 3) {
        fprintf(stderr, "usage: lights [MILLISECONDS [STEPS]]\n");
        return 2;
    }
    if ((argc > 1 && !lines_number(argv[1], 1, 60000, "MILLISECONDS", &ms)) ||
        (argc > 2 && !lines_number(argv[2], 1, 1000000000, "STEPS", &steps)))
        return 2;
    lamps = lines_request(leds, LEDS, GPIO_V2_LINE_FLAG_OUTPUT, "lights");
    pressed = lines_request(buttons, 2,
                            GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_BIAS_PULL_UP |
                                GPIO_V2_LINE_FLAG_ACTIVE_LOW | GPIO_V2_LINE_FLAG_EDGE_RISING,
                            "lights");
    good = lamps >= 0 && pressed >= 0 && run(lamps, pressed, ms, steps);
    close(lamps);
    close(pressed);
    return good ? 0 : 1;
}
