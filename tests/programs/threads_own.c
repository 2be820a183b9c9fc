/* SPDX-License-Identifier: MIT */
/*
 * threads_own.c: What each thread has for itself, and what all share.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static _Thread_local int own = 5;
static int shared = 5;

static void *change(void *argument)
{
    own += *(int *)argument;
    shared += own;
    return own == 15 ? &shared : NULL;
}

int main(void)
{
    pthread_t thread;
    int ten = 10;
    void *result;

    if (pthread_create(&thread, NULL, change, &ten))
        return 1;
    pthread_join(thread, &result);
    printf("%d %d %d\n", own, shared, result == &shared);
    return 0;
}
