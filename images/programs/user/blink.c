/* SPDX-License-Identifier: MIT */
/*
 * blink.c: switches a pin on and off.
 *
 *     blink [LINE [MILLISECONDS [TIMES]]]      GPIO17, 500, for ever
 *
 * Ctrl-C ends it; the line is given back by the kernel, as with every way in which a program ends.
 */
#include "lines.h"

#include <errno.h>
#include <linux/gpio.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static bool pause_for(unsigned long ms)
{
    struct timespec left = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};

    while (nanosleep(&left, &left) != 0)
        if (errno != EINTR)
            return false;
    return true;
}

static bool blink(int fd, unsigned long ms, unsigned long times)
{
    for (unsigned long i = 0; times == 0 || i < times; i++)
        if (!lines_set(fd, 1, 1) || !pause_for(ms) || !lines_set(fd, 1, 0) || !pause_for(ms))
            return false;
    return true;
}

int main(int argc, char **argv)
{
    unsigned long line = 17, ms = 500, times = 0;
    uint32_t offset;
    int fd;
    bool good;

    if (argc > 4) {
        fprintf(stderr, "usage: blink [LINE [MILLISECONDS [TIMES]]]\n");
        return 2;
    }
    if ((argc > 1 && !lines_number(argv[1], 0, LINES_ON_BOARD - 1, "LINE", &line)) ||
        (argc > 2 && !lines_number(argv[2], 1, 3600000, "MILLISECONDS", &ms)) ||
        (argc > 3 && !lines_number(argv[3], 1, 1000000000, "TIMES", &times)))
        return 2;
    offset = (uint32_t)line;
    fd = lines_request(&offset, 1, GPIO_V2_LINE_FLAG_OUTPUT, "blink");
    if (fd < 0)
        return 1;
    good = blink(fd, ms, times);
    close(fd);
    return good ? 0 : 1;
}
