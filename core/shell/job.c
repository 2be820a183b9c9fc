/* SPDX-License-Identifier: MIT */
/*
 * job.c: runs commands, here, in a thread that the shell waits for, or in the background.
 *
 * The table of background jobs only maps numbers to threads. A job's memory belongs to its thread,
 * which frees it as its last act; the slot in the table goes first.
 */
#include "shell/job.h"

#include "lib/bitmap.h"
#include "lib/format.h"
#include "lib/string.h"
#include "heap/heap.h"
#include "shell/commands/command.h"
#include "shell/edit/editor.h"
#include "shell/edit/expand.h"
#include "sync/spinlock.h"
#include "thread/thread.h"
#include "tty/tty.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>

static KSTATE struct job_table {
    struct spinlock lock;                            /* guards the rest */
    uint64_t used[BITMAP_WORDS(JOB_BACKGROUND_MAX)]; /* bit N - 1: job N is somebody's */
    struct {
        bool cancelled;          /* to be ended as soon as its thread is known */
        uint32_t thread;         /* its number; 0: not known yet */
    } slots[JOB_BACKGROUND_MAX]; /* job N is at N - 1 */
} table;

void job_start(void)
{
    spinlock_init(&table.lock, LOCK_RANK_DEVICE);
}

/* ---- the table ---- */

/* Returns a free number, now taken, or 0. */
static unsigned job_take_number(void)
{
    hal_irq_state_t irq = spinlock_acquire(&table.lock);
    unsigned i = (unsigned)bitmap_find_clear(table.used, JOB_BACKGROUND_MAX, 0);

    if (i < JOB_BACKGROUND_MAX) {
        bitmap_set(table.used, i);
        table.slots[i].cancelled = false;
        table.slots[i].thread = 0;
    }
    spinlock_release(&table.lock, irq);
    return i < JOB_BACKGROUND_MAX ? i + 1 : 0;
}

static void job_give_number(unsigned number)
{
    hal_irq_state_t irq = spinlock_acquire(&table.lock);

    bitmap_clear(table.used, number - 1);
    table.slots[number - 1].thread = 0;
    spinlock_release(&table.lock, irq);
}

int job_cancel(unsigned number)
{
    hal_irq_state_t irq;
    uint32_t thread;
    bool used;

    if (number < 1 || number > JOB_BACKGROUND_MAX)
        return -ENOENT;
    irq = spinlock_acquire(&table.lock);
    used = bitmap_test(table.used, number - 1);
    thread = table.slots[number - 1].thread;
    table.slots[number - 1].cancelled = used;
    spinlock_release(&table.lock, irq);
    if (!used)
        return -ENOENT;
    return thread == 0 ? 0 : thread_cancel(thread);
}

uint32_t job_thread(unsigned number)
{
    uint32_t thread = 0;
    hal_irq_state_t irq;

    if (number < 1 || number > JOB_BACKGROUND_MAX)
        return 0;
    irq = spinlock_acquire(&table.lock);
    if (bitmap_test(table.used, number - 1))
        thread = table.slots[number - 1].thread;
    spinlock_release(&table.lock, irq);
    return thread;
}

unsigned job_of_thread(uint32_t id)
{
    hal_irq_state_t irq = spinlock_acquire(&table.lock);
    unsigned number = 0;

    for (unsigned i = 0; i < JOB_BACKGROUND_MAX; i++) {
        if (bitmap_test(table.used, i) && table.slots[i].thread == id)
            number = i + 1;
    }
    spinlock_release(&table.lock, irq);
    return number;
}

/* ---- running ---- */

void job_run_here(struct job *job)
{
    job->command->run(job);
}

static void job_foreground_main(void *argument)
{
    struct job *job = argument;

    job_run_here(job);
    job->cancelled = thread_cancelled();
}

static void job_run_foreground(struct job *job)
{
    struct thread *thread;

    job->cancelled = false;
    if (thread_create(job->command->name, job_foreground_main, job, &thread) != 0) {
        command_error("out of memory: no thread for %s", job->command->name);
        return;
    }
    tty_watch_interrupt(thread->id);
    thread_join(thread);
    tty_watch_interrupt(0);
    if (job->cancelled)
        tty_print("^C\n");
}

