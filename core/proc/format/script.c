/* SPDX-License-Identifier: MIT */
/*
 * script.c: the first line of a script.
 */
#include "proc/format/script.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#include <stdbool.h>

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

static size_t skip_blanks(const uint8_t *line, size_t at, size_t end)
{
    while (at < end && is_blank(line[at]))
        at++;
    return at;
}

static void copy(char *to, const uint8_t *from, size_t n)
{
    memcpy(to, from, n);
    to[n] = '\0';
}

int script_read(const uint8_t *head, size_t n, struct script *script)
{
    size_t at, begin, end = 0;

    if (n > SCRIPT_LINE_MAX)
        n = SCRIPT_LINE_MAX;
    if (n < 3 || head[0] != '#' || head[1] != '!')
        return -ENOEXEC;
    while (end < n && head[end] != '\n' && head[end] != '\0')
        end++;
    if (end == SCRIPT_LINE_MAX)
        return -ENOEXEC;
    while (is_blank(head[end - 1]))
        end--;
    begin = at = skip_blanks(head, 2, end);
    while (at < end && !is_blank(head[at]))
        at++;
    if (at == begin)
        return -ENOEXEC;
    copy(script->interpreter, head + begin, at - begin);
    at = skip_blanks(head, at, end);
    copy(script->argument, head + at, end - at);
    return 0;
}
