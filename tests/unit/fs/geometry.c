/* SPDX-License-Identifier: MIT */
/*
 * geometry.c: what a boot sector may say.
 *
 * 1. A sound volume mounts, whatever its sector size from 512 to 4096 bytes.
 * 2. Each field that has rules is refused at its extreme values, with a sentence that names the
 * field.
 * 3. Every field at every extreme value is either refused or mounts; nothing panics.
 * 4. Sizes that only fit 64 bits do not wrap around.
 * 5. A broken or unreadable boot sector is replaced by its copy; other file systems are not.
 * 6. The FAT that is marked as active is the one that is read.
 * 7. The formatter aligns clusters, but not if that makes a volume one of FAT16 for others.
 */
#include "suites.h"

#include "../fake_hal.h"
#include "image.h"

#include "fs/fat32/volume.h"
#include "fs/mkfs/mkfs.h"

#include <hal/errno.h>

#include <string.h>

static struct image image;

static void build(void)
{
    image_build(&image, 200);
    image_chain(&image, 10, 1);
    image_fill(&image, 10, 1, 0);
    image_entry(image_cluster(&image, IMAGE_ROOT), "FILE    TXT", IMAGE_FILE, 10, 300);
}

static void unbuild(void)
{
    image_free(&image);
}

START_TEST(a_sound_volume_mounts_and_its_file_reads)
{
    uint8_t data[400];
    struct vnode *file;

    ck_assert_int_eq(image_mount(&image), 0);
    ck_assert_str_eq(vfs_mount_problem(), "");
    ck_assert_str_eq(vfs_mount_device(), "mmcblk0p1");
    file = image_open("/file.txt");
    ck_assert_int_eq(vfs_read(file, 0, data, sizeof data), 300);
    for (unsigned i = 0; i < 300; i++)
        ck_assert_int_eq(data[i], image_pattern(i));
    vnode_put(file);
    vfs_unmount_root();
}
END_TEST

/* Offset, width in bytes, value, and a word of the sentence. */
static const struct {
    unsigned offset, width;
    uint32_t value;
    const char *word;
} lies[] = {
    {11, 2, 0, "bytes per sector"},
    {11, 2, 1, "bytes per sector"},
    {11, 2, 511, "bytes per sector"},
    {11, 2, 8192, "bytes per sector"},
    {11, 2, 0xFFFF, "bytes per sector"},
    {13, 1, 0, "sectors per cluster"},
    {13, 1, 3, "sectors per cluster"},
    {13, 1, 255, "sectors per cluster"},
    {14, 2, 0, "reserved"},
    {16, 1, 0, "number of FATs"},
    {14, 2, 0xFFFF, "sectors of the volume"},
    {16, 1, 255, "sectors of the volume"},
    {17, 2, 512, "root entries"},
    {19, 2, 1, "sectors of the volume"},
    {21, 1, 0, "media"},
    {21, 1, 0xF7, "media"},
    {22, 2, 1, "FAT12 or FAT16"},
    {22, 2, 0xFFFF, "FAT12 or FAT16"},
    {32, 4, 0, "sectors of the volume"},
    {32, 4, 1, "sectors of the volume"},
    {32, 4, 12, "sectors of the volume"},
    {32, 4, 0xFFFFFFFF, "cut short"},
    {36, 4, 0, "sectors per FAT"},
    {36, 4, 0x80000001, "sectors of the volume"},
    {36, 4, 0xFFFFFFFF, "sectors of the volume"},
    {40, 2, 0x8F, "active FAT"},
    {42, 2, 1, "version"},
    {42, 2, 0xFFFF, "version"},
    {44, 4, 0, "root directory"},
    {44, 4, 1, "root directory"},
    {44, 4, 202, "root directory"},
    {44, 4, 0x0FFFFFF7, "root directory"},
    {44, 4, 0xFFFFFFFF, "root directory"},
    {44, 4, 150, "marked as free"},
    {510, 2, 0, "signature"},
};

