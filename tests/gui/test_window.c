/* SPDX-License-Identifier: MIT */
/*
 * The window itself, on SDL's driver without a screen. Events are put into SDL's queue from the
 * poll function, as if a person had caused them.
 *
 * Criteria:
 *  1. Closing the window cuts the power and returns 0; poll and the screenshot close it with the
 * power left on and return 1.
 *  2. What is typed reaches the guest: characters, Ctrl, arrows, Enter, Backspace; Alt with a
 * button's key presses the button instead; F5 pauses, F9 shows the memory.
 *  3. The mouse presses buttons.
 *  4. Bad options and diagrams are refused with a sentence; a screen that is not there too.
 *  5. The host's signals are as they were, after and during.
 *  6. A size of options that an older program had is accepted.
 */
#include <SDL.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake_machine.h"
#include "gui_test.h"
#include "tayberry_gui.h"

static struct tb_machine machine;
static struct tayberry_gui_options options;
static char error[512];
static unsigned polls;
static void (*on_poll)(unsigned poll);
static unsigned last_poll;

static bool poll_machine(void *context)
{
    ck_assert_ptr_eq(context, &machine);
    polls++;
    machine.time += 1000000;
    if (on_poll)
        on_poll(polls);
    return polls >= last_poll;
}

static void setup(void)
{
    fake_init(&machine);
    polls = 0;
    last_poll = 8;
    on_poll = NULL;
    error[0] = '\0';
    options = (struct tayberry_gui_options){.size = sizeof(options),
                                            .hidden = true,
                                            .clock = TB_CLOCK_VIRTUAL,
                                            .poll = poll_machine,
                                            .context = &machine,
                                            .error = error,
                                            .error_size = sizeof(error)};
}

static void push_key(SDL_Keycode sym, Uint16 mod, bool down)
{
    SDL_Event event;

    memset(&event, 0, sizeof(event));
    event.type = down ? SDL_KEYDOWN : SDL_KEYUP;
    event.key.keysym.sym = sym;
    event.key.keysym.mod = mod;
    ck_assert_int_eq(SDL_PushEvent(&event), 1);
}

static void push_text(const char *text)
{
    SDL_Event event;

    memset(&event, 0, sizeof(event));
    event.type = SDL_TEXTINPUT;
    snprintf(event.text.text, sizeof(event.text.text), "%s", text);
    ck_assert_int_eq(SDL_PushEvent(&event), 1);
}

static void close_at_3(unsigned poll)
{
    SDL_Event event;

    memset(&event, 0, sizeof(event));
    event.type = SDL_QUIT;
    if (poll == 3)
        ck_assert_int_eq(SDL_PushEvent(&event), 1);
}

START_TEST(closing_cuts_the_power)
{
    on_poll = close_at_3;
    ck_assert_int_eq(tayberry_gui_run(&machine, &options), 0);
    ck_assert_uint_eq(polls, 3);
    ck_assert_uint_eq(machine.cuts, 1);
}
END_TEST

START_TEST(poll_closes_with_the_power_on)
{
    ck_assert_int_eq(tayberry_gui_run(&machine, &options), 1);
    ck_assert_uint_eq(polls, 8);
    ck_assert_uint_eq(machine.cuts, 0);
    ck_assert_int_eq(machine.state, TB_RUNNING);
}
END_TEST

START_TEST(the_screenshot_closes_when_asked)
{
    options.screenshot = "window.png";
    options.screenshot_time = 30000000;
    options.screenshot_closes = true;
    last_poll = 1000;
    ck_assert_int_eq(tayberry_gui_run(&machine, &options), 1);
    ck_assert_uint_lt(polls, 1000);
    ck_assert_int_eq(remove("window.png"), 0);
}
END_TEST

static void type_things(unsigned poll)
{
    if (poll != 2)
        return;
    push_text("l");
    push_text("s");
    push_key(SDLK_RETURN, 0, true);
    push_key(SDLK_c, KMOD_LCTRL, true);
    push_key(SDLK_UP, 0, true);
    push_key(SDLK_BACKSPACE, 0, true);
    push_key(SDLK_TAB, 0, true);
    push_text("\xc3\xa4");
    push_key(SDLK_BACKSLASH, KMOD_RCTRL, true);
    push_key(SDLK_F1, 0, true);
    push_key(SDLK_a, 0, true); /* alone: its text comes by itself */
}

START_TEST(what_is_typed_reaches_the_guest)
{
    static const char wanted[] = "ls\r\x03\x1b[A\x7f\t\xc3\xa4\x1c\x1bOP";

    on_poll = type_things;
    ck_assert_int_eq(tayberry_gui_run(&machine, &options), 1);
    ck_assert_uint_eq(machine.input_count, sizeof(wanted) - 1);
    ck_assert_mem_eq(machine.input, wanted, sizeof(wanted) - 1);
}
END_TEST

static void press_1(unsigned poll)
{
    if (poll == 2)
        push_key(SDLK_1, KMOD_LALT, true);
    if (poll == 5) {
        ck_assert_int_eq(machine.drives[machine.drive_count - 1].level, TB_LOW);
        push_key(SDLK_1, 0, false);
    }
}

START_TEST(alt_and_its_key_press_a_button)
{
    on_poll = press_1;
    ck_assert_int_eq(tayberry_gui_run(&machine, &options), 1);
    ck_assert_uint_eq(machine.input_count, 0);
    ck_assert_uint_eq(machine.drives[0].pin, 23);
    ck_assert_int_eq(machine.drives[machine.drive_count - 1].level, TB_FLOATING);
}
END_TEST

