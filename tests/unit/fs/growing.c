/* SPDX-License-Identifier: MIT */
/*
 * growing.c: files that become longer: as long as there is room, with few writes, and without a
 * checkpoint when they become very long.
 */
#include "suites.h"

#include "../fake_hal.h"
#include "store.h"

#include "fs/fat32/write/write.h"

#include <hal/block.h>
#include <hal/errno.h>

#include <stdlib.h>
#include <string.h>

#define CLUSTER 512u
#define RAM (8u << 20)
#define JUNK 0xE7

static uint8_t data[65536];

static void begin(uint32_t sectors, uint32_t cluster_bytes)
{
    store_make(sectors, cluster_bytes);
    memset(data, 'x', sizeof data);
}

static void finish(void)
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

static void unmount_clean(void)
{
    ck_assert_int_eq(store_unmount(), 0);
    ck_assert_msg(store_passes(CHECK_UNTIDY), "%s", store.finding);
}

/* Cluster 2 and what follows. */
static uint8_t *clusters(void)
{
    return store.bytes + fat32_volume_of(store.root)->geometry.data_start;
}

/* Makes a file of all the room that there is. */
static void fill_up(const char *path)
{
    uint64_t at = 0;
    int64_t n;

    ck_assert_int_eq(store_create(path), 0);
    while ((n = store_write(path, at, data, sizeof data)) > 0)
        at += (uint64_t)n;
    ck_assert_int_eq(n, -ENOSPC);
}

/* A part of what is to be added has room. Criterion: the file is as it was, and has all its bytes.
 */
START_TEST(a_file_that_cannot_be_made_as_long_as_it_should_stays)
{
    struct vnode *file;
    uint8_t back[1024];

    begin(2048, CLUSTER);
    mount_it();
    fill_up("/full");
    ck_assert_int_eq(store_truncate("/full", _i ? 1000 : 40000), 0);
    ck_assert_int_eq(store_create("/FILE"), 0);
    ck_assert_int_eq(store_write("/FILE", 0, data, 700), 700);
    ck_assert_int_eq(store_truncate("/FILE", 1u << 20), -ENOSPC);
    ck_assert_int_eq(store_lookup("/FILE", &file), 0);
    ck_assert_uint_eq(file->attributes.size, 700);
    vnode_put(file);
    ck_assert_int_eq(store_read("/FILE", 0, back, sizeof back), 700);
    ck_assert_int_eq(memcmp(back, data, 700), 0);
    unmount_clean();
}
END_TEST

/*
 * Few bytes behind the end of a file. Criterion: what is written is no more than the sectors with
 * them, the FAT in both copies, and the entry; in two flushes.
 */
START_TEST(an_append_writes_little)
{
    struct fat32_batch *batch;
    uint8_t *new;

    begin(16384, 4096);
    mount_it();
    ck_assert_int_eq(store_create("/file"), 0);
    ck_assert_int_eq(store_write("/file", 0, data, 4096), 4096);
    ck_assert_int_eq(store_sync(), 0);
    new = clusters() + 2 * 4096; /* behind the root's and the first */
    batch = &fat32_volume_of(store.root)->writer->batch;
    memset(new, JUNK, 4096);
    store.only_writes = true;
    store.requests = 0;
    ck_assert_int_eq(store_write("/file", 4096, data, 512), 512);
    ck_assert_int_eq(store_sync(), 0);
    ck_assert_uint_le(store.requests, 1 + 2 + 1 + 2);
    ck_assert_uint_eq(batch->records, 0);
    ck_assert_int_eq(new[512], JUNK);
    ck_assert_int_eq(store_truncate("/file", 8192), 0);
    unmount_clean();
    mount_it();
    ck_assert_int_eq(store_read("/file", 4096, data, 4096), 4096);
    for (unsigned i = 0; i < 4096; i++)
        ck_assert_int_eq(data[i], i < 512 ? 'x' : 0);
    unmount_clean();
}
END_TEST

