/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. What a line holds in the end is what was typed less what was erased; the echo shows the same.
 *  2. Lines are read one at a time, in parts if need be; Ctrl-D ends one, or the file.
 *  3. Keys that act do so at once: signals, also in front of what waits; Ctrl-S and Ctrl-Q.
 *  4. What was kept byte by byte can be typed once more, as lines.
 */
#include "suites.h"

#include "proc/signal.h"
#include "tty/discipline/discipline.h"

#include <string.h>

static struct discipline line;
static char echo[16384];
static size_t echoed;
static unsigned last_signal;
static bool last_flush;

static void put(void *context, uint8_t byte)
{
    ck_assert(context == &line);
    echo[echoed++] = (char)byte;
    echo[echoed] = '\0';
}

static void take_signal(void *context, unsigned signal, bool flush)
{
    ck_assert(context == &line);
    last_signal = signal;
    last_flush = flush;
}

static void take_flow(void *context)
{
    ck_assert(context == &line);
}

static void setup(void)
{
    static const struct discipline_ops ops = {.put = put, .signal = take_signal, .flow = take_flow};

    discipline_init(&line, &ops, &line);
    echoed = 0;
    echo[0] = '\0';
    last_signal = 0;
}

static void type(const char *text)
{
    size_t n = strlen(text);

    ck_assert_uint_eq(discipline_input(&line, (const uint8_t *)text, n), n);
}

/* Reads up to `n` bytes, which are `text`. */
static void reads(size_t n, const char *text)
{
    uint8_t bytes[256];
    size_t done;

    ck_assert(discipline_has(&line));
    done = discipline_take(&line, bytes, n);
    bytes[done] = '\0';
    ck_assert_str_eq((const char *)bytes, text);
}

START_TEST(erasing_takes_whole_characters)
{
    type("aé日\x7f\x7f"
         "b\r");
    reads(100, "ab\n");
    ck_assert_str_eq(echo, "aé日\b \b\b \bb\r\n");
}
END_TEST

START_TEST(erasing_a_word_and_a_line)
{
    type("one two\x17three\x15"
         "four\n");
    reads(100, "four\n");
    type("\x7f\x15\x17\n");
    reads(100, "\n");
}
END_TEST

START_TEST(a_tab_is_erased_to_where_it_began)
{
    type("ab\t\x7f");
    ck_assert_str_eq(echo, "ab\t\b\b\b\b\b\b");
}
END_TEST

START_TEST(lines_are_read_one_at_a_time)
{
    type("first\nsecond\nthird");
    ck_assert_uint_eq(discipline_count(&line), 13);
    reads(3, "fir");
    reads(100, "st\n");
    reads(100, "second\n");
    ck_assert(!discipline_has(&line));
    type("\x04");
    reads(5, "third"); /* and no end of the file behind it */
    ck_assert(!discipline_has(&line));
    type("\x04");
    reads(5, "");
}
END_TEST

START_TEST(signals_are_sent_and_forget_the_line)
{
    type("abc\x03");
    ck_assert_uint_eq(last_signal, SIGNAL_INT);
    ck_assert(last_flush);
    ck_assert_uint_eq(discipline_kept(&line), 0);
    type("\x1c");
    ck_assert_uint_eq(last_signal, SIGNAL_QUIT);
    type("\x1a");
    ck_assert_uint_eq(last_signal, SIGNAL_TSTP);
    ck_assert_str_eq(echo, "abc^C^\\^Z");
}
END_TEST

START_TEST(signals_do_not_wait_behind_what_is_full)
{
    uint8_t text[DISCIPLINE_BYTES];

    memset(text, '\n', sizeof(text));
    ck_assert_uint_eq(discipline_input(&line, text, sizeof(text)), sizeof(text) - 1);
    ck_assert(!discipline_input_urgent(&line, 'a'));
    ck_assert(!discipline_input_urgent(&line, '\x04'));
    ck_assert(discipline_input_urgent(&line, '\x13') && line.stopped);
    ck_assert(discipline_input_urgent(&line, '\x11') && !line.stopped);
    ck_assert(discipline_input_urgent(&line, '\x03'));
    ck_assert_uint_eq(last_signal, SIGNAL_INT);
    ck_assert_uint_eq(discipline_kept(&line), 0);
}
END_TEST

