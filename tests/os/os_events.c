/* SPDX-License-Identifier: MIT */
/*
 * What the scheduler tells whoever listens.
 *
 * Criteria:
 *  1. The events of a run make sense: on each CPU who comes is who leaves next, no thread runs on
 *     two CPUs, none runs before it was ready, one that moves comes from where it was, interrupts
 *     begin and end, the times of a CPU's switches do not go back. With both clocks, 1 to 4 CPUs.
 *  2. Listening changes nothing: with and without, a seed gives the same run.
 *  3. The same seed gives the same events and the same files, another seed others.
 *  4. Four may listen; a fifth is refused; who has stopped listening hears nothing.
 *  5. Files: what cannot be made or written in full is an error with a sentence.
 *  6. Files go on over reboots, power cuts and restored snapshots, and their times never go back.
 *  7. What the command `trace` prints is what was told outside.
 */
#include "os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS 4096u
#define CPUS 4u

static struct tb_machine *machine;

/* ---- what must hold of events; the sink only notes the first thing that does not ---- */

enum doing { DOING_UNKNOWN, DOING_READY, DOING_RUNNING, DOING_SLEEPING, DOING_ENDED };

static struct watch {
    uint64_t count, kinds[TB_SCHED_POWER + 1];
    uint64_t hash;
    uint32_t running[CPUS]; /* 0: not known */
    uint64_t switched[CPUS];
    bool interrupted[CPUS];
    uint8_t doing[THREADS], cpu[THREADS];
    char wrong[512];
} watch;

static void expect(bool good, const char *what, const struct tb_sched_event *event)
{
    char line[256];

    if (good || watch.wrong[0])
        return;
    tb_sched_text(event, line, sizeof line);
    snprintf(watch.wrong, sizeof watch.wrong, "event %llu: %s: %s", (unsigned long long)watch.count,
             what, line);
}

static void watch_switch(const struct tb_sched_event *event)
{
    uint32_t from = event->self.number % THREADS, to = event->other.number % THREADS;
    uint32_t before = watch.running[event->cpu];

    expect(before == 0 || before == from, "somebody else ran here", event);
    expect(event->a == event->self.number && event->b == event->other.number, "numbers", event);
    expect(event->time >= watch.switched[event->cpu], "time goes back", event);
    expect(!watch.interrupted[event->cpu], "in an interrupt", event);
    if (!event->other.idle)
        expect(watch.doing[to] == DOING_READY || watch.doing[to] == DOING_UNKNOWN, "not ready",
               event);
    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        expect(cpu == event->cpu || watch.running[cpu] != to, "runs on two CPUs", event);
    watch.switched[event->cpu] = event->time;
    watch.running[event->cpu] = to;
    watch.doing[to] = DOING_RUNNING;
    watch.cpu[to] = event->cpu;
    watch.doing[from] = event->state == 'Z'                          ? DOING_ENDED
                        : event->state == 'S' || event->state == 'D' ? DOING_SLEEPING
                                                                     : DOING_READY;
}

static void watch_thread(const struct tb_sched_event *event)
{
    uint32_t number = event->other.number % THREADS;
    uint8_t doing = watch.doing[number];

    if (event->kind == TB_SCHED_WAKE)
        expect(doing == DOING_SLEEPING || doing == DOING_UNKNOWN, "woken awake", event);
    if (event->kind == TB_SCHED_MOVE) {
        expect(event->b != event->c && event->b < CPUS, "moved to nowhere", event);
        expect(doing == DOING_UNKNOWN || doing == DOING_READY || doing == DOING_SLEEPING,
               "moved while it runs", event);
        expect(event->c == watch.cpu[number] || doing == DOING_UNKNOWN, "moved from elsewhere",
               event);
        watch.cpu[number] = (uint8_t)event->b;
    }
    if (event->kind == TB_SCHED_READY) {
        expect(doing != DOING_RUNNING && doing != DOING_ENDED, "ready and not asleep", event);
        watch.doing[number] = DOING_READY;
        watch.cpu[number] = (uint8_t)event->b;
    }
}

static void mix(const void *bytes, size_t n)
{
    for (const unsigned char *at = bytes; n; n--, at++)
        watch.hash = (watch.hash ^ *at) * UINT64_C(0x100000001b3);
}

