/* SPDX-License-Identifier: MIT */
/*
 * tree.c: what the nodes of a device tree say about memory and the command line.
 *
 *     / {
 *         #address-cells = <1>;  #size-cells = <1>;      32-bit words of an address, of a size
 *         memory@0 {
 *             device_type = "memory";
 *             reg = <0x0 0x3c000000>;                    start and size, as often as needed
 *         };
 *         reserved-memory {
 *             #address-cells = <1>;  #size-cells = <1>;
 *             ranges;
 *             gpu@3b000000 { reg = <0x3b000000 0x1000000>;  no-map; };
 *         };
 *         chosen {
 *             bootargs = "quantum=5ms";
 *             linux,initrd-start = <0x8000000>;  linux,initrd-end = <0x8100000>;
 *         };
 *     };
 *
 * The cells of a node hold for the `reg` of the nodes in it; 2 and 1 where the root does not say,
 * the root's where /reserved-memory does not. Cells of 1 or 2 are read, that is 32 or 64 bits.
 *
 * All of this stands within two steps of the root, so nothing is kept about deeper nodes. A node is
 * judged when its properties have been seen: when a node in it begins, or it ends.
 *
 * A region under /reserved-memory is kept from use whether it says `no-map`, `reusable` or neither.
 * One without `reg` asks for memory to be found for it; as no driver of this kernel wants any, none
 * is. Not here: addresses that a `ranges` with content would translate.
 *
 * Source: Devicetree Specification 0.4, sections 2.3.5, 3.4, 3.5 and 3.6; Linux,
 * Documentation/devicetree/bindings/chosen.txt, for the initrd.
 */
#include "boot/tags/fdt.h"
#include "boot/tags/reader.h"
#include "lib/bytes.h"
#include "lib/string.h"

#include <hal/errno.h>

#define DEPTH_MAX 32u /* more is no board, though it can be read */
#define CELL_BYTES 4u

enum node_kind {
    NODE_OTHER, /* nothing in it is of interest, or it has been judged */
    NODE_ROOT,
    NODE_DEVICE, /* a child of the root, maybe memory */
    NODE_CHOSEN,
    NODE_RESERVED, /* /reserved-memory */
    NODE_REGION    /* a child of that */
};

struct cells {
    uint32_t address, size;
};

/* What the node whose properties are being read has said. */
struct node {
    enum node_kind kind;
    const char *name;
    bool is_memory; /* by its device_type */
    bool is_typed;  /* it has a device_type */
    bool is_disabled;
    const uint8_t *reg; /* NULL: none */
    uint32_t reg_bytes;
    bool has_initrd_start, has_initrd_end;
    uint64_t initrd_start, initrd_end;
};

struct reading {
    struct boot_info *info;
    struct cells root, reserved;
    bool in_reserved; /* the child of the root that we are in is /reserved-memory */
    bool too_deep;    /* said already */
    struct node node;
};

/* ---- values ---- */

static bool is_text(const struct fdt_item *item, const char *text)
{
    size_t bytes = string_length(text) + 1;

    return item->bytes >= bytes && string_equal((const char *)item->value, text);
}

/* One or two cells as a number. */
static uint64_t read_cells(const uint8_t *value, uint32_t cells)
{
    return cells == 1 ? be32(value) : be64(value);
}

static void read_number(struct reading *r, const struct fdt_item *item, bool *has, uint64_t *number)
{
    *has = item->bytes == CELL_BYTES || item->bytes == 2 * CELL_BYTES;
    if (*has)
        *number = read_cells(item->value, item->bytes / CELL_BYTES);
    else
        tags_add_flaw(r->info, "%s is %u bytes long, not 4 or 8, and was left out", item->name,
                      item->bytes);
}

static void read_cell_count(struct reading *r, const struct fdt_item *item, uint32_t *cells)
{
    if (item->bytes == CELL_BYTES)
        *cells = be32(item->value);
    else
        tags_add_flaw(r->info, "%s is %u bytes long, not 4, and was left out", item->name,
                      item->bytes);
}

/* ---- ranges ---- */

/* Adds what a `reg` lists, by `add`. */
static void read_reg(struct reading *r, const struct cells *cells,
                     void (*add)(struct boot_info *info, uint64_t start, uint64_t bytes))
{
    const struct node *node = &r->node;
    uint32_t entry = (cells->address + cells->size) * CELL_BYTES;

    if (cells->address < 1 || cells->address > 2 || cells->size < 1 || cells->size > 2) {
        tags_add_flaw(r->info, "%.24s was left out: addresses of %u and sizes of %u cells",
                      node->name, cells->address, cells->size);
        return;
    }
    if (node->reg_bytes == 0 || node->reg_bytes % entry != 0)
        tags_add_flaw(r->info, "the reg of %.24s has %u bytes, not a multiple of %u, and was cut",
                      node->name, node->reg_bytes, entry);
    for (uint32_t at = 0; node->reg_bytes - at >= entry; at += entry) {
        const uint8_t *value = node->reg + at;

        add(r->info, read_cells(value, cells->address),
            read_cells(value + cells->address * CELL_BYTES, cells->size));
    }
}

static bool is_memory(const struct node *node)
{
    if (node->is_typed)
        return node->is_memory;
    return string_equal(node->name, "memory") || string_starts_with(node->name, "memory@");
}

static void read_memory(struct reading *r)
{
    if (!is_memory(&r->node) || r->node.is_disabled)
        return;
    if (r->node.reg)
        read_reg(r, &r->root, tags_add_ram);
    else
        tags_add_flaw(r->info, "%.24s has no reg and was left out", r->node.name);
}