START_TEST(a_field_that_lies_is_refused_by_name)
{
    for (unsigned i = 0; i < lies[_i].width; i++)
        image_boot8(&image, lies[_i].offset + i, (uint8_t)(lies[_i].value >> 8 * i));
    ck_assert_int_lt(image_mount(&image), 0);
    ck_assert_msg(strstr(vfs_mount_problem(), lies[_i].word) != NULL, "said: %s",
                  vfs_mount_problem());
    ck_assert_msg(strlen(vfs_mount_problem()) > 60, "no remedy: %s", vfs_mount_problem());
}
END_TEST

/** Everything that may be asked of a mounted volume; only that it ends matters. */
static void use_volume(void)
{
    char names[4096];
    uint8_t data[2048];
    struct vnode *file;

    (void)image_list("/", names, sizeof names);
    if (vfs_find(NULL, "/FILE.TXT", 0, &file) == 0) {
        (void)!vfs_read(file, 0, data, sizeof data);
        vnode_put(file);
    }
    vfs_unmount_root();
}

START_TEST(every_byte_of_the_boot_sector_may_have_any_extreme_value)
{
    static const uint8_t values[] = {0x00, 0x01, 0x02, 0x7F, 0x80, 0xFE, 0xFF};
    uint8_t *boot = image_boot(&image);

    for (unsigned offset = 0; offset < 90; offset++) {
        uint8_t old = boot[offset];

        for (unsigned i = 0; i < sizeof values; i++) {
            image_boot8(&image, offset, values[i]);
            if (image_mount(&image) == 0)
                use_volume();
            else
                ck_assert(vfs_mount_problem()[0] != '\0');
        }
        image_boot8(&image, offset, old);
    }
}
END_TEST

START_TEST(every_width_of_every_field_may_be_all_ones)
{
    uint8_t *boot = image_boot(&image);
    uint8_t old[4];

    for (unsigned offset = 11; offset + 4 <= 68; offset++) {
        for (unsigned width = 2; width <= 4; width += 2) {
            memcpy(old, boot + offset, 4);
            for (unsigned i = 0; i < width; i++)
                image_boot8(&image, offset + i, 0xFF);
            if (image_mount(&image) == 0)
                use_volume();
            for (unsigned i = 0; i < width; i++)
                image_boot8(&image, offset + i, old[i]);
        }
    }
}
END_TEST

/** A boot sector by itself, for sizes that no memory holds. */
static int parse(uint32_t reserved, uint32_t fats, uint32_t fat_size, uint32_t total,
                 uint64_t device, struct fat32_geometry *geometry)
{
    struct problem problem;

    image_boot16(&image, 14, (uint16_t)reserved);
    image_boot8(&image, 16, (uint8_t)fats);
    image_boot32(&image, 36, fat_size);
    image_boot32(&image, 32, total);
    return fat32_geometry_parse(image_boot(&image), device, geometry, &problem);
}

START_TEST(sizes_beyond_32_bits_do_not_wrap)
{
    struct fat32_geometry geometry;

    /* 2 * 0x80000001 is 2 in 32 bits; 255 * 0x01010101 is 0xFFFFFFFF; 256 * 2^24 is 0. */
    ck_assert_int_eq(parse(8, 2, 0x80000001, 0xFFFFFFFF, UINT64_MAX / 512, &geometry), -EINVAL);
    ck_assert_int_eq(parse(8, 255, 0x01010102, 0xFFFFFFFF, UINT64_MAX / 512, &geometry), -EINVAL);
    ck_assert_int_eq(parse(65535, 1, 0xFFFFFFFF, 0xFFFFFFFF, UINT64_MAX / 512, &geometry), -EINVAL);
    image_boot16(&image, 11, 4096);
    image_boot8(&image, 13, 128);
    ck_assert_int_eq(parse(32, 2, 40000, 0xFFFFFFFF, UINT64_MAX / 512, &geometry), 0);
    ck_assert_uint_eq(geometry.cluster_shift, 19);
    ck_assert_uint_eq(geometry.data_start, (32 + 80000) * UINT64_C(4096));
    ck_assert_uint_eq(geometry.clusters, (0xFFFFFFFF - 80032) / 128);
    ck_assert_uint_eq(fat32_cluster_offset(&geometry, geometry.clusters + 1),
                      geometry.data_start + ((uint64_t)(geometry.clusters - 1) << 19));
    ck_assert_int_eq(parse(32, 2, 40000, 0xFFFFFFFF, 0xFFFFFFFF, &geometry), -EINVAL);
}
END_TEST

