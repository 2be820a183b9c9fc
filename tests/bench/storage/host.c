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

static uint64_t write_all(int fd, const char *data, uint64_t offset, unsigned bytes)
{
    uint64_t start = wall_clock();

    for (unsigned at = 0; at < bytes; at += BENCH_PIECE)
        put(fd, data, BENCH_PIECE, offset + at);
    if (fdatasync(fd))
        give_up("cannot write the image");
    return wall_clock() - start;
}

static uint64_t read_all(int fd, char *data, uint64_t offset, unsigned bytes)
{
    uint64_t start = wall_clock();

    for (unsigned at = 0; at < bytes; at += BENCH_PIECE)
        get(fd, data, BENCH_PIECE, offset + at);
    return wall_clock() - start;
}

static uint64_t at_random(int fd, char *data, uint64_t offset, unsigned bytes, bool write)
{
    uint64_t seed = 1, start = wall_clock();

    for (unsigned i = 0; i < BENCH_RANDOM_COUNT; i++) {
        uint64_t place = bench_random(&seed, bytes / BENCH_RANDOM_PIECE);

        if (write)
            put(fd, data, BENCH_RANDOM_PIECE, offset + place * BENCH_RANDOM_PIECE);
        else
            get(fd, data, BENCH_RANDOM_PIECE, offset + place * BENCH_RANDOM_PIECE);
    }
    if (write && fdatasync(fd))
        give_up("cannot write the image");
    return wall_clock() - start;
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

void plain_measure(const char *path, uint64_t offset, unsigned bytes, uint64_t *data)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    char *piece = aligned_alloc(4096, BENCH_PIECE);

    if (fd < 0 || !piece)
        give_up("cannot open the image");
    memset(piece, 0x33, BENCH_PIECE);
    data[DATA_WRITE_NEW] = write_all(fd, piece, offset, bytes);
    data[DATA_WRITE_OVER] = write_all(fd, piece, offset, bytes);
    forget(fd);
    data[DATA_READ_DISK] = read_all(fd, piece, offset, bytes);
    data[DATA_READ_COLD] = read_all(fd, piece, offset, bytes);
    data[DATA_READ_WARM] = read_all(fd, piece, offset, bytes);
    data[DATA_RANDOM_COLD] = at_random(fd, piece, offset, bytes, false);
    data[DATA_RANDOM_WARM] = at_random(fd, piece, offset, bytes, false);
    data[DATA_RANDOM_WRITE] = at_random(fd, piece, offset, bytes, true);
    free(piece);
    close(fd);
}
