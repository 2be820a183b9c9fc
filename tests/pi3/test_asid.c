/* SPDX-License-Identifier: MIT */
/*
 * test_asid.c: the numbers of address spaces against a model of four CPUs and their TLBs, which
 * QEMU cannot stand in for: it drops its TLB whenever the number changes.
 *
 * Spaces are made, go live, are left, change their tables (and have their number forgotten by all
 * TLBs, as aspace.c does) and end, in a random order and often enough for the numbers to run out
 * again and again. TAYBERRY_RUNS is how many steps are made, 8,000,000 by default.
 *
 *  1. A number that a space goes live with is not 0, and no CPU has another space live with it.
 *  2. A space that is live on several CPUs has one number on all of them.
 *  3. The CPU's TLB holds nothing under that number but what the space's tables say now.
 */
#include "arch/asid.h"
#include "../marks.h"

#include <hal/machine.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Check's own macros write a note each time that they are passed, and here that is often. */
#define EXPECT(condition) \
    do { \
        if (!(condition)) \
            ck_abort_msg("%s is not so", #condition); \
    } while (0)

#define SPACES 400u
#define NOBODY SPACES

/** What a CPU's TLB holds under a number: entries of a space's tables, as they were then. */
struct held {
    uint64_t space;   /**< which, ever: spaces that ended have their own; 0: nothing */
    uint64_t version; /**< of its tables */
    uint64_t flushed; /**< the CPU's count of flushes when it was held: older is gone */
};

static struct space {
    uint64_t identity, version, mark;
} spaces[SPACES];

static struct cpu {
    unsigned live; /**< index of a space, or NOBODY */
    uint64_t number, flushes;
    struct held *tlb;
} cpus[HAL_CPU_MAX];

static uint64_t identities, random_state, generations;

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void space_begin(unsigned i)
{
    spaces[i] = (struct space){.identity = ++identities, .version = 1};
}

/** As tlbi aside1is. */
static void forget(unsigned i)
{
    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++)
        cpus[cpu].tlb[asid_number(spaces[i].mark)].space = 0;
}

static bool is_live(unsigned i)
{
    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++)
        if (cpus[cpu].live == i)
            return true;
    return false;
}

static void look_at_others(unsigned self, unsigned i, uint64_t number)
{
    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++) {
        if (cpu == self || cpus[cpu].live == NOBODY)
            continue;
        if (cpus[cpu].live == i)
            EXPECT(cpus[cpu].number == number);
        else
            EXPECT(cpus[cpu].number != number);
    }
}

/** The CPU, which is live in the space, walks its tables. */
static void hold(unsigned self, unsigned i)
{
    struct cpu *cpu = &cpus[self];

    cpu->tlb[cpu->number] = (struct held){spaces[i].identity, spaces[i].version, cpu->flushes};
}

static void enter(unsigned self, unsigned i)
{
    struct cpu *cpu = &cpus[self];
    unsigned work;
    uint64_t before = spaces[i].mark;
    uint64_t mark = asid_activate(&spaces[i].mark, self, &work);
    uint64_t number = asid_number(mark);

    EXPECT(mark == spaces[i].mark);
    EXPECT(number != 0);
    EXPECT(mark == before || (work & ASID_CHANGED) != 0);
    generations = mark / ASID_COUNT > generations ? mark / ASID_COUNT : generations;
    if ((work & ASID_FLUSH) != 0)
        cpu->flushes++;
    look_at_others(self, i, number);
    struct held *held = &cpu->tlb[number];
    if (held->space != 0 && held->flushed == cpu->flushes) {
        EXPECT(held->space == spaces[i].identity);
        EXPECT(held->version == spaces[i].version);
    }
    cpu->live = i;
    cpu->number = number;
    hold(self, i);
}

/** The space's tables change: TLBs forget its number, and who is in it walks the new ones. */
static void change(unsigned i)
{
    spaces[i].version++;
    forget(i);
    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++)
        if (cpus[cpu].live == i)
            hold(cpu, i);
}

/** A space that is nowhere live may be a new one. */
static unsigned pick(void)
{
    unsigned i = (unsigned)(random_next() >> 20) % SPACES;

    if (random_next() % 4 != 0 && !is_live(i)) {
        forget(i);
        space_begin(i);
    }
    return i;
}

/** On the average a CPU stays in a space for so many of its steps: some see generations pass. */
static const unsigned stays[HAL_CPU_MAX] = {2000000, 30000, 4, 2};

static void step(void)
{
    unsigned self = (unsigned)(random_next() >> 20) % HAL_CPU_MAX;
    unsigned other = (unsigned)(random_next() >> 20) % HAL_CPU_MAX;

    if (random_next() % 64 == 0 && cpus[other].live != NOBODY)
        change(cpus[other].live);
    else if (cpus[self].live == NOBODY)
        enter(self,
              cpus[other].live != NOBODY && random_next() % 8 == 0 ? cpus[other].live : pick());
    else if (random_next() % stays[self] == 0)
        cpus[self].live = NOBODY;
    else if (random_next() % (stays[self] / 2) == 0)
        enter(self, cpus[self].live); /* after a system call */
}

START_TEST(numbers_are_never_mixed_up)
{
    const char *runs = getenv("TAYBERRY_RUNS");
    unsigned long steps = runs != NULL ? strtoul(runs, NULL, 10) : 8000000;

    random_state = 0x9e3779b97f4a7c15;
    for (unsigned i = 0; i < SPACES; i++)
        space_begin(i);
    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++) {
        cpus[cpu].live = NOBODY;
        cpus[cpu].tlb = calloc(ASID_COUNT, sizeof(struct held));
        ck_assert_ptr_nonnull(cpus[cpu].tlb);
    }
    for (unsigned long n = 0; n < steps; n++)
        step();
    printf("# %lu steps, %lu spaces, %lu generations of numbers\n", steps,
           (unsigned long)identities, (unsigned long)generations);
    ck_assert(steps < 8000000 || generations > 3);
    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++)
        free(cpus[cpu].tlb);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pi3-asid");
    TCase *tests = tcase_create("asid");

    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, numbers_are_never_mixed_up);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
