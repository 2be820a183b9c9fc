/* SPDX-License-Identifier: MIT */
/*
 * panel_test.c: see panel_test.h.
 */
#include "panel_test.h"
#include "../marks.h"

struct tb_machine machine;
struct tayberry_gui_options options;
struct panel *panel;
char panel_error[512];
uint64_t host_now;

uint64_t host_clock(void)
{
    return host_now;
}

void setup_panel(void)
{
    fake_init(&machine);
    host_now = 1000 * MS;
    options = (struct tayberry_gui_options){.size = sizeof(options),
                                            .width = 1280,
                                            .height = 800,
                                            .scale = 1,
                                            .error = panel_error,
                                            .error_size = sizeof(panel_error)};
}

void teardown_panel(void)
{
    panel_destroy(panel);
    panel = NULL;
}

void open_panel(void)
{
    ck_assert_msg(panel_create(&machine, &options, host_clock, &panel) == 0, "%s", panel_error);
}

uint32_t pixel(int x, int y)
{
    const struct canvas *canvas = panel_canvas(panel);

    return canvas->pixels[y * canvas->width + x];
}

unsigned count_colour(uint32_t colour, struct rect rect)
{
    unsigned count = 0;

    for (int y = rect.y; y < rect.y + rect.height; y++)
        for (int x = rect.x; x < rect.x + rect.width; x++)
            count += pixel(x, y) == colour;
    return count;
}
