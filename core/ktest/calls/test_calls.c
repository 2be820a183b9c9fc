/* SPDX-License-Identifier: MIT */
/*
 * test_calls.c: system calls by chance.
 *
 * Criteria:
 *  1. Whatever processes and threads ask for, at the same time, the kernel goes on: with its checks
 *     on, and under the host's tools, that says much.
 *  2. A call that fails has changed nothing.
 *  3. When all processes have ended, all memory that they had is free, and so are their files.
 *
 * The size is how many thousands of calls are made. `calls_seed=N` at boot says with which seed
 * they begin (else it is of the board's source of chance: with the simulator's `--seed` the same
 * each time); `calls_log` logs each call before it is made; `calls_table` says of each call how
 * often it was made, and how often it succeeded.
 */
#include "ktest/calls/calls.h"
#include "ktest/calls/tests.h"

#include "boot/cmdline.h"
#include "dev/random.h"
#include "heap/heap.h"
#include "heap/leak.h"
#include "lib/string.h"
#include "thread/thread.h"
#include "tty/tty.h"

#include <hal/errno.h>
#include <hal/user.h>

#define USUAL 20u         /* thousands of calls */
#define FEW 40u           /* calls */
#define SCENE_CALLS 4000  /* before a new scene begins */
#define WARM_UP 2000      /* what the first calls make may stay */
#define SETTLE_NS 5000000 /* for threads that are being freed */
#define LEAKS_TOLD 20u

static uint64_t choose_seed(void)
{
    char text[24];
    const char *end;
    uint64_t seed = 0;

    if (cmdline_value("calls_seed", text, sizeof(text)) && !string_to_u64(text, &seed, &end))
        return seed;
    return random_fill(&seed, sizeof(uint32_t)) ? 1 : seed;
}

/* Says what is live that was not at the last heap_leaks_begin. */
static unsigned tell_leaks(void)
{
    struct heap_leak leak;
    unsigned number = 0, leaks = 0;

    while (heap_next_leak(&number, &leak))
        if (leaks++ < LEAKS_TOLD)
            tty_print("# left: %lld blocks of %s:%u\n", (long long)leak.blocks,
                      alloc_site_file(leak.site), leak.site->line);
    return leaks;
}

/* One scene after the other, of the same form as `scene`, until `calls` have been made. */
static bool play_scenes(struct ktest_run *run, struct calls_scene *scene, uint64_t seed,
                        int64_t calls)
{
    bool good = true;

    for (unsigned i = 0; calls > 0 && good && !run->skipped; i++, calls -= SCENE_CALLS)
        good = calls_play(run, scene, seed + i, calls < SCENE_CALLS ? calls : SCENE_CALLS);
    return good;
}

/* A player may have had the terminal send a byte: then a new line begins. */
static void print_counts(const struct calls_scene *scene, uint64_t seed)
{
    tty_print("\n# seed %llu: %llu calls, of which %llu succeeded, in %llu processes",
              (unsigned long long)seed, (unsigned long long)scene->made,
              (unsigned long long)scene->good, (unsigned long long)scene->lives);
    if (scene->judges)
        tty_print("; %llu that failed were judged", (unsigned long long)scene->judged);
    tty_print("\n");
    for (unsigned i = 0; i < SYS_COUNT && cmdline_flag("calls_table"); i++)
        if (scene->calls[i].made)
            tty_print("# %10llu %10llu %s\n", (unsigned long long)scene->calls[i].made,
                      (unsigned long long)scene->calls[i].good, sys_call_at(i)->name);
}

/* A scene that is to be freed, or NULL: the test is skipped, or has failed. */
static struct calls_scene *make_scene(struct ktest_run *run, unsigned runners, unsigned players,
                                      bool judges)
{
    struct calls_scene *scene = NULL;

    run->skipped = hal_user_refusal();
    if (!run->skipped)
        scene = kcalloc(1, sizeof(*scene));
    if (run->skipped || !KTEST_EXPECT(run, scene))
        return NULL;
    scene->runners = runners;
    scene->players = players;
    scene->judges = judges;
    scene->rich = true;
    return scene;
}

static void play(struct ktest_run *run, unsigned runners, unsigned players, bool judges)
{
    struct calls_scene *scene = make_scene(run, runners, players, judges);
    uint64_t seed = choose_seed();

    if (!scene)
        return;
    if (play_scenes(run, scene, seed, WARM_UP)) {
        (void)thread_sleep(SETTLE_NS);
        heap_leaks_begin();
        (void)play_scenes(run, scene, seed + 1, (int64_t)ktest_size(USUAL) * 1000);
        (void)thread_sleep(SETTLE_NS);
        KTEST_EXPECT(run, tell_leaks() == 0);
    }
    KTEST_EXPECT(run, run->skipped || scene->made > 0);
    KTEST_EXPECT(run, scene->wrong == 0);
    print_counts(scene, seed);
    kfree(scene);
}

/* For tests of what happens when memory is missing: no more than needed. */
void test_calls_few(struct ktest_run *run)
{
    struct calls_scene *scene = make_scene(run, 1, 1, true);

    if (!scene)
        return;
    scene->rich = false;
    (void)calls_play(run, scene, 1, ktest_size(FEW));
    KTEST_EXPECT(run, run->skipped || scene->made > 0);
    tty_print("\n");
    kfree(scene);
}

void test_calls_crowd(struct ktest_run *run)
{
    play(run, CALLS_RUNNERS, CALLS_PLAYERS, false);
}

void test_calls_alone(struct ktest_run *run)
{
    play(run, 1, 1, false);
}

void test_calls_failures(struct ktest_run *run)
{
    play(run, 1, 1, true);
}
