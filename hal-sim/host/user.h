/* SPDX-License-Identifier: MIT */
/*
 * user.h: what the signal handlers have to know of user code.
 *
 * User code owns FS, through which libc and the HAL find everything of a host thread. So until a
 * handler has called user_arrive it knows of nothing but its arguments, and must not be compiled
 * with anything that looks at FS: it is a HANDLER.
 */
#pragma once

#include "host/private.h"

#include <signal.h>
#include <ucontext.h>

#define HANDLER UNWATCHED __attribute__((no_sanitize("address"), no_stack_protector))

/** Copies without calling anything that a sanitizer watches, or that looks at FS. */
static inline HANDLER void copy_bytes(void *to, const void *from, size_t n)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

/** What a signal has interrupted. */
enum user_place {
    USER_NOT,     /* nothing of this: the kernel, the simulator, or another thread */
    USER_CODE,    /* user code; its frame has been saved */
    USER_WAY_IN,  /* the last steps before it: they can be taken back */
    USER_HANDLER, /* a handler that has interrupted user code, or is about to go back there */
};

/** Gives the host its FS back, and says what was interrupted. First of all in each handler. */
enum user_place user_arrive(ucontext_t *context);

/** Whether it has interrupted user code that a patch has just brought to its stub, and nothing of
 * the code that was patched has been done yet. */
bool user_begins_stub(const ucontext_t *context);

/** USER_CODE: lets the handler's end be that of host_user_run. */
void user_stop(ucontext_t *context, enum host_user_why why);
/** USER_CODE, and for signals that are not blocked in their handlers: does so at once. */
HAL_NORETURN void user_stop_now(enum host_user_why why);
/** Any of the three: user code, its way in or its handler will go on when this one ends. */
void user_go_on(enum user_place place);
/** Has host_user_stalled say so. */
void user_stalled(const char *detail, uint64_t ns);
