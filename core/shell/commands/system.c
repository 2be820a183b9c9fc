/* SPDX-License-Identifier: MIT */
/*
 * system.c: the commands about the system as a whole: help and echo, time and log, tests, and the
 * end.
 */
#include "boot/panic.h"
#include "dev/clock.h"
#include "heap/leak.h"
#include "ktest/ktest.h"
#include "fs/mount.h"
#include "lib/format.h"
#include "lib/log.h"
#include "lib/string.h"
#include "shell/commands/command.h"
#include "thread/thread.h"
#include "tty/tty.h"

#include <hal/board.h>
#include <hal/cpu.h>
#include <hal/errno.h>
#include <hal/runtime.h>
#include <hal/time.h>

/* ---- help, echo, clear ---- */

static void help_one(const struct command *command)
{
    tty_print("usage: %s%s%s\n", command->name, command->arguments[0] ? " " : "",
              command->arguments);
    tty_print("%s\n", command->summary);
    if (command->details != NULL)
        tty_print("%s", command->details);
}

static void help_all(void)
{
    const struct command *command;

    for (unsigned i = 0; (command = command_at(i)) != NULL; i++)
        tty_print("%-9s %s\n", command->name, command->summary);
    tty_print(
        "\"help COMMAND\" tells more. A command that ends in & runs in the background; ; parts "
        "commands.\n");
}

void command_help(struct job *job)
{
    if (job->args.count == 1) {
        help_all();
        return;
    }
    for (unsigned i = 1; i < job->args.count; i++) {
        const struct command *command = command_find(job->args.words[i]);

        if (command != NULL)
            help_one(command);
        else
            tty_print("unknown command: %s\n", job->args.words[i]);
    }
}

void command_echo(struct job *job)
{
    unsigned last = job->args.count - 1;

    for (unsigned i = 1; i < last; i++)
        tty_print("%s ", job->args.words[i]);
    tty_print("%s\n", last > 0 ? job->args.words[last] : ""); /* the end of the line with it */
}

void command_clear(struct job *job)
{
    if (command_takes_none(job))
        tty_print("\x1b[H\x1b[2J");
}

/* ---- time and log ---- */

static void date_print(void)
{
    struct calendar c;

    calendar_from_seconds(wall_now(), &c);
    tty_print("%04d-%02d-%02d %02d:%02d:%02d UTC\n", c.year, c.month, c.day, c.hour, c.minute,
              c.second);
    if (!wall_known())
        tty_print("This board has no clock: that is the time since power-on. Set it: date "
                  "YYYY-MM-DD HH:MM:SS\n");
}

void command_date(struct job *job)
{
    int64_t seconds;

    if (job->args.count == 1)
        date_print();
    else if (job->args.count == 3 &&
             calendar_from_text(job->args.words[1], job->args.words[2], &seconds) == 0)
        wall_set(seconds);
    else
        command_usage(job, "that is no date and time, such as 2026-01-31 12:34:56");
}

static bool dmesg_level(const struct job *job, const char *text, uint64_t *level)
{
    static const char *const names[] = {"error", "warning", "notice", "info", "debug"};

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (string_equal(text, names[i])) {
            *level = KLOG_ERROR + i;
            return true;
        }
    }
    return command_number(job, text, KLOG_DEBUG, level);
}

void command_dmesg(struct job *job)
{
    uint64_t level = KLOG_DEBUG;
    struct klog_line line;

    if (job->args.count == 3 && string_equal(job->args.words[1], "-l")) {
        if (!dmesg_level(job, job->args.words[2], &level))
            return;
    } else if (job->args.count != 1) {
        command_usage(job, "dmesg takes -l and a level");
        return;
    }
    for (uint64_t n = 1; klog_read(n, &line) == 0 && !thread_cancelled(); n = line.number + 1) {
        if ((uint64_t)line.level <= level)
            tty_print("[%5llu.%06llu] %s\n", (unsigned long long)(line.time / 1000000000),
                      (unsigned long long)(line.time / 1000 % 1000000), line.text);
    }
}

void command_time(struct job *job)
{
    const struct command *command;
    uint64_t start = hal_time_now(), us;

    if (job->args.count < 2) {
        command_usage(job, "time needs a command");
        return;
    }
    command = command_find(job->args.words[1]);
    if (command == NULL) {
        tty_print("unknown command: %s\n", job->args.words[1]);
        return;
    }
    job->args.words++;
    job->args.count--;
    job->command = command;
    job_run_here(job);
    us = (hal_time_now() - start) / 1000;
    tty_print("%llu.%06llu s\n", (unsigned long long)us / 1000000,
              (unsigned long long)us % 1000000);
}

/* ---- tests ---- */

void command_ktest(struct job *job)
{
    const char *name = job->args.count == 1 ? "all" : job->args.words[1];
    uint64_t size = 0;
    int result = 0;

    if (job->args.count == 3 && !command_number(job, job->args.words[2], KTEST_SIZE_MAX, &size))
        return;
    if (job->args.count > 3)
        command_usage(job, "ktest takes one name and one size");
    else if (string_equal(name, "list"))
        ktest_list();
    else
        result = ktest_run(name, (unsigned)size);
    if (result == -ENOENT)
        command_usage(job, "no test and no group of tests is called %s (ktest list names them)",
                      name);
    else if (result == -EBUSY)
        command_error("the tests run already");
}

/* ---- the end ---- */

void command_brk(struct job *job)
{
    if (command_takes_none(job))
        hal_cpu_breakpoint();
}

void command_panic(struct job *job)
{
    char text[128] = "";
    size_t used = 0;

    for (unsigned i = 1; i < job->args.count && used < sizeof(text); i++)
        used += format_text(text + used, sizeof(text) - used, "%s%s", i > 1 ? " " : "",
                            job->args.words[i]);
    tty_drain();
    panic("%s", used > 0 ? text : "the command panic was given");
}

/* What a command in the background holds is in use. */
static void report_leaks(void)
{
    if (command_alone())
        (void)heap_report_leaks();
}

/* All that was written is on the card from here on. The shell is in no directory any more. */
static void leave_files(struct job *job)
{
    vnode_put(job->base);
    job->base = NULL;
    mount_remove_all();
}

void command_poweroff(struct job *job)
{
    uint64_t status = 0;

    if (job->args.count > 2) {
        command_usage(job, "poweroff takes one status");
        return;
    }
    if (job->args.count == 2 && !command_number(job, job->args.words[1], 255, &status))
        return;
    leave_files(job);
    report_leaks();
    tty_drain();
    hal_board_stop(HAL_STOP_POWER_OFF, (int)status);
}

void command_reboot(struct job *job)
{
    if (!command_takes_none(job))
        return;
    leave_files(job);
    tty_drain();
    hal_board_stop(HAL_STOP_REBOOT, 0);
}
