/* SPDX-License-Identifier: MIT */
/*
 * locate.c: a walker over JSON text that is known to be well formed.
 *
 * Each function takes a pointer into the text and returns one further on. NUL stops all of them, so
 * that a text that is not well formed after all gives a wrong place and never a wild pointer.
 */
#include "diagram/locate.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char *locate_skip_space(const char *at)
{
    if (strncmp(at, "\xef\xbb\xbf", 3) == 0)
        at += 3;
    return at + strspn(at, " \t\r\n");
}

/* `at` is on the opening quote; returns what follows the closing one. */
static const char *locate_skip_string(const char *at)
{
    for (at++; *at && *at != '"'; at++) {
        if (*at == '\\' && at[1])
            at++;
    }
    return *at ? at + 1 : at;
}

/* Any value: strings, numbers and words as they are, objects and arrays by counting brackets. */
static const char *locate_skip_value(const char *at)
{
    unsigned depth = 0;

    for (;;) {
        at = locate_skip_space(at);
        if (*at == '"') {
            at = locate_skip_string(at);
        } else if (*at == '{' || *at == '[') {
            depth++;
            at++;
        } else if (*at == '}' || *at == ']') {
            depth--;
            at++;
        } else if (*at == ',' || *at == ':') {
            at++;
        } else {
            at += strcspn(at, " \t\r\n,:{}[]\"");
        }
        if (depth == 0 || *at == '\0')
            return at;
    }
}

/* To the next element or member, or NULL after the last. */
static const char *locate_next(const char *at)
{
    at = locate_skip_space(locate_skip_value(at));
    return *at == ',' ? locate_skip_space(at + 1) : NULL;
}

static const char *locate_member(const char *object, const char *name, size_t length)
{
    const char *at = locate_skip_space(object + 1);

    while (at && *at == '"') {
        const char *end = locate_skip_string(at);
        bool found = (size_t)(end - at) == length + 2 && memcmp(at + 1, name, length) == 0;

        at = locate_skip_space(end);
        at = *at == ':' ? locate_skip_space(at + 1) : at;
        if (found)
            return at;
        at = locate_next(at);
    }
    return NULL;
}

static const char *locate_element(const char *array, unsigned long index)
{
    const char *at = locate_skip_space(array + 1);

    while (at && *at && *at != ']' && index > 0) {
        at = locate_next(at);
        index--;
    }
    return at && *at && *at != ']' ? at : NULL;
}

const char *locate_value(const char *text, const char *path)
{
    const char *at = locate_skip_space(text);

    path += *path == '/';
    while (*path) {
        size_t length = strcspn(path, "/");
        const char *next = NULL;

        if (*at == '{')
            next = locate_member(at, path, length);
        else if (*at == '[')
            next = locate_element(at, strtoul(path, NULL, 10));
        if (!next)
            break;
        at = next;
        path += length + (path[length] == '/');
    }
    return at;
}

struct text_place locate_place(const char *text, const char *at)
{
    struct text_place place = {1, 1};

    if (strncmp(text, "\xef\xbb\xbf", 3) == 0 && at >= text + 3)
        text += 3;
    for (; text < at && *text; text++) {
        if (*text == '\n') {
            place.line++;
            place.column = 1;
        } else if (((unsigned char)*text & 0xc0) != 0x80) {
            place.column++;
        }
    }
    return place;
}
