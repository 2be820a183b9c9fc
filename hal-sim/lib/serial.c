/* SPDX-License-Identifier: MIT */
/*
 * serial.c: the library's end of the serial line.
 *
 * Input is a queue that grows as needed; the device takes from it what it can. Output is a ring of
 * the newest OUTPUT_BYTES bytes, in which everybody who looks at it (the reader, the sink, the
 * search for a text) has a position of his own.
 */
#include "lib/library.h"

#include <hal/errno.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_MAX 4096u

int serial_open(void)
{
    library.output.bytes = malloc(OUTPUT_BYTES);
    return library.output.bytes ? 0 : -ENOMEM;
}

void serial_close(void)
{
    free(library.output.bytes);
    free(library.input.bytes);
}

/* ---- to the guest ---- */

void serial_drop_input(void)
{
    library.input.start = 0;
    atomic_store(&library.input.count, 0);
}

size_t outside_input_waiting(void)
{
    return atomic_load_explicit(&library.input.count, memory_order_relaxed);
}

uint32_t outside_window(void)
{
    return atomic_load(&library.window);
}

int tb_uart_set_window(struct tb_machine *m, unsigned columns, unsigned rows)
{
    if (columns > WINDOW_MAX || rows > WINDOW_MAX || !columns != !rows)
        return library_fail(-EINVAL, "a window of %u columns and %u rows", columns, rows);
    host_lock(HOST_MACHINE);
    if (atomic_exchange(&m->window, columns << 16 | rows) != (columns << 16 | rows) &&
        atomic_load(&machine.power) == POWER_ON)
        sim_uart_window_changed();
    host_unlock(HOST_MACHINE);
    return 0;
}

size_t outside_input(uint8_t *bytes, size_t n)
{
    struct input *in = &library.input;
    size_t count = atomic_load(&in->count);
    n = n < count ? n : count;
    if (!n)
        return 0;
    memcpy(bytes, in->bytes + in->start, n);
    in->start += n;
    atomic_store(&in->count, count - n);
    return n;
}

/* Makes room for `n` more bytes behind those that wait. */
static bool make_room(struct input *in, size_t n)
{
    size_t count = atomic_load(&in->count);
    if (in->start + count + n <= in->size)
        return true;
    if (in->start)
        memmove(in->bytes, in->bytes + in->start, count);
    in->start = 0;
    if (count + n <= in->size)
        return true;
    size_t size = (count + n) * 2;
    uint8_t *bytes = realloc(in->bytes, size);
    if (!bytes)
        return false;
    in->bytes = bytes;
    in->size = size;
    return true;
}

int tb_uart_write(struct tb_machine *m, const void *bytes, size_t n)
{
    struct input *in = &m->input;
    int result = (int)n;
    if (n > INT_MAX)
        return library_fail(-EINVAL, "%zu bytes of input at once are too many", n);
    if (!n)
        return 0;
    host_lock(HOST_MACHINE);
    if (!make_room(in, n)) {
        result = -ENOMEM;
    } else {
        size_t count = atomic_load(&in->count);
        memcpy(in->bytes + in->start + count, bytes, n);
        atomic_store(&in->count, count + n);
        if (atomic_load(&machine.power) == POWER_ON)
            sim_uart_input_arrived();
    }
    host_unlock(HOST_MACHINE);
    if (result < 0)
        return library_fail(result, "no memory on the host for %zu bytes of input", n);
    return result;
}

size_t tb_uart_pending(const struct tb_machine *m)
{
    (void)m;
    host_lock(HOST_MACHINE);
    size_t n = outside_input_waiting() + machine.uart.rx_count;
    host_unlock(HOST_MACHINE);
    return n;
}

/* ---- from the guest ---- */

static uint64_t oldest(const struct output *out)
{
    return out->end > OUTPUT_BYTES ? out->end - OUTPUT_BYTES : 0;
}

static uint8_t byte_at(const struct output *out, uint64_t position)
{
    return out->bytes[position % OUTPUT_BYTES];
}