static void sink(void *context, const struct tb_sched_event *event)
{
    (void)context;
    watch.count++;
    mix(event, sizeof *event);
    if (event->kind > TB_SCHED_POWER || event->cpu >= CPUS) {
        expect(false, "kind or CPU", event);
        return;
    }
    watch.kinds[event->kind]++;
    if (event->kind == TB_SCHED_SWITCH) {
        watch_switch(event);
    } else if (event->kind == TB_SCHED_INTERRUPT || event->kind == TB_SCHED_END) {
        expect(watch.interrupted[event->cpu] == (event->kind == TB_SCHED_END), "nesting", event);
        expect(event->depth == 1, "depth", event);
        watch.interrupted[event->cpu] = event->kind == TB_SCHED_INTERRUPT;
    } else if (event->kind != TB_SCHED_POWER && event->kind < TB_SCHED_WAIT) {
        watch_thread(event);
    }
}

/* ---- runs ---- */

static struct tb_config config_of(unsigned cpus, uint64_t seed)
{
    struct tb_config config = os_config();

    config.cpus = cpus;
    config.seed = seed;
    return config;
}

static void open_machine(const struct tb_config *config)
{
    ck_assert_msg(tb_open(config, &machine) == 0, "%s", tb_error(NULL));
}

static void close_machine(void)
{
    tb_close(machine);
    machine = NULL;
}

/* Boots, and has threads begin, sleep, compete, read the card, and end. */
static void play(void)
{
    ck_assert_int_eq(tb_power_on(machine), 0);
    os_wait_prompt(machine);
    (void)os_command(machine, "spawn 5 20ms &");
    (void)os_command(machine, "cat /README.TXT");
    (void)os_command(machine, "ktest condition");
    (void)os_command(machine, "sleep 30ms");
}

static uint64_t play_heard(unsigned cpus, uint64_t seed)
{
    struct tb_config config = config_of(cpus, seed);
    uint64_t trace;

    memset(&watch, 0, sizeof watch);
    open_machine(&config);
    ck_assert_int_eq(tb_sched_listen(machine, sink, NULL), 0);
    play();
    trace = tb_trace_hash(machine);
    close_machine();
    return trace;
}

START_TEST(events_make_sense)
{
    unsigned runs = os_size("TAYBERRY_RUNS", 8);

    for (unsigned seed = 1; seed <= runs; seed++) {
        (void)play_heard(1 + seed % CPUS, seed);
        ck_assert_msg(!watch.wrong[0], "seed %u, %u CPUs: %s", seed, 1 + seed % CPUS, watch.wrong);
        ck_assert_uint_gt(watch.kinds[TB_SCHED_SWITCH], 100);
        ck_assert_uint_gt(watch.kinds[TB_SCHED_WAKE], 20);
        ck_assert_uint_gt(watch.kinds[TB_SCHED_CREATE], 8);
        ck_assert_uint_gt(watch.kinds[TB_SCHED_EXIT], 5);
        ck_assert_uint_gt(watch.kinds[TB_SCHED_WAIT], 0);
        ck_assert_uint_eq(watch.kinds[TB_SCHED_REQUEST], watch.kinds[TB_SCHED_DONE]);
        ck_assert_uint_gt(watch.kinds[TB_SCHED_DONE], 0);
    }
    printf("# %u seeds\n", runs);
}
END_TEST

/* Events of two CPUs are told in the order of the locks that they were noted under. */
START_TEST(events_make_sense_with_the_real_clock)
{
    struct tb_config config = config_of(CPUS, 1);

    memset(&watch, 0, sizeof watch);
    config.clock = TB_CLOCK_REAL;
    open_machine(&config);
    ck_assert_int_eq(tb_sched_listen(machine, sink, NULL), 0);
    play();
    close_machine();
    ck_assert_msg(!watch.wrong[0], "%s", watch.wrong);
    ck_assert_uint_gt(watch.kinds[TB_SCHED_SWITCH], 100);
}
END_TEST

START_TEST(listening_changes_nothing)
{
    struct tb_config config = config_of(CPUS, 11);
    uint64_t heard = play_heard(CPUS, 11), state;
    uint64_t unheard;

    state = watch.hash;
    open_machine(&config);
    play();
    unheard = tb_trace_hash(machine);
    close_machine();
    ck_assert_uint_eq(heard, unheard);
    ck_assert_uint_eq(play_heard(CPUS, 11), heard);
    ck_assert_uint_eq(watch.hash, state);
    ck_assert_uint_ne(play_heard(CPUS, 12), heard);
    ck_assert_uint_ne(watch.hash, state);
}
END_TEST

