/* SPDX-License-Identifier: MIT */
/*
 * entries.c: what the FAT32 driver writes into directories.
 *
 * 1. Names: all that FAT32 can have, none that it cannot; one space of long and short names.
 * 2. Entries lie in one sector where they can; what is behind the end of a directory stays there.
 * 3. Directories of any size: found at once, up to the last slot, and no further.
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

#define SECTORS 8192u
#define CLUSTER 4096u
#define RAM (8u << 20)
#define SLOT 32u

static void build(void)
{
    store_make(SECTORS, CLUSTER);
    store_start(RAM);
    ck_assert_int_eq(store_mount(), 0);
}

static void unbuild(void)
{
    store_unmount();
    ck_assert_msg(store_passes(CHECK_UNTIDY), "%s", store.finding);
    store_finish();
    free(fake.ram);
    fake.ram = NULL;
}

/* The root's first cluster on the card. */
static uint8_t *root(void)
{
    size_t reserved = store.bytes[14] | store.bytes[15] << 8;
    size_t fat = store.bytes[36] | store.bytes[37] << 8;

    return store.bytes + (reserved + 2 * fat) * HAL_SECTOR_SIZE;
}

static int create(const char *name)
{
    char path[1024];

    snprintf(path, sizeof path, "/%s", name);
    return store_create(path);
}

static bool exists(const char *name)
{
    struct vnode *vnode = NULL;
    char path[1024];

    snprintf(path, sizeof path, "/%s", name);
    if (store_lookup(path, &vnode))
        return false;
    vnode_put(vnode);
    return true;
}

/* ---- names ---- */

static void repeat(char *to, const char *text, unsigned times)
{
    to[0] = '\0';
    while (times-- > 0)
        strcat(to, text);
}

START_TEST(a_name_has_up_to_255_units_of_any_character)
{
    static const struct {
        const char *text;
        unsigned most;
    } characters[] = {{"x", 255}, {"\u00fc", 255}, {"\uffee", 255}, {"\U0001f353", 127}};
    char name[1024];

    repeat(name, characters[_i].text, characters[_i].most);
    ck_assert_int_eq(create(name), 0);
    ck_assert(exists(name));
    repeat(name, characters[_i].text, characters[_i].most + 1);
    ck_assert_int_eq(create(name), -ENAMETOOLONG);
    ck_assert_int_eq(store_count("/"), 1);
}
END_TEST

START_TEST(what_is_no_name_is_refused)
{
    static const char *const names[] = {
        "a:b",
        "a*",
        "a?",
        "\"",
        "<",
        ">",
        "|",
        "a\\b",
        "a\tb",
        "\x7f",
        "...",
        " . .",
        "\xff",
        "\xed\xa0\x80",
        "\xc0\xaf",
        "\xc3",
        "\xf4\x90\x80\x80",
    };

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        ck_assert_msg(create(names[i]) == -EINVAL, "%s", names[i]);
    ck_assert_int_eq(store_count("/"), 0);
}
END_TEST

START_TEST(dots_and_blanks_at_the_end_are_no_part_of_a_name)
{
    ck_assert_int_eq(create("name. . "), 0);
    ck_assert(exists("name"));
    ck_assert(exists("NAME..."));
    ck_assert_int_eq(create("Name "), -EEXIST);
    ck_assert_int_eq(create(" name"), 0);
    ck_assert_int_eq(create(".name"), 0);
    ck_assert_int_eq(store_count("/"), 3);
    ck_assert_int_eq(store_unlink("/name."), 0);
    ck_assert_int_eq(store_unlink("/name"), -ENOENT);
}
END_TEST

START_TEST(names_differ_in_more_than_case)
{
    ck_assert_int_eq(create("Stra\u00dfe \u00c4\u03a9\u0416"), 0);
    ck_assert_int_eq(create("STRA\u00dfE \u00e4\u03c9\u0436"), -EEXIST);
    ck_assert_int_eq(create("straSSe \u00e4\u03c9\u0436"), 0);
}
END_TEST

/* Slots in use in the first cluster of the root. */
static unsigned slots_used(void)
{
    unsigned used = 0;

    ck_assert_int_eq(store_sync(), 0);
    for (const uint8_t *slot = root(); slot < root() + CLUSTER; slot += SLOT)
        used += slot[0] != 0 && slot[0] != 0xE5;
    return used;
}

START_TEST(a_name_that_fits_needs_one_slot)
{
    static const struct {
        const char *name;
        unsigned slots;
    } cases[] = {{"README.TXT", 1},    {"readme.txt", 1},  {"readme.TXT", 1}, {"README", 1},
                 {"Readme.txt", 2},    {"readme.text", 2}, {".txt", 2},       {"a+b", 2},
                 {"two words", 2},     {"a.b.c", 2},       {"longername", 2}, {"\u00fc", 2},
                 {"thirteen chars", 3}};

    ck_assert_int_eq(create(cases[_i].name), 0);
    ck_assert_uint_eq(slots_used(), cases[_i].slots);
    ck_assert(exists(cases[_i].name));
}
END_TEST