static void read_region(struct reading *r)
{
    if (r->node.reg && !r->node.is_disabled)
        read_reg(r, &r->reserved, tags_add_reserved);
}

static void read_initrd(struct reading *r)
{
    const struct node *node = &r->node;

    if (!node->has_initrd_start && !node->has_initrd_end)
        return;
    if (!node->has_initrd_start || !node->has_initrd_end || node->initrd_end < node->initrd_start)
        tags_add_flaw(r->info, "the initrd of /chosen has no start or no end, and was left out");
    else if (node->initrd_end > node->initrd_start)
        tags_add_reserved(r->info, node->initrd_start, node->initrd_end - node->initrd_start);
}

static void read_bootargs(struct reading *r, const struct fdt_item *item)
{
    tags_set_cmdline(r->info, item->value, item->bytes);
    if (string_length_max((const char *)item->value, item->bytes) == item->bytes)
        tags_add_flaw(r->info, "the command line has no NUL at its end; all of it was used");
}

/* ---- nodes ---- */

static enum node_kind kind_of(const struct reading *r, const struct fdt_item *item)
{
    if (item->depth == 0)
        return NODE_ROOT;
    if (item->depth == 2 && r->in_reserved)
        return NODE_REGION;
    if (item->depth != 1)
        return NODE_OTHER;
    if (string_equal(item->name, "chosen"))
        return NODE_CHOSEN;
    return string_equal(item->name, "reserved-memory") ? NODE_RESERVED : NODE_DEVICE;
}

/* The properties of the current node have been seen. */
static void judge_node(struct reading *r)
{
    if (r->node.kind == NODE_DEVICE)
        read_memory(r);
    else if (r->node.kind == NODE_REGION)
        read_region(r);
    else if (r->node.kind == NODE_CHOSEN)
        read_initrd(r);
    r->node.kind = NODE_OTHER;
}

static void node_begins(struct reading *r, const struct fdt_item *item)
{
    judge_node(r);
    r->node = (struct node){.kind = kind_of(r, item), .name = item->name};
    if (item->depth == 1) {
        r->in_reserved = r->node.kind == NODE_RESERVED;
        r->reserved = r->root;
    }
    if (item->depth > DEPTH_MAX && !r->too_deep) {
        r->too_deep = true;
        tags_add_flaw(r->info, "nodes of the device tree lie more than %u deep, and were passed",
                      DEPTH_MAX);
    }
}

static void root_property(struct reading *r, const struct fdt_item *item, struct cells *cells)
{
    if (string_equal(item->name, "#address-cells"))
        read_cell_count(r, item, &cells->address);
    else if (string_equal(item->name, "#size-cells"))
        read_cell_count(r, item, &cells->size);
}

static void device_property(struct node *node, const struct fdt_item *item)
{
    if (string_equal(item->name, "reg")) {
        node->reg = item->value;
        node->reg_bytes = item->bytes;
    } else if (string_equal(item->name, "device_type")) {
        node->is_typed = true;
        node->is_memory = is_text(item, "memory");
    } else if (string_equal(item->name, "status")) {
        node->is_disabled = !is_text(item, "okay") && !is_text(item, "ok");
    }
}

static void chosen_property(struct reading *r, const struct fdt_item *item)
{
    struct node *node = &r->node;

    if (string_equal(item->name, "bootargs"))
        read_bootargs(r, item);
    else if (string_equal(item->name, "linux,initrd-start"))
        read_number(r, item, &node->has_initrd_start, &node->initrd_start);
    else if (string_equal(item->name, "linux,initrd-end"))
        read_number(r, item, &node->has_initrd_end, &node->initrd_end);
}

static void property(struct reading *r, const struct fdt_item *item)
{
    if (item->flaw) {
        tags_add_flaw(r->info, "the device tree: %s; it was left out", item->flaw);
        return;
    }
    if (r->node.kind == NODE_ROOT)
        root_property(r, item, &r->root);
    else if (r->node.kind == NODE_RESERVED)
        root_property(r, item, &r->reserved);
    else if (r->node.kind == NODE_CHOSEN)
        chosen_property(r, item);
    else if (r->node.kind == NODE_DEVICE || r->node.kind == NODE_REGION)
        device_property(&r->node, item);
}

static void read_reservations(const struct fdt *fdt, struct boot_info *info)
{
    struct hal_range range;
    size_t index = 0;
    int error;

    while ((error = fdt_reservation(fdt, index, &range)) == 0) {
        tags_add_reserved(info, range.start, range.bytes);
        index++;
    }
    if (error != -ENOENT)
        tags_add_flaw(info, "the device tree's reservations have no end; those there were used");
}

void tree_read(const void *tags, size_t bytes, struct boot_info *info)
{
    struct reading reading = {.info = info, .root = {.address = 2, .size = 1}};
    struct fdt_cursor cursor;
    struct fdt_item item;
    struct fdt fdt;
    int error = fdt_open(tags, bytes, &fdt);

    if (fdt.problem)
        tags_add_flaw(info, "the device tree%s: %s", error ? " was not read" : "", fdt.problem);
    info->bytes = fdt.size;
    if (error)
        return;
    read_reservations(&fdt, info);
    cursor = fdt_begin(&fdt);
    while ((error = fdt_next(&cursor, &item)) == 0) {
        if (item.token == FDT_BEGIN_NODE)
            node_begins(&reading, &item);
        else if (item.token == FDT_PROPERTY)
            property(&reading, &item);
        else
            judge_node(&reading);
    }
    judge_node(&reading);
    if (error != -ENOENT)
        tags_add_flaw(info, "the device tree breaks off at byte %zu: %s; what came before was used",
                      cursor.at, cursor.problem);
}
