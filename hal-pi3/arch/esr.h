/* SPDX-License-Identifier: MIT */
/*
 * esr.h: what ESR_EL1 says about a synchronous exception: a class, and details that depend on it.
 *
 * Source: Arm Architecture Reference Manual (DDI 0487), section D17.2.37, ESR_EL1.
 */
#pragma once

#include <stdint.h>

/** Bits 31:26: the class. */
enum esr_class {
    CLASS_UNKNOWN = 0x00,
    CLASS_WAIT = 0x01,
    CLASS_ILLEGAL_STATE = 0x0e,
    CLASS_SVC = 0x15,
    CLASS_SYSTEM = 0x18,
    CLASS_FETCH_USER = 0x20,
    CLASS_FETCH = 0x21,
    CLASS_PC_ALIGNMENT = 0x22,
    CLASS_DATA_USER = 0x24,
    CLASS_DATA = 0x25,
    CLASS_SP_ALIGNMENT = 0x26,
    CLASS_FLOAT = 0x2c,
    CLASS_BREAKPOINT = 0x30,
    CLASS_STEP = 0x32,
    CLASS_WATCHPOINT = 0x34,
    CLASS_BRK = 0x3c
};

/** Bits 5:0 of the details of a data or instruction abort, without the level in bits 1:0. */
enum abort_status {
    ABORT_ADDRESS_SIZE = 0x00,
    ABORT_TRANSLATION = 0x04,
    ABORT_ACCESS_FLAG = 0x08,
    ABORT_PERMISSION = 0x0c,
    ABORT_EXTERNAL = 0x10,
    ABORT_ALIGNMENT = 0x21
};

#define ABORT_WRITE (1u << 6)
/** The access was made to clean caches, which counts as a write. */
#define ABORT_CACHE (1u << 8)

static inline unsigned esr_class(uint64_t esr)
{
    return (unsigned)(esr >> 26) & 0x3f;
}
