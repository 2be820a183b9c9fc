/* SPDX-License-Identifier: MIT */
/*
 * os_inspect.c: looking into the guest's memory, and making its allocations fail.
 *
 * Criteria:
 * 1. Frames, tags and sites add up, whatever the size of RAM, and are the same in every run; of a
 *    machine that is off there is nothing to see.
 * 2. Each plan of failures fails what it says and nothing else, by the library and by the boot
 * word; the OS goes on.
 * 3. The state in words is the same after a command as before, whether it failed or not, tells a
 *    file that is open, and is cut where it does not fit.
 * 4. With the real clock the questions that any thread may ask can be asked while the guest works.
 * 5. Nonsense in a boot word is a warning that names it, and what is not asked for stays as it is.
 * 6. A session of all kinds of commands leaks nothing.
 */
#include "os.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096u
#define TEXT 16384

static char before[TEXT], after[TEXT];

static struct tb_machine *boot(const char *command_line, uint64_t memory)
{
    struct tb_config config = os_config();
    char line[128];

    /* Of words with one name the first counts. Only with checks does every allocation. */
    snprintf(line, sizeof line, "%s checks=1", command_line);
    config.command_line = line;
    config.memory = memory;
    return os_boot(&config);
}

static void make_fail(struct tb_machine *machine, enum tb_fail_kind kind, unsigned site, uint64_t n,
                      uint64_t seed)
{
    struct tb_alloc_fail plan = {.kind = kind, .site = site, .n = n, .seed = seed};

    ck_assert_int_eq(tb_alloc_fail(machine, &plan), 0);
}

static void read_state(struct tb_machine *machine, char *text)
{
    int length = tb_inspect_state(machine, text, TEXT);

    ck_assert_int_gt(length, 0);
    ck_assert_int_eq(length, (int)strlen(text));
}

/* ---- 1 ---- */

static const uint64_t sizes[] = {2u << 20, 4u << 20, 64u << 20, 960u << 20};

START_TEST(frames_add_up)
{
    size_t pages = (size_t)(sizes[_i] / PAGE), used = 0, most = 0;
    uint8_t *frames = malloc(pages + 10);
    struct tb_machine *machine = boot("", sizes[_i]);

    memset(frames, 0xee, pages + 10);
    ck_assert_uint_eq(tb_memory_frames(machine, 0, frames, pages + 10), pages);
    for (size_t i = 0; i < 10; i++)
        ck_assert_uint_eq(frames[pages + i], TB_FRAME_NONE);
    for (size_t i = 0; i < pages; i++) {
        if (frames[i] < TB_FRAME_TAGS) {
            ck_assert_uint_le(frames[i], TB_FRAME_FREE);
            continue;
        }
        used++;
        most = frames[i] > most ? frames[i] : most;
        ck_assert_ptr_nonnull(tb_memory_tag(machine, frames[i] - TB_FRAME_TAGS));
    }
    ck_assert_uint_gt(used, 10);
    ck_assert_uint_gt(most, TB_FRAME_TAGS);
    /* A piece is what the whole says of it. */
    uint8_t piece[7];
    ck_assert_uint_eq(tb_memory_frames(machine, pages / 2, piece, 7), 7);
    ck_assert_mem_eq(piece, frames + pages / 2, 7);
    ck_assert_uint_eq(tb_memory_frames(machine, pages, piece, 7), 0);
    ck_assert_uint_eq(tb_memory_frames(machine, UINT64_MAX, piece, 7), 0);
    ck_assert_uint_eq(piece[0], TB_FRAME_NONE);
    tb_close(machine);
    free(frames);
}
END_TEST

/* RAM that nobody needed has not been touched. */
START_TEST(most_of_ram_is_untouched)
{
    size_t pages = (64u << 20) / PAGE, untouched = 0;
    uint8_t *frames = malloc(pages);
    struct tb_machine *machine = boot("", 64u << 20);

    ck_assert_uint_eq(tb_memory_frames(machine, 0, frames, pages), pages);
    for (size_t i = 0; i < pages; i++)
        untouched += frames[i] == TB_FRAME_UNTOUCHED;
    ck_assert_uint_gt(untouched, pages * 9 / 10);
    tb_close(machine);
    free(frames);
}
END_TEST

