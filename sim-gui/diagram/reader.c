/* SPDX-License-Identifier: MIT */
/*
 * reader.c: messages with a place, and members of a given type.
 */
#include "diagram/reader.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "diagram/locate.h"

static int reader_say(struct reader *reader, const char *at, const char *format, va_list arguments)
{
    struct text_place place = locate_place(reader->text, at);
    char *text = reader->error->text;
    size_t size = sizeof(reader->error->text);
    int used = snprintf(text, size, "%.200s:%u:%u: ", reader->name, place.line, place.column);

    if (used > 0 && (size_t)used < size)
        vsnprintf(text + used, size - (size_t)used, format, arguments);
    return -EINVAL;
}

int reader_fault_at(struct reader *reader, const char *at, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    reader_say(reader, at ? at : reader->text, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

int reader_fault(struct reader *reader, const char *path, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    reader_say(reader, locate_value(reader->text, path), format, arguments);
    va_end(arguments);
    return -EINVAL;
}

/* Says that `path`/`key` has the wrong type or value. */
static int reader_fault_member(struct reader *reader, const char *path, const char *key,
                               const char *wanted)
{
    char member[96];

    snprintf(member, sizeof(member), "%s/%s", path, key);
    return reader_fault(reader, member, "\"%s\" must be %s", key, wanted);
}

int reader_number(struct reader *reader, const cJSON *object, const char *path, const char *key,
                  float *value)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    if (!item)
        return 0;
    if (!cJSON_IsNumber(item) || !(fabs(item->valuedouble) <= 10000))
        return reader_fault_member(reader, path, key, "a number from -10000 to 10000");
    *value = (float)item->valuedouble;
    return 0;
}

int reader_flag(struct reader *reader, const cJSON *object, const char *path, const char *key,
                bool *value)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    if (!item)
        return 0;
    if (!cJSON_IsBool(item))
        return reader_fault_member(reader, path, key, "true or false");
    *value = cJSON_IsTrue(item);
    return 0;
}

int reader_text(struct reader *reader, const cJSON *object, const char *path, const char *key,
                char value[PART_TEXT])
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    if (!item)
        return 0;
    if (!cJSON_IsString(item) || strlen(item->valuestring) >= PART_TEXT)
        return reader_fault_member(reader, path, key, "a text of at most 31 bytes");
    strcpy(value, item->valuestring);
    return 0;
}

static const struct {
    const char *name;
    uint32_t colour;
} reader_colours[] = {
    {"red", 0xf0352b},       {"orange", 0xff8c1a},  {"yellow", 0xffd21f}, {"green", 0x2fd158},
    {"limegreen", 0x7bed3c}, {"blue", 0x2f7bff},    {"cyan", 0x2fd6e6},   {"purple", 0xa64dff},
    {"violet", 0xc58aff},    {"magenta", 0xff3fd0}, {"pink", 0xff8fb8},   {"white", 0xf4f6ff},
    {"gray", 0x8c939e},      {"grey", 0x8c939e},    {"black", 0x454c58},  {"brown", 0x8a5a34},
    {"gold", 0xe0b34a},
};

static bool reader_parse_hex(const char *text, uint32_t *colour)
{
    uint32_t value = 0;

    if (strlen(text) != 7 || text[0] != '#' || strspn(text + 1, "0123456789abcdefABCDEF") != 6)
        return false;
    sscanf(text + 1, "%6x", &value);
    *colour = value;
    return true;
}

bool reader_parse_colour(const char *text, uint32_t *colour)
{
    for (size_t i = 0; i < sizeof(reader_colours) / sizeof(reader_colours[0]); i++) {
        if (strcmp(reader_colours[i].name, text) == 0) {
            *colour = reader_colours[i].colour;
            return true;
        }
    }
    return reader_parse_hex(text, colour);
}