/* The short name of the only entry, as text. */
static void alias_of(const char *name, char *alias)
{
    struct fat32_entry entry;
    struct fat32_place place;
    struct fat32_node *node = fat32_node_of(store.root);

    ck_assert_int_eq(fat32_entry_find(node, name, strlen(name), &entry, &place), 0);
    strcpy(alias, entry.alias);
}

START_TEST(long_and_short_names_share_one_space)
{
    char alias[FAT32_ALIAS_MAX + 1];

    ck_assert_int_eq(create("A long name.text"), 0);
    alias_of("A long name.text", alias);
    ck_assert_str_eq(alias, "ALONGN~1.TEX");
    ck_assert(exists("alongn~1.tex"));
    ck_assert_int_eq(create("alongn~1.tex"), -EEXIST);
    ck_assert_int_eq(create("ALONGN~2.TEX"), 0);
    ck_assert_int_eq(create("A long nest.text"), 0);
    alias_of("A long nest.text", alias);
    ck_assert_str_eq(alias, "ALONGN~3.TEX");
}
END_TEST

START_TEST(short_names_do_not_run_out)
{
    char name[64];
    unsigned count = getenv("TAYBERRY_RUNS") ? (unsigned)atoi(getenv("TAYBERRY_RUNS")) : 1500;

    ck_assert_int_eq(store_mkdir("/d"), 0);
    for (unsigned i = 0; i < count; i++) {
        snprintf(name, sizeof name, "d/the same beginning, number %u", i);
        ck_assert_int_eq(create(name), 0);
    }
    ck_assert_int_eq(store_count("/d"), (int)count);
    ck_assert_int_eq(create("d/the same beginning, number 77"), -EEXIST);
}
END_TEST

/* ---- slots ---- */

START_TEST(entries_lie_in_one_sector)
{
    unsigned per_sector = HAL_SECTOR_SIZE / SLOT;
    char name[256];

    for (unsigned i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "%03u%0*u", i, (int)(i * 37 % 190), 0);
        ck_assert_int_eq(create(name), 0);
        if (i % 3 == 2) {
            snprintf(name, sizeof name, "/%03u%0*u", i - 1, (int)((i - 1) * 37 % 190), 0);
            ck_assert_int_eq(store_unlink(name), 0);
        }
    }
    ck_assert_int_eq(store_sync(), 0);
    for (unsigned i = 1; i < CLUSTER / SLOT; i++) {
        const uint8_t *slot = root() + i * SLOT;

        /* The first slot of a sector never goes on with an entry of the one before. */
        if (i % per_sector == 0 && slot[0] != 0 && slot[0] != 0xE5)
            ck_assert_msg(slot[11] == 0x0F ? slot[0] & 0x40
                                           : slot[-SLOT + 11] != 0x0F || slot[-SLOT] == 0xE5,
                          "slot %u", i);
    }
}
END_TEST

START_TEST(what_is_behind_the_end_stays_there)
{
    char name[40];

    store_unmount();
    for (unsigned i = 5; i < CLUSTER / SLOT; i++) {
        memcpy(root() + i * SLOT, "GHOST      \x20", 12);
        root()[i * SLOT + 7] = (uint8_t)('A' + i % 26);
    }
    ck_assert_int_eq(store_mount(), 0);
    for (int i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "%d", i);
        ck_assert_int_eq(create(name), 0);
        ck_assert_int_eq(store_count("/"), i + 1);
    }
    store_unmount();
    memset(root() + 61 * SLOT, 0, CLUSTER - 61 * SLOT);
    ck_assert_int_eq(store_mount(), 0);
    ck_assert_int_eq(store_count("/"), 60);
}
END_TEST

START_TEST(a_label_and_an_invalid_entry_are_no_files_and_stay)
{
    store_unmount();
    memcpy(store.bytes + 71, "MY CARD    ", 11);
    memcpy(store.bytes + 6 * HAL_SECTOR_SIZE + 71, "MY CARD    ", 11);
    memcpy(root(), "MY CARD    \x08", 12);
    ck_assert_int_eq(store_mount(), 0);
    ck_assert_int_eq(store_count("/"), 0);
    ck_assert_int_eq(create("my card"), 0);
    ck_assert_int_eq(store_unlink("/my card"), 0);
    ck_assert_int_eq(store_sync(), 0);
    ck_assert_int_eq(memcmp(root(), "MY CARD    \x08", 12), 0);
}
END_TEST

START_TEST(the_parent_of_a_directory_is_written_into_it)
{
    ck_assert_int_eq(store_mkdir("/a"), 0);
    ck_assert_int_eq(store_mkdir("/a/b"), 0);
    ck_assert_int_eq(store_mkdir("/a/b/c"), 0);
    ck_assert_int_eq(store_rename("/a/b/c", "/c"), 0);
    ck_assert_int_eq(store_rename("/a/b", "/c/b"), 0);
    ck_assert_int_eq(store_rename("/a", "/c/b/a"), 0);
    ck_assert_int_eq(store_rename("/c", "/c/b/a/c"), -EINVAL);
    ck_assert_int_eq(store_rename("/c", "/C"), 0);
    ck_assert_int_eq(store_rmdir("/c/b"), -ENOTEMPTY);
    ck_assert_int_eq(store_count("/"), 1);
}
END_TEST

