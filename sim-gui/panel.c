/* SPDX-License-Identifier: MIT */
/*
 * panel.c: a machine, its parts and its terminal, frame by frame.
 *
 * The order in a frame matters: time runs, then what the guest printed is taken, then the pins are
 * looked at, and then everything is drawn; so a screenshot that waits for a text shows the pins as
 * they were when the text had come.
 */
#include "panel.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chrome.h"
#include "default_diagram.h"
#include "diagram/circuit.h"
#include "draw/picture.h"
#include "draw/png_file.h"
#include "pace.h"

#define PANEL_LEVELS 100  /* of brightness that are told apart */
#define PANEL_UART 4096   /* bytes that are taken at a time */
#define PANEL_UART_MAX 64 /* times a frame */
#define PANEL_NOTE UINT64_C(4000000000)

struct panel {
    struct tb_machine *machine;
    const struct tayberry_gui_options *options;
    struct diagram *diagram;
    struct circuit circuit;
    struct terminal *terminal;
    struct card_view *card;
    bool show_card;
    struct memory_view *memory;
    bool show_memory;
    struct timeline *timeline;
    bool show_timeline;
    struct pace pace;
    struct chrome chrome;
    struct view view;
    struct canvas *frame, *backdrop;

    unsigned stale; /* areas to draw in any case, 1 << area */
    int touched;    /* the push button under the mouse, or -1 */
    enum panel_command pressed;
    bool marking;

    /* What was drawn last, to see what changed. */
    uint8_t level[DIAGRAM_PARTS];
    bool act, power;
    char status[2][160];

    char note[120]; /* shown in the status line until `note_until`, host time */
    uint64_t note_until;

    size_t matched; /* bytes of the awaited text that came last */
    bool seen;      /* the awaited text came */
    bool shot;      /* the wanted screenshot was taken, or tried */
    int shot_result;
};

/* ---- making ---- */

static int panel_fail(const struct tayberry_gui_options *options, int code, const char *why)
{
    if (options->error && options->error_size)
        snprintf(options->error, options->error_size, "%s", why);
    return code;
}

static void panel_send(void *context, const char *bytes, size_t n)
{
    struct panel *panel = context;

    if (tb_uart_write(panel->machine, bytes, n) < 0)
        snprintf(panel->note, sizeof(panel->note), "%s", "no memory for what was typed");
}

static int panel_read_diagram(struct panel *panel)
{
    const struct tayberry_gui_options *options = panel->options;
    struct diagram_error error = {""};
    int result;

    if (options->diagram)
        result = diagram_read(options->diagram, &panel->diagram, &error);
    else
        result = diagram_parse("the built-in diagram", default_diagram, default_diagram_size,
                               &panel->diagram, &error);
    return result ? panel_fail(options, result, error.text) : 0;
}

/* The longest end of the text so far that begins the awaited text; texts are short. */
static void panel_match(struct panel *panel, const unsigned char *bytes, size_t n)
{
    const char *text = panel->options->screenshot_text;

    for (size_t i = 0; text && text[0] && i < n && !panel->seen; i++) {
        size_t length = panel->matched;

        while (length > 0 && text[length] != (char)bytes[i]) {
            /* Fall back to a shorter beginning that is also an end of what has matched. */
            do
                length--;
            while (length > 0 && memcmp(text, text + panel->matched - length, length) != 0);
        }
        panel->matched = text[length] == (char)bytes[i] ? length + 1 : 0;
        panel->seen = text[panel->matched] == '\0';
    }
}

static int panel_open(struct panel *panel, uint64_t (*host)(void))
{
    const struct tayberry_gui_options *options = panel->options;
    int result = panel_read_diagram(panel);

    if (result)
        return result;
    panel->terminal = terminal_create(80, 24, panel_send, panel);
    panel->card = card_view_create(panel->machine, host);
    panel->show_card = options->card;
    panel->memory = memory_view_create(panel->machine, host);
    panel->show_memory = options->memory;
    panel->timeline = timeline_create(panel->machine);
    panel->show_timeline = options->timeline;
    if (!panel->terminal || !panel->card || !panel->memory || !panel->timeline ||
        (panel->show_timeline && timeline_listen(panel->timeline, true)) ||
        panel_resize(panel, (int)options->width, (int)options->height))
        return panel_fail(options, -ENOMEM, "there is no memory for the window's content");
    if (options->console_size) {
        terminal_feed(panel->terminal, options->console, options->console_size);
        panel_match(panel, options->console, options->console_size);
    }
    circuit_init(&panel->circuit, panel->diagram, options->seed, panel->machine);
    pace_init(&panel->pace, panel->machine, options, host);
    if (options->screenshot_time)
        panel->pace.limit = options->screenshot_time;
    return 0;
}

