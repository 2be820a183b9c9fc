/* SPDX-License-Identifier: MIT */
/*
 * writing.c: what the FAT32 driver must and must not do to a volume, case by case.
 *
 * 1. What is odd about a volume is left alone: it is read, and not written.
 * 2. Marks, hints and reserved bits are kept as the specification wants them.
 * 3. What other systems leave behind is put in order, and damage is not made worse.
 * 4. Clusters of a new volume begin at multiples of their size on the medium, if it is not told how
 *    many sectors are reserved.
 * 5. All space is usable, none is given out twice, and old content never comes to light.
 */
#include "suites.h"

#include "../fake_hal.h"
#include "store.h"

#include "fs/fat32/write/write.h"

#include <hal/block.h>
#include <hal/errno.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTORS 2048u
#define CLUSTER 512u
#define RESERVED 32u
#define RAM (8u << 20)
#define END 0x0FFFFFFFu
#define BAD 0x0FFFFFF7u

static uint8_t data[65536];

/* ---- a volume as bytes ---- */

static uint32_t get(const uint8_t *at, unsigned bytes)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < bytes; i++)
        value |= (uint32_t)at[i] << 8 * i;
    return value;
}

static void put(uint8_t *at, unsigned bytes, uint32_t value)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

/* A field of the boot sector and of its copy. */
static void put_boot(unsigned at, unsigned bytes, uint32_t value)
{
    put(store.bytes + at, bytes, value);
    put(store.bytes + 6 * HAL_SECTOR_SIZE + at, bytes, value);
}

static uint8_t *fat_entry(unsigned fat, uint32_t cluster)
{
    size_t start = get(store.bytes + 14, 2) + fat * (size_t)get(store.bytes + 36, 4);

    return store.bytes + start * HAL_SECTOR_SIZE + cluster * 4;
}

static void link_to(uint32_t cluster, uint32_t next)
{
    put(fat_entry(0, cluster), 4, next);
    put(fat_entry(1, cluster), 4, next);
}

static uint8_t *cluster_at(uint32_t cluster)
{
    size_t start = get(store.bytes + 14, 2) + store.bytes[16] * (size_t)get(store.bytes + 36, 4);
    size_t bytes = store.bytes[13] * (size_t)HAL_SECTOR_SIZE;

    return store.bytes + start * HAL_SECTOR_SIZE + (cluster - 2) * bytes;
}

static uint8_t *info(void)
{
    return store.bytes + HAL_SECTOR_SIZE;
}

/* A file of the root directory, as another system writes it. */
static void put_file(unsigned slot, const char *name, uint32_t cluster, uint32_t size)
{
    uint8_t *entry = cluster_at(2) + slot * 32;

    memset(entry, 0, 32);
    memcpy(entry, name, 11);
    entry[11] = 0x20;
    put(entry + 16, 2, 0x5C21);
    put(entry + 18, 2, 0x5C21);
    put(entry + 24, 2, 0x5C21);
    put(entry + 20, 2, cluster >> 16);
    put(entry + 26, 2, cluster & 0xFFFF);
    put(entry + 28, 4, size);
}

static void set_in_use(void)
{
    link_to(1, 0x07FFFFFF);
}

/* FSInfo as it should be, after a change by hand. */
static void count_anew(void)
{
    put(info() + 488, 4, 0xFFFFFFFF);
    put(info() + 488, 4, store_free());
}

static void build(void)
{
    store_make(SECTORS, CLUSTER);
    memset(data, 'x', sizeof data);
}

static void unbuild(void)
{
    store_finish();
    free(fake.ram);
    fake.ram = NULL;
}

static void mount_it(void)
{
    store_start(RAM);
    ck_assert_int_eq(store_mount(), 0);
    ck_assert_msg(store_is_writable(), "%s", fake.console);
}

/* Unmounts, and finds everything in order. */
static void unmount_clean(void)
{
    ck_assert_int_eq(store_unmount(), 0);
    ck_assert_msg(store_passes(CHECK_UNTIDY), "%s", store.finding);
    ck_assert(store_mark(27));
}

