/* SPDX-License-Identifier: MIT */
/*
 * sample.c: see sample.h.
 */
#include "sample.h"

static void build_root(struct image *image)
{
    static const uint16_t name[] = {'A', ' ', 'l', 'o', 'n',    'g',    ' ', 0xFC, 'n', 'i', 'c',
                                    'o', 'd', 'e', ' ', 0xD83C, 0xDF53, '.', 't',  'x', 't'};
    uint8_t *root = image_cluster(image, IMAGE_ROOT), *more = image_cluster(image, 20);
    unsigned slots;

    image_entry(root, "SAMPLE     ", IMAGE_LABEL, 0, 0);
    image_entry(root + 32, "WHOLE   TXT", IMAGE_FILE, 30, 8 * IMAGE_SECTOR - 7);
    image_entry(root + 64, "PIECES  TXT", IMAGE_FILE, 50, 5 * IMAGE_SECTOR);
    slots = image_long(root + 96, name, sizeof name / sizeof name[0], "ALONGN~1TXT");
    image_entry(root + 96 + slots * 32, "ALONGN~1TXT", IMAGE_FILE, 10, 100);
    for (unsigned i = 4 + slots; i < 16; i++)
        image_entry(root + i * 32, "\xE5GONE       ", IMAGE_FILE, 0, 0);
    image_entry(more, "DIR        ", IMAGE_DIRECTORY, 3, 0);
    image_entry(more + 32, "EMPTY      ", IMAGE_FILE, 0, 0);
    image_link(image, IMAGE_ROOT, 20);
    image_link(image, 20, IMAGE_END);
}

static void build_directory(struct image *image, uint32_t cluster, uint32_t parent)
{
    uint8_t *slots = image_cluster(image, cluster);

    image_entry(slots, ".          ", IMAGE_DIRECTORY, cluster, 0);
    image_entry(slots + 32, "..         ", IMAGE_DIRECTORY, parent, 0);
    image_link(image, cluster, IMAGE_END);
}

void sample_build(struct image *image)
{
    static const uint32_t pieces[] = {50, 12, 52, 14, 51};

    image_build(image, SAMPLE_CLUSTERS);
    build_root(image);
    build_directory(image, 3, 0);
    image_entry(image_cluster(image, 3) + 64, "SUB        ", IMAGE_DIRECTORY, 4, 0);
    build_directory(image, 4, 3);
    image_entry(image_cluster(image, 4) + 64, "DEEP    TXT", IMAGE_FILE, 11, 512);
    image_chain(image, 10, 1);
    image_chain(image, 11, 1);
    image_chain(image, 30, 8);
    image_fill(image, 30, 8, 0);
    for (unsigned i = 0; i < 5; i++) {
        image_link(image, pieces[i], i < 4 ? pieces[i + 1] : IMAGE_END);
        image_fill(image, pieces[i], 1, (uint64_t)i * IMAGE_SECTOR);
    }
}
