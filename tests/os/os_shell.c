/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. A script longer than every queue, typed while a command runs, loses nothing.
 *  2. Ctrl-C stops the command in the foreground, however fast it was typed, and nothing else.
 *  3. Background commands run, are found by number, end when told, and are limited in number.
 *  4. Tab completes commands and paths against the real card, with quoting.
 *  5. cat: text, bytes, the console; large files whole.
 *  6. A watched pin tells its edges.
 *  7. Pins in use are not given twice; what ends gives them back.
 *  8. The debug shell reads its input from what was typed ahead, and harms nothing.
 *  9. ktest passes as a whole and can be asked for at boot, with a status.
 * 10. Looking at any of RAM, stacks and their guards too, does no harm.
 * 11. A command in the background can be ended before it has begun.
 * 12. Each of several watchers of one pin sees its edges, also when another one has ended.
 * 13. A writer that waited for room when the debug shell opened goes on after it.
 * 14. `poweroff` does not wait for what others go on to print.
 * 15. The tests run once at a time, and Ctrl-C ends them after the one that runs.
 * 16. Centuries of machine time do not upset what counts it.
 * 17. What ends before a thread could begin ignores `&`.
 * 18. `sched lab` prints the chart and the times of a textbook's job mix, on the console's 80
 * columns, and says what is wrong with a mix that cannot be.
 */
#include "os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct tb_machine *machine;

static void setup(void)
{
    struct tb_config config = os_config();

    machine = os_boot(&config);
}

static void teardown(void)
{
    tb_close(machine);
    machine = NULL;
}

static void type(const char *text)
{
    ck_assert_int_eq(tb_uart_write(machine, text, strlen(text)), (int)strlen(text));
}

static void expect(const char *text)
{
    int reason = tb_uart_expect(machine, text, 60 * OS_SECOND);

    ck_assert_msg(reason == TB_MATCH, "no \"%s\" (%d) in: %s", text, reason, os_output(machine));
}

static void assert_has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "\"%s\" is not in: %s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) == NULL, "\"%s\" is in: %s", part, text);
}

START_TEST(a_long_script_loses_nothing)
{
    static char script[32768];
    size_t used = (size_t)sprintf(script, "sleep 1s\n");

    for (unsigned i = 0; i < 1000; i++)
        used += (size_t)sprintf(script + used, "echo this is line %u\n", i);
    type(script);
    for (unsigned i = 0; i < 1000; i++) {
        char line[64];

        sprintf(line, "\nthis is line %u\r\n", i);
        expect(line);
    }
}
END_TEST

START_TEST(ctrl_c_stops_the_command)
{
    type("sleep 1000\r");
    (void)tb_run_for(machine, OS_SECOND);
    type("\003");
    expect("^C\r\n/ > ");
    ck_assert_uint_lt(tb_time(machine), 3 * OS_SECOND);
    type("cat /data/offsets.txt\r");
    expect("000000000004096");
    type("\003");
    expect("^C\r\n/ > ");
    ck_assert_str_eq(os_command(machine, "echo alive"), "alive\r\n");
}
END_TEST

START_TEST(ctrl_c_that_was_typed_ahead_counts)
{
    type("sleep 1000\r\003");
    expect("^C\r\n/ > ");
    ck_assert_uint_lt(tb_time(machine), 10 * OS_SECOND);
    type("echo not this\003");
    expect("^C\r\n/ > ");
    ck_assert_str_eq(os_command(machine, "echo alive"), "alive\r\n");
}
END_TEST

START_TEST(ctrl_c_ends_the_whole_line_and_spares_the_background)
{
    ck_assert_str_eq(os_command(machine, "blink GPIO17 10ms &"), "[1] blink GPIO17 10ms\r\n");
    type("sleep 1000; echo never\r");
    (void)tb_run_for(machine, OS_SECOND);
    (void)os_output(machine);
    type("\003");
    expect("^C\r\n/ > ");
    assert_lacks(os_output(machine), "never");
    assert_has(os_command(machine, "ps"), "blink %1");
}
END_TEST

START_TEST(background_commands_have_numbers)
{
    ck_assert_str_eq(os_command(machine, "sleep 1000 &"), "[1] sleep 1000\r\n");
    ck_assert_str_eq(os_command(machine, "sleep 2000 &"), "[2] sleep 2000\r\n");
    ck_assert_str_eq(os_command(machine, "kill %1"), "");
    (void)os_command(machine, "sleep 10ms");
    assert_lacks(os_command(machine, "ps"), "sleep %1");
    assert_has(os_command(machine, "ps"), "sleep %2");
    assert_has(os_command(machine, "kill %1"), "error:");
    ck_assert_str_eq(os_command(machine, "sleep 3000 &"), "[1] sleep 3000\r\n");
    assert_has(os_command(machine, "kill 1"), "error:");
}
END_TEST

