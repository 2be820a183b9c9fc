/* SPDX-License-Identifier: MIT */
/*
 * test_gpio.c: the pins' driver against the data sheet (BCM2837 ARM Peripherals, section 6).
 *
 *  1. A pin's function is three bits of one register; the other nine pins keep theirs.
 *  2. A pull is: the state, 150 cycles, the clock, 150 cycles, both off again; barriers around.
 *  3. A level is written to the set or the clear register, never read first.
 *  4. Watching sets the detectors of that pin alone and forgets old events.
 *  5. Events are cleared by writing them back, and each is reported once.
 *  6. A chip whose detector bits do not stay has none: -ENOSYS, for every pin and edge.
 *  7. At the start every detector is off, whatever was left on, and every event forgotten.
 *  8. Bad pins, functions, pulls and edges are refused without a single access; so are the
 * console's.
 */
#include "fake_bus.h"

#include "soc/gpio.h"
#include "../marks.h"

#include <hal/errno.h>

#include <stdlib.h>

#define FSEL0 0x3f200000u
#define FSEL1 0x3f200004u
#define FSEL5 0x3f200014u
#define SET0 0x3f20001cu
#define CLEAR0 0x3f200028u
#define LEVEL0 0x3f200034u
#define EVENTS0 0x3f200040u
#define RISING0 0x3f20004cu
#define FALLING0 0x3f200058u

static uint32_t detector_events;
static bool detectors_missing;

/** The event register is written to be cleared; without detectors all three read as zero. */
static uint32_t detector_read(uintptr_t address)
{
    if (detectors_missing) {
        return 0;
    }
    return address == EVENTS0 ? detector_events : fake_peek(address);
}

static void detector_write(uintptr_t address, uint32_t value)
{
    if (address == EVENTS0) {
        detector_events &= ~value;
    } else {
        fake_poke(address, value);
    }
}

/* Everything from RISING0 to the last unclocked detector. */
static const uintptr_t detector_registers[] = {0x3f20004cu, 0x3f200050u, 0x3f200058u, 0x3f20005cu,
                                               0x3f200064u, 0x3f200068u, 0x3f200070u, 0x3f200074u,
                                               0x3f20007cu, 0x3f200080u, 0x3f200088u, 0x3f20008cu};

static const struct fake_model detectors = {EVENTS0, FALLING0, detector_read, detector_write};

static void setup(void)
{
    fake_reset();
    fake_add_model(&detectors);
    detector_events = 0;
    detectors_missing = false;
}

START_TEST(start_leaves_no_detector_on)
{
    size_t n = sizeof detector_registers / sizeof detector_registers[0];

    for (size_t i = 0; i < n; i++)
        fake_poke(detector_registers[i], 0x5a5a5a5au);
    detector_events = 0x123;
    soc_gpio_start();
    for (size_t i = 0; i < n; i++)
        ck_assert_uint_eq(fake_peek(detector_registers[i]), 0);
    ck_assert_uint_eq(detector_events, 0);
    ck_assert_uint_eq(fake_trace_count("W 3f200044 ffffffff"), 1);
}
END_TEST

START_TEST(function_changes_three_bits)
{
    fake_poke(FSEL1, 0x3fffffff);
    ck_assert_int_eq(hal_gpio_set_function(17, HAL_GPIO_OUTPUT), 0);
    ck_assert_str_eq(fake_trace(), "barrier\n"
                                   "R 3f200004 3fffffff\n"
                                   "W 3f200004 3f3fffff\n"
                                   "barrier\n");
    ck_assert_int_eq(hal_gpio_get_function(17), HAL_GPIO_OUTPUT);
    ck_assert_int_eq(hal_gpio_get_function(16), HAL_GPIO_ALT3);
    ck_assert_int_eq(hal_gpio_get_function(18), HAL_GPIO_ALT3);
}
END_TEST

START_TEST(function_numbers_are_the_chips)
{
    static const uint32_t codes[] = {0, 1, 2, 3, 4, 5, 6, 7};
    static const enum hal_gpio_function functions[] = {
        HAL_GPIO_INPUT, HAL_GPIO_OUTPUT, HAL_GPIO_ALT5, HAL_GPIO_ALT4,
        HAL_GPIO_ALT0,  HAL_GPIO_ALT1,   HAL_GPIO_ALT2, HAL_GPIO_ALT3};

    soc_gpio_select(53, functions[_i]);
    ck_assert_uint_eq(fake_peek(FSEL5), codes[_i] << 9);
    ck_assert_int_eq(soc_gpio_function(53), functions[_i]);
    soc_gpio_select(0, functions[_i]);
    ck_assert_uint_eq(fake_peek(FSEL0), codes[_i]);
}
END_TEST

START_TEST(pull_is_the_sequence_of_the_data_sheet)
{
    ck_assert_int_eq(hal_gpio_set_pull(17, HAL_GPIO_PULL_UP), 0);
    ck_assert_str_eq(fake_trace(), "barrier\n"
                                   "W 3f200094 00000002\n"
                                   "delay 1000\n"
                                   "W 3f200098 00020000\n"
                                   "delay 1000\n"
                                   "W 3f200094 00000000\n"
                                   "W 3f200098 00000000\n"
                                   "barrier\n");
    fake_trace_clear();
    soc_gpio_pull(49, HAL_GPIO_PULL_DOWN);
    ck_assert_str_eq(fake_trace(), "barrier\n"
                                   "W 3f200094 00000001\n"
                                   "delay 1000\n"
                                   "W 3f20009c 00020000\n"
                                   "delay 1000\n"
                                   "W 3f200094 00000000\n"
                                   "W 3f20009c 00000000\n"
                                   "barrier\n");
}
END_TEST

