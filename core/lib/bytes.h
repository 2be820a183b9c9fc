/* SPDX-License-Identifier: MIT */
/*
 * bytes.h: numbers in the byte order and at the odd places where disks and messages keep them.
 *
 * le: the lowest byte first; be: the highest. Whatever the processor is, at any alignment. The
 * compiler makes one load of each.
 */
#pragma once

#include <stdint.h>

static inline uint16_t le16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline uint32_t le32(const uint8_t *bytes)
{
    return le16(bytes) | (uint32_t)le16(bytes + 2) << 16;
}

static inline uint32_t be32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static inline uint64_t be64(const uint8_t *bytes)
{
    return (uint64_t)be32(bytes) << 32 | be32(bytes + 4);
}
