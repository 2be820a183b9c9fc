/* SPDX-License-Identifier: MIT */
/*
 * pins.c: gpio, led, blink.
 */
#include "dev/gpio.h"
#include "dev/pins.h"
#include "lib/string.h"
#include "shell/commands/command.h"
#include "thread/thread.h"
#include "tty/tty.h"

#include <hal/board.h>
#include <hal/errno.h>
#include <hal/time.h>

#define LED_PERIOD_NS 500000000u
#define COUNT_FOREVER UINT64_MAX

/* ---- what is shared ---- */

static bool pin_read_name(const char *name, unsigned *pin)
{
    char why[128];

    if (pins_parse(name, pin) == 0)
        return true;
    pins_explain(name, why, sizeof(why));
    command_error("%s", why);
    return false;
}

/* Claims the pin for `user`; says who has it if somebody else does. */
static bool pin_claim(unsigned pin, const char *user)
{
    char owner[GPIO_USER_MAX + 1];

    if (gpio_claim(pin, user) == 0)
        return true;
    if (gpio_user(pin, owner))
        command_error("GPIO%u (J8:%u) is in use by %s", pin, pins_header(pin), owner);
    else
        command_error("GPIO%u (J8:%u) was in use a moment ago; try again", pin, pins_header(pin));
    return false;
}

static void pin_error(unsigned pin, int error)
{
    command_error("GPIO%u: %s", pin, command_error_text(error));
}

/* ---- gpio ---- */

static void gpio_print_pin(unsigned pin)
{
    static const char *const pulls[] = {"none", "down", "up"};
    char user[GPIO_USER_MAX + 1];
    int pull = gpio_pull(pin), level = hal_gpio_read(pin);

    (void)gpio_user(pin, user);
    tty_print("GPIO%-3u J8:%-3u %-8s %-8s %d%s%s\n", pin, pins_header(pin),
              gpio_function_name(hal_gpio_get_function(pin)), pull < 0 ? "default" : pulls[pull],
              level, user[0] != '\0' ? "      " : "", user);
}

static int gpio_watch_pin(unsigned pin)
{
    int level = hal_gpio_read(pin);
    uint64_t start = hal_time_now();

    tty_print("%d\n", level);
    while (level >= 0) {
        int next = gpio_wait_change(pin, level == 1, HAL_TIME_NEVER);

        if (next == -EINTR)
            return 0;
        if (next >= 0 && next != level) {
            uint64_t us = (hal_time_now() - start) / 1000;

            tty_print("%d after %llu.%06llu s\n", next, (unsigned long long)us / 1000000,
                      (unsigned long long)us % 1000000);
        }
        level = next;
    }
    return level;
}

static int gpio_print_level(unsigned pin)
{
    int level = hal_gpio_read(pin);

    if (level >= 0)
        tty_print("%d\n", level);
    return level < 0 ? level : 0;
}

static int gpio_input(unsigned pin)
{
    return hal_gpio_set_function(pin, HAL_GPIO_INPUT);
}

static int gpio_output(unsigned pin)
{
    return hal_gpio_set_function(pin, HAL_GPIO_OUTPUT);
}

static int gpio_high(unsigned pin)
{
    return hal_gpio_write(pin, true);
}

static int gpio_low(unsigned pin)
{
    return hal_gpio_write(pin, false);
}

static int gpio_toggle(unsigned pin)
{
    int level = hal_gpio_read(pin);

    return level < 0 ? level : hal_gpio_write(pin, level == 0);
}

static int gpio_pull_up(unsigned pin)
{
    return gpio_set_pull(pin, HAL_GPIO_PULL_UP);
}

static int gpio_pull_down(unsigned pin)
{
    return gpio_set_pull(pin, HAL_GPIO_PULL_DOWN);
}

static int gpio_pull_none(unsigned pin)
{
    return gpio_set_pull(pin, HAL_GPIO_PULL_NONE);
}

static const struct gpio_action {
    const char *name;
    int (*run)(unsigned pin);
    bool changes; /* the pin must be claimed */
    bool drives;  /* means little unless the pin is an output */
} gpio_actions[] = {
    {"in", gpio_input, true, false},         {"out", gpio_output, true, false},
    {"high", gpio_high, true, true},         {"low", gpio_low, true, true},
    {"toggle", gpio_toggle, true, true},     {"pull-up", gpio_pull_up, true, false},
    {"up", gpio_pull_up, true, false},       {"pull-down", gpio_pull_down, true, false},
    {"down", gpio_pull_down, true, false},   {"pull-none", gpio_pull_none, true, false},
    {"none", gpio_pull_none, true, false},   {"read", gpio_print_level, false, false},
    {"watch", gpio_watch_pin, false, false},
};

static const struct gpio_action *gpio_find_action(const char *name)
{
    for (size_t i = 0; i < sizeof(gpio_actions) / sizeof(gpio_actions[0]); i++) {
        if (string_equal(gpio_actions[i].name, name))
            return &gpio_actions[i];
    }
    return NULL;
}

