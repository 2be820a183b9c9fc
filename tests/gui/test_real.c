/* SPDX-License-Identifier: MIT */
/*
 * The window's content on the real library: the whole OS on the virtual clock, no screen.
 *
 * Criteria:
 *  1. A blink that the shell starts is seen: the LED's pixels change as often as the pin, and are
 *     bright for half of the frames; the picture of the whole window shows it in a PNG file.
 *  2. A blink that is faster than frames looks dimmed, and steady.
 *  3. A push button that is pressed in the window is what the guest reads.
 *  4. The terminal's input reaches the shell, and its output the cells.
 *  5. A reboot by the guest goes on in the same window, with what is pressed still pressed.
 *  6. RAM is shown as the library tells it, and threads that begin and end change the picture.
 *  7. The same seed and the same presses print the same, contacts' bounce included.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "draw/picture.h"
#include "gui_test.h"
#include "panel.h"

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)
#define FRAMES 60 /* a second */

static struct tb_machine *machine;
static struct tayberry_gui_options options;
static struct panel *panel;
static struct diagram *diagram;
static char error[512];

/* A board with an LED at GPIO17, another at GPIO27 and a button at GPIO23. */
static const char board_text[] =
    "{\"parts\":[{\"id\":\"pi\",\"type\":\"board-raspberry-pi-3b\",\"left\":0,\"top\":150},"
    "{\"id\":\"a\",\"type\":\"wokwi-led\",\"left\":0,\"top\":0,\"attrs\":{\"color\":\"green\"}},"
    "{\"id\":\"b\",\"type\":\"wokwi-led\",\"left\":150,\"top\":0},"
    "{\"id\":\"k\",\"type\":\"wokwi-pushbutton\",\"left\":250,\"attrs\":{\"key\":\"1\"}}],"
    "\"connections\":[[\"pi:GPIO17\",\"a:A\"],[\"a:C\",\"pi:GND.1\"],[\"pi:GPIO27\",\"b:A\"],"
    "[\"b:C\",\"pi:GND.1\"],[\"k:1.l\",\"pi:GPIO23\"],[\"k:2.l\",\"pi:GND.3\"]]}";

static uint64_t host_now;

static uint64_t host(void)
{
    return host_now;
}

static void boot(void)
{
    struct tb_config config = {.size = sizeof(config), .clock = TB_CLOCK_VIRTUAL, .seed = 5};

    ck_assert_msg(tb_open(&config, &machine) == 0, "%s", tb_error(NULL));
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_int_eq(tb_uart_expect(machine, "> ", 60 * SECOND), TB_MATCH);
    options = (struct tayberry_gui_options){.size = sizeof(options),
                                            .diagram = "real-board.json",
                                            .clock = TB_CLOCK_VIRTUAL,
                                            .hidden = true,
                                            .seed = 5,
                                            .width = 1000,
                                            .height = 640,
                                            .scale = 1,
                                            .error = error,
                                            .error_size = sizeof(error)};
    ck_assert_msg(panel_create(machine, &options, host, &panel) == 0, "%s", error);
}

