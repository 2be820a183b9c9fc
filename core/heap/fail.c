/* SPDX-License-Identifier: MIT */
/*
 * fail.c: counts attempts, and holds the plan of which of them fail.
 */
#include "heap/fail.h"

static KSTATE struct fail_state {
    struct hal_fail_plan plan;
    uint64_t start;    /* attempts when the plan was set */
    uint64_t attempts; /* since power-on */
    uint64_t chance;   /* state of the generator */
} fail;

static uint64_t next_chance(void)
{
    uint64_t z = __atomic_add_fetch(&fail.chance, 0x9e3779b97f4a7c15ull, __ATOMIC_RELAXED);

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static bool planned(const struct alloc_site *site, uint64_t ordinal)
{
    switch (fail.plan.kind) {
    case HAL_FAIL_NTH:
        return ordinal == fail.plan.n;
    case HAL_FAIL_FROM:
        return ordinal >= fail.plan.n;
    case HAL_FAIL_SITE:
        return alloc_site_number(site) == fail.plan.site;
    case HAL_FAIL_SHARE:
        return fail.plan.n && next_chance() % fail.plan.n == 0;
    default:
        return false;
    }
}

bool alloc_fails(const struct alloc_site *site)
{
    uint64_t attempts = __atomic_add_fetch(&fail.attempts, 1, __ATOMIC_RELAXED);

    __atomic_fetch_add(&site->count->calls, 1, __ATOMIC_RELAXED);
    if (fail.plan.kind == HAL_FAIL_NONE || !planned(site, attempts - fail.start))
        return false;
    __atomic_fetch_add(&site->count->failures, 1, __ATOMIC_RELAXED);
    return true;
}

void alloc_fail_set(const struct hal_fail_plan *plan)
{
    fail.plan.kind = HAL_FAIL_NONE;
    fail.start = fail.attempts;
    fail.chance = plan->seed;
    fail.plan = *plan;
}

void hal_inspect_fail(const struct hal_fail_plan *plan)
{
    alloc_fail_set(plan);
}

uint64_t alloc_attempts(void)
{
    return __atomic_load_n(&fail.attempts, __ATOMIC_RELAXED);
}

uint64_t hal_inspect_allocations(void)
{
    return alloc_attempts();
}
