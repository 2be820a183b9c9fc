/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. A list of ATAGs, and a device tree as dtc makes it, are read: memory, reserved ranges,
 * command line.
 *  2. Every malformed list and tree ends, stays within its bytes, says what is wrong, and loses
 * nothing before the flaw. No depth of a tree is too great.
 *  3. 64 ranges of memory are taken; the 65th is named. Reserved ranges are never lost.
 *
 * TAYBERRY_TREE is board.dts, flattened by dtc; without it, its test is skipped.
 */
#include "boot/cmdline.h"
#include "boot/tags/atags.h"
#include "boot/tags/fdt.h"
#include "boot/tags/tags.h"
#include "tree_builder.h"

#include "../../marks.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1u << 20)

static struct boot_info info;
static struct builder tree;

/* Exactly as much memory as there is, so that a sanitizer sees a step too far. */
static void read_bytes(const void *tags, size_t bytes)
{
    void *copy = malloc(bytes ? bytes : 1);

    memcpy(copy, tags, bytes);
    tags_read(copy, bytes, &info);
    free(copy);
    ck_assert_uint_le(info.ram_count, BOOT_RAM_MAX);
    ck_assert_uint_le(info.reserved_count, BOOT_RESERVED_MAX);
    ck_assert_uint_lt(strlen(info.cmdline), BOOT_CMDLINE_MAX);
    ck_assert_uint_lt(strlen(info.problem), BOOT_PROBLEM_MAX - 1);
    ck_assert((info.flaws > 0) == (info.problem[0] != '\0'));
    ck_assert_uint_le(info.bytes, bytes);
}

static void read_tree(void)
{
    read_bytes(tree.bytes, tree.size);
}

static void assert_problem(const char *part)
{
    ck_assert_msg(strstr(info.problem, part) != NULL, "\"%s\" is not in \"%s\"", part,
                  info.problem);
}

static void assert_range(const struct hal_range *range, uint64_t start, uint64_t bytes)
{
    ck_assert_msg(range->start == start && range->bytes == bytes, "0x%llx bytes at 0x%llx",
                  (unsigned long long)range->bytes, (unsigned long long)range->start);
}

/* ---- ATAGs ---- */

START_TEST(a_list_of_atags_is_read)
{
    /* The last tag holds "abcd\1f!" and a NUL. */
    static const uint32_t words[] = {5,
                                     ATAG_CORE,
                                     1,
                                     4096,
                                     0,
                                     4,
                                     ATAG_MEM,
                                     0x3c000000,
                                     0,
                                     4,
                                     ATAG_INITRD2,
                                     0x8000000,
                                     0x100000,
                                     4,
                                     ATAG_CMDLINE,
                                     0x64636261,
                                     0x00216601,
                                     0,
                                     0};

    read_bytes(words, sizeof words);
    ck_assert_str_eq(info.problem, "");
    ck_assert_uint_eq(info.ram_count, 1);
    assert_range(&info.ram[0], 0, 0x3c000000);
    ck_assert_uint_eq(info.reserved_count, 1);
    assert_range(&info.reserved[0], 0x8000000, 0x100000);
    ck_assert_str_eq(info.cmdline, "abcd?f!");
    ck_assert_uint_eq(info.bytes, sizeof words);
}
END_TEST

START_TEST(every_cut_list_ends)
{
    static const uint32_t words[] = {5, 0x54410001, 1, 4096, 0, 4, 0x54410002, MIB, 0, 0, 0};

    for (size_t bytes = 0; bytes < sizeof words; bytes++) {
        read_bytes(words, bytes);
        if (bytes < sizeof words - 4)
            ck_assert_msg(info.flaws > 0, "cut at %zu", bytes);
        ck_assert_uint_eq(info.ram_count, bytes >= 36);
    }
}
END_TEST

START_TEST(random_lists_end)
{
    uint32_t words[64];

    srand(3);
    for (int round = 0; round < 20000; round++) {
        words[0] = 2;
        words[1] = ATAG_CORE;
        for (size_t i = 2; i < 64; i++)
            words[i] = rand() % 3 ? (uint32_t)rand() % 8 : (uint32_t)(0x54410000 + rand() % 10);
        read_bytes(words, (size_t)rand() % sizeof words);
    }
}
END_TEST

