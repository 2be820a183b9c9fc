/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. format_text agrees with the host's snprintf on every conversion, flag, width and precision it
 * claims.
 *  2. format_text never writes behind `size`, and always ends with a NUL.
 *  3. Numbers and lengths of time are read exactly, and refused when they are none or too large.
 *  4. Strings are copied, compared and searched as their comments say.
 *  5. A list keeps order through adding and removing at both ends and in the middle.
 *  6. The log keeps the newest lines, numbered without gaps, and cuts long ones.
 *  7. A checksum is that of the definition, bit by bit, of any bytes, in one piece or in several.
 */
#include "fake_hal.h"
#include "lib/crc32.h"
#include "lib/format.h"
#include "lib/list.h"
#include "lib/log.h"
#include "lib/string.h"

#include <hal/errno.h>

#include "../../marks.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAME(...) \
    do { \
        char ours[256], theirs[256]; \
        size_t n = format_text(ours, sizeof ours, __VA_ARGS__); \
        int m = snprintf(theirs, sizeof theirs, __VA_ARGS__); \
        ck_assert_str_eq(ours, theirs); \
        ck_assert_int_eq((int)n, m); \
    } while (0)

START_TEST(integers_are_formatted_as_by_the_host)
{
    static const int values[] = {0, 1, -1, 42, -12345, 2147483647, -2147483647 - 1};

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        SAME("%d|%5d|%-5d|%05d|%+d|% d|%.3d|%8.3d|%-8.3d|", values[i], values[i], values[i],
             values[i], values[i], values[i], values[i], values[i], values[i]);
        SAME("%u|%x|%X|%o|%#x|%#o|%08x|%#010x", values[i], values[i], values[i], values[i],
             values[i], values[i], values[i], values[i]);
        SAME("%hhd|%hd|%ld|%lld|%zd|%jd|%td", (signed char)values[i], (short)values[i],
             (long)values[i], (long long)values[i], (ssize_t)values[i], (intmax_t)values[i],
             (ptrdiff_t)values[i]);
    }
    SAME("%lld %llu", (long long)INT64_MIN, (unsigned long long)UINT64_MAX);
    SAME("%.0d|%.0x", 0, 0);
    SAME("%*d|%-*d|%.*d", 7, 3, 7, 3, 4, 9);
    SAME("%*d", -7, 3);
}
END_TEST

START_TEST(text_is_formatted_as_by_the_host)
{
    SAME("%s|%10s|%-10s|%.2s|%10.2s", "abc", "abc", "abc", "abc", "abc");
    SAME("%c%c|%3c|%-3c|", 'a', 'b', 'c', 'd');
    SAME("100%%");
    SAME("%p", (void *)0x1234);
    SAME("plain");
}
END_TEST

START_TEST(formatting_never_leaves_its_memory)
{
    char memory[16];

    for (size_t size = 0; size <= 8; size++) {
        memset(memory, 0x7e, sizeof memory);
        ck_assert_uint_eq(format_text(memory, size, "%s", "0123456789"), 10);
        if (size)
            ck_assert_int_eq(memory[size - 1], '\0');
        for (size_t i = size; i < sizeof memory; i++)
            ck_assert_int_eq(memory[i], 0x7e);
    }
}
END_TEST

START_TEST(numbers_are_read_or_refused)
{
    const char *end;
    uint64_t value;

    ck_assert_int_eq(string_to_u64("0", &value, &end), 0);
    ck_assert_uint_eq(value, 0);
    ck_assert_int_eq(string_to_u64("18446744073709551615x", &value, &end), 0);
    ck_assert(value == UINT64_MAX && *end == 'x');
    ck_assert_int_eq(string_to_u64("18446744073709551616", &value, &end), -ERANGE);
    ck_assert_int_eq(string_to_u64("0xfFfFfFfFfFfFfFfF", &value, &end), 0);
    ck_assert(value == UINT64_MAX);
    ck_assert_int_eq(string_to_u64("0x10000000000000000", &value, &end), -ERANGE);
    ck_assert_int_eq(string_to_u64("", &value, &end), -EINVAL);
    ck_assert_int_eq(string_to_u64("-1", &value, &end), -EINVAL);
    ck_assert_int_eq(string_to_u64("x", &value, &end), -EINVAL);
    ck_assert_int_eq(string_to_u64("0xg", &value, &end), 0);
    ck_assert(value == 0 && *end == 'x');
}
END_TEST

