/* SPDX-License-Identifier: MIT */
/*
 * sched.c: sched: its parts, each of which has a file here.
 */
#include "lib/string.h"
#include "shell/commands/command.h"

void command_sched(struct job *job)
{
    const char *part = job->args.count > 1 ? job->args.words[1] : "";

    if (string_equal(part, "lab"))
        command_sched_lab(job);
    else
        command_usage(job, "sched needs one of its parts: lab");
}
