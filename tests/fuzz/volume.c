/* SPDX-License-Identifier: MIT */
/*
 * volume.c: a fuzzer over damage and operations together.
 *
 * The input is a list of records of eight bytes: changes of a sound volume, then operations of the
 * driver on what that made. Nothing may crash, leak, hang or read outside its memory: the driver,
 * the checker, the repair. And:
 *
 *   - a volume that the checker finds sound is sound after whatever the driver did to it;
 *   - a repaired volume is sound, and the driver mounts it;
 *   - only a volume without a usable boot sector cannot be repaired.
 *
 *     fuzz-volume -runs=1000000       as long as wanted
 *     fuzz-volume crash-...           one input again
 */
#include "../cuts/cuts.h"
#include "../unit/check_memory.h"
#include "../unit/fake_hal.h"
#include "../unit/fake_heap.h"

#include "fs/repair/repair.h"
#include "lib/log.h"

#include <hal/errno.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUESTS_MAX 100000u
#define RECORD 8u
#define RECORDS_MAX 40u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct settings settings;
struct counters *counters;

static uint8_t *sound;
static int64_t live; /* blocks of the heap, when nothing is mounted */

static const char *const names[] = {"/a.txt",
                                    "/d",
                                    "/d/x",
                                    "/d/inner",
                                    "/e",
                                    "/e/A long name in a directory.text",
                                    "/a name that takes slots.data",
                                    "/new"};

static _Noreturn void fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n%s\n", what, why, fake.console);
    abort();
}

/* ---- the machine and the volume ---- */

/* The machine is started once: that takes longer than a run, and mounting leaves nothing behind. */
static void start(void)
{
    klog_set_console_level(-1);
    fake.requests = 0;
    fake.request_limit = REQUESTS_MAX;
    fake.now = 0;
}

static void make_sound(void)
{
    static uint8_t data[3000];

    card_start(&geometries[0]);
    fake.card_event = NULL;
    card_format(&geometries[0]);
    start();
    memset(data, 'x', sizeof data);
    if (driver_mount() || driver_create("/a.txt", false) || driver_create("/d", true) ||
        driver_create("/d/x", false) || driver_create("/d/inner", true) ||
        driver_create("/e", true) || driver_create(names[6], false) ||
        driver_write("/a.txt", 0, data, 700) != 700 ||
        driver_write(names[6], 0, data, 2600) != 2600 || driver_write("/d/x", 0, data, 20) != 20)
        fail("the sound volume", "cannot be made");
    driver_unmount();
    sound = malloc((size_t)card.sectors * HAL_SECTOR_SIZE);
    if (!sound)
        abort();
    memcpy(sound, card.image, (size_t)card.sectors * HAL_SECTOR_SIZE);
    live = fake_heap.live;
}

/* ---- the checker and the repair ---- */

static char said[240];
static enum check_class worst;

static int read_card(void *context, uint64_t sector, void *data, unsigned count)
{
    (void)context;
    if (sector + count > card.sectors)
        return -EIO;
    memcpy(data, card.image + sector * HAL_SECTOR_SIZE, (size_t)count * HAL_SECTOR_SIZE);
    return 0;
}

static int write_card(void *context, uint64_t sector, const void *data, unsigned count)
{
    (void)context;
    if (sector + count > card.sectors)
        return -EIO;
    memcpy(card.image + sector * HAL_SECTOR_SIZE, data, (size_t)count * HAL_SECTOR_SIZE);
    return 0;
}

static void hear(void *context, enum check_class class, const char *text)
{
    (void)context;
    if (class < worst)
        return;
    worst = class;
    snprintf(said, sizeof said, "%s", text);
}

static struct check_means means_of_card(void)
{
    return (struct check_means){.read = read_card,
                                .write = write_card,
                                .allocate = check_memory_allocate,
                                .release = check_memory_release,
                                .found = hear,
                                .sectors = card.sectors};
}

