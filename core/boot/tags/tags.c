/* SPDX-License-Identifier: MIT */
/*
 * tags.c: the walk over the ATAGs. Each step moves forward by at least a header and never past the
 * end, so it ends whatever the bytes are.
 */
#include "boot/tags.h"

#include "lib/string.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define HEADER_BYTES 8u
#define DEVICE_TREE_BE 0xedfe0dd0u /* 0xd00dfeed read as a little-endian word */

static uint32_t read_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

enum tags_format tags_format(const void *tags, size_t bytes)
{
    const uint8_t *p = tags;

    if (!p || bytes < HEADER_BYTES)
        return TAGS_MISSING;
    if (read_le32(p) == DEVICE_TREE_BE)
        return TAGS_DEVICE_TREE;
    if (read_le32(p + 4) == ATAG_CORE)
        return TAGS_ATAGS;
    return read_le32(p) == 0 && read_le32(p + 4) == 0 ? TAGS_MISSING : TAGS_UNKNOWN;
}

int atag_next(struct atag_cursor *cursor, struct atag *atag)
{
    uint32_t words;

    if (cursor->bytes < HEADER_BYTES)
        return -EINVAL;
    words = read_le32(cursor->at);
    atag->tag = read_le32(cursor->at + 4);
    if (words == 0 || atag->tag == ATAG_NONE)
        return -ENOENT;
    if (words < HEADER_BYTES / 4 || words > cursor->bytes / 4)
        return -EINVAL;
    atag->words = words - HEADER_BYTES / 4;
    atag->data = cursor->at + HEADER_BYTES;
    cursor->at += (size_t)words * 4;
    cursor->bytes -= (size_t)words * 4;
    return 0;
}

uint32_t atag_word(const struct atag *atag, uint32_t index)
{
    return read_le32(atag->data + (size_t)index * 4);
}

static void read_cmdline(const struct atag *atag, struct boot_info *info)
{
    size_t n = string_length_max((const char *)atag->data, (size_t)atag->words * 4);

    if (n >= sizeof info->cmdline) {
        n = sizeof info->cmdline - 1;
        info->problem = "the kernel command line is longer than 1,023 bytes and was cut";
    }
    for (size_t i = 0; i < n; i++)
        info->cmdline[i] = char_is_print((char)atag->data[i]) ? (char)atag->data[i] : '?';
    info->cmdline[n] = '\0';
}

static void read_mem(const struct atag *atag, struct boot_info *info)
{
    if (atag->words < 2) {
        info->problem = "a MEM tag is too short and was left out";
        return;
    }
    if (info->ram_count == BOOT_RAM_MAX) {
        info->problem = "there are more than 8 MEM tags, and the last ones were left out";
        return;
    }
    info->ram[info->ram_count++] =
        (struct hal_range){.start = atag_word(atag, 1), .bytes = atag_word(atag, 0)};
}

void tags_read(const void *tags, size_t bytes, struct boot_info *info)
{
    struct atag_cursor cursor = {.at = tags, .bytes = bytes};
    struct atag atag;
    int error;

    memset(info, 0, sizeof *info);
    info->format = tags_format(tags, bytes);
    if (info->format == TAGS_DEVICE_TREE)
        info->problem = "the firmware passed a device tree, not ATAGs "
                        "(a line `device_tree=` in config.txt asks for ATAGs)";
    else if (info->format == TAGS_MISSING)
        info->problem = "the firmware left no boot tags";
    else if (info->format == TAGS_UNKNOWN)
        info->problem = "what the firmware left is neither a list of ATAGs nor a device tree";
    if (info->format != TAGS_ATAGS)
        return;
    while ((error = atag_next(&cursor, &atag)) == 0) {
        if (atag.tag == ATAG_MEM)
            read_mem(&atag, info);
        else if (atag.tag == ATAG_CMDLINE)
            read_cmdline(&atag, info);
    }
    if (error != -ENOENT)
        info->problem = "the list of ATAGs has no end; what came before was used";
}