START_TEST(background_commands_are_limited)
{
    for (unsigned i = 1; i <= 16; i++) {
        char answer[32];

        sprintf(answer, "[%u] sleep 1000\r\n", i);
        ck_assert_str_eq(os_command(machine, "sleep 1000 &"), answer);
    }
    assert_has(os_command(machine, "sleep 1000 &"), "error: 16 commands");
    ck_assert_str_eq(os_command(machine, "echo alive"), "alive\r\n");
}
END_TEST

START_TEST(tab_completes)
{
    type("hexd\t/RE\tME\t -n 4\025");
    expect("hexdump /README.TXT ");
    type("cat /docs/get\t\025");
    expect("cat /docs/Getting\\ started.txt ");
    type("cat \"/docs/pi\t\025");
    expect("cat \"/docs/Pins and LEDs.txt\" ");
    type("ls /na\tЕ\t\b\t\025");
    expect("ls /names/");
    type("cat /names/日\t\r");
    expect("My name is 日本語のファイル.txt");
    type("fsck mm\tp\t\025");
    expect("fsck mmcblk0p1 ");
    type("fsck d\t\t\025");
    expect("data/  deep/  dev/   docs/");
    type("mkfs \t\025");
    expect("mkfs mmcblk0");
    type("disks ram 64K\rmount r\t\t\025");
    expect("ram0           README.TXT     READONLY.TXT");
    type("l\t\t");
    expect("led     ln      locks   ls");
    type("\025ls /many/\t\t");
    expect("1000 names");
}
END_TEST

START_TEST(cat_prints_text_bytes_and_the_console)
{
    const char *all;

    assert_has(os_command(machine, "cat /data/bytes.bin"), "error: not UTF-8 text");
    ck_assert_uint_gt(strlen(os_command(machine, "cat /data/size-4097")), 4000);
    assert_has(os_command(machine, "cat /docs"), "error: /docs: a directory");
    assert_has(os_command(machine, "cat /none /data/size-1"), "error: /none: no such file");
    type("cat -\rone\rtw\177two\r\004echo over\r");
    expect("\r\nover\r\n");
    all = os_output(machine);
    assert_has(all, "one\r\none\r\n");
    assert_has(all, "\r\nttwo\r\n");
    assert_has(os_command(machine, "cat - &"), "[1]");
}
END_TEST

START_TEST(a_large_file_comes_whole)
{
    static char taken[1 << 16];
    unsigned silent = 0, patience = os_real_clock() ? 20 : 1; /* the host may be busy */
    uint64_t bytes = 0;
    size_t n;

    (void)os_output(machine);
    type("cat /data/offsets.txt\r");
    do {
        (void)tb_run_for(machine, 50 * OS_MS);
        n = tb_uart_read(machine, taken, sizeof(taken) - 1);
        bytes += n;
        taken[n] = '\0';
        silent = n > 0 ? 0 : silent + 1;
    } while (silent < patience);
    /* Each 16th byte is a newline, which goes out as two. */
    ck_assert_uint_ge(bytes, (5 * 1048576 + 37) / 16 * 17);
}
END_TEST

START_TEST(a_watched_pin_tells_its_edges)
{
    (void)os_command(machine, "gpio GPIO23 in pull-up");
    type("gpio J8:16 watch\r");
    expect("\n1\r\n");
    for (unsigned i = 0; i < 3; i++) {
        (void)tb_run_for(machine, 100 * OS_MS);
        ck_assert_int_eq(tb_pin_drive(machine, 23, TB_LOW), 0);
        expect("0 after ");
        (void)tb_run_for(machine, 100 * OS_MS);
        ck_assert_int_eq(tb_pin_drive(machine, 23, TB_FLOATING), 0);
        expect("1 after ");
    }
    type("\003");
    expect("/ > ");
    ck_assert_int_eq(tb_run_until(machine, UINT64_MAX), TB_STUCK);
}
END_TEST

START_TEST(a_pin_has_one_user)
{
    (void)os_command(machine, "blink GPIO17 10ms &");
    (void)os_command(machine, "sleep 5ms");
    assert_has(os_command(machine, "blink J8:11 20ms"), "in use by blink");
    assert_has(os_command(machine, "gpio GPIO17 low"), "in use by blink");
    ck_assert_str_eq(os_command(machine, "kill %1; sleep 10ms; gpio GPIO17 high read"), "1\r\n");
    assert_has(os_command(machine, "gpio GPIO15 in"), "in use by the console");
}
END_TEST

