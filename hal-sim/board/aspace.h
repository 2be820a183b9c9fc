/* SPDX-License-Identifier: MIT */
/*
 * aspace.h: which address space is live, for user.c.
 *
 * The process has one set of user addresses, so the spaces take turns at being live; see
 * hal/aspace.h. All of it is entered, on a guest stack.
 */
#pragma once

#include "board/machine.h"

#include <hal/aspace.h>

/** Power-on: none is, and no CPU runs user code. */
void sim_aspace_reset(void);
/** Makes it live, and notes that `cpu` runs in it. False: somebody wants the CPU meanwhile. */
bool sim_aspace_enter(struct cpu *cpu, struct hal_aspace *aspace);
/** `cpu` runs in it no more. */
void sim_aspace_leave(struct cpu *cpu);
/** Drops all views. Takes HOST_USER. On the host's stack. */
void sim_aspace_hide(void);
/** User code of `cpu`, which runs in it, wanted `access` at `address`: true if it may, and the page
 * can be reached now. */
bool sim_aspace_fill(struct cpu *cpu, struct hal_aspace *aspace, uintptr_t address,
                     unsigned access);
/** User code of `cpu`, which runs in it, has made a system call without a stub, and is behind it.
 */
void sim_aspace_note_call(struct cpu *cpu, struct hal_aspace *aspace, const struct hal_user *user);
