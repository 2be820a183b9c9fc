/* SPDX-License-Identifier: MIT */
/*
 * main.c: the driver of the threads benchmark: asks the kernel and the host in turns, and prints
 * one table. docs/BENCHMARKS.md says what the rows are. `few` or `many` as an argument does only
 * that half of it, `yield` nothing but yields in the kernel, for a profiler, and `check` is a test
 * of very many threads.
 *
 * Each figure is the best of several runs, and the sides take turns, so that a machine with other
 * work disturbs both alike. TAYBERRY_RUNS sets how many runs each turn has (10), TAYBERRY_PASSES
 * how many turns (2), TAYBERRY_THREADS how many threads very many are (100,000).
 */
#include "bench.h"
#include "tayberry.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

const struct bench_counter bench_counters[BENCH_COUNTERS] = {{100, 2},   {100, 10},   {100, 100},
                                                             {10000, 2}, {10000, 10}, {10000, 100}};
const unsigned bench_sizes[BENCH_SIZES] = {10, 100, 1000, 10000, 100000};

struct bench_order bench_order;

void bench_note(enum bench_figure figure, uint64_t ns, uint64_t count)
{
    uint64_t *best = &bench_order.figures->ps[figure], ps = ns * 1000 / count;

    if (*best == 0 || ps < *best)
        *best = ps;
}

/* ---- the kernel ---- */

#define UNCHECKED "checks=0 lockchecks=0"
#define CHECKED "checks=1 lockchecks=1"
#define MEMORY_MOST (960ull << 20)

static _Noreturn void give_up(const char *text)
{
    fprintf(stderr, "bench-threads: %s\n", text);
    exit(EXIT_FAILURE);
}

static bool said_no_guards;

static void print_log(struct tb_machine *machine, const char *only)
{
    static char text[65536];
    size_t bytes = tb_uart_read(machine, text, sizeof text - 1);

    text[bytes] = '\0';
    for (char *line = strtok(text, "\r\n"); line; line = strtok(NULL, "\r\n"))
        if (!only || strstr(line, only)) {
            said_no_guards = said_no_guards || strstr(line, "no more guard pages");
            fprintf(only ? stdout : stderr, "# %s\n", line);
        }
}

/* Runs bench_order.job in a machine of its own. */
static void run_kernel(const char *words, unsigned cpus, uint64_t memory)
{
    struct tb_config config = {.size = sizeof config,
                               .clock = TB_CLOCK_REAL,
                               .cpus = cpus,
                               .memory = memory,
                               .command_line = words};
    struct tb_machine *machine;

    if (tb_open(&config, &machine))
        give_up(tb_error(NULL));
    if (tb_power_on(machine) || tb_run_until(machine, UINT64_MAX) != TB_STOPPED)
        give_up(tb_error(machine));
    if (tb_state(machine) != TB_POWERED_OFF || bench_order.error) {
        print_log(machine, NULL);
        give_up(bench_order.error ? bench_order.error : "the kernel stopped");
    }
    if (bench_order.job == BENCH_MANY || bench_order.job == BENCH_LIVES)
        print_log(machine, "guard");
    tb_close(machine);
}

static void measure_kernel(struct bench_figures *figures, const char *words, enum bench_job job)
{
    bench_order.job = job;
    bench_order.figures = figures;
    run_kernel(words, job == BENCH_TWO_CPUS ? 2 : 1, 64ull << 20);
}

/* ---- cores ---- */

static cpu_set_t all_cores;

static void use_core(bool one)
{
    cpu_set_t last;

    CPU_ZERO(&last);
    for (unsigned core = 0; core < CPU_SETSIZE; core++)
        if (CPU_ISSET(core, &all_cores)) {
            CPU_ZERO(&last);
            CPU_SET(core, &last);
        }
    (void)sched_setaffinity(0, sizeof last, one ? &last : &all_cores);
}

/* ---- the table ---- */

static struct bench_figures kernel, checked, one_core, cores;
static double by_hand, swapcontext_ns;

static double ns_of(const struct bench_figures *figures, enum bench_figure figure)
{
    return (double)figures->ps[figure] / 1000;
}

static void print_ns(double ns)
{
    if (ns <= 0)
        printf(" %11s", "-");
    else if (ns < 10000)
        printf(" %8.1f ns", ns);
    else if (ns < 1e7)
        printf(" %8.1f us", ns / 1e3);
    else
        printf(" %8.1f ms", ns / 1e6);
}

