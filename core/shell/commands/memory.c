/* SPDX-License-Identifier: MIT */
/*
 * memory.c: atags: what the boot loader said about the machine.
 */
#include "boot/tags/atags.h"
#include "boot/tags/tags.h"
#include "lib/string.h"
#include "shell/commands/command.h"
#include "thread/thread.h"
#include "tty/tty.h"

#include <hal/boot.h>
#include <hal/errno.h>

static void atag_print_cmdline(const struct atag *atag)
{
    size_t n = string_length_max((const char *)atag->data, (size_t)atag->words * 4);

    tty_print("CMDLINE   \"");
    for (size_t i = 0; i < n; i++)
        tty_print("%c", char_is_print((char)atag->data[i]) ? (char)atag->data[i] : '?');
    tty_print("\"\n");
}

static void atag_print_mem(const char *name, const struct atag *atag)
{
    tty_print("%s %u KiB (0x%x bytes) at 0x%x\n", name, atag_word(atag, 0) / 1024,
              atag_word(atag, 0), atag_word(atag, 1));
}

static void atag_print(const struct atag *atag)
{
    if (atag->tag == ATAG_CORE && atag->words == 0)
        tty_print("CORE      without content\n");
    else if (atag->tag == ATAG_CORE && atag->words >= 3)
        tty_print("CORE      flags 0x%x, page size %u, root device 0x%x\n", atag_word(atag, 0),
                  atag_word(atag, 1), atag_word(atag, 2));
    else if (atag->tag == ATAG_MEM && atag->words >= 2)
        atag_print_mem("MEM      ", atag);
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

static void atags_print_list(const void *tags, size_t bytes)
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

void command_atags(struct job *job)
{
    size_t bytes;
    const void *tags = hal_boot_tags(&bytes);

    if (!command_takes_none(job))
        return;
    switch (tags_format(tags, bytes)) {
    case TAGS_ATAGS:
        atags_print_list(tags, bytes);
        break;
    case TAGS_DEVICE_TREE:
        tty_print("The boot loader left a device tree, not ATAGS. It is not read further.\n");
        break;
    case TAGS_MISSING:
        tty_print("The boot loader left no boot tags.\n");
        break;
    default:
        tty_print("What lies where boot tags should be is neither ATAGS nor a device tree.\n");
    }
}
