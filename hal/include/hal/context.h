/* SPDX-License-Identifier: MIT */
/*
 * context.h: kernel contexts: a stack, the registers that a call preserves, and the mask.
 *
 * A context is what a thread is to the processor. It lives on a stack of the caller's; struct
 * hal_context, whose members are the backend's own (<hal/machine.h>), only says where. Switching
 * saves what the C calling convention says a function keeps. Interrupted code needs more, and the
 * backend keeps that on the interrupted stack by itself, so a switch inside hal_upcall_interrupt is
 * an ordinary switch.
 */
#pragma once

#include <hal/compiler.h>
#include <hal/machine.h>

#include <stddef.h>
#include <stdint.h>

/**
 * Prepares `context` so that the first switch to it calls entry(arg) with interrupts masked, on the
 * stack of `bytes` bytes from `stack` upward (the first frame is at its high end).
 *
 * The stack is page-aligned kernel memory of at least HAL_STACK_MIN bytes (HAL_STACK_SMALL if the
 * code that runs on it calls nothing deep) and must stay until the context has been switched away
 * from for the last time. `entry` must not return.
 * Any context; cannot fail; allocates nothing.
 */
void hal_context_init(struct hal_context *context, void *stack, size_t bytes,
                      void (*entry)(void *arg), void *arg);

/**
 * Saves the running context in `from` and continues `to`; returns when somebody switches to `from`.
 *
 * Called masked, and returns masked, maybe on another CPU. `to` must be prepared or saved and be on
 * no CPU; another CPU may switch to `from` as soon as it is saved, so a lock that the next context
 * releases has to be held across the call. `from` may be memory that is freed afterwards, when
 * nobody will switch to it again. Floating-point registers are those of the calling convention.
 */
void hal_context_switch(struct hal_context *from, struct hal_context *to);

/**
 * Has the processor bring what the first steps after a switch to `context` will touch into its
 * caches, and waits for nothing. `sp`, which each backend's context has, is where the saved
 * registers lie, and above them the frames of whoever called. Any context.
 */
static inline void hal_context_prefetch(const struct hal_context *context)
{
    const char *at = (const char *)context->sp;

    for (unsigned line = 0; line < 5; line++)
        __builtin_prefetch(at + line * 64, 1);
}

/**
 * Tells the backend that the stack of `context` is about to be given back and will not be switched
 * to again, so that debugging tools forget it. Any context. Needed once for each hal_context_init.
 */
void hal_context_finish(struct hal_context *context);

/**
 * Stores the return addresses of the calling chain, innermost first, and returns how many.
 *
 * From frame address `frame` (0: the caller's own). Stops at `max`, at the end of the stack, or
 * where the chain looks broken; never faults. Addresses are absolute; hal_context_code_base gives
 * the number to subtract so that they mean the same in every run. Any context.
 */
size_t hal_context_backtrace(uintptr_t frame, uintptr_t *addresses, size_t max);

/** The load address of the kernel's code less its link address: 0 unless it was moved. */
uintptr_t hal_context_code_base(void);
