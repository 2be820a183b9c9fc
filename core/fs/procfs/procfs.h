/* SPDX-License-Identifier: MIT */
/*
 * procfs.h: a file system whose files are what the kernel knows of itself, as text, made to be
 * mounted at /proc. Names and formats are Linux's, so that programs that read them can.
 *
 * A file is a name and a function that writes all of its text. That runs once, when the file is
 * opened; whoever has it open reads that text, as of that moment, whatever happens meanwhile.
 */
#pragma once

#include "lib/report.h"

#include <stdint.h>

struct proc_file {
    const char *name; /**< its path from /proc on */
    /** NULL: a directory. Adds the text: 0 or an error. May sleep, and may be called again for the
     * same opening. */
    int (*say)(struct report *report);
};

/** Makes `procfs` known. Boot. */
void procfs_register(void);

/** The files, by number from 0 on; NULL past the last. */
const struct proc_file *proc_file_at(unsigned number);

#define PROC_LOADS 3u

/** Makes the lock of the averages. Boot only. */
void proc_loads_start(void);

/** How busy the CPUs were over 1, 5 and 15 minutes: 65536 is one CPU. Any context. */
void proc_read_loads(uint32_t average[PROC_LOADS]);

/* system.c */
int proc_say_cmdline(struct report *report);
int proc_say_loadavg(struct report *report);
int proc_say_stat(struct report *report);
int proc_say_uptime(struct report *report);
int proc_say_version(struct report *report);
int proc_say_cpuinfo(struct report *report);
int proc_say_hostname(struct report *report);
int proc_say_osrelease(struct report *report);
int proc_say_ostype(struct report *report);
int proc_say_pid_max(struct report *report);
/* memory.c */
int proc_say_meminfo(struct report *report);
int proc_say_slabinfo(struct report *report);
/* files.c */
int proc_say_diskstats(struct report *report);
int proc_say_filesystems(struct report *report);
int proc_say_mounts(struct report *report);
int proc_say_partitions(struct report *report);
/* locks.c */
int proc_say_locks(struct report *report);