/* ---- what is mounted, and how ---- */

START_TEST(a_count_of_sectors_in_16_bits_is_as_good)
{
    put_boot(32, 4, 0);
    put_boot(19, 2, SECTORS);
    mount_it();
    ck_assert_int_eq(store_create("/file"), 0);
    ck_assert_int_eq(store_write("/file", 0, data, 1000), 1000);
    unmount_clean();
}
END_TEST

static void expect_read_only(void)
{
    uint8_t *before = malloc(store.size);

    memcpy(before, store.bytes, store.size);
    store_start(RAM);
    ck_assert_int_eq(store_mount(), 0);
    ck_assert(!store_is_writable());
    ck_assert_int_eq(store_create("/file"), -EROFS);
    ck_assert_int_eq(store_mkdir("/dir"), -EROFS);
    ck_assert_int_eq(store_unlink("/FILE"), -EROFS);
    ck_assert_int_eq(store_rename("/FILE", "/b"), -EROFS);
    ck_assert_int_eq(store_write("/FILE", 0, data, 1), -EROFS);
    ck_assert_int_eq(store_truncate("/FILE", 0), -EROFS);
    store_unmount();
    ck_assert_int_eq(memcmp(before, store.bytes, store.size), 0);
    free(before);
}

START_TEST(a_volume_without_its_boot_sector_is_not_written)
{
    put_file(0, "FILE       ", 0, 0);
    memset(store.bytes, _i ? 0xFF : 0, HAL_SECTOR_SIZE);
    expect_read_only();
}
END_TEST

START_TEST(more_fats_than_can_be_kept_alike_are_not_written)
{
    store_finish();
    store_make(SECTORS, CLUSTER);
    put_boot(16, 1, 5);
    put_file(0, "FILE       ", 0, 0);
    expect_read_only();
}
END_TEST

START_TEST(a_fat_that_is_too_small_is_not_written)
{
    /* One sector of the FAT fewer, twice, makes room for clusters that it cannot tell of. */
    put_boot(36, 4, get(store.bytes + 36, 4) - 1);
    memmove(fat_entry(1, 0), fat_entry(1, 0) + HAL_SECTOR_SIZE,
            get(store.bytes + 36, 4) * HAL_SECTOR_SIZE);
    memset(cluster_at(2), 0, 4 * CLUSTER);
    put_file(0, "FILE       ", 0, 0);
    expect_read_only();
}
END_TEST

/* Damage that no cut of power makes, on a volume that was left in use. */
START_TEST(damage_is_left_to_fsck)
{
    put_file(0, "FILE       ", 10, 600);
    put_file(1, "OTHER      ", _i == 0 ? 11 : 20, 600);
    link_to(10, _i == 1 ? 0 : 11);
    link_to(11, _i == 2 ? 12 : END);
    link_to(20, _i == 3 ? 5000 : _i == 4 ? 10 : END);
    set_in_use();
    expect_read_only();
    ck_assert(!store_mark(27));
}
END_TEST

/* ---- marks ---- */

START_TEST(the_volume_is_marked_from_the_first_change_to_the_unmount)
{
    mount_it();
    ck_assert_int_eq(store_count("/"), 0);
    ck_assert(store_mark(27));
    ck_assert_int_eq(store_create("/file"), 0);
    ck_assert(!store_mark(27));
    ck_assert_uint_eq(get(info() + 488, 4), 0xFFFFFFFF);
    unmount_clean();
    ck_assert(store_mark(26));
    ck_assert_uint_eq(get(info() + 488, 4), store_free());
}
END_TEST

START_TEST(either_mark_of_use_has_the_volume_looked_at)
{
    if (_i == 0)
        set_in_use();
    else
        store.bytes[65] |= 1;
    link_to(100, 101);
    link_to(101, END);
    mount_it();
    unmount_clean();
    ck_assert_int_eq(store.bytes[65] & 1, 0);
    ck_assert_uint_eq(get(fat_entry(1, 100), 4), 0);
}
END_TEST

