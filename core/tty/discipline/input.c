/* SPDX-License-Identifier: MIT */
/*
 * input.c: what becomes of a byte that was typed.
 *
 * Most bytes are only themselves, and a map of 256 bits says so; the others are looked at in an
 * order that matters: one key may be set to mean two things.
 */
#include "tty/discipline/discipline.h"

#include "proc/signal.h"

#include <hal/runtime.h>

#define RESERVE 1 /* bytes that stay free for the end of a line */

const struct tty_settings tty_usual_settings = {
    .input = TTY_ICRNL | TTY_IXON | TTY_IUTF8,
    .output = TTY_OPOST | TTY_ONLCR,
    .control = TTY_B115200 | TTY_CS8 | TTY_CREAD | TTY_CLOCAL,
    .local = TTY_ISIG | TTY_ICANON | TTY_ECHO | TTY_ECHOE | TTY_ECHOK | TTY_ECHOCTL | TTY_ECHOKE |
             TTY_IEXTEN,
    .keys = {[TTY_VINTR] = 3,
             [TTY_VQUIT] = 28,
             [TTY_VERASE] = 127,
             [TTY_VKILL] = 21,
             [TTY_VEOF] = 4,
             [TTY_VMIN] = 1,
             [TTY_VSTART] = 17,
             [TTY_VSTOP] = 19,
             [TTY_VSUSP] = 26,
             [TTY_VREPRINT] = 18,
             [TTY_VDISCARD] = 15,
             [TTY_VWERASE] = 23,
             [TTY_VLNEXT] = 22},
    .input_speed = 115200,
    .output_speed = 115200,
};

/* ---- settings ---- */

static bool input_is(const struct discipline *d, uint32_t flags)
{
    return d->settings.input & flags;
}

static bool local_is(const struct discipline *d, uint32_t flags)
{
    return d->settings.local & flags;
}

static void note_special(struct discipline *d, uint8_t byte)
{
    d->special[byte / 64] |= 1ull << byte % 64;
}

static void note_keys(struct discipline *d, const uint8_t *which, size_t n)
{
    for (size_t i = 0; i < n; i++)
        note_special(d, d->settings.keys[which[i]]);
}

/* Which bytes are more than themselves. */
static void map_special(struct discipline *d)
{
    static const uint8_t of_lines[] = {TTY_VERASE, TTY_VKILL, TTY_VEOF, TTY_VEOL};
    static const uint8_t further[] = {TTY_VWERASE, TTY_VLNEXT, TTY_VEOL2, TTY_VREPRINT};
    static const uint8_t of_flow[] = {TTY_VSTART, TTY_VSTOP};
    static const uint8_t of_signals[] = {TTY_VINTR, TTY_VQUIT, TTY_VSUSP};

    memset(d->special, 0, sizeof(d->special));
    if (input_is(d, TTY_IGNCR | TTY_ICRNL))
        note_special(d, '\r');
    if (input_is(d, TTY_INLCR) || local_is(d, TTY_ICANON))
        note_special(d, '\n');
    if (local_is(d, TTY_ICANON))
        note_keys(d, of_lines, sizeof(of_lines));
    if (local_is(d, TTY_ICANON) && local_is(d, TTY_IEXTEN))
        note_keys(d, further, local_is(d, TTY_ECHO) ? sizeof(further) : sizeof(further) - 1);
    if (input_is(d, TTY_IXON))
        note_keys(d, of_flow, sizeof(of_flow));
    if (local_is(d, TTY_ISIG))
        note_keys(d, of_signals, sizeof(of_signals));
    d->special[0] &= ~1ull;
}

static void mark(struct discipline *d, uint32_t position)
{
    uint32_t at = position % DISCIPLINE_BYTES;

    d->marks[at / 64] |= 1ull << at % 64;
}

/* Lines begin, or are over. */
static void change_lines(struct discipline *d)
{
    memset(d->marks, 0, sizeof(d->marks));
    d->line = d->tail;
    if (local_is(d, TTY_ICANON) && d->head != d->tail) {
        mark(d, d->head - 1);
        d->line = d->head;
    }
    d->erasing = d->literal = false;
}

static void start_output(struct discipline *d)
{
    if (!d->stopped)
        return;
    d->stopped = false;
    d->ops->flow(d->context);
}

