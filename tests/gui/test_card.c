/* SPDX-License-Identifier: MIT */
/*
 * The picture of the card in the window.
 *
 * The card is 128 KiB: a FAT32 volume of 32 reserved sectors, one FAT of 2 sectors and 222 clusters
 * of a sector, that this test writes byte by byte.
 *
 * Criteria:
 *  1. A square has the colour of what its cluster is: file, directory, free, nobody's, bad.
 *  2. Under the mouse all clusters of the file are marked, and the status line has its path.
 *  3. Long names, short ones, and directories in directories make paths.
 *  4. Reads and writes glow, each in its colour, and the glow ends.
 *  5. What was written shows up; without a write the card is not read again.
 *  6. Without a card, or without a volume, it says so. A partition is found.
 *  7. A chain in a circle, one that leaves the volume, two files that share a cluster and a
 *     directory that contains itself do no harm.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gui_test.h"
#include "panel_test.h"

#define CARD (1u << PANEL_CARD)
#define SECTORS 256u
#define FAT 32u
#define DATA 34u
#define END 0x0fffffffu

static uint8_t image[(SECTORS + 8) * 512];
static uint8_t *volume;

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value & 0xffff);
    put16(at + 2, value >> 16);
}

static void link_cluster(uint32_t cluster, uint32_t next)
{
    put32(volume + FAT * 512 + cluster * 4, next);
}

static uint8_t *slot(uint32_t cluster, unsigned number)
{
    return volume + (DATA + cluster - 2) * 512 + number * 32;
}

static void enter(uint32_t cluster, unsigned number, const char *name, unsigned attributes,
                  uint32_t start)
{
    uint8_t *at = slot(cluster, number);

    memcpy(at, name, 11);
    at[11] = (uint8_t)attributes;
    put16(at + 20, start >> 16);
    put16(at + 26, start & 0xffff);
}

/* The slot of a long name of up to 13 letters, before the entry in slot number + 1. */
static void enter_long(uint32_t cluster, unsigned number, const char *name)
{
    static const uint8_t places[13] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
    const uint8_t *entry = slot(cluster, number + 1);
    uint8_t *at = slot(cluster, number), sum = 0;

    for (unsigned i = 0; i < 11; i++)
        sum = (uint8_t)((sum << 7 | sum >> 1) + entry[i]);
    memset(at, 0xff, 32);
    at[0] = 0x41;
    at[11] = 0x0f;
    at[12] = at[26] = at[27] = 0;
    at[13] = sum;
    for (unsigned i = 0; i < 13 && i <= strlen(name); i++)
        put16(at + places[i], (unsigned char)name[i]);
}

/*
 * 2 the root; 3, 5, 4 /A long name; 6 /SUB, 7 and 8 /SUB/deep.txt; 10 bad, 11 nobody's.
 */
static void format(uint64_t first)
{
    memset(image, 0, sizeof(image));
    volume = image + first * 512;
    put16(volume + 11, 512);
    volume[13] = 1;
    put16(volume + 14, FAT);
    volume[16] = 1;
    put32(volume + 32, SECTORS);
    put32(volume + 36, DATA - FAT);
    put32(volume + 44, 2);
    put16(volume + 510, 0xaa55);
    for (uint32_t cluster = 0; cluster < 9; cluster++)
        link_cluster(cluster, END);
    link_cluster(3, 5);
    link_cluster(5, 4);
    link_cluster(7, 8);
    link_cluster(10, 0x0ffffff7);
    link_cluster(11, END);
    enter(2, 0, "CARD       ", 0x08, 0);
    enter(2, 2, "ALONGN~1   ", 0x20, 3);
    enter_long(2, 1, "A long name");
    enter(2, 3, "SUB        ", 0x10, 6);
    enter(6, 0, ".          ", 0x10, 6);
    enter(6, 1, "..         ", 0x10, 0);
    enter(6, 2, "DEEP    TXT", 0x20, 7);
    slot(6, 2)[12] = 0x18;
}

static void setup(void)
{
    setup_panel();
    machine.host = &host_now;
    machine.card = image;
    machine.card_sectors = sizeof(image) / 512;
    format(0);
    options.card = true;
}

static void open_card(void)
{
    open_panel();
    panel_frame(panel);
}

static void access_card(uint64_t sector, bool written)
{
    machine.accesses[machine.access_count++] =
        (struct tb_card_access){.sector = sector, .sectors = 1, .written = written};
}

