/* SPDX-License-Identifier: MIT */
/*
 * operations.c: FAT32 as a kind of file system: what its vnodes and mounts tell and take.
 *
 * 1. Attributes: what is told is what is on the card, before and after it is mounted anew.
 * 2. Options: owners, masks, quiet, ro; and from one to the other while it is mounted.
 * 3. Identity: a file keeps its vnode under another name; two never have the same number.
 * 4. Directories can be read while they change.
 * 5. What a directory had that was removed harms nobody who gets its clusters.
 */
#include "suites.h"

#include "../fake_hal.h"
#include "store.h"

#include "dev/clock.h"
#include "fs/fat32/fat32.h"
#include "fs/fat32/write/write.h"

#include <hal/errno.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTORS 4096u
#define CLUSTER 1024u
#define RAM (8u << 20)
#define YEAR_2000 INT64_C(946684800)

static uint8_t data[40000];

static void build(void)
{
    store_make(SECTORS, CLUSTER);
    store_start(RAM);
    wall_set(YEAR_2000 + 3);
    ck_assert_int_eq(store_mount(), 0);
}

static void unbuild(void)
{
    ck_assert_int_eq(store_unmount(), 0);
    ck_assert_msg(store_passes(CHECK_UNTIDY), "%s", store.finding);
    store_finish();
    free(fake.ram);
    fake.ram = NULL;
}

static void remount_with(const char *options)
{
    ck_assert_int_eq(store_unmount(), 0);
    ck_assert_int_eq(store_mount_with(options), 0);
}

static struct vnode *find(const char *path)
{
    struct vnode *vnode = NULL;

    ck_assert_int_eq(store_lookup(path, &vnode), 0);
    return vnode;
}

static struct vnode_attributes attributes_of(const char *path)
{
    struct vnode *vnode = find(path);
    struct vnode_attributes attributes = vnode->attributes;

    vnode_put(vnode);
    return attributes;
}

static int set(const char *path, const struct vnode_attributes *attributes, unsigned which)
{
    struct vnode *vnode = find(path);
    int error = vnode->ops->set_attributes(vnode, attributes, which);

    vnode_put(vnode);
    return error;
}

/* ---- attributes ---- */

static void check_same(const struct vnode_attributes *a, const struct vnode_attributes *b)
{
    ck_assert_int_eq(a->type, b->type);
    ck_assert_uint_eq(a->mode, b->mode);
    ck_assert_uint_eq(a->links, b->links);
    ck_assert_uint_eq(a->size, b->size);
    ck_assert_uint_eq(a->blocks, b->blocks);
    ck_assert_uint_eq(a->id, b->id);
    ck_assert_int_eq(a->modified, b->modified);
    ck_assert_int_eq(a->accessed, b->accessed);
    ck_assert_int_eq(a->changed, b->changed);
    ck_assert_int_eq(a->created, b->created);
    ck_assert_int_eq(a->read_only, b->read_only);
}

START_TEST(attributes_are_what_is_on_the_card)
{
    const struct vnode_attributes marked = {.mode = 0555};
    struct vnode_attributes file, directory;

    ck_assert_int_eq(store_create("/file"), 0);
    ck_assert_int_eq(store_mkdir("/directory"), 0);
    ck_assert_int_eq(attributes_of("/file").created, (YEAR_2000 + 3) * WALL_NS);
    wall_set(YEAR_2000 + 100007);
    ck_assert_int_eq(store_write("/file", 0, data, 1025), 1025);
    if (_i)
        ck_assert_int_eq(set("/file", &marked, VNODE_SET_MODE), 0);
    file = attributes_of("/file");
    directory = attributes_of("/directory");
    ck_assert_uint_eq(file.mode, _i ? 0555 : 0755);
    ck_assert_uint_eq(file.size, 1025);
    ck_assert_uint_eq(file.blocks, 4);
    ck_assert_int_eq(file.modified, (YEAR_2000 + 100006) * WALL_NS);
    ck_assert_int_eq(file.accessed, (YEAR_2000 + 86400) * WALL_NS);
    ck_assert_uint_eq(directory.mode, 0755);
    ck_assert_uint_eq(directory.size, 0);
    ck_assert_uint_eq(directory.blocks, 2);
    remount_with("");
    {
        const struct vnode_attributes file_now = attributes_of("/file");
        const struct vnode_attributes directory_now = attributes_of("/directory");

        check_same(&file, &file_now);
        check_same(&directory, &directory_now);
    }
}
END_TEST