START_TEST(sites_add_up)
{
    struct tb_machine *machine = boot("", 0);
    struct tb_alloc_site site;
    uint64_t calls = 0;
    unsigned n = 0;

    for (; tb_alloc_site(machine, n, &site) == 0; n++) {
        ck_assert_msg(strncmp(site.file, "core/", 5) == 0, "%s", site.file);
        ck_assert_uint_gt(site.line, 0);
        ck_assert_ptr_nonnull(tb_memory_tag(machine, site.tag));
        ck_assert_uint_le(site.failures, site.calls);
        ck_assert_int_ge(site.blocks, 0);
        ck_assert_int_ge(site.bytes, site.blocks ? 1 : 0);
        calls += site.calls;
    }
    ck_assert_uint_gt(n, 10);
    ck_assert_int_eq(tb_alloc_site(machine, n, &site), -ENOENT);
    ck_assert_int_eq(tb_alloc_site(machine, UINT32_MAX, &site), -ENOENT);
    ck_assert_uint_eq(tb_alloc_count(machine), calls);
    ck_assert_ptr_null(tb_memory_tag(machine, 1000));
    tb_close(machine);
}
END_TEST

START_TEST(off_there_is_nothing)
{
    struct tb_machine *machine = boot("", 0);
    struct tb_alloc_fail plan = {.kind = TB_FAIL_FROM, .n = 1};
    struct tb_alloc_site site;
    uint8_t frames[1000];

    tb_power_cut(machine);
    memset(frames, 0xee, sizeof frames);
    ck_assert_uint_eq(tb_memory_frames(machine, 0, frames, sizeof frames), sizeof frames);
    for (size_t i = 0; i < sizeof frames; i++)
        ck_assert_uint_eq(frames[i], TB_FRAME_NONE);
    ck_assert_ptr_null(tb_memory_tag(machine, 0));
    ck_assert_int_eq(tb_alloc_site(machine, 0, &site), 0);
    ck_assert_uint_eq(site.calls, 0);
    ck_assert_uint_eq(tb_alloc_count(machine), 0);
    ck_assert_int_eq(tb_alloc_fail(machine, &plan), -EINVAL);
    ck_assert_int_eq(tb_inspect_state(machine, before, TEXT), -EINVAL);
    /* What was refused has no effect after the next power-on. */
    ck_assert_int_eq(tb_power_on(machine), 0);
    os_wait_prompt(machine);
    tb_close(machine);
}
END_TEST

/* ---- 2 ---- */

static bool ran_out(const char *output)
{
    return strstr(output, "out of memory") != NULL;
}

static uint64_t failures(struct tb_machine *machine)
{
    struct tb_alloc_site site;
    uint64_t sum = 0;

    for (unsigned i = 0; tb_alloc_site(machine, i, &site) == 0; i++)
        sum += site.failures;
    return sum;
}

START_TEST(the_nth_fails_alone)
{
    struct tb_machine *machine = boot("", 0);
    uint64_t start, n;

    (void)os_command(machine, "ls");
    start = tb_alloc_count(machine);
    (void)os_command(machine, "ls");
    n = tb_alloc_count(machine) - start;
    ck_assert_uint_gt(n, 2);
    for (uint64_t i = 1; i <= n; i++) {
        uint64_t failed = failures(machine);

        make_fail(machine, TB_FAIL_NTH, 0, i, 0);
        ck_assert_msg(ran_out(os_command(machine, "ls")), "allocation %d", (int)i);
        ck_assert_uint_eq(failures(machine), failed + 1);
    }
    make_fail(machine, TB_FAIL_NTH, 0, n + 1, 0);
    ck_assert(!ran_out(os_command(machine, "ls")));
    tb_close(machine);
}
END_TEST

