/* SPDX-License-Identifier: MIT */
/*
 * test_rng.c: the random number generator, which is slow to begin and has few words at a time.
 *
 *  1. It is started in the order that works: interrupt off, warm-up count, on.
 *  2. The first word is waited for as long as warming up takes.
 *  3. Later a generator that has nothing is given up soon, and no word is read that is not there.
 */
#include "fake_bus.h"

#include "soc/rng.h"
#include "../marks.h"

#include <hal/errno.h>

#include <stdlib.h>

#define BASE 0x3f104000u
#define STATUS (BASE + 4u)
#define DATA (BASE + 8u)

/** Words appear at this moment, one at a time as long as there are some. */
static uint64_t warm_at;
static unsigned words_left;

static uint32_t rng_model_read(uintptr_t address)
{
    bool ready = fake_now() >= warm_at && words_left > 0;

    if (address == STATUS) {
        return ready ? 1u << 24 : 0;
    }
    if (address == DATA) {
        ck_assert(ready);
        return 1000 + words_left--;
    }
    return 0;
}

static void rng_model_write(uintptr_t address, uint32_t value)
{
    ck_assert(address != DATA);
    (void)value;
}

static const struct fake_model model = {BASE, BASE + 0x10, rng_model_read, rng_model_write};

static void setup(void)
{
    fake_reset();
    fake_add_model(&model);
    fake_trace_enable(false);
    warm_at = 0;
    words_left = 0;
}

START_TEST(it_is_started_in_order)
{
    fake_trace_enable(true);
    rng_start();
    ck_assert_str_eq(fake_trace(), "barrier\n"
                                   "R 3f104010 00000000\n"
                                   "W 3f104010 00000001\n"
                                   "W 3f104004 00040000\n"
                                   "W 3f104000 00000001\n"
                                   "barrier\n");
}
END_TEST

START_TEST(the_first_word_has_time)
{
    uint32_t word = 0;

    warm_at = 1000000;
    words_left = 2;
    rng_start();
    ck_assert_int_eq(rng_word(&word), 0);
    ck_assert_uint_eq(word, 1002);
    ck_assert_uint_ge(fake_now(), warm_at);
    ck_assert_int_eq(rng_word(&word), 0);
    ck_assert_uint_eq(word, 1001);
}
END_TEST

START_TEST(a_dry_generator_is_given_up)
{
    uint32_t word = 0;

    rng_start();
    ck_assert_int_eq(rng_word(&word), -EIO);
    uint64_t first = fake_now();
    ck_assert_uint_ge(first, 1000000);
    ck_assert_uint_lt(first, 5000000);
    ck_assert_int_eq(rng_word(&word), -EIO);
    ck_assert_uint_lt(fake_now() - first, 20000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pi3-rng");
    TCase *tests = tcase_create("rng");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, it_is_started_in_order);
    tcase_add_test(tests, the_first_word_has_time);
    tcase_add_test(tests, a_dry_generator_is_given_up);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