START_TEST(times_that_fat_cannot_say_become_the_nearest)
{
    static const struct {
        int64_t wanted, modified, accessed;
    } cases[] = {
        {0, 315532800, 315532800},
        {-5, 315532800, 315532800},
        {315532799, 315532800, 315532800},
        {315532801, 315532800, 315532800},
        {951782399, 951782398, 951696000}, /* 2000-02-28 23:59:59 */
        {951782400, 951782400, 951782400}, /* 2000-02-29 */
        {4354819199, 4354819198, 4354732800},
        {INT64_C(5000000000), 4354819198, 4354732800},
    };
    struct vnode_attributes attributes = {.modified = cases[_i].wanted * WALL_NS + 5,
                                          .accessed = cases[_i].wanted * WALL_NS + 5};

    ck_assert_int_eq(store_create("/file"), 0);
    ck_assert_int_eq(set("/file", &attributes, VNODE_SET_MODIFIED | VNODE_SET_ACCESSED), 0);
    for (unsigned i = 0; i < 2; i++) {
        attributes = attributes_of("/file");
        ck_assert_int_eq(attributes.modified, cases[_i].modified * WALL_NS);
        ck_assert_int_eq(attributes.accessed, cases[_i].accessed * WALL_NS);
        ck_assert_int_eq(attributes.created, (YEAR_2000 + 3) * WALL_NS);
        remount_with("");
    }
}
END_TEST

START_TEST(only_what_fat_can_keep_is_taken)
{
    static const struct {
        bool directory;
        unsigned mode;
        int error;
        unsigned becomes;
    } cases[] = {
        {false, 0755, 0, 0755},      {false, 0555, 0, 0555},      {false, 0777, 0, 0755},
        {false, 0444, -EPERM, 0755}, {false, 0655, -EPERM, 0755}, {true, 0755, 0, 0755},
        {true, 0777, 0, 0755},       {true, 0555, -EPERM, 0755},
    };
    const struct vnode_attributes mode = {.mode = (uint16_t)cases[_i].mode};
    const struct vnode_attributes owner = {.uid = 5}, nobody = {.uid = 0};

    ck_assert_int_eq(cases[_i].directory ? store_mkdir("/x") : store_create("/x"), 0);
    ck_assert_int_eq(set("/x", &mode, VNODE_SET_MODE), cases[_i].error);
    ck_assert_uint_eq(attributes_of("/x").mode, cases[_i].becomes);
    ck_assert_int_eq(set("/x", &owner, VNODE_SET_OWNER), -EPERM);
    ck_assert_int_eq(set("/x", &nobody, VNODE_SET_OWNER), 0);
    remount_with("quiet");
    ck_assert_int_eq(set("/x", &mode, VNODE_SET_MODE), 0);
    ck_assert_uint_eq(attributes_of("/x").mode, cases[_i].becomes);
    ck_assert_int_eq(set("/x", &owner, VNODE_SET_OWNER), 0);
    ck_assert_uint_eq(attributes_of("/x").uid, 0);
}
END_TEST

START_TEST(other_types_of_files_are_refused)
{
    static const enum vnode_type types[] = {VNODE_SYMLINK, VNODE_CHARACTER, VNODE_BLOCK,
                                            VNODE_FIFO};
    const struct vnode_attributes attributes = {.type = types[_i], .mode = 0755};
    struct vnode *created = NULL;

    ck_assert_int_eq(store.root->ops->create(store.root, "x", 1, &attributes, &created), -EPERM);
    ck_assert_int_eq(store_count("/"), 0);
}
END_TEST