START_TEST(atags_that_are_too_short_or_too_many_are_named)
{
    static const uint32_t mem[] = {2, ATAG_CORE, 3, ATAG_MEM, 5, 0, 0};
    static const uint32_t initrd[] = {2, ATAG_CORE, 3, ATAG_INITRD2, 5, 0, 0};
    uint32_t many[2 + 65 * 4 + 2] = {2, ATAG_CORE};

    read_bytes(mem, sizeof mem);
    assert_problem("a MEM tag is too short");
    read_bytes(initrd, sizeof initrd);
    assert_problem("an INITRD2 tag is too short");
    for (uint32_t i = 0; i < 65; i++)
        memcpy(&many[2 + i * 4], (uint32_t[]){4, ATAG_MEM, 4096, i * 8192}, 16);
    read_bytes(many, sizeof many);
    assert_problem("more than 64 memory ranges");
    ck_assert_uint_eq(info.ram_count, 64);
    ck_assert_uint_eq(info.flaws, 1);
    assert_range(&info.ram[63], 63 * 8192, 4096);
}
END_TEST

START_TEST(a_long_command_line_is_cut_and_named)
{
    uint32_t words[2 + 2 + 300 + 2] = {2, ATAG_CORE, 302, ATAG_CMDLINE};

    memset(&words[4], 'a', 1200);
    read_bytes(words, sizeof words);
    assert_problem("longer than 1023 bytes");
    ck_assert_uint_eq(strlen(info.cmdline), 1023);
}
END_TEST

START_TEST(what_is_no_format_is_named)
{
    read_bytes("", 0);
    assert_problem("left no boot tags");
    read_bytes("\0\0\0\0\0\0\0\0\0\0\0", 12);
    assert_problem("left no boot tags");
    read_bytes("hello, world", 12);
    assert_problem("neither a list of ATAGs nor a device tree");
}
END_TEST

START_TEST(the_command_line_is_asked_for_words)
{
    char value[8];

    cmdline_init("  debug quantum=10ms  ktest= long=123456789 debugger");
    ck_assert(cmdline_flag("debug") && !cmdline_flag("debu") && !cmdline_flag("quantum"));
    ck_assert(cmdline_value("quantum", value, sizeof value) && strcmp(value, "10ms") == 0);
    ck_assert(cmdline_value("ktest", value, sizeof value) && strcmp(value, "") == 0);
    ck_assert(!cmdline_value("long", value, sizeof value));
    ck_assert(!cmdline_value("none", value, sizeof value));
    cmdline_init("");
    ck_assert(!cmdline_flag("") && !cmdline_flag("debug"));
}
END_TEST

/* ---- good trees ---- */

START_TEST(a_tree_from_dtc_is_read)
{
    const char *path = getenv("TAYBERRY_TREE");
    static uint8_t bytes[16384];
    size_t n;
    FILE *file;

    if (!path)
        return;
    file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    read_bytes(bytes, n);
    ck_assert_str_eq(info.problem, "");
    ck_assert_str_eq(info.cmdline, "console=serial0 quantum=5ms");
    ck_assert_uint_eq(info.bytes, n);
    ck_assert_uint_eq(info.ram_count, 3);
    assert_range(&info.ram[0], 0, 0x20000000);
    assert_range(&info.ram[1], 0x30000000, 0x0c000000);
    assert_range(&info.ram[2], UINT64_C(0x100000000), 0x10000000);
    ck_assert_uint_eq(info.reserved_count, 6);
    assert_range(&info.reserved[0], 0, 0x1000);
    assert_range(&info.reserved[1], 0x3b000000, 0x1000000);
    assert_range(&info.reserved[2], 0x8000000, 0x100000);
    assert_range(&info.reserved[3], 0x10000000, 0x100000);
    assert_range(&info.reserved[4], 0x10200000, 0x1000);
    assert_range(&info.reserved[5], 0x10300000, 0x2000);
}
END_TEST

/* A tree with everything in it that is read: memory, a region of 0x2000 bytes, a command line. */
static void build_sample(uint32_t address, uint32_t size)
{
    static const uint64_t region[1][2] = {{0x100000, 0x2000}};

    builder_start(&tree);
    builder_reserve(&tree, 0x40000, 0x1000);
    builder_root(&tree, address, size, 16 * MIB);
    builder_node(&tree, "reserved-memory");
    builder_cells(&tree, "#address-cells", &address, 1);
    builder_cells(&tree, "#size-cells", &size, 1);
    builder_region(&tree, "dsp@100000", address, size, region, 1);
    builder_property(&tree, "no-map", "", 0);
    builder_end(&tree);
    builder_end(&tree);
    builder_node(&tree, "chosen");
    builder_text(&tree, "bootargs", "one\ttwo\n");
    builder_end(&tree);
    builder_end(&tree);
    builder_finish(&tree);
}

