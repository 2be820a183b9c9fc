/* SPDX-License-Identifier: MIT */
/*
 * futex.h: threads that wait for a word of user memory to change.
 *
 * A program's locks are words in its memory, which it changes by itself as long as nobody has to
 * wait. Only who has to wait comes here, says what the word was when it decided to, and sleeps
 * until somebody calls wake; and comparing the word and going to sleep are one step:
 *
 *     waiter: word == "locked"?  futex_wait(word, "locked")     owner: word = "free"; futex_wake
 *
 * Words of one memory are the same word, wherever it is mapped (vm_key_of); a program that says
 * that its word is private to it saves the look at what is mapped there.
 *
 * All may sleep.
 */
#pragma once

#include "vm/space.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

#define FUTEX_ANY UINT32_MAX /**< the bits of those who do not care */

struct futex_word {
    struct vm_space *space;
    uintptr_t address;
    struct vm_key key;
};

/** Readies all this. Boot. */
void futex_init(void);

/** The word at `address`. -EINVAL: not aligned; -EFAULT: not in user memory. */
HAL_MUST_CHECK int futex_find(struct vm_space *space, uintptr_t address, bool shared,
                              struct futex_word *word);

/**
 * Sleeps until woken by one who has a bit of `bits`, if the word is `expected`: 0; -EAGAIN: it is
 * not; -ETIMEDOUT; -EINTR; -EFAULT.
 */
HAL_MUST_CHECK int futex_wait(const struct futex_word *word, uint32_t expected, uint32_t bits,
                              uint64_t deadline);

/** Wakes up to `most` who wait for a bit of `bits`: how many. */
int64_t futex_wake(const struct futex_word *word, uint32_t most, uint32_t bits);

/**
 * Wakes up to `most`, and has up to `rest` of the others wait for `to` from now on: how many both
 * are. With `expected`: only if the word is that, else -EAGAIN; -EFAULT.
 */
HAL_MUST_CHECK int64_t futex_requeue(const struct futex_word *from, const struct futex_word *to,
                                     uint32_t most, uint32_t rest, const uint32_t *expected);

/**
 * Changes word `to` as `operation` says (Linux's encoding: what, with what, and a comparison of
 * what it was before), wakes up to `most` who wait for `from`, and if the comparison holds up to
 * `rest` who wait for `to`: how many. -EFAULT; -ENOSYS: no such operation.
 */
HAL_MUST_CHECK int64_t futex_wake_by(const struct futex_word *from, const struct futex_word *to,
                                     uint32_t most, uint32_t rest, uint32_t operation);
