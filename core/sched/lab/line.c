/* SPDX-License-Identifier: MIT */
/*
 * line.c: what `sched lab` reads: a policy, options NAME=VALUE, jobs NAME:ARRIVAL:RUN[:RANK].
 *
 *     rr quantum=1.5 cpus=2 A:0:5 B:1:3.25 C:2:8:-5
 *
 * Options and jobs may come in any order; of an option that is given twice, the last counts. RANK
 * is a priority (0 .. 31) under `priority` and a nice level (-20 .. 19) under all others, also
 * those that ignore it, so that the same jobs can be tried with another policy.
 */
#include "sched/lab/lab.h"

#include "lib/format.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/runtime.h>

/* What is being read, and where a complaint goes. */
struct reader {
    struct lab *lab;
    char *error;
    size_t size;
};

static int complain(const struct reader *reader, const char *format, ...) HAL_FORMAT(2, 3);

static int complain(const struct reader *reader, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    format_text_va(reader->error, reader->size, format, args);
    va_end(args);
    return -EINVAL;
}

/* Reads a time in units up to `end` (':' or NUL): digits, and up to three decimals. */
static bool read_time(const char **text, uint64_t *time)
{
    const char *at = *text;
    uint64_t whole, scale = LAB_UNIT;

    if (!char_is_digit(*at) || string_starts_with(at, "0x") || string_starts_with(at, "0X"))
        return false;
    if (string_to_u64(at, &whole, &at) != 0 || whole > LAB_TIME_MAX / LAB_UNIT)
        return false;
    *time = whole * LAB_UNIT;
    if (*at == '.') {
        for (at++; char_is_digit(*at) && scale > LAB_UNIT / 1000; at++) {
            scale /= 10;
            *time += (uint64_t)(*at - '0') * scale;
        }
        if (scale == LAB_UNIT)
            return false; /* a dot and nothing behind it */
    }
    *text = at;
    return *time <= LAB_TIME_MAX;
}

/* Reads all of `text` as a number min .. max, which lie within +-1000. */
static bool read_rank(const char *text, int min, int max, int32_t *rank)
{
    bool negative = *text == '-';
    const char *end;
    uint64_t number;

    text += negative;
    if (!char_is_digit(*text) || string_to_u64(text, &number, &end) != 0 || *end != '\0' ||
        number > 1000)
        return false;
    *rank = negative ? -(int32_t)number : (int32_t)number;
    return *rank >= min && *rank <= max;
}

/* ---- options ---- */

static bool is_option(const char *word, const char *name, const char **value)
{
    if (!string_starts_with(word, name))
        return false;
    *value = word + string_length(name);
    return true;
}

static int read_time_option(const struct reader *reader, const char *word, const char *value,
                            uint64_t *time)
{
    if (read_time(&value, time) && *value == '\0' && *time > 0)
        return 0;
    return complain(reader, "%s: not a time from 0.001 to %llu", word,
                    (unsigned long long)(LAB_TIME_MAX / LAB_UNIT));
}

static int read_count_option(const struct reader *reader, const char *word, const char *value,
                             unsigned max, unsigned *count)
{
    int32_t number;

    if (!read_rank(value, 1, (int)max, &number))
        return complain(reader, "%s: not a number from 1 to %u", word, max);
    *count = (unsigned)number;
    return 0;
}

static int read_option(const struct reader *reader, const char *word)
{
    struct lab *lab = reader->lab;
    const char *value, *end;

    if (is_option(word, "quantum=", &value))
        return read_time_option(reader, word, value, &lab->quantum);
    if (is_option(word, "period=", &value))
        return read_time_option(reader, word, value, &lab->period);
    if (is_option(word, "levels=", &value))
        return read_count_option(reader, word, value, SCHED_LEVELS, &lab->levels);
    if (is_option(word, "cpus=", &value))
        return read_count_option(reader, word, value, LAB_CPUS, &lab->cpus);
    if (is_option(word, "seed=", &value)) {
        if (string_to_u64(value, &lab->seed, &end) == 0 && *end == '\0')
            return 0;
        return complain(reader, "%s: not a number", word);
    }
    return complain(reader, "%s: no such option (quantum, period, levels, cpus, seed)", word);
}

