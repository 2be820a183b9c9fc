/* SPDX-License-Identifier: MIT */
/*
 * lab.c: elevators on paper.
 *
 *  1. The example that most textbooks have gives their numbers.
 *  2. The same words give the same report, line for line; all requests are served in it.
 *  3. No request is passed more often than the bound; with bound 0 all kinds are fifo.
 *  4. What is no option, or cannot be, is refused with a sentence.
 *  5. The last requests of a disk can be played.
 */
#include "suites.h"

#include "../fake_hal.h"
#include "paper.h"

#include "block/lab/lab.h"

#include <hal/errno.h>

#include <stdio.h>
#include <string.h>

static struct elevator_lab lab;
static char error[160];

static void read_line(const char *line)
{
    static char text[512];
    char *words[64];
    unsigned count = 0;

    snprintf(text, sizeof text, "%s", line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        words[count++] = word;
    error[0] = '\0';
    ck_assert_int_eq(elevator_lab_read(&lab, words, count, error, sizeof error),
                     error[0] ? -EINVAL : 0);
}

START_TEST(the_textbook_has_these_numbers)
{
    static const uint64_t movement[] = {640, 236, 299, 322}; /* fifo sstf look clook */

    read_line("98 183 37 122 14 124 65 67 start=53 sectors=200 track=1 rpm=0");
    ck_assert_uint_eq(lab.stream.count, 8);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(elevator_lab_run(&lab, elevator_at(i)).movement, movement[i]);
}
END_TEST

static char report[2][2000];
static char *to;

static void print(void *context, const char *line)
{
    (void)context;
    ck_assert_uint_le(strlen(line), 79);
    ck_assert_ptr_null(strchr(line, '\n'));
    strcat(strcat(to, line), "\n");
}

START_TEST(the_same_words_give_the_same_report)
{
    static const char *const lines[] = {"",
                                        "pattern=hot seed=5",
                                        "pattern=rows gap=0",
                                        "pattern=ends requests=256 rpm=0",
                                        "sectors=1 requests=3",
                                        "sectors=40 track=7 gap=1s"};

    for (unsigned i = 0; i < 2; i++) {
        to = report[i];
        to[0] = '\0';
        read_line(lines[_i]);
        elevator_lab_report(&lab, print, NULL);
    }
    ck_assert_str_eq(report[0], report[1]);
    ck_assert_ptr_nonnull(strstr(report[0], "clook"));
    for (unsigned i = 0; i < lab.stream.count; i++)
        ck_assert_uint_ge(lab.stream.entries[i].begun, lab.stream.entries[i].arrival);
}
END_TEST

START_TEST(nobody_is_passed_more_often_than_the_bound)
{
    static const char *const patterns[] = {"uniform", "hot", "rows", "ends"};
    char line[100];

    for (unsigned bound = 0; bound < 40; bound++)
        for (unsigned seed = 1; seed < 6; seed++) {
            uint64_t fifo;

            snprintf(line, sizeof line, "pattern=%s bound=%u seed=%u gap=4ms requests=200",
                     patterns[_i], bound, seed);
            read_line(line);
            fifo = elevator_lab_run(&lab, elevator_at(0)).end;
            for (unsigned i = 0; i < 4; i++) {
                struct lab_result result = elevator_lab_run(&lab, elevator_at(i));

                ck_assert_uint_le(result.passed, bound);
                ck_assert_uint_ge(result.most_wait, result.mean_wait);
                ck_assert(bound > 0 || result.end == fifo);
            }
        }
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
    static const char *const lines[] = {
        "lift",         "pattern=none", "requests=0", "requests=257", "track=0", "gap=long",
        "past=nothing", "past=",        "sectors=0",  "1000000",      "5x",      "seed="};

    fake_kernel_start(4u << 20);
    read_line(lines[_i]);
    ck_assert_str_ne(error, "");
}
END_TEST

START_TEST(the_past_of_a_disk_can_be_played)
{
    paper_start("fifo", 1, 0);
    paper.at_once = true;
    for (unsigned i = 0; i < 200; i++)
        (void)note_submit(i % 5 ? BLOCK_READ : BLOCK_FLUSH, 0, i * 7 % 4000, i % 5 ? 2 : 0, 0);
    read_line("past=paper0");
    ck_assert_uint_eq(lab.model.sectors, PAPER_SECTORS);
    ck_assert_uint_eq(lab.stream.count, BLOCK_PAST_MAX - 25); /* flushes do not count */
    ck_assert_uint_eq(lab.stream.entries[0].request.at, 72 * 7);
    ck_assert_uint_eq(lab.stream.entries[0].arrival, 0);
    notes_free();
}
END_TEST

Suite *lab_suite(void)
{
    Suite *suite = suite_create("lab");
    TCase *tests = tcase_create("lab");

    tcase_add_test(tests, the_textbook_has_these_numbers);
    tcase_add_loop_test(tests, the_same_words_give_the_same_report, 0, 6);
    tcase_add_loop_test(tests, nobody_is_passed_more_often_than_the_bound, 0, 4);
    tcase_add_loop_test(tests, what_cannot_be_is_refused, 0, 12);
    tcase_add_test(tests, the_past_of_a_disk_can_be_played);
    suite_add_tcase(suite, tests);
    return suite;
}
