/* SPDX-License-Identifier: MIT */
/*
 * times.c: the processor time that threads and processes have used.
 */
#include "proc/times/times.h"

#include "proc/process.h"
#include "thread/thread.h"

#include <hal/kstate.h>
#include <hal/user.h>

/* Of threads that have ended. */
static KSTATE struct process_times ended;

struct process_times user_thread_times(const struct user_thread *thread)
{
    struct process_times times = {hal_user_time(&thread->user), 0};
    struct thread_info info;

    if (thread_read_info(thread->kernel_thread, &info) || info.id != thread->kernel_thread)
        return times;
    if (times.user > info.run_time) /* what has just run is not all charged */
        times.user = info.run_time;
    times.system = info.run_time - times.user;
    return times;
}

struct process_times process_read_times(const struct process *process)
{
    struct process_times times = process->times, more;

    list_for_each (link, &process->threads) {
        more = user_thread_times(list_entry(link, struct user_thread, link));
        process_add_times(&times, &more);
    }
    return times;
}

uint64_t process_run_time(const struct process *process)
{
    struct process_times times = process_read_times(process);

    return times.user + times.system;
}

void user_thread_keep_times(const struct user_thread *thread)
{
    struct process_times times = user_thread_times(thread);

    process_add_times(&thread->process->times, &times);
    process_add_times(&ended, &times);
}

struct process_times process_total_times(void)
{
    struct process_times times, more;

    process_lock();
    times = ended;
    for (struct process *process = process_from(0); process;
         process = process_from(process->pid + 1)) {
        list_for_each (link, &process->threads) {
            more = user_thread_times(list_entry(link, struct user_thread, link));
            process_add_times(&times, &more);
        }
    }
    process_unlock();
    return times;
}