START_TEST(level_is_one_write)
{
    ck_assert_int_eq(hal_gpio_write(17, true), 0);
    ck_assert_int_eq(hal_gpio_write(17, false), 0);
    soc_gpio_drive(33, true);
    ck_assert_str_eq(fake_trace(), "barrier\n"
                                   "W 3f20001c 00020000\n"
                                   "barrier\n"
                                   "W 3f200028 00020000\n"
                                   "barrier\n"
                                   "W 3f200020 00000002\n"
                                   "barrier\n");
    fake_poke(LEVEL0, 1u << 5);
    ck_assert_int_eq(hal_gpio_read(5), 1);
    ck_assert_int_eq(hal_gpio_read(6), 0);
}
END_TEST

START_TEST(watching_concerns_one_pin)
{
    ck_assert_int_eq(hal_gpio_watch(5, HAL_GPIO_EDGE_BOTH), 0);
    detector_events = 1u << 17;
    fake_trace_clear();
    ck_assert_int_eq(hal_gpio_watch(17, HAL_GPIO_EDGE_FALLING), 0);
    ck_assert_str_eq(fake_trace(), "barrier\n"
                                   "R 3f20004c 00000020\n"
                                   "W 3f20004c 00000020\n"
                                   "R 3f200058 00000020\n"
                                   "W 3f200058 00020020\n"
                                   "W 3f200040 00020000\n"
                                   "barrier\n");
    ck_assert_uint_eq(hal_gpio_events(), 0);
    ck_assert_int_eq(hal_gpio_watch(17, HAL_GPIO_EDGE_NONE), 0);
    ck_assert_uint_eq(fake_peek(RISING0), 1u << 5);
    ck_assert_uint_eq(fake_peek(FALLING0), 1u << 5);
}
END_TEST

START_TEST(events_are_reported_once)
{
    ck_assert_int_eq(hal_gpio_watch(5, HAL_GPIO_EDGE_RISING), 0);
    detector_events = 1u << 5;
    ck_assert(soc_gpio_take_interrupt());
    ck_assert_uint_eq(detector_events, 0);
    detector_events = 1u << 6;
    ck_assert_uint_eq(hal_gpio_events(), 1u << 5 | 1u << 6);
    ck_assert_uint_eq(hal_gpio_events(), 0);
    ck_assert(!soc_gpio_take_interrupt());
}
END_TEST

START_TEST(missing_detectors_are_noticed)
{
    detectors_missing = true;
    for (int edges = HAL_GPIO_EDGE_NONE; edges <= HAL_GPIO_EDGE_BOTH; edges++) {
        ck_assert_int_eq(hal_gpio_watch(5, (enum hal_gpio_edge)edges), -ENOSYS);
        ck_assert_int_eq(hal_gpio_watch(27, (enum hal_gpio_edge)edges), -ENOSYS);
    }
}
END_TEST

START_TEST(bad_arguments_touch_nothing)
{
    ck_assert_int_eq(hal_gpio_set_function(28, HAL_GPIO_INPUT), -EINVAL);
    ck_assert_int_eq(hal_gpio_set_function(5, (enum hal_gpio_function)8), -EINVAL);
    ck_assert_int_eq(hal_gpio_set_function(14, HAL_GPIO_OUTPUT), -EBUSY);
    ck_assert_int_eq(hal_gpio_set_function(15, HAL_GPIO_INPUT), -EBUSY);
    ck_assert_int_eq(hal_gpio_get_function(28), -EINVAL);
    ck_assert_int_eq(hal_gpio_set_pull(28, HAL_GPIO_PULL_UP), -EINVAL);
    ck_assert_int_eq(hal_gpio_set_pull(5, (enum hal_gpio_pull)3), -EINVAL);
    ck_assert_int_eq(hal_gpio_write(28, true), -EINVAL);
    ck_assert_int_eq(hal_gpio_read(28), -EINVAL);
    ck_assert_int_eq(hal_gpio_watch(28, HAL_GPIO_EDGE_BOTH), -EINVAL);
    ck_assert_int_eq(hal_gpio_watch(5, (enum hal_gpio_edge)4), -EINVAL);
    ck_assert_str_eq(fake_trace(), "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pi3-gpio");
    TCase *tests = tcase_create("gpio");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, start_leaves_no_detector_on);
    tcase_add_test(tests, function_changes_three_bits);
    tcase_add_loop_test(tests, function_numbers_are_the_chips, 0, 8);
    tcase_add_test(tests, pull_is_the_sequence_of_the_data_sheet);
    tcase_add_test(tests, level_is_one_write);
    tcase_add_test(tests, watching_concerns_one_pin);
    tcase_add_test(tests, events_are_reported_once);
    tcase_add_test(tests, missing_detectors_are_noticed);
    tcase_add_test(tests, bad_arguments_touch_nothing);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
