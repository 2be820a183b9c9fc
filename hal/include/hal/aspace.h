/* SPDX-License-Identifier: MIT */
/*
 * aspace.h: user address spaces, as the processor sees them.
 *
 * An address space maps pages of user addresses, HAL_USER_START .. HAL_USER_END (<hal/machine.h>),
 * to page frames. It is a cache and no more: the backend may forget any mapping at any time, for
 * want of room or because forgetting is how it switches; user code that then touches the page
 * traps, and core, whose own map is the truth, maps it again. So nothing here needs memory that
 * cannot be refused, and core never asks the backend what it does not know itself. (The idea is
 * that of Mach's and NetBSD's pmap.)
 *
 * A space is live on the CPUs that run user code in it: hal_user_run (user.h) makes it so. On the
 * Pi each CPU has its own; the simulator has one set of user addresses for all its CPUs, so there
 * only one space is live at a time. A CPU that wants to run user code in another one then waits: it
 * interrupts the CPUs that run in the live one, which leave user code at once and come back to
 * hal_user_run, where they queue up behind it. Kernel code runs on all CPUs meanwhile, and a CPU
 * that waits takes its interrupts: hal_user_run returns for them as if user code had been
 * interrupted. Nobody waits for ever: the queue is first come, first served, and a space that
 * others wait for is given up at the end of the slice that it is granted, HAL_USER_TURN ns at most.
 *
 * Unless it says otherwise, a function here may be called in thread context and under spinlocks,
 * never sleeps, and is called by one CPU at a time for the same space; user code may run in it on
 * other CPUs meanwhile.
 */
#pragma once

#include <hal/compiler.h>
#include <hal/machine.h>

#include <stddef.h>
#include <stdint.h>

/** What user code may do with a page. A page that may be written may be read. */
enum {
    HAL_USER_READ = 1,
    HAL_USER_WRITE = 2,
    HAL_USER_EXECUTE = 4,
    HAL_USER_MARK = 8,   /**< hal_aspace_take_marks is going to be asked about it */
    HAL_USER_STEADY = 16 /**< nobody writes to its frame while it is mapped so; or if somebody
                              does, it need not be seen here. Then a backend may show a copy */
};

/** What user code has done with a page. */
enum { HAL_MARK_REFERENCED = 1, HAL_MARK_MODIFIED = 2 };

/** How long a space stays live that others wait for, ns. */
#define HAL_USER_TURN 4000000u

/**
 * Makes an empty address space. 0, or -ENOMEM: hal_upcall_table_alloc had none. -ENOSYS: this
 * machine cannot run user code; hal_user_refusal (user.h) says why.
 */
HAL_MUST_CHECK int hal_aspace_init(struct hal_aspace *aspace);

/** Ends it: all mappings and tables are gone, on all CPUs. No CPU is in hal_user_run with it. */
void hal_aspace_finish(struct hal_aspace *aspace);

/**
 * Maps `pages` pages from `address` on to the frames from `physical` on, for `access`, 1 or more of
 * HAL_USER_. What was mapped there is replaced, and no CPU uses it any more when this returns.
 * Instructions that the kernel has just written to those frames are seen by user code.
 *
 * All of it lies in user addresses, page-aligned. 0, or -ENOMEM: no table could be had; then what
 * was mapped there may be forgotten.
 */
HAL_MUST_CHECK int hal_aspace_map(struct hal_aspace *aspace, uintptr_t address, uint64_t physical,
                                  size_t pages, unsigned access);

/** Forgets what is mapped there. When this returns, no CPU uses it any more. */
void hal_aspace_unmap(struct hal_aspace *aspace, uintptr_t address, size_t pages);

/**
 * Those of the pages that are mapped are for `access` from now on, 1 or more of HAL_USER_; they are
 * so on all CPUs when this returns. What is not mapped, or forgotten, stays so.
 */
void hal_aspace_protect(struct hal_aspace *aspace, uintptr_t address, size_t pages,
                        unsigned access);

/**
 * What the page at `address` is mapped for, without HAL_USER_MARK, and the frame that it is mapped
 * to; 0 if it is not mapped, or forgotten.
 */
unsigned hal_aspace_query(struct hal_aspace *aspace, uintptr_t address, uint64_t *physical);

/**
 * What user code has done with the page at `address` since it was mapped, or since the last call,
 * and clears it. 0 if it is not mapped; but marks of a page that was mapped with HAL_USER_MARK are
 * kept when the backend forgets it. For a page without HAL_USER_MARK the answer is that it was
 * referenced, and modified if it may be written.
 */
unsigned hal_aspace_take_marks(struct hal_aspace *aspace, uintptr_t address);
