/* SPDX-License-Identifier: MIT */
/*
 * The picture of RAM in the window.
 *
 * Criteria:
 *  1. A square has the colour of who has its frames; one with free frames is in between, and one
 *     with several owners shows the largest.
 *  2. The legend has each kind that was seen, in its colour, and none that was not.
 *  3. Only what changed is painted again; nothing when nothing did.
 *  4. Under the mouse a square is marked, and the status line says frames, address and owners.
 *  5. The machine is looked at four times a second, less often when that takes long.
 *  6. 2 MiB and 960 MiB fit, also at scale 2 and into the smallest window.
 *  7. It is shown by its command and by the options, and takes room from the terminal only.
 *  8. Without power it says so, and with power again it shows what is there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gui_test.h"
#include "panel_test.h"

#define HEAP (TB_FRAME_TAGS + 1)
#define THREAD (TB_FRAME_TAGS + 2)
#define FAT32 (TB_FRAME_TAGS + 3)
#define MEMORY (1u << PANEL_MEMORY)

static void setup(void)
{
    setup_panel();
    machine.host = &host_now;
    options.memory = true;
}

/* A frame after the machine was left alone so long that it is looked at again. */
static unsigned late_frame(void)
{
    host_now += 300 * MS;
    return panel_frame(panel);
}

/* 2 MiB, a frame a square: 128 reserved, a frame of tables, never used from 300 on. */
static void fill_small(void)
{
    fake_frames(&machine, 0, 128, TB_FRAME_NONE);
    fake_frames(&machine, 128, 1, TB_FRAME_KERNEL);
    fake_frames(&machine, 129, 71, HEAP);
    fake_frames(&machine, 200, 100, TB_FRAME_FREE);
    fake_frames(&machine, 300, 212, TB_FRAME_UNTOUCHED);
}

static struct rect find_square(uint64_t frame)
{
    struct rect square;

    ck_assert(memory_view_find(panel_memory(panel), frame, &square));
    return square;
}

static uint32_t colour_of(uint64_t frame)
{
    struct rect square = find_square(frame);

    return pixel(square.x + square.width / 2, square.y + square.height / 2);
}

/* What lies below the squares. */
static struct rect legend(void)
{
    struct rect area = panel_area(panel, PANEL_MEMORY);
    int top = find_square(511).y + find_square(511).height + 1;

    return (struct rect){area.x, top, area.width, area.y + area.height - top};
}

START_TEST(a_square_has_its_owners_colour)
{
    fill_small();
    open_panel();
    ck_assert_uint_eq(late_frame() & MEMORY, MEMORY);
    ck_assert_uint_eq(colour_of(0), memory_view_colour(TB_FRAME_NONE));
    ck_assert_uint_eq(colour_of(128), memory_view_colour(TB_FRAME_KERNEL));
    ck_assert_uint_eq(colour_of(129), memory_view_colour(HEAP));
    ck_assert_uint_eq(colour_of(199), memory_view_colour(HEAP));
    ck_assert_uint_eq(colour_of(200), memory_view_colour(TB_FRAME_FREE));
    ck_assert_uint_eq(colour_of(511), memory_view_colour(TB_FRAME_UNTOUCHED));
    ck_assert_uint_ne(find_square(0).x, find_square(1).x);
    fake_frames(&machine, 510, 1, THREAD);
    ck_assert_uint_eq(late_frame() & MEMORY, MEMORY);
    ck_assert_uint_eq(colour_of(510), memory_view_colour(THREAD));
}
END_TEST

START_TEST(kinds_have_colours_of_their_own)
{
    for (unsigned a = 0; a < TB_FRAME_TAGS + 64; a++) {
        for (unsigned b = 0; b < a; b++) {
            bool real = (a <= TB_FRAME_FREE || a >= TB_FRAME_TAGS) &&
                        (b <= TB_FRAME_FREE || b >= TB_FRAME_TAGS);
            ck_assert_msg(!real || memory_view_colour(a) != memory_view_colour(b), "%u %u", a, b);
        }
    }
}
END_TEST

