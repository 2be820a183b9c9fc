/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. With a device tree as boot tags the whole OS says the same, byte for byte, as with ATAGs.
 *  2. The simulator's own tree is one that dtc takes without a warning.
 *  3. Boot tags of every bad kind: the OS comes up, and says what is wrong.
 *  4. Memory in 64 pieces, and what the tags reserve: the OS comes up, and keeps off the latter.
 *  5. Tags that leave no memory end in one message that says so, and no panic screen.
 *
 * TAYBERRY_DTC is the program dtc; without it criterion 2 is left out.
 */
#include "os.h"

#include "../unit/tree_builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB (1u << 20)
#define MEMORY (16u * MIB)

static struct tb_machine *machine;
static struct builder tree;

static void close_machine(void)
{
    tb_close(machine);
    machine = NULL;
}

static void assert_has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "\"%s\" is not in: %s", part, text);
}

static struct tb_config config_with(const void *tags, size_t bytes)
{
    struct tb_config config = os_config();

    config.memory = MEMORY;
    config.boot_tags = tags;
    config.boot_tags_size = bytes;
    return config;
}

/* Boots with `tags` and checks that the log says `sentence`. */
static void boot_with(const void *tags, size_t bytes, const char *sentence)
{
    struct tb_config config = config_with(tags, bytes);

    machine = os_boot(&config);
    assert_has(os_command(machine, "dmesg"), sentence);
    ck_assert_str_eq(os_command(machine, "echo up"), "up\r\n");
}

/* ---- criterion 1 ---- */

static const char *const script[] = {"help",  "ls -l", "dmesg",           "mem",    "mem map",
                                     "slabs", "ps",    "cat /README.TXT", "uptime", "ktest lib"};

/* All that the machine prints from power-on to the end of the script. */
static char *run_script(enum tb_boot_tags kind)
{
    struct tb_config config = os_config();
    char *said = calloc(1, 1 << 20);

    config.boot_tags_kind = kind;
    config.command_line = "quantum=5ms loglevel=7";
    machine = os_boot(&config);
    for (size_t i = 0; i < sizeof script / sizeof script[0]; i++) {
        strcat(said, os_output(machine));
        strcat(said, os_command(machine, script[i]));
    }
    close_machine();
    return said;
}

START_TEST(a_tree_and_atags_give_the_same_console)
{
    char *atags = run_script(TB_TAGS_ATAGS), *dtb = run_script(TB_TAGS_DTB);

    ck_assert_uint_gt(strlen(atags), 2000);
    assert_has(atags, "command line: quantum=5ms loglevel=7");
    ck_assert_str_eq(dtb, atags);
    free(atags);
    free(dtb);
}
END_TEST

START_TEST(a_reboot_finds_the_tree_again)
{
    struct tb_config config = os_config();

    config.boot_tags_kind = TB_TAGS_DTB;
    config.command_line = "quantum=5ms";
    machine = os_boot(&config);
    ck_assert_int_gt(tb_uart_write(machine, "reboot\r", 7), 0);
    ck_assert_int_eq(tb_uart_expect(machine, "reboot", 10 * OS_SECOND), TB_MATCH);
    os_wait_prompt(machine);
    assert_has(os_command(machine, "tags"), "bootargs = \"quantum=5ms\"");
}
END_TEST

/* ---- criterion 2 ---- */

/* Reads memory from 0x100 on by the command mem, into the builder's buffer. */
static void read_tags(size_t bytes)
{
    char line[32];
    const char *row;

    snprintf(line, sizeof line, "mem 0x100 %zu", bytes);
    tree.size = 0;
    for (row = os_command(machine, line); row && tree.size < bytes; row = strchr(row, '\n')) {
        const char *at = row + strspn(row, "\r\n") + 8;

        for (int i = 0; i < 16 && tree.size < bytes; i++)
            tree.bytes[tree.size++] = (uint8_t)strtoul(at, (char **)&at, 16);
        row = at;
    }
    ck_assert_uint_eq(tree.size, bytes);
}

