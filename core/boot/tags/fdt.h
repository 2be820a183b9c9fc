/* SPDX-License-Identifier: MIT */
/*
 * fdt.h: the newer format: a flattened device tree, and a walk over it that believes nothing.
 *
 * A device tree describes the board as a file system would: nodes with names, in nodes, and
 * properties (a name and some bytes) in each. Flattened, it is one piece of memory with a header
 * and three blocks, which the header finds by their offsets. All numbers are big-endian.
 *
 *     header          magic 0xd00dfeed, size of it all, offsets, versions, sizes of blocks
 *     reservations    pairs of 64-bit numbers, start and size of memory in use; 0, 0 ends them
 *     structure       32-bit tokens, each at a multiple of 4:
 *                         1  a node begins; its name, with a NUL, follows
 *                         3  a property; its length, the offset of its name, its bytes follow
 *                         4  nothing
 *                         2  the node ends
 *                         9  the tree ends
 *     strings         names of properties, each with a NUL
 *
 * A node's properties come before the nodes in it. So the tree
 *
 *     / { #size-cells = <1>; chosen { bootargs = "quiet"; }; };
 *
 * is the tokens 1 "" 3 4 0 <1> 1 "chosen" 3 6 12 "quiet" 2 2 9.
 *
 * The walk is a loop over the tokens: it needs no memory for the depth of the tree, so no depth is
 * too great for it. What the nodes mean is tree.c's to know.
 *
 * Source: Devicetree Specification 0.4, section 5.
 */
#pragma once

#include <hal/compiler.h>
#include <hal/mem.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FDT_MAGIC 0xd00dfeedu

/** A tree whose header has been checked: the blocks lie inside the bytes. */
struct fdt {
    const uint8_t *bytes;
    size_t size;         /**< that may be read: of the tree, or of the memory if that is less */
    uint32_t version;    /**< as the header says */
    const char *problem; /**< what is wrong with the header, or NULL */
    size_t structure, structure_end;
    size_t strings, strings_end;
    size_t reservations, reservations_end;
};

/**
 * Checks the header of the tree at `tags`, of which `bytes` may be read, and fills `fdt`. Returns
 * 0, maybe with a `problem` that leaves something to read, or -EINVAL with one that does not. Any
 * context.
 */
HAL_MUST_CHECK int fdt_open(const void *tags, size_t bytes, struct fdt *fdt);

/** Entry `index` of the reservations. -ENOENT: the end; -EINVAL: the block ends without one. Any
 * context. */
HAL_MUST_CHECK int fdt_reservation(const struct fdt *fdt, size_t index, struct hal_range *range);

enum fdt_token { FDT_BEGIN_NODE = 1, FDT_END_NODE = 2, FDT_PROPERTY = 3, FDT_NOP = 4, FDT_END = 9 };

/** A place in the structure block. */
struct fdt_cursor {
    const struct fdt *fdt;
    size_t at;
    unsigned depth;      /**< nodes that have begun and not ended */
    bool root_seen;      /**< a node has begun */
    bool after_child;    /**< the node that we are in has had a node in it */
    const char *problem; /**< why it did not go on, or NULL */
};

struct fdt_item {
    enum fdt_token token;
    unsigned depth;       /**< of the node: 0 is the root */
    const char *name;     /**< of a node that begins, or a property; ends inside the tree */
    const uint8_t *value; /**< of a property */
    uint32_t bytes;       /**< of its value */
    const char *flaw;     /**< why this property should not be used, or NULL */
};

/** A cursor at the start of the structure block. */
struct fdt_cursor fdt_begin(const struct fdt *fdt);

/**
 * Reads the next beginning, property or end of a node, and moves on. Returns 0; -ENOENT at the end
 * of the tree; -EINVAL where the block is broken: the cursor's `problem` says why. Any context.
 */
HAL_MUST_CHECK int fdt_next(struct fdt_cursor *cursor, struct fdt_item *item);
