/* SPDX-License-Identifier: MIT */
/*
 * block.h: the header of a guarded block, for the files of this folder.
 */
#pragma once

#include "heap/allocator.h"
#include "site/site.h"
#include "lib/list.h"
#include "sync/spinlock.h"

#include <hal/compiler.h>
#include <hal/mem.h>

#include <stddef.h>
#include <stdint.h>

#define GUARD_LIVE 0x6c697665u
#define GUARD_FREED 0x66726565u

#define GUARD_TRACE 5u /* calls that are remembered */
#define GUARD_FRONT \
    128u /* from the header to the caller's bytes; also the largest alignment that \
            needs no header apart */
#define GUARD_ZONE HAL_MEM_ZONE /* bytes of each zone */

/* Call chains are kept as distances from a place in the kernel's code. */
struct guard_trace {
    int32_t calls[GUARD_TRACE]; /* innermost first; 0: no more */
};

struct guard_block {
    struct list link; /* among the live blocks, or in the quarantine; guarded by the lock */
    struct guard_block *next_apart; /* in its bucket, if the header lies apart */
    const struct alloc_site *site;
    char *start; /* the allocator's block */
    char *user;  /* the caller's bytes */
    const char *freed_file;
    uint32_t freed_line;
    uint32_t bytes; /* of the caller */
    uint32_t rear;  /* bytes of the rear zone */
    uint32_t magic; /* GUARD_LIVE, GUARD_FREED, or anything: not a header */
    struct guard_trace allocated, freed;
};

_Static_assert(sizeof(struct guard_block) + GUARD_ZONE <= GUARD_FRONT, "room for the front zone");

extern struct guard_state {
    struct spinlock lock;
    struct list live;                 /* blocks, the newest last */
    struct list quarantine;           /* blocks, the longest there first */
    uint64_t live_blocks, live_bytes; /* and what they take of the allocator */
    size_t quarantined;               /* bytes that those in the quarantine take */
    size_t quarantine_most;           /* constant after boot */
    uintptr_t code_base;              /* constant after boot */
    const struct heap_allocator *allocator;
    struct guard_block *apart[64]; /* buckets of headers that lie apart, by address of the bytes */
} guard;

/**
 * The header of the block that holds `address`, zones included, or NULL: follows both lists for a
 * bounded number of steps. Without the lock only for a kernel that stands still.
 */
struct guard_block *guard_around(const void *address);

/** Ends in a panic that says what is wrong with `pointer`, which is no block in use, although
 * `who` (kfree or krealloc) was given it. */
HAL_NORETURN void guard_refuse(const void *pointer, const char *who, const char *file,
                               unsigned line);

/** Panics if a zone of a live block is damaged; `file` is NULL when nobody frees it. */
void guard_check_zones(const struct guard_block *block, const char *file, unsigned line);

/** Panics if a block in the quarantine was written to. */
void guard_check_freed(const struct guard_block *block);

/** Fills what is to be found again. */
void guard_fill_zones(const struct guard_block *block);
void guard_fill_freed(const struct guard_block *block);
