/* SPDX-License-Identifier: MIT */
/*
 * trap.h: the registers of interrupted code, as vectors.S saves them, and the traps' way into C.
 */
#pragma once

#include <stdint.h>

struct trap_frame {
    uint64_t x[31];
    uint64_t sp;
    uint64_t elr;     /**< where to go on: ELR_EL1 */
    uint64_t spsr;    /**< processor state to go on with: SPSR_EL1 */
    uint64_t esr;     /**< why: ESR_EL1 */
    uint64_t far;     /**< the address, for faults that have one: FAR_EL1 */
    uint64_t link[2]; /**< a frame record, so that the calling chain continues behind the trap */
};

/** From vectors.S, masked: `kind` is a TRAP_ number of layout.h. Returns to go on as `frame` says.
 */
void trap_take(struct trap_frame *frame, unsigned kind);

/** Takes one interrupt (IRQ), which may switch threads. Masked; a FIQ may come meanwhile. */
void trap_take_irq(void);

/** The same when the interrupted stack had no room: runs on this CPU's emergency stack. */
void trap_take_stackless(struct trap_frame *frame, unsigned kind);

/** What ESR_EL1 says, in words. Pure; safe anywhere. */
const char *trap_describe(uint64_t esr);
