/* SPDX-License-Identifier: MIT */
/*
 * gpio.c: the promises of hal/gpio.h: functions, pulls, levels and edges of the header's pins.
 *
 * QEMU has outputs only: its pins do not see pulls, nor anybody outside. It is known by
 * hal_gpio_watch saying -ENOSYS.
 */
#include "contract.h"

/** A pin that nothing on the board uses. */
#define PIN 17u
#define PIN_IN 22u

static bool inputs_work(void)
{
    int error = hal_gpio_watch(PIN_IN, HAL_GPIO_EDGE_BOTH);
    if (error != -ENOSYS) {
        EXPECT_EQUAL(error, 0);
        EXPECT_EQUAL(hal_gpio_watch(PIN_IN, HAL_GPIO_EDGE_NONE), 0);
        return true;
    }
    contract_skip("this machine's pins have no inputs");
    return false;
}

CONTRACT_TEST(functions_are_kept)
{
    for (unsigned f = HAL_GPIO_INPUT; f <= HAL_GPIO_ALT3; f++) {
        EXPECT_EQUAL(hal_gpio_set_function(PIN, (enum hal_gpio_function)f), 0);
        EXPECT_EQUAL(hal_gpio_get_function(PIN), f);
    }
    EXPECT_EQUAL(hal_gpio_set_function(PIN, HAL_GPIO_INPUT), 0);
}

CONTRACT_TEST(functions_concern_one_pin)
{
    EXPECT_EQUAL(hal_gpio_set_function(PIN - 1, HAL_GPIO_INPUT), 0);
    EXPECT_EQUAL(hal_gpio_set_function(PIN + 1, HAL_GPIO_INPUT), 0);
    EXPECT_EQUAL(hal_gpio_set_function(PIN, HAL_GPIO_ALT3), 0);
    EXPECT_EQUAL(hal_gpio_get_function(PIN - 1), HAL_GPIO_INPUT);
    EXPECT_EQUAL(hal_gpio_get_function(PIN + 1), HAL_GPIO_INPUT);
    EXPECT_EQUAL(hal_gpio_set_function(PIN, HAL_GPIO_INPUT), 0);
}

CONTRACT_TEST(bad_pins_are_refused)
{
    static const unsigned bad[] = {HAL_GPIO_PINS, HAL_GPIO_PINS + 1, 53, 54, 64, 1000, ~0u};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        EXPECT_EQUAL(hal_gpio_set_function(bad[i], HAL_GPIO_INPUT), -EINVAL);
        EXPECT_EQUAL(hal_gpio_get_function(bad[i]), -EINVAL);
        EXPECT_EQUAL(hal_gpio_set_pull(bad[i], HAL_GPIO_PULL_UP), -EINVAL);
        EXPECT_EQUAL(hal_gpio_write(bad[i], true), -EINVAL);
        EXPECT_EQUAL(hal_gpio_read(bad[i]), -EINVAL);
        int watch = hal_gpio_watch(bad[i], HAL_GPIO_EDGE_BOTH);
        EXPECT(watch == -EINVAL || watch == -ENOSYS);
    }
}

CONTRACT_TEST(bad_values_are_refused)
{
    int before = hal_gpio_get_function(PIN);
    EXPECT_EQUAL(hal_gpio_set_function(PIN, (enum hal_gpio_function)8), -EINVAL);
    EXPECT_EQUAL(hal_gpio_set_function(PIN, (enum hal_gpio_function) ~0u), -EINVAL);
    EXPECT_EQUAL(hal_gpio_set_pull(PIN, (enum hal_gpio_pull)3), -EINVAL);
    EXPECT_EQUAL(hal_gpio_set_pull(PIN, (enum hal_gpio_pull) ~0u), -EINVAL);
    EXPECT_EQUAL(hal_gpio_get_function(PIN), before);
}

CONTRACT_TEST(console_pins_are_busy)
{
    for (unsigned pin = 14; pin <= 15; pin++) {
        int before = hal_gpio_get_function(pin);
        EXPECT_EQUAL(hal_gpio_set_function(pin, HAL_GPIO_OUTPUT), -EBUSY);
        EXPECT_EQUAL(hal_gpio_set_function(pin, HAL_GPIO_INPUT), -EBUSY);
        EXPECT_EQUAL(hal_gpio_get_function(pin), before);
    }
}

CONTRACT_TEST(outputs_read_what_they_drive)
{
    REQUIRE(hal_gpio_set_function(PIN, HAL_GPIO_OUTPUT) == 0);
    for (unsigned i = 0; i < 20; i++) {
        EXPECT_EQUAL(hal_gpio_write(PIN, i % 2 == 0), 0);
        EXPECT_EQUAL(hal_gpio_read(PIN), i % 2 == 0);
    }
    EXPECT_EQUAL(hal_gpio_set_function(PIN, HAL_GPIO_INPUT), 0);
}

