/* SPDX-License-Identifier: MIT */
/*
 * The timeline in the window.
 *
 * Criteria:
 *  1. A bar has its thread's colour from the pixel where the thread came to the one where it left;
 *     an idle CPU has a gap, and a pixel of many short slices a colour in between.
 *  2. Each CPU that ran something has a row, and only those.
 *  3. The legend has the threads of the visible time and no others.
 *  4. Zooming halves and doubles the time that is shown, within its limits.
 *  5. While it is held nothing moves; then it catches up.
 *  6. A machine that begins again begins with an empty timeline.
 *  7. It is shown by its command, its button and the options, takes its room from the lower end,
 *     and has the machine keep events only while it is shown.
 *  8. What has not changed is not painted again.
 *  9. Every size of the window is drawn without touching anything outside.
 */
#include <stdio.h>
#include <string.h>

#include "gui_test.h"
#include "panel_test.h"

#define TIMELINE (1u << PANEL_TIMELINE)
#define GAP 0x161b22

static void setup(void)
{
    setup_panel();
    options.clock = TB_CLOCK_REAL;
    options.timeline = true;
}

static void add_event(const struct tb_sched_event *event)
{
    ck_assert_uint_lt(machine.event_count, FAKE_EVENTS);
    machine.events[machine.event_count++] = *event;
}

/* `cpu` switches to `thread` at `time`; 0: to its idle thread. */
static void run(unsigned cpu, uint64_t time, uint32_t thread)
{
    struct tb_sched_event event = {.time = time,
                                   .kind = TB_SCHED_SWITCH,
                                   .cpu = (uint8_t)cpu,
                                   .state = 'S',
                                   .other = {.number = thread ? thread : 1, .idle = !thread}};

    snprintf(event.other.name, sizeof(event.other.name), thread ? "t%u" : "idle", (unsigned)thread);
    add_event(&event);
}

static unsigned frame_at(uint64_t time)
{
    machine.time = time;
    return panel_frame(panel);
}

/* The pixel of machine time `time` in a CPU's row, at its lower edge, where no names are. */
static int place_of(uint64_t time)
{
    struct timeline *timeline = panel_timeline(panel);
    uint64_t span = timeline_span(timeline);
    uint64_t start = machine.time > span ? machine.time - span : 0;

    return (int)((double)(time - start) * timeline_row(timeline, 0).width / (double)span);
}

static uint32_t colour_at(unsigned cpu, int x)
{
    struct rect row = timeline_row(panel_timeline(panel), cpu);

    return pixel(row.x + x, row.y + row.height - 1);
}

static uint32_t colour_of(unsigned cpu, uint64_t time)
{
    return colour_at(cpu, place_of(time));
}

/* What lies below the rows. */
static struct rect legend(void)
{
    struct rect area = panel_area(panel, PANEL_TIMELINE);
    struct rect row = timeline_row(panel_timeline(panel), 0);
    int top = row.y + 20 * 4 - 4;

    return (struct rect){area.x, top, area.width, area.y + area.height - top};
}

START_TEST(a_bar_has_its_threads_colour)
{
    run(0, 100 * MS, 5);
    run(0, 110 * MS, 6);
    run(0, 120 * MS, 0);
    run(0, 130 * MS, 5);
    open_panel();
    ck_assert_uint_eq(frame_at(140 * MS) & TIMELINE, TIMELINE);
    ck_assert_uint_eq(colour_of(0, 95 * MS), GAP);
    ck_assert_uint_eq(colour_of(0, 101 * MS), timeline_colour(5));
    ck_assert_uint_eq(colour_at(0, place_of(110 * MS) - 2), timeline_colour(5));
    ck_assert_uint_eq(colour_at(0, place_of(110 * MS) + 2), timeline_colour(6));
    ck_assert_uint_eq(colour_of(0, 119 * MS), timeline_colour(6));
    ck_assert_uint_eq(colour_at(0, place_of(120 * MS) + 2), GAP);
    ck_assert_uint_eq(colour_of(0, 129 * MS), GAP);
    ck_assert_uint_eq(colour_of(0, 139 * MS), timeline_colour(5)); /* it still runs */
}
END_TEST

START_TEST(neighbours_have_colours_of_their_own)
{
    for (uint32_t thread = 1; thread < 100; thread++) {
        ck_assert_uint_ne(timeline_colour(thread), timeline_colour(thread + 1));
        ck_assert_uint_ne(timeline_colour(thread), GAP);
    }
}
END_TEST