/* The checker tells of the failure, and of nothing else. */
static void unmount_after_failure(void)
{
    store_unmount();
    ck_assert(!store_passes(CHECK_UNTIDY));
    ck_assert_str_eq(store.finding, "the FAT says that the medium had errors");
    ck_assert(store_mark(27));
}

START_TEST(a_failure_of_the_card_is_noted_on_it)
{
    mount_it();
    ck_assert_int_eq(store_create("/file"), 0);
    ck_assert_int_eq(store_write("/file", 0, data, 4096), 4096);
    ck_assert_int_eq(store_sync(), 0);
    store.requests = 0;
    store.fail_from = 1;
    if (_i)
        ck_assert_int_eq(store_read("/file", 0, data, 4096), -EIO);
    else
        ck_assert_int_eq(store_write("/file", 0, data, 4096), 4096); /* fails when it is closed */
    store.fail_from = 0;
    ck_assert_int_eq(store_sync(), _i ? 0 : -EIO);
    unmount_after_failure();
    ck_assert(!store_mark(26));
    mount_it();
    ck_assert_int_eq(store_unlink("/file"), 0);
    unmount_after_failure();
    ck_assert(!store_mark(26));
}
END_TEST

START_TEST(the_first_entry_and_reserved_bits_stay)
{
    uint32_t first = get(fat_entry(0, 0), 4);

    for (uint32_t cluster = 3; cluster < 200; cluster++)
        link_to(cluster, 0xF0000000);
    mount_it();
    ck_assert_int_eq(store_create("/file"), 0);
    ck_assert_int_eq(store_write("/file", 0, data, 60000), 60000);
    ck_assert_uint_eq(get(fat_entry(0, 3), 4) >> 28, 15);
    ck_assert_int_eq(store_sync(), 0);
    ck_assert_uint_ne(get(fat_entry(1, 3), 4), 0xF0000000);
    ck_assert_int_eq(store_unlink("/file"), 0);
    unmount_clean();
    for (uint32_t cluster = 3; cluster < 200; cluster++)
        ck_assert_uint_eq(get(fat_entry(1, cluster), 4), 0xF0000000);
    ck_assert_uint_eq(get(fat_entry(0, 0), 4), first);
    ck_assert_uint_eq(first, 0x0FFFFFF8);
}
END_TEST

START_TEST(only_the_active_fat_is_written_when_they_are_not_mirrored)
{
    uint8_t other[HAL_SECTOR_SIZE];

    put_boot(40, 2, 0x81);
    memset(fat_entry(0, 0), 0x55, HAL_SECTOR_SIZE);
    memcpy(other, fat_entry(0, 0), HAL_SECTOR_SIZE);
    mount_it();
    ck_assert_int_eq(store_create("/file"), 0);
    ck_assert_int_eq(store_write("/file", 0, data, 5000), 5000);
    store_unmount();
    ck_assert_msg(store_passes(CHECK_UNTIDY), "%s", store.finding);
    ck_assert_int_eq(memcmp(other, fat_entry(0, 0), HAL_SECTOR_SIZE), 0);
    ck_assert_uint_ne(get(fat_entry(1, 3), 4), 0);
    ck_assert_uint_eq(store.bytes[40], 0x81);
}
END_TEST

/* ---- space ---- */

/* Writes files until the card is full; how many bytes they have. */
static uint64_t fill_up(const char *name)
{
    uint64_t sum = 0;
    char path[100];
    int64_t n;

    for (unsigned i = 0; i < 50; i++) {
        snprintf(path, sizeof path, "%s%u", name, i);
        if (store_create(path) == -ENOSPC)
            return sum;
        n = store_write(path, 0, data, sizeof data);
        if (n == -ENOSPC)
            return sum;
        ck_assert_int_gt(n, 0);
        sum += (uint64_t)n;
        if (n < (int64_t)sizeof data)
            return sum;
    }
    ck_abort_msg("the card does not get full");
}

static void empty(const char *name)
{
    char path[100];

    for (unsigned i = 0; i < 50; i++) {
        snprintf(path, sizeof path, "%s%u", name, i);
        if (store_unlink(path))
            return;
    }
}

