/* SPDX-License-Identifier: MIT */
/*
 * test_pipe.c: pipes whose users wait for each other (tests/unit/ramfs/fifos.c: those who do not).
 *
 * 1. Opening a FIFO waits for the other side, whichever comes first; one that has gone again
 *    counts. A cancelled one is not open.
 * 2. What is written is read, all of it, in order, however it is cut.
 * 3. Pieces of at most PIPE_ATOMIC bytes by several writers are not mixed.
 * 4. Closing ends the waits of the other side: 0 for a reader, -EPIPE for a writer.
 */
#include "heap/heap.h"
#include "ipc/pipe.h"
#include "ktest/fs/tests.h"
#include "ktest/sync/crew.h"
#include "thread/thread.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define PIECE 3000u
#define WRITERS 3u

struct play {
    struct pipe *pipe;
    unsigned pieces;
    unsigned wrong; /* atomic */
};

/* Counts what is not as it should be. Any of the crew. */
static void note(struct play *play, bool wrong)
{
    if (wrong)
        __atomic_fetch_add(&play->wrong, 1, __ATOMIC_RELAXED);
}

static bool prepare(struct ktest_run *run, struct play *play)
{
    *play = (struct play){.pipe = pipe_create()};
    return KTEST_EXPECT(run, play->pipe != NULL);
}

/* ---- opening ---- */

/* Member 0 opens for reading, member 1 for writing, and both close at once. */
static void part_open(struct crew_member *member)
{
    struct play *play = member->play;
    bool reader = member->number == 0;

    crew_dawdle(member);
    member->result = pipe_open_named(play->pipe, reader, !reader, false);
    if (member->result == 0)
        pipe_close(play->pipe, reader, !reader);
}

void test_pipe_open(struct ktest_run *run)
{
    unsigned rounds = ktest_size(50);
    struct crew crew;
    struct play play;

    if (!prepare(run, &play))
        return;
    for (unsigned i = 0; i < rounds; i++) {
        if (!crew_play(&crew, run, 2, part_open, &play))
            break;
        KTEST_EXPECT(run, crew.members[0].result == 0 && crew.members[1].result == 0);
    }
    KTEST_EXPECT(run, play.pipe->readers == 0 && play.pipe->writers == 0);
    pipe_destroy(play.pipe);
}

static void part_open_alone(struct crew_member *member)
{
    struct play *play = member->play;

    member->result = pipe_open_named(play->pipe, member->number == 0, member->number != 0, false);
}

void test_pipe_open_cancel(struct ktest_run *run)
{
    struct crew crew;
    struct play play;

    if (!prepare(run, &play))
        return;
    if (crew_start(&crew, run, 1, part_open_alone, &play)) {
        crew_await_rest(&crew, run, 0);
        KTEST_EXPECT(run, thread_cancel(crew.members[0].thread->id) == 0);
        crew_join(&crew);
        KTEST_EXPECT(run, crew.members[0].result == -EINTR);
    }
    KTEST_EXPECT(run, play.pipe->readers == 0);
    KTEST_EXPECT(run, pipe_open_named(play.pipe, false, true, true) == -ENXIO);
    pipe_destroy(play.pipe);
}

/* ---- a stream ---- */

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset * 11 % 253);
}

static void write_stream(struct crew_member *member, uint8_t *data)
{
    struct play *play = member->play;
    uint64_t end = (uint64_t)play->pieces * PIECE;

    for (uint64_t at = 0; at < end;) {
        size_t n = 1 + crew_random(member, 2 * PIECE);

        if (n > end - at)
            n = (size_t)(end - at);
        for (size_t i = 0; i < n; i++)
            data[i] = byte_at(at + i);
        note(play, pipe_write(play->pipe, data, n, false) != (int64_t)n);
        at += n;
    }
    pipe_close(play->pipe, false, true);
}

static void read_stream(struct crew_member *member, uint8_t *data)
{
    struct play *play = member->play;
    uint64_t at = 0;
    int64_t n;

    while ((n = pipe_read(play->pipe, data, 1 + crew_random(member, 2 * PIECE), false)) > 0) {
        for (int64_t i = 0; i < n; i++)
            note(play, data[i] != byte_at(at + (uint64_t)i));
        at += (uint64_t)n;
    }
    note(play, n != 0 || at != (uint64_t)play->pieces * PIECE);
    pipe_close(play->pipe, true, false);
}

