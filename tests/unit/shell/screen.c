/* SPDX-License-Identifier: MIT */
/*
 * screen.c: the one-row terminal.
 */
#include "screen.h"

#include "suites.h"
#include "tty/utf8.h"

#include <stdlib.h>
#include <string.h>

static void erase_from(struct screen *screen, unsigned column)
{
    for (; column < SCREEN_COLUMNS; column++)
        screen->cells[column] = ' ';
}

void screen_clear(struct screen *screen)
{
    memset(screen, 0, sizeof(*screen));
    erase_from(screen, 0);
}

static void put_character(struct screen *screen, uint32_t code)
{
    unsigned columns = utf8_columns(code);

    if (columns == 0)
        return; /* it joins the one before; the row does not keep it */
    ck_assert(screen->column + columns < SCREEN_COLUMNS); /* or the row would wrap */
    screen->cells[screen->column++] = code;
    if (columns == 2)
        screen->cells[screen->column++] = 0;
}

static void end_sequence(struct screen *screen)
{
    char final = screen->sequence[screen->sequence_bytes - 1];

    screen->sequence[screen->sequence_bytes] = '\0';
    screen->in_sequence = false;
    if (final == 'K')
        erase_from(screen, screen->column);
    else if (final == 'C')
        screen->column += (unsigned)atoi(screen->sequence + 1);
    else if (final == 'H')
        screen->column = 0;
    else if (final == 'J')
        erase_from(screen, 0);
    else
        ck_abort_msg("an unexpected sequence: %s", screen->sequence);
    ck_assert(screen->column < SCREEN_COLUMNS);
}

static void put_sequence_byte(struct screen *screen, char byte)
{
    ck_assert(screen->sequence_bytes < sizeof(screen->sequence) - 1);
    screen->sequence[screen->sequence_bytes++] = byte;
    if (screen->sequence_bytes > 1 && byte >= '@')
        end_sequence(screen);
}

static void put_control(struct screen *screen, char byte)
{
    switch (byte) {
    case '\r':
        screen->column = 0;
        break;
    case '\n':
        screen->column = 0;
        screen->newlines++;
        erase_from(screen, 0);
        break;
    case '\b':
        ck_assert(screen->column > 0);
        screen->column--;
        break;
    case '\a':
        screen->bells++;
        break;
    case '\x1b':
        screen->in_sequence = true;
        screen->sequence_bytes = 0;
        break;
    default:
        ck_abort_msg("control byte %d", byte);
    }
}

void screen_put(struct screen *screen, const char *bytes, size_t n)
{
    struct utf8_decoder decoder = {0};

    for (size_t i = 0; i < n; i++) {
        if (screen->in_sequence)
            put_sequence_byte(screen, bytes[i]);
        else if ((uint8_t)bytes[i] < 0x20)
            put_control(screen, bytes[i]);
        else if (utf8_decode(&decoder, (uint8_t)bytes[i]) == UTF8_DONE)
            put_character(screen, decoder.code);
    }
    ck_assert(decoder.expect == 0);
}

const char *screen_text(const struct screen *screen)
{
    static char text[SCREEN_COLUMNS * 4 + 1];
    size_t used = 0, end = 0;

    for (unsigned i = 0; i < SCREEN_COLUMNS; i++) {
        uint32_t code = screen->cells[i];

        if (code >= 0x10000) {
            text[used++] = (char)(0xF0 | code >> 18);
            text[used++] = (char)(0x80 | (code >> 12 & 63));
        } else if (code >= 0x800) {
            text[used++] = (char)(0xE0 | code >> 12);
        }
        if (code >= 0x800)
            text[used++] = (char)(0x80 | (code >> 6 & 63));
        else if (code >= 0x80)
            text[used++] = (char)(0xC0 | code >> 6);
        if (code >= 0x80)
            text[used++] = (char)(0x80 | (code & 63));
        else if (code > 0)
            text[used++] = (char)code;
        if (code != ' ' && code != 0)
            end = used;
    }
    text[end] = '\0';
    return text;
}