START_TEST(a_full_card_says_so_and_all_of_it_is_usable_again)
{
    uint32_t free_before = store_free();
    uint64_t bytes;

    mount_it();
    bytes = fill_up("/f");
    ck_assert_uint_ge(bytes, (uint64_t)(free_before - 2) * CLUSTER);
    ck_assert_int_eq(store_mkdir("/directory"), -ENOSPC);
    ck_assert_int_eq(store_truncate("/f0", 1u << 20), -ENOSPC);
    ck_assert_int_eq(store_read("/f0", 0, data, sizeof data), sizeof data);
    empty("/f");
    ck_assert_uint_eq(fill_up("/f"), bytes);
    empty("/f");
    unmount_clean();
    ck_assert_uint_ge(store_free() + 2, free_before);
}
END_TEST

/* A directory whose only cluster has no free slot, on a card without a free cluster. */
static void fill_directory_and_card(void)
{
    char path[20];

    ck_assert_int_eq(store_mkdir("/full"), 0);
    for (unsigned i = 0; i < CLUSTER / 32 - 2; i++) {
        snprintf(path, sizeof path, "/full/%u", i);
        ck_assert_int_eq(store_create(path), 0);
    }
    (void)fill_up("/f");
}

START_TEST(on_a_full_card_what_needs_room_fails_and_the_rest_works)
{
    int names;

    mount_it();
    fill_directory_and_card();
    names = store_count("/full");
    ck_assert_int_eq(store_create("/full/x"), -ENOSPC);
    ck_assert_int_eq(store_mkdir("/full/x"), -ENOSPC);
    ck_assert_int_eq(store_rename("/f0", "/full/x"), -ENOSPC);
    ck_assert_int_eq(store_rename("/full/0", "/full/x"), -ENOSPC);
    ck_assert_int_eq(store_rename("/full/0", "/full/a name of several slots"), -ENOSPC);
    ck_assert_int_eq(store_write("/full/0", 0, data, 1), -ENOSPC);
    ck_assert_int_eq(store_truncate("/full/0", 1), -ENOSPC);
    ck_assert_int_eq(store_write("/f0", sizeof data + CLUSTER, data, 1), -ENOSPC);
    ck_assert_int_eq(store_count("/full"), names);
    ck_assert_int_eq(store_read("/full/0", 0, data, 1), 0);
    ck_assert_int_eq(store_write("/f0", 0, data, 100), 100);
    ck_assert_int_eq(store_rename("/f0", "/full/0"), -ENOSPC);
    ck_assert_int_eq(store_unlink("/full/1"), 0);
    ck_assert_int_eq(store_rename("/full/0", "/full/x"), 0);
    ck_assert_int_eq(store_truncate("/f0", 10), 0);
    ck_assert_int_eq(store_sync(), 0);
    ck_assert_int_eq(store_write("/full/2", 0, data, CLUSTER), CLUSTER);
    unmount_clean();
}
END_TEST

START_TEST(hints_are_not_believed)
{
    static const uint32_t lies[] = {0, 1, 0xFFFFFFFE, 0xFFFFFFFF, 100000};
    uint32_t free_before = store_free();

    put(info() + 488, 4, lies[_i]);
    put(info() + 492, 4, lies[4 - _i]);
    if (_i == 4)
        put(info() + 484, 4, 0); /* and not even the signature is right */
    mount_it();
    ck_assert_uint_ge(fill_up("/f"), (uint64_t)(free_before - 2) * CLUSTER);
    empty("/f");
    store_unmount();
    if (_i < 4) {
        ck_assert_msg(store_passes(CHECK_UNTIDY), "%s", store.finding);
        ck_assert_uint_eq(get(info() + 488, 4), store_free());
    } else {
        ck_assert_uint_eq(get(info() + 488, 4), lies[4]);
    }
}
END_TEST

START_TEST(a_volume_can_do_without_fsinfo)
{
    put_boot(48, 2, _i ? 0xFFFF : 0);
    mount_it();
    ck_assert_int_eq(store_mkdir("/dir"), 0);
    ck_assert_int_eq(store_unmount(), 0);
    put_boot(48, 2, 0); /* which the checker does not mind: the rest has to be in order */
    ck_assert_msg(store_passes(CHECK_UNTIDY), "%s", store.finding);
    ck_assert(store_mark(27));
}
END_TEST

