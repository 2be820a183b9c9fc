/* SPDX-License-Identifier: MIT */
/*
 * first.c: the way into user space.
 *
 *     init=PROGRAM    that program is process 1
 *     init=kshell     none: the kernel's own shell
 *     (nothing)       /sbin/init if there is one, as on a card with an archive; else the shell
 *
 * Whatever goes wrong, somebody who looks at the console reads why, and gets the kernel's shell: a
 * machine without process 1 is one to be repaired, not a dead one. What process 1 leaves behind is
 * ended first, since the shell would have to share the console with it.
 */
#include "boot/user/first.h"

#include "boot/cmdline.h"
#include "fs/vfs.h"
#include "lib/log.h"
#include "lib/string.h"
#include "proc/program/spawn.h"
#include "proc/wait.h"
#include "thread/thread.h"
#include "tty/tty.h"

#include <hal/errno.h>
#include <hal/user.h>

#define FIRST_PID 1u
#define PATH_DEFAULT "/sbin/init"
#define NO_PROGRAM "kshell"
#define PATH_BYTES 128u
#define PATIENCE 200u   /* how often it is looked whether all processes have ended */
#define PAUSE 10000000u /* ns between two looks */
#define SHELL_FOLLOWS "here is the kernel's shell"

static const char *const environment[] = {"HOME=/", "TERM=linux",
                                          "PATH=/bin:/sbin:/usr/bin:/usr/sbin", NULL};

/* Whether there is anything at `path`; want of memory is told. */
static bool is_there(const char *path)
{
    struct vnode *vnode;
    int error = vfs_find(NULL, path, 0, &vnode);

    if (error == -ENOMEM)
        klog(KLOG_WARNING, "boot: out of memory: no room to look for %s", path);
    if (error)
        return false;
    vnode_put(vnode);
    return true;
}

/* The program to be started; false: none is. */
static bool find_program(char *path, size_t size)
{
    if (!cmdline_value("init", path, size)) {
        string_copy(path, size, PATH_DEFAULT);
        return is_there(path);
    }
    return path[0] && !string_equal(path, NO_PROGRAM);
}

static void say_start_error(const char *path, int error)
{
    const char *why = error == -ENOENT    ? "it is not there"
                      : error == -ENOEXEC ? "it is no program for this machine"
                      : error == -EACCES  ? "it is not marked as a program"
                      : error == -ENOMEM  ? "out of memory"
                                          : "it cannot be started";

    klog(KLOG_ERROR, "boot: init=%s: %s (error %d)", path, why, -error);
    klog(KLOG_ERROR, "boot: " SHELL_FOLLOWS);
}

static void say_ending(const char *path, const struct process_ending *ending)
{
    unsigned signal = ending->status & 0x7f;

    tty_drain(); /* the log goes past what is still on its way */
    if (signal != 0)
        klog(KLOG_ERROR, "boot: %s, process 1, was ended by signal %u", path, signal);
    else
        klog(KLOG_ERROR, "boot: %s, process 1, has ended with status %u", path,
             ending->status >> 8);
    klog(KLOG_ERROR, "boot: all other processes are ended; " SHELL_FOLLOWS);
}

/* Ends all processes there are; true when there are none. */
static bool end_all(void)
{
    struct process *process;

    process_lock();
    process = process_from(0);
    for (struct process *next = process; next; next = process_from(next->pid + 1)) {
        if (next->state == PROCESS_ALIVE)
            process_end(next, SIGNAL_KILL);
    }
    process_unlock();
    return !process;
}

static void end_all_and_wait(void)
{
    for (unsigned i = 0; i < PATIENCE; i++) {
        if (end_all() || thread_sleep(PAUSE))
            return;
    }
    klog(KLOG_WARNING, "boot: some processes do not end");
}

void first_program_run(void)
{
    char path[PATH_BYTES];
    const char *const arguments[] = {path, NULL};
    const struct process_start start = {
        .path = path, .arguments = arguments, .environment = environment, .pid = FIRST_PID};
    struct process_ending ending;
    struct process *process;
    int error;

    if (!find_program(path, sizeof(path)))
        return;
    if (hal_user_refusal()) {
        klog(KLOG_ERROR, "boot: no programs: %s", hal_user_refusal());
        return;
    }
    tty_set_mode(TTY_PROGRAMS);
    error = process_spawn(&start, &process);
    if (error) {
        say_start_error(path, error);
        return;
    }
    while (process_wait_kernel(process, true, &ending))
        continue;
    say_ending(path, &ending);
    end_all_and_wait();
}
