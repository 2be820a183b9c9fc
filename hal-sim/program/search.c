/* SPDX-License-Identifier: MIT */
/*
 * search.c: trying many schedules of a scenario, and explaining the first that fails.
 *
 * Several processes share the work, because there is one machine in a process. Each tries every
 * n-th schedule and writes a record for each into a pipe; whoever comes first in the order of the
 * seeds has found it. Then this process repeats that run, shrinks it, and tells its story.
 */
#include "search.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    JOBS_MAX = 64,
    EXTRA_CHANCE = 10, /* the search for a schedule after a failing seed */
    EXTRA_SECONDS = 10,
    EXTRA_LEAST = 20,
    EXTRA_MOST = 1000
};

/* What a process found. */
struct report {
    uint64_t runs;
    uint64_t seed; /* that fails; UINT64_MAX: none */
    bool found, broken;
    size_t step_count; /* bounded: so many steps follow */
};

static struct {
    const struct options *options;
    uint64_t from;   /* where the scenario begins */
    uint64_t points; /* numbered ones from there to its end */
    uint64_t runs;
    uint64_t began;
    struct trial trial;
} search;

bool search_wanted(const struct options *options)
{
    return options->seeds[1] != 0 || options->pct != 0 || options->chance != 0 ||
           options->preemptions != NULL;
}

/* ---- strategies that follow seeds ---- */

static struct tb_schedule schedule_of(uint64_t seed)
{
    const struct options *options = search.options;
    struct tb_schedule schedule = {.size = sizeof(schedule),
                                   .seed = seed,
                                   .from = search.from,
                                   .points = search.points,
                                   .spacing = options->chance,
                                   .changes = options->pct != 0 ? (unsigned)options->pct - 1 : 0};
    if (options->pct != 0)
        schedule.strategy = TB_BY_PRIORITY;
    else if (options->chance != 0)
        schedule.strategy = TB_BY_CHANCE;
    return schedule;
}

/* Runs the scenario with `seed`. Without a strategy it is the machine's own. */
static bool run_seed(uint64_t seed)
{
    struct tb_schedule schedule = schedule_of(seed);
    if (schedule.strategy == TB_BY_SEED) {
        trial_close();
        if (!trial_open(search.options, seed))
            return false;
    }
    trial_run(&search.trial, &schedule);
    return search.trial.verdict != VERDICT_ERROR;
}

static void try_seeds(unsigned share, unsigned shares, struct report *report)
{
    uint64_t first = search.options->seeds[0], last = search.options->seeds[1];
    for (uint64_t seed = first + share; seed >= first && seed <= last; seed += shares) {
        if (!run_seed(seed)) {
            report->broken = true;
            return;
        }
        report->runs++;
        if (search.trial.verdict != VERDICT_GOOD) {
            report->found = true;
            report->seed = seed;
            return;
        }
    }
}

/* ---- processes ---- */

