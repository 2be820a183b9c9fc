/* SPDX-License-Identifier: MIT */
/*
 * tools.h: which tools may watch this process: a sanitizer is compiled in or not, Valgrind is
 * asked. Only fiber.c and tools.c talk to them.
 */
#pragma once

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define WITH_TSAN 1
#endif

#ifdef WITH_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef HAVE_VALGRIND
#include <valgrind/memcheck.h>
#include <valgrind/valgrind.h>
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * For what must not call ThreadSanitizer: code that changes stacks under it, and what a signal
 * handler does before it knows that it has not interrupted that tool's own code, or while FS, by
 * which that tool finds a thread, is a program's. Clang leaves calls at the beginning and the end
 * of a function in no_sanitize("thread"); it has an attribute without them, for all tools at once.
 */
#if defined(__clang__) && defined(WITH_TSAN)
#define UNWATCHED __attribute__((disable_sanitizer_instrumentation))
#else
#define UNWATCHED __attribute__((no_sanitize("thread")))
#endif

/** For snapshots: which of the guest's stacks a tool knows, in so many bytes; 0: it need not know.
 * No guest runs. */
size_t fiber_notes_bytes(void);
void fiber_notes_save(uint8_t *notes);
void fiber_notes_restore(const uint8_t *notes);

/** The CPU that this thread plays enters the host's code, or leaves it (fiber.c). */
#ifdef WITH_TSAN
void tools_entered(bool entered);
#else
static inline void tools_entered(bool entered)
{
    (void)entered;
}
#endif
