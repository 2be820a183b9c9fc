/* SPDX-License-Identifier: MIT */
/*
 * log.c: syslog, which is the kernel's log for programs (dmesg), and not what the C library calls
 * syslog.
 *
 * Lines come as Linux writes them, "<6>[    0.001234] text". Clearing hides what is there from
 * later readings, and nothing is lost: the kernel's shell shows it still.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "lib/format.h"
#include "lib/log.h"
#include "proc/process.h"

#include <hal/errno.h>
#include <hal/kstate.h>

#define LINE_BYTES (KLOG_TEXT_MAX + 32u)
#define LOG_BYTES 32768u
#define LEVEL_USUAL KLOG_WARNING

enum {
    LOG_CLOSE,
    LOG_OPEN,
    LOG_READ,
    LOG_READ_ALL,
    LOG_READ_CLEAR,
    LOG_CLEAR,
    LOG_CONSOLE_OFF,
    LOG_CONSOLE_ON,
    LOG_CONSOLE_LEVEL,
    LOG_UNREAD,
    LOG_SIZE
};

static KSTATE uint64_t cleared; /* lines up to this number are hidden; atomic */

static size_t line_text(const struct klog_line *line, char *to)
{
    return format_text(to, LINE_BYTES, "<%d>[%5llu.%06llu] %s\n", (int)line->level,
                       (unsigned long long)(line->time / 1000000000),
                       (unsigned long long)(line->time / 1000 % 1000000), line->text);
}

/* The number of the first of the last lines that fit into `room` bytes; *last: the last one. */
static uint64_t first_that_fits(uint64_t room, uint64_t *last)
{
    uint64_t number = __atomic_load_n(&cleared, __ATOMIC_RELAXED) + 1, bytes = 0, first;
    struct klog_line line;
    char text[LINE_BYTES];

    *last = number - 1;
    for (uint64_t i = number; klog_read(i, &line) == 0; i = line.number + 1) {
        bytes += line_text(&line, text);
        *last = line.number;
    }
    for (first = number; bytes > room && klog_read(first, &line) == 0; first = line.number + 1)
        bytes -= line_text(&line, text);
    return first;
}

static int64_t read_all(uint64_t to, int32_t room, bool clear)
{
    struct klog_line line;
    char text[LINE_BYTES];
    uint64_t last, number;
    int64_t done = 0;

    if (!to || room < 0)
        return -EINVAL;
    number = first_that_fits((uint64_t)room, &last);
    for (; number <= last && klog_read(number, &line) == 0; number = line.number + 1) {
        size_t n = line_text(&line, text);

        /* The oldest lines may have gone meanwhile: what follows them is longer, perhaps. */
        if (n > (size_t)(room - done))
            break;
        if (user_copy_out(to + (uint64_t)done, text, n))
            return -EFAULT;
        done += (int64_t)n;
    }
    if (clear)
        __atomic_store_n(&cleared, last, __ATOMIC_RELAXED);
    return done;
}

static void clear_all(void)
{
    uint64_t last;

    (void)first_that_fits(UINT64_MAX, &last);
    __atomic_store_n(&cleared, last, __ATOMIC_RELAXED);
}

int64_t sys_syslog(const struct sys_args *args)
{
    int32_t length = (int32_t)args->value[2];

    switch ((uint32_t)args->value[0]) {
    case LOG_CLOSE:
    case LOG_OPEN:
    case LOG_UNREAD: /* nobody reads line by line */
        return 0;
    case LOG_READ_ALL:
    case LOG_READ_CLEAR:
        return read_all(args->value[1], length, args->value[0] == LOG_READ_CLEAR);
    case LOG_CLEAR:
        clear_all();
        return 0;
    case LOG_CONSOLE_OFF:
        klog_set_console_level(0);
        return 0;
    case LOG_CONSOLE_ON:
        klog_set_console_level(LEVEL_USUAL);
        return 0;
    case LOG_CONSOLE_LEVEL:
        if (length < 1 || length > 8)
            return -EINVAL;
        klog_set_console_level(length - 1); /* Linux shows what is below it, we up to it */
        return 0;
    case LOG_SIZE:
        return LOG_BYTES;
    default:
        return -EINVAL;
    }
}