/* 256 MiB: many frames a square; the squares' size in frames follows from the pixels. */
START_TEST(a_mixed_square_is_in_between)
{
    uint64_t group = 1;
    struct rect first;
    uint32_t few, many;

    fake_frames(&machine, 0, 65536, TB_FRAME_FREE);
    open_panel();
    late_frame();
    first = find_square(0);
    while (find_square(group).x == first.x && find_square(group).y == first.y)
        group++;
    ck_assert_uint_ge(group, 8);
    ck_assert_uint_eq(group & (group - 1), 0);
    fake_frames(&machine, 0, 1, HEAP);
    fake_frames(&machine, group, group - 1, HEAP);
    fake_frames(&machine, 2 * group, group, HEAP);
    fake_frames(&machine, 3 * group, group / 2 + 1, THREAD);
    fake_frames(&machine, 3 * group + group / 2 + 1, group / 2 - 1, HEAP);
    late_frame();
    few = colour_of(0);
    many = colour_of(group);
    ck_assert_uint_ne(few, many);
    ck_assert_uint_ne(few, memory_view_colour(TB_FRAME_FREE));
    ck_assert_uint_ne(many, memory_view_colour(HEAP));
    ck_assert_uint_gt(many >> 16, few >> 16); /* more of the heap's red */
    ck_assert_uint_eq(colour_of(2 * group), memory_view_colour(HEAP));
    ck_assert_uint_eq(colour_of(3 * group), memory_view_colour(THREAD));
    ck_assert_uint_eq(colour_of(4 * group), memory_view_colour(TB_FRAME_FREE));
}
END_TEST

START_TEST(the_legend_has_what_was_seen)
{
    fill_small();
    open_panel();
    late_frame();
    ck_assert_uint_ge(count_colour(memory_view_colour(HEAP), legend()), 90);
    ck_assert_uint_ge(count_colour(memory_view_colour(TB_FRAME_FREE), legend()), 90);
    ck_assert_uint_eq(count_colour(memory_view_colour(FAT32), legend()), 0);
    ck_assert_uint_ge(count_colour(0xc9d1d9, legend()), 200); /* text */
    fake_frames(&machine, 400, 1, FAT32);
    late_frame();
    ck_assert_uint_ge(count_colour(memory_view_colour(FAT32), legend()), 90);
    fake_frames(&machine, 400, 1, TB_FRAME_FREE); /* what was seen stays, so nothing jumps */
    late_frame();
    ck_assert_uint_ge(count_colour(memory_view_colour(FAT32), legend()), 90);
}
END_TEST

START_TEST(only_what_changed_is_painted)
{
    struct canvas *canvas;
    struct rect still, changed;

    fill_small();
    open_panel();
    late_frame();
    ck_assert_uint_eq(late_frame() & MEMORY, 0);
    machine.allocations++; /* the headline tells */
    ck_assert_uint_eq(late_frame() & MEMORY, MEMORY);
    ck_assert_uint_eq(late_frame() & MEMORY, 0);
    canvas = (struct canvas *)panel_canvas(panel);
    still = find_square(130);
    changed = find_square(131);
    canvas->pixels[still.y * canvas->width + still.x] = 0x123456;
    canvas->pixels[changed.y * canvas->width + changed.x] = 0x123456;
    fake_frames(&machine, 131, 1, TB_FRAME_FREE);
    ck_assert_uint_eq(late_frame() & MEMORY, MEMORY);
    ck_assert_uint_eq(pixel(still.x, still.y), 0x123456);
    ck_assert_uint_eq(pixel(changed.x, changed.y), memory_view_colour(TB_FRAME_FREE));
}
END_TEST

static void expect_under(uint64_t frame, const char *wanted)
{
    struct rect square = find_square(frame);
    char text[160] = "";

    panel_hover(panel, square.x + square.width / 2, square.y + square.height / 2);
    ck_assert(memory_view_describe(panel_memory(panel), text, sizeof(text)));
    ck_assert_str_eq(text, wanted);
}

