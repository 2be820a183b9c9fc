/* SPDX-License-Identifier: MIT */
/*
 * asid.h: the numbers by which the TLB tells address spaces apart.
 *
 * Each TLB entry of a user page carries a number of 16 bits, the ASID, and serves only while
 * TTBR0_EL1 carries the same; so a switch of address space flushes nothing. There are more spaces
 * than numbers in the life of a machine: a space's mark, in struct hal_aspace, is the number and
 * above it the generation in which it was given out. When all numbers are given out the next
 * generation begins: marks of older ones mean nothing any more, and each CPU flushes its TLB before
 * it first uses a number of the new one. Only the spaces that are live on a CPU at that moment keep
 * their numbers, since those CPUs go on without asking.
 *
 * Number 0 is for the kernel's own, empty, lower half; mark 0 is that of a space that never ran.
 */
#pragma once

#include <stdint.h>

#define ASID_BITS 16u
#define ASID_COUNT (1u << ASID_BITS)

/** The number in a mark. */
static inline uint64_t asid_number(uint64_t mark)
{
    return mark & (ASID_COUNT - 1);
}

/** What a CPU has to do before a space goes live on it, besides. */
enum {
    ASID_CHANGED = 1, /**< the mark is new on this CPU: its tables are to be walked after that */
    ASID_FLUSH = 2    /**< the CPU's TLB has to be flushed */
};

/**
 * Sees to it that the space whose mark is `*mark` can go live on CPU `cpu`, which is the caller's,
 * masked; gives its mark, and in `*work` what else has to be done.
 */
uint64_t asid_activate(uint64_t *mark, unsigned cpu, unsigned *work);