START_TEST(a_pixel_of_short_slices_is_in_between)
{
    uint32_t colour;

    /* 20 us in 100 us; a pixel is some 40 us. */
    for (unsigned i = 0; i < 400; i++) {
        run(0, 100 * MS + i * MS / 10, 5);
        run(0, 100 * MS + i * MS / 10 + MS / 50, 0);
    }
    open_panel();
    (void)frame_at(140 * MS);
    timeline_zoom(panel_timeline(panel), -1);
    timeline_zoom(panel_timeline(panel), -1);
    (void)frame_at(140 * MS);
    colour = colour_of(0, 120 * MS);
    ck_assert_uint_ne(colour, GAP);
    ck_assert_uint_ne(colour, timeline_colour(5));
    ck_assert_uint_gt(colour & 0xff, GAP & 0xff);
    ck_assert_uint_lt(colour & 0xff, timeline_colour(5) & 0xff);
}
END_TEST

START_TEST(each_cpu_that_ran_has_a_row)
{
    open_panel();
    run(0, 10 * MS, 2);
    (void)frame_at(20 * MS);
    ck_assert_uint_eq(colour_of(0, 15 * MS), timeline_colour(2));
    ck_assert_uint_ne(colour_of(2, 5 * MS), GAP);
    run(2, 22 * MS, 3);
    (void)frame_at(30 * MS);
    ck_assert_uint_eq(colour_of(2, 25 * MS), timeline_colour(3));
    ck_assert_uint_eq(colour_of(1, 25 * MS), GAP);
    ck_assert_uint_ne(colour_of(3, 25 * MS), GAP);
}
END_TEST

START_TEST(the_legend_has_who_is_to_be_seen)
{
    open_panel();
    for (unsigned cpu = 0; cpu < 4; cpu++)
        run(cpu, 5 * MS, 2 + cpu);
    run(0, 20 * MS, 7);
    (void)frame_at(30 * MS);
    for (uint32_t thread = 2; thread < 6; thread++)
        ck_assert_uint_ge(count_colour(timeline_colour(thread), legend()), 100);
    ck_assert_uint_ge(count_colour(timeline_colour(7), legend()), 100);
    ck_assert_uint_eq(count_colour(timeline_colour(8), legend()), 0);
    run(1, 31 * MS, 0);
    (void)frame_at(300 * MS); /* what thread 3 and 2 ran is out of sight */
    ck_assert_uint_eq(count_colour(timeline_colour(2), legend()), 0);
    ck_assert_uint_eq(count_colour(timeline_colour(3), legend()), 0);
    ck_assert_uint_ge(count_colour(timeline_colour(4), legend()), 100);
}
END_TEST

START_TEST(zooming_halves_and_doubles)
{
    uint64_t span;
    struct timeline *timeline;

    open_panel();
    timeline = panel_timeline(panel);
    run(0, 100 * MS, 5);
    (void)frame_at(120 * MS);
    span = timeline_span(timeline);
    ck_assert_uint_eq(colour_of(0, 90 * MS), GAP);
    timeline_zoom(timeline, 1);
    ck_assert_uint_eq(timeline_span(timeline), span / 2);
    ck_assert_uint_eq(frame_at(120 * MS) & TIMELINE, TIMELINE);
    ck_assert_uint_eq(colour_at(0, place_of(100 * MS) - 2), GAP);
    ck_assert_uint_eq(colour_at(0, place_of(100 * MS) + 2), timeline_colour(5));
    ck_assert(panel_wheel(panel, 100, panel_area(panel, PANEL_TIMELINE).y + 50, -3));
    ck_assert_uint_eq(timeline_span(timeline), span);
    for (unsigned i = 0; i < 100; i++)
        timeline_zoom(timeline, 1);
    ck_assert_uint_ge(timeline_span(timeline), 10000);
    (void)frame_at(120 * MS);
    ck_assert_uint_eq(colour_at(0, 0), timeline_colour(5));
    for (unsigned i = 0; i < 100; i++)
        timeline_zoom(timeline, -1);
    ck_assert_uint_le(timeline_span(timeline), 10000 * MS);
    (void)frame_at(120 * MS);
}
END_TEST

START_TEST(held_it_stands_still)
{
    struct rect area, row;

    open_panel();
    run(0, 100 * MS, 5);
    (void)frame_at(110 * MS);
    area = panel_area(panel, PANEL_TIMELINE);
    row = timeline_row(panel_timeline(panel), 0);
    panel_touch(panel, area.x + 200, area.y + 40, PANEL_DOWN);
    panel_touch(panel, area.x + 200, area.y + 40, PANEL_UP);
    ck_assert_uint_eq(frame_at(120 * MS) & TIMELINE, TIMELINE); /* the word "held" */
    run(0, 125 * MS, 6);
    ck_assert_uint_eq(frame_at(130 * MS) & TIMELINE, 0);
    ck_assert_uint_eq(frame_at(140 * MS) & TIMELINE, 0);
    ck_assert_uint_eq(count_colour(timeline_colour(6), row), 0);
    timeline_hold(panel_timeline(panel));
    ck_assert_uint_eq(frame_at(140 * MS) & TIMELINE, TIMELINE);
    ck_assert_uint_eq(colour_of(0, 120 * MS), timeline_colour(5));
    ck_assert_uint_eq(colour_of(0, 130 * MS), timeline_colour(6));
}
END_TEST

