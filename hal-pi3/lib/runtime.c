/* SPDX-License-Identifier: MIT */
/*
 * runtime.c: memcpy and friends, which compilers call by themselves.
 *
 * They may be called before translation is on, when memory tolerates neither unaligned accesses nor
 * the instruction that zeroes cache lines; so words are used only where both sides are aligned
 * alike, which is the usual case, and bytes otherwise. The loops are written so that the compiler
 * does not recognise them as the very function that they implement (the build adds -fno-builtin and
 * switches loop recognition off).
 */
#include <hal/runtime.h>

#include <stdint.h>

#define WORD sizeof(uint64_t)

/* Words may alias whatever the caller keeps there. */
typedef uint64_t __attribute__((may_alias)) word_t;

static int runtime_alike(const void *a, const void *b)
{
    return (((uintptr_t)a ^ (uintptr_t)b) & (WORD - 1)) == 0;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    if (runtime_alike(t, f)) {
        for (; n > 0 && ((uintptr_t)t & (WORD - 1)) != 0; n--) {
            *t++ = *f++;
        }
        for (; n >= 4 * WORD; n -= 4 * WORD, t += 4 * WORD, f += 4 * WORD) {
            uint64_t a = ((const word_t *)f)[0];
            uint64_t b = ((const word_t *)f)[1];
            uint64_t c = ((const word_t *)f)[2];
            uint64_t d = ((const word_t *)f)[3];
            ((word_t *)t)[0] = a;
            ((word_t *)t)[1] = b;
            ((word_t *)t)[2] = c;
            ((word_t *)t)[3] = d;
        }
        for (; n >= WORD; n -= WORD, t += WORD, f += WORD) {
            *(word_t *)t = *(const word_t *)f;
        }
    }
    while (n-- > 0) {
        *t++ = *f++;
    }
    return to;
}

/** Copies from the end, for a target that begins inside the source. */
static void runtime_copy_back(uint8_t *t, const uint8_t *f, size_t n)
{
    t += n;
    f += n;
    if (runtime_alike(t, f)) {
        for (; n > 0 && ((uintptr_t)t & (WORD - 1)) != 0; n--) {
            *--t = *--f;
        }
        for (; n >= WORD; n -= WORD) {
            t -= WORD;
            f -= WORD;
            *(word_t *)t = *(const word_t *)f;
        }
    }
    while (n-- > 0) {
        *--t = *--f;
    }
}

/** Copies from the beginning; unlike memcpy it may be told of ranges that overlap downward. */
static void runtime_copy(uint8_t *t, const uint8_t *f, size_t n)
{
    if (runtime_alike(t, f)) {
        for (; n > 0 && ((uintptr_t)t & (WORD - 1)) != 0; n--) {
            *t++ = *f++;
        }
        for (; n >= WORD; n -= WORD, t += WORD, f += WORD) {
            *(word_t *)t = *(const word_t *)f;
        }
    }
    while (n-- > 0) {
        *t++ = *f++;
    }
}

void *memmove(void *to, const void *from, size_t n)
{
    if ((uintptr_t)to - (uintptr_t)from >= n) {
        runtime_copy(to, from, n);
    } else {
        runtime_copy_back(to, from, n);
    }
    return to;
}

void *memset(void *to, int byte, size_t n)
{
    uint8_t *t = to;
    uint64_t word = (uint8_t)byte * UINT64_C(0x0101010101010101);

    for (; n > 0 && ((uintptr_t)t & (WORD - 1)) != 0; n--) {
        *t++ = (uint8_t)byte;
    }
    for (; n >= 4 * WORD; n -= 4 * WORD, t += 4 * WORD) {
        ((word_t *)t)[0] = word;
        ((word_t *)t)[1] = word;
        ((word_t *)t)[2] = word;
        ((word_t *)t)[3] = word;
    }
    for (; n > 0; n--) {
        *t++ = (uint8_t)byte;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a;
    const uint8_t *y = b;

    if (runtime_alike(x, y)) {
        for (; n > 0 && ((uintptr_t)x & (WORD - 1)) != 0 && *x == *y; n--, x++, y++) {}
        for (; ((uintptr_t)x & (WORD - 1)) == 0 && n >= WORD; n -= WORD, x += WORD, y += WORD) {
            if (*(const word_t *)x != *(const word_t *)y) {
                break;
            }
        }
    }
    for (; n > 0; n--, x++, y++) {
        if (*x != *y) {
            return *x < *y ? -1 : 1;
        }
    }
    return 0;
}
