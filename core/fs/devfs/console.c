/* SPDX-License-Identifier: MIT */
/*
 * console.c: tty and console, which are both the console: there is one terminal.
 *
 * Lines are read as the line discipline makes them. The console's input belongs to whoever the
 * shell waits for: nobody else should read here, and one at a time does.
 *
 * Programs ask for the terminal's settings, and set them (Linux's struct termios). All are kept; of
 * them, one counts by now: whether input comes by lines or byte by byte.
 */
#include "fs/devfs/device.h"
#include "fs/devfs/nodes.h"
#include "fs/file.h"
#include "ipc/poll.h"
#include "lib/bytes.h"
#include "sync/mutex.h"
#include "tty/tty.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>
#include <hal/time.h>

#define TTY_MAJOR 5

#define SETTINGS_BYTES 36u
#define LOCAL_MODES 12u /* where they are in struct termios */
#define BY_LINES 2u     /* ICANON, one of them */
#define WINDOW_BYTES 8u

enum {
    GET_SETTINGS = 0x5401,
    SET_SETTINGS = 0x5402,
    SET_SETTINGS_DRAINED = 0x5403,
    SET_SETTINGS_FLUSHED = 0x5404,
    GET_WINDOW = 0x5413,
    SET_WINDOW = 0x5414
};

static KSTATE struct mutex reading;
static KSTATE struct terminal {
    struct mutex mutex; /* guards the rest */
    uint8_t settings[SETTINGS_BYTES];
    uint8_t window[WINDOW_BYTES]; /* struct winsize */
} terminal;
static KSTATE struct device tty, console;

static int64_t console_read(const struct device *device, struct file *file, uint64_t offset,
                            void *data, size_t n)
{
    bool wait = !(file->flags & FILE_NONBLOCK);
    int64_t result;

    (void)device, (void)offset;
    if (!mutex_trylock(&reading))
        return -EBUSY;
    result = tty_read(data, n, wait ? HAL_TIME_NEVER : 0);
    mutex_unlock(&reading);
    return result == -ETIMEDOUT ? -EAGAIN : result;
}

static int64_t console_write(const struct device *device, struct file *file, uint64_t offset,
                             const void *data, size_t n)
{
    (void)device, (void)file, (void)offset;
    tty_write(data, n);
    return (int64_t)n;
}

/* Has the terminal do what the settings say. Caller holds the mutex. */
static void obey_settings(void)
{
    bool by_lines = le32(terminal.settings + LOCAL_MODES) & BY_LINES;

    tty_set_mode(by_lines ? TTY_CANONICAL : TTY_RAW);
}

static int console_open(const struct device *device, struct file *file)
{
    (void)device;
    if ((file->flags & FILE_ACCESS) == FILE_WRITE_ONLY)
        return 0;
    mutex_lock(&terminal.mutex);
    obey_settings();
    mutex_unlock(&terminal.mutex);
    return 0;
}

/* With the mutex held. */
static int answer(unsigned request, void *argument)
{
    switch (request) {
    case GET_SETTINGS:
        memcpy(argument, terminal.settings, SETTINGS_BYTES);
        return 0;
    case SET_SETTINGS:
    case SET_SETTINGS_DRAINED:
    case SET_SETTINGS_FLUSHED:
        memcpy(terminal.settings, argument, SETTINGS_BYTES);
        obey_settings();
        return 0;
    case GET_WINDOW:
        memcpy(argument, terminal.window, WINDOW_BYTES);
        return 0;
    case SET_WINDOW:
        memcpy(terminal.window, argument, WINDOW_BYTES);
        return 0;
    default:
        return -ENOTTY;
    }
}

static int console_ioctl(const struct device *device, struct file *file, unsigned request,
                         void *argument)
{
    int result;

    (void)device, (void)file;
    if (request == SET_SETTINGS_DRAINED || request == SET_SETTINGS_FLUSHED)
        tty_drain();
    mutex_lock(&terminal.mutex);
    result = answer(request, argument);
    mutex_unlock(&terminal.mutex);
    return result;
}

static unsigned console_poll(const struct device *device, struct file *file,
                             struct poll_waiter *waiter)
{
    (void)device, (void)file;
    poll_hang(tty_source(), waiter);
    return tty_has_input() ? (unsigned)VNODE_CAN_READ | VNODE_CAN_WRITE : VNODE_CAN_WRITE;
}

/* As Linux has them at first. */
static void set_up_terminal(void)
{
    /* Ctrl-C, Ctrl-\\, DEL, Ctrl-U, Ctrl-D, ...: the order of struct termios. */
    static const uint8_t keys[] = {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22};

    mutex_init(&terminal.mutex);
    put_le32(terminal.settings, 0x500);                /* ICRNL, IXON */
    put_le32(terminal.settings + 4, 5);                /* OPOST, ONLCR */
    put_le32(terminal.settings + 8, 0xbf);             /* 38400 baud, 8 bits, receive */
    put_le32(terminal.settings + LOCAL_MODES, 0x8a3b); /* ISIG, ICANON, ECHO and its kin, IEXTEN */
    memcpy(terminal.settings + 17, keys, sizeof(keys));
    put_le16(terminal.window, 24);
    put_le16(terminal.window + 2, 80);
}

static const struct device_ops ops = {.open = console_open,
                                      .read = console_read,
                                      .write = console_write,
                                      .ioctl = console_ioctl,
                                      .poll = console_poll};

void nodes_register_console(void)
{
    mutex_init(&reading);
    set_up_terminal();
    device_setup(&tty, "tty", VNODE_CHARACTER, DEVICE_NUMBER(TTY_MAJOR, 0), 0666, &ops);
    device_setup(&console, "console", VNODE_CHARACTER, DEVICE_NUMBER(TTY_MAJOR, 1), 0600, &ops);
}
