/* SPDX-License-Identifier: MIT */
/*
 * args.c: a scanner of one byte at a time that knows whether a quote is open.
 *
 * Both readers are built on it: args_parse, which wants whole commands, and args_read_tail, which
 * wants the unfinished word at the end.
 */
#include "shell/edit/args.h"

#include <hal/errno.h>
#include <hal/runtime.h>

/* What one byte of a line is, given what came before. */
enum args_kind {
    ARGS_LITERAL, /* a byte of a word */
    ARGS_WILD,    /* the same, that stands for others */
    ARGS_MARK,    /* a quote or \: part of a word, but no byte of it */
    ARGS_SPACE,   /* parts words */
    ARGS_END,     /* ; or &: ends a command */
};

struct args_scanner {
    char quote;   /* the open quote, or 0 */
    bool escaped; /* the byte before was a \ with a meaning */
};

static enum args_kind args_scan_quoted(struct args_scanner *scanner, char c)
{
    if (c == scanner->quote) {
        scanner->quote = 0;
        return ARGS_MARK;
    }
    return ARGS_LITERAL;
}

/* `next` is the byte behind `c`, or 0. */
static enum args_kind args_scan(struct args_scanner *scanner, char c, char next)
{
    if (scanner->escaped) {
        scanner->escaped = false;
        return ARGS_LITERAL;
    }
    if (c == '\\' && scanner->quote != '\'' &&
        (scanner->quote == 0 || next == '"' || next == '\\')) {
        scanner->escaped = true;
        return ARGS_MARK;
    }
    if (scanner->quote != 0)
        return args_scan_quoted(scanner, c);
    if (c == '"' || c == '\'') {
        scanner->quote = c;
        return ARGS_MARK;
    }
    if (c == ' ' || c == '\t')
        return ARGS_SPACE;
    if (c == ';' || c == '&')
        return ARGS_END;
    return c == '*' || c == '?' ? ARGS_WILD : ARGS_LITERAL;
}

/* Words under construction. */
struct args_builder {
    struct args *args;
    size_t used;  /* bytes of args->text */
    bool in_word; /* words[count] has begun */
};

static int args_begin_word(struct args_builder *builder)
{
    if (builder->in_word)
        return 0;
    if (builder->args->count == ARGS_MAX)
        return -E2BIG;
    builder->args->few[builder->args->count] = builder->args->text + builder->used;
    builder->in_word = true;
    return 0;
}

static int args_add_byte(struct args_builder *builder, char c)
{
    if (builder->used >= ARGS_LINE_MAX)
        return -E2BIG;
    builder->args->text[builder->used++] = c;
    return 0;
}

static int args_add_wild(struct args_builder *builder, char c)
{
    builder->args->wild = true;
    return args_add_byte(builder, c == '*' ? ARGS_ANY : ARGS_ONE);
}

static void args_end_word(struct args_builder *builder)
{
    if (!builder->in_word)
        return;
    builder->args->text[builder->used++] = '\0';
    builder->args->count++;
    builder->in_word = false;
}

/* The end of a command: by `c`, which is ';', '&', or 0 for the end of the line. */
static int args_close(struct args_builder *builder, const struct args_scanner *scanner, char c)
{
    if (scanner->quote != 0 || scanner->escaped)
        return -EINVAL;
    args_end_word(builder);
    builder->args->few[builder->args->count] = NULL;
    builder->args->background = c == '&';
    return c == '&' && builder->args->count == 0 ? -ENOENT : 0;
}

static int args_parse_one(const char **line, struct args *args)
{
    struct args_builder builder = {.args = args};
    struct args_scanner scanner = {0};
    const char *at = *line;
    enum args_kind kind;
    int error = 0;

    args->count = 0;
    args->words = args->few;
    args->more = NULL;
    args->wild = false;
    for (; *at != '\0' && error == 0; at++) {
        kind = args_scan(&scanner, *at, at[1]);
        if (kind == ARGS_END)
            break;
        if (kind == ARGS_SPACE)
            args_end_word(&builder);
        else
            error = args_begin_word(&builder);
        if (error == 0 && kind == ARGS_LITERAL)
            error = args_add_byte(&builder, *at);
        if (error == 0 && kind == ARGS_WILD)
            error = args_add_wild(&builder, *at);
    }
    if (error == 0)
        error = args_close(&builder, &scanner, *at);
    *line = *at == '\0' ? at : at + 1;
    return error;
}

int args_parse(const char **line, struct args *args)
{
    int error;

    do {
        error = args_parse_one(line, args);
    } while (error == 0 && args->count == 0 && **line != '\0');
    return error;
}

void args_tame(char *word)
{
    for (; *word != '\0'; word++) {
        if (*word == ARGS_ANY)
            *word = '*';
        else if (*word == ARGS_ONE)
            *word = '?';
    }
}

void args_copy(struct args *to, const struct args *from)
{
    memcpy(to->text, from->text, sizeof(to->text));
    to->count = from->count;
    to->background = from->background;
    to->wild = from->wild;
    to->more = from->more;
    to->words = from->words;
    if (from->more != NULL) {
        __atomic_add_fetch(&from->more->references, 1, __ATOMIC_RELAXED);
        return;
    }
    to->words = to->few;
    for (unsigned i = 0; i < from->count; i++)
        to->few[i] = to->text + (from->words[i] - from->text);
    to->few[from->count] = NULL;
}

void args_read_tail(const char *line, size_t n, struct args_tail *tail)
{
    struct args_scanner scanner = {0};
    size_t start = 0, used = 0;
    unsigned words = 0;
    bool in_word = false;

    tail->begin = 0;
    for (size_t i = 0; i < n; i++) {
        enum args_kind kind = args_scan(&scanner, line[i], i + 1 < n ? line[i + 1] : '\0');

        if (kind == ARGS_SPACE || kind == ARGS_END) {
            words = kind == ARGS_END ? 0 : words + in_word;
            tail->begin = kind == ARGS_END ? i + 1 : tail->begin;
            in_word = false;
            used = 0;
            start = i + 1;
            continue;
        }
        in_word = true;
        if ((kind == ARGS_LITERAL || kind == ARGS_WILD) && used < ARGS_LINE_MAX)
            tail->word[used++] = line[i];
    }
    tail->word[used] = '\0';
    tail->raw = n - start;
    tail->quote = scanner.quote;
    tail->command = words == 0;
}