START_TEST(a_file_can_be_made_read_only)
{
    const struct vnode_attributes attributes = {.type = VNODE_FILE, .mode = 0444};
    struct vnode *created = NULL;

    ck_assert_int_eq(store.root->ops->create(store.root, "x", 1, &attributes, &created), 0);
    ck_assert(created->attributes.read_only);
    ck_assert_uint_eq(created->attributes.mode, 0555);
    vnode_put(created);
    remount_with("");
    ck_assert(attributes_of("/x").read_only);
    ck_assert_int_eq(store_unlink("/x"), 0);
}
END_TEST

/* ---- options ---- */

START_TEST(options_give_owner_and_modes)
{
    struct vnode_attributes attributes;

    ck_assert_int_eq(store_create("/file"), 0);
    ck_assert_int_eq(store_mkdir("/directory"), 0);
    remount_with("uid=1000,gid=100,fmask=133,dmask=27");
    attributes = attributes_of("/file");
    ck_assert_uint_eq(attributes.mode, 0644);
    ck_assert_uint_eq(attributes.uid, 1000);
    ck_assert_uint_eq(attributes.gid, 100);
    ck_assert_uint_eq(attributes_of("/directory").mode, 0750);
    ck_assert_uint_eq(store.root->attributes.mode, 0750);
    remount_with("umask=77,rw");
    ck_assert_uint_eq(attributes_of("/file").mode, 0700);
    ck_assert_uint_eq(attributes_of("/directory").mode, 0700);
}
END_TEST

START_TEST(an_option_that_is_none_is_refused_by_name)
{
    static const char *const options[] = {"nothing",        "uid",       "uid=",       "uid=-1",
                                          "uid=4294967296", "fmask=888", "umask=1000", "ro=1",
                                          "rw,uid=x,ro"};
    struct mount mount = {0};
    struct problem problem;

    ck_assert_int_eq(fat32_file_system.mount(&mount, block_card(), options[_i], &problem), -EINVAL);
    ck_assert_ptr_nonnull(strstr(problem.what, "has no such option"));
}
END_TEST

START_TEST(a_mount_goes_from_writable_to_read_only_and_back)
{
    struct problem problem;
    struct vnode *file;

    ck_assert_int_eq(store_create("/file"), 0);
    file = find("/file");
    ck_assert_int_eq(store_unlink("/file"), 0);
    ck_assert_int_eq(fat32_file_system.remount(&store.mount, "ro", &problem), -EBUSY);
    vnode_put(file);
    ck_assert(!store_mark(27));
    ck_assert_int_eq(fat32_file_system.remount(&store.mount, "ro", &problem), 0);
    ck_assert(store_mark(27));
    ck_assert(store.mount.read_only);
    ck_assert_msg(store_passes(CHECK_UNTIDY), "%s", store.finding);
    ck_assert_int_eq(store_create("/file"), -EROFS);
    ck_assert_int_eq(fat32_file_system.remount(&store.mount, "rw,nonsense", &problem), -EINVAL);
    ck_assert_int_eq(fat32_file_system.remount(&store.mount, "rw,umask=0", &problem), 0);
    ck_assert(!store.mount.read_only);
    ck_assert_int_eq(store_create("/file"), 0);
    ck_assert_uint_eq(attributes_of("/file").mode, 0777);
    ck_assert_int_eq(fat32_file_system.remount(&store.mount, "rw", &problem), 0);
}
END_TEST

START_TEST(a_volume_left_in_use_stays_as_it_is_when_mounted_read_only)
{
    uint8_t *before = malloc(store.size);
    struct problem problem;

    ck_assert_int_eq(store_create("/file"), 0);
    ck_assert_int_eq(store_sync(), 0);
    memcpy(before, store.bytes, store.size);
    ck_assert_int_eq(store_unmount(), 0);
    memcpy(store.bytes, before, store.size); /* as if it had not been unmounted */
    ck_assert_int_eq(store_mount_with("ro"), 0);
    ck_assert_int_eq(store_count("/"), 1);
    ck_assert_int_eq(fat32_file_system.remount(&store.mount, "rw", &problem), -EROFS);
    ck_assert_int_eq(store_unmount(), 0);
    ck_assert_int_eq(memcmp(before, store.bytes, store.size), 0);
    free(before);
    ck_assert_int_eq(store_mount(), 0);
    ck_assert(store_is_writable());
}
END_TEST

