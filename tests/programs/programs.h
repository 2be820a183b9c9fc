/* SPDX-License-Identifier: MIT */
/*
 * programs.h: what the programs of this folder have in common.
 */
#pragma once

#include <errno.h>

/* Whether a call failed, and with that error: `result` is what it returned. */
static inline int failed(long result, int error)
{
    return result == -1 && errno == error;
}
