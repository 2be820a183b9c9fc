/* SPDX-License-Identifier: MIT */
/*
 * top.c: ps and top: the threads, once, or again and again with the busiest first.
 *
 * top draws from the upper left corner over what it drew before, and clears only what is left of
 * older lines, so that nothing flickers.
 */
#include "heap/heap.h"
#include "lib/string.h"
#include "sched/sched.h"
#include "shell/commands/command.h"
#include "shell/sched/shares.h"
#include "sync/mutex.h"
#include "thread/cpu.h"
#include "tty/tty.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/time.h>

#define TOP_ROWS 16u
#define TOP_SECOND 1000000000u
#define TOP_SHORTEST 10000000u /* ns between two pictures */
#define TOP_COUNT_MAX 1000000u

/* ---- ps ---- */

static KSTATE struct ps_state {
    struct mutex lock; /* guards the rest: one ps at a time */
    struct shares shares;
} ps;

void command_prepare_ps(void)
{
    mutex_init(&ps.lock);
}

static void print_row(const struct shares_row *row, void *context)
{
    (void)context;
    shares_print(row, "\n");
}

void command_ps(struct job *job)
{
    if (!command_takes_none(job))
        return;
    mutex_lock(&ps.lock);
    shares_print_titles("\n");
    shares_look(&ps.shares, print_row, NULL);
    mutex_unlock(&ps.lock);
}

/* ---- top ---- */

struct top {
    struct shares shares;
    unsigned threads, ready, rows;
    struct shares_row best[TOP_ROWS]; /* the busiest first; equals by their numbers */
};

/* Keeps the row if it is among the busiest. The idle threads are told of by CPU. */
static void rank_row(const struct shares_row *row, void *context)
{
    struct top *top = context;
    unsigned at = top->rows;

    if (row->info.idle)
        return;
    top->threads++;
    top->ready += row->info.state == THREAD_READY;
    if (top->rows < TOP_ROWS)
        top->rows++;
    else if (top->best[TOP_ROWS - 1].tenths >= row->tenths)
        return;
    else
        at--;
    for (; at > 0 && top->best[at - 1].tenths < row->tenths; at--)
        top->best[at] = top->best[at - 1];
    top->best[at] = *row;
}

static void print_cpu(struct top *top, unsigned cpu)
{
    unsigned load = shares_of_cpu(&top->shares, cpu);
    struct sched_cpu_info info;
    struct thread_info thread;

    scheduler_read_cpu(cpu, &info);
    if (!info.online)
        return;
    if (thread_read_info(info.running, &thread) != 0 || thread.id != info.running)
        thread.name[0] = '\0'; /* it has ended meanwhile */
    tty_print("CPU %u  %4u.%u %%, %u ready, %llu switches, runs %s\033[K\n", cpu, load / 10,
              load % 10, info.ready, (unsigned long long)info.switches, thread.name);
}

static void print_picture(struct top *top)
{
    uint64_t seconds;

    top->threads = top->ready = top->rows = 0;
    shares_look(&top->shares, rank_row, top);
    seconds = top->shares.when / TOP_SECOND;
    tty_print("\033[H"
              "up %llu:%02u:%02u, %u threads, %u ready, policy %s; q leaves\033[K\n",
              (unsigned long long)seconds / 3600, (unsigned)(seconds / 60 % 60),
              (unsigned)(seconds % 60), top->threads, top->ready, scheduler_policy_name());
    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++)
        print_cpu(top, cpu);
    shares_print_titles("\033[K\n");
    for (unsigned i = 0; i < top->rows; i++)
        shares_print(&top->best[i], "\033[K\n");
    tty_print("\033[J");
}

/* Waits for the next picture. False: q or Ctrl-C was typed. */
static bool await_turn(uint64_t deadline)
{
    for (;;) {
        char bytes[16];
        int64_t n = tty_read(bytes, sizeof(bytes), deadline);

        if (n == -ETIMEDOUT)
            return true;
        if (n < 0)
            return false;
        for (int64_t i = 0; i < n; i++) {
            if (bytes[i] == 'q' || bytes[i] == 'Q')
                return false;
        }
    }
}

/* Reads `top [TIME [COUNT]]`. False: an error was printed. */
static bool read_arguments(const struct job *job, uint64_t *ns, uint64_t *count)
{
    char *const *words = job->args.words;

    *ns = TOP_SECOND;
    *count = UINT64_MAX;
    if (job->args.count > 3) {
        command_usage(job, "top takes the time between two pictures, and how many");
        return false;
    }
    if (job->args.count > 1 && !command_duration(job, words[1], ns))
        return false;
    if (job->args.count > 2 && !command_number(job, words[2], TOP_COUNT_MAX, count))
        return false;
    if (*ns >= TOP_SHORTEST)
        return true;
    command_usage(job, "%s is not a time from 10ms on", words[1]);
    return false;
}

static void show(struct top *top, uint64_t ns, uint64_t count)
{
    uint64_t next = hal_time_now();

    tty_print("\033[2J");
    tty_set_mode(TTY_RAW);
    for (uint64_t i = 0; i < count; i++) {
        next = ns > HAL_TIME_NEVER - next ? HAL_TIME_NEVER : next + ns;
        print_picture(top);
        if (i + 1 < count && !await_turn(next))
            break;
    }
}

void command_top(struct job *job)
{
    uint64_t ns, count;
    struct top *top;

    if (!read_arguments(job, &ns, &count))
        return;
    if (job->number != 0) {
        command_error("top needs the console: it cannot run in the background");
        return;
    }
    top = kcalloc(1, sizeof(*top));
    if (!top) {
        command_error("out of memory: no room for what threads had used before");
        return;
    }
    show(top, ns, count);
    kfree(top);
}