/* ---- jobs ---- */

static bool is_name(const char *name, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!char_is_print(name[i]) || name[i] == ' ')
            return false;
    }
    return n > 0 && n <= LAB_NAME;
}

static int read_name(const struct reader *reader, const char *word, const char *colon,
                     struct lab_job *job)
{
    const struct lab *lab = reader->lab;
    size_t n = (size_t)(colon - word);

    if (!is_name(word, n))
        return complain(reader, "%s: a job's name has 1 to %u characters", word, LAB_NAME);
    memcpy(job->name, word, n);
    job->name[n] = '\0';
    for (unsigned i = 0; i < lab->count; i++) {
        if (string_equal(lab->jobs[i].name, job->name))
            return complain(reader, "%s: there is a job %s already", word, job->name);
    }
    return 0;
}

static int read_job_rank(const struct reader *reader, const char *word, const char *text,
                         struct lab_job *job)
{
    bool priority = string_equal(reader->lab->policy->name, "priority");

    if (priority && !read_rank(text, 0, (int)SCHED_LEVELS - 1, &job->rank))
        return complain(reader, "%s: not a priority from 0 (the highest) to %u", word,
                        SCHED_LEVELS - 1);
    if (!priority && !read_rank(text, SCHED_NICE_MIN, SCHED_NICE_MAX, &job->rank))
        return complain(reader, "%s: not a nice level from %d to %d", word, SCHED_NICE_MIN,
                        SCHED_NICE_MAX);
    return 0;
}

static int read_job(const struct reader *reader, const char *word, const char *colon)
{
    struct lab *lab = reader->lab;
    struct lab_job *job = &lab->jobs[lab->count];
    int error;

    if (lab->count == LAB_JOBS)
        return complain(reader, "%s: %u jobs at most", word, LAB_JOBS);
    *job = (struct lab_job){.rank = 0};
    error = read_name(reader, word, colon, job);
    if (error != 0)
        return error;
    colon++;
    if (!read_time(&colon, &job->arrival) || *colon++ != ':')
        return complain(reader, "%s: a job is NAME:ARRIVAL:RUN, times from 0 to %llu", word,
                        (unsigned long long)(LAB_TIME_MAX / LAB_UNIT));
    if (!read_time(&colon, &job->length) || (*colon != '\0' && *colon != ':') || job->length == 0)
        return complain(reader, "%s: the run time is not one from 0.001 to %llu", word,
                        (unsigned long long)(LAB_TIME_MAX / LAB_UNIT));
    if (*colon == ':')
        error = read_job_rank(reader, word, colon + 1, job);
    lab->count += error == 0;
    return error;
}

/* ---- the line ---- */

static int read_policy(const struct reader *reader, const char *word)
{
    const struct sched_policy *policy = policy_find(word);
    char names[96];
    size_t used = 0;

    reader->lab->policy = policy;
    if (policy)
        return 0;
    for (unsigned i = 0; (policy = policy_at(i)) != NULL && used < sizeof(names); i++)
        used += format_text(names + used, sizeof(names) - used, " %s", policy->name);
    return complain(reader, "there is no policy %.40s; there are%s", word, names);
}

static int read_word(const struct reader *reader, const char *word)
{
    const char *colon = string_find_char(word, ':');

    if (string_find_char(word, '='))
        return read_option(reader, word);
    if (colon)
        return read_job(reader, word, colon);
    if (!string_equal(word, "turns"))
        return complain(reader, "%s: neither a job NAME:ARRIVAL:RUN nor an option", word);
    reader->lab->turns = true;
    return 0;
}

int lab_read(struct lab *lab, char *const *words, unsigned count, char *error, size_t size)
{
    struct reader reader = {lab, error, size};
    int result;

    memset(lab, 0, sizeof(*lab));
    lab->quantum = LAB_UNIT;
    lab->cpus = 1;
    if (count == 0)
        return complain(&reader, "a policy is missing");
    result = read_policy(&reader, words[0]);
    for (unsigned i = 1; i < count && result == 0; i++)
        result = read_word(&reader, words[i]);
    if (result == 0 && lab->count == 0)
        result = complain(&reader, "a job is missing: NAME:ARRIVAL:RUN");
    return result;
}
