/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. What the guest prints stands in the cells, with the colours of its escape sequences; the
 * cursor is seen.
 *  2. Only cells that changed say so.
 *  3. What scrolled away is kept, is shown by scrolling back, and typing shows the end again.
 *  4. Keys are sent as a terminal of the xterm family sends them; newlines in pasted text as Enter.
 *  5. Marked text can be copied.
 *  6. A new size lays out the newest output anew, and answers no query twice.
 *  7. Any bytes, and any sequence of sizes, leave the terminal alive.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gui_test.h"
#include "terminal.h"

static char sent[4096];
static size_t sent_count;

static void send(void *context, const char *bytes, size_t n)
{
    (void)context;
    if (n > sizeof(sent) - 1 - sent_count)
        n = sizeof(sent) - 1 - sent_count;
    memcpy(sent + sent_count, bytes, n);
    sent_count += n;
    sent[sent_count] = '\0';
}

static struct terminal *open_terminal(unsigned columns, unsigned rows)
{
    struct terminal *terminal = terminal_create(columns, rows, send, NULL);

    ck_assert_ptr_nonnull(terminal);
    sent_count = 0;
    return terminal;
}

static void print(struct terminal *terminal, const char *text)
{
    terminal_feed(terminal, text, strlen(text));
    terminal_update(terminal);
}

/* The text of a row without the blanks at its end. */
static const char *row_text(const struct terminal *terminal, unsigned row)
{
    static char text[512];
    size_t n = 0;

    for (unsigned column = 0; column < terminal_columns(terminal); column++) {
        uint32_t symbol = terminal_cell(terminal, column, row)->symbol;
        text[n++] = symbol ? (char)symbol : ' ';
    }
    while (n > 0 && text[n - 1] == ' ')
        n--;
    text[n] = '\0';
    return text;
}

START_TEST(what_is_printed_stands_in_the_cells)
{
    struct terminal *terminal = open_terminal(20, 5);

    print(terminal, "hello\r\n\x1b[31mred\x1b[0m \x1b[1mbold\x1b[0m\x1b[4;3Hx");
    ck_assert_str_eq(row_text(terminal, 0), "hello");
    ck_assert_str_eq(row_text(terminal, 1), "red bold");
    ck_assert_str_eq(row_text(terminal, 3), "  x");
    ck_assert_uint_eq(terminal_cell(terminal, 0, 1)->front, 0xff6b68);
    ck_assert(!terminal_cell(terminal, 0, 1)->bold);
    ck_assert(terminal_cell(terminal, 4, 1)->bold);
    terminal_destroy(terminal);
}
END_TEST

START_TEST(the_cursor_is_seen)
{
    struct terminal *terminal = open_terminal(20, 5);

    print(terminal, "> ");
    ck_assert_uint_eq(terminal_cell(terminal, 2, 0)->back, 0xd7dee6);
    ck_assert_uint_eq(terminal_cell(terminal, 3, 0)->back, 0x0d1117);
    terminal_destroy(terminal);
}
END_TEST

START_TEST(only_what_changed_says_so)
{
    struct terminal *terminal = open_terminal(20, 5);
    unsigned changed = 0;

    print(terminal, "abc");
    ck_assert(!terminal_update(terminal));
    print(terminal, "d");
    for (unsigned i = 0; i < 100; i++)
        changed += terminal_cell(terminal, i % 20, i / 20)->changed;
    ck_assert_uint_eq(changed, 2); /* the letter, and the cursor behind it */
    terminal_destroy(terminal);
}
END_TEST

START_TEST(what_scrolled_away_comes_back)
{
    struct terminal *terminal = open_terminal(20, 5);
    char line[32];

    for (int i = 0; i < 1000; i++) {
        snprintf(line, sizeof(line), "line %d\r\n", i);
        terminal_feed(terminal, line, strlen(line));
    }
    terminal_update(terminal);
    ck_assert_str_eq(row_text(terminal, 3), "line 999");
    terminal_scroll(terminal, 900);
    terminal_update(terminal);
    ck_assert_str_eq(row_text(terminal, 0), "line 96");
    terminal_scroll(terminal, -10);
    terminal_update(terminal);
    ck_assert_str_eq(row_text(terminal, 0), "line 106");
    terminal_type(terminal, "x", 1);
    terminal_update(terminal);
    ck_assert_str_eq(row_text(terminal, 3), "line 999");
    ck_assert_str_eq(sent, "x");
    terminal_destroy(terminal);
}
END_TEST

START_TEST(keys_are_sent_as_xterm_does)
{
    static const struct {
        enum terminal_key key;
        const char *bytes;
    } keys[] = {
        {TERMINAL_UP, "\x1b[A"},       {TERMINAL_DOWN, "\x1b[B"},    {TERMINAL_RIGHT, "\x1b[C"},
        {TERMINAL_LEFT, "\x1b[D"},     {TERMINAL_HOME, "\x1b[H"},    {TERMINAL_END, "\x1b[F"},
        {TERMINAL_PAGE_UP, "\x1b[5~"}, {TERMINAL_DELETE, "\x1b[3~"}, {TERMINAL_INSERT, "\x1b[2~"},
        {TERMINAL_F1, "\x1bOP"},       {TERMINAL_F1 + 1, "\x1bOQ"},
    };
    struct terminal *terminal = open_terminal(20, 5);

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        sent_count = 0;
        terminal_press(terminal, keys[i].key, 0);
        ck_assert_str_eq(sent, keys[i].bytes);
    }
    terminal_destroy(terminal);
}
END_TEST

