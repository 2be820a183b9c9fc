/* SPDX-License-Identifier: MIT */
/*
 * tree_builder.h: flattened device trees for tests, good ones and, by putting other words into
 * them afterwards, bad ones.
 *
 *     builder_start(&b);                      the header, later
 *     builder_reserve(&b, start, bytes);      as often as wanted, before the first node
 *     builder_node(&b, ""); ... builder_end(&b);
 *     builder_finish(&b);                     b.bytes, b.size
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define BUILDER_MAX 65536u

/* Places of words in the header. */
enum builder_field {
    BUILDER_MAGIC = 0,
    BUILDER_TOTAL = 4,
    BUILDER_STRUCTURE = 8,
    BUILDER_STRINGS = 12,
    BUILDER_RESERVATIONS = 16,
    BUILDER_VERSION = 20,
    BUILDER_COMPATIBLE = 24,
    BUILDER_STRINGS_BYTES = 32,
    BUILDER_STRUCTURE_BYTES = 36
};

struct builder {
    uint8_t bytes[BUILDER_MAX];
    size_t size; /* so far; what does not fit is dropped */
    size_t structure;
    char strings[512];
    size_t strings_size;
};

void builder_start(struct builder *builder);
void builder_reserve(struct builder *builder, uint64_t start, uint64_t bytes);
void builder_node(struct builder *builder, const char *name);
void builder_end(struct builder *builder);
void builder_property(struct builder *builder, const char *name, const void *value, size_t bytes);
void builder_text(struct builder *builder, const char *name, const char *text);

/** A property of `count` 32-bit cells. */
void builder_cells(struct builder *builder, const char *name, const uint32_t *cells, size_t count);

/** A word of the structure, whatever it is. */
void builder_word(struct builder *builder, uint32_t word);

/** Ends the tree and fills in the header. */
void builder_finish(struct builder *builder);

/** The word at `at`, and a change of it. */
uint32_t builder_get(const struct builder *builder, size_t at);
void builder_put(struct builder *builder, size_t at, uint32_t word);

/** A root with `address` and `size` cells (1 or 2 each) and memory of `bytes` bytes at 0: open, so
 * that more can follow. */
void builder_root(struct builder *builder, uint32_t address, uint32_t size, uint64_t bytes);

/** A node called `name` with a `reg` of `count` ranges {start, bytes}, each number of so many
 * cells. It stays open. */
void builder_region(struct builder *builder, const char *name, uint32_t address, uint32_t size,
                    const uint64_t (*ranges)[2], size_t count);
