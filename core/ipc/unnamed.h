/* SPDX-License-Identifier: MIT */
/*
 * unnamed.h: pipes without a name, as two open files.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>

struct file;

/** A pipe: ends[0] is for reading, ends[1] for writing, each with one reference. 0 or -ENOMEM.
 * Thread context. */
HAL_MUST_CHECK int pipe_create_unnamed(bool nonblock, struct file *ends[2]);