START_TEST(all_from_the_nth_fail)
{
    struct tb_machine *machine = boot("", 0);

    make_fail(machine, TB_FAIL_FROM, 0, 1, 0);
    for (unsigned i = 0; i < 3; i++)
        ck_assert(ran_out(os_command(machine, "ls")));
    ck_assert_ptr_nonnull(strstr(os_command(machine, "echo all is well"), "all is well"));
    make_fail(machine, TB_FAIL_NONE, 0, 0, 0);
    ck_assert(!ran_out(os_command(machine, "ls")));
    tb_close(machine);
}
END_TEST

/* The site of the allocation that `file` makes most often. */
static unsigned find_site(struct tb_machine *machine, const char *file, struct tb_alloc_site *found)
{
    struct tb_alloc_site site;
    unsigned best = 0;
    uint64_t calls = 0;

    for (unsigned i = 0; tb_alloc_site(machine, i, &site) == 0; i++)
        if (strcmp(site.file, file) == 0 && site.calls > calls) {
            calls = site.calls;
            *found = site;
            best = i;
        }
    ck_assert_msg(calls > 0, "%s has not allocated", file);
    return best;
}

START_TEST(a_site_fails_alone)
{
    struct tb_machine *machine = boot("", 0);
    struct tb_alloc_site site, now;
    unsigned number;
    uint64_t failed;

    (void)os_command(machine, "ls");
    number = find_site(machine, "core/shell/commands/listing.c", &site);
    make_fail(machine, TB_FAIL_SITE, number, 0, 0);
    failed = failures(machine);
    ck_assert(ran_out(os_command(machine, "ls /docs")));
    ck_assert(!ran_out(os_command(machine, "cat /README.TXT")));
    ck_assert(ran_out(os_command(machine, "ls")));
    ck_assert_int_eq(tb_alloc_site(machine, number, &now), 0);
    ck_assert_uint_eq(now.failures - site.failures, failures(machine) - failed);
    ck_assert_uint_eq(now.failures - site.failures, now.calls - site.calls);
    tb_close(machine);
}
END_TEST

START_TEST(a_share_fails_by_its_seed)
{
    uint64_t counts[3];
    static const uint64_t seeds[3] = {7, 7, 8};

    for (unsigned i = 0; i < 3; i++) {
        struct tb_machine *machine = boot("", 0);
        uint64_t start = tb_alloc_count(machine), all;

        make_fail(machine, TB_FAIL_SHARE, 0, 4, seeds[i]);
        for (unsigned k = 0; k < 40; k++)
            (void)os_command(machine, "ls -l /docs");
        all = tb_alloc_count(machine) - start;
        counts[i] = failures(machine);
        ck_assert_uint_gt(counts[i], all / 8);
        ck_assert_uint_lt(counts[i], all / 2);
        counts[i] = counts[i] * 100000 + all;
        tb_close(machine);
    }
    ck_assert_uint_eq(counts[0], counts[1]);
    ck_assert_uint_ne(counts[0], counts[2]);
}
END_TEST

START_TEST(plans_without_sense_are_refused)
{
    static const struct tb_alloc_fail plans[] = {
        {.kind = TB_FAIL_NTH},
        {.kind = TB_FAIL_FROM},
        {.kind = TB_FAIL_SHARE},
        {.kind = TB_FAIL_SITE, .site = 1000000},
        {.kind = (enum tb_fail_kind)5, .n = 1},
        {.kind = (enum tb_fail_kind) - 1, .n = 1},
    };
    struct tb_machine *machine = boot("", 0);

    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        ck_assert_int_eq(tb_alloc_fail(machine, &plans[i]), -EINVAL);
        ck_assert_str_ne(tb_error(machine), "");
    }
    ck_assert(!ran_out(os_command(machine, "ls")));
    tb_close(machine);
}
END_TEST

