/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. Each key does to the line what it should, and the screen shows the line and the cursor.
 *  2. Nothing is erased in front of the line; 512 bytes are a line and the next one rings the bell.
 *  3. Escape sequences work byte by byte, in all their spellings; broken ones ring the bell.
 *  4. History: 50 lines at least; what was being typed comes back.
 *  5. Completion: inserts; on the second Tab lists; one that fails leaves the line as it was.
 *  6. Any keys in any order: line and cursor as in a plain model, screen as the line, no wrap.
 *  7. Noise leaves good UTF-8.
 */
#include "suites.h"

#include "screen.h"
#include "shell/edit/editor.h"

#include <stdio.h>
#include <string.h>

#define PROMPT "/ > "

static struct editor editor;
static struct history history;
static struct screen screen;
static char history_text[32768];
static unsigned lists;

static void put(void *context, const char *bytes, size_t n)
{
    screen_put(context, bytes, n);
}

/* Knows the words "alpha" and "alphabet"; cannot look while the line is "full". */
static int complete(void *context, const char *line, size_t cursor,
                    struct editor_completion *completion)
{
    static const char stem[] = "alpha";
    size_t n = cursor < 5 ? cursor : 5;

    if (strcmp(line, "full") == 0) {
        screen_put(context, "\nno room\n", 9);
        return -1;
    }
    if (cursor >= 5 || strncmp(line, stem, n) != 0)
        return 0;
    completion->erase = n;
    strcpy(completion->insert, stem);
    return 1;
}

static bool list(void *context, const char *line, size_t cursor)
{
    static const char names[] = "\nalpha  alphabet\n";

    (void)line;
    lists++;
    if (cursor != 5)
        return false;
    screen_put(context, names, sizeof(names) - 1);
    return true;
}

static const struct editor_ops ops = {.put = put, .complete = complete, .list = list};

static void setup(void)
{
    screen_clear(&screen);
    lists = 0;
    history_init(&history, history_text, sizeof(history_text));
    editor_init(&editor, &ops, &screen, &history);
    editor_begin(&editor, PROMPT);
}

static enum editor_result type(const char *keys)
{
    enum editor_result result = EDITOR_MORE;

    for (; *keys != '\0'; keys++) {
        ck_assert(result == EDITOR_MORE);
        result = editor_feed(&editor, (uint8_t)*keys);
    }
    return result;
}

/* Checks line and cursor, and that the screen shows both. */
static void check(const char *line, size_t cursor)
{
    char row[700];

    ck_assert_str_eq(editor.line, line);
    ck_assert_uint_eq(editor.length, strlen(line));
    ck_assert_uint_eq(editor.cursor, cursor);
    snprintf(row, sizeof(row), "%s%s", PROMPT, line);
    while (row[0] != '\0' && row[strlen(row) - 1] == ' ')
        row[strlen(row) - 1] = '\0';
    ck_assert_str_eq(screen_text(&screen), row);
    ck_assert_uint_eq(screen.column, 4 + utf8_text_columns(line, cursor));
}

START_TEST(typing_and_erasing)
{
    (void)type("hellp\bo");
    check("hello", 5);
    (void)type("\x7F\x7F");
    check("hel", 3);
    (void)type("\b\b\b");
    check("", 0);
    ck_assert_uint_eq(screen.bells, 0);
    (void)type("\b\x7F");
    ck_assert_uint_eq(screen.bells, 2);
    check("", 0);
    ck_assert_int_eq(type("ls\r"), EDITOR_LINE);
    ck_assert_str_eq(editor.line, "ls");
    ck_assert_uint_eq(screen.newlines, 1);
}
END_TEST

START_TEST(moving_and_inserting)
{
    (void)type("held\x1b[Dl");
    check("helld", 4);
    (void)type("\x1b[Dlo wor\x01>\x05<");
    check(">hello world<", 13);
    (void)type("\x1b[H\x1b[3~\x1b[C\x1b[C\x1b[3~");
    check("helo world<", 2);
    (void)type("\x1b[F\b\x1b[1~\x1b[4~");
    check("helo world", 10);
    (void)type("\x1b[C\x01\x1b[D");
    ck_assert_uint_eq(screen.bells, 2);
    (void)type("\x06\x06\x02");
    check("helo world", 1);
}
END_TEST

START_TEST(cutting)
{
    (void)type("one two three\x17");
    check("one two ", 8);
    (void)type("\x17");
    check("one ", 4);
    (void)type("two\x01\x06\x06\x0B");
    check("on", 2);
    (void)type("e\x15");
    check("", 0);
    (void)type("\x17");
    ck_assert_uint_eq(screen.bells, 1);
    (void)type("abc\x02\x04");
    check("ab", 2);
    (void)type("\x0C");
    check("ab", 2);
}
END_TEST

