/* SPDX-License-Identifier: MIT */
/*
 * lines.c: see lines.h.
 */
#include "lines.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int lines_request(const uint32_t *offsets, unsigned count, uint64_t flags, const char *consumer)
{
    struct gpio_v2_line_request request = {.num_lines = count, .config = {.flags = flags}};
    int chip = open(LINES_CHIP, O_RDWR | O_CLOEXEC);

    if (chip < 0) {
        perror(LINES_CHIP);
        return -1;
    }
    memcpy(request.offsets, offsets, count * sizeof(*offsets));
    snprintf(request.consumer, sizeof(request.consumer), "%s", consumer);
    if (ioctl(chip, GPIO_V2_GET_LINE_IOCTL, &request) != 0) {
        fprintf(stderr, "%s: line %u: %s\n", LINES_CHIP, offsets[0], strerror(errno));
        request.fd = -1;
    }
    close(chip);
    return request.fd;
}

bool lines_set(int fd, uint64_t mask, uint64_t values)
{
    struct gpio_v2_line_values wanted = {.bits = values, .mask = mask};

    if (ioctl(fd, GPIO_V2_LINE_SET_VALUES_IOCTL, &wanted) == 0)
        return true;
    perror("setting a line");
    return false;
}

bool lines_event(int fd, uint32_t *offset)
{
    struct gpio_v2_line_event event;

    if (read(fd, &event, sizeof(event)) != (ssize_t)sizeof(event)) {
        perror("reading an event");
        return false;
    }
    *offset = event.offset;
    return true;
}

bool lines_number(const char *text, unsigned long least, unsigned long most, const char *what,
                  unsigned long *number)
{
    char *end;

    errno = 0;
    *number = strtoul(text, &end, 10);
    if (end != text && *end == '\0' && !errno && *number >= least && *number <= most)
        return true;
    fprintf(stderr, "%s wants a number from %lu to %lu, not '%s'\n", what, least, most, text);
    return false;
}