START_TEST(cells_of_one_and_two_words_are_read)
{
    for (uint32_t cells = 0; cells < 4; cells++) {
        build_sample(1 + cells % 2, 1 + cells / 2);
        read_tree();
        ck_assert_str_eq(info.problem, "");
        ck_assert_uint_eq(info.ram_count, 1);
        assert_range(&info.ram[0], 0, 16 * MIB);
        ck_assert_uint_eq(info.reserved_count, 2);
        assert_range(&info.reserved[0], 0x40000, 0x1000);
        assert_range(&info.reserved[1], 0x100000, 0x2000);
        ck_assert_str_eq(info.cmdline, "one two "); /* blanks of any kind part words */
    }
}
END_TEST

START_TEST(cells_that_nobody_states_are_two_and_one)
{
    static const uint64_t memory[1][2] = {{UINT64_C(0x123456789000), 0x5000}};
    static const uint64_t region[1][2] = {{0x100000, 0x2000}};

    builder_start(&tree);
    builder_node(&tree, "");
    builder_region(&tree, "memory", 2, 1, memory, 1);
    builder_end(&tree);
    builder_node(&tree, "reserved-memory");
    builder_region(&tree, "region", 2, 1, region, 1);
    builder_end(&tree);
    builder_end(&tree);
    builder_end(&tree);
    builder_finish(&tree);
    read_tree();
    ck_assert_str_eq(info.problem, "");
    assert_range(&info.ram[0], memory[0][0], 0x5000);
    assert_range(&info.reserved[0], 0x100000, 0x2000);
}
END_TEST

START_TEST(only_memory_nodes_below_the_root_are_memory)
{
    static const uint64_t range[1][2] = {{0x100000, 0x2000}};

    builder_start(&tree);
    builder_root(&tree, 1, 1, 16 * MIB);
    builder_region(&tree, "memory@100000", 1, 1, range, 1);
    builder_text(&tree, "device_type", "rom");
    builder_end(&tree);
    builder_region(&tree, "memory-controller", 1, 1, range, 1);
    builder_end(&tree);
    builder_region(&tree, "memory@200000", 1, 1, range, 1);
    builder_text(&tree, "status", "disabled");
    builder_end(&tree);
    builder_node(&tree, "soc");
    builder_region(&tree, "memory@100000", 1, 1, range, 1);
    builder_text(&tree, "device_type", "memory");
    builder_end(&tree);
    builder_end(&tree);
    builder_end(&tree);
    builder_finish(&tree);
    read_tree();
    ck_assert_str_eq(info.problem, "");
    ck_assert_uint_eq(info.ram_count, 1);
}
END_TEST

START_TEST(an_initrd_is_reserved)
{
    static const uint32_t start[] = {0x8000000}, end[] = {0, 0x8100000};

    builder_start(&tree);
    builder_root(&tree, 1, 1, 16 * MIB);
    builder_node(&tree, "chosen");
    builder_cells(&tree, "linux,initrd-end", end, 2);
    builder_cells(&tree, "linux,initrd-start", start, 1);
    builder_end(&tree);
    builder_end(&tree);
    builder_finish(&tree);
    read_tree();
    ck_assert_str_eq(info.problem, "");
    ck_assert_uint_eq(info.reserved_count, 1);
    assert_range(&info.reserved[0], 0x8000000, 0x100000);
}
END_TEST

/* ---- bad trees ---- */

static const struct {
    size_t field;
    uint32_t value;
    const char *problem;
    unsigned ram; /* ranges read all the same */
} bad_headers[] = {
    {BUILDER_TOTAL, 39, "smaller than its header", 0},
    {BUILDER_TOTAL, 0, "smaller than its header", 0},
    {BUILDER_TOTAL, 0xffffffff, "claims more bytes than can be there; what is there was used", 1},
    {BUILDER_TOTAL, 60, "was not read: a block of it lies outside", 0},
    {BUILDER_STRUCTURE, 0xffffffff, "lies outside", 0},
    {BUILDER_STRUCTURE, 73, "misaligned", 0},
    {BUILDER_STRUCTURE, 4, "in its header", 0},
    {BUILDER_STRINGS, 0x7fffffff, "lies outside", 0},
    {BUILDER_STRINGS, 0, "in its header", 0},
    {BUILDER_RESERVATIONS, 0xfffffff8, "lies outside", 0},
    {BUILDER_RESERVATIONS, 44, "misaligned", 0},
    {BUILDER_VERSION, 15, "version", 0},
    {BUILDER_VERSION, 0, "version", 0},
    {BUILDER_COMPATIBLE, 18, "version", 0},
    {BUILDER_STRINGS_BYTES, 0xffffffff, "reaches past its end; what is there was used", 1},
    {BUILDER_STRUCTURE_BYTES, 0xffffffff, "reaches past its end; what is there was used", 1},
    {BUILDER_STRUCTURE_BYTES, 0, "breaks off at byte 72: its structure has no end", 0},
    {BUILDER_STRINGS_BYTES, 0, "name of a property lies outside", 0},
};

