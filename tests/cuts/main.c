/* SPDX-License-Identifier: MIT */
/*
 * main.c: what to run, in how many processes, and what came out. See cuts.h.
 *
 *     cuts              the suite, in TAP
 *     cuts --plants     each planted bug has to be found, in TAP
 *     cuts --list       what the numbers mean
 *     cuts --geometry 0 --sequence 11,22 ...         one sequence, by numbers of operations
 *     cuts --geometry 0 --seed 7 --length 5 ...      one at random
 *         --cut 12:3      only this cut, as a failure tells it
 *         --dump FILE     the volume that it left, before it is mounted
 *         --plant NAME    with a bug
 *
 * TAYBERRY_CUTS: how much of the suite: small, fsck (the same, and fsck.fat judges all), medium or
 * release. TAYBERRY_CUTS_FROM, TAYBERRY_CUTS_TO: which of each geometry's random sequences of
 * three, by number; from above 0 on nothing else is run. TAYBERRY_JOBS: how many processes.
 */
#include "cuts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOBS_MAX 64u

/* How much is done for one geometry. */
struct size {
    const char *name;
    unsigned pairs_step_first, pairs_step; /* of the first geometry, of the others */
    unsigned triples, longer;              /* random sequences of 3, and of 8 operations */
    unsigned subset_bits, samples, nested_each, fsck_raw_each, fsck_each, seen_bits;
    unsigned torn_each, repair_each;
};

static const struct size sizes[] = {
    {"small", 1, 18, 30, 8, 7, 24, 100, 200, 12, 21, 2, 16},
    {"fsck", 1, 12, 40, 10, 7, 24, 100, 1, 1, 21, 0, 0}, /* fsck.fat judges all */
    {"medium", 1, 4, 200, 50, 8, 64, 40, 400, 40, 23, 1, 4},
    {"release", 1, 1, 143000, 1200, 10, 256, 60, 4000, 200, 25, 16, 64},
};

static const struct size *size = &sizes[0];
static unsigned jobs, triples_from, triples_to; /* numbers of random sequences of 3 */

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void share_counters(void)
{
    counters =
        mmap(NULL, sizeof *counters, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (counters == MAP_FAILED)
        exit(2);
}

/* ---- processes ---- */

static bool work_in_processes(const struct work *work, unsigned n)
{
    pid_t children[JOBS_MAX];
    bool good = true;

    fflush(stdout);
    for (unsigned i = 0; i < n; i++) {
        children[i] = fork();
        if (children[i] < 0)
            exit(2);
        if (children[i] == 0) {
            for (const struct work *w = work; w->length > 0; w++)
                run_work(w, i, n);
            fflush(stdout);
            _Exit(0);
        }
    }
    for (unsigned i = 0; i < n; i++) {
        int status;

        if (waitpid(children[i], &status, 0) < 0 || status != 0)
            good = false;
        if (WIFSIGNALED(status))
            printf("# process %u died of signal %d\n", i, WTERMSIG(status));
    }
    return good;
}

static void configure(unsigned geometry)
{
    settings.size = size->name;
    settings.subset_bits = size->subset_bits;
    settings.samples = size->samples;
    settings.nested_each = size->nested_each;
    settings.fsck_raw_each = size->fsck_raw_each;
    settings.fsck_each = size->fsck_each;
    settings.torn_each = size->torn_each;
    settings.repair_each = size->repair_each;
    settings.geometry = geometry;
}

/* The kernel's heap is of the process, so each geometry has one of its own. */
static bool run_geometry(unsigned geometry)
{
    const uint64_t seed = (uint64_t)geometry * 1000000;
    const struct work work[] = {
        {0, seed + 1, triples_from, triples_to, 3},
        {triples_from > 0 ? 0
         : geometry       ? size->pairs_step
                          : size->pairs_step_first,
         0, 0, 0, 2},
        {0, seed + 500000, 0, triples_from > 0 ? 0 : size->longer, 8},
        {0, 0, 0, 0, 0},
    };
    pid_t child;
    int status = -1;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        configure(geometry);
        run_start(geometry);
        status = work_in_processes(work, jobs) ? 0 : 1;
        fflush(stdout);
        _Exit(status);
    }
    return waitpid(child, &status, 0) == child && status == 0;
}