void discipline_set(struct discipline *d, const struct tty_settings *settings)
{
    bool lines = (d->settings.local ^ settings->local) & TTY_ICANON;
    bool no_flow = input_is(d, TTY_IXON) && !(settings->input & TTY_IXON);

    d->settings = *settings;
    if (lines)
        change_lines(d);
    map_special(d);
    if (no_flow)
        start_output(d);
}

void discipline_init(struct discipline *d, const struct discipline_ops *ops, void *context)
{
    memset(d, 0, sizeof(*d));
    d->ops = ops;
    d->context = context;
    d->settings = tty_usual_settings;
    map_special(d);
}

/* ---- what is kept ---- */

void discipline_flush(struct discipline *d)
{
    memset(d->marks, 0, sizeof(d->marks));
    d->tail = d->line = d->head;
    d->erasing = false;
}

void discipline_hold(struct discipline *d, bool held)
{
    if (d->held == held)
        return;
    d->held = held;
    d->ops->flow(d->context);
}

void discipline_start(struct discipline *d)
{
    discipline_hold(d, false);
    start_output(d);
}

static void keep(struct discipline *d, uint8_t byte)
{
    uint32_t at;

    if (d->head - d->tail == DISCIPLINE_BYTES)
        d->head--;
    at = d->head++ % DISCIPLINE_BYTES;
    d->bytes[at] = byte;
    d->marks[at / 64] &= ~(1ull << at % 64);
}

static void keep_doubled(struct discipline *d, uint8_t byte)
{
    if (byte == 0xff && input_is(d, TTY_PARMRK))
        keep(d, byte);
    keep(d, byte);
}

/* `byte` ends the line. */
static void end_line(struct discipline *d, uint8_t byte)
{
    keep(d, byte);
    mark(d, d->head - 1);
    d->line = d->head;
}

/* Room for one more. A line that has become too long only changes its last byte any more: so it
 * can be erased, or ended. */
static bool make_room(struct discipline *d)
{
    int room = (int)(DISCIPLINE_BYTES - (d->head - d->tail));

    if (input_is(d, TTY_PARMRK))
        room = (room + 2) / 3;
    room -= RESERVE;
    if (room > 0)
        return true;
    if (!local_is(d, TTY_ICANON) || d->line != d->tail)
        return false;
    if (room < 0)
        d->head--;
    return true;
}

/* ---- bytes that do something ---- */

static uint8_t key(const struct discipline *d, unsigned which)
{
    return d->settings.keys[which];
}

/* Stops and starts the output. */
static bool receive_flow(struct discipline *d, uint8_t byte)
{
    if (!input_is(d, TTY_IXON) || (byte != key(d, TTY_VSTART) && byte != key(d, TTY_VSTOP)))
        return false;
    if (byte == key(d, TTY_VSTART)) {
        start_output(d);
    } else if (!d->stopped) {
        d->stopped = true;
        d->ops->flow(d->context);
    }
    return true;
}

static unsigned signal_of(const struct discipline *d, uint8_t byte)
{
    if (!local_is(d, TTY_ISIG))
        return 0;
    if (byte == key(d, TTY_VINTR))
        return SIGNAL_INT;
    if (byte == key(d, TTY_VQUIT))
        return SIGNAL_QUIT;
    return byte == key(d, TTY_VSUSP) ? SIGNAL_TSTP : 0;
}

static bool receive_signal(struct discipline *d, uint8_t byte)
{
    unsigned signal = signal_of(d, byte);
    bool flush = !local_is(d, TTY_NOFLSH);

    if (signal == 0)
        return false;
    if (flush)
        discipline_flush(d);
    d->ops->signal(d->context, signal, flush);
    if (input_is(d, TTY_IXON))
        start_output(d);
    if (local_is(d, TTY_ECHO))
        discipline_echo(d, byte);
    return true;
}

/* Echoes the first byte of a line, or a further one. */
static void echo_of_line(struct discipline *d, uint8_t byte)
{
    if (d->line == d->head)
        d->line_column = d->column;
    discipline_echo(d, byte);
}

static void reprint(struct discipline *d, uint8_t byte)
{
    discipline_end_erasing(d);
    discipline_echo(d, byte);
    discipline_echo_raw(d, '\n');
    for (uint32_t at = d->line; at != d->head; at++)
        discipline_echo(d, discipline_at(d, at));
}

static void begin_literal(struct discipline *d)
{
    d->literal = true;
    if (!local_is(d, TTY_ECHO))
        return;
    discipline_end_erasing(d);
    if (local_is(d, TTY_ECHOCTL)) {
        discipline_echo_raw(d, '^');
        discipline_echo_raw(d, '\b');
    }
}

