/* SPDX-License-Identifier: MIT */
/*
 * sched.c: sched: its parts, each of which has a file here.
 */
#include "lib/string.h"
#include "shell/commands/command.h"

void command_sched(struct job *job)
{
    if (job->args.count > 1 && string_equal(job->args.words[1], "lab"))
        command_sched_lab(job);
    else
        command_sched_state(job);
}
