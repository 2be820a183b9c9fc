/* SPDX-License-Identifier: MIT */
/*
 * name.h: what the machine is called among others, and how programs see the system.
 */
#pragma once

#include <hal/compiler.h>

#include <stddef.h>

#define HOST_NAME_MAX 64u /**< bytes without the NUL */

/** What uname says, whatever the version of Tayberry: programs go by that of Linux. */
#define HOST_SYSTEM "Linux"
#define HOST_RELEASE "5.15.0-tayberry"

/** Makes the lock of the name. Boot only. */
void host_name_start(void);

/** Copies the machine's name to `to`, HOST_NAME_MAX + 1 bytes. Any context. */
void host_name_read(char *to);

/** It is called the `n` bytes at `name` from now on. -EINVAL: too many. Any context. */
HAL_MUST_CHECK int host_name_set(const char *name, size_t n);
