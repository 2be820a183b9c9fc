/* SPDX-License-Identifier: MIT */
/*
 * take.c: what can be read of what was typed.
 */
#include "tty/discipline/discipline.h"

static bool by_lines(const struct discipline *d)
{
    return d->settings.local & TTY_ICANON;
}

static bool is_marked(const struct discipline *d, uint32_t position)
{
    uint32_t at = position % DISCIPLINE_BYTES;

    return d->marks[at / 64] >> at % 64 & 1;
}

/* The end of a file, or of a line that Ctrl-D ended. */
static bool is_end(const struct discipline *d, uint32_t position)
{
    return is_marked(d, position) && discipline_at(d, position) == 0;
}

static void step(struct discipline *d)
{
    uint32_t at = d->tail++ % DISCIPLINE_BYTES;

    d->marks[at / 64] &= ~(1ull << at % 64);
}

bool discipline_has(const struct discipline *d)
{
    return by_lines(d) ? d->line != d->tail : d->head != d->tail;
}

bool discipline_is_ready(const struct discipline *d)
{
    uint32_t least = d->settings.keys[TTY_VTIME] ? 0 : d->settings.keys[TTY_VMIN];

    if (by_lines(d))
        return d->line != d->tail;
    return d->head - d->tail >= (least > 0 ? least : 1);
}

static size_t take_line(struct discipline *d, uint8_t *bytes, size_t n)
{
    size_t done = 0;
    bool ended = false;

    while (done < n && d->tail != d->line && !ended) {
        bool end = is_end(d, d->tail);

        ended = is_marked(d, d->tail);
        if (!end)
            bytes[done++] = discipline_at(d, d->tail);
        step(d);
    }
    /* What Ctrl-D ended, and just fits: another read is not to find an end of the file. */
    if (!ended && done == n && d->tail != d->line && is_end(d, d->tail))
        step(d);
    return done;
}

size_t discipline_take(struct discipline *d, uint8_t *bytes, size_t n)
{
    size_t done = 0;

    if (by_lines(d))
        return take_line(d, bytes, n);
    for (; done < n && d->tail != d->head; done++) {
        bytes[done] = discipline_at(d, d->tail);
        step(d);
    }
    return done;
}

bool discipline_peek(const struct discipline *d, uint8_t *byte)
{
    *byte = discipline_at(d, d->tail);
    return d->head != d->tail;
}

void discipline_drop(struct discipline *d)
{
    if (by_lines(d) && d->line == d->tail)
        d->line++;
    step(d);
}

size_t discipline_count(const struct discipline *d)
{
    size_t count = 0;

    if (!by_lines(d))
        return d->head - d->tail;
    for (uint32_t at = d->tail; at != d->line; at++)
        count += !is_end(d, at);
    return count;
}