/* The boot word means the same as the library's call, and is counted from the heap's start on. */
START_TEST(the_boot_word_fails_a_site)
{
    struct tb_machine *machine = boot("", 0);
    struct tb_alloc_site site;
    char word[64];

    (void)os_command(machine, "ls");
    (void)find_site(machine, "core/shell/commands/listing.c", &site);
    tb_close(machine);
    for (unsigned skip = 0; skip <= 5; skip += 5) { /* "core/shell/...", "shell/..." */
        snprintf(word, sizeof word, "fail_alloc=%s:%u", site.file + skip, site.line);
        machine = boot(word, 0);
        ck_assert_ptr_null(strstr(os_output(machine), "fail_alloc"));
        ck_assert(ran_out(os_command(machine, "ls")));
        make_fail(machine, TB_FAIL_NONE, 0, 0, 0);
        ck_assert(!ran_out(os_command(machine, "ls")));
        tb_close(machine);
    }
}
END_TEST

/* ---- 3 ---- */

START_TEST(the_state_stays)
{
    struct tb_machine *machine = boot(_i ? "checks=0" : "", 0);
    static const char *const commands[] = {"ls", "cat /README.TXT", "ls /nowhere", "mem", "ps"};

    (void)os_command(machine, "ls -l /");
    read_state(machine, before);
    ck_assert_ptr_nonnull(strstr(before, "mount mmcblk0p1\n"));
    ck_assert_ptr_nonnull(strstr(before, "thread idle\n"));
    ck_assert_ptr_nonnull(strstr(before, "vnode directory"));
    ck_assert_ptr_nonnull(strstr(before, "memory core/thread/stack/stack.c:"));
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        (void)os_command(machine, commands[i]);
        read_state(machine, after);
        ck_assert_str_eq(before, after);
        make_fail(machine, TB_FAIL_FROM, 0, 1 + i, 0);
        (void)os_command(machine, commands[i]);
        make_fail(machine, TB_FAIL_NONE, 0, 0, 0);
        read_state(machine, after);
        ck_assert_str_eq(before, after);
    }
    tb_close(machine);
}
END_TEST

START_TEST(the_state_tells_what_is_going_on)
{
    struct tb_machine *machine = boot("", 0);

    read_state(machine, before);
    (void)os_command(machine, "sleep 60m &");
    read_state(machine, after);
    ck_assert_str_ne(before, after);
    ck_assert_uint_gt(strlen(after), strlen(before));
    tb_close(machine);
}
END_TEST

START_TEST(the_state_is_cut)
{
    struct tb_machine *machine = boot("", 0);
    int length = tb_inspect_state(machine, before, TEXT);

    for (int bytes = 0; bytes <= length + 1; bytes++) {
        memset(after, 'x', TEXT);
        ck_assert_int_eq(tb_inspect_state(machine, after, (size_t)bytes), length);
        ck_assert_int_eq(after[bytes], 'x');
        if (bytes > 0) {
            ck_assert_uint_eq(strlen(after), (size_t)bytes - 1);
            ck_assert_int_eq(strncmp(before, after, (size_t)bytes - 1), 0);
        }
    }
    tb_close(machine);
}
END_TEST

/* ---- 4 ---- */

START_TEST(a_running_guest_can_be_looked_at)
{
    struct tb_config config = os_config();
    struct tb_machine *machine;
    uint8_t *frames = malloc((64u << 20) / PAGE);
    struct tb_alloc_site site;

    config.clock = TB_CLOCK_REAL;
    config.command_line = "checks=1";
    machine = os_boot(&config);
    ck_assert_int_eq(tb_inspect_state(machine, before, TEXT), -ENOTSUP);
    ck_assert_int_gt(tb_uart_write(machine, "spawn 4 200ms\r", 14), 0);
    for (unsigned round = 0; round < 300; round++) {
        struct tb_alloc_fail plan = {
            .kind = round % 2 ? TB_FAIL_SHARE : TB_FAIL_NONE, .n = 1000000, .seed = round};

        (void)tb_memory_frames(machine, 0, frames, (64u << 20) / PAGE);
        for (unsigned i = 0; tb_alloc_site(machine, i, &site) == 0; i++)
            (void)tb_memory_tag(machine, site.tag);
        ck_assert_int_eq(tb_alloc_fail(machine, &plan), 0);
        ck_assert_uint_gt(tb_alloc_count(machine), 0);
        ck_assert_int_ge(tb_run_for(machine, 1000000), 0);
    }
    ck_assert_int_eq(tb_state(machine), TB_RUNNING);
    tb_close(machine);
    free(frames);
}
END_TEST

