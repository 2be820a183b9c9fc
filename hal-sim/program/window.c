/* SPDX-License-Identifier: MIT */
/*
 * window.c: finds the module with the window, and runs it.
 *
 * The window lives in a module of its own (sim-gui/tayberry_gui.h), loaded only when it is wanted:
 * a machine without a screen needs no SDL, and start-up does not pay for it. It is looked for in
 * the build tree of this very program first, then where `meson install` puts it.
 */
#include "program.h"

#include "tayberry_gui.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    void *module;
    int (*run)(struct tb_machine *machine, const struct tayberry_gui_options *options);
    int (*check_diagram)(const char *path, char *error, size_t error_size);
    bool panicked; /**< as the window last saw it: closing it cuts the power */
    char error[512];
} window;

/** Loads the module from `path`. */
static bool load_from(const char *path)
{
    if (access(path, F_OK) < 0) {
        if (window.error[0] == '\0')
            snprintf(window.error, sizeof(window.error), "%s is not installed", path);
        return false;
    }
    window.module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (window.module == NULL) {
        snprintf(window.error, sizeof(window.error), "%s", dlerror());
        return false;
    }
    uint32_t (*version)(void);
    *(void **)&version = dlsym(window.module, "tayberry_gui_version");
    *(void **)&window.run = dlsym(window.module, "tayberry_gui_run");
    *(void **)&window.check_diagram = dlsym(window.module, "tayberry_gui_check_diagram");
    if (version == NULL || window.run == NULL || window.check_diagram == NULL ||
        version() != TAYBERRY_GUI_VERSION) {
        snprintf(window.error, sizeof(window.error), "%s is of another version", path);
        window.run = NULL;
        return false;
    }
    return true;
}

const char *window_load(void)
{
    char path[1024];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 64);
    if (window.run != NULL)
        return NULL;
    window.error[0] = '\0';
    if (length > 0) {
        path[length] = '\0';
        char *name = strrchr(path, '/');
        strcpy(name == NULL ? path : name, "/../sim-gui/tayberry-gui.so");
        if (access(path, F_OK) == 0)
            return load_from(path) ? NULL : window.error;
    }
    return load_from(TAYBERRY_MODULE_DIR "/tayberry-gui.so") ? NULL : window.error;
}

const char *window_check_diagram(const char *path)
{
    int result = window.check_diagram(path, window.error, sizeof(window.error));
    return result == 0 ? NULL : window.error;
}

/**
 * What the window's module asks once a frame: is the run over? A panic does not end it: the person
 * at the window wants to read the guest's last words.
 */
static bool window_poll(void *context)
{
    struct tb_machine *machine = context;
    enum tb_state state = tb_state(machine);
    window.panicked = state == TB_PANICKED;
    if (state == TB_POWERED_OFF)
        session_end(END_STOPPED, 0);
    return session_ended(NULL) != END_NONE;
}

/** What the window and the picture have in common. */
static struct tayberry_gui_options common_options(const struct options *options)
{
    window.error[0] = '\0';
    return (struct tayberry_gui_options){
        .size = sizeof(struct tayberry_gui_options),
        .diagram = options->diagram,
        .seed = options->seed,
        .screenshot = options->screenshot,
        .card = options->panels.card,
        .memory = options->panels.memory,
        .timeline = options->panels.timeline,
        .error = window.error,
        .error_size = sizeof(window.error),
    };
}

bool window_run(struct tb_machine *machine, const struct options *options)
{
    struct tayberry_gui_options gui = common_options(options);
    gui.clock = (enum tb_clock)options->clock;
    gui.poll = window_poll;
    gui.context = machine;
    int result = window.run(machine, &gui);
    if (result < 0) {
        terminal_say("no window: %s", window.error[0] != '\0' ? window.error : strerror(-result));
        return false;
    }
    session_end(window.panicked ? END_PANIC : END_LEAVE, 0);
    return true;
}

static bool picture_poll(void *context)
{
    (void)context;
    return true;
}

const char *window_screenshot(struct tb_machine *machine, const struct options *options)
{
    struct tayberry_gui_options gui = common_options(options);
    /* Time stands still while the picture is taken: a virtual clock is not run, a real one paused.
     */
    gui.clock = TB_CLOCK_REAL;
    gui.hidden = true;
    gui.poll = picture_poll;
    if (options->clock == TB_CLOCK_REAL)
        (void)tb_set_speed(machine, 0);
    int result = window.run(machine, &gui);
    if (result >= 0)
        return NULL;
    return window.error[0] != '\0' ? window.error : strerror(-result);
}
