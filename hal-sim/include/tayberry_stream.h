/* SPDX-License-Identifier: MIT */
/*
 * tayberry_stream.h: a machine for a single program, which has standard input, output and errors of
 * its own beside the serial line: bytes exactly as they are.
 *
 *     tb_stream_set_sink(machine, take, NULL);      before tb_power_on: the machine has streams
 *     tb_power_on(machine);
 *     tb_stream_write(machine, "input", 5);
 *     tb_stream_end(machine);                       the program reads that, and then the end
 */
#pragma once

#include "tayberry.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Called with what a program writes: `stream` is 1, output, or 2, errors. Context and limits as
 * those of tb_uart_sink. */
typedef void tb_stream_sink(void *context, int stream, const uint8_t *bytes, size_t n);

/** Gives the machine streams; with NULL, takes them away. While the power is off. */
TB_API void tb_stream_set_sink(struct tb_machine *machine, tb_stream_sink *sink, void *context);

/** Adds input: `n`, or -ENOMEM. Any thread. */
TB_API int tb_stream_write(struct tb_machine *machine, const void *bytes, size_t n);

/** There is no more input after what was written. Any thread. */
TB_API void tb_stream_end(struct tb_machine *machine);

/** Bytes of input that the program has not read. Any thread. */
TB_API size_t tb_stream_pending(const struct tb_machine *machine);

#ifdef __cplusplus
}
#endif