START_TEST(a_fat_that_is_too_small_limits_the_clusters)
{
    struct fat32_geometry geometry;

    ck_assert_int_eq(parse(8, 1, 1, 1000, 1000, &geometry), 0);
    ck_assert(geometry.clamped);
    ck_assert_uint_eq(geometry.clusters, 512 / 4 - 2);
    ck_assert(fat32_cluster_valid(&geometry, 127));
    ck_assert(!fat32_cluster_valid(&geometry, 128));
}
END_TEST

START_TEST(a_broken_boot_sector_is_replaced_by_its_copy)
{
    memset(image_boot(&image), _i == 0 ? 0x00 : 0xFF, IMAGE_SECTOR);
    ck_assert_int_eq(image_mount(&image), 0);
    vnode_put(image_open("/FILE.TXT"));
    vfs_unmount_root();
}
END_TEST

static int64_t unreadable(uint64_t sector, void *data, uint32_t sectors)
{
    if (sector <= IMAGE_PART && IMAGE_PART < sector + sectors)
        return -1;
    memcpy(data, image.bytes + sector * IMAGE_SECTOR, (size_t)sectors * IMAGE_SECTOR);
    return 0;
}

START_TEST(an_unreadable_boot_sector_is_replaced_by_its_copy)
{
    fake_kernel_start(8u << 20);
    fake.card_read = unreadable;
    fake.card_sectors = image.size / IMAGE_SECTOR;
    ck_assert_int_eq(vfs_mount_root(), 0);
    vnode_put(image_open("/FILE.TXT"));
    vfs_unmount_root();
}
END_TEST

START_TEST(another_file_system_is_called_by_its_name)
{
    static const char *const names[] = {"NTFS    ", "EXFAT   "};

    memcpy(image_boot(&image) + 3, names[_i], 8);
    ck_assert_int_eq(image_mount(&image), -ENOTSUP);
    ck_assert_ptr_nonnull(strstr(vfs_mount_problem(), _i == 0 ? "NTFS" : "exFAT"));
}
END_TEST

START_TEST(the_active_fat_is_the_one_that_is_read)
{
    uint8_t *fat = image_boot(&image) + IMAGE_RESERVED * IMAGE_SECTOR;

    memset(fat + 4, 0, (size_t)image.fat_sectors * IMAGE_SECTOR - 4);
    ck_assert_int_eq(image_mount(&image), -EINVAL);
    image_boot16(&image, 40, 0x81);
    ck_assert_int_eq(image_mount(&image), 0);
    vfs_unmount_root();
}
END_TEST

START_TEST(a_fat_that_begins_with_garbage_is_replaced_by_its_copy)
{
    uint8_t *fat = image_boot(&image) + IMAGE_RESERVED * IMAGE_SECTOR;

    memset(fat, 0x5A, IMAGE_SECTOR);
    ck_assert_int_eq(image_mount(&image), 0);
    ck_assert_ptr_nonnull(strstr(fake.console, "the FAT is damaged where it begins"));
    vfs_unmount_root();
}
END_TEST