/* Keys that change the line. */
static bool receive_editing(struct discipline *d, uint8_t byte)
{
    bool further = local_is(d, TTY_IEXTEN);

    if (byte == key(d, TTY_VERASE) || byte == key(d, TTY_VKILL) ||
        (byte == key(d, TTY_VWERASE) && further))
        discipline_erase(d, byte);
    else if (byte == key(d, TTY_VLNEXT) && further)
        begin_literal(d);
    else if (byte == key(d, TTY_VREPRINT) && further && local_is(d, TTY_ECHO))
        reprint(d, byte);
    else
        return false;
    return true;
}

/* Keys that end it. */
static bool receive_end(struct discipline *d, uint8_t byte)
{
    bool other = byte == key(d, TTY_VEOL) || (byte == key(d, TTY_VEOL2) && local_is(d, TTY_IEXTEN));

    if (byte == '\n') {
        if (local_is(d, TTY_ECHO | TTY_ECHONL))
            discipline_echo_raw(d, byte);
        end_line(d, byte);
    } else if (byte == key(d, TTY_VEOF)) {
        end_line(d, 0);
    } else if (other) {
        if (local_is(d, TTY_ECHO))
            echo_of_line(d, byte);
        if (byte == 0xff && input_is(d, TTY_PARMRK))
            keep(d, byte);
        end_line(d, byte);
    } else {
        return false;
    }
    return true;
}

static void restart_by_any(struct discipline *d)
{
    if (input_is(d, TTY_IXON) && input_is(d, TTY_IXANY))
        start_output(d);
}

static void receive_text(struct discipline *d, uint8_t byte)
{
    if (local_is(d, TTY_ECHO)) {
        discipline_end_erasing(d);
        echo_of_line(d, byte);
    }
    keep_doubled(d, byte);
}

/* The same, for what is a newline now but was none, or the other way round. */
static void receive_text_raw(struct discipline *d, uint8_t byte)
{
    if (byte != '\n' || !local_is(d, TTY_ECHO)) {
        receive_text(d, byte);
        return;
    }
    discipline_end_erasing(d);
    discipline_echo_raw(d, byte);
    keep(d, byte);
}

static void receive_special(struct discipline *d, uint8_t byte)
{
    if (receive_flow(d, byte) || receive_signal(d, byte))
        return;
    restart_by_any(d);
    if (byte == '\r' && input_is(d, TTY_IGNCR))
        return;
    if (byte == '\r' && input_is(d, TTY_ICRNL))
        byte = '\n';
    else if (byte == '\n' && input_is(d, TTY_INLCR))
        byte = '\r';
    if (local_is(d, TTY_ICANON) && (receive_editing(d, byte) || receive_end(d, byte)))
        return;
    receive_text_raw(d, byte);
}

/* Small letters instead of capitals, of ASCII and Latin 1. */
static uint8_t small(uint8_t byte)
{
    bool capital = (byte >= 'A' && byte <= 'Z') || (byte >= 0xc0 && byte <= 0xde && byte != 0xd7);

    return capital ? byte + 0x20 : byte;
}

static void receive(struct discipline *d, uint8_t byte)
{
    bool literal = d->literal;

    d->literal = false;
    if (input_is(d, TTY_ISTRIP))
        byte &= 0x7f;
    if (input_is(d, TTY_IUCLC) && local_is(d, TTY_IEXTEN))
        byte = small(byte);
    if (!literal && (d->special[byte / 64] >> byte % 64 & 1)) {
        receive_special(d, byte);
        return;
    }
    restart_by_any(d);
    receive_text(d, byte);
}

size_t discipline_input(struct discipline *d, const uint8_t *bytes, size_t n)
{
    size_t done = 0;

    while (done < n && make_room(d))
        receive(d, bytes[done++]);
    return done;
}

bool discipline_input_urgent(struct discipline *d, uint8_t byte)
{
    if (!(d->special[byte / 64] >> byte % 64 & 1))
        return false;
    return receive_flow(d, byte) || receive_signal(d, byte);
}

/* The bytes are typed behind where they are: what is written never reaches what is still read. */
void discipline_input_again(struct discipline *d)
{
    uint32_t at = d->tail, end = d->head;

    discipline_flush(d);
    for (; at != end; at++) {
        uint8_t byte = discipline_at(d, at);

        (void)!discipline_input(d, &byte, 1);
    }
}
