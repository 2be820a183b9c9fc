/* SPDX-License-Identifier: MIT */
/*
 * crc32.h: the checksum of Ethernet, zip, gzip and GPT (polynomial 0x04C11DB7, reflected).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * The checksum of `n` bytes. To continue one, pass the checksum of what came before as `sum`, and 0
 * at the beginning. Any context.
 */
uint32_t crc32(uint32_t sum, const void *data, size_t n);
