/* SPDX-License-Identifier: MIT */
/*
 * site.h: the places in the source that allocate memory, each with a number and its counts.
 *
 * Whoever asks for memory does it through a macro (kmalloc, frame_alloc, ...) that leaves a
 * description of the place in the program: file, line, and where its counts are kept. The linker
 * collects them in one table, so the kernel knows all places, also those that have never run. That
 * is what leak reports, `mem top` and failure on demand are made of.
 *
 *     section alloc_sites:  | &site 0 | &site 1 | ...        pointers, all of one size
 *     constants:            site: file, line, count --> KSTATE: calls, failures, live blocks, bytes
 *
 * A site's tag is the part of the kernel that it belongs to: the folder of its file
 * ("core/fs/fat32/node.c" has the tag "fs/fat32").
 */
#pragma once

#include <hal/compiler.h>
#include <hal/cpu.h>
#include <hal/kstate.h>
#include <hal/machine.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What is live, or with a minus sign what has gone: one CPU frees what another allocated. */
struct alloc_live {
    int64_t blocks; /**< counted for frames always, for objects with checks on */
    int64_t bytes;  /**< of these, as asked for */
};

/** What has happened at a site since power-on. */
struct alloc_count {
    uint16_t number;   /**< of the site; constant after boot */
    uint16_t tag;      /**< of the site; constant after boot */
    uint64_t calls;    /**< attempts, failed ones too; counted while alloc_fail_watching. Atomic */
    uint64_t failures; /**< of these, by want or on demand. Atomic */
    struct alloc_live settled; /**< at the first prompt (leak.h) */
    struct {
        _Alignas(64) struct alloc_live live; /**< written by that CPU only, masked */
    } cpu[HAL_CPU_MAX];                      /**< the sum counts: alloc_live_of */
};

/** What memory from a site is for, where that decides what is said of it. */
enum alloc_use {
    ALLOC_ORDINARY,  /**< somebody's, who will free it */
    ALLOC_PERMANENT, /**< stays until power-off: no leak */
    ALLOC_CACHE      /**< a cache's: neither a leak nor part of the kernel's abstract state */
};

struct alloc_site {
    const char *file; /**< as the compiler was given it; alloc_site_file shortens it */
    uint32_t line;
    enum alloc_use use;
    struct alloc_count *count;
};

/** The site of the line on which this stands. */
#define ALLOC_SITE() ALLOC_SITE_FOR(ALLOC_ORDINARY)

/**
 * The same, for memory with a use of its own. It goes where the macros put ALLOC_SITE():
 * heap_allocate(bytes, HEAP_ALIGNMENT, ALLOC_SITE_FOR(ALLOC_CACHE)).
 */
#define ALLOC_SITE_FOR(use_) \
    ({ \
        static KSTATE struct alloc_count alloc_count_; \
        static const struct alloc_site alloc_site_ = { \
            .file = __FILE__, .line = __LINE__, .use = (use_), .count = &alloc_count_}; \
        static const struct alloc_site *const alloc_entry_ \
            __attribute__((used, section("alloc_sites"))) = &alloc_site_; \
        (void)alloc_entry_; \
        &alloc_site_; \
    })

/** How many sites the program has; their numbers are 0 .. alloc_site_total() - 1. Any context. */
unsigned alloc_site_total(void);

/** Site number `number`, which must exist. Any context. */
const struct alloc_site *alloc_site_at(unsigned number);

/** The number of `site`. Constant for one program. Any context. */
static inline unsigned alloc_site_number(const struct alloc_site *site)
{
    return site->count->number;
}

/** Counts memory that begins to live at `site`, or ends (less than 0). Caller is masked. */
static inline void alloc_live_add_masked(const struct alloc_site *site, int64_t blocks,
                                         int64_t bytes)
{
    struct alloc_live *live = &site->count->cpu[hal_cpu_id()].live;

    __atomic_store_n(&live->blocks, live->blocks + blocks, __ATOMIC_RELAXED);
    __atomic_store_n(&live->bytes, live->bytes + bytes, __ATOMIC_RELAXED);
}

/** The same. Any context. */
static inline void alloc_live_add(const struct alloc_site *site, int64_t blocks, int64_t bytes)
{
    hal_irq_state_t state = hal_irq_save();

    alloc_live_add_masked(site, blocks, bytes);
    hal_irq_restore(state);
}

/** What lives from `site` now. Any context. */
struct alloc_live alloc_live_of(const struct alloc_site *site);

/** The file of `site`, from "core/" on. Any context. */
const char *alloc_site_file(const struct alloc_site *site);

/** The same for any path that the compiler was given. */
const char *alloc_file(const char *file);

#define ALLOC_TAG_MAX 64u /**< a frame tells its owner in a byte: HAL_FRAME_TAGS + the tag */
#define ALLOC_TAG_NAME_MAX 15u

/** The tag of `site`: 0 .. alloc_tag_total() - 1. Any context. */
static inline unsigned alloc_site_tag(const struct alloc_site *site)
{
    return site->count->tag;
}

/** How many tags there are. Any context. */
unsigned alloc_tag_total(void);

/** The name of tag `tag`, or NULL if there is no such tag. Any context. */
const char *alloc_tag_name(unsigned tag);

/** Numbers the sites and makes the table of tags. Boot only, before the first allocation. */
void alloc_site_init(void);
