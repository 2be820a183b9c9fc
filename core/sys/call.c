/* SPDX-License-Identifier: MIT */
/*
 * call.c: a system call comes in, and its result goes out.
 */
#include "sys/call.h"

#include "abi/abi.h"
#include "lib/bitmap.h"
#include "lib/log.h"
#include "proc/process.h"
#include "sys/trace/trace.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/time.h>

static KSTATE struct unknown_calls {
    uint64_t count;                                /* atomic */
    uint64_t named[BITMAP_WORDS(ABI_NUMBERS_MAX)]; /* atomic; a bit for each number in the log */
} unknown;

uint64_t sys_unknown_calls(void)
{
    return __atomic_load_n(&unknown.count, __ATOMIC_RELAXED);
}

/* Counts a call that is not here, and names it the first time. */
static void note_unknown(uint64_t number, const char *name, const struct process *process)
{
    uint64_t slot = number < ABI_NUMBERS_MAX ? number : ABI_NUMBERS_MAX - 1;
    uint64_t bit = 1ull << slot % 64;

    __atomic_add_fetch(&unknown.count, 1, __ATOMIC_RELAXED);
    if (__atomic_fetch_or(&unknown.named[slot / 64], bit, __ATOMIC_RELAXED) & bit)
        return;
    klog(KLOG_INFO, "process %u (%s): no system call %llu%s%s", process->pid, process->name,
         (unsigned long long)number, name ? ", " : "", name ? name : "");
}

void sys_call(struct user_thread *thread)
{
    uint64_t number = hal_user_call(&thread->user);
    const struct sys_call *call;
    struct sys_args args;
    int64_t result;

    for (unsigned i = 0; i < SYS_ARGUMENTS; i++)
        args.value[i] = hal_user_argument(&thread->user, i);
    call = sys_call_at(abi_call(number, &args));
    trace_call(thread, call, &args);
    thread->signals.call.restart = call->restart;
    if (call->run) {
        result = call->run(&args);
    } else {
        note_unknown(number, call->name, thread->process);
        result = -ENOSYS;
    }
    trace_result(thread, call, &args, result);
    hal_user_set_result(&thread->user, result);
    thread->signals.call.repeated = false;
    if (result == -EINTR && call->restart != SYS_RESTART_NONE) {
        thread->signals.call.interrupted = true;
        thread->signals.call.number = number;
    }
}

void sys_restart_as(enum sys_restart how)
{
    user_thread_current()->signals.call.restart = (uint8_t)how;
}

uint64_t sys_deadline(uint64_t ns)
{
    struct signal_call *call = &user_thread_current()->signals.call;
    uint64_t now = hal_time_now();

    if (!call->repeated)
        call->deadline = ns < HAL_TIME_NEVER - now ? now + ns : HAL_TIME_NEVER;
    return call->deadline;
}
