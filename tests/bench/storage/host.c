/* SPDX-License-Identifier: MIT */
/*
 * host.c: the same reads and writes by plain calls of the host, without a file system of ours.
 */
#include "host.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

uint64_t wall_clock(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

uint64_t bench_processor(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void put(int fd, const char *data, size_t n, uint64_t at)
{
    if (pwrite(fd, data, n, (off_t)at) != (ssize_t)n)
        give_up("cannot write the image");
}

static void get(int fd, char *data, size_t n, uint64_t at)
{
    if (pread(fd, data, n, (off_t)at) != (ssize_t)n)
        give_up("cannot read the image");
}

/* What is measured: the same in all rows. */
struct plain {
    int fd;
    char *data;
    uint64_t offset;
    unsigned bytes;
};

static void sync_plain(const struct plain *plain)
{
    if (fdatasync(plain->fd))
        give_up("cannot write the image");
}

static void write_all(const struct plain *plain)
{
    for (unsigned at = 0; at < plain->bytes; at += BENCH_PIECE)
        put(plain->fd, plain->data, BENCH_PIECE, plain->offset + at);
    sync_plain(plain);
}

static void read_all(const struct plain *plain)
{
    for (unsigned at = 0; at < plain->bytes; at += BENCH_PIECE)
        get(plain->fd, plain->data, BENCH_PIECE, plain->offset + at);
}

static uint64_t next_place(const struct plain *plain, uint64_t *seed)
{
    return plain->offset +
           (uint64_t)bench_random(seed, plain->bytes / BENCH_RANDOM_PIECE) * BENCH_RANDOM_PIECE;
}

static void read_at_random(const struct plain *plain)
{
    uint64_t seed = 1;

    for (unsigned i = 0; i < BENCH_RANDOM_COUNT; i++)
        get(plain->fd, plain->data, BENCH_RANDOM_PIECE, next_place(plain, &seed));
}

static void write_at_random(const struct plain *plain)
{
    uint64_t seed = 1;

    for (unsigned i = 0; i < BENCH_RANDOM_COUNT; i++)
        put(plain->fd, plain->data, BENCH_RANDOM_PIECE, next_place(plain, &seed));
    sync_plain(plain);
}

static void forget(int fd)
{
    if (fdatasync(fd))
        give_up("cannot write the image");
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

static const char *image;

void bench_forget(void)
{
    int fd = open(image, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        give_up("cannot open the image");
    forget(fd);
    close(fd);
}

void bench_image(const char *path)
{
    image = path;
}

void plain_measure(const char *path, uint64_t offset, unsigned bytes, uint64_t *data,
                   uint64_t *processor)
{
    static void (*const works[DATA_ROWS])(const struct plain *) = {
        [DATA_WRITE_NEW] = write_all,        [DATA_WRITE_OVER] = write_all,
        [DATA_READ_DISK] = read_all,         [DATA_READ_COLD] = read_all,
        [DATA_READ_WARM] = read_all,         [DATA_RANDOM_COLD] = read_at_random,
        [DATA_RANDOM_WARM] = read_at_random, [DATA_RANDOM_WRITE] = write_at_random};
    struct plain plain = {.fd = open(path, O_RDWR | O_CLOEXEC),
                          .data = aligned_alloc(4096, BENCH_PIECE),
                          .offset = offset,
                          .bytes = bytes};

    if (plain.fd < 0 || !plain.data)
        give_up("cannot open the image");
    memset(plain.data, 0x33, BENCH_PIECE);
    for (unsigned row = 0; row < DATA_ROWS; row++) {
        if (row == DATA_READ_DISK)
            forget(plain.fd);
        processor[row] = bench_processor();
        data[row] = wall_clock();
        works[row](&plain);
        data[row] = wall_clock() - data[row];
        processor[row] = bench_processor() - processor[row];
    }
    free(plain.data);
    close(plain.fd);
}
