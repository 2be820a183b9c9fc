/* SPDX-License-Identifier: MIT */
/*
 * policy.c: the table of all policies, and what nice levels weigh.
 *
 * A policy of one's own needs a file in policy/, a line in policy/common.h and a line here.
 */
#include "sched/policy.h"

#include "lib/string.h"
#include "sched/policy/common.h"

static const struct sched_policy *const policies[] = {
    &policy_fifo,     &policy_rr,   &policy_priority, &policy_stride, &policy_lottery,
    &policy_feedback, &policy_fair, &policy_sjf,      &policy_srt,
};

const struct sched_policy *policy_at(unsigned index)
{
    return index < sizeof(policies) / sizeof(policies[0]) ? policies[index] : NULL;
}

const struct sched_policy *policy_find(const char *name)
{
    const struct sched_policy *policy;

    for (unsigned i = 0; (policy = policy_at(i)) != NULL; i++) {
        if (string_equal(policy->name, name))
            return policy;
    }
    return string_equal(name, policy_search.name) ? &policy_search : NULL;
}

uint64_t policy_weight(int32_t nice)
{
    /* 65536 * 1.25^-nice for -20 .. 19, rounded. */
    static const uint32_t weights[] = {
        5684342, 4547474, 3637979, 2910383, 2328306, 1862645, 1490116, 1192093, 953674, 762939,
        610352,  488281,  390625,  312500,  250000,  200000,  160000,  128000,  102400, 81920,
        65536,   52429,   41943,   33554,   26844,   21475,   17180,   13744,   10995,  8796,
        7037,    5629,    4504,    3603,    2882,    2306,    1845,    1476,    1181,   944,
    };

    if (nice < SCHED_NICE_MIN)
        nice = SCHED_NICE_MIN;
    if (nice > SCHED_NICE_MAX)
        nice = SCHED_NICE_MAX;
    return weights[nice - SCHED_NICE_MIN];
}