START_TEST(ends_of_a_line)
{
    ck_assert_int_eq(type("a\r"), EDITOR_LINE);
    editor_begin(&editor, PROMPT);
    ck_assert_int_eq(type("\n"), EDITOR_MORE); /* it belonged to the \r */
    ck_assert_int_eq(type("\n"), EDITOR_LINE);
    ck_assert_str_eq(editor.line, "");
    editor_begin(&editor, PROMPT);
    ck_assert_int_eq(type("abc\x03"), EDITOR_ABANDONED);
    editor_begin(&editor, PROMPT);
    ck_assert_int_eq(type("\x04"), EDITOR_END);
}
END_TEST

START_TEST(a_line_has_512_bytes)
{
    for (unsigned i = 0; i < EDITOR_LINE_MAX; i++)
        (void)type("x");
    ck_assert_uint_eq(screen.bells, 0);
    (void)type("y");
    ck_assert_uint_eq(screen.bells, 1);
    ck_assert_uint_eq(editor.length, EDITOR_LINE_MAX);
    (void)type("\bé");
    ck_assert_uint_eq(screen.bells, 2);
    ck_assert_uint_eq(editor.length, EDITOR_LINE_MAX - 1);
}
END_TEST

START_TEST(characters_of_more_bytes_are_one)
{
    (void)type("aé日本");
    check("aé日本", 9);
    (void)type("\x1b[D\x1b[D\b");
    check("a日本", 1);
    (void)type("\x1b[3~");
    check("a本", 1);
    (void)type("\xE6\x97"); /* two of three bytes */
    check("a本", 1);
    (void)type("\xA5");
    check("a日本", 4);
}
END_TEST

START_TEST(what_is_no_text_rings_the_bell)
{
    static const char *const keys[] = {"\x07", "\x0E",    "\x12",  "\xFF",   "\xC2\x9B",
                                       "\x80", "\x1b[5~", "\x1bx", "\x1bOZ", "\x1b[Z"};

    (void)type("ok");
    for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        (void)type(keys[i]);
        ck_assert_msg(screen.bells == i + 1, "key %u", i);
        check("ok", 2);
    }
    ck_assert_int_eq(editor_feed(&editor, 0), EDITOR_MORE);
    ck_assert_uint_eq(screen.bells, sizeof(keys) / sizeof(keys[0]) + 1);
}
END_TEST

START_TEST(sequences_in_all_spellings)
{
    static const char *const homes[] = {"\x1b[H", "\x1bOH", "\x1b[1~", "\x1b[7~", "\x1b[1;5H"};
    static const char *const ends[] = {"\x1b[F", "\x1bOF", "\x1b[4~", "\x1b[8~"};

    (void)type("abc");
    for (unsigned i = 0; i < 5; i++) {
        (void)type(homes[i]);
        check("abc", 0);
        (void)type(ends[i % 4]);
        check("abc", 3);
    }
    ck_assert_uint_eq(screen.bells, 0);
    /* One that is cut off by Enter ends, and Enter is obeyed. */
    ck_assert_int_eq(type("\x1b[1\r"), EDITOR_LINE);
    ck_assert_str_eq(editor.line, "abc");
}
END_TEST

START_TEST(an_endless_sequence_ends)
{
    (void)type("\x1b[");
    for (unsigned i = 0; i < 100; i++)
        (void)type("1");
    ck_assert_uint_ge(screen.bells, 1);
    ck_assert_uint_gt(editor.length, 50);
}
END_TEST

static void enter(const char *line)
{
    ck_assert_int_eq(type(line), EDITOR_MORE);
    ck_assert_int_eq(type("\r"), EDITOR_LINE);
    history_add(&history, editor.line);
    editor_begin(&editor, PROMPT);
}

START_TEST(history_is_walked)
{
    enter("first");
    enter("second");
    enter("second");
    enter("");
    ck_assert_uint_eq(history.count, 2);
    (void)type("typ\x1b[A");
    check("second", 6);
    (void)type("\x1b[A");
    check("first", 5);
    (void)type("\x1b[A");
    ck_assert_uint_eq(screen.bells, 1);
    (void)type("\x10\x0E\x1b[B");
    ck_assert_uint_eq(screen.bells, 2);
    check("typ", 3);
    (void)type("\x1b[B");
    ck_assert_uint_eq(screen.bells, 3);
    check("typ", 3);
}
END_TEST