START_TEST(bad_clusters_are_left_alone)
{
    for (uint32_t cluster = 5; cluster < 1000; cluster += 7)
        link_to(cluster, BAD);
    count_anew();
    mount_it();
    (void)fill_up("/f");
    unmount_clean();
    for (uint32_t cluster = 5; cluster < 1000; cluster += 7)
        ck_assert_uint_eq(get(fat_entry(0, cluster), 4), BAD);
}
END_TEST

START_TEST(more_clusters_than_a_file_needs_are_not_lost)
{
    uint32_t before = store_free();

    put_file(0, "LONG       ", 10, _i ? 100 : 0);
    for (uint32_t cluster = 10; cluster < 20; cluster++)
        link_to(cluster, cluster < 19 ? cluster + 1 : END);
    mount_it();
    ck_assert_int_eq(store_write("/long", _i ? 100 : 0, data, 1000), 1000);
    ck_assert_int_eq(store_read("/long", _i ? 100 : 0, data, 2000), 1000);
    ck_assert_int_eq(store_unlink("/long"), 0);
    unmount_clean();
    ck_assert_uint_eq(store_free(), before);
}
END_TEST

START_TEST(recovery_cuts_what_is_too_long_and_frees_what_is_nobodys)
{
    uint32_t before = store_free();

    put_file(0, "LONG       ", 10, 100);
    put_file(1, "EMPTY      ", 30, 0);
    for (uint32_t cluster = 10; cluster < 20; cluster++)
        link_to(cluster, cluster < 19 ? cluster + 1 : END);
    link_to(30, END);
    link_to(40, 41);
    link_to(41, END);
    set_in_use();
    mount_it();
    unmount_clean();
    ck_assert_uint_eq(store_free(), before - 1);
}
END_TEST

START_TEST(old_content_never_comes_to_light)
{
    uint8_t back[3000];

    mount_it();
    (void)fill_up("/f");
    empty("/f");
    ck_assert_int_eq(store_create("/gap"), 0);
    ck_assert_int_eq(store_write("/gap", 0, "begin", 5), 5);
    ck_assert_int_eq(store_write("/gap", 2500, "end", 3), 3);
    ck_assert_int_eq(store_read("/gap", 0, back, sizeof back), 2503);
    for (unsigned i = 5; i < 2500; i++)
        ck_assert_int_eq(back[i], 0);
    ck_assert_int_eq(store_truncate("/gap", 5), 0);
    ck_assert_int_eq(store_truncate("/gap", 3000), 0);
    ck_assert_int_eq(store_read("/gap", 0, back, sizeof back), 3000);
    for (unsigned i = 5; i < 3000; i++)
        ck_assert_int_eq(back[i], 0);
    unmount_clean();
}
END_TEST

START_TEST(a_removed_file_is_there_while_it_is_open)
{
    struct vnode *file;
    uint32_t before = store_free();

    mount_it();
    ck_assert_int_eq(store_create("/file"), 0);
    ck_assert_int_eq(store_write("/file", 0, data, 3000), 3000);
    ck_assert_int_eq(store_lookup("/file", &file), 0);
    if (_i) {
        ck_assert_int_eq(store_create("/other"), 0);
        ck_assert_int_eq(store_rename("/other", "/file"), 0);
        ck_assert_int_eq(store_unlink("/file"), 0);
    } else {
        ck_assert_int_eq(store_unlink("/file"), 0);
    }
    ck_assert_int_eq(store_count("/"), 0);
    ck_assert_int_eq(file->ops->read(file, 0, data, 4000), 3000);
    ck_assert_int_eq(file->ops->write(file, 3000, data, 3000), 3000);
    ck_assert_int_eq(file->ops->read(file, 0, data, 8000), 6000);
    ck_assert_int_eq(store_sync(), 0);
    ck_assert_uint_ne(store_free(), before);
    vnode_put(file);
    unmount_clean();
    ck_assert_uint_eq(store_free(), before);
}
END_TEST

