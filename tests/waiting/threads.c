/* SPDX-License-Identifier: MIT */
/*
 * threads.c: a program of POSIX threads, whose output is the same wherever and however often it
 * runs: mutexes, conditions, barriers, read-write locks, semaphores, once, keys, thread-local
 * variables, robust mutexes, timeouts, cancellation, join; threads that come and go in crowds.
 *
 *     threads [ROUNDS]
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 8

static int rounds = 200;

static void check(int good, const char *what)
{
    if (good)
        return;
    printf("WRONG: %s\n", what);
    exit(1);
}

static void run_all(void *(*function)(void *), long *results)
{
    pthread_t threads[THREADS];

    for (long i = 0; i < THREADS; i++)
        check(pthread_create(&threads[i], NULL, function, (void *)i) == 0, "create");
    for (int i = 0; i < THREADS; i++) {
        void *result;

        check(pthread_join(threads[i], &result) == 0, "join");
        results[i] = (long)result;
    }
}

/* ---- a counter under a mutex, and thread-local variables ---- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long counter;
static __thread long own = 7;

static void *count(void *argument)
{
    for (int i = 0; i < rounds; i++) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
        own += (long)argument;
        if (i % 16 == 0)
            sched_yield();
    }
    return (void *)own;
}

static void test_mutex(void)
{
    long results[THREADS];

    run_all(count, results);
    for (long i = 0; i < THREADS; i++)
        check(results[i] == 7 + i * rounds, "thread-local");
    printf("mutex: %s\n", counter == (long)THREADS * rounds ? "all counted" : "lost");
}

/* ---- a ring of one place, with conditions ---- */

static pthread_cond_t filled = PTHREAD_COND_INITIALIZER, emptied = PTHREAD_COND_INITIALIZER;
static long place = -1;

