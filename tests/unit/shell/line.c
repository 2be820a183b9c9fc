/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. What a line holds in the end is what was typed less what was erased; the echo shows the same.
 *  2. Nothing is erased in front of the line; too much, control bytes and broken UTF-8 ring the
 * bell.
 *  3. '\r', '\n' and "\r\n" end a line once; Ctrl-D and Ctrl-C do what they should.
 *  4. Noise leaves good UTF-8.
 */
#include "suites.h"

#include "tty/line.h"

#include <stdint.h>
#include <string.h>

static struct tty_line line;
static char echo[4096];
static size_t echoed;
static unsigned bells;

static void note_echo(void *context, const char *bytes, size_t n)
{
    ck_assert(context == &line);
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\a')
            bells++;
        else if (echoed + 1 < sizeof(echo))
            echo[echoed++] = bytes[i];
    }
    echo[echoed] = '\0';
}

static void setup(void)
{
    tty_line_init(&line, note_echo, &line);
    tty_line_begin(&line);
    echoed = 0;
    bells = 0;
}

static enum tty_line_result type(const char *text)
{
    enum tty_line_result result = TTY_LINE_MORE;

    for (; *text != '\0'; text++) {
        ck_assert_int_eq(result, TTY_LINE_MORE);
        result = tty_line_feed(&line, (uint8_t)*text);
    }
    return result;
}

START_TEST(erasing_takes_whole_characters)
{
    ck_assert_int_eq(type("aé日\x7F\x7F"
                          "b\r"),
                     TTY_LINE_DONE);
    ck_assert_str_eq(line.text, "ab\n");
    ck_assert_str_eq(echo, "aé日\b \b\b \b\b \bb\n");
    ck_assert_uint_eq(bells, 0);
}
END_TEST

START_TEST(words_and_lines_are_erased)
{
    ck_assert_int_eq(type("one two  \x17three\x15"
                          "four five\x17\n"),
                     TTY_LINE_DONE);
    ck_assert_str_eq(line.text, "four \n");
}
END_TEST

START_TEST(nothing_is_erased_in_front_of_the_line)
{
    ck_assert_int_eq(type("\b\x7F\x15\x17"), TTY_LINE_MORE);
    ck_assert_uint_eq(bells, 4);
    ck_assert_uint_eq(echoed, 0);
}
END_TEST

START_TEST(a_tab_is_text_of_one_column)
{
    ck_assert_int_eq(type("\t\b\t\n"), TTY_LINE_DONE);
    ck_assert_str_eq(line.text, "\t\n");
    ck_assert_str_eq(echo, " \b \b \n");
}
END_TEST

START_TEST(lines_end_in_four_ways)
{
    ck_assert_int_eq(type("a\r"), TTY_LINE_DONE);
    ck_assert_str_eq(line.text, "a\n");
    tty_line_begin(&line);
    ck_assert_int_eq(type("\n"), TTY_LINE_MORE); /* it belonged to the \r */
    ck_assert_int_eq(type("\n"), TTY_LINE_DONE);
    ck_assert_str_eq(line.text, "\n");
    tty_line_begin(&line);
    ck_assert_int_eq(type("b\x04"), TTY_LINE_DONE);
    ck_assert_str_eq(line.text, "b");
    tty_line_begin(&line);
    ck_assert_int_eq(type("\x04"), TTY_LINE_END);
    ck_assert_int_eq(type("c\x03"), TTY_LINE_ABANDONED);
}
END_TEST

START_TEST(a_line_is_bounded)
{
    for (unsigned i = 0; i < TTY_LINE_MAX - 1; i++)
        (void)type("x");
    (void)type("é"); /* two bytes, room for one */
    ck_assert_uint_eq(bells, 1);
    (void)type("x");
    ck_assert_uint_eq(bells, 1);
    (void)type("x");
    ck_assert_uint_eq(bells, 2);
    ck_assert_int_eq(type("\n"), TTY_LINE_DONE);
    ck_assert_uint_eq(line.length, TTY_LINE_MAX + 1);
}
END_TEST

START_TEST(broken_characters_ring_once)
{
    ck_assert_int_eq(type("a\xE2\x82z\xFF\x1B\x01\n"), TTY_LINE_DONE);
    ck_assert_str_eq(line.text, "az\n");
    ck_assert_uint_eq(bells, 4);
}
END_TEST

START_TEST(noise_leaves_good_utf8)
{
    uint64_t random = (uint64_t)_i + 1;

    for (unsigned i = 0; i < 100000; i++) {
        enum tty_line_result result;
        struct utf8_decoder decoder = {0};

        random = random * UINT64_C(6364136223846793005) + 1;
        result = tty_line_feed(&line, (uint8_t)(random >> 40));
        ck_assert(line.length <= TTY_LINE_MAX + 1);
        ck_assert(line.text[line.length] == 0);
        for (size_t k = 0; k < line.length; k++)
            ck_assert(utf8_decode(&decoder, (uint8_t)line.text[k]) != UTF8_BAD);
        ck_assert(decoder.expect == 0);
        echoed = 0;
        if (result != TTY_LINE_MORE)
            tty_line_begin(&line);
    }
    ck_assert_uint_gt(bells, 1000);
}
END_TEST

Suite *line_suite(void)
{
    Suite *suite = suite_create("line");
    TCase *typing = tcase_create("typing");

    tcase_add_checked_fixture(typing, setup, NULL);
    tcase_set_timeout(typing, 60);
    tcase_add_test(typing, erasing_takes_whole_characters);
    tcase_add_test(typing, words_and_lines_are_erased);
    tcase_add_test(typing, nothing_is_erased_in_front_of_the_line);
    tcase_add_test(typing, a_tab_is_text_of_one_column);
    tcase_add_test(typing, lines_end_in_four_ways);
    tcase_add_test(typing, a_line_is_bounded);
    tcase_add_test(typing, broken_characters_ring_once);
    tcase_add_loop_test(typing, noise_leaves_good_utf8, 0, 4);
    suite_add_tcase(suite, typing);
    return suite;
}