/* Copies bytes from `*position` on, and moves it; skips what the ring has lost. */
static size_t copy_out(const struct output *out, uint64_t *position, uint8_t *bytes, size_t n)
{
    size_t done = 0;
    if (*position < oldest(out))
        *position = oldest(out);
    while (done < n && *position < out->end) {
        size_t at = *position % OUTPUT_BYTES;
        uint64_t piece = OUTPUT_BYTES - at;
        if (piece > out->end - *position)
            piece = out->end - *position;
        if (piece > n - done)
            piece = n - done;
        memcpy(bytes + done, out->bytes + at, piece);
        done += piece;
        *position += piece;
    }
    return done;
}

static bool matches_at(const struct output *out, uint64_t position, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (byte_at(out, position + i) != (uint8_t)text[i])
            return false;
    return true;
}

/* Looks for the awaited text in what has not been looked at; true when it is there. */
static bool search(struct output *out)
{
    size_t length = strlen(out->text);
    if (out->scanned < oldest(out))
        out->scanned = oldest(out);
    for (; out->scanned + length <= out->end; out->scanned++)
        if (matches_at(out, out->scanned, out->text, length)) {
            out->matched = out->scanned + length;
            out->text = NULL;
            return true;
        }
    return false;
}

void outside_output(const uint8_t *bytes, size_t n)
{
    struct output *out = &library.output;
    for (size_t i = 0; i < n; i++)
        out->bytes[(out->end + i) % OUTPUT_BYTES] = bytes[i];
    out->end += n;
    if (out->text && search(out))
        out->found = true;
    atomic_store(&out->news, true);
}

/* Says that the awaited text was found, after the sink has seen it. */
static void tell_match(struct output *out)
{
    host_lock(HOST_MACHINE);
    if (out->found)
        library_notify(RUN_MATCH);
    out->found = false;
    host_unlock(HOST_MACHINE);
}

void outside_flush(void)
{
    struct output *out = &library.output;
    uint8_t chunk[512];
    size_t n;
    stream_flush();
    if (!atomic_exchange(&out->news, false))
        return;
    host_lock(HOST_SINK);
    for (;;) {
        host_lock(HOST_MACHINE);
        n = out->sink ? copy_out(out, &out->flushed, chunk, sizeof chunk) : 0;
        host_unlock(HOST_MACHINE);
        if (!n)
            break;
        out->sink(out->sink_context, chunk, n);
    }
    tell_match(out);
    host_unlock(HOST_SINK);
}

size_t tb_uart_read(struct tb_machine *m, void *bytes, size_t n)
{
    host_lock(HOST_MACHINE);
    n = copy_out(&m->output, &m->output.taken, bytes, n);
    host_unlock(HOST_MACHINE);
    return n;
}

void tb_uart_set_sink(struct tb_machine *m, tb_uart_sink *sink, void *context)
{
    host_lock(HOST_SINK);
    host_lock(HOST_MACHINE);
    m->output.sink = sink;
    m->output.sink_context = context;
    m->output.flushed = m->output.end;
    host_unlock(HOST_MACHINE);
    host_unlock(HOST_SINK);
}

int tb_uart_expect(struct tb_machine *m, const char *text, uint64_t ns)
{
    struct output *out = &m->output;
    uint64_t now = sim_time_now();
    if (!text || !*text || strlen(text) > OUTPUT_BYTES / 2)
        return library_fail(-EINVAL, "the text to expect is empty or too long");
    host_lock(HOST_MACHINE);
    out->text = text;
    out->scanned = out->matched;
    atomic_fetch_and(&m->flags, ~(uint32_t)RUN_MATCH);
    bool found = search(out);
    host_unlock(HOST_MACHINE);
    if (found)
        return TB_MATCH;
    int reason = atomic_load(&machine.power) == POWER_OFF
                     ? library_fail(-EINVAL, "the power is off; call tb_power_on first")
                     : library_run(ns > HAL_TIME_NEVER - now ? HAL_TIME_NEVER : now + ns);
    host_lock(HOST_MACHINE);
    /* It may have been found at the last moment, and counts as matched already. */
    if (out->found || (atomic_fetch_and(&m->flags, ~(uint32_t)RUN_MATCH) & RUN_MATCH))
        reason = TB_MATCH;
    out->text = NULL;
    out->found = false;
    host_unlock(HOST_MACHINE);
    return reason;
}
