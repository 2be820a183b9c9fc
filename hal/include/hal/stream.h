/* SPDX-License-Identifier: MIT */
/*
 * stream.h: the standard streams of whoever runs the machine, where it is a program that has them:
 * bytes in, and bytes out of two kinds, output and errors, exactly as they are.
 *
 * They are no device of a board. A real one has none, and a simulated one only when it was started
 * for a single program.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hal_stream { HAL_STREAM_OUTPUT = 1, HAL_STREAM_ERRORS = 2 };

/** True if there are streams: the same for as long as the power is on. Any context. */
bool hal_stream_is_there(void);

/**
 * Takes up to `n` bytes of input: how many; 0: the input has ended; -EAGAIN: there is none now, and
 * HAL_IRQ_UART is raised when there is, or when it ends. Any context.
 */
HAL_MUST_CHECK int64_t hal_stream_read(void *bytes, size_t n);

/** Gives up to `n` bytes out: how many were taken; 0: none now, try again later. Any context. */
HAL_MUST_CHECK size_t hal_stream_write(enum hal_stream stream, const void *bytes, size_t n);
