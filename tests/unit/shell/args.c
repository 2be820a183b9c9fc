/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. Words are parted by spaces; quotes and backslashes keep them together and are taken away.
 *  2. ';' and '&' end commands, and only outside quotes; '&' means the background.
 *  3. 64 words are a command, 65 are refused; an open quote or a lone \ at the end is refused.
 *  4. The unfinished word at the cursor is found, with its quote and its place.
 *  5. Any bytes: no crash, and no word outside the text.
 */
#include "suites.h"

#include "shell/edit/args.h"

#include <hal/errno.h>

#include <stdint.h>
#include <string.h>

/* Parses one command and checks its words, which are given with '|' between them. */
static void check_words(const char *line, const char *words)
{
    struct args args;
    char joined[1024] = "";

    ck_assert_msg(args_parse(&line, &args) == 0, "%s", line);
    for (unsigned i = 0; i < args.count; i++) {
        if (i > 0)
            strcat(joined, "|");
        strcat(joined, args.words[i]);
    }
    ck_assert_str_eq(joined, words);
    ck_assert_ptr_null(args.words[args.count]);
}

START_TEST(words_are_parted_by_spaces)
{
    check_words("echo one two", "echo|one|two");
    check_words("  echo \t one   ", "echo|one");
    check_words("", "");
    check_words("   ", "");
}
END_TEST

START_TEST(quotes_keep_words_together)
{
    check_words("cat \"a b\" 'c d' e\\ f", "cat|a b|c d|e f");
    check_words("a\"b c\"'d e'f", "ab cd ef");
    check_words("x '' \"\"", "x||");
    check_words("'a\\b' \"a\\b\" \"a\\\"b\" \"a\\\\b\"", "a\\b|a\\b|a\"b|a\\b");
    check_words("'it'\\''s'", "it's");
    check_words("\"'\" '\"'", "'|\"");
}
END_TEST

START_TEST(commands_are_parted)
{
    const char *line = "a 1; b 2 & c ';' \"&\" \\; &";
    struct args args;

    ck_assert_int_eq(args_parse(&line, &args), 0);
    ck_assert_str_eq(args.words[0], "a");
    ck_assert(!args.background);
    ck_assert_int_eq(args_parse(&line, &args), 0);
    ck_assert_str_eq(args.words[0], "b");
    ck_assert_uint_eq(args.count, 2);
    ck_assert(args.background);
    ck_assert_int_eq(args_parse(&line, &args), 0);
    ck_assert_uint_eq(args.count, 4);
    ck_assert_str_eq(args.words[1], ";");
    ck_assert_str_eq(args.words[2], "&");
    ck_assert_str_eq(args.words[3], ";");
    ck_assert(args.background);
    ck_assert_int_eq(args_parse(&line, &args), 0);
    ck_assert_uint_eq(args.count, 0);
}
END_TEST

START_TEST(empty_commands_are_passed_over)
{
    const char *line = ";; ; a ;;b;";
    struct args args;

    ck_assert_int_eq(args_parse(&line, &args), 0);
    ck_assert_str_eq(args.words[0], "a");
    ck_assert_int_eq(args_parse(&line, &args), 0);
    ck_assert_str_eq(args.words[0], "b");
    ck_assert_int_eq(args_parse(&line, &args), 0);
    ck_assert_uint_eq(args.count, 0);
}
END_TEST

START_TEST(sixty_four_words_and_no_more)
{
    char line[256] = "";
    const char *at = line;
    struct args args;

    for (unsigned i = 0; i < ARGS_MAX; i++)
        strcat(line, "x ");
    ck_assert_int_eq(args_parse(&at, &args), 0);
    ck_assert_uint_eq(args.count, ARGS_MAX);
    strcat(line, "y");
    at = line;
    ck_assert_int_eq(args_parse(&at, &args), -E2BIG);
}
END_TEST

START_TEST(what_is_not_closed_is_refused)
{
    static const struct {
        const char *line;
        int error;
    } bad[] = {{"echo \"a", -EINVAL}, {"echo 'a", -EINVAL}, {"echo a\\", -EINVAL},
               {"&", -ENOENT},        {" & a", -ENOENT},    {"'\\'\\", -EINVAL}};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *line = bad[i].line;
        struct args args;

        ck_assert_msg(args_parse(&line, &args) == bad[i].error, "%s", bad[i].line);
    }
}
END_TEST