int panel_create(struct tb_machine *machine, const struct tayberry_gui_options *options,
                 uint64_t (*host)(void), struct panel **panel)
{
    struct panel *made = calloc(1, sizeof(*made));
    int result;

    *panel = NULL;
    if (!made)
        return panel_fail(options, -ENOMEM, "there is no memory for the window");
    made->machine = machine;
    made->options = options;
    made->touched = -1;
    made->pressed = PANEL_COMMANDS;
    result = panel_open(made, host);
    if (result)
        panel_destroy(made);
    else
        *panel = made;
    return result;
}

void panel_destroy(struct panel *panel)
{
    if (!panel)
        return;
    canvas_destroy(panel->frame);
    canvas_destroy(panel->backdrop);
    card_view_destroy(panel->card);
    memory_view_destroy(panel->memory);
    timeline_destroy(panel->timeline);
    terminal_destroy(panel->terminal);
    diagram_free(panel->diagram);
    free(panel);
}

int panel_resize(struct panel *panel, int width, int height)
{
    struct canvas *frame = canvas_create(width, height);
    struct canvas *backdrop = canvas_create(width, height);
    struct chrome_extras extras = {panel->show_card, panel->show_memory, panel->show_timeline};
    struct chrome chrome;

    chrome_lay_out(&chrome, width, height, panel->options->scale, &extras);
    if (!frame || !backdrop ||
        terminal_resize(panel->terminal, chrome_columns(&chrome), chrome_rows(&chrome))) {
        canvas_destroy(frame);
        canvas_destroy(backdrop);
        return -ENOMEM;
    }
    (void)tb_uart_set_window(panel->machine, chrome_columns(&chrome), chrome_rows(&chrome));
    canvas_destroy(panel->frame);
    canvas_destroy(panel->backdrop);
    panel->frame = frame;
    panel->backdrop = backdrop;
    panel->chrome = chrome;
    panel->view = picture_fit(panel->diagram, chrome.area[PANEL_PICTURE]);
    picture_draw_backdrop(backdrop, panel->diagram, &panel->view, chrome.area[PANEL_PICTURE]);
    card_view_place(panel->card, chrome.area[PANEL_CARD], panel->options->scale);
    memory_view_place(panel->memory, chrome.area[PANEL_MEMORY], panel->options->scale);
    timeline_place(panel->timeline, chrome.area[PANEL_TIMELINE], panel->options->scale);
    panel->stale = (1u << PANEL_AREAS) - 1;
    return 0;
}

/* ---- drawing ---- */

static void panel_draw_terminal(struct panel *panel, bool all)
{
    const struct terminal *terminal = panel->terminal;

    if (all)
        chrome_draw_ground(&panel->chrome, panel->frame);
    for (unsigned row = 0; row < terminal_rows(terminal); row++) {
        for (unsigned column = 0; column < terminal_columns(terminal); column++) {
            const struct terminal_cell *cell = terminal_cell(terminal, column, row);
            if (all || cell->changed)
                chrome_draw_cell(&panel->chrome, panel->frame, column, row, cell);
        }
    }
}

/* Whether anything in the picture looks different from the last frame. */
static bool panel_picture_changed(struct panel *panel, const struct picture_state *state)
{
    bool changed = panel->act != state->act || panel->power != state->power;

    panel->act = state->act;
    panel->power = state->power;
    for (size_t i = 0; i < panel->diagram->part_count; i++) {
        float light = picture_brightness(panel->circuit.light[i]);
        uint8_t level = (uint8_t)(light * PANEL_LEVELS + 0.5f);

        if (panel->diagram->parts[i].kind == PART_BUTTON)
            level = panel->circuit.held[i];
        changed |= level != panel->level[i];
        panel->level[i] = level;
    }
    return changed;
}

