/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. Each of the 1,112,064 characters is decoded from its encoding.
 *  2. Overlong forms, surrogates, numbers above 10FFFF, stray and missing continuations are bad.
 *  3. Steps forth and back meet; columns are counted.
 */
#include "suites.h"

#include "tty/utf8.h"

#include <string.h>

static size_t encode(uint32_t code, uint8_t *to)
{
    if (code < 0x80) {
        to[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (uint8_t)(0xC0 | code >> 6);
        to[1] = (uint8_t)(0x80 | (code & 63));
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (uint8_t)(0xE0 | code >> 12);
        to[1] = (uint8_t)(0x80 | (code >> 6 & 63));
        to[2] = (uint8_t)(0x80 | (code & 63));
        return 3;
    }
    to[0] = (uint8_t)(0xF0 | code >> 18);
    to[1] = (uint8_t)(0x80 | (code >> 12 & 63));
    to[2] = (uint8_t)(0x80 | (code >> 6 & 63));
    to[3] = (uint8_t)(0x80 | (code & 63));
    return 4;
}

START_TEST(every_character_is_decoded)
{
    struct utf8_decoder decoder = {0};

    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        bool surrogate = code >= 0xD800 && code <= 0xDFFF;
        enum utf8_result result = UTF8_MORE;
        uint8_t bytes[4];
        size_t n = encode(code, bytes);

        for (size_t i = 0; i < n; i++) {
            ck_assert(result == UTF8_MORE);
            result = utf8_decode(&decoder, bytes[i]);
        }
        ck_assert(result == (surrogate ? UTF8_BAD : UTF8_DONE));
        ck_assert(surrogate || decoder.code == code);
    }
}
END_TEST

START_TEST(what_is_not_utf8_is_bad)
{
    static const char *const bad[] = {"\x80",
                                      "\xBF",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xE0\x80\x80",
                                      "\xE0\x9F\xBF",
                                      "\xED\xA0\x80",
                                      "\xF0\x80\x80\x80",
                                      "\xF4\x90\x80\x80",
                                      "\xF5",
                                      "\xFF",
                                      "\xC3"
                                      "A",
                                      "\xE2\x82"
                                      "A",
                                      "\xF0\x9F\x98"
                                      "A"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct utf8_decoder decoder = {0};
        unsigned wrong = 0;

        for (const char *c = bad[i]; *c != '\0'; c++)
            wrong += utf8_decode(&decoder, (uint8_t)*c) == UTF8_BAD;
        ck_assert_msg(wrong > 0, "case %zu", i);
        ck_assert_int_eq(utf8_decode(&decoder, 'x'), UTF8_DONE);
    }
}
END_TEST

START_TEST(steps_and_columns)
{
    static const char text[] = "aé€😀日e\xCC\x81";
    static const size_t steps[] = {1, 2, 3, 4, 3, 1, 2};
    size_t n = strlen(text), at = 0;

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        ck_assert_uint_eq(utf8_step(text + at, n - at), steps[i]);
        at += steps[i];
        ck_assert_uint_eq(utf8_step_back(text, at), steps[i]);
    }
    ck_assert_uint_eq(at, n);
    ck_assert_uint_eq(utf8_text_columns(text, n), 1 + 1 + 1 + 2 + 2 + 1 + 0);
    ck_assert(utf8_is_control(0x1B) && utf8_is_control(0x7F) && utf8_is_control(0x9B));
    ck_assert(!utf8_is_control('a') && !utf8_is_control(0xA0));
}
END_TEST

Suite *utf8_suite(void)
{
    Suite *suite = suite_create("utf8");
    TCase *all = tcase_create("all");

    tcase_set_timeout(all, 60);
    tcase_add_test(all, every_character_is_decoded);
    tcase_add_test(all, what_is_not_utf8_is_bad);
    tcase_add_test(all, steps_and_columns);
    suite_add_tcase(suite, all);
    return suite;
}
