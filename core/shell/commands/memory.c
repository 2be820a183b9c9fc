/* SPDX-License-Identifier: MIT */
/*
 * memory.c: mem and atags: what the machine has and what was said about it.
 */
#include "boot/boot.h"
#include "boot/tags/atags.h"
#include "boot/tags/tags.h"
#include "lib/string.h"
#include "mem/frame.h"
#include "heap/heap.h"
#include "mem/memory.h"
#include "shell/commands/command.h"
#include "shell/debug.h"
#include "thread/thread.h"
#include "tty/tty.h"

#include <hal/boot.h>
#include <hal/errno.h>
#include <hal/mem.h>

#define MEM_DEFAULT 256u

/* ---- mem ---- */

static unsigned long long frames_to_kib(uint64_t frames)
{
    return (unsigned long long)frames * HAL_PAGE_SIZE / 1024;
}

static void mem_print_totals(void)
{
    struct frame_stats frames;
    struct heap_stats heap;

    frame_read_stats(&frames);
    heap_read_stats(&heap);
    tty_print("frames  %llu KiB, of which %llu KiB are free and %llu KiB used\n",
              frames_to_kib(frames.total), frames_to_kib(frames.free), frames_to_kib(frames.used));
    tty_print("        largest free run %llu KiB; the allocator itself takes %llu KiB\n",
              frames_to_kib(frames.largest_free_pages),
              frames_to_kib(frames.metadata));
    tty_print("heap    %llu KiB of frames; %llu bytes in %llu blocks in use\n",
              frames_to_kib(heap.frames), (unsigned long long)heap.live_bytes,
              (unsigned long long)heap.live_blocks);
    tty_print("        %llu allocations since power-on, %llu of them failed\n",
              (unsigned long long)heap.allocations, (unsigned long long)heap.failures);
}

static void mem_print_range(const char *what, const struct hal_range *range)
{
    tty_print("  %08llx .. %08llx  %8llu KiB  %s\n", (unsigned long long)range->start,
              (unsigned long long)(range->start + range->bytes - 1),
              (unsigned long long)range->bytes / 1024, what);
}

static void mem_print_map(void)
{
    const struct memory_map *usable = boot_memory();
    struct hal_range range;

    tty_print("map of physical memory:\n");
    for (unsigned i = 0; hal_mem_ram(i, &range); i++)
        mem_print_range("RAM", &range);
    for (unsigned i = 0; hal_mem_reserved(i, &range); i++)
        mem_print_range("reserved by the machine and the kernel's image", &range);
    for (unsigned i = 0; i < usable->count; i++)
        mem_print_range("managed by the kernel", &usable->ranges[i]);
}

static void mem_dump(uint64_t at, uint64_t bytes)
{
    uint8_t data[DEBUG_ROW_BYTES];
    char row[DEBUG_ROW_TEXT];

    while (bytes > 0 && !thread_cancelled()) {
        size_t n = bytes < DEBUG_ROW_BYTES ? (size_t)bytes : DEBUG_ROW_BYTES;
        int error = debug_read_memory(at, data, n);

        if (error != 0) {
            command_error("%08llx: %s", (unsigned long long)at, command_error_text(error));
            return;
        }
        debug_format_row(row, at, data, n);
        tty_write(row, string_length(row));
        at += n;
        bytes -= n;
    }
}

void command_mem(struct job *job)
{
    uint64_t at, bytes = MEM_DEFAULT;

    if (job->args.count > 3) {
        command_usage(job, "mem takes an address and a length");
    } else if (job->args.count == 1) {
        mem_print_totals();
        mem_print_map();
    } else if (command_number(job, job->args.words[1], UINT64_MAX, &at) &&
               (job->args.count == 2 ||
                command_number(job, job->args.words[2], UINT64_MAX, &bytes))) {
        mem_dump(at, bytes);
    }
}

/* ---- atags ---- */

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