START_TEST(power_on_begins_anew)
{
    struct tb_sched_event power = {.time = 0, .kind = TB_SCHED_POWER};

    open_panel();
    run(0, 100 * MS, 5);
    (void)frame_at(110 * MS);
    add_event(&power);
    run(0, 2 * MS, 6);
    (void)frame_at(4 * MS);
    ck_assert_uint_eq(colour_of(0, MS), GAP);
    ck_assert_uint_eq(colour_of(0, 3 * MS), timeline_colour(6));
    ck_assert_uint_eq(count_colour(timeline_colour(5), panel_area(panel, PANEL_TIMELINE)), 0);
}
END_TEST

START_TEST(it_is_shown_and_hidden)
{
    struct rect picture, terminal, timeline;

    options.timeline = false;
    open_panel();
    (void)frame_at(10 * MS);
    ck_assert(!machine.kept);
    ck_assert_int_eq(panel_area(panel, PANEL_TIMELINE).height, 0);
    picture = panel_area(panel, PANEL_PICTURE);
    terminal = panel_area(panel, PANEL_TERMINAL);
    panel_command(panel, PANEL_SHOW_TIMELINE);
    ck_assert(machine.kept);
    run(0, 5 * MS, 3);
    ck_assert_uint_eq(frame_at(10 * MS) & TIMELINE, TIMELINE);
    ck_assert_uint_eq(colour_of(0, 8 * MS), timeline_colour(3));
    timeline = panel_area(panel, PANEL_TIMELINE);
    ck_assert_int_eq(timeline.width, 1280);
    ck_assert_int_eq(timeline.y + timeline.height, panel_area(panel, PANEL_STATUS).y);
    ck_assert_int_eq(panel_area(panel, PANEL_TERMINAL).height + timeline.height, terminal.height);
    ck_assert_int_eq(panel_area(panel, PANEL_PICTURE).height + timeline.height, picture.height);
    panel_command(panel, PANEL_SHOW_TIMELINE);
    ck_assert(!machine.kept);
    ck_assert_uint_eq(frame_at(11 * MS) & TIMELINE, 0);
    ck_assert_int_eq(panel_area(panel, PANEL_TERMINAL).height, terminal.height);
}
END_TEST

START_TEST(the_tool_bar_has_a_button)
{
    const int x = 8 * 79, y = 18; /* behind Memory */

    options.timeline = false;
    open_panel();
    (void)frame_at(10 * MS);
    panel_touch(panel, x, y, PANEL_DOWN);
    panel_touch(panel, x, y, PANEL_UP);
    (void)frame_at(11 * MS);
    ck_assert_int_gt(panel_area(panel, PANEL_TIMELINE).height, 100);
    ck_assert_int_eq(panel_area(panel, PANEL_MEMORY).height, 0);
}
END_TEST

START_TEST(only_what_changed_is_painted)
{
    open_panel();
    run(0, 5 * MS, 3);
    ck_assert_uint_eq(frame_at(10 * MS) & TIMELINE, TIMELINE);
    ck_assert_uint_eq(frame_at(10 * MS) & TIMELINE, 0);
    ck_assert_uint_eq(frame_at(11 * MS) & TIMELINE, TIMELINE);
}
END_TEST

START_TEST(every_size_is_drawn)
{
    static const unsigned sizes[][3] = {{1280, 800, 1}, {2560, 1600, 2}, {480, 360, 1}, {1, 1, 1},
                                        {320, 240, 2},  {16000, 300, 1}, {700, 1400, 1}};

    for (unsigned i = 0; i < 4000; i++)
        run(i % 4, i * MS / 20, i % 5 ? i % 97 + 2 : 0);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        options.width = sizes[i][0];
        options.height = sizes[i][1];
        options.scale = sizes[i][2];
        options.memory = i % 2;
        open_panel();
        for (unsigned zoom = 0; zoom < 24; zoom++) {
            ck_assert_uint_eq(frame_at((100 + zoom) * MS) & TIMELINE, TIMELINE);
            timeline_zoom(panel_timeline(panel), zoom < 12 ? 1 : -1);
        }
        teardown_panel();
    }
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        a_bar_has_its_threads_colour,
        neighbours_have_colours_of_their_own,
        a_pixel_of_short_slices_is_in_between,
        each_cpu_that_ran_has_a_row,
        the_legend_has_who_is_to_be_seen,
        zooming_halves_and_doubles,
        held_it_stands_still,
        power_on_begins_anew,
        it_is_shown_and_hidden,
        the_tool_bar_has_a_button,
        only_what_changed_is_painted,
        every_size_is_drawn,
    };

    return gui_test_run("timeline", tests, sizeof(tests) / sizeof(tests[0]), setup, teardown_panel);
}