static bool panel_draw_picture(struct panel *panel, bool all)
{
    enum tb_state state = tb_state(panel->machine);
    struct rect area = panel->chrome.area[PANEL_PICTURE];
    struct picture_state shown = {&panel->circuit, tb_act_led(panel->machine),
                                  state == TB_RUNNING || state == TB_PANICKED};

    if (!panel_picture_changed(panel, &shown) && !all)
        return false;
    canvas_clip(panel->frame, area);
    canvas_copy(panel->frame, panel->backdrop, area);
    picture_draw_live(panel->frame, panel->diagram, &panel->view, &shown);
    return true;
}

static const char *panel_state_text(const struct panel *panel, char *text, size_t size,
                                    uint32_t *light)
{
    *light = 0x5ad17a;
    switch (tb_state(panel->machine)) {
    case TB_POWERED_OFF:
        *light = 0x6b7685;
        snprintf(text, size, "powered off, status %d", tb_exit_status(panel->machine));
        return text;
    case TB_PANICKED:
        *light = 0xff6b68;
        return "panic: the console says why";
    case TB_OFF:
        *light = 0x6b7685;
        return "no power";
    default:
        if (panel->pace.paused)
            *light = 0xf0c65a;
        return panel->pace.paused ? "paused" : "running";
    }
}

/* The right end of the status line. */
static void panel_write_note(const struct panel *panel, char *text, size_t size)
{
    bool virtual = panel->options->clock == TB_CLOCK_VIRTUAL;

    if (panel->pace.host() < panel->note_until)
        snprintf(text, size, "%s", panel->note);
    else if ((!panel->show_card || !card_view_describe(panel->card, text, size)) &&
             (!panel->show_memory || !memory_view_describe(panel->memory, text, size)))
        snprintf(text, size, "%s", virtual ? "virtual clock" : "real clock");
}

static bool panel_draw_status(struct panel *panel, bool all)
{
    const struct pace *pace = &panel->pace;
    uint64_t time = tb_time(panel->machine);
    char state[48], left[sizeof(panel->status[0])], right[sizeof(panel->status[1])];
    uint32_t light;
    const char *what = panel_state_text(panel, state, sizeof(state), &light);

    snprintf(left, sizeof(left), "%-10s time %9.3f s   speed %-5s %6.2f   load %3.0f %%", what,
             (double)time / 1e9, pace->paused ? "0" : pace_name(pace), pace->speed,
             pace->load * 100);
    panel_write_note(panel, right, sizeof(right));
    if (!all && strcmp(left, panel->status[0]) == 0 && strcmp(right, panel->status[1]) == 0)
        return false;
    strcpy(panel->status[0], left);
    strcpy(panel->status[1], right);
    chrome_draw_status(&panel->chrome, panel->frame, left, right, light);
    return true;
}

static void panel_draw_tools(struct panel *panel)
{
    struct chrome_tools tools = {
        .paused = panel->pace.paused,
        .shown = {panel->show_card, panel->show_memory, panel->show_timeline},
        .speed = pace_name(&panel->pace),
        .pressed = panel->pressed};

    chrome_draw_tools(&panel->chrome, panel->frame, &tools);
}

static unsigned panel_draw(struct panel *panel)
{
    unsigned stale = panel->stale;
    unsigned drawn = 0;

    panel->stale = 0;
    if (stale & 1u << PANEL_TOOLS) {
        panel_draw_tools(panel);
        drawn |= 1u << PANEL_TOOLS;
    }
    if (panel_draw_picture(panel, stale & 1u << PANEL_PICTURE))
        drawn |= 1u << PANEL_PICTURE;
    if (terminal_update(panel->terminal) || (stale & 1u << PANEL_TERMINAL)) {
        panel_draw_terminal(panel, stale & 1u << PANEL_TERMINAL);
        drawn |= 1u << PANEL_TERMINAL;
    }
    if (panel->show_card && card_view_draw(panel->card, panel->frame))
        drawn |= 1u << PANEL_CARD;
    if (panel->show_memory && memory_view_draw(panel->memory, panel->frame))
        drawn |= 1u << PANEL_MEMORY;
    if (panel->show_timeline && timeline_draw(panel->timeline, panel->frame))
        drawn |= 1u << PANEL_TIMELINE;
    if (panel_draw_status(panel, stale & 1u << PANEL_STATUS))
        drawn |= 1u << PANEL_STATUS;
    return drawn;
}