START_TEST(a_literal_key_is_text)
{
    type("\x16\x03\x16\x16\n");
    ck_assert_uint_eq(last_signal, 0);
    reads(100, "\x03\x16\n");
    ck_assert_str_eq(echo, "^\b^C^\b^V\r\n");
}
END_TEST

START_TEST(output_stops_and_goes_on)
{
    type("\x13");
    ck_assert(line.stopped);
    type("a");
    ck_assert(line.stopped);
    type("\x11");
    ck_assert(!line.stopped);
    discipline_hold(&line, true);
    ck_assert(line.held);
    discipline_start(&line);
    ck_assert(!line.held);
}
END_TEST

START_TEST(bytes_are_typed_once_more_as_lines)
{
    struct tty_settings raw = tty_usual_settings;

    raw.local = raw.input = 0;
    discipline_set(&line, &raw);
    type("cat\rb\x7fone\r\x04");
    ck_assert_uint_eq(discipline_count(&line), 11);
    ck_assert_str_eq(echo, "");
    discipline_set(&line, &tty_usual_settings);
    discipline_input_again(&line);
    reads(100, "cat\n");
    reads(100, "one\n");
    reads(100, "");
    ck_assert_str_eq(echo, "cat\r\nb\b \bone\r\n");
}
END_TEST

START_TEST(a_full_ring_is_typed_once_more)
{
    struct tty_settings raw = tty_usual_settings;
    uint8_t text[DISCIPLINE_BYTES - 1], got[DISCIPLINE_BYTES];

    raw.local = raw.input = 0;
    discipline_set(&line, &raw);
    type("12345");
    ck_assert_uint_eq(discipline_take(&line, got, 5), 5);
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = i % 50 == 49 ? '\r' : (uint8_t)('a' + i % 26);
    ck_assert_uint_eq(discipline_input(&line, text, sizeof(text)), sizeof(text));
    discipline_set(&line, &tty_usual_settings);
    discipline_input_again(&line);
    for (size_t at = 0; at + 50 <= sizeof(text); at += 50) {
        ck_assert_uint_eq(discipline_take(&line, got, sizeof(got)), 50);
        ck_assert_mem_eq(got, text + at, 49);
    }
}
END_TEST

START_TEST(the_kernel_begins_lines_whatever_is_set)
{
    struct tty_settings raw = tty_usual_settings;

    raw.output = 0;
    discipline_set(&line, &raw);
    discipline_output(&line, '\n');
    ck_assert_str_eq(echo, "\n");
    discipline_output_plain(&line, '\n');
    ck_assert_str_eq(echo, "\n\r\n");
}
END_TEST

Suite *lines_suite(void)
{
    Suite *suite = suite_create("lines");
    TCase *lines = tcase_create("lines");

    tcase_add_checked_fixture(lines, setup, NULL);
    tcase_add_test(lines, erasing_takes_whole_characters);
    tcase_add_test(lines, erasing_a_word_and_a_line);
    tcase_add_test(lines, a_tab_is_erased_to_where_it_began);
    tcase_add_test(lines, lines_are_read_one_at_a_time);
    tcase_add_test(lines, signals_are_sent_and_forget_the_line);
    tcase_add_test(lines, signals_do_not_wait_behind_what_is_full);
    tcase_add_test(lines, a_literal_key_is_text);
    tcase_add_test(lines, output_stops_and_goes_on);
    tcase_add_test(lines, bytes_are_typed_once_more_as_lines);
    tcase_add_test(lines, a_full_ring_is_typed_once_more);
    tcase_add_test(lines, the_kernel_begins_lines_whatever_is_set);
    suite_add_tcase(suite, lines);
    return suite;
}