START_TEST(a_header_that_lies_is_named)
{
    build_sample(1, 1);
    builder_put(&tree, bad_headers[_i].field, bad_headers[_i].value);
    read_tree();
    assert_problem("device tree");
    assert_problem(bad_headers[_i].problem);
    ck_assert_uint_eq(info.ram_count, bad_headers[_i].ram);
}
END_TEST

/* What may stand in the place of the root's end. */
static const struct {
    uint32_t words[4];
    unsigned count;
    const char *problem;
} bad_tails[] = {
    {{7}, 1, "a token of it does not exist; what came before was used"},
    {{0}, 1, "a token of it does not exist"},
    {{9}, 1, "ends inside a node"},
    {{2, 2}, 2, "a node ends that has not begun"},
    {{2, 1, 0}, 3, "a second root"},
    {{2, 3, 0, 0}, 4, "a property stands outside all nodes"},
    {{3, 0xffffffff, 0}, 3, "a property reaches past the end"},
    {{3, 8}, 2, "a property reaches past the end"},
    {{3, 0, 0}, 3, "a property stands behind the nodes of its node; it was left out"},
    {{3, 0, 0xfffffff0}, 3, "the name of a property lies outside its block; it was left out"},
    {{1, 0x61616161}, 2, "the name of a node has no end"},
    {{4, 4, 4}, 3, "its structure has no end"},
};

START_TEST(a_broken_structure_is_named_and_what_came_before_is_used)
{
    builder_start(&tree);
    builder_root(&tree, 1, 1, 16 * MIB);
    for (unsigned i = 0; i < bad_tails[_i].count; i++)
        builder_word(&tree, bad_tails[_i].words[i]);
    builder_finish(&tree);
    /* Without the token that ends the tree; behind it follow the strings. */
    builder_put(&tree, BUILDER_STRUCTURE_BYTES, builder_get(&tree, BUILDER_STRUCTURE_BYTES) - 4);
    read_tree();
    assert_problem(bad_tails[_i].problem);
    ck_assert_uint_eq(info.ram_count, 1);
    assert_range(&info.ram[0], 0, 16 * MIB);
}
END_TEST

START_TEST(a_tree_without_a_root_is_named)
{
    builder_start(&tree);
    builder_finish(&tree);
    read_tree();
    assert_problem("it has no root");
}
END_TEST

START_TEST(cells_that_make_no_number_are_named)
{
    static const uint32_t bad[][2] = {{0, 1}, {3, 1},          {1, 0},
                                      {2, 3}, {0xffffffff, 1}, {1u << 30, 2}};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        builder_start(&tree);
        builder_root(&tree, 1, 1, 16 * MIB);
        builder_end(&tree);
        builder_finish(&tree);
        /* The value of a property stands 12 bytes behind its token. */
        builder_put(&tree, tree.structure + 8 + 12, bad[i][0]);
        builder_put(&tree, tree.structure + 8 + 16 + 12, bad[i][1]);
        read_tree();
        assert_problem("memory@0 was left out: addresses of ");
        ck_assert_uint_eq(info.ram_count, 0);
    }
}
END_TEST

/* A property of the wrong length, and the sentence for it. */
static const struct {
    const char *node, *property, *problem;
    size_t bytes;
} bad_values[] = {
    {"", "#address-cells", "#address-cells is 3 bytes long, not 4", 3},
    {"", "#size-cells", "#size-cells is 0 bytes long, not 4", 0},
    {"reserved-memory", "#size-cells", "#size-cells is 8 bytes long, not 4", 8},
    {"memory@0", "reg", "the reg of memory@0 has 7 bytes, not a multiple of 12", 7},
    {"memory@0", "reg", "the reg of memory@0 has 0 bytes", 0},
    {"memory@0", "size", "memory@0 has no reg", 4},
    {"chosen", "linux,initrd-start", "linux,initrd-start is 5 bytes long, not 4 or 8", 5},
    {"chosen", "linux,initrd-end", "no start or no end", 4},
    {"chosen", "bootargs", "no NUL at its end; all of it was used", 4},
};

