/* SPDX-License-Identifier: MIT */
/*
 * plain_read.c: how fast the host reads a part of a file that it has in its memory.
 *
 *     plain-read FILE OFFSET BYTES PIECE...
 *
 * prints, in the words of the kernel's own measurement (core/ktest/test_speed.c), the best of many
 * passes for each size of the pieces.
 */
#define _POSIX_C_SOURCE 200809L

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PASSES 40

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/** Reads the part once; the nanoseconds that it took. */
static uint64_t read_part(int fd, off_t offset, size_t bytes, char *data, size_t piece)
{
    uint64_t begin = now();

    for (size_t done = 0; done < bytes;) {
        size_t want = bytes - done < piece ? bytes - done : piece;
        ssize_t got = pread(fd, data, want, offset + (off_t)done);

        if (got <= 0) {
            perror("plain-read");
            exit(EXIT_FAILURE);
        }
        done += (size_t)got;
    }
    return now() - begin;
}

static void measure(int fd, off_t offset, size_t bytes, size_t piece)
{
    uint64_t best = UINT64_MAX;
    char *data = malloc(piece);

    for (unsigned pass = 0; pass < PASSES; pass++) {
        uint64_t time = read_part(fd, offset, bytes, data, piece);

        if (time < best)
            best = time;
    }
    free(data);
    printf("# read %zu bytes by %zu: %llu ns at best\n", bytes, piece, (unsigned long long)best);
}

int main(int argc, char **argv)
{
    int fd = argc > 4 ? open(argv[1], O_RDONLY) : -1;

    if (fd < 0) {
        fprintf(stderr, "usage: plain-read FILE OFFSET BYTES PIECE...\n");
        return EXIT_FAILURE;
    }
    for (int i = 4; i < argc; i++)
        measure(fd, atoll(argv[2]), (size_t)atoll(argv[3]), (size_t)atoll(argv[i]));
    close(fd);
    return EXIT_SUCCESS;
}
