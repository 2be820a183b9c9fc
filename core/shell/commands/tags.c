/* SPDX-License-Identifier: MIT */
/*
 * tags.c: the command tags: what the boot loader said about the board, as it said it.
 *
 * A list of ATAGs is shown tag by tag. Of a device tree, which may describe every device of the
 * board, the nodes are shown that the kernel reads: memory, what is reserved, /chosen. With -a, all
 * of it.
 */
#include "boot/boot.h"
#include "boot/tags/atags.h"
#include "boot/tags/fdt.h"
#include "boot/tags/tags.h"
#include "lib/bytes.h"
#include "lib/string.h"
#include "shell/commands/command.h"
#include "thread/thread.h"
#include "tty/tty.h"

#include <hal/boot.h>
#include <hal/errno.h>

#define INDENT_DEPTH 10u

/* Prints bytes that may be anything. */
static void print_text(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        tty_print("%c", char_is_print(text[i]) ? text[i] : '?');
}

/* ---- ATAGs ---- */

static void atag_print_cmdline(const struct atag *atag)
{
    const char *text = (const char *)atag->data;

    tty_print("CMDLINE   \"");
    print_text(text, string_length_max(text, (size_t)atag->words * 4));
    tty_print("\"\n");
}

static void atag_print(const struct atag *atag)
{
    if (atag->tag == ATAG_CORE && atag->words == 0)
        tty_print("CORE      without content\n");
    else if (atag->tag == ATAG_CORE && atag->words >= 3)
        tty_print("CORE      flags 0x%x, page size %u, root device 0x%x\n", atag_word(atag, 0),
                  atag_word(atag, 1), atag_word(atag, 2));
    else if (atag->tag == ATAG_MEM && atag->words >= 2)
        tty_print("MEM       %u KiB (0x%x bytes) at 0x%x\n", atag_word(atag, 0) / 1024,
                  atag_word(atag, 0), atag_word(atag, 1));
    else if (atag->tag == ATAG_INITRD2 && atag->words >= 2)
        tty_print("INITRD2   %u bytes at 0x%x\n", atag_word(atag, 1), atag_word(atag, 0));
    else if (atag->tag == ATAG_SERIAL && atag->words >= 2)
        tty_print("SERIAL    %08x%08x\n", atag_word(atag, 1), atag_word(atag, 0));
    else if (atag->tag == ATAG_REVISION && atag->words >= 1)
        tty_print("REVISION  0x%x\n", atag_word(atag, 0));
    else if (atag->tag == ATAG_CMDLINE)
        atag_print_cmdline(atag);
    else
        tty_print("0x%08x with %u words\n", atag->tag, atag->words);
}

static void atags_print(const void *tags, size_t bytes)
{
    struct atag_cursor cursor = {tags, bytes};
    struct atag atag;
    int error = 0;

    while (error == 0 && !thread_cancelled()) {
        error = atag_next(&cursor, &atag);
        if (error == 0)
            atag_print(&atag);
    }
    if (error == -ENOENT)
        tty_print("NONE\n");
    else if (error != 0)
        command_error("the list is broken from here on: a tag with an impossible size");
}

/* ---- a device tree ---- */

/* A property that holds text, or several. */
static bool value_is_text(const struct fdt_item *item)
{
    const char *text = (const char *)item->value;
    bool was_nul = true;

    for (uint32_t i = 0; i < item->bytes; i++) {
        if (!char_is_print(text[i]) && (text[i] != '\0' || was_nul))
            return false;
        was_nul = text[i] == '\0';
    }
    return item->bytes > 0 && was_nul;
}

static void value_print_text(const struct fdt_item *item)
{
    const char *text = (const char *)item->value;

    for (uint32_t at = 0; at < item->bytes && !thread_cancelled();) {
        size_t n = string_length_max(text + at, item->bytes - at);

        tty_print(at > 0 ? ", \"" : "\"");
        print_text(text + at, n);
        tty_print("\"");
        at += (uint32_t)n + 1;
    }
}

