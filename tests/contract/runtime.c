/* SPDX-License-Identifier: MIT */
/*
 * runtime.c: the promises of hal/runtime.h: what ISO C says of memcpy and its three relatives.
 *
 * Called through volatile pointers: a compiler knows these functions and would not call them.
 */
#include "contract.h"

static void *(*const volatile copy)(void *restrict, const void *restrict, size_t) = memcpy;
static void *(*const volatile move)(void *, const void *, size_t) = memmove;
static void *(*const volatile set)(void *, int, size_t) = memset;
static int (*const volatile compare)(const void *, const void *, size_t) = memcmp;

#define ROOM 400u
#define LENGTHS 150u

static uint8_t source[ROOM] KSTATE, target[ROOM] KSTATE;

static void fill(void)
{
    for (unsigned i = 0; i < ROOM; i++) {
        source[i] = (uint8_t)(i * 31 + 7);
        target[i] = 0xcc;
    }
}

/** What byte `i` of the target should be after a copy of `n` bytes from `from` to `to`. */
static uint8_t copied(unsigned i, unsigned to, unsigned from, unsigned n)
{
    return i >= to && i < to + n ? (uint8_t)((i - to + from) * 31 + 7) : 0xcc;
}

CONTRACT_TEST(memcpy_copies)
{
    for (unsigned n = 0; n < LENGTHS; n++)
        for (unsigned align = 0; align < 64; align += 3) {
            fill();
            unsigned to = 16 + align / 8, from = 16 + align % 8;
            EXPECT(copy(target + to, source + from, n) == target + to);
            for (unsigned i = 0; i < ROOM; i++)
                REQUIRE(target[i] == copied(i, to, from, n));
        }
}

CONTRACT_TEST(memmove_copies_overlapping)
{
    for (unsigned n = 0; n < LENGTHS; n++)
        for (unsigned shift = 0; shift < 20; shift++) {
            fill();
            EXPECT(move(source + 30 + shift, source + 30, n) == source + 30 + shift);
            for (unsigned i = 0; i < n; i++)
                REQUIRE(source[30 + shift + i] == (uint8_t)((30 + i) * 31 + 7));
            fill();
            EXPECT(move(source + 30 - shift, source + 30, n) == source + 30 - shift);
            for (unsigned i = 0; i < n; i++)
                REQUIRE(source[30 - shift + i] == (uint8_t)((30 + i) * 31 + 7));
            /* Behind the copy to the left, the source is as it was. */
            EXPECT_EQUAL(source[30 + n], (uint8_t)((30 + n) * 31 + 7));
        }
}

CONTRACT_TEST(memset_sets)
{
    for (unsigned n = 0; n < LENGTHS; n++)
        for (unsigned at = 8; at < 24; at++) {
            fill();
            /* Only the low byte of the value counts. */
            EXPECT(set(target + at, 0x1fe, n) == target + at);
            for (unsigned i = 0; i < ROOM; i++)
                REQUIRE(target[i] == (i >= at && i < at + n ? 0xfe : 0xcc));
        }
}

CONTRACT_TEST(memcmp_compares)
{
    for (unsigned n = 1; n < LENGTHS; n++)
        for (unsigned at = 0; at < 8; at++) {
            fill();
            (void)move(target, source + at, n);
            EXPECT(compare(target, source + at, n) == 0);
            target[n - 1] = 0x7f;
            source[at + n - 1] = 0x80;
            EXPECT(compare(target, source + at, n) < 0);
            EXPECT(compare(source + at, target, n) > 0);
            EXPECT(compare(target, source + at, n - 1) == 0);
        }
    EXPECT(compare(source, target, 0) == 0);
}

const struct contract_test runtime_tests[] = {
    {"memcpy copies what it should, nothing else, and returns its target", memcpy_copies},
    {"memmove copies between overlapping places", memmove_copies_overlapping},
    {"memset sets the low byte of its value", memset_sets},
    {"memcmp compares unsigned bytes", memcmp_compares},
    {NULL, NULL},
};