START_TEST(a_query_is_answered)
{
    struct terminal *terminal = open_terminal(20, 5);

    print(terminal, "ab\x1b[6n");
    ck_assert_str_eq(sent, "\x1b[1;3R");
    terminal_destroy(terminal);
}
END_TEST

START_TEST(pasted_lines_end_as_enter_does)
{
    struct terminal *terminal = open_terminal(20, 5);

    terminal_type(terminal, "ls\ncat x\n", 9);
    ck_assert_str_eq(sent, "ls\rcat x\r");
    terminal_destroy(terminal);
}
END_TEST

START_TEST(marked_text_is_copied)
{
    struct terminal *terminal = open_terminal(20, 5);
    char *text;

    print(terminal, "one two three");
    ck_assert_ptr_null(terminal_copy_marked(terminal));
    terminal_mark(terminal, 4, 0);
    terminal_mark(terminal, 6, 0);
    text = terminal_copy_marked(terminal);
    ck_assert_ptr_nonnull(text);
    ck_assert_str_eq(text, "two");
    free(text);
    terminal_unmark(terminal);
    ck_assert_ptr_null(terminal_copy_marked(terminal));
    terminal_destroy(terminal);
}
END_TEST

START_TEST(a_new_size_lays_out_the_text_anew)
{
    struct terminal *terminal = open_terminal(20, 10);

    print(terminal, "a line that is longer than ten\r\n\x1b[6n> ");
    sent_count = 0;
    ck_assert_int_eq(terminal_resize(terminal, 10, 5), 0);
    terminal_update(terminal);
    ck_assert_str_eq(row_text(terminal, 0), "a line tha");
    ck_assert_str_eq(row_text(terminal, 2), "r than ten");
    ck_assert_str_eq(row_text(terminal, 3), ">");
    ck_assert_int_eq(terminal_resize(terminal, 40, 3), 0);
    terminal_update(terminal);
    ck_assert_str_eq(row_text(terminal, 0), "a line that is longer than ten");
    ck_assert_str_eq(row_text(terminal, 1), ">");
    ck_assert_uint_eq(sent_count, 0); /* the query was answered once, before */
    terminal_destroy(terminal);
}
END_TEST

START_TEST(very_much_output_keeps_the_newest)
{
    struct terminal *terminal = open_terminal(20, 5);
    static char text[700000];
    size_t n = 0;

    for (int i = 0; n < sizeof(text) - 32; i++)
        n += (size_t)snprintf(text + n, 32, "line %d\r\n", i);
    terminal_feed(terminal, text, n);
    terminal_feed(terminal, "the end", 7);
    ck_assert_int_eq(terminal_resize(terminal, 30, 5), 0);
    terminal_update(terminal);
    ck_assert_str_eq(row_text(terminal, 4), "the end");
    ck_assert_int_eq(strncmp(row_text(terminal, 3), "line ", 5), 0);
    terminal_scroll(terminal, 1000);
    terminal_update(terminal);
    ck_assert_int_eq(strncmp(row_text(terminal, 0), "line ", 5), 0);
    terminal_destroy(terminal);
}
END_TEST

START_TEST(noise_leaves_it_alive)
{
    struct terminal *terminal = open_terminal(80, 24);
    uint32_t x = 12345;
    unsigned char noise[4096];

    for (int round = 0; round < 100; round++) {
        for (size_t i = 0; i < sizeof(noise); i++) {
            x = x * 1664525 + 1013904223;
            noise[i] = (unsigned char)(x >> 24);
        }
        terminal_feed(terminal, noise, sizeof(noise));
        ck_assert_int_eq(terminal_resize(terminal, 1 + x % 200, 1 + (x >> 8) % 100), 0);
        terminal_update(terminal);
    }
    print(terminal, "\x1b"
                    "c\x1b[Halive");
    ck_assert_int_eq(terminal_resize(terminal, 40, 10), 0);
    print(terminal, "\x1b"
                    "c\x1b[2J\x1b[Halive");
    ck_assert_str_eq(row_text(terminal, 0), "alive");
    terminal_destroy(terminal);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        what_is_printed_stands_in_the_cells,
        the_cursor_is_seen,
        only_what_changed_says_so,
        what_scrolled_away_comes_back,
        keys_are_sent_as_xterm_does,
        a_query_is_answered,
        pasted_lines_end_as_enter_does,
        marked_text_is_copied,
        a_new_size_lays_out_the_text_anew,
        very_much_output_keeps_the_newest,
        noise_leaves_it_alive,
    };

    return gui_test_run("terminal", tests, sizeof(tests) / sizeof(tests[0]), NULL, NULL);
}