/* ---- 5 ---- */

static const char *const nonsense[] = {
    "fail_alloc=0",
    "fail_alloc=-1",
    "fail_alloc=1/0",
    "fail_alloc=2/50",
    "fail_alloc=17x",
    "fail_alloc=:",
    "fail_alloc=shell/job.c",
    "fail_alloc=x.c:1",
    "checks=2",
    "checks=",
    "allocator=x",
    "allocator=",
    "fail_alloc=1/5:z",
    "fail_alloc=",
};

START_TEST(nonsense_is_named)
{
    struct tb_machine *machine = boot(nonsense[_i], 0);

    ck_assert_ptr_nonnull(strstr(os_output(machine), nonsense[_i]));
    ck_assert(!ran_out(os_command(machine, "ls")));
    tb_close(machine);
}
END_TEST

/* ---- 6 ---- */

START_TEST(nothing_leaks)
{
    static const char *const commands[] = {
        "ls -l /",     "cat /README.TXT", "cd docs; ls; cd ..", "spawn 5 1ms",
        "sleep 5ms &", "ls /nowhere",     "cat /docs",          "mem",
        "ps",          "history",         "ktest heap",         "sleep 60m &",
        "kill %1",     "sleep 10ms",
    };
    struct tb_machine *machine = boot("", 0);
    const char *output;

    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        (void)os_command(machine, commands[i]);
    (void)os_output(machine);
    ck_assert_int_gt(tb_uart_write(machine, "poweroff\r", 9), 0);
    ck_assert_int_eq(tb_run_until(machine, UINT64_MAX), TB_STOPPED);
    output = os_output(machine);
    ck_assert_msg(strstr(output, "leak") == NULL, "%s", output);
    ck_assert_int_eq(tb_exit_status(machine), 0);
    tb_close(machine);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inspect");
    TCase *look = tcase_create("look"), *plans = tcase_create("plans"),
          *words = tcase_create("words");

    tcase_set_timeout(look, 120);
    tcase_add_loop_test(look, frames_add_up, 0, sizeof sizes / sizeof sizes[0]);
    tcase_add_test(look, most_of_ram_is_untouched);
    tcase_add_test(look, sites_add_up);
    tcase_add_test(look, off_there_is_nothing);
    tcase_add_loop_test(look, the_state_stays, 0, 2);
    tcase_add_test(look, the_state_tells_what_is_going_on);
    tcase_add_test(look, the_state_is_cut);
    tcase_add_test(look, a_running_guest_can_be_looked_at);
    suite_add_tcase(suite, look);
    tcase_set_timeout(plans, 120);
    tcase_add_test(plans, the_nth_fails_alone);
    tcase_add_test(plans, all_from_the_nth_fail);
    tcase_add_test(plans, a_site_fails_alone);
    tcase_add_test(plans, a_share_fails_by_its_seed);
    tcase_add_test(plans, plans_without_sense_are_refused);
    tcase_add_test(plans, the_boot_word_fails_a_site);
    tcase_add_test(plans, nothing_leaks);
    suite_add_tcase(suite, plans);
    tcase_set_timeout(words, 120);
    tcase_add_loop_test(words, nonsense_is_named, 0, sizeof nonsense / sizeof nonsense[0]);
    suite_add_tcase(suite, words);
    return os_run_suite(suite);
}
