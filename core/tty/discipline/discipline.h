/* SPDX-License-Identifier: MIT */
/*
 * discipline.h: the line discipline: what lies between the keys of a terminal and who reads them.
 *
 * A byte that arrives is dealt with at once, by the settings of that moment: it is kept for who
 * reads, or erases what is kept, or sends a signal, or stops the output; and it is echoed. By lines
 * (ICANON) what is kept can be read up to the last line that has been ended:
 *
 *     tail            line            head
 *      | lines, ended  | being typed   |
 *      v               v               v
 *     [l s \n c a t \n e c h o _ h i ]
 *
 * The byte that ends a line is marked, because erasing stops there, and because which bytes end
 * lines can change. Ctrl-D ends a line without being part of it: it is kept as a marked 0.
 *
 * Byte for byte this does what Linux's does: tests/unit/tty asks the host's pseudo-terminals.
 *
 * A state machine without a lock, and without a device: those come with what it is given. All
 * functions: any context; the caller serialises.
 */
#pragma once

#include "tty/discipline/settings.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISCIPLINE_BYTES 4096u   /**< that are kept, at most; a power of two */
#define DISCIPLINE_OUTPUT_MAX 8u /**< bytes that one byte of output can become */

/** What the terminal behind it does. */
struct discipline_ops {
    /** Shows a byte. */
    void (*put)(void *context, uint8_t byte);

    /** Ctrl-C or the like was typed: SIGNAL_INT, SIGNAL_QUIT or SIGNAL_TSTP. `flush`: what is on
     * its way, in both directions, is to be forgotten. */
    void (*signal)(void *context, unsigned signal, bool flush);

    /** `stopped` has changed. */
    void (*flow)(void *context);
};

struct discipline {
    const struct discipline_ops *ops;
    void *context;
    struct tty_settings settings;
    uint64_t special[4]; /**< a bit for each byte that is more than itself */
    uint8_t bytes[DISCIPLINE_BYTES];
    uint64_t marks[DISCIPLINE_BYTES / 64]; /**< a bit for each byte that ends a line */

    /* Counts of bytes since power-on; byte N is at N % DISCIPLINE_BYTES. See above. */
    uint32_t tail, line, head;

    uint32_t column;      /**< where the cursor is, as far as one can tell */
    uint32_t line_column; /**< where it was when the line began */
    bool stopped;         /**< no output: by Ctrl-S */
    bool held;            /**< the same, by a program (TCOOFF) */
    bool literal;         /**< the next byte is only itself: after Ctrl-V */
    bool erasing;         /**< between \ and / of ECHOPRT */
};

/** Makes one with the usual settings. */
void discipline_init(struct discipline *discipline, const struct discipline_ops *ops,
                     void *context);

/** Other settings. What is kept stays: going to lines, it becomes one. */
void discipline_set(struct discipline *discipline, const struct tty_settings *settings);

/* ---- input: input.c, erase.c ---- */

/** Takes bytes as they were typed: how many, less than `n` when no more can be kept. */
HAL_MUST_CHECK size_t discipline_input(struct discipline *discipline, const uint8_t *bytes,
                                       size_t n);

/** A byte has arrived behind others that cannot be taken yet. True: it was one that does not wait
 * (a signal, or Ctrl-S and Ctrl-Q), and has been dealt with. */
HAL_MUST_CHECK bool discipline_input_urgent(struct discipline *discipline, uint8_t byte);

/** What is kept and was read by nobody is typed once more, by the settings of now. */
void discipline_input_again(struct discipline *discipline);

/** Forgets what is kept. */
void discipline_flush(struct discipline *discipline);

/** A program holds the output, or lets it go on. */
void discipline_hold(struct discipline *discipline, bool held);

/** Output goes on, whoever stopped it. */
void discipline_start(struct discipline *discipline);

/** One of the keys of erase.c: erases a character, a word or the line, and shows that. */
void discipline_erase(struct discipline *discipline, uint8_t key);

/* ---- reading: take.c ---- */

/** True if there is something to be read: of a whole line, or of bytes. */
bool discipline_has(const struct discipline *discipline);

/** True if there is what who waits for input should be told of: VMIN bytes, without VTIME. */
bool discipline_is_ready(const struct discipline *discipline);

/** Takes up to `n` bytes, of one line at most: how many. 0: the end of the file, or nothing. */
HAL_MUST_CHECK size_t discipline_take(struct discipline *discipline, uint8_t *bytes, size_t n);

/** The next byte that would be taken: true and *byte. */
HAL_MUST_CHECK bool discipline_peek(const struct discipline *discipline, uint8_t *byte);

/** Takes that byte, as if it had never been typed. There is one. */
void discipline_drop(struct discipline *discipline);

/** How many bytes can be read (FIONREAD). */
size_t discipline_count(const struct discipline *discipline);

/** How many are kept, read or not yet to be read. */
static inline uint32_t discipline_kept(const struct discipline *discipline)
{
    return discipline->head - discipline->tail;
}

/* ---- output: output.c ---- */

/** Shows a byte that a program wrote, as the settings say. */
void discipline_output(struct discipline *discipline, uint8_t byte);

/** Shows a byte of the kernel's: a newline begins a line, whatever the settings say. */
void discipline_output_plain(struct discipline *discipline, uint8_t byte);

/** Echoes: a byte as it is, and one that may be shown as ^X. */
void discipline_echo_raw(struct discipline *discipline, uint8_t byte);
void discipline_echo(struct discipline *discipline, uint8_t byte);

/** Ends what ECHOPRT has begun. */
void discipline_end_erasing(struct discipline *discipline);

/** A byte that continues a character of UTF-8, if that is what is typed. */
static inline bool discipline_continues(const struct discipline *discipline, uint8_t byte)
{
    return (discipline->settings.input & TTY_IUTF8) && (byte & 0xc0u) == 0x80u;
}

static inline bool discipline_is_control(uint8_t byte)
{
    return byte < 0x20 || byte == 0x7f;
}

static inline uint8_t discipline_at(const struct discipline *discipline, uint32_t position)
{
    return discipline->bytes[position % DISCIPLINE_BYTES];
}
