/* SPDX-License-Identifier: MIT */
/*
 * inside.h: what the files of this folder have in common, and nobody else uses.
 */
#pragma once

#include "proc/process.h"

/** It is so no more, and its thread is out of the trees: true if it was the last of its process.
 * Caller holds process_lock. */
HAL_MUST_CHECK bool user_thread_leave(struct user_thread *thread);
