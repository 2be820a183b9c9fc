/* SPDX-License-Identifier: MIT */
/*
 * hunt.c: runs a scenario of the kernel's own tests under one seed after the other, until one of
 * them goes wrong.
 *
 *     planted-hunt WORDS CPUS FIRST LAST LIMIT-MS [pct]
 *
 * With pct, the seed gives the threads priorities and chooses the points at which the one that runs
 * loses its own (TB_BY_PRIORITY): at 1 to TAYBERRY_CHANGES of them (3). There is a policy that
 * leaves the order of threads to that.
 *
 * WORDS are the kernel's command line, with a ktest= in them. Prints a line for each seed that goes
 * wrong, and ends after the first; or, if none does, one line:
 *
 *     seed 17 failed 9c0f... not ok 1 - race.wait_against_signal
 *     none 200
 *
 * that is: how it shows, a hash of the trace and of all that was printed, and what says so. (Where
 * the host does not let a program choose that it lies at the same addresses each time, what was
 * printed is left out of the hash: a panic prints registers.) How:
 *
 *     panic, deadlock, order   the kernel says that something is wrong
 *     failed                   a test says that something does not hold
 *     hang                     the tests do not end: 1,000 s have passed, or the CPUs have worked
 *                              for LIMIT-MS, all of it virtual time
 *     loop                     10 s of the host's processor without an end; with pct, 4 s
 *
 * A program that ends by a signal does so in the seed after the last "at N": that line stands on
 * standard error before each run. The card comes by the environment: TAYBERRY_CARD, or none.
 *
 * Not here: what is planted, and building it; see planted.py.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/time.h>
#include <tayberry.h>
#include <tayberry_schedule.h>
#include <unistd.h>

#define MS UINT64_C(1000000)
#define STEP (10 * MS)
#define PATIENCE (1000000 * MS)
#define HOST_SECONDS 10
#define PCT_SECONDS 4
#define FNV_START UINT64_C(0xcbf29ce484222325)

struct hunt {
    const char *words;
    unsigned cpus;
    uint64_t limit; /* ns of work, of all CPUs */
    bool pct;
    unsigned changes;      /* pct: of priorities, at most */
    uint64_t from, points; /* pct: where the scenario begins, and how long it is */
};

struct outcome {
    const char *how; /* NULL: all is well */
    uint64_t hash;
    char says[256];
};

static char console[1 << 16];
static size_t console_used;
static uint64_t console_hash;
static bool settled; /* the addresses are the same in each run of this program */
static struct tb_machine *machine;