static bool put(int fd, const void *bytes, size_t n)
{
    for (const char *at = bytes; n > 0;) {
        ssize_t done = write(fd, at, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

static bool get(int fd, void *bytes, size_t n)
{
    for (char *at = bytes; n > 0;) {
        ssize_t done = read(fd, at, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

/* A process that does its share of level `level`, and ends. */
static void work(int fd, unsigned share, unsigned shares, unsigned level)
{
    struct report report = {.seed = UINT64_MAX};
    struct bounded_result bounded = {.runs = 0};
    if (!trial_open(search.options, search.options->seed)) {
        report.broken = true;
    } else if (search.options->preemptions != NULL) {
        report.broken = !bounded_search(level, search.from, share, shares, &bounded);
        report.runs = bounded.runs;
        report.found = bounded.failing.list != NULL;
        report.step_count = bounded.failing.count;
    } else {
        try_seeds(share, shares, &report);
    }
    bool good = put(fd, &report, sizeof(report)) &&
                put(fd, bounded.failing.list, report.step_count * sizeof(struct tb_step));
    _exit(good ? 0 : 1);
}

/* Is `new` before `old` in the order in which they would have been tried by one process? */
static bool comes_before(const struct report *new, const struct report *old, unsigned level)
{
    if (!new->found || !old->found)
        return new->found;
    return search.options->preemptions != NULL ? level == 0 : new->seed < old->seed;
}

/* Reads what a process has found. Keeps it if it is the first. */
static bool collect(int fd, unsigned level, struct report *best, struct steps *steps)
{
    struct report report;
    if (!get(fd, &report, sizeof(report)) || report.broken)
        return false;
    struct tb_step *list = calloc(report.step_count + 1, sizeof(*list));
    if (list == NULL || !get(fd, list, report.step_count * sizeof(*list))) {
        free(list);
        return false;
    }
    search.runs += report.runs;
    if (comes_before(&report, best, level)) {
        *best = report;
        free(steps->list);
        *steps = (struct steps){list, report.step_count};
        list = NULL;
    }
    free(list);
    return true;
}

/* Has all processes search. False: one of them could not. */
static bool share_work(unsigned level, struct report *best, struct steps *steps)
{
    unsigned jobs = (unsigned)search.options->jobs, started = 0;
    int pipes[JOBS_MAX];
    bool good = true;
    *best = (struct report){.seed = UINT64_MAX};
    for (; started < jobs; started++) {
        int ends[2];
        if (pipe(ends) < 0)
            break;
        pid_t child = fork();
        if (child == 0) {
            close(ends[0]);
            work(ends[1], started, jobs, level);
        }
        close(ends[1]);
        pipes[started] = ends[0];
        if (child < 0) {
            close(ends[0]);
            break;
        }
    }
    for (unsigned i = 0; i < started; i++) {
        good = collect(pipes[i], level, best, steps) && good;
        close(pipes[i]);
    }
    while (started > 0 && (waitpid(-1, NULL, 0) > 0 || errno == EINTR))
        continue;
    return good && started == jobs;
}

/* ---- telling ---- */

static void say_scenario(FILE *file)
{
    const struct options *options = search.options;
    fprintf(file, "    %s --headless --clock virtual", program_invocation_short_name);
    if (options->cpus > 1)
        fprintf(file, " --cpus %" PRIu64, options->cpus);
    if (options->card != NULL)
        fprintf(file, " --read-only --card '%s'", options->card);
    if (options->share != NULL)
        fprintf(file, " --share '%s'", options->share);
    if (options->append != NULL)
        fprintf(file, " --append '%s'", options->append);
}

static void say_counts(FILE *file)
{
    double seconds = (double)(session_now() - search.began) / 1e9;
    fprintf(file, "%" PRIu64 " runs in %.1f s, %.0f a second\n", search.runs, seconds,
            (double)search.runs / (seconds > 0.001 ? seconds : 0.001));
}

/* Shrinks the steps, and tells what happens. */
static void explain(struct steps *steps, enum verdict verdict)
{
    size_t before = steps->count;
    unsigned runs = shrink_steps(steps, verdict);
    printf("Its %zu steps shrink to %zu (in %u more runs); preemptions: %zu.\n\n", before,
           steps->count, runs, steps_preemptions(steps->list, steps->count));
    story_tell(stdout, steps, search.from);
    printf("\nThis repeats it:\n");
    say_scenario(stdout);
    printf(" --seed %" PRIu64 " --schedule '", search.options->seed);
    steps_write(stdout, steps->list, steps->count);
    printf("'\n");
}

/* Repeats the run with `seed`, notes its steps, and checks that they are all there is to it. */
static void explain_seed(uint64_t seed)
{
    struct steps steps = {.list = NULL};
    if (!run_seed(seed))
        return;
    printf("Seed %" PRIu64 ": ", seed);
    trial_say(stdout, &search.trial);
    if (schedule_of(seed).strategy == TB_BY_SEED) {
        printf("\nThis repeats it:\n");
        say_scenario(stdout);
        printf(" --seed %" PRIu64 "\n", seed);
        return;
    }
    enum verdict verdict = search.trial.verdict;
    steps.count = search.trial.steps < TB_STEPS_MAX ? search.trial.steps : TB_STEPS_MAX;
    steps.list = calloc(steps.count + 1, sizeof(*steps.list));
    if (steps.list != NULL) {
        (void)tb_schedule_steps(trial_machine(), steps.list, steps.count);
        explain(&steps, verdict);
    }
    free(steps.list);
}

static void explain_steps(struct steps *steps)
{
    const struct tb_schedule schedule = {.size = sizeof(schedule),
                                         .strategy = TB_BY_STEPS,
                                         .steps = steps->list,
                                         .step_count = steps->count};
    trial_run(&search.trial, &schedule);
    printf("A schedule that fails: ");
    trial_say(stdout, &search.trial);
    explain(steps, search.trial.verdict);
}

/* ---- the search ---- */

/* Learns where the scenario begins, and how long it is. False: it fails without any step. */
static bool measure(void)
{
    search.from = trial_begin();
    uint64_t last = trial_measure(&search.trial, search.from);
    search.points = TB_POINT_NUMBER(last) - TB_POINT_NUMBER(search.from) + 1;
    printf("the scenario: %" PRIu64 " points, from point %" PRIu64 " on\n", search.points,
           TB_POINT_NUMBER(search.from));
    return search.trial.verdict == VERDICT_GOOD;
}

/* Levels of preemptions, or one pass over the seeds. */
static int search_all(void)
{
    const char *bound = search.options->preemptions;
    unsigned levels = bound != NULL ? (unsigned)strtoul(bound, NULL, 10) : 0;
    struct report best;
    struct steps steps = {.list = NULL};
    for (unsigned level = 0; level <= levels; level++) {
        uint64_t before = search.runs;
        if (!share_work(level, &best, &steps)) {
            terminal_say("a process of the search could not do its work");
            return STATUS_USAGE;
        }
        if (bound != NULL)
            printf("with %u preemption%s: %" PRIu64 " schedules\n", level, level == 1 ? "" : "s",
                   search.runs - before);
        if (best.found)
            break;
    }
    say_counts(stdout);
    if (!best.found)
        printf("nothing went wrong\n");
    else if (!trial_open(search.options, search.options->seed))
        return STATUS_USAGE;
    else if (bound != NULL)
        explain_steps(&steps);
    else
        explain_seed(best.seed);
    free(steps.list);
    return best.found ? 1 : 0;
}

/* What fails without any step. */
static void explain_usual(void)
{
    struct steps none = {.list = calloc(1, sizeof(struct tb_step))};
    if (none.list != NULL)
        explain_steps(&none);
    free(none.list);
}

/* How many schedules can be tried in EXTRA_SECONDS, as fast as it has gone until now. */
static uint64_t schedules_affordable(void)
{
    double seconds = (double)(session_now() - search.began) / 1e9;
    double count = EXTRA_SECONDS * (double)search.runs / (seconds > 0.001 ? seconds : 0.001);
    return count < EXTRA_LEAST ? EXTRA_LEAST : count > EXTRA_MOST ? EXTRA_MOST : (uint64_t)count;
}

/* The kernel's words, with the policy that leaves to a schedule which thread goes on, unless they
 * name one themselves. NULL: no memory. */
static char *words_for_schedules(const char *words)
{
    words = words != NULL ? words : "";
    bool named = strncmp(words, "sched=", 6) == 0 || strstr(words, " sched=") != NULL;
    char *more = malloc(strlen(words) + sizeof("sched=search "));
    if (more != NULL)
        (void)sprintf(more, "%s%s", named ? "" : "sched=search ", words);
    return more;
}

/* Searches by chance on `cpus` CPUs, and explains what it finds. Whether it found anything. */
static bool search_by_chance(struct options *options, uint64_t cpus)
{
    options->cpus = cpus;
    search.runs = 0;
    search.began = session_now();
    trial_close();
    printf("\nA schedule that can be shrunk, by --cpus %" PRIu64 " --append '%s' --chance %" PRIu64
           " --seeds 1..%" PRIu64 ":\n",
           cpus, options->append, options->chance, options->seeds[1]);
    if (!trial_open(options, options->seed))
        return false;
    bool good = measure();
    fflush(stdout);
    if (!good) {
        explain_usual();
        return true;
    }
    trial_close();
    return search_all() == 1;
}

/* A seed is not a list of steps, so there is nothing to shrink when one fails: looks for a schedule
 * that fails too, among those that are one; if need be on one CPU, where there are fewer. */
static void search_again(struct options *options)
{
    char *words = words_for_schedules(options->append);
    if (words == NULL)
        return;
    options->append = words;
    options->chance = EXTRA_CHANCE;
    options->seeds[0] = 1;
    options->seeds[1] = schedules_affordable();
    if (!search_by_chance(options, options->cpus) &&
        (options->cpus == 1 || !search_by_chance(options, 1)))
        printf("Others may find it: --pct 3, --preemptions 2, tayberry-edges.\n");
    free(words);
}

int search_main(const struct options *options)
{
    struct options filled = *options;
    bool seeded = options->pct == 0 && options->chance == 0 && options->preemptions == NULL;
    if (filled.seeds[1] == 0) {
        filled.seeds[0] = 1;
        filled.seeds[1] = 1000;
    }
    if (filled.jobs == 0)
        filled.jobs = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
    if (filled.jobs > JOBS_MAX)
        filled.jobs = JOBS_MAX;
    search.options = &filled;
    search.began = session_now();
    if (!trial_open(&filled, filled.seed))
        return STATUS_USAGE;
    bool good = measure();
    fflush(stdout);
    trial_close();
    if (good || seeded) {
        int status = search_all();
        if (status == 1 && seeded)
            search_again(&filled);
        return status;
    }
    if (trial_open(&filled, filled.seed))
        explain_usual();
    return 1;
}
