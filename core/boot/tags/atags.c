/* SPDX-License-Identifier: MIT */
/*
 * atags.c: the walk over the ATAGs. Each step moves forward by at least a header and never past the
 * end, so it ends whatever the bytes are.
 */
#include "boot/tags/atags.h"

#include "boot/tags/reader.h"
#include "lib/bytes.h"

#include <hal/errno.h>

#define HEADER_BYTES 8u

int atag_next(struct atag_cursor *cursor, struct atag *atag)
{
    uint32_t words;

    if (cursor->bytes < HEADER_BYTES)
        return -EINVAL;
    words = le32(cursor->at);
    atag->tag = le32(cursor->at + 4);
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
    return le32(atag->data + (size_t)index * 4);
}

static void atags_read_one(const struct atag *atag, struct boot_info *info)
{
    if (atag->tag == ATAG_CMDLINE)
        tags_set_cmdline(info, atag->data, (size_t)atag->words * 4);
    else if (atag->tag == ATAG_MEM && atag->words >= 2)
        tags_add_ram(info, atag_word(atag, 1), atag_word(atag, 0));
    else if (atag->tag == ATAG_MEM)
        tags_add_flaw(info, "a MEM tag is too short and was left out");
    else if (atag->tag == ATAG_INITRD2 && atag->words >= 2)
        tags_add_reserved(info, atag_word(atag, 0), atag_word(atag, 1));
    else if (atag->tag == ATAG_INITRD2)
        tags_add_flaw(info, "an INITRD2 tag is too short and was left out");
}

void atags_read(const void *tags, size_t bytes, struct boot_info *info)
{
    struct atag_cursor cursor = {.at = tags, .bytes = bytes};
    struct atag atag;
    int error;

    while ((error = atag_next(&cursor, &atag)) == 0)
        atags_read_one(&atag, info);
    if (error != -ENOENT)
        tags_add_flaw(info, "the list of ATAGs has no end; what came before was used");
    info->bytes = (size_t)(cursor.at - (const uint8_t *)tags);
    info->bytes += cursor.bytes < HEADER_BYTES ? cursor.bytes : HEADER_BYTES;
}
