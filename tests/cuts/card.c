/* SPDX-License-Identifier: MIT */
/*
 * card.c: the volume in memory. Each sector has a hash; the sum of all is that of the volume, so
 * that the hash of what a cut leaves is known without making it.
 */
#include "cuts.h"

#include "../unit/fake_hal.h"
#include "block/block.h"
#include "fs/mkfs/mkfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RAM_BYTES (8u << 20)
#define JUNK 0x55
#define BAD 0x0FFFFFF7u
#define BAD_FROM 8u
#define INFO_FREE 488u

struct card card;

const struct geometry geometries[GEOMETRIES] = {
    {"512 B clusters, 2 FATs", 200, 512, 512, 32, 2, true, 112},
    {"512 B clusters, 1 FAT", 200, 512, 512, 32, 1, true, 116},
    {"4 KiB clusters, 2 FATs", 512, 512, 4096, 32, 2, true, 0},
    {"512 B clusters, 2 FATs, no record", 180, 512, 512, 9, 2, false, 0},
    {"4 KiB clusters, 1 FAT, no record", 512, 512, 4096, 9, 1, false, 0},
    {"sectors of 4 KiB, 2 FATs", 1024, 4096, 4096, 32, 2, true, 0},
    {"hardly any room", 64, 512, 512, 32, 2, true, 0},
};

uint64_t mix_hash(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 29;
}

uint64_t hash_bytes(uint64_t hash, const void *data, size_t n)
{
    const uint8_t *bytes = data;
    uint64_t word;

    for (; n >= sizeof word; n -= sizeof word, bytes += sizeof word) {
        memcpy(&word, bytes, sizeof word);
        hash = mix_hash(hash, word);
    }
    for (; n > 0; n--)
        hash = mix_hash(hash, *bytes++);
    return mix_hash(hash, 0x5851F42D4C957F2Du);
}

uint32_t chance(uint64_t *state, uint32_t n)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33) % n;
}

static uint64_t hash_sector(uint32_t sector, const uint8_t *data)
{
    return hash_bytes(sector + 1, data, HAL_SECTOR_SIZE);
}

/* ---- what the driver does ---- */

static void record_write(uint32_t sector, const uint8_t *data)
{
    struct log *log = card.recording;
    uint64_t hash = hash_sector(sector, data);

    card.writes++;
    if (log && log->used >= EVENTS_MAX)
        log->overflow = true;
    else if (log) {
        struct event *event = &log->events[log->used++];

        event->kind = EVENT_WRITE;
        event->sector = sector;
        event->hash = hash;
        memcpy(event->data, data, HAL_SECTOR_SIZE);
    }
    card.hash += hash - card.hashes[sector];
    card.hashes[sector] = hash;
}

static void record_flush(void)
{
    struct log *log = card.recording;

    if (card.forget_each > 0 && card.forget_behind-- == 0) {
        card.forget_behind = card.forget_each - 1;
        return;
    }
    if (log && log->used < EVENTS_MAX)
        log->events[log->used++].kind = EVENT_FLUSH;
}

static void see_request(const struct hal_block_request *request)
{
    uint32_t sector = (uint32_t)request->sector;

    if (request->op == HAL_BLOCK_FLUSH)
        record_flush();
    if (request->op != HAL_BLOCK_WRITE)
        return;
    for (unsigned i = 0; i < request->segment_count; i++)
        for (uint32_t at = 0; at < request->segments[i].sectors; at++)
            record_write(sector++,
                         (const uint8_t *)request->segments[i].data + (size_t)at * HAL_SECTOR_SIZE);
}

void card_put(uint32_t sector, const uint8_t *data, uint64_t hash)
{
    card.hash += hash - card.hashes[sector];
    card.hashes[sector] = hash;
    memcpy(card.image + (size_t)sector * HAL_SECTOR_SIZE, data, HAL_SECTOR_SIZE);
}

void card_put_new(uint32_t sector, const uint8_t *data)
{
    card_put(sector, data, hash_sector(sector, data));
}

