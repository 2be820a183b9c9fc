/* SPDX-License-Identifier: MIT */
/*
 * window.c: the only file that knows SDL. It shows the panel's canvas and brings it mouse and keys.
 *
 * Sixty times a second: events, a frame of the panel, and what changed goes to the screen. SDL is
 * never asked to wait for the machine. While a contact bounces, the loop turns every 0.2 ms, so
 * that its edges come when they should. The host's signals are blocked while SDL starts, because
 * threads that it makes would otherwise be given the ones that are the machine's interrupts.
 *
 * Keys: what is typed goes to the terminal, except F4 .. F10 and F12, which are the tool bar's, F11
 * and Shift+F10, which are the timeline's while it is shown, keys
 * of push buttons (with the left Alt, unless they are function keys), Shift+Page Up and Down, which
 * scroll back, and Ctrl+Shift+C and V.
 */
#include "tayberry_gui.h"

#include <SDL.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "diagram/diagram.h"
#include "panel.h"

#define WINDOW_FRAME (UINT64_C(1000000000) / 60)
#define WINDOW_BOUNCE UINT64_C(200000)

struct window {
    struct tayberry_gui_options options; /* with defaults filled in */
    struct tb_machine *machine;
    struct panel *panel;
    SDL_Window *window;
    bool closed; /* by the person */
    bool show_all;
};

static uint64_t window_host_time(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int window_fail(const struct window *window, int code, const char *what, const char *why)
{
    if (window->options.error && window->options.error_size)
        snprintf(window->options.error, window->options.error_size, "%s%s%s", what,
                 why[0] ? ": " : "", why);
    return code;
}

/* ---- opening and closing ---- */

static int window_take_options(struct window *window, const struct tayberry_gui_options *options)
{
    struct tayberry_gui_options *mine = &window->options;
    size_t least = offsetof(struct tayberry_gui_options, diagram);

    if (!options || options->size < least)
        return -EINVAL;
    memcpy(mine, options, options->size < sizeof(*mine) ? options->size : sizeof(*mine));
    mine->title = mine->title ? mine->title : "Tayberry";
    mine->scale = mine->scale ? mine->scale : 1;
    mine->width = mine->width ? mine->width : 1280 * mine->scale;
    mine->height = mine->height ? mine->height : 800 * mine->scale;
    if (mine->scale > 2)
        return window_fail(window, -EINVAL, "the window's scale must be 1 or 2", "");
    if (mine->width < 320 || mine->height < 240 || mine->width > 16384 || mine->height > 16384)
        return window_fail(window, -EINVAL,
                           "the window's size must be from 320 x 240 to 16384 x 16384", "");
    if (mine->speed < 0 || isnan(mine->speed))
        return window_fail(window, -EINVAL, "the speed must be above 0", "");
    if (mine->screenshot_text && strlen(mine->screenshot_text) > 1000)
        return window_fail(window, -EINVAL, "the screenshot's text is longer than 1,000 bytes", "");
    return 0;
}

/* SDL starts with all signals blocked, and its threads keep it so. */
static int window_open(struct window *window)
{
    const struct tayberry_gui_options *options = &window->options;
    Uint32 flags = SDL_WINDOW_RESIZABLE | (options->hidden ? SDL_WINDOW_HIDDEN : 0);
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
    SDL_SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0");
    if (options->hidden)
        SDL_SetHintWithPriority(SDL_HINT_VIDEODRIVER, "dummy", SDL_HINT_OVERRIDE);
    else /* Without a screen SDL would go on to drivers whose windows nobody can see. */
        SDL_SetHint(SDL_HINT_VIDEODRIVER, "x11,wayland");
    SDL_SetMainReady();
    if (SDL_Init(SDL_INIT_VIDEO) == 0)
        window->window =
            SDL_CreateWindow(options->title, SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED,
                             (int)options->width, (int)options->height, flags);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!window->window)
        return window_fail(window, -ENODEV, "no window can be opened", SDL_GetError());
    SDL_SetWindowMinimumSize(window->window, 480, 360);
    SDL_StartTextInput();
    return 0;
}

static void window_close(struct window *window)
{
    panel_destroy(window->panel);
    if (window->window)
        SDL_DestroyWindow(window->window);
    SDL_Quit();
    if (window->options.hidden)
        SDL_ResetHint(SDL_HINT_VIDEODRIVER);
}

