/* SPDX-License-Identifier: MIT */
/*
 * fail.c: counts attempts, and holds the plan of which of them fail.
 *
 * A plan may be set from outside while the kernel allocates, so it has a version, odd while the
 * plan changes: whoever reads the plan and meets a change goes by none.
 */
#include "site/fail.h"

#include "lib/string.h"

#include <hal/errno.h>

static KSTATE struct fail_state {
    uint32_t version;
    struct hal_fail_plan plan;
    uint64_t start;    /* attempts when the plan was set */
    uint64_t attempts; /* since power-on */
    uint64_t chance;   /* state of the generator */
    bool always;       /* every attempt is to be counted */
} fail;

KSTATE bool alloc_fail_watched;
KSTATE size_t alloc_unasked_bytes;

static uint64_t next_chance(void)
{
    uint64_t z = __atomic_add_fetch(&fail.chance, 0x9e3779b97f4a7c15ull, __ATOMIC_RELAXED);

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static bool planned(const struct hal_fail_plan *plan, const struct alloc_site *site,
                    uint64_t ordinal)
{
    switch (plan->kind) {
    case HAL_FAIL_NTH:
        return ordinal == plan->n;
    case HAL_FAIL_FROM:
        return ordinal >= plan->n;
    case HAL_FAIL_SITE:
        return alloc_site_number(site) == plan->site;
    case HAL_FAIL_SHARE:
        return plan->n && next_chance() % plan->n == 0;
    default:
        return false;
    }
}

/*
 * A copy of the plan and its start. False while it changes.
 *
 * The members are acquired and released one by one: who reads one of the new plan's also sees, at
 * the second look, that the version was odd before it was written.
 */
static bool read_plan(struct hal_fail_plan *plan, uint64_t *start)
{
    uint32_t version = __atomic_load_n(&fail.version, __ATOMIC_ACQUIRE);

    plan->kind = __atomic_load_n(&fail.plan.kind, __ATOMIC_ACQUIRE);
    plan->site = __atomic_load_n(&fail.plan.site, __ATOMIC_ACQUIRE);
    plan->n = __atomic_load_n(&fail.plan.n, __ATOMIC_ACQUIRE);
    plan->seed = 0; /* of no use but at the start */
    *start = __atomic_load_n(&fail.start, __ATOMIC_ACQUIRE);
    return version % 2 == 0 && __atomic_load_n(&fail.version, __ATOMIC_RELAXED) == version;
}

bool alloc_fails(const struct alloc_site *site)
{
    uint64_t attempts = __atomic_add_fetch(&fail.attempts, 1, __ATOMIC_RELAXED), start;
    struct hal_fail_plan plan;

    __atomic_fetch_add(&site->count->calls, 1, __ATOMIC_RELAXED);
    if (__atomic_load_n(&fail.plan.kind, __ATOMIC_RELAXED) == HAL_FAIL_NONE)
        return false;
    if (!read_plan(&plan, &start) || !planned(&plan, site, attempts - start))
        return false;
    __atomic_fetch_add(&site->count->failures, 1, __ATOMIC_RELAXED);
    return true;
}

static void watch(bool on)
{
    __atomic_store_n(&alloc_fail_watched, on, __ATOMIC_RELAXED);
    __atomic_store_n(&alloc_unasked_bytes, on ? 0 : ALLOC_UNASKED_MAX, __ATOMIC_RELAXED);
}

void alloc_fail_set(const struct hal_fail_plan *plan)
{
    __atomic_add_fetch(&fail.version, 1, __ATOMIC_ACQ_REL);
    __atomic_store_n(&fail.plan.kind, plan->kind, __ATOMIC_RELEASE);
    __atomic_store_n(&fail.plan.site, plan->site, __ATOMIC_RELEASE);
    __atomic_store_n(&fail.plan.n, plan->n, __ATOMIC_RELEASE);
    __atomic_store_n(&fail.start, alloc_attempts(), __ATOMIC_RELEASE);
    __atomic_store_n(&fail.chance, plan->seed, __ATOMIC_RELAXED);
    __atomic_add_fetch(&fail.version, 1, __ATOMIC_RELEASE);
    watch(fail.always || plan->kind != HAL_FAIL_NONE);
}

void alloc_fail_start(bool always)
{
    fail.always = always;
    watch(always || fail.plan.kind != HAL_FAIL_NONE);
}

uint64_t alloc_attempts(void)
{
    return __atomic_load_n(&fail.attempts, __ATOMIC_RELAXED);
}

/* ---- the words of the command line ---- */

/* "17", "17+", "1/50", "1/50:7". */
static int parse_number(const char *text, struct hal_fail_plan *plan)
{
    const char *end;

    if (string_to_u64(text, &plan->n, &end) || plan->n == 0)
        return -EINVAL;
    plan->kind = HAL_FAIL_NTH;
    if (string_equal(end, "+")) {
        plan->kind = HAL_FAIL_FROM;
        return 0;
    }
    if (*end == '/' && plan->n == 1) {
        plan->kind = HAL_FAIL_SHARE;
        if (string_to_u64(end + 1, &plan->n, &end) || plan->n == 0)
            return -EINVAL;
        if (*end == ':' && string_to_u64(end + 1, &plan->seed, &end))
            return -EINVAL;
    }
    return *end ? -EINVAL : 0;
}

/* Whether the path `file` is, or ends with, the `n` bytes at `tail`, from a component on. */
static bool path_ends_with(const char *file, const char *tail, size_t n)
{
    size_t length = string_length(file);

    if (n == 0 || n > length || (n < length && file[length - n - 1] != '/'))
        return false;
    for (size_t i = 0; i < n; i++)
        if (file[length - n + i] != tail[i])
            return false;
    return true;
}

/* "fs/vfs.c:217". */
static int parse_site(const char *text, struct hal_fail_plan *plan)
{
    const char *colon = string_find_char(text, ':'), *end;
    uint64_t line;

    if (!colon || string_to_u64(colon + 1, &line, &end) || *end)
        return -EINVAL;
    plan->kind = HAL_FAIL_SITE;
    for (plan->site = 0; plan->site < alloc_site_total(); plan->site++) {
        const struct alloc_site *site = alloc_site_at(plan->site);

        if (site->line == line &&
            path_ends_with(alloc_site_file(site), text, (size_t)(colon - text)))
            return 0;
    }
    return -EINVAL;
}

int alloc_fail_parse(const char *text)
{
    struct hal_fail_plan plan = {.kind = HAL_FAIL_NONE};

    if (parse_number(text, &plan)) {
        plan = (struct hal_fail_plan){.kind = HAL_FAIL_NONE};
        if (parse_site(text, &plan))
            return -EINVAL;
    }
    alloc_fail_set(&plan);
    return 0;
}

/* ---- for those who look in from outside ---- */

void hal_inspect_fail(const struct hal_fail_plan *plan)
{
    alloc_fail_set(plan);
}

uint64_t hal_inspect_allocations(void)
{
    return alloc_attempts();
}
