/* SPDX-License-Identifier: MIT */
/*
 * console.c: the names of the terminal: tty, console and ttyAMA0 (tty/terminal/terminal.h).
 */
#include "fs/devfs/device.h"
#include "fs/devfs/nodes.h"
#include "tty/terminal/terminal.h"

#include <hal/kstate.h>

#define NAMES 3u

/* The number says which one it is. */
static const struct {
    const char *name;
    uint64_t number;
    uint16_t mode;
} names[NAMES] = {
    [TERMINAL_OWN] = {"tty", DEVICE_NUMBER(5, 0), 0666},
    [TERMINAL_CONSOLE] = {"console", DEVICE_NUMBER(5, 1), 0600},
    [TERMINAL_LINE] = {"ttyAMA0", DEVICE_NUMBER(204, 64), 0600},
};

static KSTATE struct device devices[NAMES];

static enum terminal_name name_of(const struct device *device)
{
    return (enum terminal_name)(device - devices);
}

static int console_open(const struct device *device, struct file *file)
{
    return terminal_open(name_of(device), file);
}

static int64_t console_read(const struct device *device, struct file *file, uint64_t offset,
                            void *data, size_t n)
{
    (void)offset;
    return terminal_read(name_of(device), file, data, n);
}

static int64_t console_write(const struct device *device, struct file *file, uint64_t offset,
                             const void *data, size_t n)
{
    (void)offset;
    return terminal_write(name_of(device), file, data, n);
}

static int console_ioctl(const struct device *device, struct file *file, unsigned request,
                         void *argument)
{
    (void)device;
    return terminal_ioctl(file, request, argument);
}

static unsigned console_poll(const struct device *device, struct file *file,
                             struct poll_waiter *waiter)
{
    (void)device;
    return terminal_poll(file, waiter);
}

void nodes_register_console(void)
{
    static const struct device_ops ops = {.open = console_open,
                                          .read = console_read,
                                          .write = console_write,
                                          .ioctl = console_ioctl,
                                          .poll = console_poll};

    for (unsigned i = 0; i < NAMES; i++)
        device_setup(&devices[i], names[i].name, VNODE_CHARACTER, names[i].number, names[i].mode,
                     &ops);
}