/* ---- the suite ---- */

static void print_counters(const struct counters *c, double time)
{
    printf("#   %llu sequences of %llu operations; %llu states tried, %llu distinct (%llu of them "
           "by cuts while mounting, %llu by cuts of that), %llu mended\n",
           (unsigned long long)c->sequences, (unsigned long long)c->operations,
           (unsigned long long)c->tried, (unsigned long long)c->distinct,
           (unsigned long long)c->nested, (unsigned long long)c->deepest,
           (unsigned long long)c->mended);
    printf("#   fsck.fat judged %llu before the mount and %llu after it; %llu repaired without a "
           "mount; %llu failed\n",
           (unsigned long long)c->fsck_raw, (unsigned long long)c->fsck_clean,
           (unsigned long long)c->repaired, (unsigned long long)c->failed);
    printf("#   %.1f s, %.0f states a second, %.0f distinct ones\n", time, (double)c->tried / time,
           (double)c->distinct / time);
    if (c->torn > 0)
        printf("#   %llu torn sectors: %llu trees as they should be, %llu with the sector in a "
               "file, %llu found out\n",
               (unsigned long long)c->torn, (unsigned long long)c->torn_whole,
               (unsigned long long)c->torn_data, (unsigned long long)c->torn_found);
    if (c->overflows)
        printf("#   %llu logs were too long\n", (unsigned long long)c->overflows);
}

static void add_counters(struct counters *sum, const struct counters *c)
{
    uint64_t *to = (uint64_t *)sum;
    const uint64_t *from = (const uint64_t *)c;

    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++)
        to[i] += from[i];
}

static int run_suite(void)
{
    struct counters sum = {0};
    double start = seconds();
    unsigned bad = 0;

    printf("# size %s, %u processes\n", size->name, jobs);
    seen_start(size->seen_bits);
    for (unsigned i = 0; i < GEOMETRIES; i++) {
        double before = seconds();
        bool good;

        memset(counters, 0, sizeof *counters);
        seen_clear();
        good = run_geometry(i) && counters->overflows == 0 && counters->sequences > 0;
        printf("%sok %u - %s\n", good ? "" : "not ", i + 1, geometries[i].name);
        print_counters(counters, seconds() - before);
        fflush(stdout);
        add_counters(&sum, counters);
        bad += !good;
    }
    printf("# in all:\n");
    print_counters(&sum, seconds() - start);
    printf("1..%u\n", GEOMETRIES);
    return bad ? 1 : 0;
}

/* ---- planted bugs ---- */

/* True if the suite finds the bug. What it says about that is not shown. */
static bool finds(const char *bug)
{
    bool found = false;

    for (unsigned i = 0; i < 3 && !found; i += 2) {
        pid_t child;
        int status = 0;

        fflush(stdout);
        child = fork();
        if (child == 0) {
            if (!freopen("/dev/null", "w", stdout))
                _Exit(2);
            settings.plant = bug;
            configure(i);
            run_start(i);
            if (!plant(bug))
                _Exit(2);
            run_work(&(struct work){1, 1, 0, 20, 3}, 0, 1);
            _Exit(0);
        }
        found =
            waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 1;
        seen_clear();
    }
    return found;
}

static int run_plants(void)
{
    unsigned n = 0, bad = 0;

    seen_start(20);
    for (const char *bug; (bug = plant_name(n)); n++) {
        double start = seconds();
        bool good;

        memset(counters, 0, sizeof *counters);
        good = finds(bug);
        printf("%sok %u - %s\n#   after %llu states, %.2f s\n", good ? "" : "not ", n + 1, bug,
               (unsigned long long)counters->tried, seconds() - start);
        bad += !good;
    }
    printf("1..%u\n", n);
    return bad ? 1 : 0;
}

