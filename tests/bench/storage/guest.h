/* SPDX-License-Identifier: MIT */
/*
 * guest.h: what the files of the kernel's side share. What fails there ends the machine.
 */
#pragma once

#include "bench.h"

#include "fs/file.h"

#include <hal/compiler.h>

#include <stdint.h>

/** Ends the machine, with a reason. */
HAL_NORETURN void guest_fail(const char *what, int error);

/** Ends it if `error` is one. */
void guest_expect(const char *what, int64_t error);

/** Takes the card away from the tree and puts it there again: nothing of it is in memory. */
void guest_mount_anew(void);

/** All is on the card. */
void guest_sync(void);

/** Opens a file of the root directory's tree. */
struct file *guest_open(const char *path, unsigned flags);

/** Makes an empty file. */
void guest_create(const char *path);

/** The processor time that the machine has taken, in ns. */
uint64_t guest_processor_time(void);

void guest_files(void);
void guest_leave(void);
void guest_costs(void);