START_TEST(the_mouse_tells_whose_a_frame_is)
{
    struct rect square, area;
    char text[160];

    fill_small();
    open_panel();
    late_frame();
    expect_under(129, "frame 129 at 0x00081000: heap");
    square = find_square(129);
    ck_assert_uint_eq(panel_frame(panel) & MEMORY, MEMORY);
    ck_assert_uint_eq(pixel(square.x, square.y), 0xffffff);
    ck_assert_uint_eq(colour_of(129), memory_view_colour(HEAP));
    expect_under(0, "frame 0 at 0x00000000: reserved");
    panel_frame(panel);
    ck_assert_uint_eq(pixel(square.x, square.y), memory_view_colour(HEAP));
    area = panel_area(panel, PANEL_MEMORY);
    panel_hover(panel, area.x + 2, area.y + area.height - 2);
    ck_assert(!memory_view_describe(panel_memory(panel), text, sizeof(text)));
    panel_hover(panel, 0, 0);
    ck_assert(!memory_view_describe(panel_memory(panel), text, sizeof(text)));
}
END_TEST

START_TEST(the_mouse_tells_all_owners_of_a_square)
{
    fake_frames(&machine, 0, 245760, TB_FRAME_UNTOUCHED);
    fake_frames(&machine, 0, 20, HEAP);
    fake_frames(&machine, 20, 30, THREAD);
    open_panel();
    late_frame();
    expect_under(10, "frames 0 .. 63 at 0x00000000: thread 30, heap 20, never used 14");
    expect_under(245759, "frames 245696 .. 245759 at 0x3bfc0000: never used 64");
}
END_TEST

START_TEST(hovering_shows_in_the_status_line)
{
    struct rect status, square;
    unsigned before;

    fill_small();
    open_panel();
    late_frame();
    status = panel_area(panel, PANEL_STATUS);
    before = 0;
    for (int x = status.width / 2; x < status.width; x++)
        before += pixel(x, status.y + status.height / 2) != pixel(status.width / 2, status.y + 2);
    square = find_square(129);
    panel_hover(panel, square.x + 2, square.y + 2);
    ck_assert_uint_eq(panel_frame(panel) & 1u << PANEL_STATUS, 1u << PANEL_STATUS);
    for (int x = status.width / 2; x < status.width; x++)
        before -= pixel(x, status.y + status.height / 2) != pixel(status.width / 2, status.y + 2);
    ck_assert_uint_ne(before, 0);
}
END_TEST

static unsigned looks_in_a_second(void)
{
    unsigned before = machine.looks;
    uint64_t end = host_now + 1000 * MS;

    while (host_now < end) {
        host_now += 16 * MS;
        panel_frame(panel);
    }
    return machine.looks - before;
}

START_TEST(looking_is_paced)
{
    fill_small();
    open_panel();
    ck_assert_uint_ge(looks_in_a_second(), 3);
    ck_assert_uint_le(looks_in_a_second(), 5);
    machine.look_cost = 50 * MS; /* a twentieth of a second: once a second is enough */
    looks_in_a_second();
    ck_assert_uint_le(looks_in_a_second(), 1);
}
END_TEST

/* The first and the last frame have squares inside the area; if it is large enough for any. */
static void check_corners(size_t frames, bool large)
{
    struct rect area = panel_area(panel, PANEL_MEMORY), last;

    if (!large)
        return;
    last = find_square(frames - 1);
    ck_assert_uint_eq(colour_of(0), memory_view_colour(HEAP));
    ck_assert_uint_eq(colour_of(frames - 1), memory_view_colour(HEAP));
    ck_assert_int_le(last.x + last.width, area.x + area.width);
    ck_assert_int_le(last.y + last.height, area.y + area.height);
}

