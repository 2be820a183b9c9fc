/* SPDX-License-Identifier: MIT */
/*
 * threads_count.c: Threads that add to one number, one at a time.
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
static long number;

static void *add(void *argument)
{
    for (int i = 0; i < 1000; i++) {
        pthread_mutex_lock(&mutex);
        number += (long)argument;
        pthread_mutex_unlock(&mutex);
    }
    return argument;
}

int main(void)
{
    pthread_t threads[8];
    void *result;
    long sum = 0;

    for (long i = 0; i < 8; i++)
        if (pthread_create(&threads[i], NULL, add, (void *)(i + 1)))
            return 1;
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], &result);
        sum += (long)result;
    }
    printf("%ld %ld\n", number, sum);
    return 0;
}
