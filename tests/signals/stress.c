/* SPDX-License-Identifier: MIT */
/*
 * stress.c: many processes and threads that do what they like to each other: signals of all kinds,
 * stops, handlers that interrupt handlers, timers, forks, ends. In the end all are gone, and what
 * was sent with a value has come as it was sent.
 */
#include "cases.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>

#define PROCESSES 6u
#define ROUNDS 60u

/* Shared by all of them. */
static struct shared {
    pid_t pids[PROCESSES];
    unsigned wrong; /* values that nobody has sent */
} * shared;

static unsigned random_of(uint32_t *state, unsigned limit)
{
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 8) % limit;
}

static void check_value(int number, siginfo_t *info, void *context)
{
    double work[8];

    (void)context;
    for (int i = 0; i < 8; i++)
        work[i] = number * 1.5 + i;
    if (info->si_code == SI_QUEUE && info->si_value.sival_int != number * 3)
        __atomic_add_fetch(&shared->wrong, 1, __ATOMIC_SEQ_CST);
    if (work[7] - work[0] > 7.5)
        __atomic_add_fetch(&shared->wrong, 1, __ATOMIC_SEQ_CST);
    counted++;
}

static void prepare(void)
{
    static char stack_bytes[65536];
    const stack_t stack = {.ss_sp = stack_bytes, .ss_size = sizeof(stack_bytes)};

    sigaltstack(&stack, NULL);
    for (int number = SIGRTMIN; number < SIGRTMIN + 4; number++)
        handle_info(number, check_value, number % 2 ? SA_RESTART | SA_NODEFER : SA_ONSTACK);
    handle_info(SIGUSR1, check_value, SA_RESTART);
    handle_info(SIGUSR2, check_value, SA_NODEFER);
    handle_info(SIGALRM, check_value, SA_ONSTACK | SA_RESTART);
    handle_info(SIGCHLD, check_value, SA_RESTART);
}

static pid_t somebody(uint32_t *state)
{
    return __atomic_load_n(&shared->pids[random_of(state, PROCESSES)], __ATOMIC_SEQ_CST);
}

static void queue(uint32_t *state)
{
    int number = SIGRTMIN + (int)random_of(state, 4);
    const union sigval value = {.sival_int = number * 3};
    pid_t whom = somebody(state);

    if (whom > 0)
        (void)!sigqueue(whom, number, value);
}

/* A stopped one that nobody will continue any more goes on. */
static int await_one(pid_t child)
{
    int status;

    for (;;) {
        pid_t got = waitpid(child, &status, WNOHANG);

        if (got == child)
            return status;
        if (got < 0 && errno != EINTR)
            return -1;
        kill(child, SIGCONT);
        nap(1);
    }
}

static void fork_one(uint32_t *state)
{
    unsigned how = random_of(state, 3);
    pid_t child = fork();

    if (child == 0) {
        if (how == 0)
            raise(SIGKILL);
        if (how == 1)
            raise(SIGSTOP);
        _exit((int)how);
    }
    (void)await_one(child);
}

static void block_for_a_while(uint32_t *state)
{
    sigset_t all, old;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    for (unsigned i = random_of(state, 20); i > 0; i--)
        (void)getppid();
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void act(uint32_t *state)
{
    const struct itimerval soon = {{0, 700}, {0, 500}}, never = {{0, 0}, {0, 0}};
    pid_t whom = somebody(state);

    switch (random_of(state, 10)) {
    case 0:
        if (whom > 0)
            kill(whom, SIGSTOP);
        nap(1);
        if (whom > 0)
            kill(whom, SIGCONT);
        break;
    case 1:
        fork_one(state);
        break;
    case 2:
        setitimer(ITIMER_REAL, random_of(state, 2) ? &soon : &never, NULL);
        break;
    case 3:
        block_for_a_while(state);
        break;
    case 4:
    case 5:
        if (whom > 0)
            kill(whom, random_of(state, 2) ? SIGUSR1 : SIGUSR2);
        break;
    case 6:
        raise(SIGUSR1);
        break;
    default:
        queue(state);
        break;
    }
}

static void *act_often(void *argument)
{
    uint32_t state = (uint32_t)(uintptr_t)argument;

    for (unsigned i = 0; i < ROUNDS; i++)
        act(&state);
    return NULL;
}

static void be_one(unsigned number)
{
    const struct itimerval never = {{0, 0}, {0, 0}};
    pthread_t other;

    prepare();
    __atomic_store_n(&shared->pids[number], getpid(), __ATOMIC_SEQ_CST);
    if (pthread_create(&other, NULL, act_often, (void *)(uintptr_t)(number * 7919u + 1)))
        _exit(1);
    act_often((void *)(uintptr_t)(number * 104729u + 2));
    pthread_join(other, NULL);
    setitimer(ITIMER_REAL, &never, NULL);
    __atomic_store_n(&shared->pids[number], 0, __ATOMIC_SEQ_CST);
    _exit(0);
}

static void stress(void)
{
    pid_t children[PROCESSES];
    unsigned well = 0;

    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (unsigned i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0)
            be_one(i);
    }
    for (unsigned i = 0; i < PROCESSES; i++)
        well += await_one(children[i]) == 0;
    say("ended well: %u, wrong values: %u", well, shared->wrong);
    say("nobody is left: %s", result_name(waitpid(-1, NULL, 0)));
}

const struct signal_case stress_cases[] = {{"stress", stress}, {NULL, NULL}};