/* ---- frames ---- */

static void panel_take_output(struct panel *panel)
{
    unsigned char bytes[PANEL_UART];

    for (unsigned i = 0; i < PANEL_UART_MAX; i++) {
        size_t n = tb_uart_read(panel->machine, bytes, sizeof(bytes));
        if (n == 0)
            break;
        terminal_feed(panel->terminal, bytes, n);
        panel_match(panel, bytes, n);
    }
}

static bool panel_screenshot_due(const struct panel *panel)
{
    uint64_t time = panel->options->screenshot_time;

    if (!panel->options->screenshot || panel->shot)
        return false;
    return panel->seen || (time && tb_time(panel->machine) >= time);
}

unsigned panel_frame(struct panel *panel)
{
    unsigned drawn;

    pace_run(&panel->pace, &panel->circuit);
    panel_take_output(panel);
    circuit_sample(&panel->circuit, panel->machine, panel->pace.paused);
    drawn = panel_draw(panel);
    if (panel_screenshot_due(panel))
        panel_finish_screenshot(panel);
    return drawn;
}

int panel_finish_screenshot(struct panel *panel)
{
    const char *path = panel->options->screenshot;
    char why[512];

    if (!path || panel->shot)
        return panel->shot_result;
    panel->shot = true;
    panel->shot_result = png_file_write(path, panel->frame);
    if (panel->shot_result) {
        snprintf(why, sizeof(why), "%.300s: the picture cannot be written: %s", path,
                 strerror(-panel->shot_result));
        panel_fail(panel->options, panel->shot_result, why);
    }
    return panel->shot_result;
}

bool panel_done(const struct panel *panel)
{
    return panel->shot && (panel->options->screenshot_closes || panel->shot_result);
}

bool panel_busy(const struct panel *panel)
{
    return circuit_due(&panel->circuit) != UINT64_MAX;
}

void panel_contacts(struct panel *panel)
{
    circuit_advance(&panel->circuit, panel->machine, tb_time(panel->machine));
}

/* ---- what the person does ---- */

static void panel_take_photo(struct panel *panel)
{
    char path[64];
    int result;

    snprintf(path, sizeof(path), "tayberry-%.3fs.png", (double)tb_time(panel->machine) / 1e9);
    result = png_file_write(path, panel->frame);
    if (result)
        snprintf(panel->note, sizeof(panel->note), "%s: %s", path, strerror(-result));
    else
        snprintf(panel->note, sizeof(panel->note), "wrote %s", path);
    panel->note_until = panel->pace.host() + PANEL_NOTE;
}

/* Shows or hides something. Without memory for another layout everything stays as it is. */
static void panel_toggle(struct panel *panel, bool *shown)
{
    *shown = !*shown;
    if ((shown != &panel->show_timeline || timeline_listen(panel->timeline, *shown) == 0) &&
        panel_resize(panel, panel->frame->width, panel->frame->height) == 0)
        return;
    *shown = !*shown;
    snprintf(panel->note, sizeof(panel->note), "%s", "there is no memory for another layout");
    panel->note_until = panel->pace.host() + PANEL_NOTE;
}

void panel_command(struct panel *panel, enum panel_command command)
{
    switch (command) {
    case PANEL_PAUSE:
        pace_pause(&panel->pace, !panel->pace.paused);
        break;
    case PANEL_STEP:
        if (pace_step(&panel->pace) == TB_STUCK) {
            snprintf(panel->note, sizeof(panel->note), "%s", "nothing will happen without input");
            panel->note_until = panel->pace.host() + PANEL_NOTE;
        }
        break;
    case PANEL_SLOWER:
    case PANEL_FASTER:
        pace_change(&panel->pace, command == PANEL_FASTER ? 1 : -1);
        break;
    case PANEL_SHOW_CARD:
        panel_toggle(panel, &panel->show_card);
        break;
    case PANEL_SHOW_MEMORY:
        panel_toggle(panel, &panel->show_memory);
        break;
    case PANEL_SHOW_TIMELINE:
        panel_toggle(panel, &panel->show_timeline);
        break;
    case PANEL_PHOTO:
        panel_take_photo(panel);
        break;
    default:
        break;
    }
    panel->stale |= 1u << PANEL_TOOLS;
}

