/* SPDX-License-Identifier: MIT */
/*
 * random.c: see random.h.
 *
 * ChaCha20 keeps 16 words: four constants, the key, a counter and a nonce. A quarter round stirs
 * four of them by adding, exclusive or and rotating; ten times over the columns and then over the
 * diagonals of the 4 x 4 square they are all mixed, and what they were is added at the end, so that
 * it cannot be run backwards.
 */
#include "dev/random.h"

#include "lib/bytes.h"

#include <hal/board.h>
#include <hal/runtime.h>

#define BLOCK_BYTES 64u

static uint32_t rotate(uint32_t value, unsigned bits)
{
    return value << bits | value >> (32 - bits);
}

static void quarter_round(uint32_t *x, const uint8_t at[4])
{
    uint32_t *a = &x[at[0]], *b = &x[at[1]], *c = &x[at[2]], *d = &x[at[3]];

    *d = rotate(*d ^ (*a += *b), 16);
    *b = rotate(*b ^ (*c += *d), 12);
    *d = rotate(*d ^ (*a += *b), 8);
    *b = rotate(*b ^ (*c += *d), 7);
}

void random_chacha20_block(const uint32_t key[8], uint32_t counter, const uint32_t nonce[3],
                           uint8_t block[64])
{
    static const uint8_t places[8][4] = {{0, 4, 8, 12},  {1, 5, 9, 13},  {2, 6, 10, 14},
                                         {3, 7, 11, 15}, {0, 5, 10, 15}, {1, 6, 11, 12},
                                         {2, 7, 8, 13},  {3, 4, 9, 14}};
    uint32_t first[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}, x[16];

    memcpy(first + 4, key, 32);
    first[12] = counter;
    memcpy(first + 13, nonce, 12);
    memcpy(x, first, sizeof(x));
    for (unsigned round = 0; round < 10; round++)
        for (unsigned i = 0; i < 8; i++)
            quarter_round(x, places[i]);
    for (unsigned i = 0; i < 16; i++)
        put_le32(block + 4 * i, x[i] + first[i]);
}

int random_fill(void *bytes, size_t n)
{
    static const uint32_t nonce[3];
    uint8_t *to = bytes, block[BLOCK_BYTES];
    uint32_t key[8];
    uint32_t counter = 0;

    while (n > 0) {
        size_t part = n < BLOCK_BYTES ? n : BLOCK_BYTES;
        int error = counter == 0 ? hal_board_entropy(key, sizeof(key)) : 0;

        if (error)
            return error;
        random_chacha20_block(key, counter++, nonce, block);
        memcpy(to, block, part);
        to += part;
        n -= part;
    }
    memset(key, 0, sizeof(key));
    memset(block, 0, sizeof(block));
    /* The compiler must not leave these out, although nobody reads them. */
    __asm__ volatile("" : : "r"(key), "r"(block) : "memory");
    return 0;
}