static struct rect find_square(uint32_t cluster)
{
    struct rect square;

    ck_assert(card_view_find(panel_card(panel), cluster, &square));
    return square;
}

static uint32_t colour_of(uint32_t cluster)
{
    struct rect square = find_square(cluster);

    return pixel(square.x + square.width / 2, square.y + square.height / 2);
}

static bool is_marked(uint32_t cluster)
{
    struct rect square = find_square(cluster);

    return pixel(square.x, square.y) == 0xffffff;
}

static void hover(uint32_t cluster)
{
    struct rect square = find_square(cluster);

    panel_hover(panel, square.x + 1, square.y + 1);
    panel_frame(panel);
}

static const char *described(void)
{
    static char text[160];

    return card_view_describe(panel_card(panel), text, sizeof(text)) ? text : "";
}

START_TEST(a_square_has_the_colour_of_its_cluster)
{
    open_card();
    ck_assert_uint_eq(colour_of(2), card_view_colour(CARD_DIRECTORY));
    for (uint32_t cluster = 3; cluster <= 5; cluster++)
        ck_assert_uint_eq(colour_of(cluster), card_view_colour(CARD_FILE));
    ck_assert_uint_eq(colour_of(6), card_view_colour(CARD_DIRECTORY));
    ck_assert_uint_eq(colour_of(8), card_view_colour(CARD_FILE));
    ck_assert_uint_eq(colour_of(9), card_view_colour(CARD_FREE));
    ck_assert_uint_eq(colour_of(10), card_view_colour(CARD_BAD));
    ck_assert_uint_eq(colour_of(11), card_view_colour(CARD_LOST));
    ck_assert_uint_eq(colour_of(200), card_view_colour(CARD_FREE));
}
END_TEST

START_TEST(the_file_under_the_mouse_is_marked)
{
    open_card();
    ck_assert_str_eq(described(), "");
    hover(4);
    ck_assert_str_eq(described(), "/A long name: 3 clusters from 3 on");
    ck_assert(is_marked(3) && is_marked(4) && is_marked(5));
    ck_assert(!is_marked(2) && !is_marked(6) && !is_marked(7));
    hover(8);
    ck_assert_str_eq(described(), "/SUB/deep.txt: 2 clusters from 7 on");
    ck_assert(is_marked(7) && is_marked(8) && !is_marked(4));
    hover(6);
    ck_assert_str_eq(described(), "/SUB: 1 cluster from 6 on");
    hover(2);
    ck_assert_str_eq(described(), "/: 1 cluster from 2 on");
    hover(10);
    ck_assert_str_eq(described(), "cluster 10: marked as bad");
    hover(9);
    ck_assert_str_eq(described(), "cluster 9: free");
    ck_assert(!is_marked(7));
    panel_hover(panel, 0, 0);
    panel_frame(panel);
    ck_assert_str_eq(described(), "");
}
END_TEST

START_TEST(requests_glow)
{
    uint32_t colour;

    open_card();
    access_card(DATA + 9 - 2, true);
    access_card(DATA + 3 - 2, false);
    ck_assert_uint_ne(panel_frame(panel) & CARD, 0);
    ck_assert_uint_eq(colour_of(9), card_view_flash(true));
    ck_assert_uint_eq(colour_of(3), card_view_flash(false));
    ck_assert_uint_eq(colour_of(4), card_view_colour(CARD_FILE));
    host_now += 200 * MS;
    panel_frame(panel);
    colour = colour_of(9);
    ck_assert_uint_ne(colour, card_view_flash(true));
    ck_assert_uint_ne(colour, card_view_colour(CARD_FREE));
    host_now += 1000 * MS;
    panel_frame(panel);
    ck_assert_uint_eq(colour_of(9), card_view_colour(CARD_FREE));
    ck_assert_uint_eq(colour_of(3), card_view_colour(CARD_FILE));
}
END_TEST

START_TEST(a_change_shows_up_and_nothing_else_is_read)
{
    unsigned reads;

    open_card();
    reads = machine.card_reads;
    host_now += 1000 * MS;
    access_card(DATA, false);
    panel_frame(panel);
    ck_assert_uint_eq(machine.card_reads, reads);
    link_cluster(8, 9);
    link_cluster(9, END);
    access_card(FAT, true);
    panel_frame(panel);
    ck_assert_uint_gt(machine.card_reads, reads);
    host_now += 1000 * MS;
    panel_frame(panel);
    ck_assert_uint_eq(colour_of(9), card_view_colour(CARD_FILE));
    ck_assert_uint_eq(panel_frame(panel) & CARD, 0);
}
END_TEST