START_TEST(a_file_has_less_than_4_gib)
{
    const uint32_t clusters = 65536, cluster_bytes = 65536;
    const struct mkfs_options options = {.sectors = (uint64_t)(clusters + 8) * 128 + 2000,
                                         .cluster_bytes = cluster_bytes};

    store_finish();
    store_make_with(&options);
    put_file(0, "LARGE      ", 3, 0xFFFFFFF0);
    for (uint32_t i = 0; i < clusters; i++)
        link_to(3 + i, i + 1 < clusters ? 4 + i : END);
    count_anew();
    mount_it();
    ck_assert_int_eq(store_write("/large", 0xFFFFFFF0, data, 100), 15);
    ck_assert_int_eq(store_write("/large", 0xFFFFFFFF, data, 1), -EFBIG);
    ck_assert_int_eq(store_write("/large", UINT64_C(1) << 40, data, 1), -EFBIG);
    ck_assert_int_eq(store_truncate("/large", UINT64_C(1) << 32), -EFBIG);
    ck_assert_int_eq(store_read("/large", 0xFFFFFFFE, data, 100), 1);
    ck_assert_int_eq(store_truncate("/large", 70000), 0);
    unmount_clean();
}
END_TEST

/* ---- volumes of all kinds ---- */

static const struct mkfs_options kinds[] = {
    {.sectors = SECTORS, .cluster_bytes = 512},
    {.sectors = SECTORS, .cluster_bytes = 4096, .fats = 1},
    {.sectors = SECTORS, .cluster_bytes = 1024, .reserved = 9},
    {.sectors = SECTORS, .cluster_bytes = 1024, .reserved = 9, .fats = 1},
    {.sectors = 8192, .cluster_bytes = 1024, .sector_bytes = 1024},
    {.sectors = 8192, .cluster_bytes = 2048, .sector_bytes = 2048},
    {.sectors = 8192, .cluster_bytes = 4096, .sector_bytes = 4096},
    {.sectors = 65536, .cluster_bytes = 65536, .label = "TAYBERRY"},
};

START_TEST(clusters_of_a_new_volume_are_aligned)
{
    static const uint64_t hidden[] = {0, 63, 2048};

    for (uint32_t cluster = 512; cluster <= 65536; cluster *= 2)
        for (unsigned i = 0; i < 3; i++) {
            const struct mkfs_options options = {
                .sectors = 40001, .hidden = hidden[i], .cluster_bytes = cluster};
            uint64_t start, clusters;
            const uint8_t *boot;

            store_finish();
            store_make_with(&options);
            boot = store.bytes;
            ck_assert_uint_ge(get(boot + 14, 2), RESERVED);
            ck_assert_uint_lt(get(boot + 14, 2), RESERVED + cluster / 512);
            start = get(boot + 14, 2) + get(boot + 16, 1) * get(boot + 36, 4);
            ck_assert_uint_eq((start + hidden[i]) * 512 % cluster, 0);
            clusters = (options.sectors - start) * 512 / cluster;
            ck_assert_uint_ge(get(boot + 36, 4) * 128, clusters + 2);
            mount_it();
            unmount_clean();
        }
}
END_TEST

START_TEST(every_kind_of_volume_takes_every_operation)
{
    store_finish();
    store_make_with(&kinds[_i]);
    mount_it();
    ck_assert_int_eq(store_mkdir("/A directory"), 0);
    ck_assert_int_eq(store_create("/A directory/of some long name.text"), 0);
    ck_assert_int_eq(store_write("/A directory/of some long name.text", 0, data, 20000), 20000);
    ck_assert_int_eq(store_mkdir("/b"), 0);
    ck_assert_int_eq(store_rename("/A directory", "/b/c"), 0);
    ck_assert_int_eq(store_sync(), 0);
    ck_assert_int_eq(store_truncate("/b/c/of some long name.text", 777), 0);
    ck_assert_int_eq(store_rename("/b/c/of some long name.text", "/FILE"), 0);
    ck_assert_int_eq(store_rmdir("/b"), -ENOTEMPTY);
    ck_assert_int_eq(store_rename("/b", "/b/c/d"), -EINVAL);
    ck_assert_int_eq(store_rmdir("/b/c"), 0);
    ck_assert_int_eq(store_rmdir("/b"), 0);
    ck_assert_int_eq(store_unlink("/b"), -ENOENT);
    unmount_clean();
    mount_it();
    ck_assert_int_eq(store_read("/file", 0, data, 1000), 777);
    ck_assert_int_eq(data[776], 'x');
    ck_assert_int_eq(store_count("/"), 1);
    unmount_clean();
}
END_TEST

