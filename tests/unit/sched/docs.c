/* SPDX-License-Identifier: MIT */
/*
 * Criteria for docs/SCHEDULING.md, which the environment names:
 *  1. Each transcript of `sched lab` in it is what `sched lab` prints, and each policy has one.
 *  2. Its example of a policy is least.c, line by line, and works.
 */
#include "sched/lab/lab.h"
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROMPT "    / > sched lab "

extern const struct sched_policy policy_least;

static char page[1 << 18], own[1 << 14], expected[1 << 14];
static struct lab lab;

static void read_whole(const char *path, char *to, size_t size)
{
    FILE *file;

    ck_assert_ptr_nonnull(path);
    file = fopen(path, "r");
    ck_assert_msg(file != NULL, "cannot open %s", path);
    to[fread(to, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void setup(void)
{
    read_whole(getenv("TAYBERRY_SCHEDULING"), page, sizeof(page));
    read_whole(getenv("TAYBERRY_LEAST"), own, sizeof(own));
}

/* Adds a line as the page has it: four blanks before it, none in an empty one. */
static void expect_line(void *context, const char *line)
{
    (void)context;
    sprintf(expected + strlen(expected), "%s%s\n", *line ? "    " : "", line);
}

static void read_words(const char *at)
{
    static char line[512];
    char error[160], *words[64], *rest = line;
    unsigned count = 0;

    snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
    for (char *word; (word = strtok(rest, " ")) != NULL; rest = NULL)
        words[count++] = word;
    ck_assert_msg(lab_read(&lab, words, count, error, sizeof(error)) == 0, "%s", error);
}

START_TEST(transcripts_are_what_is_printed)
{
    unsigned seen[16] = {0};

    for (const char *at = page; (at = strstr(at, PROMPT)) != NULL;) {
        at += strlen(PROMPT);
        read_words(at);
        for (unsigned i = 0; policy_at(i); i++)
            seen[i] += policy_at(i) == lab.policy;
        expected[0] = '\0';
        ck_assert_int_eq(lab_report(&lab, expect_line, NULL), 0);
        at = strchr(at, '\n') + 1;
        ck_assert_msg(strncmp(at, expected, strlen(expected)) == 0, "the page should say:\n%s",
                      expected);
    }
    for (unsigned i = 0; policy_at(i); i++)
        ck_assert_msg(seen[i] > 0, "no transcript of %s", policy_at(i)->name);
}
END_TEST

START_TEST(the_example_is_its_source)
{
    char *line = strstr(own, "static struct sched_entity *entity_of");
    const char *at;

    expected[0] = '\0';
    while (line && *line) {
        char *end = strchr(line, '\n');

        *end = '\0';
        expect_line(NULL, line);
        line = end + 1;
    }
    at = strstr(page, "    static struct sched_entity *entity_of");
    ck_assert_ptr_nonnull(at);
    ck_assert_msg(strncmp(at, expected, strlen(expected)) == 0, "the page should say:\n%s",
                  expected);
}
END_TEST

START_TEST(the_example_works)
{
    read_words("rr quantum=2 A:0:6 B:3:4 C:9:2\n");
    lab.policy = &policy_least;
    ck_assert_int_eq(lab_run(&lab, NULL, NULL), 0);
    /* A 0-4; B has run 0 and goes on until it has as much: 4-8; both have 4, but B ends. */
    ck_assert_uint_eq(lab.jobs[1].first, 4 * LAB_UNIT);
    ck_assert_uint_eq(lab.jobs[1].end, 8 * LAB_UNIT);
    ck_assert_uint_eq(lab.jobs[2].first, 10 * LAB_UNIT);
    ck_assert_uint_eq(lab.jobs[0].end, 10 * LAB_UNIT);
}
END_TEST

Suite *docs_suite(void)
{
    Suite *all = suite_create("docs");
    TCase *docs = tcase_create("docs");

    tcase_add_checked_fixture(docs, setup, NULL);
    tcase_add_test(docs, transcripts_are_what_is_printed);
    tcase_add_test(docs, the_example_is_its_source);
    tcase_add_test(docs, the_example_works);
    suite_add_tcase(all, docs);
    return all;
}
