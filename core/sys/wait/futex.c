/* SPDX-License-Identifier: MIT */
/*
 * futex.c: the system call futex, which is many; and the lists of locks that a thread may die with.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "dev/clock.h"
#include "ipc/futex/futex.h"
#include "proc/process.h"

#include <hal/errno.h>
#include <hal/time.h>

enum {
    WAIT = 0,
    WAKE = 1,
    REQUEUE = 3,
    CMP_REQUEUE = 4,
    WAKE_OP = 5,
    WAIT_BITSET = 9,
    WAKE_BITSET = 10
};

#define PRIVATE 128u
#define WALL_CLOCK 256u
#define COMMAND (~(PRIVATE | WALL_CLOCK))
#define ROBUST_HEAD_BYTES 24u

/* Commands that are here, a bit each. */
#define KNOWN \
    (1u << WAIT | 1u << WAKE | 1u << REQUEUE | 1u << CMP_REQUEUE | 1u << WAKE_OP | \
     1u << WAIT_BITSET | 1u << WAKE_BITSET)

/* What a call is about, beside its operation. */
struct request {
    struct futex_word word, other;
    uint32_t command, value, value2, value3;
    uint64_t deadline;
};

static bool waits(uint32_t command)
{
    return command == WAIT || command == WAIT_BITSET;
}

static bool has_other(uint32_t command)
{
    return command == REQUEUE || command == CMP_REQUEUE || command == WAKE_OP;
}

/* The time in argument 3: how long to wait, or with WAIT_BITSET until when, by either clock. */
static int read_deadline(struct request *request, uint64_t address, bool wall)
{
    uint64_t start = hal_time_now(), ns;
    int error;

    request->deadline = HAL_TIME_NEVER;
    if (!address)
        return 0;
    error = user_read_time(address, &ns);
    if (error)
        return error;
    if (request->command == WAIT)
        start = 0;
    else if (wall)
        start = (uint64_t)wall_now_ns();
    request->deadline = sys_deadline(ns > start ? ns - start : 0);
    return 0;
}

static int read_request(struct request *request, const struct sys_args *args)
{
    uint32_t operation = (uint32_t)args->value[1];
    struct vm_space *space = process_current()->space;
    bool shared = !(operation & PRIVATE);
    int error = 0;

    *request = (struct request){.command = operation & COMMAND,
                                .value = (uint32_t)args->value[2],
                                .value2 = (uint32_t)args->value[3],
                                .value3 = (uint32_t)args->value[5]};
    if (request->command > WAKE_BITSET || !(KNOWN >> request->command & 1))
        return -ENOSYS;
    if ((operation & WALL_CLOCK) && request->command != WAIT_BITSET)
        return -ENOSYS;
    if (waits(request->command))
        error = read_deadline(request, args->value[3], operation & WALL_CLOCK);
    if (!error)
        error = futex_find(space, (uintptr_t)args->value[0], shared, &request->word);
    if (!error && has_other(request->command))
        error = futex_find(space, (uintptr_t)args->value[4], shared, &request->other);
    return error;
}

static int64_t requeue(const struct request *request, const uint32_t *expected)
{
    if ((int32_t)request->value < 0 || (int32_t)request->value2 < 0)
        return -EINVAL;
    return futex_requeue(&request->word, &request->other, request->value, request->value2,
                         expected);
}

/* Linux wakes one where none was asked for. */
static uint32_t at_least_one(uint32_t value)
{
    return (int32_t)value > 0 ? value : 1;
}

static int64_t run(const struct request *request)
{
    switch (request->command) {
    case WAIT:
        return futex_wait(&request->word, request->value, FUTEX_ANY, request->deadline);
    case WAIT_BITSET:
        if (!request->value3)
            return -EINVAL;
        return futex_wait(&request->word, request->value, request->value3, request->deadline);
    case WAKE:
        return futex_wake(&request->word, at_least_one(request->value), FUTEX_ANY);
    case WAKE_BITSET:
        if (!request->value3)
            return -EINVAL;
        return futex_wake(&request->word, at_least_one(request->value), request->value3);
    case REQUEUE:
        return requeue(request, NULL);
    case CMP_REQUEUE:
        return requeue(request, &request->value3);
    case WAKE_OP:
        return futex_wake_by(&request->word, &request->other, at_least_one(request->value),
                             at_least_one(request->value2), request->value3);
    default:
        return -ENOSYS;
    }
}

/* Who waits without a time goes on waiting after a handler with SA_RESTART. */
int64_t sys_futex(const struct sys_args *args)
{
    struct request request;
    int error = read_request(&request, args);

    if (error)
        return error;
    if (waits(request.command) && request.deadline == HAL_TIME_NEVER)
        sys_restart_as(SYS_RESTART);
    return run(&request);
}

int64_t sys_get_robust_list(const struct sys_args *args)
{
    uint32_t tid = (uint32_t)args->value[0];
    const struct user_thread *thread;
    uint64_t head = 0, bytes = ROBUST_HEAD_BYTES;
    int error;

    process_lock();
    thread = tid ? user_thread_find(tid) : user_thread_current();
    if (thread)
        head = __atomic_load_n(&thread->robust_list, __ATOMIC_RELAXED);
    process_unlock();
    if (!thread)
        return -ESRCH;
    error = user_copy_out(args->value[2], &bytes, sizeof(bytes));
    return error ? error : user_copy_out(args->value[1], &head, sizeof(head));
}
