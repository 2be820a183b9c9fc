/* SPDX-License-Identifier: MIT */
/*
 * lab.c: sched lab: a job mix under a policy, in virtual time (sched/lab/lab.h).
 */
#include "sched/lab/lab.h"

#include "heap/heap.h"
#include "shell/commands/command.h"
#include "tty/tty.h"

#include <hal/errno.h>

static void print_line(void *context, const char *line)
{
    (void)context;
    tty_print("%s\n", line);
}

static void run_lab(const struct job *job, struct lab *lab)
{
    char error[160];

    /* words[0] is "sched", words[1] is "lab" */
    if (lab_read(lab, job->args.words + 2, job->args.count - 2, error, sizeof(error)) != 0)
        command_usage(job, "%s", error);
    else if (lab_report(lab, print_line, NULL) == -E2BIG)
        command_error("more than %u turns: the quantum is too short for these jobs", LAB_TURNS_MAX);
}

void command_sched_lab(struct job *job)
{
    struct lab *lab = kmalloc(sizeof(*lab));

    if (lab == NULL) {
        command_error("out of memory: a lab needs %u bytes", (unsigned)sizeof(*lab));
        return;
    }
    run_lab(job, lab);
    kfree(lab);
}
