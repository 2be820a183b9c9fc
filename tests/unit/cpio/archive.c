/* SPDX-License-Identifier: MIT */
/*
 * archive.c: see archive.h.
 */
#include "archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void archive_add_bytes(struct archive *archive, const void *bytes, size_t n)
{
    archive->bytes = realloc(archive->bytes, archive->size + n + 1);
    if (bytes)
        memcpy(archive->bytes + archive->size, bytes, n);
    else
        memset(archive->bytes + archive->size, 0, n);
    archive->size += n;
}

static void pad(struct archive *archive)
{
    archive_add_bytes(archive, NULL, (4 - archive->size % 4) % 4);
}

void archive_add(struct archive *archive, const struct archive_entry *entry)
{
    uint32_t size = entry->size || !entry->data ? entry->size : (uint32_t)strlen(entry->data);
    uint32_t sum = entry->wrong, inode = entry->inode ? entry->inode : (uint32_t)archive->size + 1;
    char header[111];

    for (uint32_t i = 0; entry->summed && i < size; i++)
        sum += (uint8_t)entry->data[i];
    snprintf(header, sizeof header, "07070%d%08X%08X%08x%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
             entry->summed ? 2 : 1, inode, entry->mode, entry->uid, entry->gid,
             entry->links ? entry->links : 1, entry->mtime, size, 8, 1, entry->major, entry->minor,
             (unsigned)strlen(entry->name) + 1, sum);
    archive_add_bytes(archive, header, 110);
    archive_add_bytes(archive, entry->name, strlen(entry->name) + 1);
    pad(archive);
    archive_add_bytes(archive, entry->data, size);
    pad(archive);
}

void archive_end(struct archive *archive)
{
    archive_add(archive, &(struct archive_entry){.name = "TRAILER!!!", .inode = 0});
}

void archive_free(struct archive *archive)
{
    free(archive->bytes);
    *archive = (struct archive){0};
}

struct source_state {
    const struct archive *archive;
    size_t at, size, step;
};

static int64_t give(void *context, void *data, size_t n)
{
    struct source_state *state = context;

    if (state->step && n > state->step)
        n = state->step;
    if (n > state->size - state->at)
        n = state->size - state->at;
    if (n > 0)
        memcpy(data, state->archive->bytes + state->at, n);
    state->at += n;
    return (int64_t)n;
}

int archive_unpack(const struct archive *archive, size_t size, size_t step,
                   struct cpio_totals *totals, struct problem *problem)
{
    struct source_state state = {.archive = archive, .size = size, .step = step};
    struct cpio_source source = {give, &state};

    return cpio_unpack(&source, NULL, totals, problem);
}

void archive_sample(struct archive *archive, bool summed)
{
    static const struct archive_entry entries[] = {
        {.name = ".", .mode = 040700, .mtime = 100},
        {.name = "bin", .mode = 040755, .uid = 1, .gid = 2, .mtime = 1000},
        {.name = "bin/tool", .mode = 0104755, .data = "a tool", .uid = 3, .mtime = 2000},
        {.name = "./bin/empty", .mode = 0100600},
        {.name = "/etc/", .mode = 040711},
        {.name = "etc/link", .mode = 0120777, .data = "../bin/tool", .mtime = 3000},
        {.name = "etc/first", .mode = 0100644, .inode = 77, .links = 3},
        {.name = "etc/second", .mode = 0100644, .inode = 77, .links = 3},
        {.name = "bin/third", .mode = 0100644, .inode = 77, .links = 3, .data = "shared"},
        {.name = "dev", .mode = 040755},
        {.name = "dev/null", .mode = 020666, .major = 1, .minor = 3, .mtime = 4000},
        {.name = "dev/card", .mode = 060640, .major = 179, .minor = 1},
        {.name = "dev/pipe", .mode = 010600},
    };

    for (unsigned i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        struct archive_entry entry = entries[i];

        entry.summed = summed;
        archive_add(archive, &entry);
    }
    archive_end(archive);
}