START_TEST(an_unmount_that_fails_says_so)
{
    ck_assert_int_eq(store_create("/file"), 0);
    store.requests = 0;
    store.fail_from = 1;
    ck_assert_int_eq(store_unmount(), -EIO);
    store.fail_from = 0;
    ck_assert_int_eq(store_mount(), 0);
    ck_assert_int_eq(store_count("/"), 0);
}
END_TEST

START_TEST(the_status_counts_what_is_free)
{
    struct file_system_status status, read_only;
    uint32_t free_now;

    ck_assert_int_eq(store_create("/file"), 0);
    ck_assert_int_eq(store_write("/file", 0, data, 10 * CLUSTER), 10 * CLUSTER);
    ck_assert_int_eq(fat32_file_system.status(&store.mount, &status), 0);
    ck_assert_uint_eq(status.block_bytes, CLUSTER);
    ck_assert_uint_eq(status.id, 0x7A7BE44F);
    ck_assert_uint_eq(status.name_max, 765);
    remount_with("ro");
    free_now = store_free();
    ck_assert_uint_eq(status.free_blocks, free_now);
    ck_assert_uint_eq(status.blocks, free_now + 11);
    ck_assert_int_eq(fat32_file_system.status(&store.mount, &read_only), 0);
    ck_assert_uint_eq(read_only.free_blocks, free_now);
}
END_TEST

/* ---- identity ---- */

START_TEST(a_file_keeps_its_vnode_under_another_name)
{
    struct vnode *file, *directory, *again;
    uint64_t id;

    ck_assert_int_eq(store_create("/file"), 0);
    ck_assert_int_eq(store_mkdir("/directory"), 0);
    file = find("/file");
    directory = find("/directory");
    id = directory->attributes.id;
    ck_assert_int_eq(store_rename("/file", "/directory/a longer name for it"), 0);
    ck_assert_int_eq(store_rename("/directory", "/DIRECTORY"), 0);
    again = find("/directory/A LONGER name for it");
    ck_assert_ptr_eq(again, file);
    vnode_put(again);
    again = find("/Directory");
    ck_assert_ptr_eq(again, directory);
    ck_assert_uint_eq(directory->attributes.id, id);
    vnode_put(again);
    vnode_put(file);
    vnode_put(directory);
}
END_TEST

START_TEST(numbers_are_of_one_file_at_a_time)
{
    struct vnode *open[20];
    char name[20];

    for (unsigned i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "/F%u", i % 5);
        ck_assert_int_eq(i % 4 ? store_create(name) : store_mkdir(name), 0);
        open[i] = find(name);
        ck_assert_uint_eq(open[i]->attributes.links, 1);
        for (unsigned j = 0; j < i; j++)
            ck_assert_uint_ne(open[i]->attributes.id, open[j]->attributes.id);
        ck_assert_int_eq(i % 4 ? store_unlink(name) : store_rmdir(name), 0);
        ck_assert_uint_eq(open[i]->attributes.links, 0);
    }
    for (unsigned i = 0; i < 20; i++)
        vnode_put(open[i]);
}
END_TEST

START_TEST(nothing_is_made_in_a_directory_that_was_removed)
{
    const struct vnode_attributes attributes = {.type = VNODE_FILE, .mode = 0755};
    struct vnode *directory, *created;

    ck_assert_int_eq(store_mkdir("/d"), 0);
    ck_assert_int_eq(store_create("/file"), 0);
    directory = find("/d");
    ck_assert_int_eq(store_rmdir("/d"), 0);
    ck_assert_int_eq(directory->ops->create(directory, "x", 1, &attributes, &created), -ENOENT);
    vnode_put(directory);
}
END_TEST

/* ---- reading directories while they change ---- */

/* Reads on until the end; a bit for each file "0" to "29" that came, and none twice. */
static uint32_t read_rest(uint64_t *position, unsigned most)
{
    static struct directory_entry entry;
    uint32_t seen = 0;

    for (unsigned i = 0; i < most; i++) {
        unsigned number;

        if (store.root->ops->iterate(store.root, position, &entry))
            break;
        ck_assert_msg(!strchr(entry.name, '~'), "a part of a name: %s", entry.name);
        if (sscanf(entry.name, "%u", &number) != 1)
            continue;
        ck_assert_msg(!(seen >> number & 1), "%u comes twice", number);
        seen |= 1u << number;
    }
    return seen;
}

