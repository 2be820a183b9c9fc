/* SPDX-License-Identifier: MIT */
/*
 * history.c: lines in one flat buffer; lookups walk it, which at some tens of lines costs nothing.
 */
#include "shell/edit/history.h"

#include "lib/string.h"

#include <hal/runtime.h>

void history_init(struct history *history, char *text, size_t size)
{
    history->text = text;
    history->size = text == NULL ? 0 : size;
    history->used = 0;
    history->count = 0;
}

static void history_drop_oldest(struct history *history)
{
    size_t bytes = string_length(history->text) + 1;

    history->used -= bytes;
    memmove(history->text, history->text + bytes, history->used);
    history->count--;
}

void history_add(struct history *history, const char *line)
{
    size_t bytes = string_length(line) + 1;
    const char *newest = history_line(history, 1);

    if (bytes == 1 || bytes > history->size)
        return;
    if (newest != NULL && string_equal(newest, line))
        return;
    while (history->size - history->used < bytes)
        history_drop_oldest(history);
    memcpy(history->text + history->used, line, bytes);
    history->used += bytes;
    history->count++;
}

const char *history_line(const struct history *history, unsigned back)
{
    const char *line = history->text;

    if (back == 0 || back > history->count)
        return NULL;
    for (unsigned i = history->count; i > back; i--)
        line += string_length(line) + 1;
    return line;
}
