/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. Under any sequence of operations blocks are aligned, apart from each other and inside RAM,
 *     and keep their contents; find is right about every pointer; nothing is left at the end.
 *  2. So it is with checks on, when RAM is so small that allocations fail, and when each operation
 *     runs on any of several CPUs.
 *
 * The operations are as many as TAYBERRY_RUNS says for each case, 150,000 by default.
 */
#include "heap/model.h"
#include "heap/suites.h"

#include <hal/machine.h>

#include <stdlib.h>

static struct model model;

static uint64_t operations(void)
{
    const char *runs = getenv("TAYBERRY_RUNS");

    return runs ? strtoull(runs, NULL, 10) : 150000;
}

/* Marsaglia's xorshift. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static size_t pick_bytes(uint64_t random)
{
    uint64_t number = random >> 16;

    if (random % 1024 == 0)
        return (size_t)number * 0x9e3779b97f4a7c15ull; /* anything */
    if (random % 256 == 1)
        return number % (3 * MIB);
    if (random % 32 == 2)
        return number % 50000;
    if (random % 8 == 3)
        return number % 4200;
    return random % 2 ? number % 600 : number % 70;
}

static size_t pick_alignment(uint64_t random)
{
    if (random % 8)
        return HEAP_ALIGNMENT;
    if (random % 512 == 0)
        return (size_t)(random >> 32);
    return (size_t)1 << (random >> 16) % (random % 64 ? 13 : 23);
}

static void step(uint64_t *state)
{
    uint64_t random = next_random(state);
    unsigned at = (unsigned)(random >> 20);
    size_t bytes = pick_bytes(next_random(state));

    switch (random % 16) {
    case 0:
        model_reallocate(&model, at, bytes);
        break;
    case 1:
        model_allocate_zeros(&model, at, 1 + (random >> 40) % 9, bytes);
        break;
    case 2:
    case 3:
        model_look(&model, at, (size_t)next_random(state) >> 8);
        break;
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
        model_free(&model, at);
        break;
    default:
        model_allocate(&model, at, bytes, pick_alignment(next_random(state)));
    }
}

static void run_on(unsigned cpus, int index, bool checks, uint64_t ram_bytes, uint64_t seed)
{
    uint64_t state = 0x2545f4914f6cdd1dull * (seed + 1);

    model_start(&model, allocators[index], checks, ram_bytes);
    for (uint64_t i = 0; i < operations(); i++) {
        if (cpus > 1)
            fake_be_cpu((unsigned)(next_random(&state) % cpus));
        step(&state);
        /* Bump is empty before long: then the machine boots again. */
        if (model.allocator == &heap_bump && model.refused > 100) {
            model_finish(&model);
            model_start(&model, allocators[index], checks, ram_bytes);
        }
    }
    model_finish(&model);
}

static void run(int index, bool checks, uint64_t ram_bytes, uint64_t seed)
{
    run_on(1, index, checks, ram_bytes, seed);
}

START_TEST(every_answer_agrees_with_the_oracle)
{
    run(_i, false, 32 * MIB, 1);
}
END_TEST

START_TEST(with_checks_too)
{
    run(_i, true, 32 * MIB, 2);
}
END_TEST

START_TEST(when_memory_is_short_too)
{
    run(_i, false, 3 * MIB, 3);
}
END_TEST

START_TEST(on_several_cpus_too)
{
    run_on(HAL_CPU_MAX, _i % ALLOCATORS, false, _i < ALLOCATORS ? 32 * MIB : 3 * MIB, 4);
}
END_TEST

Suite *random_suite(void)
{
    Suite *suite = suite_create("random");
    TCase *tcase = tcase_create("model");

    tcase_set_timeout(tcase, 0);
    tcase_add_loop_test(tcase, every_answer_agrees_with_the_oracle, 0, ALLOCATORS);
    tcase_add_loop_test(tcase, with_checks_too, 0, ALLOCATORS);
    tcase_add_loop_test(tcase, when_memory_is_short_too, 0, ALLOCATORS);
    tcase_add_loop_test(tcase, on_several_cpus_too, 0, 2 * ALLOCATORS);
    suite_add_tcase(suite, tcase);
    return suite;
}