START_TEST(a_directory_can_be_read_while_it_changes)
{
    uint64_t position = 0;
    uint32_t seen;
    char name[200];

    for (unsigned i = 0; i < 30; i++) {
        snprintf(name, sizeof name, "/%u", i);
        ck_assert_int_eq(store_create(name), 0);
    }
    seen = read_rest(&position, (unsigned)_i);
    /* Around the position, all are replaced by one long name that lies across it. */
    for (unsigned i = 0; i < 30; i++) {
        snprintf(name, sizeof name, "/%u", i);
        if (i + 6 > (unsigned)_i && i < (unsigned)_i + 6)
            ck_assert_int_eq(store_unlink(name), 0);
    }
    ck_assert_int_eq(
        store_create("/this long name has more than the thirteen characters of a slot, "
                     "it has so many that it takes eight of them"),
        0);
    seen |= read_rest(&position, 100);
    for (unsigned i = 0; i < 30; i++)
        if (i + 6 <= (unsigned)_i || i >= (unsigned)_i + 6)
            ck_assert_msg(seen >> i & 1, "%u does not come", i);
}
END_TEST

/*
 * A directory comes, has a file and goes before anything of it is written. Criterion: a directory,
 * or a file's bytes, that could be where it was are as they were made.
 */
START_TEST(a_removed_directory_does_not_write_on_its_heirs)
{
    uint8_t back[CLUSTER];

    memset(data, 'x', sizeof data);
    ck_assert_int_eq(store_mkdir("/parent"), 0);
    ck_assert_int_eq(store_sync(), 0);
    ck_assert_int_eq(store_mkdir("/short"), 0);
    ck_assert_int_eq(store_create("/short/lived"), 0);
    ck_assert_int_eq(store_unlink("/short/lived"), 0);
    ck_assert_int_eq(store_rmdir("/short"), 0);
    if (_i == 0) {
        ck_assert_int_eq(store_mkdir("/parent/heir"), 0);
    } else {
        ck_assert_int_eq(store_create("/parent/heir"), 0);
        ck_assert_int_eq(store_write("/parent/heir", 0, data, CLUSTER), CLUSTER);
    }
    remount_with("");
    if (_i == 1) {
        ck_assert_int_eq(store_read("/parent/heir", 0, back, sizeof back), CLUSTER);
        ck_assert_mem_eq(back, data, CLUSTER);
    }
}
END_TEST

Suite *operation_suite(void)
{
    Suite *suite = suite_create("operations");
    TCase *tests = tcase_create("operations");

    tcase_add_checked_fixture(tests, build, unbuild);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, attributes_are_what_is_on_the_card, 0, 2);
    tcase_add_loop_test(tests, times_that_fat_cannot_say_become_the_nearest, 0, 8);
    tcase_add_loop_test(tests, only_what_fat_can_keep_is_taken, 0, 8);
    tcase_add_loop_test(tests, other_types_of_files_are_refused, 0, 4);
    tcase_add_test(tests, a_file_can_be_made_read_only);
    tcase_add_test(tests, options_give_owner_and_modes);
    tcase_add_loop_test(tests, an_option_that_is_none_is_refused_by_name, 0, 9);
    tcase_add_test(tests, a_mount_goes_from_writable_to_read_only_and_back);
    tcase_add_test(tests, a_volume_left_in_use_stays_as_it_is_when_mounted_read_only);
    tcase_add_test(tests, an_unmount_that_fails_says_so);
    tcase_add_test(tests, the_status_counts_what_is_free);
    tcase_add_test(tests, a_file_keeps_its_vnode_under_another_name);
    tcase_add_test(tests, numbers_are_of_one_file_at_a_time);
    tcase_add_test(tests, nothing_is_made_in_a_directory_that_was_removed);
    tcase_add_loop_test(tests, a_directory_can_be_read_while_it_changes, 0, 30);
    tcase_add_loop_test(tests, a_removed_directory_does_not_write_on_its_heirs, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