static void other_sink(void *context, const struct tb_sched_event *event)
{
    (void)event;
    ++*(uint64_t *)context;
}

START_TEST(four_may_listen)
{
    struct tb_config config = config_of(1, 1);
    uint64_t heard[5] = {0};

    open_machine(&config);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_int_eq(tb_sched_listen(machine, other_sink, &heard[i]), 0);
    ck_assert_int_lt(tb_sched_listen(machine, other_sink, &heard[4]), 0);
    ck_assert(strstr(tb_error(machine), "listen") != NULL);
    tb_sched_ignore(machine, other_sink, &heard[1]);
    tb_sched_ignore(machine, other_sink, &heard[1]);
    tb_sched_ignore(machine, NULL, NULL);
    play();
    ck_assert_uint_gt(heard[0], 100);
    ck_assert_uint_eq(heard[1], 0);
    ck_assert_uint_eq(heard[2], heard[0]);
    ck_assert_uint_eq(heard[3], heard[0]);
    ck_assert_uint_eq(heard[4], 0);
    close_machine();
    open_machine(&config); /* who listened to the last machine does not hear this one */
    play();
    close_machine();
    ck_assert_uint_eq(heard[2], heard[0]);
}
END_TEST

/* ---- files ---- */

static char folder[] = "/tmp/tayberry-events-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[64];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* The whole file, which the caller frees. */
static char *read_all(const char *name)
{
    FILE *file = fopen(path_of(name), "r");
    char *text;
    long size;

    ck_assert_ptr_nonnull(file);
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);
    text = calloc(1, (size_t)size + 1);
    ck_assert_uint_eq(fread(text, 1, (size_t)size, file), (size_t)size);
    fclose(file);
    return text;
}

static void record(const char *name, unsigned cpus, uint64_t seed)
{
    struct tb_config config = config_of(cpus, seed);

    open_machine(&config);
    ck_assert_int_eq(tb_sched_file(machine, path_of(name)), 0);
    play();
    ck_assert_int_eq(tb_sched_file(machine, NULL), 0);
    close_machine();
}

static void assert_repeats(const char *name, const char *again, const char *other)
{
    char *first, *second, *third;

    record(name, CPUS, 5);
    record(again, CPUS, 5);
    record(other, CPUS, 6);
    first = read_all(name);
    second = read_all(again);
    third = read_all(other);
    ck_assert_uint_gt(strlen(first), 20000);
    ck_assert_str_eq(first, second);
    ck_assert_str_ne(first, third);
    free(first);
    free(second);
    free(third);
}

START_TEST(files_repeat_from_the_seed)
{
    assert_repeats("a.txt", "b.txt", "c.txt");
    assert_repeats("a.json", "b.json", "c.json");
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_an_error)
{
    struct tb_config config = config_of(1, 1);

    open_machine(&config);
    ck_assert_int_lt(tb_sched_file(machine, path_of("none/trace.txt")), 0);
    ck_assert(strstr(tb_error(machine), "none/trace.txt") != NULL);
    ck_assert_int_eq(tb_sched_file(machine, NULL), 0);
    ck_assert_int_eq(tb_sched_file(machine, "/dev/full"), 0);
    play();
    ck_assert_int_lt(tb_sched_file(machine, NULL), 0);
    ck_assert(strstr(tb_error(machine), "in full") != NULL);
    ck_assert_int_eq(tb_sched_file(machine, NULL), 0);
    close_machine();
}
END_TEST

/* How often `part` is in the lines of a file, whose times have to be in order. */
static unsigned count_in_order(const char *name, const char *part)
{
    char *text = read_all(name), *rest = text, *line;
    unsigned long long last = 0;
    unsigned count = 0;

    while ((line = strtok_r(rest, "\n", &rest))) {
        unsigned long long seconds, ns;
        const char *cpu = strchr(line, '[');

        if (line[0] == '#')
            continue;
        ck_assert_ptr_nonnull(cpu);
        ck_assert_int_eq(sscanf(cpu + 10, "%llu.%llu:", &seconds, &ns), 2);
        ck_assert_msg(seconds * 1000000000 + ns >= last, "goes back: %s", line);
        last = seconds * 1000000000 + ns;
        count += strstr(line, part) != NULL;
    }
    free(text);
    return count;
}

