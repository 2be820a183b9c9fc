/* SPDX-License-Identifier: MIT */
/*
 * os_memory_sweep.c: runs a scenario with failing allocations, and judges.
 */
#include "os_memory_sweep.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define TEXT_MAX (1 << 18)
#define STATE_MAX (1 << 16)
#define HUNGRY_MEMORY (UINT64_C(6) << 20)
#define SAMPLE 40u /* cases of a scenario that is sampled, about */
#define CROWD_MEMORY (UINT64_C(24) << 20)
#define HEARD 1500u
#define LEAST_MEMORY (UINT64_C(2) << 20)
#define WIDE_MEMORY (UINT64_C(4) << 20)

struct sweep_totals *sweep_totals;

static struct tb_machine *machine;
static struct tb_snapshot *snapshot;
static const struct sweep_scenario *scenario;
static uint64_t memory_bytes;

/* What is so at the snapshot, and what the probe says there. */
static char state_before[STATE_MAX], probe_before[TEXT_MAX];
static struct tb_alloc_site sites_before[SWEEP_SITES_MAX];
static unsigned sites;

/* What is so after a run with memory for everything. */
static char state_after[STATE_MAX], probe_after[TEXT_MAX], output_after[TEXT_MAX];

static char said[TEXT_MAX]; /* by the case at hand */

/* The end of `text`, as much of it as a message of Check can hold. */
static const char *end_of(const char *text)
{
    size_t length = strlen(text);

    return text + (length > HEARD ? length - HEARD : 0);
}

