/* SPDX-License-Identifier: MIT */
/*
 * panel.h: what the window contains, on a canvas: tool bar, picture, terminal, and what can be
 * shown besides.
 *
 *   +------------------------------------------------+
 *   | tool bar                                       |
 *   +-----------------------+------------------------+
 *   | picture               | terminal               |   side by side, or one above the other
 *   |                       +------------------------+   when the window is higher than wide;
 *   |                       | card    | memory       |   card and memory only when wanted
 *   +-----------------------+------------------------+
 *   | timeline, when it is wanted                    |
 *   +------------------------------------------------+
 *   | status line                                    |
 *   +------------------------------------------------+
 *
 * A panel joins a machine, a diagram and a terminal, and is drawn frame by frame; only areas that
 * changed are drawn again. It knows no SDL: window.c shows the canvas and brings mouse and keys,
 * and tests use it without any window.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "card_view.h"
#include "draw/canvas.h"
#include "memory_view.h"
#include "tayberry_gui.h"
#include "terminal.h"
#include "timeline.h"

enum panel_command {
    PANEL_PAUSE,
    PANEL_STEP,
    PANEL_SLOWER,
    PANEL_FASTER,
    PANEL_SHOW_CARD,     /* or hide it */
    PANEL_SHOW_MEMORY,   /* or hide it */
    PANEL_SHOW_TIMELINE, /* or hide it */
    PANEL_PHOTO,
    PANEL_COMMANDS /* how many; also: none */
};

/* What is hidden has an area of nothing. */
enum panel_area {
    PANEL_TOOLS,
    PANEL_PICTURE,
    PANEL_TERMINAL,
    PANEL_STATUS,
    PANEL_CARD,
    PANEL_MEMORY,
    PANEL_TIMELINE,
    PANEL_AREAS
};

enum panel_touch { PANEL_DOWN, PANEL_DRAG, PANEL_UP };

struct panel;

/*
 * A panel for a machine that is powered on; `host` is the host's monotonic clock in ns. The options
 * must outlive it. 0, or a negative errno with a sentence in options->error.
 */
int panel_create(struct tb_machine *machine, const struct tayberry_gui_options *options,
                 uint64_t (*host)(void), struct panel **panel);
void panel_destroy(struct panel *panel);

/* 0 or -ENOMEM, and then the panel keeps its size. Everything is drawn again by the next frame. */
int panel_resize(struct panel *panel, int width, int height);

/* Lets the machine run for this frame, and draws. Returns a set of areas that changed, 1 << area.
 */
unsigned panel_frame(struct panel *panel);

const struct canvas *panel_canvas(const struct panel *panel);
struct rect panel_area(const struct panel *panel, enum panel_area area);
struct terminal *panel_terminal(struct panel *panel);
const struct memory_view *panel_memory(const struct panel *panel);
const struct card_view *panel_card(const struct panel *panel);
struct timeline *panel_timeline(struct panel *panel);

/* True when the wanted screenshot was taken and the options say that this ends it. */
bool panel_done(const struct panel *panel);

/* A contact is bouncing: the next panel_contacts should not wait for the frame. */
bool panel_busy(const struct panel *panel);
void panel_contacts(struct panel *panel);

void panel_command(struct panel *panel, enum panel_command command);

/* The left mouse button at canvas pixel (x, y). */
void panel_touch(struct panel *panel, int x, int y, enum panel_touch touch);

/* The mouse is at canvas pixel (x, y), whether a button is down or not. */
void panel_hover(struct panel *panel, int x, int y);

/* The mouse wheel: whether it turned over the terminal, and then scrolled it, or over the timeline
 * and zoomed it. */
bool panel_wheel(struct panel *panel, int x, int y, int lines);

/* A key that the diagram gives to a push button went down or up; false: no button has it. */
bool panel_key(struct panel *panel, const char *key, bool down);

/* Lets go of all push buttons. */
void panel_release(struct panel *panel);

/* Writes the wanted screenshot if it was not yet: at the window's end. 0 or a negative errno. */
int panel_finish_screenshot(struct panel *panel);
