/* SPDX-License-Identifier: MIT */
/*
 * exec.c: one program, and the end.
 *
 * /.exec has strings, each with its NUL: how many arguments there are, the directory to begin in,
 * the program's path, the arguments, the environment.
 */
#include "boot/user/exec.h"

#include "boot/cmdline.h"
#include "dev/stream/stream.h"
#include "fs/file.h"
#include "fs/vfs.h"
#include "heap/heap.h"
#include "lib/format.h"
#include "lib/log.h"
#include "lib/string.h"
#include "proc/program/spawn.h"
#include "proc/program/strings.h"
#include "proc/wait.h"

#include <hal/board.h>
#include <hal/errno.h>
#include <hal/stream.h>
#include <hal/user.h>

#define PLAN "/.exec"
#define PLAN_MAX (2 * PROGRAM_STRINGS_MAX)
#define STATUS_NOT_THERE 127
#define STATUS_CANNOT 126
#define STATUS_SIGNAL 128u

/* The file's content, and pointers into it. */
struct plan {
    char *text;
    const char **words; /* arguments, NULL, environment, NULL */
    const char *directory, *path;
    const char *const *environment;
};

static int64_t read_text(char *text, size_t size)
{
    struct file *file;
    int64_t n = file_open(NULL, PLAN, FILE_READ_ONLY, 0, &file);

    if (n)
        return n;
    n = file_read(file, text, size - 1);
    file_put(file);
    if (n >= 0)
        text[n] = '\0';
    return n;
}

static const char *next(const char **at)
{
    const char *word = *at;

    *at += string_length(word) + 1;
    return word;
}

/* Sets the pointers into `n` bytes of text. */
static int parse(struct plan *plan, size_t n)
{
    const char *at = plan->text, *end = plan->text + n, *rest;
    uint64_t arguments, count = 0;
    size_t strings = 2;

    for (size_t i = 0; i < n; i++)
        strings += plan->text[i] == '\0';
    plan->words = kcalloc(strings, sizeof(*plan->words));
    if (!plan->words)
        return -ENOMEM;
    if (string_to_u64(next(&at), &arguments, &rest) || *rest || at >= end ||
        arguments + 2 > strings)
        return -EINVAL;
    plan->directory = next(&at);
    plan->path = at < end ? next(&at) : "";
    for (; count < arguments && at < end; count++)
        plan->words[count] = next(&at);
    plan->environment = plan->words + count + 1;
    for (count++; at < end; count++)
        plan->words[count] = next(&at);
    return 0;
}

static int read_plan(struct plan *plan)
{
    int64_t n;

    *plan = (struct plan){.text = kmalloc(PLAN_MAX)};
    if (!plan->text)
        return -ENOMEM;
    n = read_text(plan->text, PLAN_MAX);
    return n < 0 ? (int)n : parse(plan, (size_t)n);
}

static void free_plan(struct plan *plan)
{
    kfree(plan->text);
    kfree(plan->words);
}

static int spawn(const struct plan *plan, struct process **process)
{
    struct process_start start = {
        .path = plan->path, .arguments = plan->words, .environment = plan->environment};
    struct file *files[3];
    int error = vfs_find(NULL, plan->directory, 0, &start.directory);

    if (error)
        return error;
    error = stream_open_all(files);
    if (!error) {
        start.files = files;
        error = process_spawn(&start, process);
        for (unsigned i = 0; i < 3; i++)
            file_put(files[i]);
    }
    vnode_put(start.directory);
    return error;
}

/* Why there is no program, to who waits for its output. */
static int say_error(const char *path, int error)
{
    const char *why = error == -ENOENT    ? "it is not there"
                      : error == -ENOEXEC ? "it is no static program for this machine"
                      : error == -EACCES  ? "it is not marked as a program"
                      : error == -ENOMEM  ? "out of memory"
                                          : "it cannot be started";
    char text[256];
    size_t n = format_text(text, sizeof(text), "tayberry: %.128s: %s\n", path, why);

    (void)!hal_stream_write(HAL_STREAM_ERRORS, text, n);
    return error == -ENOENT ? STATUS_NOT_THERE : STATUS_CANNOT;
}

static int run(void)
{
    struct process_ending ending;
    struct process *process;
    struct plan plan;
    int error = read_plan(&plan), status;

    if (!error && hal_user_refusal())
        error = -ENOTSUP;
    if (!error)
        error = spawn(&plan, &process);
    status = error ? say_error(plan.path ? plan.path : PLAN, error) : 0;
    if (!error) {
        while (process_wait_kernel(process, true, &ending))
            continue;
        status = (int)((ending.status & 0x7f) ? STATUS_SIGNAL + (ending.status & 0x7f)
                                              : ending.status >> 8);
    }
    free_plan(&plan);
    return status;
}

void exec_run_and_stop(void)
{
    if (!cmdline_flag("exec"))
        return;
    if (!hal_stream_is_there()) {
        klog(KLOG_WARNING, "boot: exec: nobody runs this machine who has streams");
        return;
    }
    hal_board_stop(HAL_STOP_POWER_OFF, run());
}