START_TEST(the_debug_shell_reads_what_was_typed_ahead)
{
    (void)os_output(machine);
    type("brk\rregs\rbt\rmem 0x100 16\rmem 0xfffffffffff\rthreads\rlog\rnonsense\rcontinue\recho "
         "on\r");
    expect("\non\r\n");
    assert_has(os_output(machine), "unknown command: nonsense");
    ck_assert_str_eq(os_command(machine, "sleep 10ms; echo alive"), "alive\r\n");
}
END_TEST

START_TEST(a_command_can_be_ended_before_it_has_begun)
{
    ck_assert_str_eq(os_command(machine, "sleep 1000 & kill %1"), "[1] sleep 1000\r\n");
    (void)os_command(machine, "sleep 10ms");
    assert_lacks(os_command(machine, "ps"), "sleep %1");
    ck_assert_str_eq(os_command(machine, "sleep 2000 &"), "[1] sleep 2000\r\n");
    (void)os_command(machine, "sleep 10ms");
    assert_has(os_command(machine, "ps"), "sleep %1");
}
END_TEST

START_TEST(each_watcher_of_a_pin_sees_its_edges)
{
    ck_assert_int_eq(tb_pin_drive(machine, 22, TB_LOW), 0);
    (void)os_command(machine, "gpio GPIO22 watch &");
    (void)os_command(machine, "gpio GPIO22 watch &");
    (void)os_command(machine, "sleep 10ms; kill %1; sleep 10ms");
    (void)os_output(machine);
    ck_assert_int_eq(tb_pin_drive(machine, 22, TB_HIGH), 0);
    expect("1 after");
    ck_assert_int_eq(tb_pin_drive(machine, 22, TB_LOW), 0);
    expect("0 after");
}
END_TEST

START_TEST(a_writer_goes_on_after_the_debug_shell)
{
    type("cat /data/offsets.txt &\rsleep 100ms; brk\rcontinue\recho alive\r");
    ck_assert_int_eq(tb_uart_expect(machine, "\nalive\r\n", 60 * OS_SECOND), TB_MATCH);
}
END_TEST

START_TEST(poweroff_waits_for_no_one_else)
{
    uint64_t start;

    type("cat /data/offsets.txt &\r");
    expect("000000000000064");
    start = tb_time(machine);
    type("poweroff 9\r");
    ck_assert_int_eq(tb_run_for(machine, 60 * OS_SECOND), TB_STOPPED);
    ck_assert_int_eq(tb_exit_status(machine), 9);
    ck_assert_uint_lt(tb_time(machine) - start, 5 * OS_SECOND);
}
END_TEST

START_TEST(tests_run_once_at_a_time)
{
    type("ktest wait &\rktest wait\r");
    expect("error: the tests run already");
    expect("# 4 passed, 0 failed");
}
END_TEST

START_TEST(ctrl_c_ends_the_tests_at_any_moment)
{
    for (unsigned ms = 0; ms < 20; ms++) {
        type("ktest wait\r");
        expect("1..4");
        (void)tb_run_for(machine, ms * OS_MS);
        type("\003");
        expect("/ > ");
    }
}
END_TEST

START_TEST(centuries_are_counted)
{
    type("sleep 9000000000\r");
    expect("\n");
    ck_assert_int_eq(tb_uart_expect(machine, OS_PROMPT, UINT64_MAX), TB_MATCH);
    assert_has(os_command(machine, "uptime"), "up 2500000:00:00, idle 100.0 %");
    assert_has(os_command(machine, "ps"), " 100.0 % ");
    (void)os_command(machine, "sleep 5");
    assert_has(os_command(machine, "uptime"), "up 2500000:00:05, idle 100.0 %");
}
END_TEST

START_TEST(quick_commands_need_no_thread)
{
    ck_assert_str_eq(os_command(machine, "echo here &"), "here\r\n");
    assert_has(os_command(machine, "history &"), "echo here &");
}
END_TEST

START_TEST(sched_lab_solves_the_course_problem)
{
    const char *all = os_command(machine, "sched lab srt J1:0:5 J2:0:8 J3:0:3 J4:5:2");

    assert_has(all, "\r\nCPU 0  333333333333111111114444444411111111111122222222222222222222222222"
                    "222222\r\n");
    assert_has(all, "\r\nJ1     ------------########--------############\r\n");
    assert_has(all, "\r\nmean                                                 3.25      3.75       "
                    "8.25\r\n");
    all = os_command(machine, "sched lab fair quantum=0.5 cpus=4 turns A:0:5 B:1.25:3:-5 C:9:1");
    assert_has(all, "\r\nCPU 3  ");
    assert_has(all, "all done at 10; ");
    assert_has(os_command(machine, "sched lab cfs A:0:1"),
               "error: there is no policy cfs; there are");
    assert_has(os_command(machine, "sched lab rr cpus=5 A:0:1"), "error: cpus=5: not a number");
    assert_has(os_command(machine, "sched lab rr quantum=0.001 A:0:900 B:0:900"),
               "error: more than");
    assert_has(os_command(machine, "sched lab"), "usage: sched ");
    assert_has(os_command(machine, "sched lab fifo A:0:1 &"), "[1] sched lab fifo A:0:1");
}
END_TEST

