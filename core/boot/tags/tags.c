/* SPDX-License-Identifier: MIT */
/*
 * tags.c: which format it is, and the gathering of what the readers find.
 */
#include "boot/tags/tags.h"

#include "boot/tags/atags.h"
#include "boot/tags/fdt.h"
#include "boot/tags/reader.h"
#include "lib/bytes.h"
#include "lib/format.h"
#include "lib/string.h"

#include <hal/runtime.h>

enum tags_format tags_format(const void *tags, size_t bytes)
{
    const uint8_t *p = tags;

    if (!p || bytes < 8)
        return TAGS_MISSING;
    if (be32(p) == FDT_MAGIC)
        return TAGS_DEVICE_TREE;
    if (le32(p + 4) == ATAG_CORE)
        return TAGS_ATAGS;
    return le32(p) == 0 && le32(p + 4) == 0 ? TAGS_MISSING : TAGS_UNKNOWN;
}

void tags_add_flaw(struct boot_info *info, const char *format, ...)
{
    va_list args;

    if (info->flaws++ > 0)
        return;
    va_start(args, format);
    format_text_va(info->problem, sizeof info->problem, format, args);
    va_end(args);
    /* A name from the tags may be part of the sentence, and hold anything. */
    for (char *c = info->problem; *c; c++)
        if (!char_is_print(*c))
            *c = '?';
}

void tags_add_ram(struct boot_info *info, uint64_t start, uint64_t bytes)
{
    if (info->ram_count == BOOT_RAM_MAX)
        tags_add_flaw(info, "there are more than %d memory ranges, and the others were left out",
                      BOOT_RAM_MAX);
    else
        info->ram[info->ram_count++] = (struct hal_range){.start = start, .bytes = bytes};
}

static uint64_t range_last(const struct hal_range *range)
{
    uint64_t more = range->bytes > 0 ? range->bytes - 1 : 0;

    return more > UINT64_MAX - range->start ? UINT64_MAX : range->start + more;
}

/* The smallest range that covers both, as far as 64 bits can say. */
static struct hal_range hull(const struct hal_range *a, const struct hal_range *b)
{
    uint64_t start = a->start < b->start ? a->start : b->start;
    uint64_t last = range_last(a) > range_last(b) ? range_last(a) : range_last(b);

    return (struct hal_range){.start = start,
                              .bytes = last - start == UINT64_MAX ? UINT64_MAX : last - start + 1};
}

/* Makes room for `range` by widening the range that grows least. */
static void cover(struct boot_info *info, const struct hal_range *range)
{
    uint64_t least = UINT64_MAX;
    unsigned best = 0;

    for (unsigned i = 0; i < info->reserved_count; i++) {
        uint64_t growth = hull(&info->reserved[i], range).bytes - info->reserved[i].bytes;

        if (growth < least) {
            least = growth;
            best = i;
        }
    }
    info->reserved[best] = hull(&info->reserved[best], range);
}

void tags_add_reserved(struct boot_info *info, uint64_t start, uint64_t bytes)
{
    struct hal_range range = {.start = start, .bytes = bytes};

    if (info->reserved_count < BOOT_RESERVED_MAX) {
        info->reserved[info->reserved_count++] = range;
        return;
    }
    tags_add_flaw(info, "there are more than %d reserved ranges, and neighbours were joined",
                  BOOT_RESERVED_MAX);
    if (bytes > 0) /* nothing is kept for nothing, wherever it claims to be */
        cover(info, &range);
}

/* A tab or the end of a line parts words as well as a blank does. */
static char cmdline_char(char c)
{
    if (char_is_space(c))
        return ' ';
    return char_is_print(c) ? c : '?';
}

void tags_set_cmdline(struct boot_info *info, const void *text, size_t bytes)
{
    const char *from = text;
    size_t n = string_length_max(from, bytes);

    if (n >= sizeof info->cmdline) {
        n = sizeof info->cmdline - 1;
        tags_add_flaw(info, "the kernel command line is longer than %zu bytes and was cut", n);
    }
    for (size_t i = 0; i < n; i++)
        info->cmdline[i] = cmdline_char(from[i]);
    info->cmdline[n] = '\0';
}

void tags_read(const void *tags, size_t bytes, struct boot_info *info)
{
    memset(info, 0, sizeof *info);
    info->format = tags_format(tags, bytes);
    switch (info->format) {
    case TAGS_ATAGS:
        atags_read(tags, bytes, info);
        break;
    case TAGS_DEVICE_TREE:
        tree_read(tags, bytes, info);
        break;
    case TAGS_MISSING:
        tags_add_flaw(info, "the firmware left no boot tags");
        break;
    default:
        tags_add_flaw(info, "what the firmware left is neither a list of ATAGs nor a device tree");
    }
}
