/* SPDX-License-Identifier: MIT */
/*
 * output.c: what is shown: programs' output and the echo of keys.
 *
 * The column of the cursor is followed, because erasing a tab has to know it. Escape sequences are
 * not understood: after one, the column may be wrong until the next new line. Linux does the same.
 */
#include "tty/discipline/discipline.h"

#define TAB 8u

static void put(struct discipline *d, uint8_t byte)
{
    d->ops->put(d->context, byte);
}

static void begin_line(struct discipline *d)
{
    d->line_column = d->column = 0;
}

static void output_newline(struct discipline *d)
{
    uint32_t output = d->settings.output;

    if (output & (TTY_ONLRET | TTY_ONLCR))
        d->column = 0;
    d->line_column = d->column;
    if (output & TTY_ONLCR)
        put(d, '\r');
    put(d, '\n');
}

static void output_return(struct discipline *d)
{
    uint32_t output = d->settings.output;

    if ((output & TTY_ONOCR) && d->column == 0)
        return;
    if (!(output & TTY_OCRNL) || (output & TTY_ONLRET))
        begin_line(d);
    put(d, output & TTY_OCRNL ? '\n' : '\r');
}

static void output_tab(struct discipline *d)
{
    uint32_t columns = TAB - d->column % TAB;

    d->column += columns;
    if ((d->settings.output & TTY_XTABS) != TTY_XTABS) {
        put(d, '\t');
        return;
    }
    for (; columns > 0; columns--)
        put(d, ' ');
}

/* Capitals of ASCII and Latin 1. */
static uint8_t capital(uint8_t byte)
{
    bool small = (byte >= 'a' && byte <= 'z') || (byte >= 0xdf && byte != 0xf7);

    return small ? byte - 0x20 : byte;
}

static void output_text(struct discipline *d, uint8_t byte)
{
    if (!discipline_is_control(byte)) {
        if (d->settings.output & TTY_OLCUC)
            byte = capital(byte);
        if (!discipline_continues(d, byte))
            d->column++;
    }
    put(d, byte);
}

static void process(struct discipline *d, uint8_t byte)
{
    switch (byte) {
    case '\n':
        output_newline(d);
        break;
    case '\r':
        output_return(d);
        break;
    case '\t':
        output_tab(d);
        break;
    case '\b':
        d->column -= d->column > 0;
        put(d, byte);
        break;
    default:
        output_text(d, byte);
        break;
    }
}

void discipline_output(struct discipline *d, uint8_t byte)
{
    if (d->settings.output & TTY_OPOST)
        process(d, byte);
    else
        put(d, byte);
}

void discipline_output_plain(struct discipline *d, uint8_t byte)
{
    if (byte == '\n') {
        begin_line(d);
        put(d, '\r');
    } else if (byte == '\r') {
        begin_line(d);
    } else if (!discipline_is_control(byte) && (byte & 0xc0u) != 0x80u) {
        d->column++;
    }
    put(d, byte);
}

/* ---- echo ---- */

void discipline_echo_raw(struct discipline *d, uint8_t byte)
{
    if (byte == 0xff) {
        put(d, byte);
        d->column++;
    } else {
        discipline_output(d, byte);
    }
}

void discipline_echo(struct discipline *d, uint8_t byte)
{
    bool control = discipline_is_control(byte) && byte != '\t';

    if (control && (d->settings.local & TTY_ECHOCTL)) {
        put(d, '^');
        put(d, byte ^ 0100);
        d->column += 2;
    } else {
        discipline_echo_raw(d, byte);
    }
}

void discipline_end_erasing(struct discipline *d)
{
    if (d->erasing)
        discipline_echo_raw(d, '/');
    d->erasing = false;
}