/* ---- large directories ---- */

START_TEST(a_directory_ends_at_65536_slots)
{
    static uint8_t *slots;
    const unsigned clusters = 65536 * SLOT / CLUSTER;
    char name[16];

    store_unmount();
    /* The root has clusters 2 and 10 on, all full but for the last slots. */
    for (unsigned i = 0; i < clusters; i++) {
        uint32_t cluster = i ? 9 + i : 2, next = i + 1 < clusters ? 10 + i : 0x0FFFFFFF;
        size_t fat = (size_t)(store.bytes[36] | store.bytes[37] << 8) * HAL_SECTOR_SIZE;
        uint8_t *entry = store.bytes + 32 * HAL_SECTOR_SIZE + cluster * 4;

        memcpy(entry, &next, 4);
        memcpy(entry + fat, &next, 4);
        slots = root() + (cluster - 2) * (size_t)CLUSTER;
        for (unsigned j = 0; j < CLUSTER / SLOT; j++) {
            snprintf(name, sizeof name, "N%07u   ", i * (CLUSTER / SLOT) + j);
            memcpy(slots + j * SLOT, name, 11);
            slots[j * SLOT + 11] = 0x20;
            slots[j * SLOT + 16] = slots[j * SLOT + 24] = 0x21;
        }
    }
    memset(slots + CLUSTER - 3 * SLOT, 0, 3 * SLOT);
    memset(store.bytes + HAL_SECTOR_SIZE + 488, 0xFF, 8);
    ck_assert_int_eq(store_mount(), 0);
    ck_assert(exists("n0065000"));
    ck_assert_int_eq(create("a name that needs four slots, so it does not fit"), -ENOSPC);
    ck_assert_int_eq(create("TWO slots"), 0);
    ck_assert_int_eq(create("ONE"), 0);
    ck_assert_int_eq(create("NONE"), -ENOSPC);
    ck_assert_int_eq(store_mkdir("/NONE"), -ENOSPC);
    ck_assert_int_eq(store_unlink("/N0000007"), 0);
    ck_assert_int_eq(create("AGAIN"), 0);
    ck_assert_int_eq(store_count("/"), 65535);
}
END_TEST

START_TEST(indexes_are_bounded_and_given_back)
{
    struct fat32_node *node = fat32_node_of(store.root);
    struct vnode *open[24];
    char name[64];

    for (unsigned i = 0; i < 24; i++) {
        snprintf(name, sizeof name, "/dir%u", i);
        ck_assert_int_eq(store_mkdir(name), 0);
        ck_assert_int_eq(store_lookup(name, &open[i]), 0);
        ck_assert_uint_le(node->volume->index_count, 16);
        for (unsigned j = 0; j < 30; j++) {
            snprintf(name, sizeof name, "dir%u/%u", i, j);
            ck_assert_int_eq(create(name), 0);
        }
    }
    ck_assert_uint_eq(node->volume->index_count, 16);
    ck_assert_uint_gt(reclaim_frames(1000000), 0);
    ck_assert_uint_eq(node->volume->index_count, 0);
    for (unsigned i = 0; i < 24; i++) {
        snprintf(name, sizeof name, "dir%u/29", i);
        ck_assert(exists(name));
        vnode_put(open[i]);
    }
    ck_assert_uint_eq(node->volume->index_count, 1); /* the root's */
}
END_TEST

Suite *entry_suite(void)
{
    Suite *suite = suite_create("entries");
    TCase *tests = tcase_create("entries");

    tcase_add_checked_fixture(tests, build, unbuild);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, a_name_has_up_to_255_units_of_any_character, 0, 4);
    tcase_add_test(tests, what_is_no_name_is_refused);
    tcase_add_test(tests, dots_and_blanks_at_the_end_are_no_part_of_a_name);
    tcase_add_test(tests, names_differ_in_more_than_case);
    tcase_add_loop_test(tests, a_name_that_fits_needs_one_slot, 0, 13);
    tcase_add_test(tests, long_and_short_names_share_one_space);
    tcase_add_test(tests, short_names_do_not_run_out);
    tcase_add_test(tests, entries_lie_in_one_sector);
    tcase_add_test(tests, what_is_behind_the_end_stays_there);
    tcase_add_test(tests, a_label_and_an_invalid_entry_are_no_files_and_stay);
    tcase_add_test(tests, the_parent_of_a_directory_is_written_into_it);
    tcase_add_test(tests, a_directory_ends_at_65536_slots);
    tcase_add_test(tests, indexes_are_bounded_and_given_back);
    suite_add_tcase(suite, tests);
    return suite;
}