/* The volume is a partition. */
static void format_partition(void)
{
    format(8);
    image[446 + 4] = 0x0c;
    put32(image + 446 + 8, 8);
    put32(image + 446 + 12, SECTORS);
    put16(image + 510, 0xaa55);
}

START_TEST(a_partition_is_found)
{
    format_partition();
    open_card();
    ck_assert_uint_eq(colour_of(3), card_view_colour(CARD_FILE));
    access_card(8 + DATA, false);
    panel_frame(panel);
    ck_assert_uint_eq(colour_of(2), card_view_flash(false));
}
END_TEST

/* Before there was a table, a volume had all of the card: its boot sector may still be there. */
START_TEST(a_partition_counts_more_than_an_old_boot_sector)
{
    format_partition();
    memcpy(image, volume, 64);
    open_card();
    ck_assert_uint_eq(colour_of(3), card_view_colour(CARD_FILE));
}
END_TEST

START_TEST(without_a_volume_there_is_nothing_to_point_at)
{
    struct rect square;

    machine.card = NULL;
    open_card();
    ck_assert(!card_view_find(panel_card(panel), 2, &square));
    ck_assert_str_eq(described(), "");
    panel_destroy(panel);
    memset(image, 0, sizeof(image));
    machine.card = image;
    access_card(0, true);
    open_card();
    ck_assert(!card_view_find(panel_card(panel), 2, &square));
    format(0);
    access_card(0, true);
    host_now += 1000 * MS;
    panel_frame(panel);
    ck_assert_uint_eq(colour_of(2), card_view_colour(CARD_DIRECTORY));
}
END_TEST

START_TEST(nonsense_does_no_harm)
{
    link_cluster(4, 3);                      /* 3, 5, 4, 3: a circle */
    link_cluster(8, 0x0abcdef0);             /* leaves the volume */
    enter(2, 4, "SAME       ", 0x20, 5);     /* shares a cluster */
    enter(6, 3, "LOOP       ", 0x10, 2);     /* contains itself */
    enter(6, 4, "FAR        ", 0x10, 99999); /* starts nowhere */
    open_card();
    hover(5);
    ck_assert_str_eq(described(), "/A long name: 3 clusters from 3 on");
    hover(8);
    ck_assert_str_eq(described(), "/SUB/deep.txt: 2 clusters from 7 on");
    for (uint32_t seed = 1; seed < 200; seed++) {
        uint32_t random = seed * 2654435761u;

        format(0);
        for (unsigned i = 0; i < 40; i++, random = random * 1664525 + 1013904223)
            volume[random >> 8 & 0x7fff] = (uint8_t)random;
        access_card(FAT, true);
        host_now += 1000 * MS;
        panel_frame(panel);
        machine.access_count = 0;
    }
}
END_TEST

START_TEST(card_and_memory_share_the_room)
{
    struct rect card, memory;

    options.memory = true;
    open_card();
    card = panel_area(panel, PANEL_CARD);
    memory = panel_area(panel, PANEL_MEMORY);
    ck_assert_int_eq(card.x + card.width, memory.x);
    ck_assert_int_eq(card.y, memory.y);
    ck_assert_uint_eq(colour_of(3), card_view_colour(CARD_FILE));
    panel_command(panel, PANEL_SHOW_CARD);
    ck_assert_int_eq(panel_area(panel, PANEL_CARD).height, 0);
    ck_assert_int_gt(panel_area(panel, PANEL_MEMORY).width, memory.width);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        a_square_has_the_colour_of_its_cluster,
        the_file_under_the_mouse_is_marked,
        requests_glow,
        a_change_shows_up_and_nothing_else_is_read,
        a_partition_is_found,
        a_partition_counts_more_than_an_old_boot_sector,
        without_a_volume_there_is_nothing_to_point_at,
        nonsense_does_no_harm,
        card_and_memory_share_the_room,
    };

    return gui_test_run("card", tests, sizeof(tests) / sizeof(tests[0]), setup, teardown_panel);
}
