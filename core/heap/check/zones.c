/* SPDX-License-Identifier: MIT */
/*
 * zones.c: the patterns in and around blocks. What nobody may touch is read through hal_mem_look,
 * so that no tool takes the check for the crime.
 */
#include "boot/panic.h"
#include "heap/check/block.h"
#include "heap/check/guard.h"

#include <hal/mem.h>
#include <hal/runtime.h>

#define ZONE_BYTE 0xb5  /* in the zones */
#define FREED_BYTE 0xdf /* in freed blocks */
#define PIECE 256u      /* bytes that are looked at in one go */

static char *front_zone(const struct guard_block *block)
{
    return block->user - GUARD_ZONE;
}

static bool has_front_zone(const struct guard_block *block)
{
    return block->start == (const char *)block;
}

static char *rear_zone(const struct guard_block *block)
{
    return block->user + block->bytes;
}

void guard_fill_zones(const struct guard_block *block)
{
    if (has_front_zone(block)) {
        memset(front_zone(block), ZONE_BYTE, GUARD_ZONE);
        hal_mem_close(front_zone(block), GUARD_ZONE);
    }
    memset(rear_zone(block), ZONE_BYTE, block->rear);
    hal_mem_close(rear_zone(block), block->rear);
}

void guard_fill_freed(const struct guard_block *block)
{
    memset(block->user, FREED_BYTE, block->bytes);
}

/* Whether all of it is `value`: in words, for freed blocks may be large. */
static bool is_all(const uint64_t piece[PIECE / 8], uint8_t value)
{
    const uint64_t pattern = value * 0x0101010101010101u;
    uint64_t other = 0;

    for (size_t i = 0; i < PIECE / 8; i++)
        other |= piece[i] ^ pattern;
    return other == 0;
}

/* The offset of the first of `bytes` bytes that is not `value`; `bytes` if all are. */
static size_t find_other(const char *start, size_t bytes, uint8_t value)
{
    uint64_t piece[PIECE / 8];

    for (size_t done = 0; done < bytes; done += PIECE) {
        size_t n = bytes - done < PIECE ? bytes - done : PIECE;

        hal_mem_look(piece, start + done, n);
        if (n == PIECE && is_all(piece, value))
            continue;
        for (size_t i = 0; i < n; i++)
            if (((const uint8_t *)piece)[i] != value)
                return done + i;
    }
    return bytes;
}

/* Who is to blame is not known: it was written to at any time since it was allocated. */
HAL_NORETURN static void tell(const struct guard_block *block, const char *file, unsigned line,
                              const char *where)
{
    const char *owner = alloc_site_file(block->site);

    if (!file)
        panic_at(owner, (int)block->site->line,
                 "heap: something wrote %s the block of %u bytes allocated at %s:%u", where,
                 block->bytes, owner, block->site->line);
    panic_at(alloc_file(file), (int)line,
             "kfree at %s:%u: something wrote %s the block of %u bytes allocated at %s:%u",
             alloc_file(file), line, where, block->bytes, owner, block->site->line);
}

void guard_check_zones(const struct guard_block *block, const char *file, unsigned line)
{
    if (has_front_zone(block) && find_other(front_zone(block), GUARD_ZONE, ZONE_BYTE) < GUARD_ZONE)
        tell(block, file, line, "in front of");
    if (find_other(rear_zone(block), block->rear, ZONE_BYTE) < block->rear)
        tell(block, file, line, "behind");
}

void guard_check_freed(const struct guard_block *block)
{
    size_t at = find_other(block->user, block->bytes, FREED_BYTE);

    if (at < block->bytes)
        panic_at(alloc_file(block->freed_file), (int)block->freed_line,
                 "heap: the block of %u bytes allocated at %s:%u was written at byte %zu after it "
                 "was freed at %s:%u",
                 block->bytes, alloc_site_file(block->site), block->site->line, at,
                 alloc_file(block->freed_file), block->freed_line);
}