/* Looks at all actions before any is done. Returns false, with an error printed, if one is wrong.
 */
static bool gpio_check_actions(const struct job *job, bool *changes, bool *drives)
{
    *changes = false;
    *drives = false;
    for (unsigned i = 2; i < job->args.count; i++) {
        const struct gpio_action *action = gpio_find_action(job->args.words[i]);

        if (action == NULL) {
            command_usage(job, "%s is nothing that a pin can do (see: help gpio)",
                          job->args.words[i]);
            return false;
        }
        *changes = *changes || action->changes;
        *drives = *drives || action->drives;
    }
    return true;
}

static void gpio_run_actions(const struct job *job, unsigned pin)
{
    int error = job->args.count == 2 ? gpio_print_level(pin) : 0;

    for (unsigned i = 2; i < job->args.count && error == 0; i++)
        error = gpio_find_action(job->args.words[i])->run(pin);
    if (error != 0)
        pin_error(pin, error);
}

static void gpio_one_pin(const struct job *job)
{
    bool changes, drives;
    unsigned pin;

    if (!pin_read_name(job->args.words[1], &pin) || !gpio_check_actions(job, &changes, &drives))
        return;
    if (changes && !pin_claim(pin, "gpio"))
        return;
    gpio_run_actions(job, pin);
    if (changes)
        gpio_release(pin);
    if (drives && hal_gpio_get_function(pin) != HAL_GPIO_OUTPUT)
        tty_print("note: GPIO%u is no output, so the level shows only after: gpio GPIO%u out\n",
                  pin, pin);
}

void command_gpio(struct job *job)
{
    if (job->args.count > 1) {
        gpio_one_pin(job);
        return;
    }
    tty_print("PIN     HEADER FUNCTION PULL     LEVEL  IN USE BY\n");
    for (unsigned pin = 0; pin < HAL_GPIO_PINS; pin++)
        gpio_print_pin(pin);
}

/* ---- blink and led ---- */

/* Calls set(pin, on) with on, off, on, off ... at multiples of `period` from now on. */
static int blink_loop(void (*set)(unsigned pin, bool on), unsigned pin, uint64_t period,
                      uint64_t count)
{
    uint64_t deadline = hal_time_now();

    for (uint64_t i = 0; i < count; i++) {
        for (int on = 1; on >= 0; on--) {
            set(pin, on == 1);
            deadline += period;
            if (thread_sleep_until(deadline) == -EINTR)
                return -EINTR;
        }
    }
    return 0;
}

static void blink_set_pin(unsigned pin, bool on)
{
    /* The pin was checked: a write to it cannot fail. */
    if (hal_gpio_write(pin, on) != 0)
        return;
}

static void blink_set_led(unsigned pin, bool on)
{
    (void)pin;
    hal_board_led(on);
}

/* Reads TIME and COUNT from word `first` on. */
static bool blink_read_times(const struct job *job, unsigned first, uint64_t *period,
                             uint64_t *count)
{
    if (job->args.count > first && !command_duration(job, job->args.words[first], period))
        return false;
    if (job->args.count > first + 1 &&
        !command_number(job, job->args.words[first + 1], UINT64_MAX, count))
        return false;
    if (*period < 1000 || *period > UINT64_C(86400000000000)) {
        command_usage(job, "the time must be from 1us to 24 hours");
        return false;
    }
    return true;
}

static void blink_pin(unsigned pin, uint64_t period, uint64_t count)
{
    int error = hal_gpio_write(pin, false);

    if (error == 0)
        error = hal_gpio_set_function(pin, HAL_GPIO_OUTPUT);
    if (error != 0) {
        pin_error(pin, error);
        return;
    }
    if (blink_loop(blink_set_pin, pin, period, count) == -EINTR)
        blink_set_pin(pin, false);
}

void command_blink(struct job *job)
{
    uint64_t period = 0, count = COUNT_FOREVER;
    unsigned pin;

    if (job->args.count < 3 || job->args.count > 4) {
        command_usage(job, "blink needs a pin and a time");
        return;
    }
    if (!pin_read_name(job->args.words[1], &pin) || !blink_read_times(job, 2, &period, &count) ||
        !pin_claim(pin, "blink"))
        return;
    blink_pin(pin, period, count);
    gpio_release(pin);
}

void command_led(struct job *job)
{
    const char *what = job->args.count > 1 ? job->args.words[1] : "";
    uint64_t period = LED_PERIOD_NS, count = COUNT_FOREVER;

    if (job->args.count == 2 && (string_equal(what, "on") || string_equal(what, "off"))) {
        hal_board_led(string_equal(what, "on"));
    } else if (job->args.count <= 4 && string_equal(what, "blink")) {
        if (blink_read_times(job, 2, &period, &count) &&
            blink_loop(blink_set_led, 0, period, count) == -EINTR)
            hal_board_led(false);
    } else {
        command_usage(job, "say on, off or blink");
    }
}
