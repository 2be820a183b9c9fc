/* SPDX-License-Identifier: MIT */
/*
 * fdt.c: the header's checks, and the walk over the tokens. Each step moves forward by at least a
 * token and never past the block's end, so it ends whatever the bytes are.
 */
#include "boot/tags/fdt.h"

#include "lib/bytes.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define VERSION_OLDEST 16u /* the first whose nodes have names, not whole paths */
#define VERSION_NEWEST 17u /* with the size of the structure block, too */
#define HEADER_BYTES 40u   /* of version 17 */
#define RESERVATION_BYTES 16u

/* Offsets of the header's fields. */
enum {
    AT_TOTAL = 4,
    AT_STRUCTURE = 8,
    AT_STRINGS = 12,
    AT_RESERVATIONS = 16,
    AT_VERSION = 20,
    AT_COMPATIBLE = 24,
    AT_STRINGS_BYTES = 32,
    AT_STRUCTURE_BYTES = 36
};

static int header_problem(struct fdt *fdt, const char *problem)
{
    fdt->problem = problem;
    return -EINVAL;
}

/* The end of a block that should have `bytes` bytes: as far as there are any. */
static size_t block_end(struct fdt *fdt, size_t start, size_t bytes)
{
    if (bytes <= fdt->size - start)
        return start + bytes;
    if (!fdt->problem)
        fdt->problem = "a block of it reaches past its end; what is there was used";
    return fdt->size;
}

/* The reservations have no size; they end where the next block begins, at the latest. */
static size_t reservations_end(const struct fdt *fdt)
{
    size_t end = fdt->size;

    if (fdt->structure >= fdt->reservations && fdt->structure < end)
        end = fdt->structure;
    if (fdt->strings >= fdt->reservations && fdt->strings < end)
        end = fdt->strings;
    return end;
}

static int find_blocks(struct fdt *fdt)
{
    const uint8_t *header = fdt->bytes;

    fdt->structure = be32(header + AT_STRUCTURE);
    fdt->strings = be32(header + AT_STRINGS);
    fdt->reservations = be32(header + AT_RESERVATIONS);
    if (fdt->structure > fdt->size || fdt->strings > fdt->size || fdt->reservations > fdt->size)
        return header_problem(fdt, "a block of it lies outside it");
    if (fdt->structure < HEADER_BYTES || fdt->strings < HEADER_BYTES ||
        fdt->reservations < HEADER_BYTES)
        return header_problem(fdt, "a block of it lies in its header");
    if (fdt->structure % 4 != 0 || fdt->reservations % 8 != 0)
        return header_problem(fdt, "a block of it is misaligned");
    fdt->structure_end = fdt->size;
    if (fdt->version >= VERSION_NEWEST)
        fdt->structure_end = block_end(fdt, fdt->structure, be32(header + AT_STRUCTURE_BYTES));
    fdt->strings_end = block_end(fdt, fdt->strings, be32(header + AT_STRINGS_BYTES));
    fdt->reservations_end = reservations_end(fdt);
    return 0;
}

int fdt_open(const void *tags, size_t bytes, struct fdt *fdt)
{
    const uint8_t *header = tags;
    uint32_t total;

    memset(fdt, 0, sizeof *fdt);
    fdt->bytes = tags;
    fdt->size = bytes;
    if (bytes < HEADER_BYTES)
        return header_problem(fdt, "its header is cut short");
    if (be32(header) != FDT_MAGIC)
        return header_problem(fdt, "it has another magic number");
    total = be32(header + AT_TOTAL);
    if (total < HEADER_BYTES)
        return header_problem(fdt, "it claims to be smaller than its header");
    fdt->version = be32(header + AT_VERSION);
    if (fdt->version < VERSION_OLDEST || be32(header + AT_COMPATIBLE) > VERSION_NEWEST)
        return header_problem(fdt, "it is of a version that is not known");
    if (total > bytes)
        fdt->problem = "it claims more bytes than can be there; what is there was used";
    else
        fdt->size = total;
    return find_blocks(fdt);
}