/* ---- keys ---- */

static const struct {
    SDL_Keycode sym;
    enum terminal_key key;
} window_keys[] = {
    {SDLK_UP, TERMINAL_UP},          {SDLK_DOWN, TERMINAL_DOWN},
    {SDLK_LEFT, TERMINAL_LEFT},      {SDLK_RIGHT, TERMINAL_RIGHT},
    {SDLK_HOME, TERMINAL_HOME},      {SDLK_END, TERMINAL_END},
    {SDLK_PAGEUP, TERMINAL_PAGE_UP}, {SDLK_PAGEDOWN, TERMINAL_PAGE_DOWN},
    {SDLK_INSERT, TERMINAL_INSERT},  {SDLK_DELETE, TERMINAL_DELETE},
};

/* Keys that send one byte, whatever else is held. */
static const struct {
    SDL_Keycode sym;
    char byte;
} window_bytes[] = {
    {SDLK_RETURN, '\r'}, {SDLK_KP_ENTER, '\r'}, {SDLK_BACKSPACE, '\x7f'},
    {SDLK_TAB, '\t'},    {SDLK_ESCAPE, '\x1b'},
};

static enum panel_command window_find_command(SDL_Keycode sym)
{
    static const SDL_Keycode keys[PANEL_COMMANDS] = {SDLK_F5, SDLK_F6, SDLK_F7,  SDLK_F8,
                                                     SDLK_F4, SDLK_F9, SDLK_F10, SDLK_F12};
    unsigned command = 0;

    while (command < PANEL_COMMANDS && keys[command] != sym)
        command++;
    return (enum panel_command)command;
}

static void window_type(struct window *window, const char *bytes, size_t n)
{
    terminal_type(panel_terminal(window->panel), bytes, n);
}

/* A key of a push button: "F1", or with the left Alt a character. True when it was one. */
static bool window_push_button(struct window *window, const SDL_Keysym *key, bool down)
{
    char name[4] = "";

    if (key->sym >= SDLK_F1 && key->sym <= SDLK_F12)
        snprintf(name, sizeof(name), "F%d", (int)(key->sym - SDLK_F1) + 1);
    else if (key->sym > ' ' && key->sym < 0x7f && ((key->mod & KMOD_LALT) || !down))
        name[0] = (char)key->sym;
    else
        return false;
    return panel_key(window->panel, name, down);
}

static void window_paste(struct window *window, char *text)
{
    if (text)
        window_type(window, text, strlen(text));
    SDL_free(text);
}

static void window_copy(struct window *window)
{
    char *text = terminal_copy_marked(panel_terminal(window->panel));

    if (text)
        SDL_SetClipboardText(text);
    free(text);
}

/* Ctrl with a letter is a control character; Ctrl+Shift+C and V copy and paste. */
static bool window_control_key(struct window *window, const SDL_Keysym *key)
{
    char byte;

    if (!(key->mod & KMOD_CTRL))
        return false;
    if ((key->mod & KMOD_SHIFT) && key->sym == SDLK_c) {
        window_copy(window);
        return true;
    }
    if ((key->mod & KMOD_SHIFT) && key->sym == SDLK_v) {
        window_paste(window, SDL_GetClipboardText());
        return true;
    }
    if (key->sym == SDLK_SPACE)
        byte = 0;
    else if ((key->sym >= SDLK_a && key->sym <= SDLK_z) ||
             (key->sym >= SDLK_LEFTBRACKET && key->sym <= SDLK_RIGHTBRACKET))
        byte = (char)(key->sym & 0x1f);
    else
        return false;
    window_type(window, &byte, 1);
    return true;
}

static unsigned window_modifiers(const SDL_Keysym *key)
{
    return (key->mod & KMOD_SHIFT ? TERMINAL_SHIFT : 0) |
           (key->mod & KMOD_CTRL ? TERMINAL_CONTROL : 0) | (key->mod & KMOD_ALT ? TERMINAL_ALT : 0);
}