START_TEST(a_copy_points_into_its_own_text)
{
    const char *line = "one \"t w o\" three &";
    struct args from, to;

    ck_assert_int_eq(args_parse(&line, &from), 0);
    args_copy(&to, &from);
    memset(&from, 'x', sizeof(from));
    ck_assert_uint_eq(to.count, 3);
    ck_assert_str_eq(to.words[1], "t w o");
    ck_assert_str_eq(to.words[2], "three");
    ck_assert(to.background);
    ck_assert_ptr_null(to.words[3]);
}
END_TEST

START_TEST(wild_words_are_known)
{
    const char *line = "ls '*' \\? \"*\"; ls a*b?'*?'";
    const char marked[] = {'a', ARGS_ANY, 'b', ARGS_ONE, '*', '?', '\0'};
    struct args args;

    ck_assert_int_eq(args_parse(&line, &args), 0);
    ck_assert(!args.wild);
    ck_assert_str_eq(args.words[1], "*");
    ck_assert_str_eq(args.words[2], "?");
    ck_assert_str_eq(args.words[3], "*");
    ck_assert_int_eq(args_parse(&line, &args), 0);
    ck_assert(args.wild);
    ck_assert_str_eq(args.words[1], marked);
    args_tame(args.words[1]);
    ck_assert_str_eq(args.words[1], "a*b?*?");
}
END_TEST

START_TEST(the_word_at_the_cursor_is_found)
{
    static const struct {
        const char *line, *word;
        size_t raw;
        char quote;
        bool command;
    } cases[] = {
        {"", "", 0, 0, true},
        {"ec", "ec", 2, 0, true},
        {"echo ", "", 0, 0, false},
        {"echo a\\ b", "a b", 4, 0, false},
        {"cat \"/docs/Gett", "/docs/Gett", 11, '"', false},
        {"cat 'a b", "a b", 4, '\'', false},
        {"cat 'a b'c", "a bc", 6, 0, false},
        {"echo a; l", "l", 1, 0, true},
        {"a & b c", "c", 1, 0, false},
        {"echo \"a;b", "a;b", 4, '"', false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct args_tail tail;

        args_read_tail(cases[i].line, strlen(cases[i].line), &tail);
        ck_assert_str_eq(tail.word, cases[i].word);
        ck_assert_msg(tail.raw == cases[i].raw, "%s: %zu", cases[i].line, tail.raw);
        ck_assert_int_eq(tail.quote, cases[i].quote);
        ck_assert_int_eq(tail.command, cases[i].command);
        ck_assert_uint_le(tail.begin, strlen(cases[i].line) - tail.raw);
        ck_assert(tail.begin == 0 || strchr(";&", cases[i].line[tail.begin - 1]));
    }
}
END_TEST

START_TEST(any_bytes_are_survived)
{
    static const char alphabet[] = "ab* \t\"'\\;&";
    uint64_t random = 1;

    for (unsigned round = 0; round < 20000; round++) {
        char line[ARGS_LINE_MAX + 1];
        const char *at = line;
        size_t n;
        struct args args;
        int error = 0;

        random = random * UINT64_C(6364136223846793005) + 1;
        n = (random >> 33) % sizeof(line);
        for (size_t i = 0; i < n; i++) {
            random = random * UINT64_C(6364136223846793005) + 1;
            line[i] = alphabet[(random >> 33) % (sizeof(alphabet) - 1)];
        }
        line[n] = '\0';
        do {
            error = args_parse(&at, &args);
            ck_assert(at <= line + n);
            for (unsigned i = 0; error == 0 && i < args.count; i++)
                ck_assert(args.words[i] >= args.text &&
                          args.words[i] + strlen(args.words[i]) < args.text + sizeof(args.text));
        } while (error == 0 && args.count > 0);
    }
}
END_TEST

Suite *args_suite(void)
{
    Suite *suite = suite_create("args");
    TCase *words = tcase_create("words");

    tcase_add_test(words, words_are_parted_by_spaces);
    tcase_add_test(words, quotes_keep_words_together);
    tcase_add_test(words, commands_are_parted);
    tcase_add_test(words, empty_commands_are_passed_over);
    tcase_add_test(words, sixty_four_words_and_no_more);
    tcase_add_test(words, what_is_not_closed_is_refused);
    tcase_add_test(words, a_copy_points_into_its_own_text);
    tcase_add_test(words, wild_words_are_known);
    tcase_add_test(words, the_word_at_the_cursor_is_found);
    tcase_add_test(words, any_bytes_are_survived);
    suite_add_tcase(suite, words);
    return suite;
}
