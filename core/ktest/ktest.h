/* SPDX-License-Identifier: MIT */
/*
 * ktest.h: tests that run inside the kernel, on the machine that it runs on.
 *
 * A test is a function that says what it expects with KTEST_EXPECT. Tests stand in one table in
 * ktest.c, under names like "mutex.handover"; the part before the dot is their group. Results are
 * printed as TAP (Test Anything Protocol), one line a test, so that people and runners can read
 * them.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>

/** One run of one test. */
struct ktest_run {
    bool failed;
    const char *skipped; /**< why it could not be run here, or NULL */
};

struct ktest {
    const char *name; /**< "group.claim" */
    void (*function)(struct ktest_run *run);
};

/** Notes a failure with its place, and prints it. Returns `good`. */
bool ktest_expect(struct ktest_run *run, bool good, const char *file, int line, const char *text);

/** Fails the test unless `condition` holds, and goes on. Its value is the condition's. */
#define KTEST_EXPECT(run, condition) ktest_expect(run, condition, __FILE__, __LINE__, #condition)

/** As KTEST_EXPECT, and leaves the test function when it does not hold. */
#define KTEST_REQUIRE(run, condition) \
    do { \
        if (!KTEST_EXPECT(run, condition)) \
            return; \
    } while (0)

/** True, and the test counts as skipped, if the policy lets loops run on: for tests with loops that
 * share a CPU. */
bool ktest_skip_cooperative(struct ktest_run *run);

#define KTEST_SIZE_MAX 1000000u

/** How often the running test should do what it does: `usual`, or what the user wants. */
unsigned ktest_size(unsigned usual);

/**
 * Runs the tests called `name`: one test, one group, or "all"; those that have a size with size
 * `scenario_size` (0: as usual). Prints TAP on the console.
 * Returns how many failed, -ENOENT if there are none of that name, or -EBUSY while another thread
 * runs tests, which share their statics. May sleep.
 */
int ktest_run(const char *name, unsigned scenario_size);

/** Prints the names of all tests. May sleep. */
void ktest_list(void);

/** Runs as ktest_run does, with the size of the boot word `ktest_size=`, then powers off: status 0
 * if all passed, 1 if not, 2 for a wrong name. */
HAL_NORETURN void ktest_run_and_stop(const char *name);