/* The smaller one of those that were measured. */
static double faster(double a, double b)
{
    return a <= 0 || (b > 0 && b < a) ? b : a;
}

/* `aim`: how many times as fast as the host's threads, 0: none. */
static void print_row(const char *name, enum bench_figure figure, double aim)
{
    double ours = ns_of(&kernel, figure), single = ns_of(&one_core, figure),
           several = ns_of(&cores, figure), best = faster(single, several);

    printf("%-34s", name);
    print_ns(ours);
    print_ns(ns_of(&checked, figure));
    print_ns(single);
    print_ns(several);
    if (best > 0)
        printf(" %7.1f x", best / ours);
    if (aim > 0)
        printf("   %s", best >= aim * ours ? "met" : "NOT MET");
    printf("\n");
}

static void print_counters(void)
{
    char name[64];

    for (unsigned row = 0; row < BENCH_COUNTERS; row++) {
        snprintf(name, sizeof name, "mutex: up to %u by %u threads", bench_counters[row].high,
                 bench_counters[row].threads);
        print_row(name, (enum bench_figure)(BENCH_COUNTER + row), 5);
    }
}

static void print_table(void)
{
    double yield = ns_of(&kernel, BENCH_YIELD), turns = ns_of(&kernel, BENCH_YIELD_TURNS);

    printf("\n%-34s %11s %11s %11s %11s %9s   aim\n", "", "kernel", "with checks", "1 core",
           "all cores", "faster");
    print_row("yield to a ready thread", BENCH_YIELD, 0);
    print_row("the same by round robin", BENCH_YIELD_TURNS, 0);
    print_row("wake-up, same CPU", BENCH_WAKE, 0);
    print_row("wake-up, other CPU", BENCH_WAKE_OTHER, 0);
    print_row("hand-over by condition", BENCH_HANDOVER, 0);
    print_row("create, join a live thread", BENCH_JOIN_LIVE, 5);
    print_row("create, join a dead thread", BENCH_JOIN_DEAD, 5);
    print_counters();
    printf("\nswitches: by hand %.1f ns; bare contexts of the kernel %.1f; kernel threads %.1f; "
           "swapcontext %.1f\n",
           by_hand, ns_of(&kernel, BENCH_SWITCH), yield, swapcontext_ns);
    printf("yield: aim under 50 ns: %s; by round robin: %s\n", yield < 50 ? "met" : "NOT MET",
           turns < 50 ? "met" : "NOT MET");
}

static void print_lives(const struct bench_many *many, const struct bench_many *host)
{
    printf("\n%u threads of the kernel: create %.0f ns, run and end %.0f, join %.0f; %llu bytes "
           "each; %u with a guard page\n",
           many->threads, (double)many->create / 1e3, (double)many->run / 1e3,
           (double)many->join / 1e3, (unsigned long long)many->bytes, many->guarded);
    printf("%u threads of the host: create %.0f ns, run and join %.0f; %llu bytes each in the "
           "process\n",
           host->threads, (double)host->create / 1e3, (double)host->join / 1e3,
           (unsigned long long)host->bytes);
}

static void print_scheduling(const struct bench_many *many)
{
    printf("\n%-26s", "ns a switch, so many ready");
    for (unsigned size = 0; size < BENCH_SIZES; size++)
        printf(" %8u", bench_sizes[size]);
    printf("   aim at the last: under 500\n");
    for (unsigned policy = 0; policy < BENCH_POLICIES; policy++) {
        const uint64_t *ps = many->ps[policy];

        printf("%-26s", many->names[policy]);
        for (unsigned size = 0; size < BENCH_SIZES; size++)
            printf(" %8.1f", (double)ps[size] / 1000);
        printf("   %s\n", ps[BENCH_SIZES - 1] == 0       ? "not measured"
                          : ps[BENCH_SIZES - 1] < 500000 ? "met"
                                                         : "NOT MET");
    }
}

/* ---- all of it ---- */

static unsigned number(const char *name, unsigned usual)
{
    const char *text = getenv(name);

    return text && atoi(text) > 0 ? (unsigned)atoi(text) : usual;
}