START_TEST(every_size_fits)
{
    static const size_t frames[] = {512, 1024, 16384, 245760, FAKE_FRAMES};
    static const int sizes[][3] = {{1280, 800, 1}, {2560, 1600, 2}, {480, 360, 1}, {1, 1, 1},
                                   {3000, 700, 1}, {700, 1400, 1},  {640, 480, 2}};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        options.width = (unsigned)sizes[i][0];
        options.height = (unsigned)sizes[i][1];
        options.scale = (unsigned)sizes[i][2];
        open_panel();
        for (size_t j = 0; j < sizeof(frames) / sizeof(frames[0]); j++) {
            machine.frame_count = 0;
            fake_frames(&machine, 0, frames[j], HEAP);
            late_frame();
            check_corners(frames[j], sizes[i][0] >= 480);
        }
        teardown_panel();
    }
}
END_TEST

START_TEST(it_takes_room_from_the_terminal_only)
{
    struct rect picture, terminal;
    unsigned rows;

    fill_small();
    options.memory = false;
    open_panel();
    ck_assert_uint_eq(late_frame() & MEMORY, 0);
    ck_assert_uint_eq(machine.looks, 0);
    picture = panel_area(panel, PANEL_PICTURE);
    terminal = panel_area(panel, PANEL_TERMINAL);
    rows = terminal_rows(panel_terminal(panel));
    panel_command(panel, PANEL_SHOW_MEMORY);
    ck_assert_uint_eq(late_frame() & MEMORY, MEMORY);
    ck_assert_uint_eq(colour_of(129), memory_view_colour(HEAP));
    ck_assert_int_eq(panel_area(panel, PANEL_PICTURE).height, picture.height);
    ck_assert_int_eq(panel_area(panel, PANEL_PICTURE).width, picture.width);
    ck_assert_int_eq(panel_area(panel, PANEL_TERMINAL).height +
                         panel_area(panel, PANEL_MEMORY).height,
                     terminal.height);
    ck_assert_uint_lt(terminal_rows(panel_terminal(panel)), rows);
    panel_command(panel, PANEL_SHOW_MEMORY);
    late_frame();
    ck_assert_int_eq(panel_area(panel, PANEL_TERMINAL).height, terminal.height);
    ck_assert_uint_eq(terminal_rows(panel_terminal(panel)), rows);
    ck_assert_int_eq(panel_area(panel, PANEL_MEMORY).height, 0);
}
END_TEST

START_TEST(the_tool_bar_has_a_button)
{
    const int x = 8 * 62, y = 18; /* behind Card */

    fill_small();
    options.memory = false;
    open_panel();
    late_frame();
    panel_touch(panel, x, y, PANEL_DOWN);
    panel_touch(panel, x, y, PANEL_UP);
    late_frame();
    ck_assert_int_gt(panel_area(panel, PANEL_MEMORY).height, 200);
}
END_TEST

START_TEST(without_power_there_is_nothing_to_see)
{
    fill_small();
    open_panel();
    late_frame();
    fake_frames(&machine, 0, 512, TB_FRAME_NONE);
    ck_assert_uint_eq(late_frame() & MEMORY, MEMORY);
    ck_assert_uint_eq(colour_of(129), memory_view_colour(TB_FRAME_NONE));
    ck_assert_uint_eq(late_frame() & MEMORY, 0);
    fill_small();
    ck_assert_uint_eq(late_frame() & MEMORY, MEMORY);
    ck_assert_uint_eq(colour_of(129), memory_view_colour(HEAP));
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        a_square_has_its_owners_colour,
        kinds_have_colours_of_their_own,
        a_mixed_square_is_in_between,
        the_legend_has_what_was_seen,
        only_what_changed_is_painted,
        the_mouse_tells_whose_a_frame_is,
        the_mouse_tells_all_owners_of_a_square,
        hovering_shows_in_the_status_line,
        looking_is_paced,
        every_size_fits,
        it_takes_room_from_the_terminal_only,
        the_tool_bar_has_a_button,
        without_power_there_is_nothing_to_see,
    };

    return gui_test_run("memory", tests, sizeof(tests) / sizeof(tests[0]), setup, teardown_panel);
}
