/* SPDX-License-Identifier: MIT */
/*
 * steps.c: the steps of a schedule as text, for command lines: 4711>7,4720.2@1,4800=6.
 */
#include "search.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char wanted[] = "steps such as 4711>7,4720.2@1,4800=6, or 'none'";

static bool read_number(const char **text, uint64_t most, uint64_t *value)
{
    const char *start = *text;
    for (*value = 0; **text >= '0' && **text <= '9' && *value <= most; (*text)++)
        *value = *value * 10 + (uint64_t)(**text - '0');
    return *text > start && *value <= most;
}

static bool read_step(const char **text, struct tb_step *step)
{
    static const char marks[] = ">=@:";
    uint64_t point, masked = 0, to;
    if (!read_number(text, UINT64_MAX >> 20, &point))
        return false;
    if (**text == '.' && ((*text)++, !read_number(text, TB_POINT_MASKED, &masked)))
        return false;
    const char *mark = **text != '\0' ? strchr(marks, **text) : NULL;
    if (mark == NULL || ((*text)++, !read_number(text, UINT32_MAX, &to)))
        return false;
    *step = (struct tb_step){
        .point = TB_POINT(point) + masked,
        .kind = TB_STEP_PREEMPT + (uint32_t)(mark - marks),
        .to = (uint32_t)to,
    };
    return true;
}

const char *steps_read(const char *text, struct steps *steps)
{
    size_t most = 1;
    for (const char *at = text; *at != '\0'; at++)
        most += *at == ',';
    *steps = (struct steps){.list = calloc(most, sizeof(*steps->list))};
    if (steps->list == NULL)
        return "fewer steps: there is no memory for them";
    if (strcmp(text, "none") == 0)
        return NULL;
    for (;;) {
        if (!read_step(&text, &steps->list[steps->count]))
            return wanted;
        steps->count++;
        if (*text == '\0')
            return NULL;
        if (*text++ != ',')
            return wanted;
    }
}

void steps_write(FILE *file, const struct tb_step *list, size_t count)
{
    if (count == 0)
        fprintf(file, "none");
    for (size_t i = 0; i < count; i++) {
        fprintf(file, "%s%" PRIu64, i > 0 ? "," : "", TB_POINT_NUMBER(list[i].point));
        if (list[i].point & TB_POINT_MASKED)
            fprintf(file, ".%u", (unsigned)(list[i].point & TB_POINT_MASKED));
        fprintf(file, "%c%u", "?>=@:"[list[i].kind], list[i].to);
    }
}

size_t steps_preemptions(const struct tb_step *list, size_t count)
{
    size_t preemptions = 0;
    for (size_t i = 0; i < count; i++)
        preemptions += list[i].kind == TB_STEP_PREEMPT || list[i].kind == TB_STEP_CPU;
    return preemptions;
}
