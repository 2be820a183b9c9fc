/* SPDX-License-Identifier: MIT */
/*
 * bootargs.c: looking for a word of the kernel command line in the firmware's message.
 *
 * The message is a list of ATAGs (each: length in words, number, content; the first has number
 * 0x54410001, the command line 0x54410009, the last length 0) or a flattened device tree
 * (big-endian, magic 0xd00dfeed, then its total size). In a tree the command line is a property
 * whose string lies there in one piece, so the bytes of the tree are searched without understanding
 * them; the words that are asked for occur nowhere else. Nothing in the message is believed: no
 * length moves the search outside the given bytes.
 */
#include "board/bootargs.h"

#include <hal/runtime.h>

#define TREE_MAGIC 0xd00dfeedu
#define TREE_HEADER 40u
#define TREE_PROPERTY 3u
#define ATAG_CORE 0x54410001u
#define ATAG_COMMANDLINE 0x54410009u
#define ATAG_HEADER 8u

static uint32_t bootargs_le32(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static uint32_t bootargs_be32(const uint8_t *bytes)
{
    return bytes[3] | (uint32_t)bytes[2] << 8 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[0] << 24;
}

bool bootargs_is_tree(const void *tags, size_t bytes)
{
    return bytes >= TREE_HEADER && bootargs_be32(tags) == TREE_MAGIC;
}

size_t bootargs_tree_bytes(const void *tags, size_t bytes)
{
    const uint8_t *header = tags;

    if (!bootargs_is_tree(tags, bytes)) {
        return 0;
    }
    uint32_t total = bootargs_be32(header + 4);
    return total >= TREE_HEADER && total <= BOOTARGS_TREE_LIMIT ? total : 0;
}

/** What may stand before or behind a word: blanks as core has them; a comma introduces options. */
static bool bootargs_is_edge(uint8_t byte, bool behind)
{
    return byte == 0 || byte == ' ' || (byte >= '\t' && byte <= '\r') || (behind && byte == ',');
}

/**
 * Whether a property's value begins at `at`: before it stand the mark of a property, its length and
 * the place of its name, four bytes each. In ATAGs the text begins with the command line.
 */
static bool bootargs_is_begin(const uint8_t *text, size_t at)
{
    return at == 0 || (at >= 12 && at % 4 == 0 && bootargs_be32(text + at - 12) == TREE_PROPERTY);
}

static bool bootargs_find(const uint8_t *text, size_t bytes, const char *word)
{
    size_t length = 0;

    while (word[length] != '\0') {
        length++;
    }
    for (size_t i = 0; i + length <= bytes; i++) {
        bool starts = bootargs_is_begin(text, i) || bootargs_is_edge(text[i - 1], false);
        bool ends = i + length == bytes || bootargs_is_edge(text[i + length], true);
        if (starts && ends && memcmp(text + i, word, length) == 0) {
            return true;
        }
    }
    return false;
}

static bool bootargs_find_atag(const uint8_t *list, size_t bytes, const char *word)
{
    size_t at = 0;

    while (bytes - at >= ATAG_HEADER) {
        size_t length = (size_t)bootargs_le32(list + at) * 4;
        uint32_t number = bootargs_le32(list + at + 4);
        if (length < ATAG_HEADER || length > bytes - at || (at == 0 && number != ATAG_CORE)) {
            return false;
        }
        if (number == ATAG_COMMANDLINE) {
            return bootargs_find(list + at + ATAG_HEADER, length - ATAG_HEADER, word);
        }
        at += length;
    }
    return false;
}

bool bootargs_have(const void *tags, size_t bytes, const char *word)
{
    size_t tree = bootargs_tree_bytes(tags, bytes);

    if (tree != 0) {
        return bootargs_find(tags, tree < bytes ? tree : bytes, word);
    }
    return bootargs_find_atag(tags, bytes, word);
}