START_TEST(a_record_goes_where_no_copy_of_the_boot_sectors_is)
{
    uint8_t copy[3 * HAL_SECTOR_SIZE];

    memset(copy, 0xC5, sizeof copy);
    memcpy(store.bytes + 10 * HAL_SECTOR_SIZE, copy, sizeof copy);
    put_boot(50, 2, 10);
    mount_it();
    ck_assert_int_eq(store_mkdir("/a"), 0);
    ck_assert_int_eq(store_mkdir("/a/b"), 0);
    ck_assert_int_eq(store_rename("/a/b", "/c"), 0);
    ck_assert_int_eq(store_unmount(), 0);
    ck_assert(store_mark(27));
    /* The checker wants it at 6, and has nothing else to say. */
    ck_assert(store_passes(CHECK_UNTIDY) || strstr(store.finding, "copy of the boot sector"));
    ck_assert_int_eq(memcmp(store.bytes + 10 * HAL_SECTOR_SIZE, copy, sizeof copy), 0);
}
END_TEST

Suite *writing_suite(void)
{
    Suite *suite = suite_create("writing");
    TCase *tests = tcase_create("volume");

    tcase_add_checked_fixture(tests, build, unbuild);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_count_of_sectors_in_16_bits_is_as_good);
    tcase_add_loop_test(tests, a_volume_without_its_boot_sector_is_not_written, 0, 2);
    tcase_add_test(tests, more_fats_than_can_be_kept_alike_are_not_written);
    tcase_add_test(tests, a_fat_that_is_too_small_is_not_written);
    tcase_add_loop_test(tests, damage_is_left_to_fsck, 0, 5);
    tcase_add_test(tests, the_volume_is_marked_from_the_first_change_to_the_unmount);
    tcase_add_loop_test(tests, either_mark_of_use_has_the_volume_looked_at, 0, 2);
    tcase_add_loop_test(tests, a_failure_of_the_card_is_noted_on_it, 0, 2);
    tcase_add_test(tests, the_first_entry_and_reserved_bits_stay);
    tcase_add_test(tests, only_the_active_fat_is_written_when_they_are_not_mirrored);
    tcase_add_test(tests, a_full_card_says_so_and_all_of_it_is_usable_again);
    tcase_add_test(tests, on_a_full_card_what_needs_room_fails_and_the_rest_works);
    tcase_add_loop_test(tests, hints_are_not_believed, 0, 5);
    tcase_add_loop_test(tests, a_volume_can_do_without_fsinfo, 0, 2);
    tcase_add_test(tests, bad_clusters_are_left_alone);
    tcase_add_loop_test(tests, more_clusters_than_a_file_needs_are_not_lost, 0, 2);
    tcase_add_test(tests, recovery_cuts_what_is_too_long_and_frees_what_is_nobodys);
    tcase_add_test(tests, old_content_never_comes_to_light);
    tcase_add_loop_test(tests, a_removed_file_is_there_while_it_is_open, 0, 2);
    tcase_add_test(tests, a_file_has_less_than_4_gib);
    tcase_add_test(tests, clusters_of_a_new_volume_are_aligned);
    tcase_add_loop_test(tests, every_kind_of_volume_takes_every_operation, 0,
                        sizeof kinds / sizeof kinds[0]);
    tcase_add_test(tests, a_record_goes_where_no_copy_of_the_boot_sectors_is);
    suite_add_tcase(suite, tests);
    return suite;
}
