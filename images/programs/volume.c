/* SPDX-License-Identifier: MIT */
/*
 * volume.c: see volume.h.
 */
#define _FILE_OFFSET_BITS 64
#include "volume.h"

#include "block/table/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTOR 512u
static bool fail(const char *path, const char *what)
{
    fprintf(stderr, "%s: %s\n", path, what);
    return false;
}

/* An image that has no table is one volume. */
static bool find_partition(struct volume_file *volume)
{
    uint8_t sector[SECTOR];

    if (volume_read(volume, 0, sector, 1) || !mbr_divides(sector, volume->sectors))
        return true;
    if (mbr_is_protective(sector))
        return fail(volume->path, "has a GPT: say by --offset where the volume begins");
    for (unsigned i = 0; i < MBR_SLOTS; i++) {
        struct mbr_slot slot = mbr_slot_at(sector, i);

        if (!partition_type_is_fat32(slot.type) || slot.first == 0 ||
            slot.first + slot.sectors > volume->sectors)
            continue;
        volume->offset = slot.first * SECTOR;
        volume->sectors = slot.sectors;
        return true;
    }
    return fail(volume->path, "has a table of partitions, and none of them is FAT32");
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
    if (offset == UINT64_MAX)
        return find_partition(volume);
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