static bool is_sound(void)
{
    const struct check_means means = means_of_card();
    struct check_result result;

    worst = CHECK_NOTE;
    return fat_check(&means, &result) == 0 && worst == CHECK_NOTE;
}

static void repair(bool save)
{
    const struct check_means means = means_of_card();
    const struct repair_options options = {.save_lost = save, .finish = !save};
    struct repair_result result;
    int error = fat_repair(&means, &options, &result);

    if (error == -EINVAL)
        return;
    if (error || !is_sound())
        fail("after the repair", said);
    if (card.image[16] <= 2 && driver_mount())
        fail("after the repair", "it does not mount");
    if (card.image[16] <= 2)
        driver_unmount();
}

/* ---- what the input says ---- */

static unsigned word(const uint8_t *record, unsigned at)
{
    return record[at] | (unsigned)record[at + 1] << 8;
}

/* Most of what is damaged is metadata: the first sectors of the FAT and of the clusters. */
static void damage(const uint8_t *record)
{
    static const uint32_t areas[] = {0, 1, 6, 32, 34, 36, 37, 38, 39, 40, 41, 42, 43, 44};
    uint32_t sector = areas[record[1] % (sizeof areas / sizeof areas[0])];
    uint8_t *bytes = card.image + (size_t)sector * HAL_SECTOR_SIZE;
    unsigned at = word(record, 2) % HAL_SECTOR_SIZE, width = record[0] >> 4 & 3;

    if (width == 3) /* a whole slot from somewhere else */
        memmove(bytes + at / 32 * 32,
                card.image + (size_t)(36 + record[4] % 10) * HAL_SECTOR_SIZE + record[5] % 16 * 32,
                32);
    else
        for (unsigned i = 0; i < 1u << width && at + i < HAL_SECTOR_SIZE; i++)
            bytes[at + i] = record[4 + i];
}

static void operate_record(const uint8_t *record)
{
    static uint8_t data[2000];
    const char *path = names[record[1] % 8], *other = names[record[2] % 8];
    unsigned offset = word(record, 3) % 5000, n = 1 + word(record, 5) % sizeof data;

    fake.now += (uint64_t)record[7] * 1000000000;
    switch (record[0] >> 4 & 7) {
    case 0:
        (void)driver_create(path, record[3] & 1);
        break;
    case 1:
        (void)driver_remove(path, record[3] & 1);
        break;
    case 2:
        (void)driver_rename(path, other);
        break;
    case 3:
        (void)driver_write(path, offset, data, n);
        break;
    case 4:
        (void)driver_truncate(path, offset);
        break;
    case 5:
        (void)driver_unlink_open(path, data, n);
        break;
    case 6:
        (void)driver_sync();
        break;
    default:
        (void)driver_fsync(path);
        break;
    }
}

/* The low bits of a record's first byte say which of the two it is. */
static bool is_damage(const uint8_t *record)
{
    return record[0] % 4 == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct snapshot tree;
    size_t n = size / RECORD < RECORDS_MAX ? size / RECORD : RECORDS_MAX;
    bool was_sound;

    if (!sound)
        make_sound();
    memcpy(card.image, sound, (size_t)card.sectors * HAL_SECTOR_SIZE);
    for (size_t i = 0; i < n; i++)
        if (is_damage(data + i * RECORD))
            damage(data + i * RECORD);
    was_sound = is_sound();
    start();
    if (driver_mount() == 0) {
        for (size_t i = 0; i < n; i++)
            if (!is_damage(data + i * RECORD))
                operate_record(data + i * RECORD);
        (void)driver_read_tree(&tree);
        driver_unmount();
        if (was_sound && !is_sound())
            fail("a sound volume is not sound any more", said);
    } else if (was_sound && card.image[16] <= 2) {
        fail("a sound volume", "does not mount writable");
    }
    repair(size % 2);
    if (fake_heap.live != live)
        fail("memory", "blocks are left behind");
    return 0;
}
