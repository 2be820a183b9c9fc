/* SPDX-License-Identifier: MIT */
/*
 * worth.c: nice and priority: how important a thread is.
 */
#include "lib/string.h"
#include "sched/policy.h"
#include "shell/commands/command.h"
#include "thread/thread.h"

#include <hal/errno.h>

/* Reads "-5", "0", "19". */
static bool read_level(const struct job *job, int64_t least, int64_t most, int64_t *level)
{
    const char *text = job->args.words[1], *end;
    bool negative = text[0] == '-';
    uint64_t value;

    if (string_to_u64(text + negative, &value, &end) == 0 && *end == '\0' && value < 100) {
        *level = negative ? -(int64_t)value : (int64_t)value;
        if (*level >= least && *level <= most)
            return true;
    }
    command_usage(job, "%s is not a level from %lld to %lld", text, (long long)least,
                  (long long)most);
    return false;
}

/* The number of the thread that `word` names: ID, or %JOB. False: an error was printed. */
static bool read_thread(const struct job *job, const char *word, uint32_t *id)
{
    bool by_job = word[0] == '%';
    uint64_t number;

    if (!command_number(job, word + by_job, UINT32_MAX, &number))
        return false;
    *id = by_job ? job_thread((unsigned)number) : (uint32_t)number;
    if (*id == 0)
        command_error("%s is no command in the background", word);
    return *id != 0;
}

/* Gives the level to each thread on the line. */
static void apply(const struct job *job, int64_t level, int (*set)(uint32_t id, int64_t level))
{
    for (unsigned i = 2; i < job->args.count; i++) {
        uint32_t id;

        if (!read_thread(job, job->args.words[i], &id))
            return;
        if (set(id, level) == -ENOENT)
            command_error("%s: no such thread", job->args.words[i]);
    }
}

static int set_nice(uint32_t id, int64_t level)
{
    return thread_set_nice_of(id, (int)level);
}

static int set_priority(uint32_t id, int64_t level)
{
    return thread_set_priority_of(id, (unsigned)level);
}

void command_nice(struct job *job)
{
    int64_t level;

    if (job->args.count < 3)
        command_usage(job, "nice needs a level and threads");
    else if (read_level(job, SCHED_NICE_MIN, SCHED_NICE_MAX, &level))
        apply(job, level, set_nice);
}

void command_priority(struct job *job)
{
    int64_t level;

    if (job->args.count < 3)
        command_usage(job, "priority needs a level and threads");
    else if (read_level(job, 0, SCHED_LEVELS - 1, &level))
        apply(job, level, set_priority);
}
