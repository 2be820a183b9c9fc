/* SPDX-License-Identifier: MIT */
/*
 * Criteria for `sched lab`:
 *  1. The textbooks' examples give the textbooks' numbers: those of the CS350 course at Waterloo,
 * of Silberschatz, Galvin and Gagne, of the Arpaci-Dusseaus, and two that are widely set as
 *     exercises (round robin with arrivals; a feedback queue of three levels).
 *  2. All policies finish all jobs: no time is lost while a job waits, on 1 .. 4 CPUs; the same
 * line gives the same run; shares and ranks have their effect.
 *  3. The report fits into 79 columns, shows who has which CPU, idle time, waits, and times with
 *     decimals, whatever the length of the run and the names.
 *  4. Each kind of bad input gets its sentence, and any words at all harm nothing; too many turns
 * are an error.
 */
#include "sched/lab/lab.h"
#include "suites.h"

#include <hal/errno.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct lab lab;
static char error[160];
static char report[1 << 20];

/* Reads a line of words parted by single spaces. */
static int read_line(const char *line)
{
    static char text[1024];
    char *words[64];
    unsigned count = 0;

    ck_assert_uint_lt(strlen(line), sizeof(text));
    strcpy(text, line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        words[count++] = word;
    error[0] = '\0';
    return lab_read(&lab, words, count, error, sizeof(error));
}

static void tell_turn(void *context, unsigned cpu, unsigned job, uint64_t from, uint64_t to)
{
    char *story = context, start[24], end[24];

    lab_format_time(start, sizeof(start), from);
    lab_format_time(end, sizeof(end), to);
    story += strlen(story);
    sprintf(story, "%s%s %s-%s", story == (char *)context ? "" : ", ", lab.jobs[job].name, start,
            end);
    if (cpu > 0)
        sprintf(story + strlen(story), "/%u", cpu);
}

/* Runs the line; true to the story, unless that is NULL. */
static void run_line(const char *line, const char *expected)
{
    static char story[1 << 20];

    story[0] = '\0';
    ck_assert_msg(read_line(line) == 0, "%s: %s", line, error);
    ck_assert_int_eq(lab_run(&lab, tell_turn, story), 0);
    if (expected)
        ck_assert_msg(strcmp(story, expected) == 0, "%s: %s", line, story);
}

static void print_line(void *context, const char *line)
{
    (void)context;
    ck_assert_msg(strlen(line) <= 79, "%zu columns: %s", strlen(line), line);
    strcat(report, line);
    strcat(report, "\n");
}

static void report_line(const char *line)
{
    report[0] = '\0';
    ck_assert_msg(read_line(line) == 0, "%s: %s", line, error);
    ck_assert_int_eq(lab_report(&lab, print_line, NULL), 0);
}

/* The means that the report ends with, of response, waiting and turnaround: "7.25 7.25 11.75". */
static void check_means(const char *line, const char *means)
{
    char found[96], response[24], waiting[24], turnaround[24];
    const char *at;

    report_line(line);
    at = strstr(report, "\nmean");
    ck_assert_ptr_nonnull(at);
    ck_assert_int_eq(sscanf(at, " mean %23s %23s %23s", response, waiting, turnaround), 3);
    sprintf(found, "%s %s %s", response, waiting, turnaround);
    ck_assert_msg(strcmp(found, means) == 0, "%s: %s", line, found);
}

/* ---- textbooks ---- */

#define CS350 " J1:0:5 J2:0:8 J3:0:3 J4:5:2"

START_TEST(the_course_job_scheduling_problem)
{
    run_line("fifo" CS350, "J1 0-5, J2 5-13, J3 13-16, J4 16-18");
    run_line("rr quantum=2" CS350, "J1 0-2, J2 2-4, J3 4-6, J1 6-8, J2 8-10, J4 10-12, J3 12-13, "
                                   "J1 13-14, J2 14-18");
    run_line("sjf" CS350, "J3 0-3, J1 3-8, J4 8-10, J2 10-18");
    run_line("srt" CS350, "J3 0-3, J1 3-5, J4 5-7, J1 7-10, J2 10-18");
    check_means("fifo" CS350, "7.25 7.25 11.75");
    check_means("rr quantum=2" CS350, "2.75 8.50 13.00");
    check_means("sjf" CS350, "4.00 4.00 8.50");
    check_means("srt" CS350, "3.25 3.75 8.25");
}
END_TEST

START_TEST(silberschatz_galvin_and_gagne)
{
    check_means("fifo P1:0:24 P2:0:3 P3:0:3", "17.00 17.00 27.00");
    check_means("fifo P2:0:3 P3:0:3 P1:0:24", "3.00 3.00 13.00");
    run_line("sjf P1:0:6 P2:0:8 P3:0:7 P4:0:3", "P4 0-3, P1 3-9, P3 9-16, P2 16-24");
    check_means("sjf P1:0:6 P2:0:8 P3:0:7 P4:0:3", "7.00 7.00 13.00");
    run_line("srt P1:0:8 P2:1:4 P3:2:9 P4:3:5", "P1 0-1, P2 1-5, P4 5-10, P1 10-17, P3 17-26");
    check_means("srt P1:0:8 P2:1:4 P3:2:9 P4:3:5", "4.25 6.50 13.00");
    check_means("sjf P1:0:8 P2:1:4 P3:2:9 P4:3:5", "7.75 7.75 14.25");
    run_line("priority P1:0:10:3 P2:0:1:1 P3:0:2:4 P4:0:1:5 P5:0:5:2",
             "P2 0-1, P5 1-6, P1 6-16, P3 16-18, P4 18-19");
    check_means("priority P1:0:10:3 P2:0:1:1 P3:0:2:4 P4:0:1:5 P5:0:5:2", "8.20 8.20 12.00");
    run_line("rr quantum=4 P1:0:24 P2:0:3 P3:0:3", "P1 0-4, P2 4-7, P3 7-10, P1 10-30");
    check_means("rr quantum=4 P1:0:24 P2:0:3 P3:0:3", "3.67 5.67 15.67");
}
END_TEST

START_TEST(the_arpaci_dusseaus)
{
    check_means("fifo A:0:10 B:0:10 C:0:10", "10.00 10.00 20.00");
    check_means("fifo A:0:100 B:0:10 C:0:10", "70.00 70.00 110.00");
    check_means("sjf A:0:100 B:0:10 C:0:10", "10.00 10.00 50.00");
    check_means("sjf A:0:100 B:10:10 C:10:10", "63.33 63.33 103.33");
    run_line("srt A:0:100 B:10:10 C:10:10", "A 0-10, B 10-20, C 20-30, A 30-120");
    check_means("srt A:0:100 B:10:10 C:10:10", "3.33 10.00 50.00");
    check_means("sjf A:0:5 B:0:5 C:0:5", "5.00 5.00 10.00");
    check_means("rr A:0:5 B:0:5 C:0:5", "1.00 9.00 14.00");
    /* A long job, and a short one that arrives when it has sunk to the lowest of three queues. */
    run_line("feedback quantum=10 levels=3 A:0:200 B:100:20", "A 0-100, B 100-120, A 120-220");
}
END_TEST

START_TEST(exercises)
{
    run_line("rr quantum=2 P1:0:5 P2:1:3 P3:2:1 P4:3:2 P5:4:3",
             "P1 0-2, P2 2-4, P3 4-5, P1 5-7, P4 7-9, P5 9-11, P2 11-12, P1 12-13, P5 13-14");
    check_means("rr quantum=2 P1:0:5 P2:1:3 P3:2:1 P4:3:2 P5:4:3", "2.40 5.80 8.60");
    run_line("rr quantum=4 A:0:11 B:6:3 C:8:2", "A 0-8, B 8-11, C 11-13, A 13-16");
    run_line("feedback quantum=8 levels=3 P1:0:53 P2:0:17 P3:0:68 P4:0:24",
             "P1 0-8, P2 8-16, P3 16-24, P4 24-32, P1 32-48, P2 48-57, P3 57-73, P4 73-89, "
             "P1 89-118, P3 118-162");
}
END_TEST

/* ---- runs ---- */

static void check_times(const char *line)
{
    uint64_t sum = 0;

    run_line(line, NULL);
    for (unsigned i = 0; i < lab.count; i++) {
        const struct lab_job *job = &lab.jobs[i];

        ck_assert_int_eq(job->state, LAB_ENDED);
        ck_assert_uint_ge(job->first, job->arrival);
        ck_assert_uint_ge(job->end, job->first + job->length);
        ck_assert_uint_eq(job->entity.run_time, job->length);
        sum += job->length;
    }
    ck_assert_uint_eq(lab.busy, sum);
}

START_TEST(every_policy_finishes_every_job)
{
    for (unsigned cpus = 1; cpus <= 4; cpus++) {
        char line[512];

        sprintf(line,
                "%s cpus=%u A:0:4 B:0:4 C:0:4 D:0:4 E:0:4 F:0:4 G:0:4 H:0:4 I:0:4 J:0:4 "
                "K:0:4 L:0:4",
                policy_at((unsigned)_i)->name, cpus);
        check_times(line);
        /* No CPU idles while one waits: 48 units of work, less than one job apart at the end. */
        ck_assert_uint_le(lab.now, 48 / cpus * LAB_UNIT + 4 * LAB_UNIT);
        ck_assert_uint_ge(lab.now, 48 / cpus * LAB_UNIT);
        sprintf(line, "%s cpus=%u quantum=0.5 A:0:7.125:3 B:3:0.001 C:3:12:1 D:9.5:2 E:100:3:19",
                policy_at((unsigned)_i)->name, cpus);
        check_times(line);
        ck_assert_uint_eq(lab.now, 103 * LAB_UNIT);
    }
}
END_TEST

START_TEST(a_run_is_the_same_each_time)
{
    static char first[sizeof(report)];

    report_line("lottery seed=5 turns A:0:50 B:0:50:2 C:0:50:5");
    strcpy(first, report);
    report_line("lottery seed=5 turns A:0:50 B:0:50:2 C:0:50:5");
    ck_assert_str_eq(report, first);
    report_line("lottery seed=6 turns A:0:50 B:0:50:2 C:0:50:5");
    ck_assert_str_ne(report, first);
}
END_TEST

START_TEST(ranks_have_their_effect)
{
    static const char *const names[] = {"stride", "fair", "lottery"};
    char line[128];

    /* Nice 0 and 5 share 3 to 1: of the 12000 units until A ends, B has 3000. */
    sprintf(line, "%s A:0:9000 B:0:9000:5", names[_i]);
    run_line(line, NULL);
    ck_assert_uint_ge(lab.jobs[0].end, (_i == 2 ? 11700 : 11900) * LAB_UNIT);
    ck_assert_uint_le(lab.jobs[0].end, (_i == 2 ? 12300 : 12060) * LAB_UNIT);
    /* A CPU that is free is no reason to take a job from another one. */
    run_line("rr cpus=2 A:0:3 B:1:3", "A 0-3, B 1-4/1");
    run_line("rr cpus=2 A:0:2 B:0:2 C:0:2", "A 0-1, B 0-1/1, A 1-2/1, C 1-3, B 2-3/1");
    run_line("priority A:0:5:2 B:1:3:1 C:2:1:0", "A 0-1, B 1-2, C 2-3, B 3-5, A 5-9");
    run_line("priority cpus=2 A:0:5:2 B:0:5:3 C:1:1:0", "B 0-1/1, C 1-2/1, A 0-5, B 2-6/1");
    run_line("priority cpus=2 A:0:5:3 B:0.5:5:2 C:1:1:0", "A 0-1, C 1-2, A 2-6, B 0.5-5.5/1");
}
END_TEST

/* ---- the report ---- */

START_TEST(the_report_as_it_is)
{
    report_line("rr quantum=2 turns A:0:5 B:1:2.5 C:10:1.25");
    ck_assert_str_eq(report,
                     "rr: round robin: each in turn, for a quantum\n"
                     "quantum 2; 1 CPU; a column is 0.2; # runs, - waits\n"
                     "\n"
                     "time   0         2         4         6         8         10\n"
                     "CPU 0  AAAAAAAAAABBBBBBBBBBAAAAAAAAAABBAAAAAA............CCCCCCC\n"
                     "A      ##########----------##########--######\n"
                     "B           -----##########----------##-\n"
                     "C                                                        #######\n"
                     "\n"
                     "job       arrival       run     first       end  response   waiting "
                     "turnaround\n"
                     "A               0         5         0       7.5         0       2.5        "
                     "7.5\n"
                     "B               1       2.5         2       6.5         1         3        "
                     "5.5\n"
                     "C              10      1.25        10     11.25         0         0       "
                     "1.25\n"
                     "mean                                                 0.33      1.83       "
                     "4.75\n"
                     "all done at 11.25; CPUs busy for 77.8 % of it; 6 turns\n"
                     "CPU 0: A 0-2, B 2-4, A 4-6, B 6-6.5, A 6.5-7.5, C 10-11.25\n");
}
END_TEST

START_TEST(the_report_fits_at_any_scale)
{
    static const char *const lengths[] = {"0.001", "0.01", "0.072", "0.073",  "1",      "7.2",
                                          "7.201", "18",   "72",    "999.99", "123456", "1000000"};
    static const char *const arrivals[] = {"0", "0.001", "1000000"};

    for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        for (unsigned j = 0; j < 3; j++) {
            char line[512] = "fair quantum=1000 cpus=3 turns";

            for (unsigned job = 0; job < 16; job++)
                sprintf(line + strlen(line), " job%03u:%s:%s", job, arrivals[j], lengths[i]);
            report_line(line);
            ck_assert_ptr_nonnull(strstr(report, "all done at "));
            ck_assert_ptr_nonnull(strstr(report, "\nCPU 2  "));
        }
    }
}
END_TEST

