/* SPDX-License-Identifier: MIT */
/*
 * random.h: random bytes that nobody can foretell, as many as are wanted.
 *
 * The board's source gives a key for each request, and the ChaCha20 cipher stretches it, so a slow
 * source is asked for 32 bytes only; and as the key is forgotten at once, who learns of one
 * answer, or of the kernel's memory later, learns nothing of the others. In a repeatable run of the
 * simulator the source is its seed.
 *
 * Source of the cipher: RFC 8439, section 2.3.
 */
#pragma once

#include <hal/compiler.h>

#include <stddef.h>
#include <stdint.h>

/** Fills `n` bytes. 0 or -EIO: the board's source does not answer. Any context. */
HAL_MUST_CHECK int random_fill(void *bytes, size_t n);

/** One block of the cipher: 64 bytes from a key of 8 words, a counter and a nonce of 3 words. */
void random_chacha20_block(const uint32_t key[8], uint32_t counter, const uint32_t nonce[3],
                           uint8_t block[64]);
