/* SPDX-License-Identifier: MIT */
/*
 * lab.c: lab elevator: the same requests under each elevator, on paper (block/lab/lab.h).
 */
#include "block/lab/lab.h"

#include "heap/heap.h"
#include "lib/string.h"
#include "shell/commands/command.h"
#include "tty/tty.h"

static void print_line(void *context, const char *line)
{
    (void)context;
    tty_print("%s\n", line);
}

void command_lab(struct job *job)
{
    struct elevator_lab *lab;
    char error[160];

    if (job->args.count < 2 || !string_equal(job->args.words[1], "elevator")) {
        command_usage(job, "there is one lab: elevator (and sched lab)");
        return;
    }
    lab = kmalloc(sizeof(*lab));
    if (!lab) {
        command_error("out of memory: a lab needs %u bytes", (unsigned)sizeof(*lab));
        return;
    }
    /* words[0] is "lab", words[1] is "elevator" */
    if (elevator_lab_read(lab, job->args.words + 2, job->args.count - 2, error, sizeof(error)))
        command_usage(job, "%s", error);
    else
        elevator_lab_report(lab, print_line, NULL);
    kfree(lab);
}