START_TEST(lengths_of_time_are_read_or_refused)
{
    static const struct {
        const char *text;
        uint64_t unit;
        int error;
        uint64_t ns;
    } cases[] = {
        {"250ms", 0, 0, 250000000},
        {"5s", 0, 0, 5000000000},
        {"3ns", 0, 0, 3},
        {"10us", 0, 0, 10000},
        {"2m", 0, 0, 120000000000},
        {"7", 1000000, 0, 7000000},
        {"1.5s", 0, 0, 1500000000},
        {"0.25ms", 0, 0, 250000},
        {"2.5", 1000000000, 0, 2500000000},
        {"7", 0, -EINVAL, 0},
        {"5 s", 0, -EINVAL, 0},
        {"5h", 0, -EINVAL, 0},
        {"", 1000, -EINVAL, 0},
        {"ms", 0, -EINVAL, 0},
        {"-1s", 0, -EINVAL, 0},
        {"18446744073s", 0, 0, 18446744073000000000u},
        {"18446744074s", 0, -ERANGE, 0},
        {"18446744073.8s", 0, -ERANGE, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t ns = 0;

        ck_assert_msg(string_to_duration(cases[i].text, cases[i].unit, &ns) == cases[i].error, "%s",
                      cases[i].text);
        ck_assert_msg(ns == cases[i].ns, "%s: %llu", cases[i].text, (unsigned long long)ns);
    }
}
END_TEST

START_TEST(strings_do_what_they_say)
{
    char memory[4];

    ck_assert_uint_eq(string_length("abc"), 3);
    ck_assert_uint_eq(string_length_max("abcdef", 4), 4);
    ck_assert(string_compare("a", "b") < 0 && string_compare("b", "a") > 0);
    ck_assert(string_compare("ab", "abc") < 0 && string_compare("\xff", "a") > 0);
    ck_assert(string_equal("", "") && !string_equal("a", "A"));
    ck_assert(string_equal_nocase("ReadMe", "README") && !string_equal_nocase("a", "ab"));
    ck_assert(string_starts_with("abc", "ab") && !string_starts_with("a", "ab"));
    ck_assert_str_eq(string_find_char("a/b", '/'), "/b");
    ck_assert_ptr_null(string_find_char("ab", '/'));
    ck_assert(string_copy(memory, 4, "abc") && strcmp(memory, "abc") == 0);
    ck_assert(!string_copy(memory, 4, "abcd") && strcmp(memory, "abc") == 0);
}
END_TEST

struct item {
    int value;
    struct list link;
};

START_TEST(a_list_keeps_its_order)
{
    struct item items[5];
    struct list head;
    int expected = 0;

    list_init(&head);
    ck_assert(list_empty(&head) && !list_take_head(&head));
    for (int i = 0; i < 5; i++)
        items[i].value = i;
    list_add_tail(&head, &items[1].link);
    list_add_head(&head, &items[0].link);
    list_add_tail(&head, &items[4].link);
    list_insert_before(&items[3].link, &items[4].link);
    list_insert_before(&items[2].link, &items[3].link);
    list_for_each (link, &head)
        ck_assert_int_eq(list_entry(link, struct item, link)->value, expected++);
    ck_assert_int_eq(expected, 5);
    list_remove(&items[2].link);
    list_remove(&items[2].link); /* again: it is on no list, and nothing happens */
    ck_assert_ptr_eq(list_take_head(&head), &items[0].link);
    list_for_each_safe (link, &head)
        list_remove(link);
    ck_assert(list_empty(&head));
}
END_TEST

START_TEST(the_log_keeps_the_newest_lines)
{
    struct klog_line line;
    uint64_t oldest;
    char text[300];

    fake_hal_reset(0);
    klog_init();
    ck_assert_int_eq(klog_read(0, &line), -ENOENT);
    for (int i = 1; i <= 1000; i++)
        klog(KLOG_INFO, "line %d", i);
    ck_assert_int_eq(klog_read(0, &line), 0);
    oldest = line.number;
    ck_assert_uint_gt(oldest, 1);
    for (uint64_t number = oldest; number <= 1000; number++) {
        ck_assert_int_eq(klog_read(number, &line), 0);
        ck_assert_uint_eq(line.number, number);
        snprintf(text, sizeof text, "line %u", (unsigned)number);
        ck_assert_str_eq(line.text, text);
    }
    ck_assert_int_eq(klog_read(1001, &line), -ENOENT);
    ck_assert_str_eq(fake.console, "");
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    klog(KLOG_ERROR, "%s", text);
    ck_assert_int_eq(klog_read(1001, &line), 0);
    ck_assert_uint_eq(strlen(line.text), KLOG_TEXT_MAX);
    ck_assert_ptr_nonnull(strstr(fake.console, "xxx"));
}
END_TEST

static uint32_t crc_by_bits(const uint8_t *bytes, size_t n)
{
    uint32_t sum = UINT32_MAX;

    for (size_t i = 0; i < n; i++) {
        sum ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? 0xEDB88320u : 0);
    }
    return ~sum;
}

START_TEST(a_checksum_is_that_of_the_definition)
{
    uint8_t bytes[100];

    ck_assert_uint_eq(crc32(0, "123456789", 9), 0xCBF43926u);
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * i * 37 + i / 3);
    for (size_t from = 0; from < 9; from++)
        for (size_t n = 0; from + n <= sizeof bytes; n++) {
            uint32_t sum = crc_by_bits(bytes + from, n), first = crc32(0, bytes + from, n / 3);

            ck_assert_uint_eq(crc32(0, bytes + from, n), sum);
            ck_assert_uint_eq(crc32(first, bytes + from + n / 3, n - n / 3), sum);
        }
}
END_TEST

int main(void)
{
    Suite *all = suite_create("lib");
    TCase *lib = tcase_create("lib");
    SRunner *runner = srunner_create(all);
    int failed;

    tcase_add_test(lib, integers_are_formatted_as_by_the_host);
    tcase_add_test(lib, text_is_formatted_as_by_the_host);
    tcase_add_test(lib, formatting_never_leaves_its_memory);
    tcase_add_test(lib, numbers_are_read_or_refused);
    tcase_add_test(lib, lengths_of_time_are_read_or_refused);
    tcase_add_test(lib, strings_do_what_they_say);
    tcase_add_test(lib, a_list_keeps_its_order);
    tcase_add_test(lib, the_log_keeps_the_newest_lines);
    tcase_add_test(lib, a_checksum_is_that_of_the_definition);
    suite_add_tcase(all, lib);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
