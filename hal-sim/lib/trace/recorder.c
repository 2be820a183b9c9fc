/* SPDX-License-Identifier: MIT */
/*
 * recorder.c: brings events into the order of their times, and gives them to a format.
 *
 * With the real clock a CPU reads the time first and gets the host lock later, so events of several
 * CPUs come a little out of order. They wait here until WAITING others have come after them, which
 * is longer than any CPU is held up between the two; equal times stay in the order of arrival. With
 * the virtual clock they come in order, and the file depends on the seed only.
 *
 * The memory is taken when the file is opened, and nobody drops an event: what cannot be written
 * makes the end of the recording an error.
 */
#include "lib/trace/recorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WAITING = 32768, BATCH = 4096, ROOM = WAITING + BATCH };

static struct {
    FILE *file;
    const struct trace_format *format;
    struct tb_sched_event *events; /* ROOM; in the order of their times, which are the file's */
    size_t count;
    uint64_t written;
    uint64_t base; /* file time less machine time; may wrap, the sum is what counts */
    uint64_t last; /* the latest time that is known, the file's */
} recorder;

static void note_time(uint64_t time)
{
    if (time > recorder.last)
        recorder.last = time;
}

/* Writes out all but the `kept` latest. */
static void write_out(size_t kept)
{
    size_t n = recorder.count > kept ? recorder.count - kept : 0;
    for (size_t i = 0; i < n; i++)
        recorder.format->event(recorder.file, &recorder.events[i]);
    recorder.count -= n;
    recorder.written += n;
    memmove(recorder.events, recorder.events + n, recorder.count * sizeof *recorder.events);
}

bool recorder_runs(void)
{
    return recorder.file != NULL;
}

static bool is_json(const char *path)
{
    size_t length = strlen(path);
    return length > 5 && strcmp(path + length - 5, ".json") == 0;
}

int recorder_begin(const char *path, unsigned cpus, uint64_t now)
{
    memset(&recorder, 0, sizeof recorder);
    recorder.events = calloc(ROOM, sizeof *recorder.events);
    if (!recorder.events)
        return -ENOMEM;
    recorder.file = fopen(path, "we");
    if (!recorder.file) {
        int error = -errno;
        free(recorder.events);
        return error;
    }
    recorder.format = is_json(path) ? &trace_chrome : &trace_ftrace;
    recorder.last = now;
    recorder.format->begin(recorder.file, cpus);
    return 0;
}

int recorder_end(void)
{
    if (!recorder.file)
        return 0;
    write_out(0);
    bool whole = recorder.format->end(recorder.file, recorder.written, recorder.last);
    bool failed = fflush(recorder.file) != 0 || ferror(recorder.file);
    int error = errno == ENOSPC ? -ENOSPC : -EIO;
    failed |= fclose(recorder.file) != 0;
    free(recorder.events);
    memset(&recorder, 0, sizeof recorder);
    if (failed)
        return error;
    return whole ? 0 : -ENOMEM;
}

void recorder_add(const struct tb_sched_event *event)
{
    if (!recorder.file)
        return;
    if (recorder.count == ROOM)
        write_out(WAITING);
    struct tb_sched_event timed = *event;
    timed.time += recorder.base;
    size_t at = recorder.count++;
    for (; at > 0 && recorder.events[at - 1].time > timed.time; at--)
        recorder.events[at] = recorder.events[at - 1];
    recorder.events[at] = timed;
    note_time(timed.time);
}

void recorder_stop_time(uint64_t now)
{
    note_time(now + recorder.base);
}

void recorder_start_time(uint64_t now)
{
    if (!recorder.file)
        return;
    write_out(0);
    recorder.base = recorder.last - now;
}
