/* SPDX-License-Identifier: MIT */
/*
 * session.c: what the program's threads share: why the run ends, and how far the input has come.
 *
 * Invariant: the reason changes once, from END_NONE, and never again. So whoever comes second (a
 * time-out while the guest is powering off) changes nothing, and the exit status is that of the
 * first.
 *
 * session_end interrupts the guest at once. That may be a moment too early, before the main thread
 * has begun to run it; so the pump repeats it until the main thread has seen the end.
 */
#include "program.h"

#include <time.h>

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct tb_machine *machine;
    enum end end;
    int detail;
    uint64_t end_time;
    bool acknowledged;
    struct session_mark input;
} session = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

uint64_t session_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int session_start_thread(pthread_t *thread, void *(*entry)(void *))
{
    static const int kept[] = {SIGSEGV, SIGBUS, SIGILL,  SIGFPE, SIGABRT,
                               SIGTRAP, SIGSYS, SIGTTIN, SIGTTOU};
    sigset_t all, before;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        sigdelset(&all, kept[i]);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int error = pthread_create(thread, NULL, entry, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -error;
}

void session_set_machine(struct tb_machine *machine)
{
    pthread_mutex_lock(&session.lock);
    session.machine = machine;
    pthread_mutex_unlock(&session.lock);
}

void session_end(enum end end, int detail)
{
    pthread_mutex_lock(&session.lock);
    if (session.end == END_NONE) {
        session.end = end;
        session.detail = detail;
        session.end_time = session_now();
        pthread_cond_broadcast(&session.changed);
        if (session.machine != NULL)
            tb_interrupt(session.machine);
    }
    pthread_mutex_unlock(&session.lock);
}

enum end session_ended(int *detail)
{
    pthread_mutex_lock(&session.lock);
    enum end end = session.end;
    if (detail != NULL)
        *detail = session.detail;
    pthread_mutex_unlock(&session.lock);
    return end;
}

void session_acknowledge(void)
{
    pthread_mutex_lock(&session.lock);
    session.acknowledged = true;
    session.machine = NULL;
    pthread_mutex_unlock(&session.lock);
}

uint64_t session_repeat_interrupt(void)
{
    uint64_t age = 0;
    pthread_mutex_lock(&session.lock);
    if (session.end != END_NONE && !session.acknowledged) {
        age = session_now() - session.end_time;
        if (session.machine != NULL)
            tb_interrupt(session.machine);
    }
    pthread_mutex_unlock(&session.lock);
    return age;
}

void session_note_input(size_t bytes, bool last)
{
    pthread_mutex_lock(&session.lock);
    session.input.bytes += bytes;
    session.input.last |= last;
    pthread_cond_broadcast(&session.changed);
    pthread_mutex_unlock(&session.lock);
}

struct session_mark session_mark(void)
{
    pthread_mutex_lock(&session.lock);
    struct session_mark mark = session.input;
    pthread_mutex_unlock(&session.lock);
    return mark;
}

bool session_wait_input(struct session_mark mark)
{
    pthread_mutex_lock(&session.lock);
    while (session.end == END_NONE && session.input.bytes == mark.bytes && !session.input.last)
        pthread_cond_wait(&session.changed, &session.lock);
    /* The end of the input that came after the mark may have come with bytes; look once more. */
    bool more = session.input.bytes != mark.bytes || session.input.last != mark.last;
    bool good = session.end == END_NONE && more;
    pthread_mutex_unlock(&session.lock);
    return good;
}

bool session_wait_last(void)
{
    pthread_mutex_lock(&session.lock);
    while (session.end == END_NONE && !session.input.last)
        pthread_cond_wait(&session.changed, &session.lock);
    bool good = session.end == END_NONE;
    pthread_mutex_unlock(&session.lock);
    return good;
}
