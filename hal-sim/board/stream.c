/* SPDX-License-Identifier: MIT */
/*
 * stream.c: the streams of the program that runs the machine. They take no machine time: what they
 * carry goes past the board.
 */
#include "board/machine.h"

#include <hal/errno.h>
#include <hal/stream.h>

struct stream_work {
    int stream;
    const void *out;
    void *in;
    size_t n;
};

static long read_work(void *argument)
{
    struct stream_work *work = argument;
    return outside_stream_input(work->in, work->n);
}

static long write_work(void *argument)
{
    struct stream_work *work = argument;
    return (long)outside_stream_output(work->stream, work->out, work->n);
}

void sim_stream_input_arrived(void)
{
    sim_cpu_raise(&machine.cpu[0], HAL_IRQ_UART);
}

bool hal_stream_is_there(void)
{
    return outside_stream_is_there();
}

int64_t hal_stream_read(void *bytes, size_t n)
{
    struct stream_work work = {.in = bytes, .n = n};
    return sim_cpu_host(read_work, &work, COST_DEVICE);
}

size_t hal_stream_write(enum hal_stream stream, const void *bytes, size_t n)
{
    struct stream_work work = {.stream = (int)stream, .out = bytes, .n = n};
    return n ? (size_t)sim_cpu_host(write_work, &work, COST_DEVICE) : 0;
}