/* What dtc says about the tree in the builder's buffer, and makes of it. */
static void run_dtc(char *text, size_t size)
{
    char path[] = "/tmp/tayberry-tags-XXXXXX", command[256];
    int fd = mkstemp(path);
    size_t n;
    FILE *pipe;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, tree.bytes, tree.size), (int)tree.size);
    close(fd);
    snprintf(command, sizeof command, "%s -I dtb -O dts %s 2>&1", getenv("TAYBERRY_DTC"), path);
    pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    n = fread(text, 1, size - 1, pipe);
    text[n] = '\0';
    ck_assert_int_eq(pclose(pipe), 0);
    unlink(path);
}

START_TEST(dtc_takes_the_tree_without_a_warning)
{
    static char text[16384];
    struct tb_config config = os_config();

    config.boot_tags_kind = TB_TAGS_DTB;
    config.command_line = "quantum=5ms";
    config.memory = MEMORY;
    machine = os_boot(&config);
    read_tags(8);
    read_tags(builder_get(&tree, BUILDER_TOTAL));
    run_dtc(text, sizeof text);
    ck_assert_msg(strstr(text, "Warning") == NULL && strstr(text, "ERROR") == NULL, "%s", text);
    ck_assert_int_eq(strncmp(text, "/dts-v1/;", 9), 0);
    assert_has(text, "bootargs = \"quantum=5ms\";");
    assert_has(text, "reg = <0x00 0x1000000>;");
}
END_TEST

/* ---- criterion 3 ---- */

START_TEST(no_boot_tags)
{
    struct tb_config config = os_config();

    config.no_boot_tags = true;
    machine = os_boot(&config);
    assert_has(os_command(machine, "dmesg"), "neither a list of ATAGs nor a device tree");
    assert_has(os_command(machine, "tags"), "neither a list of ATAGs nor a device tree");
}
END_TEST

START_TEST(atags_without_an_end)
{
    static uint32_t tags[960];

    for (size_t i = 0; i + 4 <= sizeof tags / sizeof tags[0]; i += 4) {
        tags[i] = 4;
        tags[i + 1] = i ? 0x54410099 : 0x54410001;
        tags[i + 2] = tags[i + 3] = 0xffffffff;
    }
    boot_with(tags, sizeof tags, "the list of ATAGs has no end");
}
END_TEST

START_TEST(an_atag_that_reaches_past_memory)
{
    static const uint32_t tags[] = {5, 0x54410001, 1, 4096, 0, 0xffffffff, 0x54410002, 0, 0};

    boot_with(tags, sizeof tags, "the list of ATAGs has no end");
}
END_TEST

START_TEST(a_mem_tag_that_is_too_short)
{
    static const uint32_t tags[] = {5, 0x54410001, 1, 4096, 0, 3, 0x54410002, 77, 0, 0};

    boot_with(tags, sizeof tags, "a MEM tag is too short");
}
END_TEST

START_TEST(rubbish_instead_of_tags)
{
    static const uint32_t tags[] = {0x12345678, 0x9abcdef0, 1, 2, 3};

    boot_with(tags, sizeof tags, "neither a list of ATAGs nor a device tree");
}
END_TEST

START_TEST(a_tree_of_which_only_the_beginning_is_there)
{
    static const uint32_t tags[] = {0xedfe0dd0, 0x00010000, 0, 0};

    boot_with(tags, sizeof tags, "the device tree was not read: ");
}
END_TEST

/* A list with one MEM tag, and a tree with one memory node, that say the same. */
static const struct {
    uint32_t bytes, start;
    const char *sentence;
} lies[] = {
    {0, 0, "memory: a range without any bytes, left out"},
    {0x1000, 0xfffff000, "memory: the board has no such memory, left out"},
    {0xfffff000, 0, "memory: the board has not all of this memory, the rest was used"},
    {0xffffffff, 0x100000, "memory: the board has not all of this memory, the rest was used"},
    {MEMORY, MEMORY, "memory: none of what the boot tags list; using what the board has"},
};

