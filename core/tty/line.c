/* SPDX-License-Identifier: MIT */
/*
 * line.c: the canonical line discipline.
 */
#include "tty/line.h"

#include <hal/runtime.h>

enum { KEY_CTRL_C = 3, KEY_CTRL_D = 4, KEY_BACKSPACE = 8, KEY_CTRL_U = 21, KEY_CTRL_W = 23 };
enum { KEY_DELETE = 127 };

void tty_line_init(struct tty_line *line, void (*echo)(void *context, const char *bytes, size_t n),
                   void *context)
{
    memset(line, 0, sizeof(*line));
    line->echo = echo;
    line->context = context;
}

void tty_line_begin(struct tty_line *line)
{
    line->length = 0;
    line->text[0] = '\0';
    line->pending_bytes = 0;
    line->decoder.expect = 0;
}

static void line_bell(struct tty_line *line)
{
    line->echo(line->context, "\a", 1);
}

static void line_erase(struct tty_line *line)
{
    size_t step = utf8_step_back(line->text, line->length);
    size_t columns = utf8_text_columns(line->text + line->length - step, step);

    line->length -= step;
    line->text[line->length] = '\0';
    for (; columns > 0; columns--)
        line->echo(line->context, "\b \b", 3);
}

static void line_erase_word(struct tty_line *line)
{
    while (line->length > 0 && line->text[line->length - 1] == ' ')
        line_erase(line);
    while (line->length > 0 && line->text[line->length - 1] != ' ')
        line_erase(line);
}

static void line_erase_key(struct tty_line *line, uint8_t byte)
{
    if (line->length == 0)
        line_bell(line);
    else if (byte == KEY_CTRL_W)
        line_erase_word(line);
    else if (byte == KEY_CTRL_U)
        while (line->length > 0)
            line_erase(line);
    else
        line_erase(line);
}

static void line_append(struct tty_line *line, const char *bytes, size_t n)
{
    if (line->length + n > TTY_LINE_MAX) {
        line_bell(line);
        return;
    }
    memcpy(line->text + line->length, bytes, n);
    line->length += n;
    line->text[line->length] = '\0';
    if (*bytes == '\t')
        bytes = " "; /* one column, so that erasing it takes one too */
    line->echo(line->context, bytes, n);
}

static void line_text(struct tty_line *line, uint8_t byte)
{
    enum utf8_result result = utf8_decode(&line->decoder, byte);

    if (result == UTF8_BAD) {
        line->pending_bytes = 0;
        line_bell(line);
        return;
    }
    line->pending[line->pending_bytes++] = (char)byte;
    if (result == UTF8_MORE)
        return;
    if (utf8_is_control(line->decoder.code) && byte != '\t')
        line_bell(line);
    else
        line_append(line, line->pending, line->pending_bytes);
    line->pending_bytes = 0;
}

static enum tty_line_result line_return(struct tty_line *line)
{
    line->text[line->length++] = '\n';
    line->text[line->length] = '\0';
    line->echo(line->context, "\n", 1);
    return TTY_LINE_DONE;
}

enum tty_line_result tty_line_feed(struct tty_line *line, uint8_t byte)
{
    bool folded = byte == '\n' && line->after_return;

    line->after_return = byte == '\r';
    if (folded)
        return TTY_LINE_MORE;
    if (line->pending_bytes > 0 && (byte & 0xC0u) != 0x80u) {
        line_bell(line);
        line->pending_bytes = 0;
        line->decoder.expect = 0;
    }
    switch (byte) {
    case '\r':
    case '\n':
        return line_return(line);
    case KEY_CTRL_C:
        line->echo(line->context, "^C\n", 3);
        return TTY_LINE_ABANDONED;
    case KEY_CTRL_D:
        return line->length > 0 ? TTY_LINE_DONE : TTY_LINE_END;
    case KEY_BACKSPACE:
    case KEY_DELETE:
    case KEY_CTRL_U:
    case KEY_CTRL_W:
        line_erase_key(line, byte);
        return TTY_LINE_MORE;
    default:
        line_text(line, byte);
        return TTY_LINE_MORE;
    }
}
