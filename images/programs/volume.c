/* SPDX-License-Identifier: MIT */
/*
 * volume.c: see volume.h.
 */
#define _FILE_OFFSET_BITS 64
#include "volume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTOR 512u
#define TABLE 446u
#define ENTRY 16u

static uint32_t number_at(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static bool is_fat32(uint8_t type)
{
    return type == 0x0B || type == 0x0C || type == 0x1B || type == 0x1C;
}

/* True if the sector begins like a volume, not like a table of partitions. */
static bool is_volume(const uint8_t *sector)
{
    uint32_t bytes = sector[11] | (uint32_t)sector[12] << 8;

    return (sector[0] == 0xEB || sector[0] == 0xE9) && bytes >= SECTOR && bytes <= 4096 &&
           (bytes & (bytes - 1)) == 0;
}

static void find_partition(struct volume_file *volume)
{
    uint8_t sector[SECTOR];

    if (volume_read(volume, 0, sector, 1) || sector[510] != 0x55 || sector[511] != 0xAA ||
        is_volume(sector))
        return;
    for (const uint8_t *entry = sector + TABLE; entry < sector + 510; entry += ENTRY) {
        uint64_t start = number_at(entry + 8), count = number_at(entry + 12);

        if (!is_fat32(entry[4]) || start == 0 || start + count > volume->sectors)
            continue;
        volume->offset = start * SECTOR;
        volume->sectors = count;
        return;
    }
}

static bool fail(const char *path, const char *what)
{
    fprintf(stderr, "%s: %s\n", path, what);
    return false;
}

bool volume_open(struct volume_file *volume, const char *path, bool writable, uint64_t offset)
{
    off_t end;

    *volume = (struct volume_file){.path = path};
    volume->descriptor = open(path, writable ? O_RDWR : O_RDONLY);
    if (volume->descriptor < 0)
        return fail(path, strerror(errno));
    end = lseek(volume->descriptor, 0, SEEK_END);
    if (end < 0)
        return fail(path, strerror(errno));
    volume->sectors = (uint64_t)end / SECTOR;
    if (offset == UINT64_MAX) {
        find_partition(volume);
        return true;
    }
    if (offset > volume->sectors)
        return fail(path, "is shorter than that");
    volume->offset = offset * SECTOR;
    volume->sectors -= offset;
    return true;
}

bool volume_close(struct volume_file *volume)
{
    bool good = fsync(volume->descriptor) == 0 || errno == EINVAL;

    if (close(volume->descriptor))
        good = false;
    return good ? true : fail(volume->path, strerror(errno));
}

int volume_read(void *context, uint64_t sector, void *data, unsigned count)
{
    struct volume_file *volume = context;
    size_t bytes = (size_t)count * SECTOR;
    ssize_t n = pread(volume->descriptor, data, bytes, (off_t)(volume->offset + sector * SECTOR));

    return n == (ssize_t)bytes ? 0 : -EIO;
}

int volume_write(void *context, uint64_t sector, const void *data, unsigned count)
{
    struct volume_file *volume = context;
    size_t bytes = (size_t)count * SECTOR;
    ssize_t n = pwrite(volume->descriptor, data, bytes, (off_t)(volume->offset + sector * SECTOR));

    return n == (ssize_t)bytes ? 0 : -EIO;
}

void *volume_allocate(void *context, size_t bytes)
{
    (void)context;
    return calloc(1, bytes);
}

void volume_release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

bool volume_number(const char *text, uint64_t *number)
{
    char *end;

    errno = 0;
    *number = strtoull(text, &end, 0);
    if (end == text || errno || text[0] == '-')
        return false;
    for (const char *unit = "KMG"; *end && *unit; unit++) {
        *number *= 1024;
        if (*end == *unit) {
            end++;
            break;
        }
    }
    return *end == '\0';
}
