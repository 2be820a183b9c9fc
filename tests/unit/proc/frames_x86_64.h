/* SPDX-License-Identifier: MIT */
/*
 * frames_x86_64.h: what frames.c has to know of x86-64: where things are in the registers and in an
 * XSAVE image, here one of 832 bytes.
 */
#pragma once

#define FRAMES_VECTORS 836u
#define FRAMES_MAGIC 464u
#define FRAMES_MAGIC_WORD 0x46505853u
#define FRAMES_SIZE_WORD 836u
#define FRAMES_FINISH(image) frames_finish(image)
#define FRAMES_SP 15u
#define FRAMES_FIRST 8u      /* argument */
#define FRAMES_FLAGS 0xd5ull /* none that a handler begins without */
#define FRAMES_LOOSE true    /* the flags are the HAL's to check */
#define FRAMES_POPPED 8u
#define FRAMES_RED_ZONE 128u
#define FRAMES_STEP 1u

#include <stdint.h>
#include <string.h>

/* The other words, and the one behind the image. */
static inline void frames_finish(uint8_t *image)
{
    const uint32_t words[4] = {7, 0, 832, 0}, end = 0x46505845;

    memcpy(image + 472, words, sizeof(words));
    memcpy(image + 832, &end, sizeof(end));
}