static void measure_few(unsigned runs)
{
    bench_order.runs = runs;
    use_core(true);
    by_hand = faster(by_hand, bench_by_hand());
    swapcontext_ns = faster(swapcontext_ns, bench_swapcontext());
    measure_kernel(&kernel, UNCHECKED, BENCH_ONE_CPU);
    bench_host(&one_core, runs, false);
    measure_kernel(&checked, CHECKED, BENCH_ONE_CPU);
    use_core(false);
    measure_kernel(&kernel, UNCHECKED, BENCH_TWO_CPUS);
    bench_host(&cores, runs, true);
    measure_kernel(&checked, CHECKED, BENCH_TWO_CPUS);
}

/*
 * As a test, which looks at no time. Criteria: all threads are made, run and are joined; each takes
 * its small stack, its guard page if it has one, and less than 1 KiB more; and the log says so just
 * if some have none.
 */
static int check_many(void)
{
    const struct bench_many *many = &bench_order.many;
    uint64_t most;

    bench_order.threads = number("TAYBERRY_THREADS", 20000);
    bench_order.job = BENCH_LIVES;
    run_kernel(UNCHECKED, 1, MEMORY_MOST);
    most = 8192 + 1024 + 4096ull * many->guarded / bench_order.threads;
    printf("1..3\n%s 1 - %u threads were there at once\n",
           many->threads == bench_order.threads ? "ok" : "not ok", many->threads);
    printf("%s 2 - each took %llu bytes, at most %llu\n", many->bytes <= most ? "ok" : "not ok",
           (unsigned long long)many->bytes, (unsigned long long)most);
    printf("%s 3 - %u had a guard page, and the log says %s\n",
           said_no_guards == (many->guarded < many->threads) ? "ok" : "not ok", many->guarded,
           said_no_guards ? "where they end" : "nothing of it");
    return many->threads != bench_order.threads || many->bytes > most ||
           said_no_guards != (many->guarded < many->threads);
}

static void measure_very_many(void)
{
    struct bench_many host = {0};

    use_core(true);
    bench_order.threads = number("TAYBERRY_THREADS", 100000);
    bench_order.job = BENCH_MANY;
    run_kernel(UNCHECKED, 1, MEMORY_MOST);
    bench_host_many(&host, 10000);
    print_lives(&bench_order.many, &host);
    print_scheduling(&bench_order.many);
}

/* Starts anew with memory where it lies in every run: a switch costs up to a third more where
 * addresses happen to fall together in the processor's caches. Returns if that cannot be had. */
static void settle(char **argv)
{
    int before = personality(0xffffffff);

    if (before < 0 || before & ADDR_NO_RANDOMIZE)
        return;
    if (personality((unsigned long)before | ADDR_NO_RANDOMIZE) >= 0)
        (void)execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
    unsigned passes = number("TAYBERRY_PASSES", 2), runs = number("TAYBERRY_RUNS", 10);

    settle(argv);

    const char *half = argc > 1 ? argv[1] : "";

    sched_getaffinity(0, sizeof all_cores, &all_cores);
    if (strcmp(half, "yield") == 0) {
        use_core(true);
        bench_order.runs = runs;
        measure_kernel(&kernel, UNCHECKED, BENCH_YIELDS);
        printf("yield: %.1f ns; by round robin %.1f ns\n", ns_of(&kernel, BENCH_YIELD),
               ns_of(&kernel, BENCH_YIELD_TURNS));
        return EXIT_SUCCESS;
    }
    if (strcmp(half, "locks") == 0) {
        use_core(true);
        bench_order.runs = runs;
        measure_kernel(&kernel, UNCHECKED, BENCH_LOCKS);
        printf("up to %u by %u threads: %.1f us\n", bench_counters[BENCH_COUNTER_PAIR].high,
               bench_counters[BENCH_COUNTER_PAIR].threads,
               ns_of(&kernel, (enum bench_figure)(BENCH_COUNTER + BENCH_COUNTER_PAIR)) / 1000);
        return EXIT_SUCCESS;
    }
    if (strcmp(half, "check") == 0)
        return check_many();
    if (strcmp(half, "many") != 0) {
        printf("# %u passes of %u runs; the best of each\n", passes, runs);
        for (unsigned pass = 0; pass < passes; pass++)
            measure_few(runs);
        print_table();
        fflush(stdout);
    }
    if (strcmp(half, "few") != 0)
        measure_very_many();
    return EXIT_SUCCESS;
}