static bool window_special_key(struct window *window, const SDL_Keysym *key)
{
    struct terminal *terminal = panel_terminal(window->panel);
    bool page = key->sym == SDLK_PAGEUP || key->sym == SDLK_PAGEDOWN;

    if (page && (key->mod & KMOD_SHIFT)) {
        int lines = (int)terminal_rows(terminal) - 1;
        terminal_scroll(terminal, key->sym == SDLK_PAGEUP ? lines : -lines);
        return true;
    }
    for (size_t i = 0; i < sizeof(window_bytes) / sizeof(window_bytes[0]); i++) {
        if (window_bytes[i].sym == key->sym) {
            window_type(window, &window_bytes[i].byte, 1);
            return true;
        }
    }
    for (size_t i = 0; i < sizeof(window_keys) / sizeof(window_keys[0]); i++) {
        if (window_keys[i].sym == key->sym) {
            terminal_press(terminal, window_keys[i].key, window_modifiers(key));
            return true;
        }
    }
    return false;
}

/* F11 zooms the timeline, with Shift the other way; Shift+F10 holds it. */
static bool window_timeline_key(struct window *window, const SDL_Keysym *key)
{
    struct timeline *timeline = panel_timeline(window->panel);
    bool shift = key->mod & KMOD_SHIFT;

    if (panel_area(window->panel, PANEL_TIMELINE).height == 0)
        return false;
    if (key->sym == SDLK_F11)
        timeline_zoom(timeline, shift ? -1 : 1);
    else if (key->sym == SDLK_F10 && shift)
        timeline_hold(timeline);
    else
        return false;
    return true;
}

static void window_key_down(struct window *window, const SDL_KeyboardEvent *event)
{
    const SDL_Keysym *key = &event->keysym;
    enum panel_command command = window_find_command(key->sym);

    if (window_timeline_key(window, key))
        return;
    if (command != PANEL_COMMANDS) {
        if (!event->repeat || command == PANEL_STEP)
            panel_command(window->panel, command);
        return;
    }
    if (window_push_button(window, key, true))
        return;
    if (window_special_key(window, key) || window_control_key(window, key))
        return;
    if (key->sym >= SDLK_F1 && key->sym <= SDLK_F12)
        terminal_press(panel_terminal(window->panel),
                       (enum terminal_key)(TERMINAL_F1 + (key->sym - SDLK_F1)),
                       window_modifiers(key));
}

/* ---- events ---- */

static void window_resize(struct window *window, int width, int height)
{
    const struct canvas *canvas = panel_canvas(window->panel);

    if (width > 0 && height > 0 && (width != canvas->width || height != canvas->height))
        panel_resize(window->panel, width, height);
    window->show_all = true;
}

static void window_event(struct window *window, const SDL_WindowEvent *event)
{
    if (event->event == SDL_WINDOWEVENT_SIZE_CHANGED)
        window_resize(window, event->data1, event->data2);
    else if (event->event == SDL_WINDOWEVENT_EXPOSED)
        window->show_all = true;
    else if (event->event == SDL_WINDOWEVENT_FOCUS_LOST)
        panel_release(window->panel);
}

static void window_mouse(struct window *window, const SDL_MouseButtonEvent *event)
{
    if (event->button == SDL_BUTTON_LEFT)
        panel_touch(window->panel, event->x, event->y,
                    event->type == SDL_MOUSEBUTTONDOWN ? PANEL_DOWN : PANEL_UP);
    else if (event->button == SDL_BUTTON_MIDDLE && event->type == SDL_MOUSEBUTTONDOWN)
        window_paste(window, SDL_GetPrimarySelectionText());
}

static void window_wheel(struct window *window, const SDL_MouseWheelEvent *event)
{
    panel_wheel(window->panel, event->mouseX, event->mouseY, 3 * event->y);
}

/* What is typed with Alt is for the push buttons, and what is typed with Ctrl has been sent. */
static void window_text(struct window *window, const char *text)
{
    if (!(SDL_GetModState() & (KMOD_LALT | KMOD_CTRL)))
        window_type(window, text, strlen(text));
}

static void window_handle(struct window *window, const SDL_Event *event)
{
    switch (event->type) {
    case SDL_QUIT:
        window->closed = true;
        break;
    case SDL_WINDOWEVENT:
        window_event(window, &event->window);
        break;
    case SDL_KEYDOWN:
        window_key_down(window, &event->key);
        break;
    case SDL_KEYUP:
        window_push_button(window, &event->key.keysym, false);
        break;
    case SDL_TEXTINPUT:
        window_text(window, event->text.text);
        break;
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP:
        window_mouse(window, &event->button);
        break;
    case SDL_MOUSEMOTION:
        panel_hover(window->panel, event->motion.x, event->motion.y);
        if (event->motion.state & SDL_BUTTON_LMASK)
            panel_touch(window->panel, event->motion.x, event->motion.y, PANEL_DRAG);
        break;
    case SDL_MOUSEWHEEL:
        window_wheel(window, &event->wheel);
        break;
    default:
        break;
    }
}

