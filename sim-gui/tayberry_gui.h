/* SPDX-License-Identifier: MIT */
/*
 * tayberry_gui.h: the window on a simulated board, as a module that is loaded only when it is
 * wanted.
 *
 * `tayberry-gui.so` knows SDL, libtsm, cJSON and libpng, so that nobody else has to. A program that
 * has opened and powered on a machine (tayberry.h) finds tayberry_gui_run with dlopen and dlsym,
 * and calls it: the window opens, the person at it watches LEDs, presses buttons and types, and the
 * call returns when the window is closed. The module takes the tb_* functions from whoever loads
 * it, so the program links libtayberry as usual.
 *
 * The window takes what the guest prints with tb_uart_read. A program that wants the text as well
 * uses tb_uart_set_sink.
 *
 * diagram.json says which parts hang on which pins: a subset of Wokwi's format.
 *
 *   {"version": 1,
 *    "parts": [
 *      {"id": "pi",  "type": "board-raspberry-pi-3b", "left": 0, "top": 120},
 *      {"id": "led", "type": "wokwi-led", "left": 40, "top": 0, "attrs": {"color": "red"}},
 *      {"id": "r",   "type": "wokwi-resistor", "left": 40, "top": 70, "rotate": 90},
 *      {"id": "b",   "type": "wokwi-pushbutton", "left": 99, "top": 0, "attrs": {"key": "1"}}],
 *    "connections": [
 *      ["pi:GPIO17", "r:2", "green", []], ["r:1", "led:A", "green", ["v5"]],
 *      ["led:C", "pi:GND.1", "black", []],
 *      ["b:1.l", "pi:GPIO23", "blue", []], ["b:2.l", "pi:GND.2", "black", []]]}
 *
 * Pins of the board are GPIO0 .. GPIO27, 3V3.1 3V3.2, 5V.1 5V.2, GND.1 .. GND.8 (counted along the
 * header), or a place on the header, J8:1 .. J8:40. A bare number is refused: it could mean either.
 * An LED has A (anode) and C (cathode), a resistor 1 and 2, a push button 1.l 1.r 2.l 2.r, where
 * both 1 are one metal strip and both 2 another, which the button joins. The fourth element of a
 * connection is how the wire is laid: "h8" and "v-5" are steps from the first end, and those after
 * a "*" are read backwards as steps from the second end.
 *
 * Attributes: an LED has color, label and flip; a resistor value (ohms); a push button color,
 * label, key, and bounce ("0": contacts that do not bounce). Other attributes are ignored, as Wokwi
 * does.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tayberry.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TAYBERRY_GUI_API __attribute__((visibility("default")))

/** The version of this header. A module whose tayberry_gui_version differs must not be called. */
#define TAYBERRY_GUI_VERSION 1u
TAYBERRY_GUI_API uint32_t tayberry_gui_version(void);

/** Set `size` to sizeof(struct tayberry_gui_options); zero means the default in every member. */
struct tayberry_gui_options {
    size_t size;
    const char *title;   /**< of the window; default "Tayberry" */
    const char *diagram; /**< path of a diagram.json; NULL: the board that is built in */
    enum tb_clock clock; /**< the machine's: a virtual clock runs by tb_run_until, frame by frame */
    double speed;        /**< at the start: 0.1 .. 10, INFINITY; default 1 */
    uint64_t seed;       /**< of the contacts' bounce */
    unsigned width;      /**< of the window, in pixels; default 1280, and 800 high */
    unsigned height;
    unsigned scale; /**< 2 draws everything twice as large; default 1 */
    bool hidden; /**< no window on any screen: for `screenshot`. The virtual clock is not paced */

    const void *console; /**< what the guest printed before the window opened, already taken */
    size_t console_size;

    /**
     * A PNG file of the window's content. Written once: when the machine's time reaches
     * screenshot_time or the guest has printed screenshot_text, whichever is given and comes first;
     * or else when the window closes.
     */
    const char *screenshot;
    uint64_t screenshot_time; /**< ns since power-on */
    const char *screenshot_text;
    bool screenshot_closes; /**< the window closes when the picture is taken */

    /**
     * Called once a frame, on the calling thread: true closes the window. This is where the program
     * looks at its time-out, at its expected text and at tb_state: by itself the window stays open
     * when the guest has stopped. May call the library, except tb_uart_read, tb_run_* and tb_close.
     */
    bool (*poll)(void *context);
    void *context;

    char *error; /**< where a failure leaves a sentence; may be NULL */
    size_t error_size;

    bool card;     /**< the map of the card is shown from the start, as by F4 */
    bool memory;   /**< the memory map is shown from the start, as by F9 */
    bool timeline; /**< the timeline is, as by F10. What happened before is in it if tb_sched_keep
                      was called then */
};

/**
 * Opens the window on a machine that is powered on, and returns when it is closed. Returns 0 with
 * the power cut when the person closed it; 1 when `poll` or the screenshot closed it, with the
 * power as it was; or a negative errno with a sentence in options->error: -EINVAL for bad options
 * or a diagram that makes no sense (the sentence has file, line and column), -ENOENT and the like
 * for files, -ENODEV when there is no screen, -ENOMEM. On a failure the power is as it was. The
 * host's signals stay blocked in SDL's threads. Not from a signal handler; one window at a time.
 */
TAYBERRY_GUI_API int tayberry_gui_run(struct tb_machine *machine,
                                      const struct tayberry_gui_options *options);

/** Reads a diagram and says what is wrong with it, in `error`: 0, or the errno of tayberry_gui_run.
 */
TAYBERRY_GUI_API int tayberry_gui_check_diagram(const char *path, char *error, size_t error_size);

#ifdef __cplusplus
}
#endif