START_TEST(large_sectors_work_on_a_card_of_small_ones)
{
    uint32_t bytes = 512u << _i;
    uint32_t reserved = 8, fat = 1, clusters = 20;
    uint8_t *boot, *table;
    char names[256];

    image_free(&image);
    image_build(&image, (reserved + fat + clusters) * (bytes / 512));
    boot = image_boot(&image);
    table = boot + reserved * bytes;
    memset(boot + IMAGE_SECTOR, 0, image.size - (IMAGE_PART + 1) * IMAGE_SECTOR);
    memcpy(boot + 11, (uint8_t[]){(uint8_t)bytes, (uint8_t)(bytes >> 8)}, 2);
    boot[16] = 1;
    memcpy(boot + 32, (uint8_t[]){(uint8_t)(reserved + fat + clusters), 0, 0, 0}, 4);
    memcpy(boot + 36, (uint8_t[]){1, 0, 0, 0}, 4);
    memset(table, 0xFF, 12);
    image_entry(table + bytes, "BIG     SEC", IMAGE_FILE, 0, 0);
    ck_assert_int_eq(image_mount(&image), 0);
    ck_assert_int_eq(image_list("/", names, sizeof names), 0);
    ck_assert_str_eq(names, "BIG.SEC\n");
    vfs_unmount_root();
}
END_TEST

static uint32_t start; /* of the clusters of the volume that was formatted last, in sectors */

static int note_start(void *context, uint64_t sector, const void *data, unsigned count)
{
    const uint8_t *boot = data;

    (void)context;
    (void)count;
    if (sector == 0 && boot[510] == 0x55)
        start = (boot[14] | boot[15] << 8) + boot[16] * (uint32_t)(boot[36] | boot[37] << 8);
    return 0;
}

START_TEST(clusters_are_aligned_but_stay_enough_for_fat32)
{
    enum { HIDDEN = 63, CLUSTER = 8, ENOUGH = 65525, SECTORS = ENOUGH * CLUSTER + 32 + 2 * 512 };
    unsigned aligned = 0, kept = 0;

    for (unsigned sectors = SECTORS - 40; sectors < SECTORS + 40; sectors++) {
        struct mkfs_options options = {.hidden = HIDDEN,
                                       .sectors = sectors,
                                       .cluster_bytes = CLUSTER * 512,
                                       .write = note_start,
                                       .reserved = 32};
        struct mkfs_result plain, result;

        ck_assert_int_eq(fat_format(&options, &plain), 0);
        options.reserved = 0;
        ck_assert_int_eq(fat_format(&options, &result), 0);
        ck_assert_uint_eq(result.clusters >= ENOUGH, plain.clusters >= ENOUGH);
        aligned += (HIDDEN + start) % CLUSTER == 0;
        kept += (HIDDEN + start) % CLUSTER != 0;
    }
    ck_assert_uint_gt(aligned, 70);
    ck_assert_uint_gt(kept, 0);
}
END_TEST

Suite *geometry_suite(void)
{
    Suite *suite = suite_create("geometry");
    TCase *tests = tcase_create("boot sector");

    tcase_add_checked_fixture(tests, build, unbuild);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_sound_volume_mounts_and_its_file_reads);
    tcase_add_loop_test(tests, a_field_that_lies_is_refused_by_name, 0,
                        sizeof lies / sizeof lies[0]);
    tcase_add_test(tests, every_byte_of_the_boot_sector_may_have_any_extreme_value);
    tcase_add_test(tests, every_width_of_every_field_may_be_all_ones);
    tcase_add_test(tests, sizes_beyond_32_bits_do_not_wrap);
    tcase_add_test(tests, a_fat_that_is_too_small_limits_the_clusters);
    tcase_add_loop_test(tests, a_broken_boot_sector_is_replaced_by_its_copy, 0, 2);
    tcase_add_test(tests, an_unreadable_boot_sector_is_replaced_by_its_copy);
    tcase_add_loop_test(tests, another_file_system_is_called_by_its_name, 0, 2);
    tcase_add_test(tests, the_active_fat_is_the_one_that_is_read);
    tcase_add_test(tests, a_fat_that_begins_with_garbage_is_replaced_by_its_copy);
    tcase_add_loop_test(tests, large_sectors_work_on_a_card_of_small_ones, 0, 4);
    tcase_add_test(tests, clusters_are_aligned_but_stay_enough_for_fat32);
    suite_add_tcase(suite, tests);
    return suite;
}