START_TEST(atags_with_memory_that_cannot_be)
{
    const uint32_t tags[] = {2, 0x54410001, 4, 0x54410002, lies[_i].bytes, lies[_i].start, 0, 0};

    boot_with(tags, sizeof tags, lies[_i].sentence);
}
END_TEST

static void build_memory(const uint64_t (*ranges)[2], size_t count)
{
    builder_start(&tree);
    builder_node(&tree, "");
    builder_region(&tree, "memory@0", 2, 1, ranges, count);
    builder_text(&tree, "device_type", "memory");
    builder_end(&tree);
}

static void boot_with_tree(const char *sentence)
{
    builder_end(&tree);
    builder_finish(&tree);
    boot_with(tree.bytes, tree.size, sentence);
}

START_TEST(a_tree_with_memory_that_cannot_be)
{
    const uint64_t range[1][2] = {{lies[_i].start, lies[_i].bytes}};

    build_memory(range, 1);
    boot_with_tree(lies[_i].sentence);
}
END_TEST

START_TEST(ranges_that_overlap_or_wrap)
{
    static const uint64_t ranges[3][2] = {
        {0, 8 * MIB}, {4 * MIB, 8 * MIB}, {UINT64_MAX - 4095, 8192}};

    build_memory(ranges, 3);
    boot_with_tree("memory: a range that overlaps others, joined with them");
    assert_has(os_command(machine, "dmesg"), "memory: the board has no such memory, left out");
    assert_has(os_command(machine, "dmesg"), "memory: 11776 KiB in 1 range");
}
END_TEST

START_TEST(a_tree_without_memory)
{
    builder_start(&tree);
    builder_node(&tree, "");
    boot_with_tree("boot: no memory size from the firmware; using what the board has");
}
END_TEST

START_TEST(a_tree_with_a_broken_structure)
{
    static const uint64_t range[1][2] = {{0, 8 * MIB}};

    build_memory(range, 1);
    builder_word(&tree, 77);
    boot_with_tree("a token of it does not exist; what came before was used");
    assert_has(os_command(machine, "dmesg"), "memory: 7680 KiB in 1 range");
    assert_has(os_command(machine, "tags"), "a token of it does not exist");
}
END_TEST

START_TEST(a_tree_that_nests_deeply)
{
    static const uint64_t range[1][2] = {{0, 8 * MIB}};

    build_memory(range, 1);
    for (int i = 0; i < 5000; i++)
        builder_node(&tree, "");
    boot_with_tree("nodes of the device tree lie more than 32 deep, and were passed");
    assert_has(os_command(machine, "dmesg"), "and 1 more flaws of the boot tags");
}
END_TEST

/* ---- criterion 4 ---- */

START_TEST(memory_in_sixty_four_pieces)
{
    uint64_t ranges[65][2];

    for (unsigned i = 0; i < 65; i++) {
        ranges[i][0] = MIB + i * 0x20000;
        ranges[i][1] = 0x1c000;
    }
    build_memory((const uint64_t(*)[2])ranges, (size_t)_i);
    boot_with_tree(_i > 64 ? "there are more than 64 memory ranges, and the others were left out"
                           : "memory: 7168 KiB in 64 ranges");
    assert_has(os_command(machine, "dmesg"), "memory: 7168 KiB in 64 ranges");
    assert_has(os_command(machine, "ls"), "README.TXT");
}
END_TEST

START_TEST(what_the_tree_reserves_is_not_the_kernels)
{
    static const uint64_t range[1][2] = {{0, MEMORY}}, dsp[1][2] = {{6 * MIB, MIB}};

    builder_start(&tree);
    builder_reserve(&tree, 4 * MIB, 2 * MIB);
    builder_node(&tree, "");
    builder_region(&tree, "memory@0", 2, 1, range, 1);
    builder_end(&tree);
    builder_node(&tree, "reserved-memory");
    builder_region(&tree, "dsp@600000", 2, 1, dsp, 1);
    builder_end(&tree);
    builder_end(&tree);
    boot_with_tree("memory: 12800 KiB in 2 ranges");
    assert_has(os_command(machine, "mem 0x3ff000 16"), "003ff000");
    assert_has(os_command(machine, "mem 0x400000 16"), "reserved by the machine");
    assert_has(os_command(machine, "mem 0x6ffff0 16"), "reserved by the machine");
    assert_has(os_command(machine, "mem 0x700000 16"), "00700000");
}
END_TEST

