/* SPDX-License-Identifier: MIT */
/*
 * frame.h: what lies on the user stack while a handler of a signal runs.
 *
 * Linux has a layout for each processor, and programs know it: handlers change registers in it, C
 * libraries unwind through it, and when a handler returns it is all that says how the program goes
 * on. So it is built byte for byte as there; and what is read back may be anything.
 *
 * Sources: Linux, arch/x86/include/uapi/asm/{sigcontext,ucontext}.h, arch/x86/kernel/signal_64.c;
 * arch/arm64/include/uapi/asm/{sigcontext,ucontext}.h, arch/arm64/kernel/signal.c.
 */
#pragma once

#include "proc/process.h"

#include <hal/compiler.h>

#include <stddef.h>
#include <stdint.h>

/** The least size of a stack for handlers (MINSIGSTKSZ), and what a frame takes at most. */
extern const uint64_t abi_least_stack;
uint64_t abi_frame_most(const struct hal_user *user);

/**
 * Puts a frame on the caller's user stack, in which `mask` is the mask to go back to, and has user
 * code go on at the handler. -EFAULT: there is no room, or the action lacks what the processor's
 * Linux wants; then nothing is different but what lies below the stack. May sleep.
 */
HAL_MUST_CHECK int abi_frame_push(struct user_thread *self, unsigned signal,
                                  const struct signal_info *info,
                                  const struct signal_action *action, uint64_t mask);

/**
 * A handler has returned: takes the frame back, and with it registers, vectors and stack for
 * handlers. 0 and *mask; -EFAULT: there is no frame, or it says what cannot be. May sleep.
 */
HAL_MUST_CHECK int abi_frame_pop(struct user_thread *self, uint64_t *mask);

/** Code for which the kernel has a page in each program's memory, at ABI_CODE: what a handler
 * returns to unless its action names something else. Of abi_code_bytes bytes; 0: none is needed. */
#define ABI_CODE (HAL_USER_END - 8 * HAL_PAGE_SIZE)
extern const uint8_t abi_code[];
extern const size_t abi_code_bytes;

/** The signal that Linux gives for a trap that is neither a call, an interrupt nor an access of a
 * mapped address; and what it says. Any context. */
unsigned abi_trap_signal(const struct hal_user *user, const struct hal_user_event *event,
                         struct signal_info *info);