/* Enters the calling thread in the table. False: it was told to end before that. */
static bool job_enter_table(unsigned number)
{
    hal_irq_state_t irq = spinlock_acquire(&table.lock);
    bool cancelled = table.slots[number - 1].cancelled;

    table.slots[number - 1].thread = thread_current()->id;
    spinlock_release(&table.lock, irq);
    return !cancelled;
}

/* Frees a copy that job_copy has made. */
static void job_free(struct job *job)
{
    expand_finish(&job->args);
    vnode_put(job->base);
    kfree(job);
}

static void job_background_main(void *argument)
{
    struct job *job = argument;

    if (job_enter_table(job->number))
        job_run_here(job);
    job_give_number(job->number);
    job_free(job);
}

/* As one piece: others print, too. */
static void job_print_words(const struct job *job)
{
    char line[EDITOR_LINE_MAX + 16];
    size_t n = format_text(line, sizeof(line), "[%u]", job->number);

    for (unsigned i = 0; i < job->args.count && n < sizeof(line); i++)
        n += format_text(line + n, sizeof(line) - n, " %s", job->args.words[i]);
    tty_print("%s\n", line);
}

/* Makes the copy, with a number of its own. NULL: an error was printed. */
static struct job *job_copy(const struct job *from, const struct command *command)
{
    struct job *job = kmalloc(sizeof(*job));

    if (job == NULL) {
        command_error("out of memory: no room for a command in the background");
        return NULL;
    }
    job->number = job_take_number();
    if (job->number == 0) {
        command_error("%u commands run in the background already: end one (kill %%1)",
                      JOB_BACKGROUND_MAX);
        kfree(job);
        return NULL;
    }
    job->command = command;
    job->cancelled = false;
    args_copy(&job->args, &from->args);
    job->base = from->base ? vnode_get(from->base) : NULL;
    memcpy(job->directory, from->directory, sizeof(job->directory));
    return job;
}

void job_start_background(const struct job *from, const struct command *command)
{
    struct job *job = job_copy(from, command);
    char name[THREAD_NAME_MAX + 1];
    struct thread *thread;

    if (job == NULL)
        return;
    job_print_words(job);
    format_text(name, sizeof(name), "%s %%%u", command->name, job->number);
    if (thread_create(name, job_background_main, job, &thread) != 0) {
        command_error("out of memory: no thread for %s", command->name);
        job_give_number(job->number);
        job_free(job);
        return;
    }
    thread_detach(thread);
}

static void job_run_command(struct job *job)
{
    job->command = command_find(job->args.words[0]);
    if (job->command == NULL)
        tty_print("unknown command: %s\n", job->args.words[0]);
    else if (job->command->quick) /* done before a thread could begin, with & or without */
        job_run_here(job);
    else if (job->args.background)
        job_start_background(job, job->command);
    else
        job_run_foreground(job);
}

/* The same with the files that '*' and '?' stand for. */
static void job_expand_and_run(struct job *job)
{
    int error = expand_words(job->base, &job->args);

    if (error == -ENOMEM)
        command_error("out of memory: no room for the names of files");
    else if (error != 0)
        command_error("looking for names of files: %s", command_error_text(error));
    else
        job_run_command(job);
    expand_finish(&job->args);
}

static const char *job_line_problem(int error)
{
    switch (error) {
    case -E2BIG:
        return "too many arguments";
    case -ENOENT:
        return "no command before '&'";
    default:
        return "a quote is not closed, or a \\ has nothing behind it";
    }
}

/* Looks at the whole line before any of it runs: a line with a mistake does nothing. */
static int job_check_line(struct job *job, const char *line)
{
    int error;

    do {
        error = args_parse(&line, &job->args);
    } while (error == 0 && job->args.count > 0);
    return error;
}

void job_run_line(struct job *job, const char *line)
{
    int error = job_check_line(job, line);

    job->number = 0;
    job->cancelled = false;
    while (error == 0 && !job->cancelled) {
        error = args_parse(&line, &job->args);
        if (error != 0 || job->args.count == 0)
            break;
        job_expand_and_run(job);
    }
    if (error != 0)
        command_error("%s", job_line_problem(error));
}