static void *produce(void *argument)
{
    for (long i = 0; i < rounds; i++) {
        pthread_mutex_lock(&mutex);
        while (place >= 0)
            pthread_cond_wait(&emptied, &mutex);
        place = (long)argument * rounds + i;
        pthread_cond_signal(&filled);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void *consume(void *argument)
{
    long sum = 0;

    (void)argument;
    for (long i = 0; i < rounds; i++) {
        pthread_mutex_lock(&mutex);
        while (place < 0)
            pthread_cond_wait(&filled, &mutex);
        sum += place;
        place = -1;
        pthread_cond_signal(&emptied);
        pthread_mutex_unlock(&mutex);
    }
    return (void *)sum;
}

static void *produce_or_consume(void *argument)
{
    long number = (long)argument;

    return number < THREADS / 2 ? produce(argument) : consume(argument);
}

static void test_conditions(void)
{
    long results[THREADS], sum = 0, all = (long)THREADS / 2 * rounds;

    run_all(produce_or_consume, results);
    for (int i = THREADS / 2; i < THREADS; i++)
        sum += results[i];
    printf("conditions: %s\n", sum == all * (all - 1) / 2 ? "all consumed" : "lost");
}

static void *time_out(void *argument)
{
    struct timespec until;
    int error;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 2000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&mutex);
    do
        error = pthread_cond_timedwait(&filled, &mutex, &until);
    while (error == 0);
    pthread_mutex_unlock(&mutex);
    (void)argument;
    return (void *)(long)error;
}

static void test_timeouts(void)
{
    long results[THREADS];

    run_all(time_out, results);
    for (int i = 0; i < THREADS; i++)
        check(results[i] == ETIMEDOUT, "timed out");
    printf("timeouts: all\n");
}

/* ---- barriers, and a broadcast to all ---- */

static pthread_barrier_t barrier;
static atomic_long arrived;

static void *meet(void *argument)
{
    long serial = 0;

    (void)argument;
    for (int i = 0; i < rounds; i++) {
        atomic_fetch_add(&arrived, 1);
        serial += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
        check(atomic_load(&arrived) >= (long)THREADS * (i + 1), "barrier");
    }
    return (void *)serial;
}

static void test_barrier(void)
{
    long results[THREADS], serial = 0;

    pthread_barrier_init(&barrier, NULL, THREADS);
    run_all(meet, results);
    for (int i = 0; i < THREADS; i++)
        serial += results[i];
    pthread_barrier_destroy(&barrier);
    printf("barrier: %s\n", serial == rounds ? "one serial thread a round" : "wrong");
}

static int open_gate;

static void *wait_at_gate(void *argument)
{
    pthread_mutex_lock(&mutex);
    while (!open_gate)
        pthread_cond_wait(&filled, &mutex);
    pthread_mutex_unlock(&mutex);
    return argument;
}

static void test_broadcast(void)
{
    pthread_t threads[THREADS];

    for (long i = 0; i < THREADS; i++)
        check(pthread_create(&threads[i], NULL, wait_at_gate, NULL) == 0, "create");
    pthread_mutex_lock(&mutex);
    open_gate = 1;
    pthread_cond_broadcast(&filled);
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("broadcast: all woke\n");
}

/* ---- read-write locks, semaphores, once, keys ---- */

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static volatile long left, right;

static void *read_and_write(void *argument)
{
    for (int i = 0; i < rounds; i++) {
        if ((i + (long)argument) % 4 == 0) {
            pthread_rwlock_wrlock(&rwlock);
            left++;
            sched_yield();
            right++;
        } else {
            pthread_rwlock_rdlock(&rwlock);
            check(left == right, "a reader sees a half write");
        }
        pthread_rwlock_unlock(&rwlock);
    }
    return NULL;
}

static sem_t permits;
static atomic_int inside;

static void *enter(void *argument)
{
    for (int i = 0; i < rounds; i++) {
        sem_wait(&permits);
        check(atomic_fetch_add(&inside, 1) < 3, "semaphore");
        sched_yield();
        atomic_fetch_sub(&inside, 1);
        sem_post(&permits);
    }
    return argument;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static atomic_int made, destroyed;

static void destroy(void *value)
{
    (void)value;
    atomic_fetch_add(&destroyed, 1);
}

static void make_key(void)
{
    atomic_fetch_add(&made, 1);
    pthread_key_create(&key, destroy);
}

static void *use_key(void *argument)
{
    pthread_once(&once, make_key);
    pthread_setspecific(key, (char *)argument + 1);
    return pthread_getspecific(key);
}

static void test_others(void)
{
    long results[THREADS];

    run_all(read_and_write, results);
    printf("read-write lock: %s\n", left == right ? "no half write" : "wrong");
    sem_init(&permits, 0, 3);
    run_all(enter, results);
    printf("semaphore: never more than three\n");
    run_all(use_key, results);
    printf("once and keys: made %d, destroyed %d\n", atomic_load(&made), atomic_load(&destroyed));
}

/* ---- ends ---- */

static pthread_mutex_t robust;

static void *die_with_it(void *argument)
{
    pthread_mutex_lock(&robust);
    return argument;
}

static void test_robust(void)
{
    pthread_mutexattr_t attributes;
    pthread_t thread;
    int error;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &attributes);
    pthread_create(&thread, NULL, die_with_it, NULL);
    error = pthread_mutex_lock(&robust); /* it may be that we are first */
    if (error == 0) {
        pthread_mutex_unlock(&robust);
        pthread_join(thread, NULL);
        error = pthread_mutex_lock(&robust);
    } else {
        pthread_join(thread, NULL);
    }
    printf("robust mutex: %s\n", error == EOWNERDEAD ? "its owner died" : "wrong");
    check(pthread_mutex_consistent(&robust) == 0, "consistent");
    pthread_mutex_unlock(&robust);
}

/* Lists of robust locks that are none: whoever walks them gives up, and the thread ends. */
static void *lie(void *argument)
{
    static struct {
        void *next;
        long distance;
        void *pending;
    } head;
    static int lock;
    static void *entry;

    head.next = &head;
    switch ((long)argument) {
    case 0: /* a circle that does not come back */
        entry = &entry;
        head.next = &entry;
        break;
    case 1:
        head.next = (void *)16;
        break;
    case 2: /* unaligned, and far away */
        head.distance = 1;
        head.next = head.pending = &entry;
        entry = &head;
        break;
    case 3:
        head.distance = INT64_MIN / 2;
        head.pending = &entry;
        break;
    case 4: /* a lock that is the thread's: only it is changed */
        lock = (int)syscall(SYS_gettid);
        entry = &head;
        head.distance = (char *)&lock - (char *)&entry;
        head.next = &entry;
        break;
    default:
        head.next = NULL;
    }
    syscall(SYS_set_robust_list, (long)argument == 6 ? (void *)1 : (void *)&head, sizeof(head));
    return &lock;
}

static void test_lies(void)
{
    for (long i = 0; i < 7; i++) {
        pthread_t thread;
        void *lock;

        check(pthread_create(&thread, NULL, lie, (void *)i) == 0, "create");
        check(pthread_join(thread, &lock) == 0, "join");
        printf("list %ld: lock %#x\n", i, *(unsigned *)lock);
    }
}

static void *nothing(void *argument)
{
    return argument;
}

static void test_crowds(void)
{
    long results[THREADS];

    for (int i = 0; i < rounds / 10; i++)
        run_all(nothing, results);
    printf("crowds: came and went\n");
}

static void test_detached(void)
{
    pthread_t thread;
    sem_t done;

    sem_init(&done, 0, 0);
    check(pthread_create(&thread, NULL, (void *(*)(void *))(void *)sem_post, &done) == 0, "create");
    pthread_detach(thread);
    while (sem_wait(&done))
        continue;
    printf("detached: ran\n");
}

static void *exec_here(void *argument)
{
    char *const *arguments = argument;

    execv("/proc/self/exe", arguments);
    return NULL;
}

static void *sleep_on(void *argument)
{
    pause();
    return argument;
}

/* A thread other than the first runs exec: the process goes on under its number. */
static void test_exec(void)
{
    int status = -1;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        char number[16], *arguments[] = {"threads", "pid", number, NULL};
        pthread_t thread;

        snprintf(number, sizeof(number), "%d", (int)getpid());
        pthread_create(&thread, NULL, sleep_on, NULL);
        pthread_create(&thread, NULL, exec_here, arguments);
        pause();
    }
    check(waitpid(child, &status, 0) == child, "wait");
    printf("exec: status %d\n", WEXITSTATUS(status));
}

static void test_exit_group(void)
{
    int status = -1;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        pthread_t thread;

        for (int i = 0; i < THREADS; i++)
            pthread_create(&thread, NULL, sleep_on, NULL);
        _exit(23);
    }
    check(waitpid(child, &status, 0) == child, "wait");
    printf("exit_group: status %d\n", WEXITSTATUS(status));
}

int main(int count, char **arguments)
{
    if (count == 3)
        return atoi(arguments[2]) == getpid() && gettid() == getpid() ? 42 : 1;
    if (count == 2)
        rounds = atoi(arguments[1]);
    test_mutex();
    test_conditions();
    test_timeouts();
    test_barrier();
    test_broadcast();
    test_others();
    test_robust();
    test_lies();
    test_crowds();
    test_detached();
    test_exec();
    test_exit_group();
    return 0;
}
