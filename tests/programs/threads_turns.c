/* SPDX-License-Identifier: MIT */
/*
 * threads_turns.c: Two threads take turns.
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

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn;

static void *play(void *argument)
{
    int own = *(int *)argument;

    for (int i = 0; i < 5; i++) {
        pthread_mutex_lock(&mutex);
        while (turn != own)
            pthread_cond_wait(&changed, &mutex);
        printf("%s %d\n", own ? "pong" : "ping", i);
        turn = !own;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

int main(void)
{
    pthread_t thread;
    int zero = 0, one = 1;

    if (pthread_create(&thread, NULL, play, &one))
        return 1;
    play(&zero);
    pthread_join(thread, NULL);
    return 0;
}
