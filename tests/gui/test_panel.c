/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. An LED's pixels are bright when its pin was high all the time, dim at a quarter, and dark
 * when it was low; its neighbours stay dark. The board's PWR and ACT LEDs follow the machine.
 *  2. A press with mouse or key drives the pin and shows the cap pressed; a release lets go.
 *  3. The terminal shows what the guest prints, what it printed before, and sends what is typed.
 *  4. Only areas that changed are drawn again.
 *  5. With the real clock the speed is the library's; with the virtual one a frame runs as much
 *     machine time as host time passed, times the speed, and gives up in time. A bounce is played
 * at its own moments.
 *  6. Pause and single-step work with both clocks; the tool bar's buttons do what their keys do.
 *  7. A screenshot is taken once: at its time, at its text, or at the end; a failure has a
 * sentence.
 *  8. The layout follows the window's size, down to the smallest, and at scale 2.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "draw/picture.h"
#include "gui_test.h"
#include "panel_test.h"

#define HIDDEN (1u << PANEL_CARD | 1u << PANEL_MEMORY | 1u << PANEL_TIMELINE)
#define ALL_AREAS (((1u << PANEL_AREAS) - 1) & ~HIDDEN)

static const char board_text[] =
    "{\"parts\":["
    "{\"id\":\"pi\",\"type\":\"board-raspberry-pi-3b\",\"left\":0,\"top\":150},"
    "{\"id\":\"a\",\"type\":\"wokwi-led\",\"left\":0,\"top\":0,\"attrs\":{\"color\":\"green\"}},"
    "{\"id\":\"b\",\"type\":\"wokwi-led\",\"left\":150,\"top\":0,\"attrs\":{\"color\":\"red\"}},"
    "{\"id\":\"k\",\"type\":\"wokwi-pushbutton\",\"left\":250,\"top\":0,"
    "\"attrs\":{\"key\":\"1\"}}],"
    "\"connections\":["
    "[\"pi:GPIO17\",\"a:A\"],[\"a:C\",\"pi:GND.1\"],[\"pi:GPIO27\",\"b:A\"],[\"b:C\",\"pi:GND.1\"],"
    "[\"k:1.l\",\"pi:GPIO23\"],[\"k:2.l\",\"pi:GND.3\"]]}";

static struct diagram *diagram;

