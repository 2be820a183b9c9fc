/* SPDX-License-Identifier: MIT */
/*
 * guest.h: what the files of the kernel's side share.
 */
#pragma once

#include "bench.h"

#include <hal/compiler.h>

/* Ends the run: main.c prints `text`. */
HAL_NORETURN void bench_fail(const char *text);

/* The time that counts for this job, ns. */
uint64_t guest_time(void);

/* BENCH_MANY, and BENCH_LIVES without scheduling; many.c. */
void bench_many(bool scheduling);
