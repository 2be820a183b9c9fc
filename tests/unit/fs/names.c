/* SPDX-License-Identifier: MIT */
/*
 * names.c: the long and the short names of directory entries.
 *
 * 1. A long name of 1 to 255 units reads as its UTF-8; a longer one is none.
 * 2. Slots in any physical order make up a name; a set that is not whole, or whose checksum or
 *    marks do not fit, leaves the short name, and the file is never lost.
 * 3. What cannot be in a path is shown as ':' and four hexadecimal digits, and found by that.
 * 4. Short names: the dot, case marks, 05 for E5, code page 437.
 * 5. Both names find the file, in either case, for the scripts that name.c lists.
 */
#include "suites.h"

#include "image.h"

#include "fs/fat32/entry/entry.h"

#include <hal/errno.h>

#include <stdlib.h>
#include <string.h>

#define SHORT "SHORTN~1TXT"

static struct image image;
static uint8_t *root;

static void build(void)
{
    image_build(&image, 100);
    root = image_cluster(&image, IMAGE_ROOT);
    /* The root has three clusters, 48 slots: room for one long name of any length. */
    image_chain(&image, IMAGE_ROOT, 3);
}

static void unbuild(void)
{
    image_free(&image);
}

/** The name under which a file with these units shows. */
static const char *shown(const uint16_t *units, unsigned n)
{
    static char names[4096];
    unsigned slots = image_long(root, units, n, SHORT);

    image_entry(root + slots * 32, SHORT, IMAGE_FILE, 0, 0);
    ck_assert_int_eq(image_mount(&image), 0);
    ck_assert_int_eq(image_list("/", names, sizeof names), 0);
    ck_assert(names[0] != '\0');
    names[strlen(names) - 1] = '\0';
    return names;
}

START_TEST(a_long_name_may_have_1_to_255_units)
{
    uint16_t units[260];
    char want[300];
    const char *name;

    for (unsigned i = 0; i < 260; i++)
        units[i] = (uint16_t)('a' + i % 26);
    for (unsigned n = 1; n <= 260; n++) {
        memset(root, 0, 3 * IMAGE_SECTOR);
        for (unsigned i = 0; i < n; i++)
            want[i] = (char)units[i];
        want[n] = '\0';
        name = shown(units, n);
        ck_assert_str_eq(name, n <= 255 ? want : "SHORTN~1.TXT");
        vnode_put(image_open(name));
        vfs_unmount_root();
    }
}
END_TEST

START_TEST(the_longest_name_in_utf8_is_765_bytes)
{
    uint16_t units[255];
    const char *name;

    for (unsigned i = 0; i < 255; i++)
        units[i] = 0x65E5;
    name = shown(units, 255);
    ck_assert_uint_eq(strlen(name), 765);
    vnode_put(image_open(name));
    vfs_unmount_root();
}
END_TEST

/* Units, how many, and the UTF-8 that they are shown as. */
static const struct {
    uint16_t units[8];
    unsigned n;
    const char *shown;
} texts[] = {
    {{0xFC, 0x3BB, 0x44F, 0x20AC}, 4, "\u00fc\u03bb\u044f\u20ac"},
    {{0xD83C, 0xDF53}, 2, "\U0001F353"},
    {{0xDBFF, 0xDFFF}, 2, "\U0010FFFF"},
    {{0xD83C, 'x'}, 2, ":D83Cx"},
    {{0xDF53, 0xD83C}, 2, ":DF53:D83C"},
    {{'a', 0xD83C}, 2, "a:D83C"},
    {{0xD83C, 0xD83C, 0xDF53}, 3, ":D83C\U0001F353"},
    {{'a', '/', 'b'}, 3, "a:002Fb"},
    {{'.', '.', '/', 'x'}, 4, "..:002Fx"},
    {{1, 0x1B, 0x7F, 0x85}, 4, ":0001:001B:007F:0085"},
    {{'a', ':', 'b'}, 3, "a:003Ab"},
    {{'.'}, 1, "SHORTN~1.TXT"},
    {{'.', '.'}, 2, "SHORTN~1.TXT"},
    {{'.', '.', '.'}, 3, "..."},
    {{' '}, 1, " "},
    {{'+', ',', ';', '=', '[', ']'}, 6, "+,;=[]"},
};

START_TEST(units_become_utf8_or_an_escape_and_find_the_file)
{
    ck_assert_str_eq(shown(texts[_i].units, texts[_i].n), texts[_i].shown);
    vnode_put(image_open(texts[_i].shown));
    vnode_put(image_open("shortn~1.txt"));
    vfs_unmount_root();
}
END_TEST

START_TEST(escapes_that_do_not_fit_leave_the_short_name)
{
    uint16_t units[255];

    for (unsigned i = 0; i < 255; i++)
        units[i] = 0xD800;
    ck_assert_str_eq(shown(units, 255), "SHORTN~1.TXT");
    vfs_unmount_root();
}
END_TEST

