/* SPDX-License-Identifier: MIT */
/*
 * control.c: ioctl: what devices can do beyond reading and writing.
 *
 * A device's function works on kernel memory, so a table says how much memory each request means,
 * and whether it goes in or out. Newer requests have that in their number; the terminal's are from
 * before, and stand in the table. Some make an open file: it gets a number here.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "fs/devfs/gpio/gpiochip.h"
#include "fs/devfs/gpio/old.h"
#include "fs/file.h"
#include "heap/heap.h"
#include "lib/bytes.h"
#include "proc/process.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define WAY_IN 1u  /* the program writes to the device */
#define WAY_OUT 2u /* it reads */
#define NONBLOCK_REQUEST 0x5421u

static const struct {
    uint16_t request;
    uint8_t ways, bytes;
} terminal[] = {
    {0x5401, WAY_OUT, 36},                                       /* TCGETS */
    {0x5402, WAY_IN, 36},                                        /* TCSETS, TCSETSW, TCSETSF */
    {0x5403, WAY_IN, 36},  {0x5404, WAY_IN, 36}, {0x5409, 0, 0}, /* TCSBRK */
    {0x540a, 0, 0},                                              /* TCXONC */
    {0x540b, 0, 0},                                              /* TCFLSH */
    {0x540e, 0, 0},                                              /* TIOCSCTTY */
    {0x540f, WAY_OUT, 4},                                        /* TIOCGPGRP */
    {0x5410, WAY_IN, 4},                                         /* TIOCSPGRP */
    {0x5411, WAY_OUT, 4},                                        /* TIOCOUTQ */
    {0x5413, WAY_OUT, 8},                                        /* TIOCGWINSZ */
    {0x5414, WAY_IN, 8},                                         /* TIOCSWINSZ */
    {0x541b, WAY_OUT, 4},                                        /* FIONREAD */
    {0x5422, 0, 0},                                              /* TIOCNOTTY */
    {0x5424, WAY_OUT, 4},                                        /* TIOCGETD */
    {0x5425, 0, 0},                                              /* TCSBRKP */
    {0x5429, WAY_OUT, 4},                                        /* TIOCGSID */
};

/* Their numbers say that they answer something, and they do not. */
static bool only_sets(uint32_t request)
{
    return request == GPIO_ABI_SET_CONFIG || request == GPIO_ABI_SET_BITS ||
           request == GPIO_OLD_SET_CONFIG || request == GPIO_OLD_SET_VALUES;
}

/* How many bytes the request means, and which ways they go. */
static size_t shape(uint32_t request, unsigned *ways)
{
    for (unsigned i = 0; i < sizeof(terminal) / sizeof(terminal[0]); i++) {
        if (terminal[i].request == request) {
            *ways = terminal[i].ways;
            return terminal[i].bytes;
        }
    }
    *ways = only_sets(request) ? WAY_IN : request >> 30;
    return request >> 16 & 0x3fff;
}

/* ---- requests that open a file ---- */

/* Behind what the program gives, the device finds room for the open file (gpiochip.h). */
static size_t file_place(size_t bytes)
{
    return (bytes + sizeof(struct file *) - 1) / sizeof(struct file *) * sizeof(struct file *);
}

_Static_assert(offsetof(struct gpio_lines_call, file) % sizeof(struct file *) == 0 &&
                   offsetof(struct gpio_old_handle_call, file) % sizeof(struct file *) == 0 &&
                   offsetof(struct gpio_old_edges_call, file) % sizeof(struct file *) == 0,
               "the file is at the next place for a pointer");

static bool opens_file(uint32_t request)
{
    return request == GPIO_ABI_GET_LINES || request == GPIO_OLD_GET_HANDLE ||
           request == GPIO_OLD_GET_EDGES;
}

/* The open file gets a number, which is the last word of what the program gets back. */
static int64_t give_file(struct file *file, uint8_t *argument, size_t bytes, uint64_t address)
{
    struct descriptor_table *files = process_current()->files;
    int number = user_copy_out(address, argument, bytes); /* so it will not fail when it is open */

    if (!number)
        number = descriptor_add(files, file, 0, user_file_limit(), true);
    if (number < 0) {
        file_put(file);
        return number;
    }
    put_le32(argument + bytes - sizeof(uint32_t), (uint32_t)number);
    return user_copy_out(address, argument, bytes);
}

/* ---- ioctl ---- */

static int64_t ask_device(struct file *file, uint32_t request, uint64_t address)
{
    unsigned ways;
    size_t bytes = shape(request, &ways), place = file_place(bytes);
    uint8_t *argument;
    int64_t result = 0;

    if (!file->vnode->ops->ioctl)
        return -ENOTTY;
    argument = kcalloc(1, place + sizeof(struct file *));
    if (!argument)
        return -ENOMEM;
    if (ways & WAY_IN)
        result = user_copy_in(argument, address, bytes);
    if (!result)
        result = file_ioctl(file, request, bytes > 0 ? argument : (void *)(uintptr_t)address);
    if (result >= 0 && opens_file(request)) {
        struct file **made = (struct file **)(void *)(argument + place);

        result = give_file(*made, argument, bytes, address);
    } else if (result >= 0 && (ways & WAY_OUT)) {
        int error = user_copy_out(address, argument, bytes);

        result = error ? error : result;
    }
    kfree(argument);
    return result;
}

static int64_t set_nonblock(struct file *file, uint64_t address)
{
    int32_t on;
    int error = user_copy_in(&on, address, sizeof(on));

    if (error)
        return error;
    mutex_lock(&file->mutex);
    file->flags = on ? file->flags | FILE_NONBLOCK : file->flags & ~(unsigned)FILE_NONBLOCK;
    mutex_unlock(&file->mutex);
    return 0;
}

int64_t sys_ioctl(const struct sys_args *args)
{
    struct file *file = user_file(args->value[0]);
    uint32_t request = (uint32_t)args->value[1];
    int64_t result;

    if (!file)
        return -EBADF;
    if (request == NONBLOCK_REQUEST)
        result = set_nonblock(file, args->value[2]);
    else
        result = ask_device(file, request, args->value[2]);
    file_put(file);
    return result;
}
