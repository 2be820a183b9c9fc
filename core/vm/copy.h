/* SPDX-License-Identifier: MIT */
/*
 * copy.h: the kernel reads and writes user memory.
 *
 * Never through a user address: a page's frame is looked up in the space's page map and reached
 * where the kernel has all RAM mapped. So it is the same on every machine, it works for any space,
 * live or not, and a bad address is an error and no trap. The rights are those of user code, and a
 * page that is not there is faulted in just as for user code.
 *
 * All may sleep: no spinlock is held, no lock of a vnode or file system, and not process_lock.
 * -EFAULT in all cases of bad addresses; -ENOMEM: there is no memory for a page, and the caller's
 * process is ending for that. Of what was to be copied some may have been.
 */
#pragma once

#include "vm/space.h"

/** Copies `n` bytes from user address `from`. 0 or an error. */
HAL_MUST_CHECK int vm_copy_in(struct vm_space *space, void *to, uintptr_t from, size_t n);

/** Copies `n` bytes to user address `to`. 0 or an error. */
HAL_MUST_CHECK int vm_copy_out(struct vm_space *space, uintptr_t to, const void *from, size_t n);

/** Makes `n` bytes zero. 0 or an error. */
HAL_MUST_CHECK int vm_zero_out(struct vm_space *space, uintptr_t to, size_t n);

/**
 * As vm_copy_in and vm_copy_out, but what comes before the bad address counts: how many bytes were
 * copied, if any were, or an error. For read and write.
 */
HAL_MUST_CHECK int64_t vm_copy_in_some(struct vm_space *space, void *to, uintptr_t from, size_t n);
HAL_MUST_CHECK int64_t vm_copy_out_some(struct vm_space *space, uintptr_t to, const void *from,
                                        size_t n);

/**
 * Copies a string with its NUL to `to`, which has room for `max` bytes: its length without the NUL;
 * `max` if there is no NUL in so many bytes; -EFAULT.
 */
HAL_MUST_CHECK int64_t vm_copy_string_in(struct vm_space *space, char *to, uintptr_t from,
                                         size_t max);

/** The 32-bit word at `from`, read in one piece. -EFAULT; -EINVAL: not aligned. */
HAL_MUST_CHECK int vm_load_u32(struct vm_space *space, uintptr_t from, uint32_t *value);

/**
 * As vm_load_u32 without loading anything: -EAGAIN where that would. Any context that may take
 * LOCK_RANK_SPACE.
 */
HAL_MUST_CHECK int vm_peek_u32(struct vm_space *space, uintptr_t from, uint32_t *value);

/**
 * If the word at `address` is *expected, makes it `desired`, in one step for user code on all CPUs;
 * else *expected becomes what it is. 0 in both cases; -EFAULT; -EINVAL: not aligned.
 */
HAL_MUST_CHECK int vm_cmpxchg_u32(struct vm_space *space, uintptr_t address, uint32_t *expected,
                                  uint32_t desired);