int fdt_reservation(const struct fdt *fdt, size_t index, struct hal_range *range)
{
    const uint8_t *entry;

    if (index >= (fdt->reservations_end - fdt->reservations) / RESERVATION_BYTES)
        return -EINVAL;
    entry = fdt->bytes + fdt->reservations + index * RESERVATION_BYTES;
    *range = (struct hal_range){.start = be64(entry), .bytes = be64(entry + 8)};
    return range->start == 0 && range->bytes == 0 ? -ENOENT : 0;
}

struct fdt_cursor fdt_begin(const struct fdt *fdt)
{
    return (struct fdt_cursor){.fdt = fdt, .at = fdt->structure};
}

static int broken(struct fdt_cursor *cursor, const char *problem)
{
    cursor->problem = problem;
    return -EINVAL;
}

static size_t bytes_left(const struct fdt_cursor *cursor)
{
    return cursor->fdt->structure_end - cursor->at;
}

/* Moves on by `bytes`, which are there, and to the next multiple of 4. */
static void move_on(struct fdt_cursor *cursor, size_t bytes)
{
    size_t padding = (4 - bytes % 4) % 4;

    cursor->at += bytes;
    cursor->at += padding < bytes_left(cursor) ? padding : bytes_left(cursor);
}

static int begin_node(struct fdt_cursor *cursor, struct fdt_item *item)
{
    const char *name = (const char *)cursor->fdt->bytes + cursor->at;
    size_t length = string_length_max(name, bytes_left(cursor));

    if (cursor->depth == 0 && cursor->root_seen)
        return broken(cursor, "it has a second root");
    if (length == bytes_left(cursor))
        return broken(cursor, "the name of a node has no end");
    item->name = name;
    item->depth = cursor->depth++;
    cursor->root_seen = true;
    cursor->after_child = false;
    move_on(cursor, length + 1);
    return 0;
}

static int end_node(struct fdt_cursor *cursor, struct fdt_item *item)
{
    if (cursor->depth == 0)
        return broken(cursor, "a node ends that has not begun");
    item->depth = --cursor->depth;
    cursor->after_child = true;
    return 0;
}

/* The name at `offset` of the strings block, or NULL. */
static const char *name_at(const struct fdt *fdt, uint32_t offset)
{
    const char *block = (const char *)fdt->bytes + fdt->strings;
    size_t bytes = fdt->strings_end - fdt->strings;

    if (offset >= bytes || string_length_max(block + offset, bytes - offset) == bytes - offset)
        return NULL;
    return block + offset;
}

static int property(struct fdt_cursor *cursor, struct fdt_item *item)
{
    const uint8_t *head = cursor->fdt->bytes + cursor->at;

    if (cursor->depth == 0)
        return broken(cursor, "a property stands outside all nodes");
    if (bytes_left(cursor) < 8 || bytes_left(cursor) - 8 < be32(head))
        return broken(cursor, "a property reaches past the end");
    item->depth = cursor->depth - 1;
    item->bytes = be32(head);
    item->value = head + 8;
    item->name = name_at(cursor->fdt, be32(head + 4));
    if (!item->name)
        item->flaw = "the name of a property lies outside its block";
    else if (cursor->after_child)
        item->flaw = "a property stands behind the nodes of its node";
    if (!item->name)
        item->name = "";
    cursor->at += 8;
    move_on(cursor, item->bytes);
    return 0;
}

static int end_tree(struct fdt_cursor *cursor)
{
    if (!cursor->root_seen)
        return broken(cursor, "it has no root");
    if (cursor->depth > 0)
        return broken(cursor, "it ends inside a node");
    return -ENOENT;
}

int fdt_next(struct fdt_cursor *cursor, struct fdt_item *item)
{
    uint32_t token;

    do {
        if (bytes_left(cursor) < 4)
            return broken(cursor, "its structure has no end");
        token = be32(cursor->fdt->bytes + cursor->at);
        cursor->at += 4;
    } while (token == FDT_NOP);
    *item = (struct fdt_item){.token = (enum fdt_token)token};
    switch (token) {
    case FDT_BEGIN_NODE:
        return begin_node(cursor, item);
    case FDT_END_NODE:
        return end_node(cursor, item);
    case FDT_PROPERTY:
        return property(cursor, item);
    case FDT_END:
        return end_tree(cursor);
    default:
        cursor->at -= 4;
        return broken(cursor, "a token of it does not exist");
    }
}