START_TEST(times_are_rounded_to_thousandths)
{
    static const struct {
        uint64_t time;
        const char *text;
    } times[] = {{0, "0"},
                 {499, "0"},
                 {500, "0.001"},
                 {2666630, "2.667"},
                 {1500000, "1.5"},
                 {999999, "1"},
                 {20 * LAB_UNIT, "20"},
                 {LAB_TIME_MAX, "1000000"},
                 {17 * LAB_TIME_MAX - 1000, "16999999.999"}};

    for (unsigned i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        char text[24];

        lab_format_time(text, sizeof(text), times[i].time);
        ck_assert_str_eq(text, times[i].text);
    }
}
END_TEST

START_TEST(jobs_have_different_symbols)
{
    report_line("fifo alpha:0:1 beta:0:1 gamma:0:1");
    ck_assert_ptr_nonnull(strstr(report, "ab"));
    report_line("fifo P1:0:1 P2:0:1");
    ck_assert_ptr_nonnull(strstr(report, "CPU 0  1111"));
    report_line("fifo P1a:0:1 P2a:0:1 P1b:0:1");
    ck_assert_ptr_nonnull(strstr(report, "CPU 0  aaaa"));
    ck_assert_ptr_nonnull(strstr(report, "cccc\n"));
}
END_TEST

