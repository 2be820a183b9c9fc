/* SPDX-License-Identifier: MIT */
/*
 * policies.h: the tables of all policies, a file each.
 */
#pragma once

#include "sched/policy.h"

extern const struct sched_policy sched_policy_rr;
