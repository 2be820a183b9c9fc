/* SPDX-License-Identifier: MIT */
/*
 * console.c: tty and console, which are both the console: there is one terminal.
 *
 * Lines are read as the line discipline makes them. The console's input belongs to whoever the
 * shell waits for: nobody else should read here, and one at a time does.
 */
#include "fs/devfs/device.h"
#include "fs/devfs/nodes.h"
#include "fs/file.h"
#include "sync/mutex.h"
#include "tty/tty.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/time.h>

#define TTY_MAJOR 5

static KSTATE struct mutex reading;
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

static int console_open(const struct device *device, struct file *file)
{
    (void)device;
    if ((file->flags & FILE_ACCESS) != FILE_WRITE_ONLY)
        tty_set_mode(TTY_CANONICAL);
    return 0;
}

static const struct device_ops ops = {
    .open = console_open, .read = console_read, .write = console_write};

void nodes_register_console(void)
{
    mutex_init(&reading);
    device_setup(&tty, "tty", VNODE_CHARACTER, DEVICE_NUMBER(TTY_MAJOR, 0), 0666, &ops);
    device_setup(&console, "console", VNODE_CHARACTER, DEVICE_NUMBER(TTY_MAJOR, 1), 0600, &ops);
}
