/* SPDX-License-Identifier: MIT */
/*
 * trial.c: one run of a scenario under a schedule, from power-on to its verdict.
 *
 * The scenario is what the options say: the command line of the kernel (`ktest=`), the card, the
 * texts. Nobody types anything. A run takes about a millisecond of the host's time; the machine is
 * opened once and switched on again for each.
 */
#include "search.h"

#include <string.h>

enum { LIMIT_USUAL = 60 }; /* seconds of machine time */

static struct {
    const struct options *options;
    struct tb_machine *machine;
    struct trial *trial; /* that is under way */
} bench;

static void keep(void *context, const uint8_t *bytes, size_t n)
{
    struct trial *trial = bench.trial;
    (void)context;
    for (size_t i = 0; i < n; i++)
        trial->console[trial->console_bytes++ % sizeof(trial->console)] = (char)bytes[i];
}

bool trial_open(const struct options *options, uint64_t seed)
{
    struct tb_config config = {
        .size = sizeof(config),
        .memory = options->memory,
        .command_line = options->append,
        .card = share_card(options),
        .card_read_only = true,
        .clock = TB_CLOCK_VIRTUAL,
        .seed = seed,
        .cpus = (unsigned)options->cpus,
        .boot_tags_kind = (enum tb_boot_tags)options->boot_tags,
    };
    bench.options = options;
    if (tb_open(&config, &bench.machine) < 0) {
        terminal_say("%s", tb_error(NULL));
        return false;
    }
    tb_uart_set_sink(bench.machine, keep, NULL);
    return true;
}

void trial_close(void)
{
    tb_close(bench.machine);
    bench.machine = NULL;
}

struct tb_machine *trial_machine(void)
{
    return bench.machine;
}

/* Turns the ring into a text that begins with its oldest byte. */
static void straighten(struct trial *trial)
{
    static char copy[sizeof(trial->console)];
    size_t size = sizeof(trial->console) - 1, start = 0, length = trial->console_bytes;
    if (length > size) {
        start = length % sizeof(trial->console) + 1;
        length = size;
    }
    for (size_t i = 0; i < length; i++)
        copy[i] = trial->console[(start + i) % sizeof(trial->console)];
    copy[length] = '\0';
    memcpy(trial->console, copy, length + 1);
}

static enum verdict verdict_of(const struct trial *trial, int reason)
{
    const struct options *options = bench.options;
    if (reason < 0)
        return VERDICT_ERROR;
    if (tb_state(bench.machine) == TB_PANICKED)
        return VERDICT_PANIC;
    if (options->fail_text != NULL && strstr(trial->console, options->fail_text) != NULL)
        return VERDICT_TEXT;
    if (options->expect_text != NULL && strstr(trial->console, options->expect_text) != NULL)
        return VERDICT_GOOD;
    if (reason == TB_STUCK)
        return VERDICT_STUCK;
    if (reason != TB_STOPPED)
        return VERDICT_SLOW;
    if (options->expect_text != NULL)
        return VERDICT_SILENT;
    return trial->status != 0 ? VERDICT_STATUS : VERDICT_GOOD;
}

/* Runs to the end: to a stop, or to the limit. If nothing at all happens in one more second then,
 * nobody can go on. */
static int run_to_end(void)
{
    const uint64_t second = UINT64_C(1000000000);
    uint64_t limit = bench.options->limit != 0 ? bench.options->limit : LIMIT_USUAL * second;
    int reason = tb_run_until(bench.machine, limit);
    if (reason != TB_DEADLINE)
        return reason;
    uint64_t trace = tb_trace_hash(bench.machine);
    reason = tb_run_for(bench.machine, second);
    return reason == TB_DEADLINE && tb_trace_hash(bench.machine) == trace ? TB_STUCK : reason;
}

void trial_run(struct trial *trial, const struct tb_schedule *schedule)
{
    bench.trial = trial;
    trial->console_bytes = 0;
    trial->status = 0;
    int error = tb_schedule_set(bench.machine, schedule);
    if (error == 0)
        error = tb_power_on(bench.machine);
    int reason = error < 0 ? error : run_to_end();
    if (reason >= 0) {
        trial->status = tb_exit_status(bench.machine);
        trial->points = tb_schedule_points(bench.machine);
        trial->trace = tb_trace_hash(bench.machine);
        trial->steps = tb_schedule_steps(bench.machine, NULL, 0);
    }
    straighten(trial);
    trial->verdict = verdict_of(trial, reason);
    if (trial->verdict == VERDICT_ERROR)
        terminal_say("%s", tb_error(bench.machine));
    tb_power_cut(bench.machine);
}

/* ---- before the search ---- */

static bool run_until_text(const char *text)
{
    return tb_uart_expect(bench.machine, text, LIMIT_USUAL * UINT64_C(1000000000)) == TB_MATCH;
}