/* A name of three slots, spoilt in one byte: slot, offset, value. */
static const struct {
    unsigned slot, offset;
    uint8_t value;
} spoils[] = {
    {0, 0, 0x43 | 0x80}, {0, 0, 0x03},  {0, 0, 0x40},  {0, 0, 0x42},  {0, 0, 0x44}, {0, 0, 0x7F},
    {0, 0, 0x55},        {1, 0, 0x00},  {1, 0, 0x03},  {1, 0, 0x01},  {1, 0, 0xE5}, {2, 0, 0x02},
    {2, 0, 0xE5},        {0, 13, 0xFF}, {1, 13, 0xFF}, {2, 13, 0xFF}, {0, 26, 1},   {1, 27, 1},
    {0, 11, 0x20},       {1, 11, 0x08}, {2, 1, 0},     {1, 11, 0x1F},
};

/** 30 units, so three slots: "AAAA...BBBB...CCCC". */
static void build_three_slots(uint8_t *slots)
{
    uint16_t units[30];

    for (unsigned i = 0; i < 30; i++)
        units[i] = (uint16_t)("abc"[i / 13]);
    ck_assert_uint_eq(image_long(slots, units, 30, SHORT), 3);
    image_entry(slots + 96, SHORT, IMAGE_FILE, 0, 0);
}

START_TEST(a_damaged_long_name_leaves_the_short_one)
{
    char names[4096];

    build_three_slots(root);
    root[spoils[_i].slot * 32 + spoils[_i].offset] = spoils[_i].value;
    if (spoils[_i].slot == 2 && spoils[_i].offset == 1)
        root[2 * 32 + 2] = 0;
    ck_assert_int_eq(image_mount(&image), 0);
    ck_assert_int_eq(image_list("/", names, sizeof names), 0);
    /* A zero in front would be the directory's end, and no slot after it counts. */
    if (spoils[_i].value != 0 || spoils[_i].offset != 0)
        ck_assert_msg(strstr(names, "SHORTN~1.TXT\n") != NULL, "%s", names);
    vfs_unmount_root();
}
END_TEST

START_TEST(slots_may_lie_in_any_order)
{
    static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    uint8_t slots[128];
    char names[256];

    build_three_slots(slots);
    for (unsigned i = 0; i < 3; i++)
        memcpy(root + i * 32, slots + orders[_i][i] * 32, 32);
    memcpy(root + 96, slots + 96, 32);
    ck_assert_int_eq(image_mount(&image), 0);
    ck_assert_int_eq(image_list("/", names, sizeof names), 0);
    ck_assert_str_eq(names, "aaaaaaaaaaaaabbbbbbbbbbbbbcccc\n");
    vfs_unmount_root();
}
END_TEST

START_TEST(orphaned_slots_do_not_spoil_the_next_name)
{
    char names[512];

    /* All three slots of one name, without their entry; then two of its slots and a whole name. */
    build_three_slots(root);
    build_three_slots(root + 96);
    build_three_slots(root + 96 + 64);
    ck_assert_int_eq(image_mount(&image), 0);
    ck_assert_int_eq(image_list("/", names, sizeof names), 0);
    ck_assert_str_eq(names, "aaaaaaaaaaaaabbbbbbbbbbbbbcccc\n");
    vfs_unmount_root();
}
END_TEST

START_TEST(deleted_and_label_entries_part_a_name_from_its_slots)
{
    char names[512];

    build_three_slots(root);
    memcpy(root + 128, root + 96, 32);
    image_entry(root + 96, _i == 0 ? "\xE5HORTN~1TXT" : "LABEL      ",
                _i == 0 ? IMAGE_FILE : IMAGE_LABEL, 0, 0);
    ck_assert_int_eq(image_mount(&image), 0);
    ck_assert_int_eq(image_list("/", names, sizeof names), 0);
    ck_assert_str_eq(names, "SHORTN~1.TXT\n");
    vfs_unmount_root();
}
END_TEST

/* An entry's 11 bytes, its case marks, and what it is shown as. */
static const struct {
    const char *raw;
    uint8_t marks;
    const char *shown;
} shorts[] = {
    {"README  TXT", 0x00, "README.TXT"},
    {"README  TXT", 0x08, "readme.TXT"},
    {"README  TXT", 0x10, "README.txt"},
    {"README  TXT", 0x18, "readme.txt"},
    {"README     ", 0x18, "readme"},
    {"A       B  ", 0x00, "A.B"},
    {"        TXT", 0x00, ".TXT"},
    {"A B     C D", 0x00, "A B.C D"},
    {"12345678ABC", 0x00, "12345678.ABC"},
    {"\x05MPLE   TXT", 0x00, "\u03c3MPLE.TXT"},
    {"\x81"
     "BER    TXT",
     0x00, "\u00fcBER.TXT"},
    {"\x8E\x99\x9A\xE1    TXT", 0x08, "\u00c4\u00d6\u00dc\u00df.TXT"},
    {"A/B     \x01:C", 0x00, "A:002FB.:0001:003AC"},
    {"           ", 0x00, ":0020"},
    {"\xFF          ", 0x00, "\u00a0"},
};

