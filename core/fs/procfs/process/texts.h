/* SPDX-License-Identifier: MIT */
/*
 * texts.h: the files of a process's directory, each a function that writes the text. Formats are
 * Linux's: proc(5).
 */
#pragma once

#include "fs/procfs/process/view.h"
#include "lib/report.h"

/** Each adds the text: 0 or an error. May sleep. */
typedef int proc_process_say(const struct proc_view *view, struct report *report);

/* state.c */
proc_process_say proc_say_process_stat, proc_say_process_statm, proc_say_process_status,
    proc_say_comm, proc_say_limits, proc_say_process_mounts;
/* memory.c */
proc_process_say proc_say_arguments, proc_say_environment, proc_say_maps;

/** What stands for an open file in a link: a path, or "pipe:[7]". 0 or -ENOMEM, -ERANGE. files.c */
HAL_MUST_CHECK int proc_file_text(struct vnode *vnode, char *to, size_t size);
