/* SPDX-License-Identifier: MIT */
/*
 * cards.c: the card images of images/: the good one, and each of the bad ones.
 *
 * 1. A card that is to be mounted mounts, and /README.TXT reads.
 * 2. A card that is to be refused is refused, with two sentences.
 * 3. On every card everything that can be reached can be used: all of it ends, nothing leaks.
 *
 * Where the images are comes from TAYBERRY_CARD and TAYBERRY_BAD_CARDS (a directory with LIST).
 */
#include "suites.h"

#include "../fake_hal.h"
#include "walk.h"

#include "fs/root/root.h"
#include "fs/vfs.h"
#include "heap/heap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENTRIES 20000u

struct mapped {
    uint8_t *bytes;
    size_t size;
};

static struct mapped map_card(const char *path)
{
    struct mapped card = {0};
    struct stat status;
    int fd = open(path, O_RDONLY);

    ck_assert_msg(fd >= 0, "%s: cannot be opened", path);
    ck_assert_int_eq(fstat(fd, &status), 0);
    card.size = (size_t)status.st_size;
    if (card.size > 0) {
        card.bytes = mmap(NULL, card.size, PROT_READ, MAP_PRIVATE, fd, 0);
        ck_assert_ptr_ne(card.bytes, MAP_FAILED);
    }
    close(fd);
    return card;
}

static void unmap_card(struct mapped *card)
{
    if (card->size > 0)
        munmap(card->bytes, card->size);
}

static int mount_card(const struct mapped *card)
{
    static const uint8_t nothing[1];

    fake_kernel_start(8u << 20);
    fake.card = card->size > 0 ? card->bytes : nothing;
    fake.card_sectors = card->size / HAL_SECTOR_SIZE;
    return vfs_mount_root();
}

static void check_readme(const char *name)
{
    char data[64] = "";
    struct vnode *file = NULL;

    ck_assert_msg(vfs_find(NULL, "/README.TXT", 0, &file) == 0, "%s: no README.TXT", name);
    ck_assert_int_gt(vfs_read(file, 0, data, sizeof data - 1), 10);
    vnode_put(file);
}

/** Uses the whole card twice: what is in use afterwards must not grow. */
static void check_use(const char *name, uint64_t requests)
{
    struct heap_stats before, after;
    struct walk walk;

    walk_card(&walk, ENTRIES);
    vfs_unmount_root();
    heap_read_stats(&before);
    fake.request_limit = fake.requests + requests;
    ck_assert_int_eq(vfs_mount_root(), 0);
    walk_card(&walk, ENTRIES);
    vfs_unmount_root();
    heap_read_stats(&after);
    ck_assert_msg(after.live_bytes == before.live_bytes, "%s: leaks memory", name);
}

static void check_card(const char *directory, const char *name, const char *verdict)
{
    char path[512];
    struct mapped card;
    int error;

    snprintf(path, sizeof path, "%s/%s.img", directory, name);
    card = map_card(path);
    error = mount_card(&card);
    if (strcmp(verdict, "good") == 0)
        ck_assert_msg(error == 0, "%s: not mounted: %s", name, vfs_mount_problem());
    if (strcmp(verdict, "refuse") == 0)
        ck_assert_msg(error < 0, "%s: mounted", name);
    if (error == 0 && strcmp(verdict, "good") == 0)
        check_readme(name);
    if (error == 0)
        check_use(name, 1000000);
    else
        ck_assert_msg(strlen(vfs_mount_problem()) > 60, "%s: said only: %s", name,
                      vfs_mount_problem());
    unmap_card(&card);
}

START_TEST(every_bad_card_gets_its_verdict)
{
    const char *directory = getenv("TAYBERRY_BAD_CARDS");
    char path[512], line[512];
    unsigned count = 0;
    FILE *list;

    ck_assert_msg(directory != NULL, "TAYBERRY_BAD_CARDS is not set");
    snprintf(path, sizeof path, "%s/LIST", directory);
    list = fopen(path, "r");
    ck_assert_msg(list != NULL, "%s: cannot be opened", path);
    while (fgets(line, sizeof line, list)) {
        char *name = strtok(line, "\t"), *verdict = strtok(NULL, "\t");

        ck_assert_ptr_nonnull(verdict);
        check_card(directory, name, verdict);
        count++;
    }
    fclose(list);
    ck_assert_uint_ge(count, 100);
}
END_TEST

START_TEST(the_good_card_is_read_to_its_last_file)
{
    const char *path = getenv("TAYBERRY_CARD");
    struct mapped card;
    struct walk walk;

    ck_assert_msg(path != NULL, "TAYBERRY_CARD is not set");
    card = map_card(path);
    ck_assert_int_eq(mount_card(&card), 0);
    check_readme(path);
    walk_card(&walk, ENTRIES);
    ck_assert_uint_eq(walk.errors, 0);
    ck_assert_uint_gt(walk.entries, 1000);
    check_use(path, 100000);
    unmap_card(&card);
}
END_TEST

START_TEST(a_directory_of_1000_entries_is_listed_in_one_pass)
{
    const char *path = getenv("TAYBERRY_CARD");
    struct directory_entry entry;
    struct vnode *directory = NULL;
    uint64_t position = 0, before;
    struct mapped card = map_card(path);
    unsigned count = 0;

    ck_assert_int_eq(mount_card(&card), 0);
    ck_assert_int_eq(vfs_find(NULL, "/many", 0, &directory), 0);
    before = fake.requests;
    while (vfs_iterate(directory, &position, &entry) == 0)
        count++;
    ck_assert_uint_eq(count, 1000);
    /* Three slots each: 96,000 bytes, in pieces of 4 KiB. */
    ck_assert_uint_le(fake.requests - before, 30);
    vnode_put(directory);
    vfs_unmount_root();
    unmap_card(&card);
}
END_TEST

Suite *card_suite(void)
{
    Suite *suite = suite_create("card");
    TCase *tests = tcase_create("images");

    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, the_good_card_is_read_to_its_last_file);
    tcase_add_test(tests, a_directory_of_1000_entries_is_listed_in_one_pass);
    tcase_add_test(tests, every_bad_card_gets_its_verdict);
    suite_add_tcase(suite, tests);
    return suite;
}