static void setup(void)
{
    struct diagram_error why = {""};
    FILE *file = fopen("real-board.json", "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(board_text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_msg(diagram_read("real-board.json", &diagram, &why) == 0, "%s", why.text);
    boot();
}

static void teardown(void)
{
    panel_destroy(panel);
    tb_close(machine);
    diagram_free(diagram);
    remove("real-board.json");
}

static void run_frames(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        panel_frame(panel);
}

static void type_line(const char *line)
{
    terminal_type(panel_terminal(panel), line, strlen(line));
    terminal_type(panel_terminal(panel), "\n", 1);
    run_frames(6);
}

/* The pixel in the middle of an LED's lens. */
static void find_led(unsigned part, int *x, int *y)
{
    struct view view = picture_fit(diagram, panel_area(panel, PANEL_PICTURE));
    float cx = 20, cy = 21;

    diagram_map_point(&diagram->parts[part], &cx, &cy);
    *x = (int)(view.x + cx * view.scale);
    *y = (int)(view.y + cy * view.scale);
}

static unsigned brightness(unsigned part)
{
    const struct canvas *canvas = panel_canvas(panel);
    uint32_t pixel;
    int x, y;

    find_led(part, &x, &y);
    pixel = canvas->pixels[y * canvas->width + x];
    return ((pixel & 0xff) + (pixel >> 8 & 0xff) + (pixel >> 16 & 0xff)) / 3;
}

/* All of the terminal's text, a line a row. */
static const char *screen_text(void)
{
    static char text[65536];
    const struct terminal *terminal = panel_terminal(panel);
    size_t n = 0;

    for (unsigned row = 0; row < terminal_rows(terminal); row++) {
        for (unsigned column = 0; column < terminal_columns(terminal); column++) {
            uint32_t symbol = terminal_cell(terminal, column, row)->symbol;
            text[n++] = symbol ? (char)symbol : ' ';
        }
        text[n++] = '\n';
    }
    text[n] = '\0';
    return text;
}

START_TEST(a_blink_is_seen)
{
    unsigned lit = 0, turns = 0;
    bool last = false;

    type_line("blink GPIO17 250ms &");
    for (unsigned i = 0; i < 4 * FRAMES; i++) {
        unsigned level = brightness(1);
        bool on = level > 120;

        lit += on;
        turns += i > 0 && on != last;
        last = on;
        panel_frame(panel);
        ck_assert_uint_lt(brightness(2), 80);
    }
    ck_assert_uint_ge(turns, 15);
    ck_assert_uint_le(turns, 17);
    ck_assert_uint_ge(lit, 110);
    ck_assert_uint_le(lit, 135);
}
END_TEST

/* The LED's pixel in a PNG file. */
static unsigned brightness_in_file(const char *path)
{
    png_image image;
    unsigned char *rgb;
    unsigned level;
    int x, y;

    memset(&image, 0, sizeof(image));
    image.version = PNG_IMAGE_VERSION;
    ck_assert_msg(png_image_begin_read_from_file(&image, path), "%s", image.message);
    image.format = PNG_FORMAT_RGB;
    rgb = malloc(PNG_IMAGE_SIZE(image));
    ck_assert(png_image_finish_read(&image, NULL, rgb, 0, NULL));
    find_led(1, &x, &y);
    rgb += ((size_t)y * image.width + (size_t)x) * 3;
    level = (rgb[0] + rgb[1] + rgb[2]) / 3u;
    free(rgb - ((size_t)y * image.width + (size_t)x) * 3);
    return level;
}

/* A window on the machine, hidden, that writes its picture at once. */
static unsigned take_picture(void)
{
    struct tayberry_gui_options picture = options;

    picture.screenshot = "blink.png";
    picture.screenshot_time = tb_time(machine) + 1;
    picture.screenshot_closes = true;
    ck_assert_msg(tayberry_gui_run(machine, &picture) == 1, "%s", error);
    return brightness_in_file("blink.png");
}

START_TEST(a_blink_is_seen_in_pictures_of_the_window)
{
    unsigned bright = 0, dark = 0;

    type_line("blink GPIO17 250ms &");
    for (unsigned i = 0; i < 8; i++) {
        unsigned level = take_picture();

        bright += level > 180;
        dark += level < 60;
        (void)tb_run_for(machine, 250 * MS);
    }
    ck_assert_uint_eq(bright, 4);
    ck_assert_uint_eq(dark, 4);
    ck_assert_int_eq(remove("blink.png"), 0);
}
END_TEST

START_TEST(a_fast_blink_looks_dimmed_and_steady)
{
    unsigned least = 255, most = 0, dark, full;

    dark = brightness(1);
    type_line("gpio GPIO17 out");
    type_line("gpio GPIO17 high");
    full = brightness(1);
    type_line("blink GPIO17 1ms &");
    for (unsigned i = 0; i < FRAMES; i++) {
        unsigned level;

        panel_frame(panel);
        level = brightness(1);
        least = level < least ? level : least;
        most = level > most ? level : most;
    }
    ck_assert_msg(least > dark + 40 && most + 20 < full, "%u < %u .. %u < %u", dark, least, most,
                  full);
    ck_assert_uint_le(most - least, 25);
}
END_TEST

START_TEST(a_button_in_the_window_is_what_the_guest_reads)
{
    const char *text;

    type_line("gpio GPIO23 in");
    type_line("gpio GPIO23 pull-up");
    type_line("gpio GPIO23 read");
    ck_assert(panel_key(panel, "1", true));
    run_frames(2);
    type_line("gpio GPIO23 read");
    ck_assert(panel_key(panel, "1", false));
    run_frames(2);
    type_line("gpio GPIO23 read");
    text = screen_text();
    for (unsigned i = 0; i < 3; i++) {
        text = strstr(text, "gpio GPIO23 read");
        ck_assert_ptr_nonnull(text);
        text = strchr(text, '\n') + 1;
        ck_assert_msg(*text == "101"[i], "read %u: %.1s", i, text);
    }
}
END_TEST

START_TEST(the_same_presses_print_the_same)
{
    uint64_t hash[2], edges[2];

    for (unsigned run = 0; run < 2; run++) {
        struct tb_pin_info info;

        if (run > 0) {
            panel_destroy(panel);
            tb_close(machine);
            boot();
        }
        type_line("gpio GPIO23 in");
        type_line("gpio GPIO23 pull-up");
        for (unsigned i = 0; i < 6; i++) {
            panel_key(panel, "1", i % 2 == 0);
            run_frames(10);
        }
        type_line("uptime");
        ck_assert_int_eq(tb_pin_info(machine, 23, &info), 0);
        edges[run] = info.changes;
        hash[run] = tb_trace_hash(machine);
    }
    ck_assert_uint_eq(edges[0], edges[1]);
    ck_assert_uint_ge(edges[0], 18);
    ck_assert_uint_eq(hash[0], hash[1]);
}
END_TEST

/* Compares all squares whose frames are of one kind with it; returns how many are of `kind`. */
static unsigned check_squares(uint8_t kind)
{
    static uint8_t frames[16384];
    const struct canvas *canvas = panel_canvas(panel);
    unsigned found = 0;

    ck_assert_uint_eq(tb_memory_frames(machine, 0, frames, sizeof(frames)), sizeof(frames));
    for (size_t i = 0, end; i < sizeof(frames); i = end) {
        struct rect square, next;
        bool pure = true;

        ck_assert(memory_view_find(panel_memory(panel), i, &square));
        for (end = i + 1; end < sizeof(frames); end++) {
            ck_assert(memory_view_find(panel_memory(panel), end, &next));
            if (next.x != square.x || next.y != square.y)
                break;
            pure &= frames[end] == frames[i];
        }
        if (!pure)
            continue;
        ck_assert_uint_eq(canvas->pixels[(square.y + 1) * canvas->width + square.x + 1],
                          memory_view_colour(frames[i]));
        found += frames[i] == kind;
    }
    return found;
}

static uint8_t find_tag(const char *name)
{
    unsigned tag = 0;

    while (strcmp(tb_memory_tag(machine, tag), name) != 0)
        tag++;
    return (uint8_t)(TB_FRAME_TAGS + tag);
}

START_TEST(ram_is_shown_as_it_is)
{
    unsigned before, meanwhile;
    uint8_t thread = find_tag("thread/stack");

    panel_command(panel, PANEL_SHOW_MEMORY);
    run_frames(1);
    before = check_squares(thread);
    ck_assert_uint_ge(before, 1);
    type_line("spawn 64 1s"); /* more than the kernel keeps stacks of, when they have ended */
    host_now += SECOND;
    run_frames(1);
    meanwhile = check_squares(thread);
    ck_assert_uint_ge(meanwhile,
                      before + 64 * 2); /* 16 frames each, some at the edges of squares */
    run_frames(2 * FRAMES);
    host_now += SECOND;
    run_frames(1);
    ck_assert_uint_lt(check_squares(thread), meanwhile);
}
END_TEST

START_TEST(a_reboot_is_survived)
{
    struct tb_pin_info info;

    type_line("gpio GPIO23 in");
    ck_assert(panel_key(panel, "1", true));
    run_frames(2);
    type_line("echo before");
    type_line("reboot");
    run_frames(60);
    type_line("echo after");
    ck_assert_ptr_nonnull(strstr(screen_text(), "\nbefore"));
    ck_assert_ptr_nonnull(strstr(screen_text(), "\nafter"));
    ck_assert_int_eq(tb_state(machine), TB_RUNNING);
    ck_assert_int_eq(tb_pin_info(machine, 23, &info), 0);
    ck_assert(info.driven);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        a_blink_is_seen,
        a_blink_is_seen_in_pictures_of_the_window,
        a_fast_blink_looks_dimmed_and_steady,
        a_button_in_the_window_is_what_the_guest_reads,
        ram_is_shown_as_it_is,
        the_same_presses_print_the_same,
        a_reboot_is_survived,
    };

    return gui_test_run("real", tests, sizeof(tests) / sizeof(tests[0]), setup, teardown);
}
