/* SPDX-License-Identifier: MIT */
/*
 * panel_test.h: what the tests of the panel and of the pictures in it share: a fake machine, a
 * panel that shows it, a host's clock that moves when a test says so, and looks at pixels.
 */
#pragma once

#include "fake_machine.h"
#include "panel.h"

#include <stdint.h>

#define MS UINT64_C(1000000)

extern struct tb_machine machine;
extern struct tayberry_gui_options options;
extern struct panel *panel;
extern char panel_error[512]; /**< where `options` has errors put */
extern uint64_t host_now;

/** A fresh machine, and options for a window of 1280 by 800. The host's clock is at 1 s. */
void setup_panel(void);
void teardown_panel(void);

/** Makes the panel, as `options` say by now. */
void open_panel(void);

uint32_t pixel(int x, int y);

/** How many pixels of a part of the window have that colour. */
unsigned count_colour(uint32_t colour, struct rect rect);

/** A host's clock for panel_create: host_now. */
uint64_t host_clock(void);
