/* SPDX-License-Identifier: MIT */
/*
 * frames_aarch64.h: what frames.c has to know of AArch64.
 */
#pragma once

#define FRAMES_VECTORS 528u
#define FRAMES_MAGIC 0u
#define FRAMES_MAGIC_WORD 0x46508001u
#define FRAMES_SIZE_WORD 528u
#define FRAMES_FINISH(image) (void)(image)
#define FRAMES_SP 31u
#define FRAMES_FIRST 0u /* argument */
#define FRAMES_FLAGS 0xf0000000ull
#define FRAMES_LOOSE false
#define FRAMES_POPPED 0u
#define FRAMES_RED_ZONE 0u
#define FRAMES_STEP 16u