/*
 * A file that is longer than a batch has room for sectors of the FAT. Criteria: it grows without a
 * checkpoint, so nothing is flushed; a cut of the power then leaves the file empty and all other
 * clusters free; and after a sync it is there, in a few flushes.
 */
START_TEST(a_file_grows_for_long_without_a_checkpoint)
{
    const uint64_t bytes = 40 * sizeof data; /* 40 sectors of the FAT */
    struct fat32_batch *batch;
    uint64_t flushes;
    uint32_t before;
    uint8_t last;

    begin(8192, CLUSTER);
    before = store_free();
    mount_it();
    ck_assert_int_eq(store_create("/file"), 0);
    ck_assert_int_eq(store_sync(), 0);
    batch = &fat32_volume_of(store.root)->writer->batch;
    flushes = batch->flushes;
    for (uint64_t at = 0; at < bytes; at += sizeof data)
        ck_assert_int_eq(store_write("/file", at, data, sizeof data), sizeof data);
    ck_assert_uint_eq(batch->flushes, flushes);
    if (_i == 1) {
        ck_assert_int_eq(store_sync(), 0);
        ck_assert_uint_le(batch->flushes, flushes + 4);
        ck_assert_uint_eq(batch->records, 0);
    } else {
        ck_assert_uint_lt(store_free(), before); /* claims are there already */
    }
    mount_it(); /* after a cut */
    ck_assert_int_eq(store_read("/file", bytes - 1, &last, 1), _i);
    unmount_clean();
    ck_assert_uint_eq(store_free(), _i == 1 ? before - bytes / CLUSTER : before);
}
END_TEST

/* Entries of the FAT, or its copy, that are 0. */
static uint32_t count_free(unsigned fat)
{
    const struct fat32_geometry *geometry = &fat32_volume_of(store.root)->geometry;
    const uint8_t *entry = store.bytes + geometry->fat_start + fat * geometry->fat_bytes + 8;
    uint32_t n = 0;

    for (uint32_t i = 0; i < geometry->clusters; i++, entry += 4)
        n += (entry[0] | entry[1] | entry[2] | entry[3]) == 0;
    return n;
}

/*
 * One write fails while a file gets clusters in more sectors of the FAT than a batch has room for.
 * Criterion: when the file is gone all of them are free, in both copies.
 */
START_TEST(claims_that_could_not_be_written_are_not_lost)
{
    unsigned failures = 0;

    for (unsigned k = 1; k <= 60; k++) {
        uint32_t before;
        int64_t n = sizeof data;

        if (k > 1)
            store_finish();
        begin(8192, CLUSTER);
        store_start(4 * RAM);
        ck_assert_int_eq(store_mount(), 0);
        before = count_free(0);
        ck_assert_int_eq(store_create("/file"), 0);
        ck_assert_int_eq(store_sync(), 0);
        store.only_writes = true;
        store.requests = 0;
        store.fail_at = k;
        for (uint64_t at = 0; n > 0 && at < 40 * sizeof data; at += sizeof data)
            n = store_write("/file", at, data, sizeof data);
        failures += n == -EIO;
        store.fail_at = 0;
        ck_assert_int_eq(store_unlink("/file"), 0);
        ck_assert_int_eq(store_unmount(), 0);
        ck_assert_int_eq(store_mount(), 0);
        ck_assert_uint_eq(count_free(0), before);
        ck_assert_uint_eq(count_free(1), before);
        store_unmount();
    }
    ck_assert_uint_gt(failures, 10);
}
END_TEST

Suite *growing_suite(void)
{
    Suite *suite = suite_create("growing");
    TCase *tests = tcase_create("files");

    tcase_add_checked_fixture(tests, NULL, finish);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, a_file_that_cannot_be_made_as_long_as_it_should_stays, 0, 2);
    tcase_add_test(tests, an_append_writes_little);
    tcase_add_loop_test(tests, a_file_grows_for_long_without_a_checkpoint, 0, 2);
    tcase_add_test(tests, claims_that_could_not_be_written_are_not_lost);
    suite_add_tcase(suite, tests);
    return suite;
}
