/* SPDX-License-Identifier: MIT */
/*
 * tree_builder.c: see tree_builder.h.
 */
#include "tree_builder.h"

#include <string.h>

#define HEADER_BYTES 40

static void append(struct builder *builder, const void *bytes, size_t n)
{
    if (n > BUILDER_MAX - builder->size)
        return;
    memcpy(builder->bytes + builder->size, bytes, n);
    builder->size += n;
}

static void append_word(struct builder *builder, uint32_t word)
{
    const uint8_t bytes[] = {(uint8_t)(word >> 24), (uint8_t)(word >> 16), (uint8_t)(word >> 8),
                             (uint8_t)word};

    append(builder, bytes, 4);
}

static void append_padding(struct builder *builder)
{
    append(builder, "\0\0\0", (4 - builder->size % 4) % 4);
}

void builder_start(struct builder *builder)
{
    memset(builder, 0, sizeof *builder);
    builder->size = HEADER_BYTES;
}

void builder_reserve(struct builder *builder, uint64_t start, uint64_t bytes)
{
    append_word(builder, (uint32_t)(start >> 32));
    append_word(builder, (uint32_t)start);
    append_word(builder, (uint32_t)(bytes >> 32));
    append_word(builder, (uint32_t)bytes);
}

/* The first node ends the reservations. */
static void begin_structure(struct builder *builder)
{
    if (builder->structure > 0)
        return;
    builder_reserve(builder, 0, 0);
    builder->structure = builder->size;
}

void builder_word(struct builder *builder, uint32_t word)
{
    begin_structure(builder);
    append_word(builder, word);
}

void builder_node(struct builder *builder, const char *name)
{
    builder_word(builder, 1);
    append(builder, name, strlen(name) + 1);
    append_padding(builder);
}

void builder_end(struct builder *builder)
{
    builder_word(builder, 2);
}

/* Where `name` is among the strings, maybe added. */
static uint32_t name_offset(struct builder *builder, const char *name)
{
    size_t at = 0, bytes = strlen(name) + 1;

    while (at < builder->strings_size && strcmp(builder->strings + at, name) != 0)
        at += strlen(builder->strings + at) + 1;
    if (at == builder->strings_size && bytes <= sizeof builder->strings - at) {
        memcpy(builder->strings + at, name, bytes);
        builder->strings_size += bytes;
    }
    return (uint32_t)at;
}

void builder_property(struct builder *builder, const char *name, const void *value, size_t bytes)
{
    builder_word(builder, 3);
    builder_word(builder, (uint32_t)bytes);
    builder_word(builder, name_offset(builder, name));
    append(builder, value, bytes);
    append_padding(builder);
}

void builder_text(struct builder *builder, const char *name, const char *text)
{
    builder_property(builder, name, text, strlen(text) + 1);
}

void builder_cells(struct builder *builder, const char *name, const uint32_t *cells, size_t count)
{
    builder_word(builder, 3);
    builder_word(builder, (uint32_t)count * 4);
    builder_word(builder, name_offset(builder, name));
    for (size_t i = 0; i < count; i++)
        builder_word(builder, cells[i]);
}

void builder_finish(struct builder *builder)
{
    size_t end;

    builder_word(builder, 9);
    end = builder->size;
    append(builder, builder->strings, builder->strings_size);
    builder_put(builder, BUILDER_MAGIC, 0xd00dfeed);
    builder_put(builder, BUILDER_TOTAL, (uint32_t)builder->size);
    builder_put(builder, BUILDER_STRUCTURE, (uint32_t)builder->structure);
    builder_put(builder, BUILDER_STRINGS, (uint32_t)end);
    builder_put(builder, BUILDER_RESERVATIONS, HEADER_BYTES);
    builder_put(builder, BUILDER_VERSION, 17);
    builder_put(builder, BUILDER_COMPATIBLE, 16);
    builder_put(builder, BUILDER_STRINGS_BYTES, (uint32_t)builder->strings_size);
    builder_put(builder, BUILDER_STRUCTURE_BYTES, (uint32_t)(end - builder->structure));
}

uint32_t builder_get(const struct builder *builder, size_t at)
{
    const uint8_t *p = builder->bytes + at;

    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void builder_put(struct builder *builder, size_t at, uint32_t word)
{
    for (unsigned i = 0; i < 4; i++)
        builder->bytes[at + i] = (uint8_t)(word >> (24 - 8 * i));
}

static void put_number(struct builder *builder, uint64_t number, uint32_t cells)
{
    for (uint32_t i = cells; i > 2; i--)
        builder_word(builder, 0);
    if (cells >= 2)
        builder_word(builder, (uint32_t)(number >> 32));
    if (cells >= 1)
        builder_word(builder, (uint32_t)number);
}

void builder_region(struct builder *builder, const char *name, uint32_t address, uint32_t size,
                    const uint64_t (*ranges)[2], size_t count)
{
    builder_node(builder, name);
    builder_word(builder, 3);
    builder_word(builder, (uint32_t)count * (address + size) * 4);
    builder_word(builder, name_offset(builder, "reg"));
    for (size_t i = 0; i < count; i++) {
        put_number(builder, ranges[i][0], address);
        put_number(builder, ranges[i][1], size);
    }
}

void builder_root(struct builder *builder, uint32_t address, uint32_t size, uint64_t bytes)
{
    const uint64_t range[1][2] = {{0, bytes}};

    builder_node(builder, "");
    builder_cells(builder, "#address-cells", &address, 1);
    builder_cells(builder, "#size-cells", &size, 1);
    builder_region(builder, "memory@0", address, size, range, 1);
    builder_text(builder, "device_type", "memory");
    builder_end(builder);
}
