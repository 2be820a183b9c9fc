/* SPDX-License-Identifier: MIT */
/*
 * made.c: what comes for threads and processes while they are being made: exec in another thread,
 * a stop, signals that they block, and who looks for them by their number.
 *
 * Such moments are hard to meet; so everything is done many times.
 */
#include "cases.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define MAKERS 3
#define MADE 200u      /* by each of them; before exec */
#define EXECS 12u      /* programs that exec while threads are made */
#define STOPPERS 4u    /* programs that are stopped meanwhile */
#define STOPS 10u      /* each of them */
#define FOUND 20u      /* threads, and as many processes */
#define ROUNDS 150u    /* threads and processes, made by one that gets blocked signals */
#define SENT 3000u     /* of those, twice */
#define PATIENCE 20000 /* naps of 1 ms: then it is not going to happen */
#define STACK 4096

/* Waits for `child` with these options, but not for ever: whether it came. */
static bool comes(pid_t child, int *status, int options)
{
    for (int i = 0; i < PATIENCE; i++) {
        if (waitpid(child, status, options | WNOHANG) == child)
            return true;
        nap(1);
    }
    kill(child, SIGKILL);
    (void)await_child(child);
    return false;
}

static void start(void *(*body)(void *))
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, body, NULL) == 0)
        pthread_detach(thread);
}

static void *end_at_once(void *argument)
{
    return argument;
}

/* ---- exec ---- */

static int sleep_for_ever(void *unused)
{
    (void)unused;
    for (;;)
        (void)syscall(SYS_rt_sigtimedwait, &(uint64_t){0}, NULL, NULL, sizeof(uint64_t));
    return 0;
}

/* Threads that are nobody's but the kernel's: making one is all that takes time. */
static void *make_sleepers(void *argument)
{
    const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    char *stacks =
        mmap(NULL, (MADE + 1) * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (unsigned i = 1; i <= MADE && stacks != MAP_FAILED; i++)
        (void)clone(sleep_for_ever, stacks + i * STACK, flags, NULL);
    for (;;)
        nap(1000);
    return argument;
}

static void make_and_exec(unsigned round)
{
    const struct timespec time = {0, 100000 + (long)(round * 397000 % 6000000)};

    for (int i = 0; i < MAKERS; i++)
        start(make_sleepers);
    nanosleep(&time, NULL);
    execl("/proc/self/exe", "signals", "-end", NULL);
    _exit(1);
}

static void while_exec(void)
{
    unsigned good = 0;
    int status;

    for (unsigned i = 0; i < EXECS; i++) {
        pid_t child = fork();

        if (child == 0)
            make_and_exec(i);
        good += comes(child, &status, 0) && status == 0;
    }
    say("exec among new threads: %u of %u", good, EXECS);
}

/* ---- stops ---- */

static void *make_and_join(void *argument)
{
    pthread_t thread;

    for (;;)
        if (pthread_create(&thread, NULL, end_at_once, NULL) == 0)
            pthread_join(thread, NULL);
    return argument;
}

static unsigned stop_often(pid_t child)
{
    unsigned good = 0;
    int status;

    for (unsigned i = 0; i < STOPS && good == i; i++) {
        kill(child, SIGSTOP);
        good += comes(child, &status, WUNTRACED) && WIFSTOPPED(status);
        kill(child, SIGCONT);
        nap(1);
    }
    return good;
}

static void while_stopping(void)
{
    unsigned good = 0;

    for (unsigned i = 0; i < STOPPERS; i++) {
        pid_t child = fork();

        if (child == 0) {
            for (int maker = 0; maker < MAKERS; maker++)
                start(make_and_join);
            (void)make_and_join(NULL);
        }
        nap(3);
        good += stop_often(child);
        kill(child, SIGKILL);
        (void)await_child(child);
    }
    say("stopped: %u of %u", good, STOPPERS * STOPS);
}

/* ---- what is blocked ---- */

static void *take_all(void *argument)
{
    sigset_t set;
    int number;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    for (;;)
        sigwait(&set, &number);
    return argument;
}

static void make_many(void)
{
    pthread_t thread;
    bool good = true;

    setpgid(0, 0);
    start(take_all);
    for (unsigned i = 0; i < ROUNDS && good; i++) {
        pid_t child = fork();

        if (child == 0)
            _exit(0);
        good = await_child(child) == 0;
        if (pthread_create(&thread, NULL, end_at_once, NULL) == 0)
            pthread_join(thread, NULL);
    }
    _exit(good ? 0 : 1);
}

static void while_blocked(void)
{
    pid_t child;

    block(SIGTERM);
    child = fork();
    if (child == 0)
        make_many();
    for (unsigned i = 0; i < SENT; i++) {
        kill(child, SIGTERM);
        kill(-child, SIGTERM);
    }
    say_status("with signals that are blocked", await_child(child));
}

/* ---- numbers ---- */

/* musl does not tell the number of a thread; clone does. */
static bool find_thread(void)
{
    const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    static char stacks[FOUND][STACK] __attribute__((aligned(16)));
    static unsigned next;
    cpu_set_t set;
    int tid = clone(sleep_for_ever, stacks[next] + STACK, flags, NULL);

    next++;
    CPU_ZERO(&set);
    return tid > 0 && sched_getaffinity(tid, sizeof(set), &set) == 0 &&
           sched_setaffinity(tid, sizeof(set), &set) == 0;
}

static bool find_process(void)
{
    pid_t child = fork();
    cpu_set_t set;
    bool found;

    if (child == 0) {
        pause();
        _exit(0);
    }
    CPU_ZERO(&set);
    found = sched_getaffinity(child, sizeof(set), &set) == 0 &&
            sched_setaffinity(child, sizeof(set), &set) == 0;
    kill(child, SIGKILL);
    (void)await_child(child);
    return found;
}

static void while_young(void)
{
    unsigned threads = 0, processes = 0;

    for (unsigned i = 0; i < FOUND; i++) {
        processes += find_process();
        threads += find_thread();
    }
    say("found: %u threads and %u processes of %u", threads, processes, FOUND);
}

const struct signal_case made_cases[] = {{"made-exec", while_exec},
                                         {"made-stop", while_stopping},
                                         {"made-blocked", while_blocked},
                                         {"made-found", while_young},
                                         {NULL, NULL}};