void card_load(const uint8_t *image, const uint64_t *hashes)
{
    memcpy(card.image, image, (size_t)card.sectors * HAL_SECTOR_SIZE);
    memcpy(card.hashes, hashes, card.sectors * sizeof *hashes);
    card.hash = 0;
    for (uint32_t i = 0; i < card.sectors; i++)
        card.hash += hashes[i];
}

void card_dump(const char *path)
{
    FILE *file = fopen(path, "wb");

    if (!file || fwrite(card.image, HAL_SECTOR_SIZE, card.sectors, file) != card.sectors ||
        fclose(file)) {
        fprintf(stderr, "%s cannot be written\n", path);
        exit(2);
    }
}

/* ---- the beginning ---- */

void card_start(const struct geometry *geometry)
{
    card.sectors = geometry->sectors;
    card.image = calloc(card.sectors, HAL_SECTOR_SIZE);
    card.hashes = calloc(card.sectors, sizeof *card.hashes);
    fake_kernel_start_with(RAM_BYTES, "checks=0"); /* other suites watch the heap */
    fake.card = fake.card_store = card.image;
    fake.card_sectors = card.sectors;
    fake.card_event = see_request;
    if (!card.image || !card.hashes || block_start())
        exit(2);
}

static int format_write(void *context, uint64_t sector, const void *data, unsigned count)
{
    (void)context;
    memcpy(card.image + sector * HAL_SECTOR_SIZE, data, (size_t)count * HAL_SECTOR_SIZE);
    return 0;
}

static void add_to(size_t at, uint32_t n)
{
    uint32_t value;

    memcpy(&value, card.image + at, sizeof value);
    value += n;
    memcpy(card.image + at, &value, sizeof value);
}

/* The entries of bad clusters, which are free now; and the count of free ones. */
static void mark_bad(const struct geometry *geometry, uint32_t fat_sectors)
{
    for (uint32_t i = 0; i < geometry->bad; i++)
        for (uint32_t fat = 0; fat < geometry->fats; fat++)
            add_to((geometry->reserved + fat * fat_sectors) * (size_t)HAL_SECTOR_SIZE +
                       (BAD_FROM + i) * 4,
                   BAD);
    add_to(HAL_SECTOR_SIZE + INFO_FREE, -geometry->bad);
}

void card_format(const struct geometry *geometry)
{
    struct mkfs_options options = {.sectors = geometry->sectors,
                                   .sector_bytes = geometry->sector_bytes,
                                   .cluster_bytes = geometry->cluster_bytes,
                                   .reserved = geometry->reserved,
                                   .fats = geometry->fats,
                                   .volume_id = 0x7A7BE221,
                                   .label = "CUTS",
                                   .date = 0x21,
                                   .write = format_write};
    struct mkfs_result result;
    int error;

    /* A card that has been used: what is free looks like files, wherever it comes to light. */
    memset(card.image, JUNK, (size_t)card.sectors * HAL_SECTOR_SIZE);
    error = fat_format(&options, &result);
    if (error) {
        fprintf(stderr, "%s: mkfs: error %d\n", geometry->name, error);
        exit(2);
    }
    mark_bad(geometry, result.fat_sectors);
    card.hash = 0;
    for (uint32_t i = 0; i < card.sectors; i++) {
        card.hashes[i] = hash_sector(i, card.image + (size_t)i * HAL_SECTOR_SIZE);
        card.hash += card.hashes[i];
    }
}

void log_init(struct log *log)
{
    if (!log->events)
        log->events = malloc(EVENTS_MAX * sizeof *log->events);
    if (!log->events)
        exit(2);
    log->used = 0;
    log->overflow = false;
}

void log_done(struct log *log, uint32_t state, uint32_t synced)
{
    if (log->used >= EVENTS_MAX) {
        log->overflow = true;
        return;
    }
    log->events[log->used++] = (struct event){.kind = EVENT_DONE, .state = state, .synced = synced};
}