START_TEST(properties_of_a_wrong_length_are_named)
{
    static const uint8_t value[8] = {'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'};

    builder_start(&tree);
    builder_node(&tree, "");
    if (bad_values[_i].node[0])
        builder_node(&tree, bad_values[_i].node);
    builder_property(&tree, bad_values[_i].property, value, bad_values[_i].bytes);
    if (bad_values[_i].node[0])
        builder_end(&tree);
    builder_end(&tree);
    builder_finish(&tree);
    read_tree();
    assert_problem(bad_values[_i].problem);
    ck_assert_uint_eq(info.ram_count + info.reserved_count, 0);
    if (strcmp(bad_values[_i].property, "bootargs") == 0)
        ck_assert_str_eq(info.cmdline, "abcd");
}
END_TEST

START_TEST(names_in_a_sentence_are_printable)
{
    builder_start(&tree);
    builder_node(&tree, "");
    builder_node(&tree, "memory@\033[2J");
    builder_end(&tree);
    builder_end(&tree);
    builder_finish(&tree);
    read_tree();
    ck_assert_str_eq(info.problem, "memory@?[2J has no reg and was left out");
}
END_TEST

START_TEST(reservations_without_an_end_stop_at_the_next_block)
{
    builder_start(&tree);
    builder_reserve(&tree, 0x40000, 0x1000);
    builder_root(&tree, 1, 1, 16 * MIB);
    builder_end(&tree);
    builder_finish(&tree);
    memset(tree.bytes + 56, 0xff, 16);
    read_tree();
    assert_problem("reservations have no end; those there were used");
    ck_assert_uint_eq(info.reserved_count, 2);
    assert_range(&info.reserved[0], 0x40000, 0x1000);
    assert_range(&info.reserved[1], UINT64_MAX, UINT64_MAX);
}
END_TEST

START_TEST(no_depth_is_too_great)
{
    enum { DEPTH = 4000 };

    builder_start(&tree);
    builder_node(&tree, "");
    for (int i = 0; i < DEPTH; i++)
        builder_node(&tree, "n");
    for (int i = 0; i < DEPTH; i++)
        builder_end(&tree);
    builder_node(&tree, "memory");
    builder_property(&tree, "reg", "\0\0\0\0\0\0\0\0\0\1\0\0", 12);
    builder_end(&tree);
    builder_end(&tree);
    builder_finish(&tree);
    read_tree();
    assert_problem("more than 32 deep, and were passed");
    ck_assert_uint_eq(info.flaws, 1);
    ck_assert_uint_eq(info.ram_count, 1);
    /* And one that only begins. */
    builder_start(&tree);
    for (int i = 0; i < 2 * DEPTH; i++)
        builder_node(&tree, "");
    builder_finish(&tree);
    read_tree();
    assert_problem("more than 32 deep");
}
END_TEST

START_TEST(sixty_four_ranges_of_memory_are_read_and_more_are_named)
{
    uint64_t ranges[65][2];

    for (unsigned i = 0; i < 65; i++) {
        ranges[i][0] = i * 8192;
        ranges[i][1] = 4096;
    }
    for (unsigned count = 64; count <= 65; count++) {
        builder_start(&tree);
        builder_node(&tree, "");
        builder_region(&tree, "memory@0", 2, 1, (const uint64_t(*)[2])ranges, count);
        builder_end(&tree);
        builder_end(&tree);
        builder_finish(&tree);
        read_tree();
        ck_assert_uint_eq(info.ram_count, 64);
        ck_assert_uint_eq(info.flaws, count - 64);
        assert_range(&info.ram[63], 63 * 8192, 4096);
    }
    assert_problem("more than 64 memory ranges");
}
END_TEST

static bool is_reserved(uint64_t address)
{
    for (unsigned i = 0; i < info.reserved_count; i++)
        if (address >= info.reserved[i].start &&
            address - info.reserved[i].start < info.reserved[i].bytes)
            return true;
    return false;
}

