/* SPDX-License-Identifier: MIT */
/*
 * counter.h: a number that is added to by writing and taken by reading (Linux's eventfd).
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

struct file;

/**
 * A counter as an open file. Who reads one that is 0 waits; else it gets all of it, or with
 * `semaphore` 1 of it. Flags: FILE_NONBLOCK. 0 or -ENOMEM. Thread context.
 */
HAL_MUST_CHECK int counter_create(uint64_t value, bool semaphore, unsigned flags,
                                  struct file **file);