static uint64_t mix(uint64_t hash, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static void keep(void *context, const uint8_t *bytes, size_t n)
{
    (void)context;
    console_hash = mix(console_hash, bytes, n);
    if (n > sizeof console - 1 - console_used)
        n = sizeof console - 1 - console_used;
    memcpy(console + console_used, bytes, n);
    console_used += n;
    console[console_used] = '\0';
}

static void give_up(int number)
{
    (void)number;
    tb_interrupt(machine);
}

static void set_host_limit(time_t seconds)
{
    struct itimerval limit = {.it_value = {.tv_sec = seconds}};

    (void)signal(SIGVTALRM, give_up);
    (void)setitimer(ITIMER_VIRTUAL, &limit, NULL);
}

/* Runs until the tests have ended, or are not going to. */
static int run(const struct hunt *hunt)
{
    uint64_t time = 0, worked = 0;
    int reason = TB_DEADLINE;

    set_host_limit(hunt->pct ? PCT_SECONDS : HOST_SECONDS);
    while (reason == TB_DEADLINE && time < PATIENCE && worked < hunt->limit) {
        reason = tb_run_for(machine, STEP);
        time = tb_time(machine);
        worked = hunt->cpus * time - tb_idle_time(machine);
    }
    set_host_limit(0);
    return reason;
}

/* Copies the line of the console that begins at `text`, with "..." for each address: they are not
 * the same on another host. */
static void quote(struct outcome *outcome, const char *text)
{
    enum { SHORT = 8 }; /* digits of what is no address of the host */
    size_t left = strcspn(text, "\r\n"), used = 0;

    while (left > 0 && used < sizeof outcome->says - 4) {
        size_t digits = strspn(text, "0123456789abcdef"), n = digits > 0 ? digits : 1;

        n = n < left ? n : left;
        if (n > SHORT)
            used += (size_t)sprintf(outcome->says + used, "...");
        else
            used += (size_t)snprintf(outcome->says + used, sizeof outcome->says - used, "%.*s",
                                     (int)n, text);
        text += n;
        left -= n;
    }
}

/* What the console says of it: the first that is found of these, in this order. */
static const struct {
    const char *text, *how;
} signs[] = {
    {"deadlock of ", "deadlock"}, {"what:  ", "panic"}, {"locks: possible deadlock", "order"},
    {"does not hold", "failed"},  {"not ok", "failed"}, {"Bail out!", "failed"},
};

static void judge(struct outcome *outcome, int reason)
{
    const char *found = NULL;

    outcome->how = NULL;
    outcome->says[0] = '\0';
    /* What a run had come to when the host's time was up is another thing each time. */
    for (size_t i = 0; reason != TB_INTERRUPTED && i < sizeof signs / sizeof signs[0] && !found;
         i++) {
        found = strstr(console, signs[i].text);
        if (!found)
            continue;
        outcome->how = signs[i].how;
        while (found > console && found[-1] != '\n')
            found--;
        quote(outcome, found);
    }
    if (found)
        return;
    if (reason == TB_DEADLINE)
        outcome->how = "hang";
    else if (reason == TB_INTERRUPTED)
        outcome->how = "loop";
    else if (reason != TB_STOPPED || tb_exit_status(machine) != 0 || !strstr(console, ", 0 failed"))
        outcome->how = "failed";
    if (outcome->how)
        snprintf(outcome->says, sizeof outcome->says, "%llu ms passed, %llu ms idle",
                 (unsigned long long)(tb_time(machine) / MS),
                 (unsigned long long)(tb_idle_time(machine) / MS));
}

static void open_machine(const struct hunt *hunt, uint64_t seed)
{
    struct tb_config config = {.size = sizeof config,
                               .command_line = hunt->words,
                               .card = getenv("TAYBERRY_CARD"),
                               .card_read_only = true,
                               .clock = TB_CLOCK_VIRTUAL,
                               .seed = seed,
                               .cpus = hunt->cpus};

    console_used = 0;
    console[0] = '\0';
    console_hash = FNV_START;
    if (tb_open(&config, &machine)) {
        fprintf(stderr, "%s\n", tb_error(NULL));
        exit(2);
    }
    tb_uart_set_sink(machine, keep, NULL);
}

static void switch_on(const struct tb_schedule *schedule)
{
    if ((schedule && tb_schedule_set(machine, schedule)) || tb_power_on(machine)) {
        fprintf(stderr, "%s\n", tb_error(machine));
        exit(2);
    }
}

/* Learns where the scenario begins, and how many points it has, from a run without any step. It may
 * go wrong as well; then it is as long as that. False: it does not end. */
static bool measure(struct hunt *hunt)
{
    int reason;

    struct tb_schedule usual = {.size = sizeof usual, .strategy = TB_BY_STEPS};

    open_machine(hunt, 1);
    switch_on(&usual);
    (void)tb_uart_expect(machine, "1..", PATIENCE);
    hunt->from = tb_schedule_points(machine);
    reason = run(hunt);
    hunt->points = TB_POINT_NUMBER(tb_schedule_points(machine)) - TB_POINT_NUMBER(hunt->from) + 1;
    tb_close(machine);
    return reason != TB_INTERRUPTED;
}

static void try_seed(const struct hunt *hunt, uint64_t seed, struct outcome *outcome)
{
    struct tb_schedule schedule = {.size = sizeof schedule,
                                   .strategy = TB_BY_PRIORITY,
                                   .seed = seed,
                                   .changes = 1 + (unsigned)(seed % hunt->changes),
                                   .from = hunt->from,
                                   .points = hunt->points};
    uint64_t trace;

    open_machine(hunt, seed);
    switch_on(hunt->pct ? &schedule : NULL);
    judge(outcome, run(hunt));
    trace = tb_trace_hash(machine);
    outcome->hash = mix(settled ? console_hash : FNV_START, (const uint8_t *)&trace, sizeof trace);
    tb_close(machine);
}

static uint64_t number(const char *text)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10);

    if (*end || end == text) {
        fprintf(stderr, "%s is not a number\n", text);
        exit(2);
    }
    return value;
}

/* Runs this program again, once, where its code and data lie at the same places each time: what a
 * kernel does that follows a wrong pointer, and what a panic prints of registers, depends on that.
 */
static void settle(char **argv)
{
    int before = personality(0xffffffff);

    settled = before >= 0 && (before & ADDR_NO_RANDOMIZE);
    if (before < 0 || settled)
        return;
    if (personality((unsigned long)before | ADDR_NO_RANDOMIZE) >= 0)
        (void)execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
    struct outcome outcome;
    struct hunt hunt;
    uint64_t first, last;
    bool measured;

    if (argc != 6 && (argc != 7 || strcmp(argv[6], "pct") != 0)) {
        fprintf(stderr, "usage: planted-hunt WORDS CPUS FIRST LAST LIMIT-MS [pct]\n");
        return 2;
    }
    settle(argv);
    hunt.words = argv[1];
    hunt.cpus = (unsigned)number(argv[2]);
    first = number(argv[3]);
    last = number(argv[4]);
    hunt.limit = number(argv[5]) * MS;
    hunt.pct = argc == 7;
    hunt.changes = getenv("TAYBERRY_CHANGES") ? (unsigned)number(getenv("TAYBERRY_CHANGES")) : 3;
    if (hunt.changes < 1 || hunt.changes > TB_CHANGES_MAX) {
        fprintf(stderr, "TAYBERRY_CHANGES has to be 1 to %u\n", TB_CHANGES_MAX);
        return 2;
    }
    hunt.from = hunt.points = 0;
    measured = !hunt.pct || measure(&hunt);
    for (uint64_t seed = first; measured && seed <= last; seed++) {
        fprintf(stderr, "at %llu\n", (unsigned long long)seed);
        try_seed(&hunt, seed, &outcome);
        if (!outcome.how)
            continue;
        printf("seed %llu %s %016llx %s\n", (unsigned long long)seed, outcome.how,
               (unsigned long long)outcome.hash, outcome.says);
        if (getenv("PLANTED_SAY"))
            fputs(console, stdout);
        return 1;
    }
    printf("none %llu\n", (unsigned long long)(last - first + 1));
    return 0;
}