START_TEST(reserved_ranges_are_never_lost)
{
    builder_start(&tree);
    for (uint64_t i = 0; i < 200; i++)
        builder_reserve(&tree, i * 7919 % 200 * 65536 + 4096, 4096);
    builder_reserve(&tree, 15 * MIB, 0); /* nothing, so nothing is joined with it */
    builder_root(&tree, 1, 1, 16 * MIB);
    builder_end(&tree);
    builder_finish(&tree);
    read_tree();
    assert_problem("more than 64 reserved ranges, and neighbours were joined");
    for (uint64_t i = 0; i < 200; i++)
        ck_assert(is_reserved(i * 65536 + 4096) && is_reserved(i * 65536 + 8191));
    ck_assert(!is_reserved(0) && !is_reserved(200 * 65536));
}
END_TEST

START_TEST(every_cut_tree_ends)
{
    build_sample(2, 2);
    for (size_t bytes = 0; bytes < tree.size; bytes++) {
        read_bytes(tree.bytes, bytes);
        ck_assert_msg(info.flaws > 0, "cut at %zu", bytes);
    }
    for (size_t bytes = tree.structure; bytes < tree.size; bytes += 4) {
        struct builder whole = tree;

        builder_put(&tree, BUILDER_STRUCTURE_BYTES, (uint32_t)(bytes - tree.structure));
        read_tree();
        tree = whole;
    }
}
END_TEST

START_TEST(every_changed_byte_is_survived)
{
    static const uint8_t values[] = {0, 1, 2, 3, 4, 9, 0x7f, 0x80, 0xff};

    build_sample(1, 2);
    for (size_t at = 0; at < tree.size; at++) {
        uint8_t old = tree.bytes[at];

        for (size_t i = 0; i < sizeof values; i++) {
            tree.bytes[at] = values[i];
            read_tree();
        }
        tree.bytes[at] = old;
    }
}
END_TEST

START_TEST(random_trees_end)
{
    srand(7);
    for (int round = 0; round < 20000; round++) {
        builder_start(&tree);
        for (int i = rand() % 4; i > 0; i--)
            builder_reserve(&tree, (uint64_t)rand(), (uint64_t)rand());
        for (int i = rand() % 100; i > 0; i--)
            builder_word(&tree, (uint32_t)(rand() % 16 ? rand() % 10 : rand()));
        builder_finish(&tree);
        read_tree();
    }
}
END_TEST

static TCase *add_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return tcase;
}

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

static void add_trees(Suite *suite)
{
    TCase *good = add_case(suite, "trees"), *bad = add_case(suite, "bad trees");

    tcase_add_test(good, a_tree_from_dtc_is_read);
    tcase_add_test(good, cells_of_one_and_two_words_are_read);
    tcase_add_test(good, cells_that_nobody_states_are_two_and_one);
    tcase_add_test(good, only_memory_nodes_below_the_root_are_memory);
    tcase_add_test(good, an_initrd_is_reserved);
    tcase_add_loop_test(bad, a_header_that_lies_is_named, 0, COUNT(bad_headers));
    tcase_add_loop_test(bad, a_broken_structure_is_named_and_what_came_before_is_used, 0,
                        COUNT(bad_tails));
    tcase_add_test(bad, a_tree_without_a_root_is_named);
    tcase_add_test(bad, cells_that_make_no_number_are_named);
    tcase_add_loop_test(bad, properties_of_a_wrong_length_are_named, 0, COUNT(bad_values));
    tcase_add_test(bad, names_in_a_sentence_are_printable);
    tcase_add_test(bad, reservations_without_an_end_stop_at_the_next_block);
    tcase_add_test(bad, no_depth_is_too_great);
    tcase_add_test(bad, sixty_four_ranges_of_memory_are_read_and_more_are_named);
    tcase_add_test(bad, reserved_ranges_are_never_lost);
    tcase_add_test(bad, every_cut_tree_ends);
    tcase_add_test(bad, every_changed_byte_is_survived);
    tcase_add_test(bad, random_trees_end);
}

static void add_lists(Suite *suite)
{
    TCase *lists = add_case(suite, "atags");

    tcase_add_test(lists, a_list_of_atags_is_read);
    tcase_add_test(lists, every_cut_list_ends);
    tcase_add_test(lists, random_lists_end);
    tcase_add_test(lists, atags_that_are_too_short_or_too_many_are_named);
    tcase_add_test(lists, a_long_command_line_is_cut_and_named);
    tcase_add_test(lists, what_is_no_format_is_named);
    tcase_add_test(lists, the_command_line_is_asked_for_words);
}

int main(void)
{
    Suite *all = suite_create("tags");
    SRunner *runner;
    int failed;

    add_lists(all);
    add_trees(all);
    runner = srunner_create(all);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
