/* SPDX-License-Identifier: MIT */
/*
 * policies.c: the policies by name.
 */
#include "sched/policy/policies.h"

#include "lib/string.h"

static const struct sched_policy *const policies[] = {&sched_policy_rr};

#define POLICIES (sizeof policies / sizeof policies[0])

const struct sched_policy *sched_policy_at(unsigned index)
{
    return index < POLICIES ? policies[index] : NULL;
}

const struct sched_policy *sched_policy_find(const char *name)
{
    for (unsigned i = 0; i < POLICIES; i++)
        if (string_equal(policies[i]->name, name))
            return policies[i];
    return NULL;
}
