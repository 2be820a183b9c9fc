/* SPDX-License-Identifier: MIT */
/*
 * tables.c: prints the partitions that are found on an image, a line each:
 *
 *     tables IMAGE               "NUMBER FIRST SECTORS TYPE", the type as in an MBR
 *
 * Without any, it prints why, behind "no:". The image is mapped into memory, so it may be sparse.
 */
#define _GNU_SOURCE
#include "../unit/fake_hal.h"

#include "block/partition.h"

#include <hal/block.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RAM_BYTES (4u << 20)

static void map(const char *name)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    struct stat status;

    if (fd < 0 || fstat(fd, &status) != 0) {
        perror(name);
        exit(1);
    }
    fake.card = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (fake.card == MAP_FAILED) {
        perror(name);
        exit(1);
    }
    fake.card_sectors = (uint64_t)status.st_size / HAL_SECTOR_SIZE;
    close(fd);
}

int main(int argc, char **argv)
{
    static struct partition_table table;
    struct problem problem;

    if (argc != 2) {
        fprintf(stderr, "usage: tables IMAGE\n");
        return 2;
    }
    fake_kernel_start(RAM_BYTES);
    map(argv[1]);
    if (block_start() != 0)
        return 1;
    if (partition_scan(block_card(), &table, &problem) != 0)
        printf("no: %s\n", problem.what);
    for (unsigned i = 0; i < table.count; i++) {
        const struct partition *entry = &table.entries[i];

        printf("%u %llu %llu %u\n", entry->number, (unsigned long long)entry->device.first,
               (unsigned long long)entry->device.sectors, (unsigned)entry->type);
    }
    return 0;
}
