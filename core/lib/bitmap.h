/* SPDX-License-Identifier: MIT */
/*
 * bitmap.h: arrays of bits, 64 to a word.
 *
 *     bit 0 is the lowest bit of word 0:   word 0: 63 ... 2 1 0    word 1: 127 ... 66 65 64
 *
 * The array is the owner's (BITMAP_WORDS words), and so is the lock that guards it. Searches look
 * at a word at a time, and a search that finds nothing returns the number of bits, which is no
 * bit's number. Bits of the last word behind the end of the map are neither read nor changed by
 * anything that is told where the end is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BITMAP_WORD_BITS 64u

/** How many words `bits` bits need. */
#define BITMAP_WORDS(bits) (((bits) + BITMAP_WORD_BITS - 1) / BITMAP_WORD_BITS)

static inline void bitmap_set(uint64_t *map, size_t bit)
{
    map[bit / BITMAP_WORD_BITS] |= UINT64_C(1) << bit % BITMAP_WORD_BITS;
}

static inline void bitmap_clear(uint64_t *map, size_t bit)
{
    map[bit / BITMAP_WORD_BITS] &= ~(UINT64_C(1) << bit % BITMAP_WORD_BITS);
}

static inline bool bitmap_test(const uint64_t *map, size_t bit)
{
    return map[bit / BITMAP_WORD_BITS] >> bit % BITMAP_WORD_BITS & 1;
}

/** A word with ones at bits `from` .. `to` - 1; from < to <= 64. */
static inline uint64_t bitmap_mask(size_t from, size_t to)
{
    return ~UINT64_C(0) << from & ~UINT64_C(0) >> (BITMAP_WORD_BITS - to);
}

/*
 * The bits from `bit` on that lie in one word with it and before `end`, as a mask of that word;
 * *next is the first bit behind them. bit < end.
 */
static inline uint64_t bitmap_piece(size_t bit, size_t end, size_t *next)
{
    size_t start = bit - bit % BITMAP_WORD_BITS;

    *next = end - start < BITMAP_WORD_BITS ? end : start + BITMAP_WORD_BITS;
    return bitmap_mask(bit - start, *next - start);
}

/** Sets the bits `first` .. `first` + n - 1. */
static inline void bitmap_set_run(uint64_t *map, size_t first, size_t n)
{
    for (size_t bit = first, end = first + n, next; bit < end; bit = next) {
        size_t word = bit / BITMAP_WORD_BITS;

        map[word] |= bitmap_piece(bit, end, &next);
    }
}

/** Clears the bits `first` .. `first` + n - 1. */
static inline void bitmap_clear_run(uint64_t *map, size_t first, size_t n)
{
    for (size_t bit = first, end = first + n, next; bit < end; bit = next) {
        size_t word = bit / BITMAP_WORD_BITS;

        map[word] &= ~bitmap_piece(bit, end, &next);
    }
}

/* The first bit from `from` on that is set in map ^ flip, or `bits`. */
static inline size_t bitmap_find(const uint64_t *map, size_t bits, size_t from, uint64_t flip)
{
    for (size_t bit = from, next; bit < bits; bit = next) {
        size_t word = bit / BITMAP_WORD_BITS;
        uint64_t found = (map[word] ^ flip) & bitmap_piece(bit, bits, &next);

        if (found)
            return word * BITMAP_WORD_BITS + (size_t)__builtin_ctzll(found);
    }
    return bits;
}

/** The first set bit of a map of `bits` bits that is >= `from`, or `bits`. */
static inline size_t bitmap_find_set(const uint64_t *map, size_t bits, size_t from)
{
    return bitmap_find(map, bits, from, 0);
}

/** The first clear bit of a map of `bits` bits that is >= `from`, or `bits`. */
static inline size_t bitmap_find_clear(const uint64_t *map, size_t bits, size_t from)
{
    return bitmap_find(map, bits, from, ~UINT64_C(0));
}

/** The first of `n` >= 1 clear bits in a row of a map of `bits` bits, from `from` on, or `bits`. */
static inline size_t bitmap_find_clear_run(const uint64_t *map, size_t bits, size_t from, size_t n)
{
    for (;;) {
        size_t first = bitmap_find_clear(map, bits, from);

        if (n > bits - first)
            return bits;
        from = bitmap_find_set(map, first + n, first);
        if (from == first + n)
            return first;
    }
}

/** How many of the map's `bits` bits are set. */
static inline size_t bitmap_count(const uint64_t *map, size_t bits)
{
    size_t count = 0;

    for (size_t bit = 0, next; bit < bits; bit = next) {
        size_t word = bit / BITMAP_WORD_BITS;
        uint64_t set = map[word] & bitmap_piece(bit, bits, &next);

        /* Each turn takes the lowest one away: no instruction of the processor is needed. */
        for (; set; set &= set - 1)
            count++;
    }
    return count;
}