START_TEST(a_short_name_is_shown_readably_and_found)
{
    char names[256];

    image_entry(root, shorts[_i].raw, IMAGE_FILE, 0, 0);
    root[12] = shorts[_i].marks;
    ck_assert_int_eq(image_mount(&image), 0);
    ck_assert_int_eq(image_list("/", names, sizeof names), 0);
    names[strlen(names) - 1] = '\0';
    ck_assert_str_eq(names, shorts[_i].shown);
    vnode_put(image_open(names));
    vfs_unmount_root();
}
END_TEST

/* Pairs that are the same name, and pairs that are not. */
static const struct {
    const char *a, *b;
    bool equal;
} pairs[] = {
    {"readme.txt", "README.TXT", true},
    {"a", "ab", false},
    {"", "", true},
    {"", "a", false},
    {"@", "`", false},
    {"[", "{", false},
    {"GR\u00dc\u00dfE", "gr\u00fc\u00dfe", true},
    {"\u00d7", "\u00f7", false},
    {"\u0178", "\u00ff", true},
    {"\u0100\u0141\u017d", "\u0101\u0142\u017e", true},
    {"\u0101", "\u0102", false},
    {"\u0141", "\u0140", false},
    {"\u0391\u0398\u0397\u039d\u0391", "\u03b1\u03b8\u03b7\u03bd\u03b1", true},
    {"\u0386\u0388\u038c\u038e\u038f", "\u03ac\u03ad\u03cc\u03cd\u03ce", true},
    {"\u041c\u041e\u0421\u041a\u0412\u0410", "\u043c\u043e\u0441\u043a\u0432\u0430", true},
    {"\u0401", "\u0451", true},
    {"\u65e5\u672c", "\u65e5\u672c", true},
    {"\u65e5", "\u672c", false},
    {"\xFF", "\xFF", true},
    {"\xC3", "\xC3", true},
    {"\xC3", "\xC3\x9C", false},
    {"\xC3", "\u00c3", false},
};

START_TEST(names_match_without_regard_to_case)
{
    const char *a = pairs[_i].a, *b = pairs[_i].b;

    ck_assert_int_eq(fat32_name_equal(a, strlen(a), b, strlen(b)), pairs[_i].equal);
    ck_assert_int_eq(fat32_name_equal(b, strlen(b), a, strlen(a)), pairs[_i].equal);
}
END_TEST

START_TEST(comparing_stays_inside_the_names)
{
    /* Cut in every place of its characters, the name is never read past its end (under ASan). */
    static const char text[] = "\u00fc\u65e5\U0001F353x";

    for (size_t n = 0; n < sizeof text; n++) {
        char *copy = malloc(n > 0 ? n : 1);

        memcpy(copy, text, n);
        ck_assert(fat32_name_equal(copy, n, copy, n));
        free(copy);
    }
}
END_TEST

Suite *name_suite(void)
{
    Suite *suite = suite_create("name");
    TCase *tests = tcase_create("names");

    tcase_add_checked_fixture(tests, build, unbuild);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_long_name_may_have_1_to_255_units);
    tcase_add_test(tests, the_longest_name_in_utf8_is_765_bytes);
    tcase_add_loop_test(tests, units_become_utf8_or_an_escape_and_find_the_file, 0,
                        sizeof texts / sizeof texts[0]);
    tcase_add_test(tests, escapes_that_do_not_fit_leave_the_short_name);
    tcase_add_loop_test(tests, a_damaged_long_name_leaves_the_short_one, 0,
                        sizeof spoils / sizeof spoils[0]);
    tcase_add_loop_test(tests, slots_may_lie_in_any_order, 0, 6);
    tcase_add_test(tests, orphaned_slots_do_not_spoil_the_next_name);
    tcase_add_loop_test(tests, deleted_and_label_entries_part_a_name_from_its_slots, 0, 2);
    tcase_add_loop_test(tests, a_short_name_is_shown_readably_and_found, 0,
                        sizeof shorts / sizeof shorts[0]);
    tcase_add_loop_test(tests, names_match_without_regard_to_case, 0,
                        sizeof pairs / sizeof pairs[0]);
    tcase_add_test(tests, comparing_stays_inside_the_names);
    suite_add_tcase(suite, tests);
    return suite;
}
