/* SPDX-License-Identifier: MIT */
/*
 * taken.h: signals that are taken by reading a file (signalfd), for programs that wait for them as
 * for anything else. The program blocks them; who reads gets one after the other, of the caller's
 * own and of its process's.
 */
#pragma once

#include "ipc/poll.h"

#include <hal/compiler.h>

#include <stdint.h>

struct file;

/** A file for the signals in `set` (bit N - 1: signal N). 0 or -ENOMEM. Thread context. */
HAL_MUST_CHECK int taken_create(uint64_t set, unsigned flags, struct file **file);

/** From now on it is for these. -EINVAL: `file` is not of that kind. Any context. */
HAL_MUST_CHECK int taken_set(struct file *file, uint64_t set);

/** Where all of them hang that wait for such a file: of any process, since a file may be read by
 * several. */
struct poll_source *taken_source(void);

/** Readies all this. Boot. */
void taken_init(void);
