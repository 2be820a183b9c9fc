/* SPDX-License-Identifier: MIT */
/*
 * pipe.h: bytes from those who write to those who read, in order, through a ring of PIPE_BYTES
 * (pipe_resize makes it another size).
 *
 *              head                tail
 *     [ . . . | x x x x x x x x x | . . . ]     written at the tail, read at the head
 *
 * Semantics are Linux's. Who reads an empty pipe waits, or gets 0 (the end) when nobody has it open
 * for writing. Who writes to a full one waits; with no reader left there is nobody to wait for:
 * -EPIPE. What is written in one piece of at most PIPE_ATOMIC bytes is never mixed with another
 * writer's bytes. With `nonblock`, -EAGAIN takes the place of waiting.
 *
 * A FIFO is a pipe with a name: opening it waits until the other side is there as well.
 */
#pragma once

#include "ipc/poll.h"
#include "sync/mutex.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PIPE_BYTES 65536u
#define PIPE_ATOMIC 4096u
#define PIPE_BYTES_MAX (1u << 20) /**< that pipe_resize takes */

struct pipe {
    struct mutex mutex; /**< guards the rest */
    struct condition changed;
    uint8_t *ring;
    size_t size;                         /**< of the ring, bytes */
    size_t head, used;                   /**< the first byte in it, and how many there are */
    unsigned readers, writers;           /**< that have it open */
    uint32_t readers_seen, writers_seen; /**< that ever had */
    struct poll_source source;           /**< all that can change */
};

/** An empty pipe that nobody has open, or NULL. Thread context. */
struct pipe *pipe_create(void);

/** Nobody has it open any more. NULL is allowed. Thread context. */
void pipe_destroy(struct pipe *pipe);

/**
 * Opens it for reading, writing or both, without waiting. Thread context. May sleep for the mutex.
 */
void pipe_open(struct pipe *pipe, bool reader, bool writer);

/**
 * As pipe_open, with the manners of a FIFO: for reading, waits for a writer (with `nonblock` not);
 * for writing, waits for a reader (with `nonblock`: -ENXIO if there is none); for both, never. One
 * that has come and gone meanwhile counts. -EINTR: cancelled. After an error it is not open.
 */
HAL_MUST_CHECK int pipe_open_named(struct pipe *pipe, bool reader, bool writer, bool nonblock);

/** Ends what pipe_open or pipe_open_named began. */
void pipe_close(struct pipe *pipe, bool reader, bool writer);

/** Reads at least a byte and at most `n`: the count, 0 at the end, -EAGAIN or -EINTR. May sleep. */
HAL_MUST_CHECK int64_t pipe_read(struct pipe *pipe, void *data, size_t n, bool nonblock);

/** What a pipe would do without waiting. May sleep for the mutex. */
struct pipe_state {
    size_t bytes, room;
    size_t size;
    unsigned readers, writers;
    uint32_t writers_seen; /**< that ever had it open */
};
void pipe_read_state(struct pipe *pipe, struct pipe_state *state);

/**
 * Writes all: `n`; or less, when the last reader went, the thread was cancelled, or there was no
 * room under `nonblock`; or, with nothing written, -EPIPE, -EINTR or -EAGAIN. May sleep.
 */
HAL_MUST_CHECK int64_t pipe_write(struct pipe *pipe, const void *data, size_t n, bool nonblock);

/**
 * Gives the ring room for at least `bytes`, in a power of two of pages: how many it has then.
 * -EPERM: more than PIPE_BYTES_MAX; -EINVAL: none; -EBUSY: more than that is in it; -ENOMEM. May
 * sleep.
 */
HAL_MUST_CHECK int64_t pipe_resize(struct pipe *pipe, uint64_t bytes);
