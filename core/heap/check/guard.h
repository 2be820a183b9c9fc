/* SPDX-License-Identifier: MIT */
/*
 * guard.h: blocks that know who allocated and freed them, and notice when they are misused.
 *
 * With checks on (boot word `checks=1`) the front end gets blocks from here, and this from the
 * chosen allocator. Each block is wrapped:
 *
 *     | header | front zone | the caller's bytes | rear zone |
 *                           ^ what the caller gets
 *
 * The header says how many bytes were asked for, by which site and through which calls, and later
 * the same of kfree. The zones hold a pattern that must still be there at kfree. The bytes hold
 * garbage when they are handed out, and another pattern when they have been freed: then the block
 * waits in the quarantine before it can be used again, and whoever writes to it meanwhile is found
 * out. The header of a block with a large alignment lies apart, or it would cost as much again.
 *
 * In the simulator AddressSanitizer and Valgrind are told of the same: the zones and what is in the
 * quarantine may not be touched, so they report the very access.
 *
 * Life of a block:
 *
 *     guard_allocate -> LIVE -> guard_free -> FREED, in the quarantine -> back to the allocator
 *
 * All of it is the same in every build, and calls nothing that could be a point of interruption
 * beside its lock.
 */
#pragma once

#include "heap/allocator.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Readies the guard for blocks of `allocator`. Boot only, after its init. */
void guard_init(const struct heap_allocator *allocator);

/**
 * `bytes` bytes (also 0) at `alignment`, as the front end has checked it, or NULL. `frame` is the
 * stack frame whose callers are remembered. Any context.
 */
HAL_MUST_CHECK void *guard_allocate(size_t bytes, size_t alignment, const struct alloc_site *site,
                                    uintptr_t frame);

/** Frees `pointer`; whatever is wrong with it is a panic that names `file` and `line`. Any context.
 */
void guard_free(void *pointer, const char *file, unsigned line, uintptr_t frame);

/** The bytes that were asked for with `pointer`; if it is no block, as guard_free. Any context. */
size_t guard_bytes(void *pointer, const char *file, unsigned line);

/** Gives up to `bytes` bytes of the quarantine back to the allocator; returns how many. Any
 * context that may take a spinlock. */
size_t guard_drain(size_t bytes);

/** Sets what `stats` says of live blocks: those in the quarantine are not. Any context. */
void guard_read_stats(struct heap_stats *stats);

/** Looks at all zones and at the quarantine; what is damaged is a panic that names it. Any context.
 */
void guard_check(void);