/* ---- one ---- */

static void list(void)
{
    for (unsigned i = 0; i < GEOMETRIES; i++)
        printf("# geometry %u: %s\n", i, geometries[i].name);
    for (unsigned i = 0; i < operation_count(); i++) {
        printf("# %u: ", i);
        operation_print(&operations[i]);
    }
    for (unsigned i = 0; plant_name(i); i++)
        printf("# bug: %s\n", plant_name(i));
}

static void read_where(const char *text, struct where *where)
{
    char *end = (char *)text;

    for (where->depth = 0; where->depth <= DEPTH_MAX; where->depth++) {
        where->cut[where->depth] = (unsigned)strtoul(end, &end, 0);
        if (*end == ':')
            where->choice[where->depth] = strtoull(end + 1, &end, 0);
        if (*end == '~')
            where->torn = (unsigned)strtoul(end + 1, &end, 0);
        if (*end++ != '/')
            return;
    }
    exit(2);
}

struct request {
    unsigned geometry, length;
    const char *sequence, *cut;
    uint64_t seed;
    bool one;
};

static int run_one(const struct request *request)
{
    struct where where = {0}, *only = NULL;
    double start = seconds();

    seen_start(20);
    run_start(request->geometry);
    if (settings.plant && !plant(settings.plant))
        return 2;
    settings.verbose = true;
    settings.torn_each = 1;
    if (request->cut) {
        read_where(request->cut, &where);
        only = &where;
    }
    if (request->sequence) {
        unsigned numbers[STATES_MAX], n = 0;
        char *at = (char *)request->sequence;

        for (; *at && n < STATES_MAX - 1; at += *at == ',') {
            numbers[n++] = (unsigned)strtoul(at, &at, 0) % operation_count();
        }
        run_numbers(numbers, n, only);
    } else {
        run_random(request->seed, request->length, only);
    }
    print_counters(counters, seconds() - start);
    return 0;
}

/* ---- options ---- */

static void take_option(struct request *request, const char *name, const char *value)
{
    if (strcmp(name, "--geometry") == 0)
        request->geometry = (unsigned)strtoul(value, NULL, 0) % GEOMETRIES;
    else if (strcmp(name, "--sequence") == 0)
        request->sequence = value;
    else if (strcmp(name, "--seed") == 0)
        request->seed = strtoull(value, NULL, 0);
    else if (strcmp(name, "--length") == 0)
        request->length = (unsigned)strtoul(value, NULL, 0) % STATES_MAX;
    else if (strcmp(name, "--cut") == 0)
        request->cut = value;
    else if (strcmp(name, "--dump") == 0)
        settings.dump = value;
    else if (strcmp(name, "--plant") == 0)
        settings.plant = value;
    else
        exit(2);
    request->one = true;
}

static void read_environment(void)
{
    const char *name = getenv("TAYBERRY_CUTS"), *count = getenv("TAYBERRY_JOBS");
    const char *first = getenv("TAYBERRY_CUTS_FROM"), *end = getenv("TAYBERRY_CUTS_TO");

    for (unsigned i = 0; name && i < sizeof sizes / sizeof sizes[0]; i++)
        if (strcmp(name, sizes[i].name) == 0)
            size = &sizes[i];
    triples_from = first ? (unsigned)strtoul(first, NULL, 0) : 0;
    triples_to = end ? (unsigned)strtoul(end, NULL, 0) : size->triples;
    jobs = count ? (unsigned)strtoul(count, NULL, 0) : (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    jobs = jobs < 1 ? 1 : jobs > JOBS_MAX ? JOBS_MAX : jobs;
}

int main(int argc, char **argv)
{
    struct request request = {.length = 3};

    share_counters();
    read_environment();
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        list();
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--plants") == 0)
        return run_plants();
    for (int i = 1; i < argc; i += 2)
        take_option(&request, argv[i], i + 1 < argc ? argv[i + 1] : "");
    configure(request.geometry);
    return request.one ? run_one(&request) : run_suite();
}
