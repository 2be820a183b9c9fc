/* SPDX-License-Identifier: MIT */
/*
 * machine_user.h: user code on the Pi: its addresses, and what it owns of a processor.
 *
 * Programs are AArch64 at EL0, in the lower half of the address space. The members of struct
 * hal_user are the backend's; arch/user.S knows where they lie.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** User addresses: 39 bits, but for the lowest 64 KiB, where null pointers with an index end up. */
#define HAL_USER_START 0x10000u
#define HAL_USER_END 0x8000000000u

/** The general registers, in the order of Linux's struct user_pt_regs: x0 to x30, sp, pc, pstate.
 */
#define HAL_USER_REGISTERS 34u

/** Three levels of translation tables. */
struct hal_aspace {
    uint64_t *root; /**< the first table, a page: 512 GiB in steps of 1 GiB */
    uint64_t asid;  /**< the mark of its TLB entries (arch/asid.h); 0: it has never run */
    uint8_t lock;   /**< guards the tables */
};

struct hal_user {
    uint64_t registers[HAL_USER_REGISTERS];
    uint64_t tls;                      /**< TPIDR_EL0 */
    uint64_t esr, far;                 /**< why it was left last, and the address */
    uint64_t fpsr, fpcr;               /**< floating-point status and control */
    uint64_t step;                     /**< 1: every run is one instruction */
    _Alignas(16) uint64_t vectors[64]; /**< q0 to q31 */
    uint64_t first_argument;           /**< of the last system call; its result overwrites x0 */
    uint32_t poked;                    /**< atomic: hal_user_poke */
    uint64_t ran;                      /**< atomic, in ticks: see hal_user_time */
};
