/* SPDX-License-Identifier: MIT */
/*
 * aspace.h: user address spaces, for user.c.
 */
#pragma once

#include <hal/aspace.h>

#include <stdbool.h>
#include <stdint.h>

/** An empty first table: the lower half of the address space while the kernel runs. */
extern uint64_t user_nothing[];

/** What TTBR0_EL1 has to be for `aspace` on this CPU. Masked, until it is not live any more. */
uint64_t aspace_table(struct hal_aspace *aspace);

/**
 * User code wanted `access`, a HAL_USER_ bit, at `address`, and was refused. True: it may have it
 * now: it was only to be noted that it does, or the refusal was out of date. Thread context.
 */
bool aspace_settle(struct hal_aspace *aspace, uintptr_t address, unsigned access);
