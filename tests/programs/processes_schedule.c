/* SPDX-License-Identifier: MIT */
/*
 * processes_schedule.c: On which processors, by which policy, and with what rights.
 */
#include "programs.h"

#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* musl has no such calls of its own, or none that asks the kernel. */
static void ask_kernel(void)
{
    struct sched_param parameter = {.sched_priority = 9};
    struct timespec quantum;

    printf("%ld\n", syscall(SYS_sched_getscheduler, 0));
    printf("%ld", syscall(SYS_sched_getparam, 0, &parameter));
    printf(" %d\n", parameter.sched_priority);
    printf("%ld\n", syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &parameter));
    parameter.sched_priority = 1;
    printf("%d\n", failed(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &parameter), EINVAL));
    printf("%d\n", failed(syscall(SYS_sched_setscheduler, 0, 77, &parameter), EINVAL));
    printf("%d\n", failed(syscall(SYS_sched_getscheduler, -1), EINVAL));
    printf("%d\n", failed(syscall(SYS_sched_getscheduler, 4194000), ESRCH));
    printf("%ld\n", syscall(SYS_sched_rr_get_interval, 0, &quantum));
}

static void ask_rights(void)
{
    uint32_t header[2] = {0, 0}, data[6];

    printf("%ld", syscall(SYS_capget, header, NULL));
    printf(" %x\n", header[0]);
    printf("%ld\n", syscall(SYS_capget, header, data));
    printf("%d\n", (data[0] != 0) == (geteuid() == 0));
    printf("%ld\n", syscall(SYS_capset, header, data));
    printf("%ld\n", syscall(SYS_personality, 0xffffffffu));
}

/* What another user than root may not do to others, and what it may do with itself. */
static void ask_as_user(void)
{
    const struct sched_param none = {.sched_priority = 0};
    pid_t parent = getpid(), child = fork();
    int root = geteuid() == 0; /* else the parent is the same user's */
    cpu_set_t set;

    if (child != 0) {
        waitpid(child, NULL, 0);
        return;
    }
    (void)!setuid(1000);
    sched_getaffinity(0, sizeof(set), &set);
    printf("%d ", failed(sched_setaffinity(parent, sizeof(set), &set), EPERM) == root);
    printf("%d ", failed(setpriority(PRIO_PROCESS, (id_t)parent, 10), EPERM) == root);
    printf("%d ",
           failed(syscall(SYS_sched_setscheduler, parent, SCHED_OTHER, &none), EPERM) == root);
    printf("%d\n", failed(setpriority(PRIO_PROCESS, 0, -5), EACCES));
    printf("%ld ", syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &none));
    printf("%ld\n", syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &none));
    printf("%d ", setpriority(PRIO_PROCESS, 0, 19));
    printf("%d ", getpriority(PRIO_PROCESS, 0));
    printf("%d\n", failed(setpriority(PRIO_PROCESS, 0, 18), EACCES));
    fflush(stdout);
    _exit(0);
}

/* Of a child that waits meanwhile. */
static void ask_of_child(void)
{
    int own = getpriority(PRIO_PROCESS, 0);
    pid_t child = fork();

    if (child == 0)
        for (;;)
            pause();
    printf("%d ", setpriority(PRIO_PROCESS, (id_t)child, 19));
    printf("%d ", getpriority(PRIO_PROCESS, (id_t)child));
    printf("%d ", getpriority(PRIO_PROCESS, 0) == own);
    printf("%d\n", failed(setpriority(PRIO_PROCESS, 4194000, 3), ESRCH));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

/* Of a group of two, and of a user who has no other process. */
static void ask_of_many(void)
{
    pid_t first = fork(), second;

    if (first == 0)
        for (;;)
            pause();
    setpgid(first, first);
    second = fork();
    if (second == 0) {
        setpgid(0, first);
        setpriority(PRIO_PROCESS, 0, 7);
        printf("%d %d ", getpriority(PRIO_PGRP, 0), getpriority(PRIO_PGRP, first));
        printf("%d ", setpriority(PRIO_PGRP, 0, 11));
        printf("%d %d\n", getpriority(PRIO_PROCESS, (id_t)first), getpriority(PRIO_PROCESS, 0));
        if (geteuid() == 0 && setuid(100000 + (uid_t)getpid()) == 0) { /* nobody else's */
            printf("%d ", setpriority(PRIO_USER, 0, 13));
            printf("%d\n", getpriority(PRIO_USER, getuid()));
        } else {
            printf("0 13\n");
        }
        printf("%d\n", getpriority(PRIO_PROCESS, (id_t)first));
        fflush(stdout);
        _exit(0);
    }
    waitpid(second, NULL, 0);
    kill(first, SIGKILL);
    waitpid(first, NULL, 0);
    printf("%d ", failed(setpriority(PRIO_PGRP, (id_t)first, 3), ESRCH));
    printf("%d ", failed(getpriority(PRIO_USER, 54321), ESRCH));
    printf("%d\n", failed(getpriority(PRIO_USER + 1, 0), EINVAL));
}

int main(void)
{
    cpu_set_t all, one;
    unsigned cpu, node;
    int first = 0;

    printf("%d\n", sched_getaffinity(0, sizeof(all), &all));
    while (!CPU_ISSET(first, &all))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    printf("%d\n", sched_setaffinity(0, sizeof(one), &one));
    printf("%d\n", sched_getaffinity(0, sizeof(one), &one));
    printf("%d %d\n", CPU_COUNT(&one), CPU_ISSET(first, &one) != 0);
    printf("%ld", syscall(SYS_getcpu, &cpu, &node, NULL));
    printf(" %d\n", (int)cpu == first);
    printf("%d\n", sched_setaffinity(getpid(), sizeof(all), &all));
    CPU_ZERO(&one);
    printf("%d\n", failed(sched_setaffinity(0, sizeof(one), &one), EINVAL));
    printf("%d\n", failed(sched_setaffinity(4194000, sizeof(all), &all), ESRCH));
    printf("%d %d\n", sched_get_priority_max(SCHED_FIFO), sched_get_priority_min(SCHED_RR));
    printf("%d\n", sched_get_priority_max(SCHED_OTHER));
    ask_kernel();
    ask_rights();
    fflush(stdout);
    ask_of_child();
    fflush(stdout);
    ask_of_many();
    fflush(stdout);
    ask_as_user();
    return 0;
}
