/* SPDX-License-Identifier: MIT */
/*
 * bytes.h: numbers in the byte order and at the odd places where disks and messages keep them.
 *
 * Little-endian whatever the processor is, at any alignment. The compiler makes one load of each.
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
