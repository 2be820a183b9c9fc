/* SPDX-License-Identifier: MIT */
/*
 * user.h: between user.c and user.S.
 */
#pragma once

#include <hal/user.h>

#include <stdint.h>

/** The flags, which are all of PSTATE that a program may set: N, Z, C, V. */
#define USER_FLAGS UINT64_C(0xf0000000)

/**
 * Runs user code from where `user` stands, with `table` in TTBR0_EL1. Returns on the same CPU, IRQ
 * and FIQ masked as before, with the reason: TRAP_SYNC, TRAP_IRQ, TRAP_FIQ or TRAP_SERROR.
 */
unsigned user_enter(struct hal_user *user, uint64_t table);