START_TEST(a_file_goes_on_over_power_cycles)
{
    struct tb_config config = config_of(2, 3);

    open_machine(&config);
    ck_assert_int_eq(tb_sched_file(machine, path_of("lives.txt")), 0);
    play();
    ck_assert_int_eq(tb_uart_write(machine, "reboot\r", 7), 7);
    os_wait_prompt(machine);
    tb_power_cut(machine);
    ck_assert_int_eq(tb_power_on(machine), 0);
    os_wait_prompt(machine);
    (void)os_command(machine, "sleep 10ms");
    ck_assert_int_eq(tb_sched_file(machine, NULL), 0);
    close_machine();
    ck_assert_uint_eq(count_in_order("lives.txt", "tracing_mark_write: power on"), 3);
    ck_assert_uint_ge(count_in_order("lives.txt", "child_comm=sleep "), 2);
}
END_TEST

START_TEST(a_file_goes_on_after_a_snapshot)
{
    struct tb_config config = config_of(2, 3);
    struct tb_snapshot *snapshot;

    open_machine(&config);
    ck_assert_int_eq(tb_sched_file(machine, path_of("restored.txt")), 0);
    play();
    ck_assert_int_eq(tb_snapshot(machine, &snapshot), 0);
    (void)os_command(machine, "sleep 10ms");
    ck_assert_int_eq(tb_restore(machine, snapshot), 0);
    (void)os_command(machine, "sleep 10ms");
    tb_snapshot_free(snapshot);
    ck_assert_int_eq(tb_sched_file(machine, NULL), 0);
    close_machine();
    ck_assert_uint_eq(count_in_order("restored.txt", "tracing_mark_write: power on"), 1);
    ck_assert_uint_eq(count_in_order("restored.txt", "tracing_mark_write: restored"), 1);
    ck_assert_uint_ge(count_in_order("restored.txt", "child_comm=sleep "), 3);
}
END_TEST

/* ThreadSanitizer's own memory cannot be put back, so there are no snapshots under it. */
static bool has_snapshots(void)
{
#ifdef __SANITIZE_THREAD__
    return false;
#else
    return true;
#endif
}

START_TEST(the_command_prints_what_was_told)
{
    struct tb_config config = config_of(2, 4);
    char *file, answer[16384], *rest = answer, *line;
    unsigned lines = 0;

    open_machine(&config);
    ck_assert_int_eq(tb_sched_file(machine, path_of("told.txt")), 0);
    play();
    /* Not os_command: "==> " looks like a prompt. */
    (void)os_output(machine);
    ck_assert_int_eq(tb_uart_write(machine, "trace 60\r", 9), 9);
    ck_assert_int_ge(tb_run_for(machine, OS_SECOND), 0);
    snprintf(answer, sizeof answer, "%s", os_output(machine));
    ck_assert_int_eq(tb_sched_file(machine, NULL), 0);
    close_machine();
    file = read_all("told.txt");
    while ((line = strtok_r(rest, "\r\n", &rest))) {
        if (!strstr(line, "] d."))
            continue; /* the head, the echo, the prompt */
        lines++;
        ck_assert_msg(strstr(file, line) != NULL, "not in the file: %s", line);
    }
    ck_assert_uint_eq(lines, 60);
    free(file);
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("events");
    TCase *cases = tcase_create("all");

    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, events_make_sense);
    tcase_add_test(cases, events_make_sense_with_the_real_clock);
    tcase_add_test(cases, listening_changes_nothing);
    tcase_add_test(cases, four_may_listen);
    tcase_add_test(cases, files_repeat_from_the_seed);
    tcase_add_test(cases, a_file_that_cannot_be_written_is_an_error);
    tcase_add_test(cases, a_file_goes_on_over_power_cycles);
    if (has_snapshots())
        tcase_add_test(cases, a_file_goes_on_after_a_snapshot);
    tcase_add_test(cases, the_command_prints_what_was_told);
    suite_add_tcase(all, cases);
    return all;
}

int main(void)
{
    static const char *const names[] = {"a.txt",  "b.txt",     "c.txt",    "a.json",      "b.json",
                                        "c.json", "lives.txt", "told.txt", "restored.txt"};
    int status;

    if (!mkdtemp(folder))
        return 1;
    status = os_run_suite(suite());
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)unlink(path_of(names[i]));
    (void)rmdir(folder);
    return status;
}