static void part_stream(struct crew_member *member)
{
    uint8_t *data = kmalloc(2 * PIECE + 1);
    struct play *play = member->play;
    bool reader = member->number == 0;

    if (!data) {
        note(play, true);
        pipe_close(play->pipe, reader, !reader);
    } else if (reader) {
        read_stream(member, data);
    } else {
        write_stream(member, data);
    }
    kfree(data);
}

void test_pipe_stream(struct ktest_run *run)
{
    struct crew crew;
    struct play play;

    if (!prepare(run, &play))
        return;
    play.pieces = ktest_size(200);
    pipe_open(play.pipe, true, true);
    (void)crew_play(&crew, run, 2, part_stream, &play);
    KTEST_EXPECT(run, play.wrong == 0);
    pipe_destroy(play.pipe);
}

/* ---- several writers ---- */

static void write_pieces(struct crew_member *member, uint8_t *data)
{
    struct play *play = member->play;

    memset(data, (int)member->number, PIECE);
    for (unsigned i = 0; i < play->pieces; i++)
        note(play, pipe_write(play->pipe, data, PIECE, false) != PIECE);
    pipe_close(play->pipe, false, true);
}

/* Reads pieces, each of which has to be one writer's. */
static void read_pieces(struct crew_member *member, uint8_t *data)
{
    struct play *play = member->play;
    size_t have = 0;
    int64_t n;

    while ((n = pipe_read(play->pipe, data + have, PIECE - have, false)) > 0) {
        have += (size_t)n;
        if (have < PIECE)
            continue;
        for (unsigned i = 1; i < PIECE; i++)
            note(play, data[i] != data[0]);
        have = 0;
        member->result++;
    }
    note(play, have > 0);
    pipe_close(play->pipe, true, false);
}

static void part_pieces(struct crew_member *member)
{
    struct play *play = member->play;
    uint8_t *data = kmalloc(PIECE);
    bool reader = member->number == 0;

    if (!data) {
        note(play, true);
        pipe_close(play->pipe, reader, !reader);
    } else if (reader) {
        read_pieces(member, data);
    } else {
        write_pieces(member, data);
    }
    kfree(data);
}

void test_pipe_whole(struct ktest_run *run)
{
    struct crew crew;
    struct play play;

    if (!prepare(run, &play))
        return;
    play.pieces = ktest_size(60);
    pipe_open(play.pipe, true, false);
    for (unsigned i = 0; i < WRITERS; i++)
        pipe_open(play.pipe, false, true);
    if (crew_play(&crew, run, 1 + WRITERS, part_pieces, &play))
        KTEST_EXPECT(run, crew.members[0].result == (int)(WRITERS * play.pieces));
    KTEST_EXPECT(run, play.wrong == 0);
    pipe_destroy(play.pipe);
}

/* ---- ends ---- */

static void part_wait(struct crew_member *member)
{
    struct play *play = member->play;
    uint8_t byte = 0;

    if (member->number == 0)
        member->result = (int)pipe_read(play->pipe, &byte, 1, false);
    else
        member->result = (int)pipe_write(play->pipe, &byte, 1, false);
}

void test_pipe_ends(struct ktest_run *run)
{
    static const uint8_t zeros[PIPE_ATOMIC];
    struct crew crew;
    struct play play;

    if (!prepare(run, &play))
        return;
    pipe_open(play.pipe, true, true);
    if (crew_start(&crew, run, 1, part_wait, &play)) {
        crew_await_rest(&crew, run, 0);
        pipe_close(play.pipe, false, true);
        crew_join(&crew);
        KTEST_EXPECT(run, crew.members[0].result == 0);
        pipe_open(play.pipe, false, true);
    }
    while (pipe_write(play.pipe, zeros, sizeof(zeros), true) > 0)
        continue;
    if (crew_start(&crew, run, 2, part_wait, &play)) {
        crew_await_end(&crew, run, 0); /* reads a byte, and so makes room for one */
        crew_await_end(&crew, run, 1);
        crew_join(&crew);
        KTEST_EXPECT(run, crew.members[0].result == 1 && crew.members[1].result == 1);
    }
    pipe_close(play.pipe, true, false);
    KTEST_EXPECT(run, pipe_write(play.pipe, zeros, 1, false) == -EPIPE);
    pipe_close(play.pipe, false, true);
    pipe_destroy(play.pipe);
}
