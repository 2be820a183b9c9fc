/* SPDX-License-Identifier: MIT */
/*
 * tables.h: writes partition tables, right ones and wrong ones.
 */
#pragma once

#include <stdint.h>

#define TABLES_SECTOR 512u

/** Writes slot `index` of the table in `sector`, and the signature. */
void mbr_set(uint8_t *sector, unsigned index, uint8_t type, uint32_t first, uint32_t sectors);

/** Writes entry `index` of the array that begins at `array`; type 0x0C, 0xEF, 0x83 or other. */
void gpt_set(uint8_t *array, unsigned index, uint8_t type, uint64_t first, uint64_t last);

/** Writes the header in `sector`, which lies at `at`, for an array of 128 entries. */
void gpt_header(uint8_t *sector, uint64_t at, uint64_t other, uint64_t entries, uint64_t sectors);

/** Sets both checksums of the header, the array's `bytes` bytes being at `array`. */
void gpt_seal(uint8_t *sector, const uint8_t *array, uint32_t bytes);
