/* SPDX-License-Identifier: MIT */
/*
 * threads.c: signals for one of several threads, and for whichever takes them.
 */
#include "cases.h"

#include <pthread.h>

static pthread_t main_thread, others[4];
static volatile sig_atomic_t by_main, by_other;
static volatile int ready, leave;

static void note_thread(int number)
{
    (void)number;
    if (pthread_equal(pthread_self(), main_thread))
        by_main++;
    else
        by_other++;
}

static void *be_ready(void *argument)
{
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&leave, __ATOMIC_SEQ_CST))
        nap(1);
    return argument;
}

static void await_ready(int count)
{
    while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) < count)
        nap(1);
}

static void await_counts(int count)
{
    for (int i = 0; i < 2000 && by_main + by_other < count; i++)
        nap(1);
}

static void directed(void)
{
    main_thread = pthread_self();
    handle(SIGUSR1, note_thread, 0);
    say("created: %d", pthread_create(&others[0], NULL, be_ready, NULL));
    await_ready(1);
    pthread_kill(others[0], SIGUSR1);
    await_counts(1);
    say("to the other: %d %d", by_main, by_other);
    pthread_kill(main_thread, SIGUSR1);
    say("to the first: %d %d", by_main, by_other);
    block(SIGUSR1);
    kill(getpid(), SIGUSR1);
    await_counts(3);
    say("to who does not block it: %d %d", by_main, by_other);
    pthread_kill(main_thread, SIGUSR1);
    say("waits here: %d", is_pending(SIGUSR1));
    leave = 1;
    pthread_join(others[0], NULL);
    say("still: %d %d", by_main, by_other);
    unblock(SIGUSR1);
    say("and comes: %d %d", by_main, by_other);
}

static void *take_one(void *argument)
{
    sigset_t set;
    int number = 0;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigwait(&set, &number);
    *(int *)argument = number;
    return NULL;
}

static void taken(void)
{
    int numbers[4] = {0}, sum = 0;

    block(SIGUSR2);
    for (int i = 0; i < 4; i++)
        pthread_create(&others[i], NULL, take_one, &numbers[i]);
    for (int i = 0; i < 4; i++) {
        kill(getpid(), SIGUSR2);
        while (is_pending(SIGUSR2))
            nap(1);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(others[i], NULL);
        sum += numbers[i];
    }
    say("each took one: %d", sum == 4 * SIGUSR2);
}

static void *take_either(void *argument)
{
    sigset_t set;
    int number = 0;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    sigwait(&set, &number);
    __atomic_add_fetch(&by_other, 1, __ATOMIC_SEQ_CST);
    return argument;
}

/* Several sleep, and each signal can be for any of them: nobody sleeps on while one waits. */
static void shared(void)
{
    unsigned all = 0;

    block(SIGUSR1);
    block(SIGUSR2);
    for (int round = 0; round < 5; round++) {
        by_other = 0;
        ready = 0;
        for (int i = 0; i < 2; i++)
            pthread_create(&others[i], NULL, take_either, NULL);
        await_ready(2);
        nap(3);
        kill(getpid(), SIGUSR1);
        kill(getpid(), SIGUSR2);
        await_counts(2);
        all += by_other == 2;
        for (int i = 0; i < 2 && by_other == 2; i++)
            pthread_join(others[i], NULL);
    }
    say("both are taken: %u of 5", all);
}

static void *spin(void *argument)
{
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    for (;;)
        (void)getppid();
    return argument;
}

static void be_many(void)
{
    for (int i = 0; i < 4; i++)
        pthread_create(&others[i], NULL, i % 2 ? spin : be_ready, NULL);
    await_ready(4);
    for (;;)
        pause();
}

static void stopped(void)
{
    pid_t child = fork();
    int status;

    if (child == 0)
        be_many();
    nap(30);
    for (int i = 0; i < 3; i++) {
        kill(child, SIGSTOP);
        say("stopped: %d", waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
        kill(child, SIGCONT);
        say("continued: %d", waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status));
    }
    kill(child, SIGTERM);
    say_status("ended", await_child(child));
}

const struct signal_case thread_cases[] = {
    {"directed", directed}, {"taken", taken}, {"shared", shared}, {"many", stopped}, {NULL, NULL}};
