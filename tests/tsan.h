/* SPDX-License-Identifier: MIT */
/*
 * tsan.h: whether this is built with ThreadSanitizer. It keeps pointers of its own on the guest's
 * stacks and in registers, so no two states have the same hash and no two panics print the same;
 * and it puts signals off for the handlers of those who ask libc for them.
 */
#pragma once

#include <stdbool.h>

static inline bool under_tsan(void)
{
#ifdef __SANITIZE_THREAD__
    return true;
#elif defined(__has_feature)
    return __has_feature(thread_sanitizer);
#else
    return false;
#endif
}