START_TEST(a_column_shows_who_has_most_of_it)
{
    report_line("rr quantum=1 A:0:30000 B:0:30000 C:200000:100");
    /* Turns of 1 in columns of 5000: both have as much, and waits are shown beside. */
    ck_assert_ptr_nonnull(strstr(report, "\nCPU 0  AAAAAAAAAAAA......"));
    ck_assert_ptr_nonnull(strstr(report, "\nB      ------------\n"));
    ck_assert_ptr_nonnull(strstr(report, "....C\n"));
}
END_TEST

/* ---- bad input ---- */

START_TEST(bad_input_gets_a_sentence)
{
    static const struct {
        const char *line, *sentence;
    } bad[] = {
        {"", "a policy is missing"},
        {"cfs A:0:1", "there is no policy cfs; there are fifo rr priority stride lottery feedback "
                      "fair sjf srt"},
        {"rr", "a job is missing: NAME:ARRIVAL:RUN"},
        {"rr quantum=2", "a job is missing: NAME:ARRIVAL:RUN"},
        {"rr 5", "5: neither a job NAME:ARRIVAL:RUN nor an option"},
        {"rr A:0", "A:0: a job is NAME:ARRIVAL:RUN, times from 0 to 1000000"},
        {"rr A::1", "A::1: a job is NAME:ARRIVAL:RUN, times from 0 to 1000000"},
        {"rr A:-1:1", "A:-1:1: a job is NAME:ARRIVAL:RUN, times from 0 to 1000000"},
        {"rr A:0x5:1", "A:0x5:1: a job is NAME:ARRIVAL:RUN, times from 0 to 1000000"},
        {"rr A:1.:1", "A:1.:1: a job is NAME:ARRIVAL:RUN, times from 0 to 1000000"},
        {"rr A:1.2345:1", "A:1.2345:1: a job is NAME:ARRIVAL:RUN, times from 0 to 1000000"},
        {"rr A:1000001:1", "A:1000001:1: a job is NAME:ARRIVAL:RUN, times from 0 to 1000000"},
        {"rr A:1000000.001:1",
         "A:1000000.001:1: a job is NAME:ARRIVAL:RUN, times from 0 to 1000000"},
        {"rr A:99999999999999999999:1",
         "A:99999999999999999999:1: a job is NAME:ARRIVAL:RUN, times from 0 to 1000000"},
        {"rr A:0:0", "A:0:0: the run time is not one from 0.001 to 1000000"},
        {"rr A:0:", "A:0:: the run time is not one from 0.001 to 1000000"},
        {"rr A:0:1x", "A:0:1x: the run time is not one from 0.001 to 1000000"},
        {"rr A:0:1:", "A:0:1:: not a nice level from -20 to 19"},
        {"rr A:0:1:20", "A:0:1:20: not a nice level from -20 to 19"},
        {"rr A:0:1:-21", "A:0:1:-21: not a nice level from -20 to 19"},
        {"rr A:0:1:2:3", "A:0:1:2:3: not a nice level from -20 to 19"},
        {"priority A:0:1:-1", "A:0:1:-1: not a priority from 0 (the highest) to 31"},
        {"priority A:0:1:32", "A:0:1:32: not a priority from 0 (the highest) to 31"},
        {"rr :0:1", ":0:1: a job's name has 1 to 6 characters"},
        {"rr sevenxx:0:1", "sevenxx:0:1: a job's name has 1 to 6 characters"},
        {"rr A:0:1 A:0:1", "A:0:1: there is a job A already"},
        {"rr quantum=0 A:0:1", "quantum=0: not a time from 0.001 to 1000000"},
        {"rr quantum= A:0:1", "quantum=: not a time from 0.001 to 1000000"},
        {"rr quantum=1:2 A:0:1", "quantum=1:2: not a time from 0.001 to 1000000"},
        {"rr period=x A:0:1", "period=x: not a time from 0.001 to 1000000"},
        {"rr cpus=0 A:0:1", "cpus=0: not a number from 1 to 4"},
        {"rr cpus=5 A:0:1", "cpus=5: not a number from 1 to 4"},
        {"rr levels=33 A:0:1", "levels=33: not a number from 1 to 32"},
        {"rr seed=x A:0:1", "seed=x: not a number"},
        {"rr speed=1 A:0:1", "speed=1: no such option (quantum, period, levels, cpus, seed)"},
        {"rr a:0:1 b:0:1 c:0:1 d:0:1 e:0:1 f:0:1 g:0:1 h:0:1 i:0:1 j:0:1 k:0:1 l:0:1 m:0:1 n:0:1 "
         "o:0:1 p:0:1 q:0:1",
         "q:0:1: 16 jobs at most"},
    };

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(read_line(bad[i].line) == -EINVAL, "%s", bad[i].line);
        ck_assert_str_eq(error, bad[i].sentence);
    }
}
END_TEST