/* ---- the loop ---- */

/* Brings the areas in the set `changed` to the screen. A window that cannot be drawn is left as is.
 */
static void window_show(struct window *window, unsigned changed)
{
    const struct canvas *canvas = panel_canvas(window->panel);
    SDL_Surface *screen = SDL_GetWindowSurface(window->window);
    SDL_Surface *picture =
        SDL_CreateRGBSurfaceWithFormatFrom(canvas->pixels, canvas->width, canvas->height, 32,
                                           canvas->width * 4, SDL_PIXELFORMAT_RGB888);
    SDL_Rect rects[PANEL_AREAS];
    int count = 0;

    for (unsigned area = 0; area < PANEL_AREAS; area++) {
        struct rect rect = panel_area(window->panel, (enum panel_area)area);
        if (changed >> area & 1)
            rects[count++] = (SDL_Rect){rect.x, rect.y, rect.width, rect.height};
    }
    for (int i = 0; screen && picture && i < count; i++) {
        SDL_Rect target = rects[i];
        SDL_BlitSurface(picture, &rects[i], screen, &target);
        rects[i] = target;
    }
    if (screen && picture && count > 0)
        SDL_UpdateWindowSurfaceRects(window->window, rects, count);
    SDL_FreeSurface(picture);
}

/* Handles events until the next frame is due; bounces contacts meanwhile. */
static void window_wait(struct window *window, uint64_t until)
{
    const struct timespec bounce = {0, (long)WINDOW_BOUNCE};
    SDL_Event event;

    for (;;) {
        uint64_t now = window_host_time();
        bool got;

        if (now >= until || window->closed)
            return;
        if (panel_busy(window->panel)) {
            panel_contacts(window->panel);
            nanosleep(&bounce, NULL);
            got = SDL_PollEvent(&event);
        } else {
            got = SDL_WaitEventTimeout(&event, (int)((until - now) / 1000000 + 1));
        }
        if (got)
            window_handle(window, &event);
    }
}

static bool window_is_paced(const struct window *window)
{
    return !window->options.hidden || window->options.clock == TB_CLOCK_REAL;
}

static void window_loop(struct window *window)
{
    uint64_t next = window_host_time();
    SDL_Event event;

    for (;;) {
        unsigned changed = panel_frame(window->panel);

        window_show(window, window->show_all ? ~0u : changed);
        window->show_all = false;
        if (panel_done(window->panel) ||
            (window->options.poll && window->options.poll(window->options.context)))
            return;
        while (!window->closed && SDL_PollEvent(&event))
            window_handle(window, &event);
        next += WINDOW_FRAME;
        if (next < window_host_time())
            next = window_host_time();
        if (window_is_paced(window))
            window_wait(window, next);
        if (window->closed)
            return;
    }
}

uint32_t tayberry_gui_version(void)
{
    return TAYBERRY_GUI_VERSION;
}

int tayberry_gui_run(struct tb_machine *machine, const struct tayberry_gui_options *options)
{
    struct window window = {.machine = machine, .show_all = true};
    int result = window_take_options(&window, options);

    if (result)
        return result;
    result = panel_create(machine, &window.options, window_host_time, &window.panel);
    if (result)
        return result;
    result = window_open(&window);
    if (result == 0) {
        window_loop(&window);
        result = panel_finish_screenshot(window.panel);
    }
    if (result == 0) {
        result = window.closed ? 0 : 1;
        if (window.closed)
            tb_power_cut(machine);
    }
    window_close(&window);
    return result;
}

int tayberry_gui_check_diagram(const char *path, char *error, size_t error_size)
{
    struct diagram_error why = {""};
    struct diagram *diagram = NULL;
    int result = diagram_read(path, &diagram, &why);

    diagram_free(diagram);
    if (error && error_size)
        snprintf(error, error_size, "%s", why.text);
    return result;
}
