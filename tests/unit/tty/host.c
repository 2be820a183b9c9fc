/* SPDX-License-Identifier: MIT */
/*
 * host.c: the host's pseudo-terminals.
 */
#include "host.h"
#include "../../marks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 5 /* seconds; only a wrong answer takes that long */

bool host_open(struct host *host)
{
    host->keys = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (host->keys < 0)
        return false;
    if (grantpt(host->keys) == 0 && unlockpt(host->keys) == 0)
        host->line = open(ptsname(host->keys), O_RDWR | O_NOCTTY | O_NONBLOCK);
    else
        host->line = -1;
    if (host->line < 0)
        close(host->keys);
    return host->line >= 0;
}

void host_close(struct host *host)
{
    close(host->line);
    close(host->keys);
}

void host_set(const struct host *host, const struct tty_settings *settings)
{
    struct termios termios;

    ck_assert_int_eq(tcgetattr(host->line, &termios), 0);
    termios.c_iflag = settings->input;
    termios.c_oflag = settings->output;
    termios.c_lflag = settings->local;
    memcpy(termios.c_cc, settings->keys, TTY_KEYS);
    ck_assert_int_eq(tcsetattr(host->line, TCSANOW, &termios), 0);
}

void host_type(const struct host *host, const uint8_t *bytes, size_t n)
{
    ck_assert_int_eq(write(host->keys, bytes, n), (ssize_t)n);
}

void host_write(const struct host *host, const uint8_t *bytes, size_t n)
{
    ck_assert_int_eq(write(host->line, bytes, n), (ssize_t)n);
}

void host_flush(const struct host *host)
{
    ck_assert_int_eq(tcflush(host->line, TCIFLUSH), 0);
}

size_t host_count(const struct host *host)
{
    int count = 0;

    ck_assert_int_eq(ioctl(host->line, FIONREAD, &count), 0);
    return (size_t)count;
}

int host_read(const struct host *host, uint8_t *bytes, size_t n)
{
    ssize_t done = read(host->line, bytes, n);

    ck_assert(done >= 0 || errno == EAGAIN);
    return (int)done;
}

size_t host_see(const struct host *host, uint8_t *bytes, size_t n, size_t expected)
{
    time_t end = time(NULL) + PATIENCE;
    size_t seen = 0;

    for (;;) {
        ssize_t done = read(host->keys, bytes + seen, n - seen);

        if (done > 0)
            seen += (size_t)done;
        else if (seen >= expected || time(NULL) > end)
            return seen;
    }
}

void host_settle(const struct host *host)
{
    struct pollfd watch = {.fd = host->line, .events = POLLIN};

    ck_assert_int_ge(poll(&watch, 1, 0), 0);
}
