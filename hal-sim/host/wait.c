/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

/*
 * wait.c: mutexes, and sleeping on a word.
 *
 * Sleeping is Linux's futex: the host looks at the word and puts the thread to sleep in one step,
 * so whoever changes the word before waking cannot be missed, and no signal mask has to change.
 * Waking is one system call without a lock, so a signal handler may do it.
 */
#include "host/host.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutexes[HOST_MUTEXES] = {
    PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
    PTHREAD_MUTEX_INITIALIZER};

void host_lock(enum host_mutex which)
{
    (void)pthread_mutex_lock(&mutexes[which]);
}

void host_unlock(enum host_mutex which)
{
    (void)pthread_mutex_unlock(&mutexes[which]);
}

static long futex(_Atomic uint32_t *word, int operation, uint32_t value,
                  const struct timespec *until)
{
    return syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, until, NULL,
                   FUTEX_BITSET_MATCH_ANY);
}

void host_word_wait(_Atomic uint32_t *word, uint32_t value, uint64_t until)
{
    struct timespec at = {(time_t)(until / 1000000000u), (long)(until % 1000000000u)};
    int saved = errno;
    (void)futex(word, FUTEX_WAIT_BITSET, value, until == HOST_NEVER ? NULL : &at);
    errno = saved;
}

void host_yield(void)
{
    (void)sched_yield();
}

void host_word_wake(_Atomic uint32_t *word)
{
    int saved = errno;
    (void)futex(word, FUTEX_WAKE, INT32_MAX, NULL);
    errno = saved;
}