static void pause_at_2(unsigned poll)
{
    if (poll == 2)
        push_key(SDLK_F5, 0, true);
    if (poll == 4)
        push_key(SDLK_F6, 0, true);
    if (poll == 5)
        push_key(SDLK_F9, 0, true);
}

START_TEST(function_keys_are_the_tool_bars)
{
    on_poll = pause_at_2;
    ck_assert_int_eq(tayberry_gui_run(&machine, &options), 1);
    ck_assert_uint_eq(machine.steps, 1);
    ck_assert_uint_ge(machine.looks, 1);
    ck_assert_uint_eq(machine.input_count, 0);
}
END_TEST

static void click_everywhere(unsigned poll)
{
    SDL_Event event;

    if (poll < 2 || poll > 7)
        return;
    for (int y = 40; y < 760; y += 10) {
        memset(&event, 0, sizeof(event));
        event.type = SDL_MOUSEBUTTONDOWN;
        event.button.button = SDL_BUTTON_LEFT;
        event.button.x = 200 + 20 * (int)poll;
        event.button.y = y;
        ck_assert_int_eq(SDL_PushEvent(&event), 1);
        event.type = SDL_MOUSEBUTTONUP;
        ck_assert_int_eq(SDL_PushEvent(&event), 1);
    }
}

START_TEST(the_mouse_reaches_the_buttons)
{
    bool seen[TB_PINS] = {false};

    on_poll = click_everywhere;
    options.diagram = NULL;
    ck_assert_int_eq(tayberry_gui_run(&machine, &options), 1);
    for (size_t i = 0; i < machine.drive_count; i++)
        seen[machine.drives[i].pin] = true;
    ck_assert(seen[23] && seen[24]);
}
END_TEST

START_TEST(a_window_is_resized)
{
    options.width = 700;
    options.height = 900;
    ck_assert_int_eq(tayberry_gui_run(&machine, &options), 1);
}
END_TEST

static void refuse(int code, const char *says)
{
    error[0] = '\0';
    ck_assert_int_eq(tayberry_gui_run(&machine, &options), code);
    ck_assert_msg(strstr(error, says) != NULL, "%s", error);
    ck_assert_uint_eq(machine.cuts, 0);
    ck_assert_uint_eq(polls, 0);
}

START_TEST(bad_options_are_refused)
{
    ck_assert_int_eq(tayberry_gui_run(&machine, NULL), -EINVAL);
    options.scale = 3;
    refuse(-EINVAL, "scale must be 1 or 2");
    options.scale = 0;
    options.width = 100;
    refuse(-EINVAL, "size must be from");
    options.width = 0;
    options.speed = -1;
    refuse(-EINVAL, "speed");
    options.speed = NAN;
    refuse(-EINVAL, "speed");
    options.speed = 0;
    options.diagram = "/no/such/board.json";
    refuse(-ENOENT, "/no/such/board.json");
    options.diagram = NULL;
    options.screenshot = "/no/such/folder/x.png";
    last_poll = 1;
    ck_assert_int_eq(tayberry_gui_run(&machine, &options), -ENOENT);
    ck_assert_ptr_nonnull(strstr(error, "cannot be written"));
}
END_TEST

START_TEST(a_missing_screen_is_an_error)
{
    ck_assert_int_eq(setenv("SDL_VIDEODRIVER", "no-such-driver", 1), 0);
    options.hidden = false;
    refuse(-ENODEV, "no window can be opened");
    options.hidden = true;
    ck_assert_int_eq(tayberry_gui_run(&machine, &options), 1);
}
END_TEST

static void signals_are_open(unsigned poll)
{
    sigset_t now;

    (void)poll;
    ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, NULL, &now), 0);
    ck_assert_int_eq(sigismember(&now, SIGALRM), 0);
    ck_assert_int_eq(sigismember(&now, SIGUSR2), 1);
}

START_TEST(signals_are_as_they_were)
{
    sigset_t mask;
    struct sigaction before, after;

    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, &mask, NULL), 0);
    ck_assert_int_eq(sigaction(SIGINT, NULL, &before), 0);
    on_poll = signals_are_open;
    ck_assert_int_eq(tayberry_gui_run(&machine, &options), 1);
    signals_are_open(0);
    ck_assert_int_eq(sigaction(SIGINT, NULL, &after), 0);
    ck_assert(before.sa_handler == after.sa_handler);
}
END_TEST

START_TEST(an_older_programs_options_are_taken)
{
    options.size = offsetof(struct tayberry_gui_options, screenshot);
    options.screenshot = "never.png";
    ck_assert_int_eq(tayberry_gui_check_diagram("/no/such/board.json", error, sizeof(error)),
                     -ENOENT);
    ck_assert_uint_eq(tayberry_gui_version(), TAYBERRY_GUI_VERSION);
    options.size = 4;
    ck_assert_int_eq(tayberry_gui_run(&machine, &options), -EINVAL);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        closing_cuts_the_power,           poll_closes_with_the_power_on,
        the_screenshot_closes_when_asked, what_is_typed_reaches_the_guest,
        alt_and_its_key_press_a_button,   function_keys_are_the_tool_bars,
        the_mouse_reaches_the_buttons,    a_window_is_resized,
        bad_options_are_refused,          a_missing_screen_is_an_error,
        signals_are_as_they_were,         an_older_programs_options_are_taken,
    };

    return gui_test_run("window", tests, sizeof(tests) / sizeof(tests[0]), setup, NULL);
}