START_TEST(ktest_passes)
{
    const char *all = os_command(machine, "ktest");

    assert_has(all, " 0 failed");
    assert_lacks(all, "not ok");
    assert_lacks(all, "# SKIP");
    assert_has(os_command(machine, "ktest nonsense"), "error:");
    assert_has(os_command(machine, "ktest list.keeps_its_order"), "1..1\r\nok 1 - list.keeps");
}
END_TEST

/* Boots with `command_line` and returns the status it powers off with. */
static int boot_for_status(const char *command_line)
{
    struct tb_config config = os_config();

    config.command_line = command_line;
    ck_assert_int_eq(tb_open(&config, &machine), 0);
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_int_eq(tb_run_for(machine, 600 * OS_SECOND), TB_STOPPED);
    ck_assert_int_eq(tb_state(machine), TB_POWERED_OFF);
    return tb_exit_status(machine);
}

START_TEST(ktest_at_boot_gives_a_status)
{
    ck_assert_int_eq(boot_for_status("ktest=mutex"), 0);
    teardown();
    ck_assert_int_eq(boot_for_status("ktest=nonsense"), 2);
    assert_has(os_output(machine), "Bail out!");
}
END_TEST

START_TEST(all_of_memory_can_be_looked_at)
{
    struct tb_config config = os_config();
    const char *all;

    config.memory = 4 << 20;
    machine = os_boot(&config);
    (void)os_output(machine);
    /* From a start behind the guards that lie in the way; a guard ends a dump with a sentence. */
    for (unsigned at = 0; at < 4 << 20; at += 4096) {
        char line[64];

        sprintf(line, "mem 0x%x 1", at); /* one byte cannot look like a prompt */
        all = os_command(machine, line);
        ck_assert_msg(strstr(all, "|") || strstr(all, "guard page") || strstr(all, "reserved"),
                      "%s: %s", line, all);
    }
    assert_has(os_command(machine, "mem 0x100 8"), "00000100  ");
    assert_has(os_command(machine, "mem 0x3ffff0 17"), "not RAM");
    assert_has(os_command(machine, "mem 0xffffffffffffffff 16"), "not RAM");
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("shell");
    TCase *shell = tcase_create("shell"), *boots = tcase_create("boots");

    tcase_add_checked_fixture(shell, setup, teardown);
    tcase_set_timeout(shell, 120);
    tcase_add_test(shell, a_long_script_loses_nothing);
    tcase_add_test(shell, ctrl_c_stops_the_command);
    tcase_add_test(shell, ctrl_c_that_was_typed_ahead_counts);
    tcase_add_test(shell, ctrl_c_ends_the_whole_line_and_spares_the_background);
    tcase_add_test(shell, background_commands_have_numbers);
    tcase_add_test(shell, background_commands_are_limited);
    tcase_add_test(shell, tab_completes);
    tcase_add_test(shell, cat_prints_text_bytes_and_the_console);
    tcase_add_test(shell, a_large_file_comes_whole);
    tcase_add_test(shell, a_watched_pin_tells_its_edges);
    tcase_add_test(shell, a_pin_has_one_user);
    tcase_add_test(shell, the_debug_shell_reads_what_was_typed_ahead);
    tcase_add_test(shell, a_command_can_be_ended_before_it_has_begun);
    tcase_add_test(shell, each_watcher_of_a_pin_sees_its_edges);
    tcase_add_test(shell, a_writer_goes_on_after_the_debug_shell);
    tcase_add_test(shell, poweroff_waits_for_no_one_else);
    tcase_add_test(shell, tests_run_once_at_a_time);
    tcase_add_test(shell, ctrl_c_ends_the_tests_at_any_moment);
    if (!os_real_clock()) /* who would wait for it? */
        tcase_add_test(shell, centuries_are_counted);
    tcase_add_test(shell, quick_commands_need_no_thread);
    tcase_add_test(shell, sched_lab_solves_the_course_problem);
    if (!os_real_clock()) /* ktest.py and, under the tool, ktests.py play those */
        tcase_add_test(shell, ktest_passes);
    suite_add_tcase(all, shell);
    tcase_add_checked_fixture(boots, NULL, teardown);
    tcase_set_timeout(boots, 120);
    tcase_add_test(boots, ktest_at_boot_gives_a_status);
    tcase_add_test(boots, all_of_memory_can_be_looked_at);
    suite_add_tcase(all, boots);
    return all;
}

int main(void)
{
    return os_run_suite(suite());
}