START_TEST(a_tree_may_be_as_long_as_that_of_a_real_board)
{
    static const uint64_t range[1][2] = {{0, 8 * MIB}};
    static const uint8_t value[55000];

    builder_start(&tree);
    builder_node(&tree, "");
    builder_property(&tree, "something-long", value, sizeof value);
    builder_region(&tree, "memory@0", 2, 1, range, 1);
    builder_end(&tree);
    ck_assert_uint_gt(tree.size, 50000);
    boot_with_tree("memory: 7680 KiB in 1 range");
}
END_TEST

/* ---- criterion 5 ---- */

/* How much RAM the tags list, from 0 on, and how much of it they reserve. */
static const uint64_t too_little[][2] = {
    {MEMORY, MEMORY},
    {0x80fff, 0}, /* the kernel's image, and less than a page behind it */
    {0x80000, 0},
    {100, 0},
};

START_TEST(tags_that_leave_no_memory_end_in_one_message)
{
    struct tb_config config;
    const char *said;

    builder_start(&tree);
    if (too_little[_i][1])
        builder_reserve(&tree, 0, too_little[_i][1]);
    builder_root(&tree, 2, 1, too_little[_i][0]);
    builder_end(&tree);
    builder_finish(&tree);
    config = config_with(tree.bytes, tree.size);
    ck_assert_int_eq(tb_open(&config, &machine), 0);
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_int_eq(tb_run_for(machine, 10 * OS_SECOND), TB_STOPPED);
    ck_assert_int_eq(tb_state(machine), TB_PANICKED);
    said = os_output(machine);
    assert_has(said, "out of memory: the boot tags leave no page of RAM for the kernel to use");
    ck_assert_ptr_null(strstr(said, "PANIC"));
}
END_TEST

static TCase *add_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, NULL, close_machine);
    tcase_set_timeout(tcase, 120);
    suite_add_tcase(suite, tcase);
    return tcase;
}

static Suite *suite(void)
{
    Suite *all = suite_create("tags");
    TCase *good = add_case(all, "good"), *bad = add_case(all, "bad");
    int count = (int)(sizeof lies / sizeof lies[0]);

    tcase_add_test(good, a_tree_and_atags_give_the_same_console);
    tcase_add_test(good, a_reboot_finds_the_tree_again);
    if (getenv("TAYBERRY_DTC"))
        tcase_add_test(good, dtc_takes_the_tree_without_a_warning);
    tcase_add_loop_test(good, memory_in_sixty_four_pieces, 64, 66);
    tcase_add_test(good, what_the_tree_reserves_is_not_the_kernels);
    tcase_add_test(good, a_tree_may_be_as_long_as_that_of_a_real_board);
    tcase_add_test(bad, no_boot_tags);
    tcase_add_test(bad, atags_without_an_end);
    tcase_add_test(bad, an_atag_that_reaches_past_memory);
    tcase_add_test(bad, a_mem_tag_that_is_too_short);
    tcase_add_test(bad, rubbish_instead_of_tags);
    tcase_add_test(bad, a_tree_of_which_only_the_beginning_is_there);
    tcase_add_loop_test(bad, atags_with_memory_that_cannot_be, 0, count);
    tcase_add_loop_test(bad, a_tree_with_memory_that_cannot_be, 0, count);
    tcase_add_test(bad, ranges_that_overlap_or_wrap);
    tcase_add_test(bad, a_tree_without_memory);
    tcase_add_test(bad, a_tree_with_a_broken_structure);
    tcase_add_test(bad, a_tree_that_nests_deeply);
    tcase_add_loop_test(bad, tags_that_leave_no_memory_end_in_one_message, 0,
                        (int)(sizeof too_little / sizeof too_little[0]));
    return all;
}

int main(void)
{
    return os_run_suite(suite());
}