static void write_board(void)
{
    FILE *file = fopen("board.json", "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(board_text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static void setup(void)
{
    struct diagram_error why;

    setup_panel();
    options.diagram = "board.json";
    options.width = 1000;
    options.height = 640;
    write_board();
    ck_assert_int_eq(diagram_read("board.json", &diagram, &why), 0);
}

static void teardown(void)
{
    teardown_panel();
    diagram_free(diagram);
    remove("board.json");
}

/* Lets 16 ms pass on both clocks, and draws. */
static unsigned frame(void)
{
    machine.time += machine.speed == 0 ? 0 : 16 * MS;
    host_now += 16 * MS;
    return panel_frame(panel);
}

static struct view view(void)
{
    return picture_fit(diagram, panel_area(panel, PANEL_PICTURE));
}

/* How bright the middle of an LED's lens is: the mean of red, green and blue, 0 .. 255. */
static double brightness(unsigned part)
{
    const struct canvas *canvas = panel_canvas(panel);
    struct view v = view();
    float cx = 20, cy = 21;
    double total = 0;

    diagram_map_point(&diagram->parts[part], &cx, &cy);
    for (int dy = -2; dy <= 2; dy++) {
        for (int dx = -2; dx <= 2; dx++) {
            int x = (int)(v.x + cx * v.scale) + dx, y = (int)(v.y + cy * v.scale) + dy;
            uint32_t pixel = canvas->pixels[y * canvas->width + x];
            total += (pixel & 0xff) + (pixel >> 8 & 0xff) + (pixel >> 16 & 0xff);
        }
    }
    return total / 75;
}

static void find_button(int *x, int *y)
{
    struct view v = view();
    float bx = 33.7f, by = 22.7f;

    diagram_map_point(&diagram->parts[3], &bx, &by);
    *x = (int)(v.x + bx * v.scale);
    *y = (int)(v.y + by * v.scale);
}

START_TEST(an_led_is_as_bright_as_its_pin_was_long_high)
{
    double dark, dim, half, bright;

    open_panel();
    fake_pulse(&machine, 17, 0, false);
    frame();
    dark = brightness(1);
    fake_pulse(&machine, 17, 4 * MS, false);
    frame();
    dim = brightness(1);
    fake_pulse(&machine, 17, 8 * MS, false);
    frame();
    half = brightness(1);
    fake_pulse(&machine, 17, 16 * MS, true);
    frame();
    bright = brightness(1);
    ck_assert_msg(dark < 60, "dark: %f", dark);
    ck_assert_msg(dim > dark + 40, "dark: %f dim: %f", dark, dim);
    ck_assert_msg(half > dim + 15, "dim: %f half: %f", dim, half);
    ck_assert_msg(bright > half + 15 && bright > 180, "half: %f bright: %f", half, bright);
    ck_assert_msg(brightness(2) < 60, "neighbour: %f", brightness(2));
}
END_TEST

START_TEST(the_boards_own_leds_follow_the_machine)
{
    uint32_t *before;
    size_t size;

    open_panel();
    frame();
    size = (size_t)panel_canvas(panel)->width * (size_t)panel_canvas(panel)->height * 4;
    before = malloc(size);
    memcpy(before, panel_canvas(panel)->pixels, size);
    machine.act = true;
    ck_assert_uint_eq(frame() & 1u << PANEL_PICTURE, 1u << PANEL_PICTURE);
    ck_assert_mem_ne(before, panel_canvas(panel)->pixels, size);
    machine.state = TB_POWERED_OFF;
    ck_assert_uint_eq(frame() & 1u << PANEL_PICTURE, 1u << PANEL_PICTURE);
    ck_assert_uint_eq(frame() & 1u << PANEL_PICTURE, 0);
    free(before);
}
END_TEST

START_TEST(the_mouse_presses_a_button)
{
    int x, y;

    open_panel();
    frame();
    find_button(&x, &y);
    panel_touch(panel, x, y, PANEL_DOWN);
    ck_assert_uint_eq(machine.drives[0].pin, 23);
    ck_assert_int_eq(machine.drives[0].level, TB_LOW);
    ck_assert(panel_busy(panel));
    ck_assert_uint_eq(frame() & 1u << PANEL_PICTURE, 1u << PANEL_PICTURE);
    ck_assert(!panel_busy(panel));
    ck_assert_int_eq(machine.drives[machine.drive_count - 1].level, TB_LOW);
    panel_touch(panel, x, y, PANEL_UP);
    frame();
    ck_assert_int_eq(machine.drives[machine.drive_count - 1].level, TB_FLOATING);
    panel_touch(panel, x - 60, y + 60, PANEL_DOWN);
    ck_assert(!panel_busy(panel));
}
END_TEST

START_TEST(a_key_presses_a_button)
{
    open_panel();
    ck_assert(!panel_key(panel, "2", true));
    ck_assert(panel_key(panel, "1", true));
    frame();
    ck_assert_int_eq(machine.drives[machine.drive_count - 1].level, TB_LOW);
    panel_release(panel);
    frame();
    ck_assert_int_eq(machine.drives[machine.drive_count - 1].level, TB_FLOATING);
}
END_TEST

static uint32_t symbol(unsigned column, unsigned row)
{
    return terminal_cell(panel_terminal(panel), column, row)->symbol;
}

START_TEST(the_terminal_shows_what_the_guest_prints)
{
    options.console = "early ";
    options.console_size = 6;
    open_panel();
    frame();
    fake_print(&machine, "late");
    ck_assert_uint_eq(frame() & 1u << PANEL_TERMINAL, 1u << PANEL_TERMINAL);
    ck_assert_uint_eq(symbol(0, 0), 'e');
    ck_assert_uint_eq(symbol(6, 0), 'l');
    ck_assert_uint_eq(machine.output_count, 0);
    ck_assert_uint_eq(frame() & 1u << PANEL_TERMINAL, 0);
    terminal_type(panel_terminal(panel), "ls\n", 3);
    ck_assert_mem_eq(machine.input, "ls\r", 3);
}
END_TEST

START_TEST(a_flood_of_output_is_taken_over_frames)
{
    open_panel();
    for (int i = 0; i < 2000; i++)
        fake_print(&machine, "0123456789abcdef0123456789\r\n");
    frame();
    ck_assert_uint_eq(machine.output_count, 0);
    ck_assert_uint_eq(symbol(9, 0), '9');
}
END_TEST

START_TEST(nothing_is_drawn_when_nothing_changes)
{
    open_panel();
    ck_assert_uint_eq(frame(), ALL_AREAS);
    ck_assert_uint_eq(frame() & ~(1u << PANEL_STATUS), 0);
}
END_TEST

START_TEST(the_real_clock_is_told_the_speed)
{
    options.speed = 1;
    open_panel();
    ck_assert_double_eq(machine.speed, 1);
    panel_command(panel, PANEL_SLOWER);
    ck_assert_double_eq(machine.speed, 0.5);
    for (int i = 0; i < 10; i++)
        panel_command(panel, PANEL_FASTER);
    ck_assert(isinf(machine.speed));
    panel_command(panel, PANEL_PAUSE);
    ck_assert_double_eq(machine.speed, 0);
    panel_command(panel, PANEL_PAUSE);
    ck_assert(isinf(machine.speed));
    ck_assert_uint_eq(machine.runs, 0);
}
END_TEST

/* Frames of 16 ms host time; the machine's time is the panel's business. */
static void virtual_frames(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        host_now += 16 * MS;
        panel_frame(panel);
    }
}

START_TEST(the_virtual_clock_is_paced)
{
    options.clock = TB_CLOCK_VIRTUAL;
    open_panel();
    virtual_frames(10);
    ck_assert_uint_eq(machine.time, 160 * MS);
    panel_command(panel, PANEL_SLOWER);
    virtual_frames(10);
    ck_assert_uint_eq(machine.time, 240 * MS);
    panel_command(panel, PANEL_PAUSE);
    virtual_frames(10);
    ck_assert_uint_eq(machine.time, 240 * MS);
    panel_command(panel, PANEL_STEP);
    ck_assert_uint_eq(machine.steps, 1);
    panel_command(panel, PANEL_PAUSE);
    virtual_frames(1);
    ck_assert_uint_eq(machine.time, 248 * MS + 1000);
}
END_TEST

START_TEST(a_slow_machine_does_not_hold_up_the_window)
{
    uint64_t before;

    options.clock = TB_CLOCK_VIRTUAL;
    options.speed = INFINITY;
    machine.host = &host_now;
    machine.cost = 5 * MS;
    open_panel();
    for (int i = 0; i < 5; i++) {
        before = host_now;
        panel_frame(panel);
        ck_assert_uint_le(host_now - before, 20 * MS);
    }
    ck_assert_uint_gt(machine.time, 0);
}
END_TEST

START_TEST(a_bounce_is_played_at_its_moments)
{
    options.clock = TB_CLOCK_VIRTUAL;
    open_panel();
    virtual_frames(1);
    panel_key(panel, "1", true);
    virtual_frames(1);
    ck_assert_uint_ge(machine.drive_count, 3);
    for (size_t i = 1; i < machine.drive_count; i++)
        ck_assert_uint_gt(machine.drives[i].time, machine.drives[i - 1].time);
}
END_TEST

START_TEST(a_step_pauses_first)
{
    open_panel();
    panel_command(panel, PANEL_STEP);
    ck_assert_double_eq(machine.speed, 0);
    ck_assert_uint_eq(machine.steps, 1);
    machine.state = TB_PANICKED;
    panel_command(panel, PANEL_STEP);
    ck_assert_uint_eq(machine.steps, 1);
}
END_TEST

START_TEST(the_tool_bars_buttons_work)
{
    open_panel();
    panel_touch(panel, 40, 18, PANEL_DOWN);
    ck_assert_double_eq(machine.speed, 0);
    ck_assert_uint_eq(frame() & 1u << PANEL_TOOLS, 1u << PANEL_TOOLS);
    panel_touch(panel, 40, 18, PANEL_UP);
    ck_assert_uint_eq(frame() & 1u << PANEL_TOOLS, 1u << PANEL_TOOLS);
    panel_touch(panel, 140, 18, PANEL_DOWN);
    ck_assert_uint_eq(machine.steps, 1);
}
END_TEST

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

START_TEST(a_screenshot_is_taken_at_its_time)
{
    options.screenshot = "time.png";
    options.screenshot_time = 40 * MS;
    options.screenshot_closes = true;
    options.clock = TB_CLOCK_VIRTUAL;
    options.hidden = true;
    open_panel();
    for (int i = 0; i < 10 && !panel_done(panel); i++) {
        ck_assert(!exists("time.png"));
        panel_frame(panel);
    }
    ck_assert(panel_done(panel));
    ck_assert_uint_eq(machine.time, 40 * MS);
    ck_assert_int_eq(remove("time.png"), 0);
    ck_assert_int_eq(panel_finish_screenshot(panel), 0);
    ck_assert(!exists("time.png"));
}
END_TEST

START_TEST(a_screenshot_is_taken_at_its_text)
{
    options.screenshot = "text.png";
    options.screenshot_text = "aab> ";
    options.console = "aa";
    options.console_size = 2;
    open_panel();
    fake_print(&machine, "aaa");
    frame();
    ck_assert(!exists("text.png"));
    fake_print(&machine, "b>");
    frame();
    ck_assert(!exists("text.png"));
    fake_print(&machine, " ");
    frame();
    ck_assert(!panel_done(panel));
    ck_assert_int_eq(remove("text.png"), 0);
}
END_TEST

START_TEST(a_screenshot_is_taken_at_the_end_if_not_before)
{
    options.screenshot = "end.png";
    open_panel();
    frame();
    ck_assert(!exists("end.png"));
    ck_assert_int_eq(panel_finish_screenshot(panel), 0);
    ck_assert_int_eq(remove("end.png"), 0);
}
END_TEST

START_TEST(a_screenshot_that_fails_has_a_sentence)
{
    options.screenshot = "/no/such/folder/x.png";
    open_panel();
    frame();
    ck_assert_int_eq(panel_finish_screenshot(panel), -ENOENT);
    ck_assert_str_eq(panel_error, "/no/such/folder/x.png: the picture cannot be written: "
                                  "No such file or directory");
}
END_TEST

START_TEST(a_bad_diagram_makes_no_panel)
{
    options.diagram = "/no/such/board.json";
    ck_assert_int_eq(panel_create(&machine, &options, host_clock, &panel), -ENOENT);
    ck_assert_ptr_null(panel);
    ck_assert_str_eq(panel_error, "/no/such/board.json: No such file or directory");
}
END_TEST

START_TEST(the_layout_follows_the_size)
{
    static const int sizes[][2] = {{1280, 800}, {800, 1200}, {320, 240}, {3000, 700}, {1, 1}};

    open_panel();
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        ck_assert_int_eq(panel_resize(panel, sizes[i][0], sizes[i][1]), 0);
        ck_assert_uint_eq(frame(), ALL_AREAS);
        ck_assert_int_eq(panel_canvas(panel)->width, sizes[i][0]);
        ck_assert_uint_eq(machine.columns, terminal_columns(panel_terminal(panel)));
        ck_assert_uint_eq(machine.rows, terminal_rows(panel_terminal(panel)));
    }
    ck_assert_int_eq(panel_resize(panel, 1280, 800), 0);
    ck_assert_uint_eq(terminal_columns(panel_terminal(panel)), 80);
    ck_assert_int_eq(panel_area(panel, PANEL_PICTURE).y, panel_area(panel, PANEL_TERMINAL).y);
    ck_assert_int_eq(panel_resize(panel, 800, 1200), 0);
    ck_assert_int_eq(panel_area(panel, PANEL_PICTURE).x, panel_area(panel, PANEL_TERMINAL).x);
}
END_TEST

