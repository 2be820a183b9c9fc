/* SPDX-License-Identifier: MIT */
/*
 * stream.c: the library's end of a program's streams.
 *
 * Input is a queue that grows. Output waits in one row of pieces, each of one stream, so that the
 * order in which a program wrote to both is kept; it is given to the sink right after the guest's
 * call, outside of the machine's lock.
 */
#include "lib/library.h"
#include "tayberry_stream.h"

#include <hal/errno.h>
#include <hal/stream.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

void stream_close(void)
{
    free(library.stream.input);
    free(library.stream.output);
    library.stream = (struct stream){0};
}

/* ---- to the guest ---- */

bool outside_stream_is_there(void)
{
    return library.stream.sink != NULL;
}

long outside_stream_input(void *bytes, size_t n)
{
    struct stream *stream = &library.stream;
    size_t left = stream->input_end - stream->input_start;
    if (left == 0)
        return stream->ended ? 0 : -EAGAIN;
    n = n < left ? n : left;
    memcpy(bytes, stream->input + stream->input_start, n);
    stream->input_start += n;
    return (long)n;
}

/* Makes room for `n` more bytes of input. */
static bool make_room(struct stream *stream, size_t n)
{
    size_t left = stream->input_end - stream->input_start;
    if (stream->input_end + n <= stream->input_size)
        return true;
    if (left > 0)
        memmove(stream->input, stream->input + stream->input_start, left);
    stream->input_start = 0;
    stream->input_end = left;
    if (left + n <= stream->input_size)
        return true;
    uint8_t *larger = realloc(stream->input, (left + n) * 2);
    if (!larger)
        return false;
    stream->input = larger;
    stream->input_size = (left + n) * 2;
    return true;
}

/* Tells the guest, if it is on. HOST_MACHINE held. */
static void arrived(void)
{
    if (atomic_load(&machine.power) == POWER_ON)
        sim_stream_input_arrived();
}

int tb_stream_write(struct tb_machine *m, const void *bytes, size_t n)
{
    int result = n > INT_MAX ? -ENOMEM : (int)n;
    if (result <= 0)
        return result;
    host_lock(HOST_MACHINE);
    if (make_room(&m->stream, n)) {
        memcpy(m->stream.input + m->stream.input_end, bytes, n);
        m->stream.input_end += n;
        arrived();
    } else {
        result = -ENOMEM;
    }
    host_unlock(HOST_MACHINE);
    return result;
}

void tb_stream_end(struct tb_machine *m)
{
    host_lock(HOST_MACHINE);
    m->stream.ended = true;
    arrived();
    host_unlock(HOST_MACHINE);
}

size_t tb_stream_pending(const struct tb_machine *m)
{
    host_lock(HOST_MACHINE);
    size_t n = m->stream.input_end - m->stream.input_start;
    host_unlock(HOST_MACHINE);
    return n;
}

/* ---- from the guest ---- */

size_t outside_stream_output(int which, const void *bytes, size_t n)
{
    struct stream *stream = &library.stream;
    size_t room = STREAM_BYTES - stream->output_used;
    if (!stream->output || room <= sizeof(struct stream_piece))
        return stream->sink ? 0 : n;
    room -= sizeof(struct stream_piece);
    struct stream_piece piece = {.stream = which, .n = (uint32_t)(n < room ? n : room)};
    memcpy(stream->output + stream->output_used, &piece, sizeof piece);
    memcpy(stream->output + stream->output_used + sizeof piece, bytes, piece.n);
    stream->output_used += sizeof piece + piece.n;
    atomic_store(&stream->news, true);
    return piece.n;
}

/* Takes all the output there is into `copy`: how many bytes. */
static size_t take(uint8_t *copy)
{
    host_lock(HOST_MACHINE);
    size_t used = library.stream.output_used;
    if (used > 0)
        memcpy(copy, library.stream.output, used);
    library.stream.output_used = 0;
    host_unlock(HOST_MACHINE);
    return used;
}

void stream_flush(void)
{
    static uint8_t copy[STREAM_BYTES]; /* HOST_SINK */
    struct stream *stream = &library.stream;
    size_t used;
    if (!atomic_load(&stream->news))
        return;
    host_lock(HOST_SINK);
    atomic_store(&stream->news, false);
    while ((used = take(copy)) > 0) {
        for (size_t at = 0; at < used;) {
            struct stream_piece piece;
            memcpy(&piece, copy + at, sizeof piece);
            at += sizeof piece;
            stream->sink(stream->context, piece.stream, copy + at, piece.n);
            at += piece.n;
        }
    }
    host_unlock(HOST_SINK);
}

void tb_stream_set_sink(struct tb_machine *m, tb_stream_sink *sink, void *context)
{
    if (library_is_on())
        return;
    if (sink && !m->stream.output)
        m->stream.output = malloc(STREAM_BYTES);
    m->stream.sink = sink;
    m->stream.context = context;
}
