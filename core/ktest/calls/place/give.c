/* SPDX-License-Identifier: MIT */
/*
 * give.c: the open files that a life begins with: one of each kind.
 */
#include "ktest/calls/calls.h"

#include "fs/devfs/gpio/gpiochip.h"
#include "fs/file.h"
#include "ipc/event/alarm.h"
#include "ipc/event/counter.h"
#include "ipc/event/epoll.h"
#include "ipc/unnamed.h"
#include "proc/process.h"

#include <hal/errno.h>

#define PINS 2u /* of each runner's lives */

/* The process gets `file` as `number`; without one, because `error`, it does not. */
static int give(struct process *process, unsigned number, int error, struct file *file)
{
    if (error)
        return error == -ENOMEM ? error : 0; /* another life has made something else of it */
    error = descriptor_set(process->files, file, number, false);
    if (error)
        file_put(file);
    return error;
}

/* Inputs that tell of edges: a change of their pulls makes some. */
static int open_lines(struct calls_runner *runner, struct file **file)
{
    unsigned number = (unsigned)(runner - runner->scene->runner);
    struct gpio_abi_lines request = {.consumer = "calls",
                                     .count = PINS,
                                     .config.flags = GPIO_ABI_INPUT | GPIO_ABI_RISING |
                                                     GPIO_ABI_FALLING | GPIO_ABI_PULL_UP};

    for (unsigned i = 0; i < PINS; i++)
        request.offsets[i] = 4 + PINS * number + i;
    return lines_open(&request, false, file);
}

static int give_pipe(struct process *process)
{
    struct file *ends[2];
    int error = pipe_create_unnamed(true, ends);

    if (error)
        return error;
    error = give(process, CALLS_PIPE, 0, ends[0]);
    if (error)
        file_put(ends[1]);
    return error ? error : give(process, CALLS_PIPE + 1, 0, ends[1]);
}

static int give_special(struct process *process, struct calls_runner *runner)
{
    struct file *file = NULL;
    int error = epoll_open(&file);

    error = give(process, CALLS_EPOLL, error, file);
    if (error)
        return error;
    error = alarm_create(false, FILE_NONBLOCK, &file);
    error = give(process, CALLS_ALARM, error, file);
    if (error)
        return error;
    error = counter_create(1, false, FILE_NONBLOCK, &file);
    error = give(process, CALLS_COUNTER, error, file);
    if (error)
        return error;
    if (runner->scene->rich) {
        error = open_lines(runner, &file);
        error = give(process, CALLS_LINES, error, file);
    }
    return error ? error : give_pipe(process);
}

int calls_give_files(struct process *process, struct calls_runner *runner)
{
    static const struct {
        const char *path;
        unsigned flags;
    } files[] = {{"null", FILE_READ_WRITE},
                 {"null", FILE_READ_WRITE},
                 {"f0", FILE_READ_WRITE | FILE_CREATE},
                 {"f1", FILE_READ_WRITE | FILE_CREATE},
                 {".", FILE_READ_ONLY},
                 {"pins", FILE_READ_WRITE},
                 {"/dev/ttyAMA0", FILE_READ_ONLY | FILE_NONBLOCK},
                 {"disk", FILE_READ_ONLY | FILE_NONBLOCK}}; /* it may be a FIFO by now */
    struct vnode *root = runner->scene->root;
    int error = 0;

    process->directory = vnode_get(root);
    process->files = descriptor_table_create();
    if (!process->files)
        return -ENOMEM;
    for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]) && !error; i++) {
        struct file *file = NULL;

        error = file_open(root, files[i].path, files[i].flags, 0644, &file);
        error = give(process, i, error, file);
    }
    return error ? error : give_special(process, runner);
}
