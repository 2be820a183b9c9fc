/* SPDX-License-Identifier: MIT */
/*
 * clone3.c: clone with its arguments in a structure that grows from kernel to kernel.
 *
 * A program says how long its structure is. What is behind the part that is known here has to be
 * zeros; what asks for things that are not here is refused.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "proc/process.h"

#include <hal/errno.h>
#include <hal/machine.h>

#define LEAST_BYTES 64u
#define SIGNAL_BITS 0xffu
#define FLAGS_KNOWN 0xffffffffu /* those of clone, and none of clone3's own */
#define PIDFD 0x1000u

/* Linux's struct clone_args. */
struct clone_arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_bytes, tls;
    uint64_t set_tid, set_tid_count, cgroup;
};

/* True if the program's memory from `address` on is `n` bytes of zeros. */
static int check_zeros(uint64_t address, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        uint8_t byte;
        int error = user_copy_in(&byte, address + i, 1);

        if (error)
            return error;
        if (byte)
            return -E2BIG;
    }
    return 0;
}

static int read_arguments(struct clone_arguments *arguments, uint64_t address, uint64_t bytes)
{
    size_t known = bytes < sizeof(*arguments) ? (size_t)bytes : sizeof(*arguments);
    int error;

    *arguments = (struct clone_arguments){.flags = 0};
    if (bytes < LEAST_BYTES)
        return -EINVAL;
    if (bytes > HAL_PAGE_SIZE)
        return -E2BIG;
    error = user_copy_in(arguments, address, known);
    return error ? error : check_zeros(address + known, bytes - known);
}

static int check(const struct clone_arguments *arguments)
{
    uint64_t flags = arguments->flags;

    if ((flags & ~(uint64_t)FLAGS_KNOWN) || (flags & (SIGNAL_BITS | PIDFD)) ||
        arguments->exit_signal > SIGNAL_COUNT)
        return -EINVAL;
    if ((flags & (CLONE_THREAD | CLONE_PARENT)) && arguments->exit_signal)
        return -EINVAL;
    if (arguments->set_tid || arguments->set_tid_count || arguments->cgroup)
        return -EINVAL;
    return !arguments->stack == !arguments->stack_bytes ? 0 : -EINVAL;
}

int64_t sys_clone3(const struct sys_args *args)
{
    struct clone_arguments arguments;
    struct clone_request request;
    int error = read_arguments(&arguments, args->value[0], args->value[1]);

    if (!error)
        error = check(&arguments);
    if (error)
        return error;
    request = (struct clone_request){
        .flags = arguments.flags | arguments.exit_signal,
        .stack = (uintptr_t)(arguments.stack + arguments.stack_bytes),
        .parent_tid = (uintptr_t)arguments.parent_tid,
        .child_tid = (uintptr_t)arguments.child_tid,
        .tls = (uintptr_t)arguments.tls,
    };
    return process_clone(&request);
}
