/* SPDX-License-Identifier: MIT */
/*
 * reader.h: typed access to a JSON text with messages that name line and column.
 *
 * A reader remembers the text beside cJSON's tree. Functions that find fault leave a sentence in
 * the reader's error and return -EINVAL; `path` (see locate.h) says which value they mean.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "diagram/diagram.h"

struct reader {
    const char *name; /* of the file, for messages */
    const char *text;
    struct diagram_error *error;
    struct diagram *diagram; /* what is being read */
};

/* Says what is wrong with the value at `path`. Always -EINVAL. */
int reader_fault(struct reader *reader, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Says that the text stops being JSON at `at`, which may be NULL: at its start. Always -EINVAL. */
int reader_fault_at(struct reader *reader, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The values of member `key` of the object at `path`; missing leaves the variable as it was. */
int reader_number(struct reader *reader, const cJSON *object, const char *path, const char *key,
                  float *value);
int reader_flag(struct reader *reader, const cJSON *object, const char *path, const char *key,
                bool *value);
int reader_text(struct reader *reader, const cJSON *object, const char *path, const char *key,
                char value[PART_TEXT]);

/* A colour by name or as #rrggbb; false when it is neither. */
bool reader_parse_colour(const char *text, uint32_t *colour);
