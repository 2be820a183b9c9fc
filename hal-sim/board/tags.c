/* SPDX-License-Identifier: MIT */
/*
 * tags.c: the boot tags of the simulated firmware: a list of ATAGs, or a flattened device tree.
 *
 * They say the same: where RAM is, and the kernel's command line. The tree is that of a Pi 3 as far
 * as this board goes: the serial port, and what the firmware keeps of RAM. `dtc -I dtb` prints it.
 *
 * Source: Linux, Documentation/arm/booting.rst; Devicetree Specification 0.4, section 5.
 */
#include "board/tags.h"

#include "board/machine.h"

#include <hal/machine.h>
#include <hal/runtime.h>

/* ---- ATAGs: a length in words with this header, a name, words ---- */

enum { ATAG_NONE = 0, ATAG_CORE = 0x54410001, ATAG_MEM = 0x54410002, ATAG_CMDLINE = 0x54410009 };

/* What the longest command line leaves of this is enough for everything else. */
enum { LIST_BYTES = SIM_COMMAND_LINE_MAX + 64, TREE_BYTES = SIM_COMMAND_LINE_MAX + 2048 };

static size_t text_length(const char *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

static uint32_t *put_tag(uint32_t *at, uint32_t name, const void *data, size_t bytes)
{
    uint32_t words = (uint32_t)((bytes + 3) / 4);
    at[0] = name == ATAG_NONE ? 0 : words + 2;
    at[1] = name;
    memset(at + 2, 0, words * 4);
    memcpy(at + 2, data, bytes);
    return at + 2 + words;
}

static void place_list(const char *command_line)
{
    uint32_t list[LIST_BYTES / 4], *at = list;
    uint32_t core[3] = {0, HAL_PAGE_SIZE, 0};
    uint32_t mem[2] = {(uint32_t)machine.ram_bytes, 0};
    size_t length = text_length(command_line);
    at = put_tag(at, ATAG_CORE, core, sizeof core);
    at = put_tag(at, ATAG_MEM, mem, sizeof mem);
    if (length)
        at = put_tag(at, ATAG_CMDLINE, command_line, length + 1);
    at = put_tag(at, ATAG_NONE, core, 0);
    size_t bytes = (size_t)(at - list) * sizeof *at;
    memcpy(sim_memory_tags(bytes), list, bytes);
}

/* ---- the device tree ---- */

enum { FDT_BEGIN_NODE = 1, FDT_END_NODE = 2, FDT_PROPERTY = 3, FDT_END = 9 };
enum { FDT_MAGIC = 0xd00dfeed, FDT_VERSION = 17, FDT_COMPATIBLE = 16 };
enum { HEADER_BYTES = 40, RESERVATIONS = 2, STRUCTURE_AT = HEADER_BYTES + RESERVATIONS * 16 };

/* The strings block: all names of properties. */
static const char names[] = "#address-cells\0#size-cells\0compatible\0model\0device_type\0reg\0"
                            "ranges\0no-map\0bootargs\0stdout-path\0serial0";

/* A tree that is being written. */
struct tree {
    uint8_t bytes[TREE_BYTES];
    size_t at;
};

static void put_word_at(struct tree *tree, size_t at, uint32_t word)
{
    for (unsigned i = 0; i < 4; i++)
        tree->bytes[at + i] = (uint8_t)(word >> (24 - 8 * i));
}

static void put_word(struct tree *tree, uint32_t word)
{
    put_word_at(tree, tree->at, word);
    tree->at += 4;
}

/* Bytes, and zeros to the next multiple of 4. */
static void put_bytes(struct tree *tree, const void *bytes, size_t n)
{
    memcpy(tree->bytes + tree->at, bytes, n);
    for (tree->at += n; tree->at % 4; tree->at++)
        tree->bytes[tree->at] = 0;
}

static uint32_t name_offset(const char *name)
{
    size_t at = 0, length = text_length(name);
    while (text_length(names + at) != length || memcmp(names + at, name, length) != 0)
        at += text_length(names + at) + 1;
    return (uint32_t)at;
}

static void begin(struct tree *tree, const char *name)
{
    put_word(tree, FDT_BEGIN_NODE);
    put_bytes(tree, name, text_length(name) + 1);
}

static void end(struct tree *tree)
{
    put_word(tree, FDT_END_NODE);
}

static void put_property(struct tree *tree, const char *name, const void *value, size_t bytes)
{
    put_word(tree, FDT_PROPERTY);
    put_word(tree, (uint32_t)bytes);
    put_word(tree, name_offset(name));
    put_bytes(tree, value, bytes);
}

static void put_text(struct tree *tree, const char *name, const char *text)
{
    put_property(tree, name, text, text_length(text) + 1);
}

static void put_cells(struct tree *tree, const char *name, const uint32_t *cells, unsigned count)
{
    put_word(tree, FDT_PROPERTY);
    put_word(tree, count * 4);
    put_word(tree, name_offset(name));
    for (unsigned i = 0; i < count; i++)
        put_word(tree, cells[i]);
}

static void put_pair(struct tree *tree, const char *name, uint32_t first, uint32_t second)
{
    put_cells(tree, name, (uint32_t[]){first, second}, 2);
}

/* Addresses and sizes of one word each, as in the trees of the Pi 3. */
static void put_cell_counts(struct tree *tree)
{
    put_cells(tree, "#address-cells", (uint32_t[]){1}, 1);
    put_cells(tree, "#size-cells", (uint32_t[]){1}, 1);
}

static void put_chosen(struct tree *tree, const char *command_line)
{
    begin(tree, "aliases");
    put_text(tree, "serial0", "/soc@7e000000/serial@7e201000");
    end(tree);
    begin(tree, "chosen");
    put_text(tree, "bootargs", command_line);
    put_text(tree, "stdout-path", "serial0:115200n8");
    end(tree);
}

static void put_memory(struct tree *tree)
{
    begin(tree, "memory@0");
    put_text(tree, "device_type", "memory");
    put_pair(tree, "reg", 0, (uint32_t)machine.ram_bytes);
    end(tree);
    begin(tree, "reserved-memory");
    put_cell_counts(tree);
    put_property(tree, "ranges", "", 0);
    begin(tree, "firmware@0");
    put_pair(tree, "reg", 0, SIM_RESERVED);
    put_property(tree, "no-map", "", 0);
    end(tree);
    end(tree);
}

static void put_soc(struct tree *tree)
{
    static const char compatible[] = "arm,pl011\0arm,primecell";
    begin(tree, "soc@7e000000");
    put_text(tree, "compatible", "simple-bus");
    put_cell_counts(tree);
    put_cells(tree, "ranges", (uint32_t[]){0x7e000000, 0x3f000000, 0x1000000}, 3);
    begin(tree, "serial@7e201000");
    put_property(tree, "compatible", compatible, sizeof compatible);
    put_pair(tree, "reg", 0x7e201000, 0x200);
    end(tree);
    end(tree);
}

static void put_structure(struct tree *tree, const char *command_line)
{
    static const char compatible[] = "raspberrypi,3-model-b\0brcm,bcm2837";
    begin(tree, "");
    put_cell_counts(tree);
    put_property(tree, "compatible", compatible, sizeof compatible);
    put_text(tree, "model", "Raspberry Pi 3 Model B (simulated)");
    put_chosen(tree, command_line);
    put_memory(tree);
    put_soc(tree);
    end(tree);
    put_word(tree, FDT_END);
}

/* The first page, as a Pi's firmware reserves it for its stub, and the pair that ends the block. */
static void put_reservations(struct tree *tree)
{
    for (unsigned i = 0; i < RESERVATIONS * 4; i++)
        put_word(tree, i == 3 ? HAL_PAGE_SIZE : 0);
}

static void put_header(struct tree *tree, size_t structure_end)
{
    const uint32_t header[HEADER_BYTES / 4] = {
        FDT_MAGIC,      (uint32_t)tree->at,
        STRUCTURE_AT,   (uint32_t)structure_end,
        HEADER_BYTES,   FDT_VERSION,
        FDT_COMPATIBLE, 0,
        sizeof names,   (uint32_t)structure_end - STRUCTURE_AT,
    };
    for (unsigned i = 0; i < HEADER_BYTES / 4; i++)
        put_word_at(tree, i * 4, header[i]);
}

static void place_tree(const char *command_line)
{
    struct tree tree;
    tree.at = HEADER_BYTES;
    put_reservations(&tree);
    put_structure(&tree, command_line);
    size_t structure_end = tree.at;
    put_bytes(&tree, names, sizeof names);
    put_header(&tree, structure_end);
    memcpy(sim_memory_tags(tree.at), tree.bytes, tree.at);
}

void sim_tags_place(const struct sim_tags *tags)
{
    if (tags->raw)
        memcpy(sim_memory_tags(tags->raw_bytes), tags->raw, tags->raw_bytes);
    else if (tags->command_line && tags->tree)
        place_tree(tags->command_line);
    else if (tags->command_line)
        place_list(tags->command_line);
    /* Otherwise, as on a board without tags, the page holds garbage and nobody says so. */
}