START_TEST(scale_2_is_twice_as_large)
{
    options.scale = 2;
    options.width = 2560;
    options.height = 1600;
    open_panel();
    ck_assert_uint_eq(frame(), ALL_AREAS);
    ck_assert_uint_eq(terminal_columns(panel_terminal(panel)), 80);
    ck_assert_int_eq(panel_area(panel, PANEL_TOOLS).height, 72);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        an_led_is_as_bright_as_its_pin_was_long_high,
        the_boards_own_leds_follow_the_machine,
        the_mouse_presses_a_button,
        a_key_presses_a_button,
        the_terminal_shows_what_the_guest_prints,
        a_flood_of_output_is_taken_over_frames,
        nothing_is_drawn_when_nothing_changes,
        the_real_clock_is_told_the_speed,
        the_virtual_clock_is_paced,
        a_slow_machine_does_not_hold_up_the_window,
        a_bounce_is_played_at_its_moments,
        a_step_pauses_first,
        the_tool_bars_buttons_work,
        a_screenshot_is_taken_at_its_time,
        a_screenshot_is_taken_at_its_text,
        a_screenshot_is_taken_at_the_end_if_not_before,
        a_screenshot_that_fails_has_a_sentence,
        a_bad_diagram_makes_no_panel,
        the_layout_follows_the_size,
        scale_2_is_twice_as_large,
    };

    return gui_test_run("panel", tests, sizeof(tests) / sizeof(tests[0]), setup, teardown);
}
