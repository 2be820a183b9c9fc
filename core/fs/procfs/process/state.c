/* SPDX-License-Identifier: MIT */
/*
 * state.c: stat, statm, status, comm, limits, mounts.
 *
 * What is not counted here (faults by kind, switches, addresses of the stack) is 0, as Linux has it
 * for those who may not know.
 */
#include "fs/procfs/process/texts.h"
#include "fs/procfs/procfs.h"
#include "lib/string.h"
#include "vm/space.h"

#include <hal/machine.h>
#include <hal/runtime.h>

#define NS_PER_TICK 10000000u
#define PRIORITY_USUAL 20

static void read_usage(const struct proc_view *view, struct vm_usage *usage)
{
    if (view->space)
        vm_read_usage(view->space, usage);
    else
        memset(usage, 0, sizeof(*usage));
}

static void say_ticks(struct report *report, const struct process_times *times)
{
    report_add(report, "%llu %llu ", (unsigned long long)(times->user / NS_PER_TICK),
               (unsigned long long)(times->system / NS_PER_TICK));
}

/* Fields 3 to 22: who it is, and when. */
static void say_times(const struct proc_view *view, struct report *report,
                      const struct vm_usage *usage)
{
    report_add(report, "%c %u %u %u %u %d 0 %llu 0 0 0 ", view->state, view->parent, view->group,
               view->session, view->terminal, (int)view->foreground,
               (unsigned long long)usage->faults);
    say_ticks(report, &view->times);
    say_ticks(report, &view->child_times);
    report_add(report, "%d %d %u 0 %llu ", PRIORITY_USUAL + view->nice, view->nice, view->threads,
               (unsigned long long)(view->who.born / NS_PER_TICK));
}

int proc_say_process_stat(const struct proc_view *view, struct report *report)
{
    const struct process_texts *texts = &view->texts;
    struct vm_usage usage;

    read_usage(view, &usage);
    report_add(report, "%u (%s) ", view->who.tid ? view->who.tid : view->who.pid, view->name);
    say_times(view, report, &usage);
    report_add(report, "%llu %llu %llu 0 0 0 0 0 0 %llu %llu %llu 0 0 0 17 %u 0 0 0 0 0 ",
               (unsigned long long)usage.mapped, (unsigned long long)usage.resident,
               (unsigned long long)UINT64_MAX, (unsigned long long)view->blocked,
               (unsigned long long)view->ignored, (unsigned long long)view->caught, view->cpu);
    report_add(report, "0 0 %lu %lu %lu %lu %lu 0\n", (unsigned long)usage.break_start,
               (unsigned long)texts->arguments, (unsigned long)texts->arguments_end,
               (unsigned long)texts->arguments_end, (unsigned long)texts->environment_end);
    return 0;
}

int proc_say_process_statm(const struct proc_view *view, struct report *report)
{
    struct vm_usage usage;

    read_usage(view, &usage);
    report_add(
        report, "%llu %llu 0 0 0 %llu 0\n", (unsigned long long)(usage.mapped / HAL_PAGE_SIZE),
        (unsigned long long)usage.resident, (unsigned long long)(usage.mapped / HAL_PAGE_SIZE));
    return 0;
}

static const char *state_word(char state)
{
    switch (state) {
    case 'R':
        return "R (running)";
    case 'T':
        return "T (stopped)";
    case 'Z':
        return "Z (zombie)";
    default:
        return "S (sleeping)";
    }
}

static void say_memory(const struct proc_view *view, struct report *report)
{
    struct vm_usage usage;

    if (!view->space)
        return;
    vm_read_usage(view->space, &usage);
    report_add(report, "VmSize:\t%8llu kB\nVmRSS:\t%8llu kB\nVmData:\t%8llu kB\n",
               (unsigned long long)(usage.mapped / 1024),
               (unsigned long long)(usage.resident * (HAL_PAGE_SIZE / 1024)),
               (unsigned long long)((usage.break_end - usage.break_start) / 1024));
}

int proc_say_process_status(const struct proc_view *view, struct report *report)
{
    const struct credentials *own = &view->credentials;

    report_add(report, "Name:\t%s\nUmask:\t%04o\nState:\t%s\nTgid:\t%u\nPid:\t%u\nPPid:\t%u\n",
               view->name, view->umask, state_word(view->state), view->who.pid,
               view->who.tid ? view->who.tid : view->who.pid, view->parent);
    report_add(report, "TracerPid:\t0\nUid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", own->uid,
               own->effective_uid, own->saved_uid, own->effective_uid, own->gid, own->effective_gid,
               own->saved_gid, own->effective_gid);
    say_memory(view, report);
    report_add(report, "Threads:\t%u\nSigBlk:\t%016llx\nSigIgn:\t%016llx\nSigCgt:\t%016llx\n",
               view->threads, (unsigned long long)view->blocked, (unsigned long long)view->ignored,
               (unsigned long long)view->caught);
    return 0;
}

int proc_say_comm(const struct proc_view *view, struct report *report)
{
    report_add(report, "%s\n", view->name);
    return 0;
}

int proc_say_process_mounts(const struct proc_view *view, struct report *report)
{
    (void)view; /* all see the same */
    return proc_say_mounts(report);
}

/* ---- limits ---- */

static void say_limit(struct report *report, uint64_t value)
{
    if (value == PROCESS_UNLIMITED)
        report_add(report, "%-20s ", "unlimited");
    else
        report_add(report, "%-20llu ", (unsigned long long)value);
}

int proc_say_limits(const struct proc_view *view, struct report *report)
{
    static const struct {
        const char *name, *unit;
    } about[PROCESS_LIMITS] = {
        {"Max cpu time", "seconds"},     {"Max file size", "bytes"},
        {"Max data size", "bytes"},      {"Max stack size", "bytes"},
        {"Max core file size", "bytes"}, {"Max resident set", "bytes"},
        {"Max processes", "processes"},  {"Max open files", "files"},
        {"Max locked memory", "bytes"},  {"Max address space", "bytes"},
        {"Max file locks", "locks"},     {"Max pending signals", "signals"},
        {"Max msgqueue size", "bytes"},  {"Max nice priority", ""},
        {"Max realtime priority", ""},   {"Max realtime timeout", "us"},
    };

    report_add(report, "%-25s %-20s %-20s %s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (unsigned i = 0; i < PROCESS_LIMITS; i++) {
        report_add(report, "%-25s ", about[i].name);
        say_limit(report, view->limits[i].soft);
        say_limit(report, view->limits[i].hard);
        report_add(report, "%s\n", about[i].unit);
    }
    return 0;
}