CONTRACT_TEST(levels_are_remembered)
{
    for (unsigned level = 0; level < 2; level++) {
        EXPECT_EQUAL(hal_gpio_set_function(PIN, HAL_GPIO_INPUT), 0);
        EXPECT_EQUAL(hal_gpio_write(PIN, level != 0), 0);
        EXPECT_EQUAL(hal_gpio_set_function(PIN, HAL_GPIO_OUTPUT), 0);
        EXPECT_EQUAL(hal_gpio_read(PIN), level);
    }
    EXPECT_EQUAL(hal_gpio_set_function(PIN, HAL_GPIO_INPUT), 0);
}

CONTRACT_TEST(writes_concern_one_pin)
{
    EXPECT_EQUAL(hal_gpio_set_function(PIN, HAL_GPIO_OUTPUT), 0);
    EXPECT_EQUAL(hal_gpio_set_function(PIN + 1, HAL_GPIO_OUTPUT), 0);
    EXPECT_EQUAL(hal_gpio_write(PIN, true), 0);
    EXPECT_EQUAL(hal_gpio_write(PIN + 1, false), 0);
    EXPECT_EQUAL(hal_gpio_read(PIN), 1);
    EXPECT_EQUAL(hal_gpio_read(PIN + 1), 0);
    EXPECT_EQUAL(hal_gpio_write(PIN + 1, true), 0);
    EXPECT_EQUAL(hal_gpio_write(PIN, false), 0);
    EXPECT_EQUAL(hal_gpio_read(PIN), 0);
    EXPECT_EQUAL(hal_gpio_read(PIN + 1), 1);
    EXPECT_EQUAL(hal_gpio_set_function(PIN, HAL_GPIO_INPUT), 0);
    EXPECT_EQUAL(hal_gpio_set_function(PIN + 1, HAL_GPIO_INPUT), 0);
}

CONTRACT_TEST(every_pin_can_be_an_output)
{
    for (unsigned pin = 0; pin < HAL_GPIO_PINS; pin++) {
        if (pin == 14 || pin == 15)
            continue;
        EXPECT_EQUAL(hal_gpio_set_function(pin, HAL_GPIO_OUTPUT), 0);
        EXPECT_EQUAL(hal_gpio_write(pin, true), 0);
        EXPECT_EQUAL(hal_gpio_read(pin), 1);
        EXPECT_EQUAL(hal_gpio_write(pin, false), 0);
        EXPECT_EQUAL(hal_gpio_read(pin), 0);
        EXPECT_EQUAL(hal_gpio_set_function(pin, HAL_GPIO_INPUT), 0);
    }
}

CONTRACT_TEST(watchers_see_every_change)
{
    REQUIRE(hal_gpio_set_function(PIN, HAL_GPIO_OUTPUT) == 0);
    EXPECT_EQUAL(hal_gpio_write(PIN, false), 0);
    for (unsigned i = 0; i < 100; i++)
        EXPECT_EQUAL(hal_gpio_write(PIN, i % 2 == 0), 0);
    contract_want("toggles", PIN, 100);
    enum contract_answer answer = contract_answer();
    EXPECT_EQUAL(hal_gpio_set_function(PIN, HAL_GPIO_INPUT), 0);
    if (answer == ANSWER_CANNOT)
        SKIP("nobody outside watches the pins");
    EXPECT_EQUAL(answer, ANSWER_YES);
}

CONTRACT_TEST(pulls_decide_a_free_pin)
{
    if (!inputs_work())
        return;
    EXPECT_EQUAL(hal_gpio_set_function(PIN_IN, HAL_GPIO_INPUT), 0);
    for (unsigned i = 0; i < 4; i++) {
        bool up = i % 2 == 0;
        EXPECT_EQUAL(hal_gpio_set_pull(PIN_IN, up ? HAL_GPIO_PULL_UP : HAL_GPIO_PULL_DOWN), 0);
        contract_pass(NS_PER_MS);
        EXPECT_EQUAL(hal_gpio_read(PIN_IN), up);
    }
    EXPECT_EQUAL(hal_gpio_set_pull(PIN_IN, HAL_GPIO_PULL_NONE), 0);
}

CONTRACT_TEST(pulls_are_accepted)
{
    EXPECT_EQUAL(hal_gpio_set_pull(PIN, HAL_GPIO_PULL_UP), 0);
    EXPECT_EQUAL(hal_gpio_set_pull(PIN, HAL_GPIO_PULL_DOWN), 0);
    EXPECT_EQUAL(hal_gpio_set_pull(PIN, HAL_GPIO_PULL_NONE), 0);
}

/** Has `pin` driven from outside. False: nobody can, and the test is skipped. */
static bool drive(unsigned pin, unsigned level)
{
    contract_want("drive", pin, level);
    if (contract_answer() == ANSWER_YES)
        return true;
    contract_skip("nobody outside drives the pins");
    return false;
}

