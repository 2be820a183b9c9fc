/* SPDX-License-Identifier: MIT */
/*
 * crc32.c: a table for each half byte: 16 words that stay in the cache, and two steps a byte.
 */
#include "lib/crc32.h"

/* What half a byte that leaves the register adds to it. */
static const uint32_t steps[16] = {
    0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
    0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
};

uint32_t crc32(uint32_t sum, const void *data, size_t n)
{
    const uint8_t *bytes = data;

    sum = ~sum;
    for (size_t i = 0; i < n; i++) {
        sum ^= bytes[i];
        sum = sum >> 4 ^ steps[sum & 15];
        sum = sum >> 4 ^ steps[sum & 15];
    }
    return ~sum;
}