void sweep_prepare(void)
{
    sweep_totals =
        mmap(NULL, sizeof *sweep_totals, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (sweep_totals == MAP_FAILED)
        abort();
}

/* ---- failures that nobody has to hear of ---- */

static const struct {
    const char *file;
    unsigned ordinal; /* which of the file's sites, from 1 on */
    const char *reason;
} excuses[] = {
    {"core/cache/page/index.c", 1, "a page ahead of a reader: it is read when it is wanted"},
    {"core/cache/page/page.c", 1, "a page of several: fewer are read at once"},
    {"core/cache/page/page.c", 2, "a page of several: fewer are read at once"},
    {"core/cache/page/page.c", 3, "a page of several: fewer are read at once"},
    {"core/fs/fat32/cache.c", 1, "a slot of the cache: another one is used again"},
    {"core/fs/fat32/chain.c", 1, "where a file's clusters are: it is looked up again each time"},
    {"core/fs/ramfs/content.c", 1, "frames in a row: they are taken one by one"},
    {"core/fs/ramfs/content.c", 2, "a page of several: fewer are written, and then the rest"},
    {"core/fs/ramfs/content.c", 3, "a page of several: fewer are written, and then the rest"},
    {"core/mem/frame.c", 1, "tables of the processor: the page is mapped when it is touched"},
    {"core/vm/fault.c", 1, "zeros for pages around the one that is wanted: that one by itself"},
    {"core/vm/fault.c", 3, "copies of pages around the one that is written to: that one by itself"},
    {"core/vm/region/fork.c", 1, "pages that are copied at once: when one of both writes to them"},
    {"core/fs/path/name_cache.c", 1, "a name in the cache: it is looked up again"},
    {"core/fs/fat32/entry/index.c", 1, "where the names of a directory are: it is read instead"},
    {"core/fs/fat32/entry/index.c", 2, "where the names of a directory are: it is read instead"},
    {"core/fs/fat32/entry/index.c", 3, "where the names of a directory are: it is read instead"},
};

unsigned sweep_ordinal(const struct tb_machine *m, unsigned number)
{
    struct tb_alloc_site site, other;
    unsigned ordinal = 1;

    ck_assert_int_eq(tb_alloc_site(m, number, &site), 0);
    for (unsigned i = 0; tb_alloc_site(m, i, &other) == 0; i++)
        ordinal += strcmp(other.file, site.file) == 0 && other.line < site.line;
    return ordinal;
}

const char *sweep_excuse(const struct tb_machine *m, unsigned number)
{
    struct tb_alloc_site site;

    ck_assert_int_eq(tb_alloc_site(m, number, &site), 0);
    for (size_t i = 0; i < sizeof excuses / sizeof excuses[0]; i++) {
        if (strcmp(site.file, excuses[i].file) == 0 &&
            sweep_ordinal(m, number) == excuses[i].ordinal)
            return excuses[i].reason;
    }
    return NULL;
}

/* ---- one run ---- */

/* Lets the machine come to rest, and adds what it says to `text`. */
static void settle(char *text, unsigned ms)
{
    size_t used = strlen(text);
    int reason = ms ? tb_run_for(machine, ms * OS_MS) : tb_run_until(machine, UINT64_MAX);

    used += tb_uart_read(machine, text + used, TEXT_MAX - 1 - used);
    text[used] = '\0';
    ck_assert_msg(reason == TB_STUCK || reason == TB_DEADLINE, "%s: the machine stopped (%d): %s",
                  scenario ? scenario->name : "boot", reason, end_of(text));
}

static void type(const char *bytes, char *text, unsigned ms)
{
    ck_assert_int_eq(tb_uart_write(machine, bytes, strlen(bytes)), (int)strlen(bytes));
    settle(text, ms);
}

static void take_step(const struct sweep_step *step, char *text)
{
    if (step->pin)
        ck_assert_int_eq(tb_pin_drive(machine, step->pin, step->level), 0);
    if (step->card)
        ck_assert_int_eq(tb_card_attach(machine, step->card[0] ? os_card() : NULL, true), 0);
    type(step->type ? step->type : "", text, step->ms);
}

static bool is_step(const struct sweep_step *step)
{
    return step->type || step->pin || step->card || step->ms;
}

static void set_plan(const struct tb_alloc_fail *plan)
{
    ck_assert_int_eq(tb_alloc_fail(machine, plan), 0);
}

static void end_plan(void)
{
    set_plan(&(struct tb_alloc_fail){.kind = TB_FAIL_NONE});
}

/* The scenario from here on; what it says is in `said`. Returns the allocations made. */
static uint64_t take_steps(const struct tb_alloc_fail *plan)
{
    uint64_t start, end;

    said[0] = '\0';
    start = tb_alloc_count(machine);
    set_plan(plan);
    for (unsigned i = 0; i < SWEEP_STEPS_MAX && is_step(&scenario->steps[i]); i++)
        take_step(&scenario->steps[i], said);
    end = tb_alloc_count(machine);
    end_plan();
    if (scenario->finish)
        type(scenario->finish, said, 0);
    return end - start;
}

/* The same from the snapshot on. */
static uint64_t run_steps(const struct tb_alloc_fail *plan)
{
    ck_assert_int_eq(tb_restore(machine, snapshot), 0);
    return take_steps(plan);
}

/* Asks for what a command that failed must not have changed: the folder, who uses which pin, free
 * numbers for background commands, files; and that commands work. */
static void probe(char *text)
{
    text[0] = '\0';
    type("\025pwd; gpio; sleep 0 & ls -l /docs; cat /names/lower.txt; echo alive\r", text, 0);
}

static void read_state(char *text)
{
    int n = tb_inspect_state(machine, text, STATE_MAX);

    ck_assert_int_gt(n, 0);
    ck_assert_int_lt(n, STATE_MAX);
}

/* ---- the verdict ---- */

static const char *describe(const struct tb_alloc_fail *plan)
{
    static const char *const kinds[] = {"none", "number", "from number", "site", "one in"};
    static char text[256];
    int n = snprintf(text, sizeof text, "%s, %" PRIu64 " MiB, %s %" PRIu64,
                     scenario ? scenario->name : "boot", memory_bytes >> 20, kinds[plan->kind],
                     plan->kind == TB_FAIL_SITE ? plan->site : plan->n);
    struct tb_alloc_site site;

    if (plan->kind == TB_FAIL_SITE && tb_alloc_site(machine, plan->site, &site) == 0)
        snprintf(text + n, sizeof text - (size_t)n, " (%s:%u)", site.file, site.line);
    return text;
}

bool sweep_is_report(const char *text)
{
    return strstr(text, "out of memory") || strstr(text, "Out of memory");
}

/* Counts failures, which were `silent`; *worst becomes a site that failed and has no excuse, or
 * else -1. */
static unsigned count_failures(int *worst, bool silent)
{
    unsigned failures = 0;

    *worst = -1;
    for (unsigned i = 0; i < sites; i++) {
        struct tb_alloc_site site;

        ck_assert_int_eq(tb_alloc_site(machine, i, &site), 0);
        if (site.failures == sites_before[i].failures)
            continue;
        failures += (unsigned)(site.failures - sites_before[i].failures);
        sweep_totals->sites[i].prompt = true;
        sweep_totals->sites[i].silent |= silent;
        if (!sweep_excuse(machine, i))
            *worst = (int)i;
    }
    return failures;
}

/* The first line in which the texts differ, for people. */
static const char *first_difference(const char *before, const char *after)
{
    static char text[512];

    while (*before && *before == *after) {
        size_t a = strcspn(before, "\n"), b = strcspn(after, "\n");

        if (a != b || strncmp(before, after, a) != 0)
            break;
        before += a + (before[a] == '\n');
        after += b + (after[b] == '\n');
    }
    snprintf(text, sizeof text, "before \"%.*s\", after \"%.*s\"", (int)strcspn(before, "\n"),
             before, (int)strcspn(after, "\n"), after);
    return text;
}

/* Of all that fails only what has an excuse may be heard of by nobody, and then it did no harm. */
static void assert_no_report_needed(const struct tb_alloc_fail *plan, int worst)
{
    struct tb_alloc_site site;

    if (worst >= 0 && !scenario->tests) {
        ck_assert_int_eq(tb_alloc_site(machine, (unsigned)worst, &site), 0);
        ck_abort_msg("%s: %s:%u failed, and nothing says so: %s", describe(plan), site.file,
                     site.line, end_of(said));
    }
    ck_assert_msg(scenario->varies || strcmp(said, output_after) == 0,
                  "%s: no report, but other words: %s\n%s", describe(plan),
                  first_difference(output_after, said), end_of(said));
}

/* The machine is as `state` says and answers as `answer` says. */
static void assert_is(const struct tb_alloc_fail *plan, const char *state, const char *answer)
{
    static char now[STATE_MAX], text[TEXT_MAX];

    read_state(now);
    ck_assert_msg(strcmp(now, state) == 0, "%s: the state changed: %s\n%s", describe(plan),
                  first_difference(state, now), end_of(said));
    probe(text);
    ck_assert_msg(strcmp(text, answer) == 0, "%s: another answer afterwards: %s\n%s",
                  describe(plan), first_difference(answer, text), end_of(said));
    read_state(now);
    ck_assert_msg(strcmp(now, state) == 0, "%s: the state changed later: %s\n%s", describe(plan),
                  first_difference(state, now), end_of(said));
}

static void try_plan(struct tb_alloc_fail plan)
{
    unsigned failures;
    int worst;

    (void)run_steps(&plan);
    failures = count_failures(&worst, false);
    sweep_totals->cases++;
    ck_assert_msg(!scenario->volume || strstr(said, ", clean\r\n"), "%s: the volume: %s",
                  describe(&plan), end_of(said));
    if (failures > 0 && (sweep_is_report(said) || (scenario->tests && strstr(said, "not ok")))) {
        assert_is(&plan, scenario->lasting ? state_after : state_before,
                  scenario->lasting ? probe_after : probe_before);
        return;
    }
    (void)count_failures(&worst, !scenario->tests);
    if (failures > 0)
        assert_no_report_needed(&plan, worst);
    assert_is(&plan, state_after, probe_after);
}

/* ---- a scenario ---- */

/* Runs the scenario with memory for everything. Returns how many allocations it makes. */
static uint64_t learn(bool *called)
{
    uint64_t count = run_steps(&(struct tb_alloc_fail){.kind = TB_FAIL_NONE});

    ck_assert_msg(!sweep_is_report(said) && !strstr(said, "not ok"), "%s fails by itself: %s",
                  scenario->name, end_of(said));
    memcpy(output_after, said, sizeof said);
    for (unsigned i = 0; i < sites; i++) {
        struct tb_alloc_site site;

        ck_assert_int_eq(tb_alloc_site(machine, i, &site), 0);
        called[i] = site.calls > sites_before[i].calls;
    }
    read_state(state_after);
    probe(probe_after);
    return count;
}

/* The path of one of the cards that images/mkbad.py makes. */
static const char *other_card(const char *name)
{
    const char *folder = getenv("TAYBERRY_BAD_CARDS");
    static char path[512];

    ck_assert_msg(folder != NULL, "TAYBERRY_BAD_CARDS is not set");
    snprintf(path, sizeof path, "%s/%s.img", folder, name);
    return path;
}

static void boot(void)
{
    struct tb_config config = os_config();

    config.memory = memory_bytes;
    config.command_line = "checks=1";
    if (scenario->card)
        config.card = other_card(scenario->card);
    machine = os_boot(&config);
}

static void prepare(void)
{
    static char text[TEXT_MAX];

    text[0] = '\0';
    type(scenario->prepare ? scenario->prepare : "", text, 0);
}

static void begin(void)
{
    boot();
    prepare();
    ck_assert_int_eq(tb_snapshot(machine, &snapshot), 0);
    for (sites = 0; tb_alloc_site(machine, sites, &sites_before[sites]) == 0; sites++)
        ck_assert_uint_lt(sites, SWEEP_SITES_MAX - 1);
    read_state(state_before);
    probe(probe_before);
}

static void finish(void)
{
    tb_snapshot_free(snapshot);
    tb_close(machine);
}

/* About how many of its cases a scenario gets; 0: all. */
static uint64_t sample(void)
{
    unsigned wanted = os_size("TAYBERRY_SAMPLE", 0);

    if (wanted && memory_bytes > LEAST_MEMORY)
        return wanted;
    return scenario->sampled ? SAMPLE : 0;
}

/* How far it is from case `n` to the next. */
static uint64_t stride(uint64_t n, uint64_t count)
{
    uint64_t most = sample();

    return most && n > most / 2 && count > most ? count / most + 1 : 1;
}

void sweep_run(const struct sweep_scenario *which, uint64_t memory)
{
    unsigned seeds = os_size("TAYBERRY_RUNS", 8);
    bool called[SWEEP_SITES_MAX];
    uint64_t count;

    if (getenv("TAYBERRY_SCENARIO") && strcmp(getenv("TAYBERRY_SCENARIO"), which->name) != 0)
        return;
    scenario = which;
    memory_bytes = which->hungry && memory > HUNGRY_MEMORY ? HUNGRY_MEMORY : memory;
    if (which->wide && memory == LEAST_MEMORY)
        memory_bytes = WIDE_MEMORY;
    if (which->crowded && os_cpus() > 1 && memory < CROWD_MEMORY)
        memory_bytes = CROWD_MEMORY;
    begin();
    count = learn(called);
    for (uint64_t n = 1; n <= count; n += stride(n, count)) {
        try_plan((struct tb_alloc_fail){.kind = TB_FAIL_NTH, .n = n});
        try_plan((struct tb_alloc_fail){.kind = TB_FAIL_FROM, .n = n});
    }
    for (unsigned i = 0; i < sites; i++) {
        if (called[i])
            try_plan((struct tb_alloc_fail){.kind = TB_FAIL_SITE, .site = i});
    }
    for (unsigned seed = 1; seed <= seeds; seed++)
        try_plan((struct tb_alloc_fail){.kind = TB_FAIL_SHARE, .n = 1 + seed * 3, .seed = seed});
    finish();
}

void sweep_run_real(const struct sweep_scenario *which, uint64_t memory)
{
    unsigned seeds = os_size("TAYBERRY_RUNS", 8);

    if (getenv("TAYBERRY_SCENARIO") && strcmp(getenv("TAYBERRY_SCENARIO"), which->name) != 0)
        return;
    scenario = which;
    memory_bytes = which->hungry ? HUNGRY_MEMORY : memory;
    boot();
    ck_assert_int_eq(tb_set_speed(machine, INFINITY), 0); /* nobody waits while all sleep */
    prepare();
    for (unsigned seed = 1; seed <= seeds; seed++) {
        (void)take_steps(
            &(struct tb_alloc_fail){.kind = TB_FAIL_SHARE, .n = 1 + seed * 3, .seed = seed});
        sweep_totals->cases++;
    }
    tb_close(machine);
}
