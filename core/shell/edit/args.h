/* SPDX-License-Identifier: MIT */
/*
 * args.h: from a line to the words of its commands.
 *
 *     echo "one word"; blink GPIO17 250ms &
 *
 * is two commands, the second in the background. Words are parted by spaces. Between '...' every
 * byte is itself; between "..." too, except that \ takes away the meaning of " and \; outside, \
 * takes away the meaning of any byte. ';' ends a command, '&' ends it and sends it to the
 * background. '*' and '?' outside of quotes stand for names of files (expand.h); until that is done
 * two bytes that no keyboard has are in their places.
 *
 * Pure functions; any context.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARGS_LINE_MAX 512 /**< bytes of a line without its NUL */
#define ARGS_MAX 64       /**< words of a command, its name included */

#define ARGS_ANY '\1' /**< was '*' */
#define ARGS_ONE '\2' /**< was '?' */

/** Words that stand for others, which do not fit into an args. */
struct args_more {
    uint32_t references; /**< changed atomically */
    char *words[];
};

struct args {
    char text[ARGS_LINE_MAX + 1]; /**< the words without their quotes, each with a NUL */
    char *few[ARGS_MAX + 1];      /**< into text */
    char **words;                 /**< few, or more->words; words[count] is NULL */
    struct args_more *more;       /**< a reference, or NULL */
    unsigned count;
    bool background;
    bool wild; /**< there are ARGS_ANY or ARGS_ONE in it */
};

/**
 * Reads the command at *line and moves *line behind it. count is 0 at the end of the line.
 *
 * Returns 0; -E2BIG: more than ARGS_MAX words, or a line above ARGS_LINE_MAX; -EINVAL: a quote that
 * is not closed, or a \ at the very end; -ENOENT: an '&' with no command before it.
 */
HAL_MUST_CHECK int args_parse(const char **line, struct args *args);

/** Makes '*' and '?' of ARGS_ANY and ARGS_ONE. */
void args_tame(char *word);

/** Makes `to` a copy of `from`, with references of its own. */
void args_copy(struct args *to, const struct args *from);

/** Where the cursor is, for completion. */
struct args_tail {
    char
        word[ARGS_LINE_MAX + 1]; /**< the word that ends at the cursor, without quotes; may be "" */
    size_t raw;                  /**< bytes that it takes in the line, quotes included */
    char quote;                  /**< the quote that is open at the cursor, or 0 */
    bool command;                /**< it is the first word of a command */
    size_t begin;                /**< where in the line that command begins; blanks may follow */
};

/** Looks at line[0 .. n), which need not be complete. */
void args_read_tail(const char *line, size_t n, struct args_tail *tail);
