/* SPDX-License-Identifier: MIT */
/*
 * run.c: run a Linux program on the console, and wait for it.
 */
#include "fs/file.h"
#include "proc/program/spawn.h"
#include "proc/wait.h"
#include "shell/commands/command.h"
#include "thread/thread.h"
#include "tty/tty.h"

#include <hal/errno.h>
#include <hal/user.h>

#define TERMINAL "/dev/ttyAMA0"

/* What init would give. */
static const char *const environment[] = {"HOME=/", "PATH=/bin:/sbin:/usr/bin:/usr/sbin",
                                          "TERM=linux", "USER=root", NULL};

static void print_ending(const struct process_ending *ending)
{
    unsigned signal = ending->status & 0x7f;

    if (signal != 0)
        tty_print("process %u: ended by signal %u\n", ending->pid, signal);
    else
        tty_print("process %u: status %u\n", ending->pid, ending->status >> 8);
}

/* Ctrl-C is for the group of the program. */
static void interrupt(const struct process *process)
{
    process_lock();
    (void)signal_send_group(process->group, SIGNAL_INT, NULL);
    process_unlock();
    thread_uncancel();
}

static void await(struct process *process)
{
    struct process_ending ending;

    while (process_wait_kernel(process, false, &ending) == -EINTR)
        interrupt(process);
    print_ending(&ending);
}

/* Says why a program could not be started. */
static void print_error(const char *path, int error)
{
    if (error == -ENOEXEC)
        command_error("%s: no program for this machine", path);
    else if (error == -EACCES)
        command_error("%s: not marked as a program, or no file", path);
    else
        command_error("%s: %s", path, command_error_text(error));
}

/*
 * In the foreground the program has the terminal as its own, with its keys, until it ends. In the
 * background it may write there, and no more.
 */
static int spawn(const struct job *job, struct process_start *start, struct process **process)
{
    struct file *line;
    int error;

    if (job->number != 0)
        return process_spawn(start, process);
    error = file_open(NULL, TERMINAL, FILE_READ_WRITE, 0, &line);
    if (error)
        return error;
    tty_set_mode(TTY_PROGRAMS);
    start->files = (struct file *const[]){line, line, line};
    start->terminal = tty_terminal();
    error = process_spawn(start, process);
    file_put(line);
    return error;
}

void command_run(struct job *job)
{
    struct process_start start = {.environment = environment};
    const char *refusal = hal_user_refusal();
    struct process *process;
    int error;

    if (job->args.count < 2) {
        command_usage(job, "which program?");
        return;
    }
    if (refusal) {
        command_error("this machine cannot run programs: %s", refusal);
        return;
    }
    start.path = job->args.words[1];
    start.arguments = (const char *const *)job->args.words + 1;
    start.directory = job->base;
    error = spawn(job, &start, &process);
    if (error)
        print_error(job->args.words[1], error);
    else
        await(process);
}