static void value_print_numbers(const struct fdt_item *item)
{
    bool words = item->bytes % 4 == 0;

    tty_print(words ? "<" : "[");
    for (uint32_t at = 0; at < item->bytes && !thread_cancelled(); at += words ? 4 : 1)
        tty_print(words ? "%s0x%x" : "%s%02x", at > 0 ? " " : "",
                  words ? be32(item->value + at) : item->value[at]);
    tty_print(words ? ">" : "]");
}

/* A tree may be deeper than a terminal is wide. */
static void print_indent(unsigned depth)
{
    tty_print("%*s", (int)(depth < INDENT_DEPTH ? depth : INDENT_DEPTH) * 4, "");
}

static void property_print(const struct fdt_item *item)
{
    print_indent(item->depth + 1);
    print_text(item->name, string_length(item->name));
    if (item->bytes > 0)
        tty_print(" = ");
    if (value_is_text(item))
        value_print_text(item);
    else if (item->bytes > 0)
        value_print_numbers(item);
    tty_print(";\n");
}

/* Whether the kernel reads a child of the root, and so what is in it. */
static bool is_read(const char *name)
{
    return string_equal(name, "chosen") || string_equal(name, "reserved-memory") ||
           string_equal(name, "memory") || string_starts_with(name, "memory@");
}

/* Prints the beginning, the end or a property of a node, in the manner of a source file. */
static void item_print(const struct fdt_item *item)
{
    if (item->token == FDT_PROPERTY) {
        property_print(item);
        return;
    }
    print_indent(item->depth);
    if (item->token == FDT_END_NODE) {
        tty_print("};\n");
        return;
    }
    print_text(item->depth > 0 ? item->name : "/", item->depth > 0 ? string_length(item->name) : 1);
    tty_print(" {\n");
}

static void tree_print_nodes(const struct fdt *fdt, bool all)
{
    struct fdt_cursor cursor = fdt_begin(fdt);
    struct fdt_item item;
    bool shown = true;
    int error = 0;

    while (error == 0 && !thread_cancelled()) {
        error = fdt_next(&cursor, &item);
        if (error == 0 && item.depth == 1 && item.token == FDT_BEGIN_NODE)
            shown = all || is_read(item.name);
        if (error == 0 && (shown || item.depth == 0))
            item_print(&item);
    }
    if (error != 0 && error != -ENOENT)
        command_error("byte %zu: %s", cursor.at, cursor.problem);
}

static void tree_print(const void *tags, size_t bytes, bool all)
{
    struct hal_range range;
    struct fdt fdt;
    int error = fdt_open(tags, bytes, &fdt);

    if (error != 0) {
        command_error("a device tree, but %s", fdt.problem);
        return;
    }
    tty_print("device tree, version %u, %zu bytes\n", fdt.version, fdt.size);
    for (size_t i = 0; fdt_reservation(&fdt, i, &range) == 0 && !thread_cancelled(); i++)
        tty_print("reserved: 0x%llx bytes at 0x%llx\n", (unsigned long long)range.bytes,
                  (unsigned long long)range.start);
    tree_print_nodes(&fdt, all);
}

/* ---- both ---- */

static void tags_print_flaws(void)
{
    const struct boot_info *info = boot_tags();

    if (info->flaws > 0)
        tty_print("the kernel found: %s\n", info->problem);
    if (info->flaws > 1)
        tty_print("and %u more flaws\n", info->flaws - 1);
}

void command_tags(struct job *job)
{
    bool all = job->args.count == 2 && string_equal(job->args.words[1], "-a");
    size_t bytes;
    const void *tags = hal_boot_tags(&bytes);

    if (job->args.count > 1 && !all) {
        command_usage(job, "%s takes no arguments but -a", job->command->name);
        return;
    }
    if (boot_tags()->format == TAGS_ATAGS)
        atags_print(tags, bytes);
    else if (boot_tags()->format == TAGS_DEVICE_TREE)
        tree_print(tags, bytes, all);
    tags_print_flaws();
}