CONTRACT_TEST(inputs_read_what_drives_them)
{
    if (!inputs_work())
        return;
    EXPECT_EQUAL(hal_gpio_set_function(PIN_IN, HAL_GPIO_INPUT), 0);
    EXPECT_EQUAL(hal_gpio_set_pull(PIN_IN, HAL_GPIO_PULL_UP), 0);
    for (unsigned i = 0; i < 4; i++) {
        if (!drive(PIN_IN, i % 2))
            return;
        EXPECT_EQUAL(hal_gpio_read(PIN_IN), i % 2);
    }
    EXPECT(drive(PIN_IN, 0));
    EXPECT(drive(PIN_IN, 2));
    EXPECT_EQUAL(hal_gpio_read(PIN_IN), 1);
}

/** Drives the pin low, high and low again, and counts the interrupts that `edges` makes of it. */
static void expect_edges(enum hal_gpio_edge edges, unsigned rising, unsigned falling)
{
    hal_irq_enable(HAL_IRQ_GPIO);
    hal_irq_unmask();
    if (!drive(PIN_IN, 0))
        return;
    EXPECT_EQUAL(hal_gpio_watch(PIN_IN, edges), 0);
    contract_pass(NS_PER_MS);
    (void)hal_gpio_events();
    unsigned before = contract_irqs(HAL_IRQ_GPIO);
    (void)drive(PIN_IN, 1);
    contract_pass(NS_PER_MS);
    EXPECT_EQUAL(contract_irqs(HAL_IRQ_GPIO) - before, rising);
    EXPECT_EQUAL(hal_gpio_events() >> PIN_IN & 1, rising);
    before = contract_irqs(HAL_IRQ_GPIO);
    (void)drive(PIN_IN, 0);
    contract_pass(NS_PER_MS);
    EXPECT_EQUAL(contract_irqs(HAL_IRQ_GPIO) - before, falling);
    EXPECT_EQUAL(hal_gpio_events() >> PIN_IN & 1, falling);
    EXPECT_EQUAL(hal_gpio_events(), 0);
    EXPECT_EQUAL(hal_gpio_watch(PIN_IN, HAL_GPIO_EDGE_NONE), 0);
    (void)drive(PIN_IN, 2);
}

CONTRACT_TEST(rising_edges)
{
    if (inputs_work())
        expect_edges(HAL_GPIO_EDGE_RISING, 1, 0);
}

CONTRACT_TEST(falling_edges)
{
    if (inputs_work())
        expect_edges(HAL_GPIO_EDGE_FALLING, 0, 1);
}

CONTRACT_TEST(both_edges)
{
    if (inputs_work())
        expect_edges(HAL_GPIO_EDGE_BOTH, 1, 1);
}

CONTRACT_TEST(no_edges)
{
    if (inputs_work())
        expect_edges(HAL_GPIO_EDGE_NONE, 0, 0);
}

CONTRACT_TEST(watch_forgets_what_was_seen)
{
    if (!inputs_work() || !drive(PIN_IN, 0))
        return;
    EXPECT_EQUAL(hal_gpio_watch(PIN_IN, HAL_GPIO_EDGE_BOTH), 0);
    (void)drive(PIN_IN, 1);
    contract_pass(NS_PER_MS);
    EXPECT_EQUAL(hal_gpio_watch(PIN_IN, HAL_GPIO_EDGE_BOTH), 0);
    EXPECT_EQUAL(hal_gpio_events() >> PIN_IN & 1, 0);
    (void)drive(PIN_IN, 2);
    EXPECT_EQUAL(hal_gpio_watch(PIN_IN, HAL_GPIO_EDGE_NONE), 0);
}

const struct contract_test gpio_tests[] = {
    {"a pin keeps the function that it is given", functions_are_kept},
    {"a pin's function concerns no other pin", functions_concern_one_pin},
    {"pins that do not exist are refused", bad_pins_are_refused},
    {"functions and pulls that do not exist are refused, and change nothing",
     bad_values_are_refused},
    {"the console's pins are busy, and stay as they are", console_pins_are_busy},
    {"an output reads the level that it drives", outputs_read_what_they_drive},
    {"a level is remembered for when the pin becomes an output", levels_are_remembered},
    {"a pin's level concerns no other pin", writes_concern_one_pin},
    {"every pin of the header can be an output", every_pin_can_be_an_output},
    {"whoever watches a pin sees every change, in order", watchers_see_every_change},
    {"a pin that nothing drives follows its pull", pulls_decide_a_free_pin},
    {"every pull is accepted", pulls_are_accepted},
    {"an input reads the level that drives it", inputs_read_what_drives_them},
    {"rising edges alone interrupt when watched", rising_edges},
    {"falling edges alone interrupt when watched", falling_edges},
    {"both edges interrupt when watched", both_edges},
    {"no edge interrupts when none is watched", no_edges},
    {"hal_gpio_watch forgets the edges seen before", watch_forgets_what_was_seen},
    {NULL, NULL},
};
