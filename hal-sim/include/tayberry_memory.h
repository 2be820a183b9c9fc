/* SPDX-License-Identifier: MIT */
/*
 * tayberry_memory.h: the guest's memory seen from outside, and allocations that fail on demand.
 *
 * A part of tayberry.h, which includes it. All of it tells of the machine that is on, or that has
 * stopped by itself: then it is what the guest left. Of one that is off there is nothing to tell.
 * With the real clock the guest goes on while "Any thread." functions look, so what they say may be
 * out of date by the time they have said it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TB_API __attribute__((visibility("default")))

struct tb_machine;

/** What a page frame is, as one byte. */
enum tb_frame {
    TB_FRAME_NONE,   /**< no RAM, or not the kernel's to hand out; all of a machine that is off */
    TB_FRAME_KERNEL, /**< the frame allocator's own tables */
    TB_FRAME_UNTOUCHED, /**< free, and never used since power-on */
    TB_FRAME_FREE,
    TB_FRAME_TAGS = 16 /**< in use: TB_FRAME_TAGS + the tag of who asked for it */
};

/** Writes what frames `first` .. `first` + n - 1 are (frame f: the 4 KiB from f * 4096 on) and
 * returns how many of them there are in the machine; the rest become TB_FRAME_NONE. Any thread. */
TB_API size_t tb_memory_frames(const struct tb_machine *machine, uint64_t first, uint8_t *frames,
                               size_t n);

/** The name of tag `tag`, a part of the kernel such as "fs/fat32", or NULL when there are no more.
 * Valid until the next power-on. Any thread. */
TB_API const char *tb_memory_tag(const struct tb_machine *machine, unsigned tag);

/** A place in the kernel's source that allocates memory, and what it has done since power-on. */
struct tb_alloc_site {
    const char *file; /**< from "core/" on */
    unsigned line;
    unsigned tag;
    uint64_t calls;    /**< attempts, as tb_alloc_count counts them */
    uint64_t failures; /**< of these */
    int64_t blocks;    /**< live; those of objects are counted with the boot word checks=1 */
    int64_t bytes;     /**< of these */
};

/** Site `number`; numbers are the same in every run of one library. -ENOENT past the last. Any
 * thread. */
TB_API int tb_alloc_site(const struct tb_machine *machine, unsigned number,
                         struct tb_alloc_site *site);

/** Allocations that the guest has asked for since power-on: all with the boot word checks=1, as
 * builds with debug information have it, or another allocator than slab; without both, only those
 * while a plan is set. Any thread. */
TB_API uint64_t tb_alloc_count(const struct tb_machine *machine);

enum tb_fail_kind {
    TB_FAIL_NONE,
    TB_FAIL_NTH,  /**< allocation number n from now (1: the next), once */
    TB_FAIL_FROM, /**< that one and all after it */
    TB_FAIL_SITE, /**< every one of site `site` */
    TB_FAIL_SHARE /**< one in n, by chance from `seed` */
};

struct tb_alloc_fail {
    enum tb_fail_kind kind;
    unsigned site;
    uint64_t n;
    uint64_t seed;
};

/** Chooses which of the guest's allocations fail from now on, until power-off or the next call.
 * -EINVAL: off, no such kind or site, or an n of 0 where n counts. Any thread. */
TB_API int tb_alloc_fail(struct tb_machine *machine, const struct tb_alloc_fail *plan);

/** Writes the abstract state of the kernel as lines of text, ending with NUL: threads, open files,
 * mounts, live memory by site; no caches, no statistics, no times. Returns its length without the
 * NUL, which may be more than fits; -EINVAL when off. Virtual clock only: -ENOTSUP. */
TB_API int tb_inspect_state(struct tb_machine *machine, char *text, size_t bytes);

#ifdef __cplusplus
}
#endif
