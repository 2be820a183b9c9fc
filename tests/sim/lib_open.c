/* SPDX-License-Identifier: MIT */
/*
 * lib_open.c: opening a machine, and what can be wrong about it.
 *
 * 1. A configuration of zeros opens a machine; so does none at all.
 * 2. Every bad value is refused with -EINVAL and a sentence, and nothing is left behind.
 * 3. A struct from an older header works; one from a newer header works unless it asks for more.
 * 4. There is one machine at a time; after closing it, there can be another.
 * 5. A card that is missing, empty, too short, a directory, or in use is refused, and the sentence
 *    names the file.
 * 6. Boot tags of the caller's reach the guest.
 */
#include "sim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct tb_machine *machine;

static int open_with(struct tb_config config)
{
    config.size = sizeof config;
    return tb_open(&config, &machine);
}

START_TEST(zeros_open_a_machine)
{
    ck_assert_int_eq(open_with((struct tb_config){0}), 0);
    ck_assert_ptr_nonnull(machine);
    ck_assert_int_eq(tb_state(machine), TB_OFF);
    tb_close(machine);
    ck_assert_int_eq(tb_open(NULL, &machine), 0);
    tb_close(machine);
    tb_close(NULL);
}
END_TEST

static const struct tb_config bad[] = {
    {.memory = 1 << 20},
    {.memory = 1ull << 40},
    {.memory = (4 << 20) + 1},
    {.cpus = 5},
    {.clock = (enum tb_clock)7},
    {.boot_tags = "x", .boot_tags_size = 61185},
    {.boot_tags_kind = (enum tb_boot_tags)2},
    {.display_width = 640},
    {.display_width = 1u << 30, .display_height = 1u << 30},
};

START_TEST(bad_values_are_refused_with_a_sentence)
{
    ck_assert_int_eq(open_with(bad[_i]), -EINVAL);
    ck_assert_ptr_null(machine);
    ck_assert_uint_gt(strlen(tb_error(NULL)), 10);
    ck_assert_int_eq(open_with((struct tb_config){0}), 0);
}
END_TEST

START_TEST(a_long_command_line_is_refused)
{
    char line[4000];
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    ck_assert_int_eq(open_with((struct tb_config){.command_line = line}), -EINVAL);
}
END_TEST

START_TEST(older_and_newer_structs_are_understood)
{
    struct {
        struct tb_config known;
        uint64_t unknown;
    } newer = {.known = {.size = sizeof newer}};
    struct tb_config older = {.size = offsetof(struct tb_config, clock)};
    ck_assert_int_eq(tb_open(&newer.known, &machine), 0);
    tb_close(machine);
    ck_assert_int_eq(tb_open(&older, &machine), 0);
    tb_close(machine);
    newer.unknown = 1;
    ck_assert_int_eq(tb_open(&newer.known, &machine), -EINVAL);
    ck_assert_ptr_nonnull(strstr(tb_error(NULL), "options"));
    older.size = 0;
    ck_assert_int_eq(tb_open(&older, &machine), -EINVAL);
}
END_TEST

START_TEST(there_is_one_machine_at_a_time)
{
    struct tb_machine *second;
    ck_assert_int_eq(open_with((struct tb_config){0}), 0);
    struct tb_machine *first = machine;
    ck_assert_int_eq(tb_open(NULL, &second), -EBUSY);
    ck_assert_ptr_null(second);
    tb_close(first);
    for (unsigned i = 0; i < 20; i++) {
        ck_assert_int_eq(open_with((struct tb_config){0}), 0);
        ck_assert_int_eq(tb_power_on(machine), 0);
        tb_close(machine);
    }
}
END_TEST

static void expect_bad_card(const char *path, int error)
{
    int result = open_with((struct tb_config){.card = path});
    ck_assert_msg(result == error, "%s: %d instead of %d: %s", path, result, error, tb_error(NULL));
    ck_assert_msg(strstr(tb_error(NULL), path) != NULL, "no file name in: %s", tb_error(NULL));
}

START_TEST(bad_cards_are_refused_by_name)
{
    expect_bad_card("/no/such/card.img", -ENOENT);
    expect_bad_card(sim_file(NULL, 0), -EINVAL);
    expect_bad_card(sim_file("short", 5), -EINVAL);
    expect_bad_card("/dev/null", -EINVAL);
    int error = open_with((struct tb_config){.card = "/tmp", .card_read_only = true});
    ck_assert_int_eq(error, -EINVAL);
}
END_TEST

START_TEST(a_card_in_use_is_refused)
{
    static const uint8_t sector[512];
    const char *path = sim_file(sector, sizeof sector);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(path, O_RDWR);
    ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, &lock), 0);
    expect_bad_card(path, -EBUSY);
    ck_assert_int_eq(open_with((struct tb_config){.card = path, .card_read_only = true}), -EBUSY);
    lock.l_type = F_RDLCK;
    ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, &lock), 0);
    expect_bad_card(path, -EBUSY);
    ck_assert_int_eq(open_with((struct tb_config){.card = path, .card_read_only = true}), 0);
    tb_close(machine);
    close(fd);
    ck_assert_int_eq(open_with((struct tb_config){.card = path}), 0);
}
END_TEST

START_TEST(boot_tags_of_the_callers_reach_the_guest)
{
    uint32_t tags[] = {2, 0x54410001, 4, 0x54410009, 0, 0, 0, 0};
    memcpy(&tags[4], "off", 4);
    ck_assert_int_eq(open_with((struct tb_config){.boot_tags = tags,
                                                  .boot_tags_size = sizeof tags,
                                                  .command_line = "idle",
                                                  .clock = TB_CLOCK_VIRTUAL}),
                     0);
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_int_eq(tb_run_for(machine, 20 * SECOND), TB_STOPPED);
    ck_assert_int_eq(tb_exit_status(machine), 7);
}
END_TEST

START_TEST(the_display_is_there_when_asked_for)
{
    uint32_t width, height;
    ck_assert_int_eq(open_with((struct tb_config){.display_width = 320, .display_height = 200}), 0);
    ck_assert_ptr_nonnull(tb_display(machine, &width, &height));
    ck_assert_uint_eq(width, 320);
    ck_assert_uint_eq(height, 200);
    tb_close(machine);
    ck_assert_int_eq(open_with((struct tb_config){0}), 0);
    ck_assert_ptr_null(tb_display(machine, &width, &height));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("open");
    TCase *cases = tcase_create("open");
    tcase_add_test(cases, zeros_open_a_machine);
    tcase_add_loop_test(cases, bad_values_are_refused_with_a_sentence, 0, sizeof bad / sizeof *bad);
    tcase_add_test(cases, a_long_command_line_is_refused);
    tcase_add_test(cases, older_and_newer_structs_are_understood);
    tcase_add_test(cases, there_is_one_machine_at_a_time);
    tcase_add_test(cases, bad_cards_are_refused_by_name);
    tcase_add_test(cases, a_card_in_use_is_refused);
    tcase_add_test(cases, boot_tags_of_the_callers_reach_the_guest);
    tcase_add_test(cases, the_display_is_there_when_asked_for);
    suite_add_tcase(suite, cases);
    return sim_run_suite(suite);
}
