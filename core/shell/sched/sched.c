/* SPDX-License-Identifier: MIT */
/*
 * sched.c: sched: its parts, each of which has a file here.
 */
#include "shell/commands/command.h"

void command_sched(struct job *job)
{
    command_sched_state(job);
}
