/* SPDX-License-Identifier: MIT */
/*
 * buttons.c: says when a button is pressed and let go.
 *
 *     buttons [-n EVENTS] [LINE]...      GPIO23 and GPIO24, the board's buttons, for ever
 *
 * A button connects its line to ground, so the line needs a pull-up, and it is low while pressed:
 * ACTIVE_LOW turns that around, and the rising edge is the press. The read sleeps until there is an
 * event; the kernel takes the time of an edge when it happens, not when it is read.
 */
#include "lines.h"

#include <linux/gpio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BUTTONS_MAX 16u

static const uint64_t flags = GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_BIAS_PULL_UP |
                              GPIO_V2_LINE_FLAG_ACTIVE_LOW | GPIO_V2_LINE_FLAG_EDGE_RISING |
                              GPIO_V2_LINE_FLAG_EDGE_FALLING;

static bool tell_one(int fd)
{
    struct gpio_v2_line_event event;
    ssize_t n = read(fd, &event, sizeof(event));

    if (n != (ssize_t)sizeof(event)) {
        perror("reading an event");
        return false;
    }
    printf("%llu.%06llu GPIO%u %s\n", (unsigned long long)(event.timestamp_ns / 1000000000),
           (unsigned long long)(event.timestamp_ns / 1000 % 1000000), event.offset,
           event.id == GPIO_V2_LINE_EVENT_RISING_EDGE ? "pressed" : "released");
    return fflush(stdout) == 0;
}

static bool tell(int fd, unsigned long events)
{
    for (unsigned long i = 0; events == 0 || i < events; i++)
        if (!tell_one(fd))
            return false;
    return true;
}

int main(int argc, char **argv)
{
    uint32_t offsets[BUTTONS_MAX] = {23, 24};
    unsigned count = 0;
    unsigned long events = 0, line;
    int next = 1, fd;
    bool good;

    if (argc > 2 && strcmp(argv[1], "-n") == 0) {
        if (!lines_number(argv[2], 1, 1000000000, "-n", &events))
            return 2;
        next = 3;
    }
    for (; next < argc && count < BUTTONS_MAX; next++) {
        if (!lines_number(argv[next], 0, LINES_ON_BOARD - 1, "LINE", &line))
            return 2;
        offsets[count++] = (uint32_t)line;
    }
    if (next < argc) {
        fprintf(stderr, "buttons: %u lines at most\n", BUTTONS_MAX);
        return 2;
    }
    fd = lines_request(offsets, count ? count : 2, flags, "buttons");
    if (fd < 0)
        return 1;
    good = tell(fd, events);
    close(fd);
    return good ? 0 : 1;
}
