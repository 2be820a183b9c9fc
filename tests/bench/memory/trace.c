/* SPDX-License-Identifier: MIT */
/*
 * trace.c: reads a recorded trace. Nothing here calls malloc: that is what is to be measured.
 */

#include "trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct reader {
    const uint8_t *at, *end;
    uint32_t *spare; /* numbers of objects that were freed, a stack */
    size_t spares;
    bool bad;
};

static uint64_t get(struct reader *reader)
{
    uint64_t figure = 0;

    for (unsigned shift = 0; reader->at < reader->end && shift < 63; shift += 7) {
        uint8_t byte = *reader->at++;

        figure |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return figure;
    }
    reader->bad = true;
    return 0;
}

/* The number of a new object: as record.c chose it. */
static uint32_t take_number(struct reader *reader, struct trace *trace)
{
    if (reader->spares)
        return reader->spare[--reader->spares];
    return (uint32_t)trace->objects++;
}

static void add_step(struct reader *reader, struct trace *trace)
{
    struct trace_step *step = &trace->steps[trace->count++];
    uint64_t figure = get(reader), number = figure / 8, bytes = 0;
    enum trace_operation operation = figure % 8;

    if (operation == TRACE_ALLOCATE || operation == TRACE_ZEROS || operation == TRACE_ALIGNED) {
        bytes = number;
        number = take_number(reader, trace);
    } else if (operation == TRACE_RESIZE) {
        bytes = get(reader);
    } else {
        reader->spare[reader->spares++] = (uint32_t)number;
    }
    if (number >= trace->objects || bytes > TRACE_BYTES || operation > TRACE_ALIGNED)
        reader->bad = true;
    step->what = (uint32_t)(number * 8 + operation);
    step->bytes = (uint32_t)bytes;
    if (operation == TRACE_ALIGNED)
        step->bytes |= (uint32_t)get(reader) << TRACE_ALIGN_SHIFT;
    trace->allocations += operation != TRACE_FREE;
}

static void *map(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

static bool parse(struct reader *reader, struct trace *trace)
{
    size_t bytes = (size_t)(reader->end - reader->at);

    if (bytes < TRACE_MAGIC_BYTES || memcmp(reader->at, TRACE_MAGIC, TRACE_MAGIC_BYTES))
        return false;
    reader->at += TRACE_MAGIC_BYTES;
    /* A step takes a byte at least. */
    trace->steps = map(bytes * sizeof *trace->steps);
    reader->spare = map(bytes * sizeof *reader->spare);
    if (!trace->steps || !reader->spare)
        return false;
    while (reader->at < reader->end && !reader->bad)
        add_step(reader, trace);
    munmap(reader->spare, bytes * sizeof *reader->spare);
    return !reader->bad;
}

bool trace_read(const char *path, struct trace *trace)
{
    int fd = open(path, O_RDONLY);
    struct stat about;
    struct reader reader = {0};
    bool good = false;

    memset(trace, 0, sizeof *trace);
    if (fd >= 0 && fstat(fd, &about) == 0) {
        void *data = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

        if (data != MAP_FAILED) {
            reader.at = data;
            reader.end = reader.at + about.st_size;
            good = parse(&reader, trace);
            munmap(data, (size_t)about.st_size);
        }
    }
    if (fd >= 0)
        close(fd);
    if (!good)
        fprintf(stderr, "%s: not a trace\n", path);
    return good;
}