START_TEST(history_keeps_fifty_of_the_longest_lines)
{
    char line[EDITOR_LINE_MAX + 1];

    for (unsigned i = 0; i < 200; i++) {
        memset(line, 'a' + (int)(i % 26), EDITOR_LINE_MAX);
        line[EDITOR_LINE_MAX] = '\0';
        history_add(&history, line);
    }
    ck_assert_uint_ge(history.count, 50);
    for (unsigned back = 1; back <= 50; back++)
        ck_assert_int_eq(history_line(&history, back)[0], 'a' + (int)((200 - back) % 26));
    ck_assert_ptr_null(history_line(&history, history.count + 1));
    ck_assert_ptr_null(history_line(&history, 0));
}
END_TEST

START_TEST(without_memory_there_is_no_history_and_no_harm)
{
    history_init(&history, NULL, 0);
    enter("one");
    (void)type("two\x1b[A");
    ck_assert_uint_eq(screen.bells, 1);
    check("two", 3);
}
END_TEST

START_TEST(a_failed_completion_shows_the_line_again)
{
    (void)type("full\t\t");
    check("full", 4);
    ck_assert_uint_eq(lists, 0);
    ck_assert_uint_eq(screen.bells, 0);
}
END_TEST

START_TEST(tab_completes_and_then_lists)
{
    (void)type("al\t");
    check("alpha", 5);
    ck_assert_uint_eq(lists, 0);
    (void)type("\t");
    ck_assert_uint_eq(lists, 1);
    check("alpha", 5);
    (void)type("x\t");
    ck_assert_uint_eq(screen.bells, 1);
    (void)type("\t");
    ck_assert_uint_eq(lists, 2);
    ck_assert_uint_eq(screen.bells, 2);
    check("alphax", 6);
}
END_TEST

START_TEST(long_lines_scroll_in_their_row)
{
    char line[301];

    for (unsigned i = 0; i < 300; i++) {
        line[i] = (char)('0' + i % 10);
        (void)editor_feed(&editor, (uint8_t)line[i]);
        ck_assert_uint_lt(screen.column, SCREEN_COLUMNS);
    }
    line[300] = '\0';
    ck_assert_str_eq(editor.line, line);
    (void)type("\x01");
    ck_assert_uint_eq(screen.column, 4);
    ck_assert_int_eq(strncmp(screen_text(&screen) + 4, line, 73), 0);
    (void)type("\x05");
    ck_assert_int_eq(strcmp(strrchr(screen_text(&screen), ' ') + 1, line + editor.view), 0);
}
END_TEST

/* ---- any keys, against a plain model ---- */

struct model {
    uint32_t text[600];
    unsigned length, cursor;
};

static const struct {
    const char *keys;
    uint32_t code;
} letters[] = {{"a", 'a'}, {"b", 'b'}, {" ", ' '}, {"é", 0xE9}, {"日", 0x65E5}, {"😀", 0x1F600}};

static unsigned model_bytes(const struct model *model, unsigned to)
{
    unsigned bytes = 0;

    for (unsigned i = 0; i < to; i++)
        bytes += model->text[i] < 0x80      ? 1
                 : model->text[i] < 0x800   ? 2
                 : model->text[i] < 0x10000 ? 3
                                            : 4;
    return bytes;
}

static void model_remove(struct model *model, unsigned from, unsigned to)
{
    memmove(model->text + from, model->text + to, (model->length - to) * sizeof(model->text[0]));
    model->length -= to - from;
    model->cursor = from;
}

static void model_insert(struct model *model, uint32_t code, unsigned bytes)
{
    if (model_bytes(model, model->length) + bytes > EDITOR_LINE_MAX)
        return;
    memmove(model->text + model->cursor + 1, model->text + model->cursor,
            (model->length - model->cursor) * sizeof(model->text[0]));
    model->text[model->cursor++] = code;
    model->length++;
}

static void model_cut_word(struct model *model)
{
    unsigned from = model->cursor, to = model->cursor;

    while (from > 0 && model->text[from - 1] == ' ')
        from--;
    while (from > 0 && model->text[from - 1] != ' ')
        from--;
    model_remove(model, from, to);
}