START_TEST(too_many_turns_are_an_error)
{
    ck_assert_int_eq(read_line("rr quantum=0.001 A:0:1000000 B:0:1000000"), 0);
    report[0] = '\0';
    ck_assert_int_eq(lab_report(&lab, print_line, NULL), -E2BIG);
    ck_assert_str_eq(report, "");
    ck_assert_int_eq(read_line("rr quantum=0.001 A:0:1000000"), 0);
    ck_assert_int_eq(lab_report(&lab, print_line, NULL), -E2BIG);
    ck_assert_int_eq(read_line("fifo quantum=0.001 A:0:1000000"), 0);
    ck_assert_int_eq(lab_report(&lab, print_line, NULL), 0);
}
END_TEST

START_TEST(any_words_do_no_harm)
{
    static const char *const parts[] = {"A",    "B",  ":",       ":",    "0",       "1",
                                        "9",    ".",  "-",       "=",    "quantum", "cpus",
                                        "\xff", "20", "1000000", "turns"};

    srand(1);
    for (unsigned i = 0; i < 20000; i++) {
        char line[512] = "rr A:0:1";

        if (i % 2)
            strcpy(line, policy_at((unsigned)rand() % 9)->name);
        for (unsigned words = (unsigned)rand() % 4; words > 0; words--) {
            strcat(line, " ");
            for (unsigned n = (unsigned)rand() % 8; n > 0; n--)
                strcat(line, parts[(unsigned)rand() % 16]);
        }
        report[0] = '\0';
        if (read_line(line) == 0) {
            int result = lab_report(&lab, print_line, NULL);

            ck_assert(result == 0 || result == -E2BIG);
        } else {
            ck_assert(error[0] != '\0');
        }
    }
}
END_TEST

Suite *lab_suite(void)
{
    Suite *all = suite_create("lab");
    TCase *line = tcase_create("lab");

    tcase_set_timeout(line, 60);
    tcase_add_test(line, the_course_job_scheduling_problem);
    tcase_add_test(line, silberschatz_galvin_and_gagne);
    tcase_add_test(line, the_arpaci_dusseaus);
    tcase_add_test(line, exercises);
    tcase_add_loop_test(line, every_policy_finishes_every_job, 0, 9);
    tcase_add_test(line, a_run_is_the_same_each_time);
    tcase_add_loop_test(line, ranks_have_their_effect, 0, 3);
    tcase_add_test(line, the_report_as_it_is);
    tcase_add_test(line, the_report_fits_at_any_scale);
    tcase_add_test(line, times_are_rounded_to_thousandths);
    tcase_add_test(line, jobs_have_different_symbols);
    tcase_add_test(line, a_column_shows_who_has_most_of_it);
    tcase_add_test(line, bad_input_gets_a_sentence);
    tcase_add_test(line, too_many_turns_are_an_error);
    tcase_add_test(line, any_words_do_no_harm);
    suite_add_tcase(all, line);
    return all;
}
