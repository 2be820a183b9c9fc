/* SPDX-License-Identifier: MIT */
/*
 * cmdline.c: looking up words of the command line. The line is short and read at boot only, so
 * every question walks it.
 */
#include "boot/cmdline.h"

#include "lib/string.h"

#include <hal/kstate.h>
#include <hal/runtime.h>

static KSTATE const char *line;

void cmdline_init(const char *text)
{
    line = text;
}

const char *cmdline_text(void)
{
    return line ? line : "";
}

/* The next word at or after `s`, and its length; NULL at the end. */
static const char *next_word(const char *s, size_t *n)
{
    while (char_is_space(*s))
        s++;
    for (*n = 0; s[*n] && !char_is_space(s[*n]);)
        (*n)++;
    return *n ? s : NULL;
}

bool cmdline_flag(const char *name)
{
    size_t length = string_length(name), n;

    for (const char *s = cmdline_text(); (s = next_word(s, &n)); s += n)
        if (n == length && memcmp(s, name, n) == 0)
            return true;
    return false;
}

bool cmdline_value(const char *name, char *to, size_t size)
{
    size_t length = string_length(name), n;

    to[0] = '\0';
    for (const char *s = cmdline_text(); (s = next_word(s, &n)); s += n) {
        if (n <= length || memcmp(s, name, length) != 0 || s[length] != '=')
            continue;
        n -= length + 1;
        if (n >= size)
            return false;
        memcpy(to, s + length + 1, n);
        to[n] = '\0';
        return true;
    }
    return false;
}