static void step(struct model *model, unsigned choice)
{
    static const char *const keys[] = {"\b",   "\x1b[3~", "\x1b[D", "\x1b[C",
                                       "\x01", "\x05",    "\x17",   "\x0B"};

    if (choice >= 8) {
        unsigned letter = (choice - 8) % 6;

        model_insert(model, letters[letter].code, (unsigned)strlen(letters[letter].keys));
        (void)type(letters[letter].keys);
        return;
    }
    (void)type(keys[choice]);
    if (choice == 0 && model->cursor > 0)
        model_remove(model, model->cursor - 1, model->cursor);
    else if (choice == 1 && model->cursor < model->length)
        model_remove(model, model->cursor, model->cursor + 1);
    else if (choice == 2 && model->cursor > 0)
        model->cursor--;
    else if (choice == 3 && model->cursor < model->length)
        model->cursor++;
    else if (choice == 4)
        model->cursor = 0;
    else if (choice == 5)
        model->cursor = model->length;
    else if (choice == 6)
        model_cut_word(model);
    else if (choice == 7)
        model_remove(model, model->cursor, model->length);
}

/* The screen has to show the prompt, a part of the line from `view` on, and the cursor in it. */
static void check_screen(void)
{
    const char *row = screen_text(&screen);
    size_t shown;

    ck_assert(strncmp(row, "/ >", 3) == 0);
    row = strlen(row) > 4 ? row + 4 : "";
    shown = strlen(row);
    ck_assert(strncmp(row, editor.line + editor.view, shown) == 0);
    ck_assert(screen.column ==
              4 + utf8_text_columns(editor.line + editor.view, editor.cursor - editor.view));
    /* What is not shown at the end does not fit; blanks at the end of the row do not count. */
    shown += strspn(editor.line + editor.view + shown, " ");
    if (editor.view + shown < editor.length)
        ck_assert(utf8_text_columns(editor.line + editor.view, shown) >= 72);
}

START_TEST(any_keys_do_what_a_plain_model_does)
{
    uint64_t random = (uint64_t)_i + 1;
    struct model model = {.length = 0};

    for (unsigned i = 0; i < 4000; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        /* The more letters in the mix, the longer the lines; each run has another mix. */
        step(&model, (unsigned)((random >> 35) % (16 + 12 * (unsigned)(_i % 4))));
        ck_assert(editor.length == model_bytes(&model, model.length));
        ck_assert(editor.cursor == model_bytes(&model, model.cursor));
        check_screen();
    }
}
END_TEST

START_TEST(noise_leaves_good_utf8)
{
    uint64_t random = (uint64_t)_i + 100;

    for (unsigned i = 0; i < 50000; i++) {
        struct utf8_decoder decoder = {0};
        enum editor_result result;

        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        result = editor_feed(&editor, (uint8_t)(random >> 40));
        ck_assert(editor.length <= EDITOR_LINE_MAX);
        ck_assert(editor.line[editor.length] == 0);
        for (size_t k = 0; k < editor.length; k++) {
            ck_assert(utf8_decode(&decoder, (uint8_t)editor.line[k]) != UTF8_BAD);
            ck_assert(decoder.expect > 0 || !utf8_is_control(decoder.code));
        }
        ck_assert(decoder.expect == 0);
        if (result != EDITOR_MORE) {
            history_add(&history, editor.line);
            editor_begin(&editor, PROMPT);
        }
    }
}
END_TEST

Suite *editor_suite(void)
{
    Suite *suite = suite_create("editor");
    TCase *keys = tcase_create("keys"), *chance = tcase_create("chance");

    tcase_add_checked_fixture(keys, setup, NULL);
    tcase_add_test(keys, typing_and_erasing);
    tcase_add_test(keys, moving_and_inserting);
    tcase_add_test(keys, cutting);
    tcase_add_test(keys, ends_of_a_line);
    tcase_add_test(keys, a_line_has_512_bytes);
    tcase_add_test(keys, characters_of_more_bytes_are_one);
    tcase_add_test(keys, what_is_no_text_rings_the_bell);
    tcase_add_test(keys, sequences_in_all_spellings);
    tcase_add_test(keys, an_endless_sequence_ends);
    tcase_add_test(keys, history_is_walked);
    tcase_add_test(keys, history_keeps_fifty_of_the_longest_lines);
    tcase_add_test(keys, without_memory_there_is_no_history_and_no_harm);
    tcase_add_test(keys, tab_completes_and_then_lists);
    tcase_add_test(keys, a_failed_completion_shows_the_line_again);
    tcase_add_test(keys, long_lines_scroll_in_their_row);
    suite_add_tcase(suite, keys);
    tcase_add_checked_fixture(chance, setup, NULL);
    tcase_set_timeout(chance, 120);
    tcase_add_loop_test(chance, any_keys_do_what_a_plain_model_does, 0, 16);
    tcase_add_loop_test(chance, noise_leaves_good_utf8, 0, 4);
    suite_add_tcase(suite, chance);
    return suite;
}
