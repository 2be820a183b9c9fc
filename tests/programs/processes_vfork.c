/* SPDX-License-Identifier: MIT */
/*
 * processes_vfork.c: A child that borrows its parent's memory forks, while another thread of the
 * parent's writes there: what it gets is what was there at one moment.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FORKS 60 /* or as many as can be had in two seconds */
#define SECONDS 2
#define WORDS 512 /* of a page */

static _Alignas(4096) unsigned long page[WORDS];

/* At no moment is the last word before the first. */
static void *count(void *argument)
{
    for (unsigned long i = 1;; i++) {
        __atomic_store_n(&page[0], i, __ATOMIC_RELEASE);
        __atomic_store_n(&page[WORDS - 1], i, __ATOMIC_RELEASE);
    }
    return argument;
}

/* In the child: 0, or 1 for a page of two moments. */
static int fork_again(void)
{
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(page[0] < page[WORDS - 1]);
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 2;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 3;
}

/* 0, or not. */
static int borrow_and_fork(void)
{
    pid_t child = vfork();
    int status = 0;

    if (child == 0)
        _exit(fork_again());
    return waitpid(child, &status, 0) == child ? status : 4;
}

int main(void)
{
    pthread_t thread;
    int torn = 0;
    time_t end = time(NULL) + SECONDS;

    if (pthread_create(&thread, NULL, count, NULL))
        return 1;
    for (int i = 0; i < FORKS && time(NULL) <= end; i++)
        torn += borrow_and_fork() != 0;
    printf("%d are not whole\n", torn);
    fflush(stdout);
    _exit(0);
}