static void panel_press(struct panel *panel, unsigned part, bool held)
{
    circuit_press(&panel->circuit, part, held, tb_time(panel->machine));
    panel_contacts(panel);
}

static void panel_touch_down(struct panel *panel, int x, int y)
{
    struct rect terminal = panel->chrome.area[PANEL_TERMINAL];
    enum panel_command command = chrome_find_command(&panel->chrome, x, y);
    int part = picture_find_button(panel->diagram, &panel->view, x, y);

    terminal_unmark(panel->terminal);
    if (command != PANEL_COMMANDS) {
        panel->pressed = command;
        panel_command(panel, command);
    } else if (part >= 0) {
        panel->touched = part;
        panel_press(panel, (unsigned)part, true);
    } else if (timeline_is_at(panel->timeline, x, y)) {
        timeline_hold(panel->timeline);
    } else if (x >= terminal.x && y >= terminal.y && y < terminal.y + terminal.height) {
        panel->marking = true;
    }
}

static void panel_touch_drag(struct panel *panel, int x, int y)
{
    unsigned column, row;

    if (!panel->marking)
        return;
    chrome_find_cell(&panel->chrome, x, y, &column, &row);
    terminal_mark(panel->terminal, column, row);
}

void panel_touch(struct panel *panel, int x, int y, enum panel_touch touch)
{
    if (touch == PANEL_DOWN) {
        panel_touch_down(panel, x, y);
        return;
    }
    if (touch == PANEL_DRAG) {
        panel_touch_drag(panel, x, y);
        return;
    }
    if (panel->touched >= 0)
        panel_press(panel, (unsigned)panel->touched, false);
    if (panel->pressed != PANEL_COMMANDS)
        panel->stale |= 1u << PANEL_TOOLS;
    panel->touched = -1;
    panel->pressed = PANEL_COMMANDS;
    panel->marking = false;
}

void panel_hover(struct panel *panel, int x, int y)
{
    if (panel->show_card)
        card_view_point(panel->card, x, y);
    if (panel->show_memory)
        memory_view_point(panel->memory, x, y);
}

bool panel_wheel(struct panel *panel, int x, int y, int lines)
{
    struct rect terminal = panel->chrome.area[PANEL_TERMINAL];

    if (timeline_is_at(panel->timeline, x, y)) {
        timeline_zoom(panel->timeline, lines);
        return true;
    }
    if (x < terminal.x || y < terminal.y || y >= terminal.y + terminal.height)
        return false;
    terminal_scroll(panel->terminal, lines);
    return true;
}

bool panel_key(struct panel *panel, const char *key, bool down)
{
    bool found = false;

    for (size_t i = 0; i < panel->diagram->part_count; i++) {
        const struct part *part = &panel->diagram->parts[i];

        if (part->kind != PART_BUTTON || strcmp(part->key, key) != 0)
            continue;
        found = true;
        panel_press(panel, (unsigned)i, down);
    }
    return found;
}

void panel_release(struct panel *panel)
{
    for (size_t i = 0; i < panel->diagram->part_count; i++) {
        if (panel->circuit.held[i])
            panel_press(panel, (unsigned)i, false);
    }
    panel->touched = -1;
}

const struct canvas *panel_canvas(const struct panel *panel)
{
    return panel->frame;
}

struct rect panel_area(const struct panel *panel, enum panel_area area)
{
    return panel->chrome.area[area];
}

struct terminal *panel_terminal(struct panel *panel)
{
    return panel->terminal;
}

const struct card_view *panel_card(const struct panel *panel)
{
    return panel->card;
}

const struct memory_view *panel_memory(const struct panel *panel)
{
    return panel->memory;
}

struct timeline *panel_timeline(struct panel *panel)
{
    return panel->timeline;
}
