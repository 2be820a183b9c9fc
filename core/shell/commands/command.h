/* SPDX-License-Identifier: MIT */
/*
 * command.h: what a command of the shell is, and what commands share.
 */
#pragma once

#include "shell/job.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

struct command {
    const char *name;
    const char *arguments; /**< as in "[-a] [PATH...]"; "" for none */
    const char *summary;   /**< one line for `help` */
    const char *details;   /**< more for `help NAME`, lines ending in newlines; or NULL */
    void (*run)(struct job *job);
    bool quick; /**< runs in the shell's own thread */
};

/** The command called `name`, or NULL. */
const struct command *command_find(const char *name);

/** Command `index` in the order of their names, or NULL behind the last. */
const struct command *command_at(unsigned index);

/** Makes the commands' own state ready. The shell calls it once. */
void command_prepare(void);

/** True if there is no thread but those that there were at command_prepare. Thread context. */
bool command_alone(void);

/** Prints "error: ", the text, and a newline. May sleep. */
void command_error(const char *format, ...) HAL_FORMAT(1, 2);

/** As command_error, and the usage of the job's command. May sleep. */
void command_usage(const struct job *job, const char *format, ...) HAL_FORMAT(2, 3);

/** A few words for a negative errno number. */
const char *command_error_text(int error);

/** True if the job has no arguments; otherwise prints what is wrong. */
bool command_takes_none(const struct job *job);

/** Reads all of `text` as a number up to `max`. False, with an error printed, if it is not. */
bool command_number(const struct job *job, const char *text, uint64_t max, uint64_t *number);

/** Reads all of `text` as a length of time in ns; a bare number is seconds. False: error printed.
 */
bool command_duration(const struct job *job, const char *text, uint64_t *ns);

/* The commands, by file. */

/* files.c */
void command_pwd(struct job *job);
void command_cd(struct job *job);
void command_ls(struct job *job);
void command_cat(struct job *job);
void command_hexdump(struct job *job);
/* ../files/ */
void command_cp(struct job *job);
void command_df(struct job *job);
void command_du(struct job *job);
void command_find_files(struct job *job);
void command_ln(struct job *job);
void command_mkdir(struct job *job);
void command_mount(struct job *job);
void command_mv(struct job *job);
void command_rm(struct job *job);
void command_rmdir(struct job *job);
void command_stat(struct job *job);
void command_sync(struct job *job);
void command_touch(struct job *job);
void command_tree(struct job *job);
void command_truncate(struct job *job);
void command_umount(struct job *job);
void command_write(struct job *job);
/* tags.c */
void command_tags(struct job *job);
/* ../memory/ */
void command_mem(struct job *job);
void command_slabs(struct job *job);
/* ../programs/ */
void command_run(struct job *job);
/* ../sched/ */
void command_sched(struct job *job);
void command_sched_state(struct job *job); /* without a part */
void command_sched_lab(struct job *job);   /* sched lab ... */
/* ../sched/trace.c */
void command_trace(struct job *job);
void command_ps(struct job *job);
void command_prepare_ps(void);
void command_top(struct job *job);
void command_nice(struct job *job);
void command_priority(struct job *job);
/* ../sync/locks.c */
void command_locks(struct job *job);
/* ../block/ */
void command_disks(struct job *job);
void command_fsck(struct job *job);
void command_lab(struct job *job);
void command_mkfs(struct job *job);
/* threads.c */
void command_spawn(struct job *job);
void command_sleep(struct job *job);
void command_kill(struct job *job);
void command_uptime(struct job *job);
/* pins.c */
void command_gpio(struct job *job);
void command_led(struct job *job);
void command_blink(struct job *job);
/* system.c */
void command_brk(struct job *job);
void command_clear(struct job *job);
void command_date(struct job *job);
void command_dmesg(struct job *job);
void command_echo(struct job *job);
void command_help(struct job *job);
void command_ktest(struct job *job);
void command_panic(struct job *job);
void command_poweroff(struct job *job);
void command_reboot(struct job *job);
void command_time(struct job *job);
/* ../shell.c: it has the history */
void command_history(struct job *job);
