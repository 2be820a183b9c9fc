/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. All 28 pins have two names, which lead to each other; the header has 12 places that are no
 * pins.
 *  2. Bare numbers and all else are refused, with a sentence that names what may have been meant.
 */
#include "suites.h"

#include "dev/pins.h"

#include <hal/errno.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

START_TEST(both_names_lead_to_each_other)
{
    bool seen[PINS_HEADER + 1] = {false};

    for (unsigned pin = 0; pin < 28; pin++) {
        unsigned place = pins_header(pin), found = 99;
        char name[16];

        ck_assert_msg(place >= 1 && place <= PINS_HEADER && !seen[place], "GPIO%u", pin);
        seen[place] = true;
        snprintf(name, sizeof(name), "J8:%u", place);
        ck_assert_int_eq(pins_parse(name, &found), 0);
        ck_assert_uint_eq(found, pin);
        snprintf(name, sizeof(name), "GPIO%u", pin);
        ck_assert_int_eq(pins_parse(name, &found), 0);
        ck_assert_uint_eq(found, pin);
    }
    ck_assert_uint_eq(pins_header(28), 0);
    ck_assert_uint_eq(pins_header(17), 11);
    ck_assert_uint_eq(pins_header(21), 40);
    ck_assert_uint_eq(pins_header(2), 3);
}
END_TEST

START_TEST(supplies_are_no_pins)
{
    static const unsigned ground[] = {6, 9, 14, 20, 25, 30, 34, 39};
    char why[128];
    unsigned pin, supplies = 0;

    for (unsigned place = 1; place <= PINS_HEADER; place++) {
        char name[16];

        snprintf(name, sizeof(name), "J8:%u", place);
        supplies += pins_parse(name, &pin) == -EINVAL;
    }
    ck_assert_uint_eq(supplies, 12);
    for (size_t i = 0; i < sizeof(ground) / sizeof(ground[0]); i++) {
        char name[16];

        snprintf(name, sizeof(name), "J8:%u", ground[i]);
        pins_explain(name, why, sizeof(why));
        ck_assert_msg(strstr(why, "ground") != NULL, "%s", why);
    }
    pins_explain("J8:1", why, sizeof(why));
    ck_assert_ptr_nonnull(strstr(why, "3.3 volts"));
    pins_explain("J8:2", why, sizeof(why));
    ck_assert_ptr_nonnull(strstr(why, "5 volts"));
}
END_TEST

START_TEST(names_are_read_strictly)
{
    static const char *const bad[] = {"",
                                      "17",
                                      "GPIO",
                                      "GPIO28",
                                      "GPIO-1",
                                      "GPIO17x",
                                      "J8",
                                      "J8:",
                                      "J8:0",
                                      "J8:41",
                                      "J8:11 ",
                                      "J8:1",
                                      " GPIO17",
                                      "GPIO 1",
                                      "GPIO0x1",
                                      "P17",
                                      "GPIO99999999999999999999"};
    unsigned pin;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char why[200] = "";

        ck_assert_msg(pins_parse(bad[i], &pin) == -EINVAL, "%s", bad[i]);
        pins_explain(bad[i], why, sizeof(why));
        ck_assert_msg(strlen(why) > 10, "%s: %s", bad[i], why);
    }
    ck_assert_int_eq(pins_parse("gpio4", &pin), 0);
    ck_assert_uint_eq(pin, 4);
    ck_assert_int_eq(pins_parse("j8:7", &pin), 0);
    ck_assert_uint_eq(pin, 4);
}
END_TEST

START_TEST(a_bare_number_gets_both_its_meanings)
{
    char why[200];

    pins_explain("11", why, sizeof(why));
    ck_assert_ptr_nonnull(strstr(why, "GPIO11 (at J8:23)"));
    ck_assert_ptr_nonnull(strstr(why, "J8:11 (GPIO17)"));
    pins_explain("17", why, sizeof(why));
    ck_assert_ptr_nonnull(strstr(why, "GPIO17 (at J8:11)"));
    ck_assert_ptr_nonnull(strstr(why, "J8:17 (3.3 volts)"));
    pins_explain("0", why, sizeof(why));
    ck_assert_ptr_nonnull(strstr(why, "GPIO0"));
    ck_assert_ptr_null(strstr(why, "J8:0"));
    pins_explain("40", why, sizeof(why));
    ck_assert_ptr_nonnull(strstr(why, "J8:40 (GPIO21)"));
    ck_assert_ptr_null(strstr(why, "GPIO40"));
}
END_TEST

Suite *pins_suite(void)
{
    Suite *suite = suite_create("pins");
    TCase *names = tcase_create("names");

    tcase_add_test(names, both_names_lead_to_each_other);
    tcase_add_test(names, supplies_are_no_pins);
    tcase_add_test(names, names_are_read_strictly);
    tcase_add_test(names, a_bare_number_gets_both_its_meanings);
    suite_add_tcase(suite, names);
    return suite;
}