/* Where the threads of a test begin. Each CPU has its own queue, so whoever of the crew was created
 * last may be the first that runs, and be done before another begins. */
struct beginning {
    uint64_t test, crew; /* positions; 0: has not run */
};

static void note_beginning(void *context, const struct tb_moment *moment)
{
    struct beginning *beginning = context;
    char running[32];
    if (moment->kind != 0 || beginning->crew != 0 ||
        tb_thread_on_cpu(bench.machine, moment->cpu, running, sizeof(running)) == 0)
        return;
    if (beginning->test == 0 && strcmp(running, "ktest") == 0)
        beginning->test = moment->point;
    if (strncmp(running, "crew ", sizeof("crew ") - 1) == 0)
        beginning->crew = moment->point;
}

/* The position where the kernel's own test begins, or its crew if it has one. 0: it never does. */
static uint64_t begin_of_test(void)
{
    struct beginning beginning = {.crew = 0};
    tb_schedule_set_sink(bench.machine, note_beginning, &beginning, 0);
    if (tb_power_on(bench.machine) == 0)
        (void)run_to_end();
    tb_schedule_set_sink(bench.machine, NULL, NULL, 0);
    return beginning.crew != 0 ? beginning.crew : beginning.test;
}

uint64_t trial_begin(void)
{
    static struct trial trial;
    static const struct tb_schedule usual = {.size = sizeof(usual), .strategy = TB_BY_STEPS};
    const char *text = bench.options->from_text, *words = bench.options->append;
    uint64_t from = 0;
    bool tests = text == NULL && words != NULL && strstr(words, "ktest=") != NULL;
    bench.trial = &trial;
    if ((text == NULL && !tests) || tb_schedule_set(bench.machine, &usual) != 0)
        return 0;
    if (tests)
        from = begin_of_test();
    else if (tb_power_on(bench.machine) == 0 && run_until_text(text))
        from = tb_schedule_points(bench.machine);
    tb_power_cut(bench.machine);
    return from;
}

/* Notes the last point at which somebody else than who runs might be ready. */
static void note_last(void *last, const struct tb_moment *moment)
{
    if (moment->kind == 0 && (moment->timer || (moment->working & (moment->working - 1))))
        *(uint64_t *)last = moment->point;
}

uint64_t trial_measure(struct trial *trial, uint64_t from)
{
    static const struct tb_schedule usual = {.size = sizeof(usual), .strategy = TB_BY_STEPS};
    uint64_t last = from;
    tb_schedule_set_sink(bench.machine, note_last, &last, from);
    trial_run(trial, &usual);
    tb_schedule_set_sink(bench.machine, NULL, NULL, 0);
    return last;
}

/* ---- in words ---- */

/* The last line of the console that has `text`, or its last line. */
static const char *find_line(const struct trial *trial, const char *text, int *length)
{
    const char *found = NULL, *line = trial->console;
    for (const char *at = line; *at != '\0'; at = *line != '\0' ? line : line + strlen(line)) {
        size_t size = strcspn(at, "\r\n");
        bool has = text != NULL && memmem(at, size, text, strlen(text)) != NULL;
        if (size > 0 && (text == NULL || has)) {
            found = at;
            *length = (int)size;
            if (text != NULL)
                break;
        }
        line = at + size + strspn(at + size, "\r\n");
    }
    return found;
}

/* The line that says most about the failure. */
static void say_line(FILE *file, const struct trial *trial)
{
    static const char *const signs[] = {"does not hold", "locks:", "not ok"};
    int length = 0;
    const char *line = find_line(trial, "- PANIC -", &length);
    if (line != NULL) { /* what comes after that */
        line += length + strspn(line + length, "\r\n");
        length = (int)strcspn(line, "\r\n");
    }
    for (size_t i = 0; line == NULL && i < sizeof(signs) / sizeof(signs[0]); i++)
        line = find_line(trial, signs[i], &length);
    if (line == NULL)
        line = find_line(trial, NULL, &length);
    if (line != NULL)
        fprintf(file, ": %.*s", length, line);
}

void trial_say(FILE *file, const struct trial *trial)
{
    static const char *const words[] = {
        [VERDICT_GOOD] = "nothing went wrong",
        [VERDICT_PANIC] = "the kernel panicked",
        [VERDICT_TEXT] = "the fail text was printed",
        [VERDICT_SILENT] = "the expected text was not printed",
        [VERDICT_STUCK] = "nobody can go on, and nothing will change that",
        [VERDICT_SLOW] = "it had not ended at the limit of machine time",
        [VERDICT_ERROR] = "it could not be run",
    };
    if (trial->verdict == VERDICT_STATUS)
        fprintf(file, "the guest ended with status %d", trial->status);
    else
        fprintf(file, "%s", words[trial->verdict]);
    if (trial->verdict != VERDICT_GOOD)
        say_line(file, trial);
    fprintf(file, "\n");
}
