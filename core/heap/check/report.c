/* SPDX-License-Identifier: MIT */
/*
 * report.c: what is known of a block, for people: why a pointer cannot be freed, and what lies at
 * an address.
 */
#include "boot/panic.h"
#include "heap/check/block.h"
#include "heap/check/guard.h"
#include "lib/format.h"

#include <hal/inspect.h>

#define STEPS_MAX 1000000u

static bool holds(const struct guard_block *block, const char *address)
{
    const char *start = block->user == block->start ? block->user : block->user - GUARD_ZONE;

    return address >= start && address < block->user + block->bytes + block->rear;
}

static struct guard_block *search(const struct list *head, uint32_t magic, const char *address)
{
    unsigned steps = 0;

    if (!head->next)
        return NULL;
    for (struct list *link = head->next; link != head && steps++ < STEPS_MAX; link = link->next) {
        struct guard_block *block = list_entry(link, struct guard_block, link);

        if (block->magic != magic)
            break; /* something has written over it: do not follow it */
        if (holds(block, address))
            return block;
    }
    return NULL;
}

struct guard_block *guard_around(const void *address)
{
    struct guard_block *block = search(&guard.live, GUARD_LIVE, address);

    return block ? block : search(&guard.quarantine, GUARD_FREED, address);
}

/* A live block that `pointer` is not the start of. */
HAL_NORETURN static void refuse_inside(const struct guard_block *block, const char *pointer,
                                       const char *who, const char *file, unsigned line)
{
    ptrdiff_t offset = pointer - block->user;
    bool before = offset < 0;

    panic_at(file, (int)line,
             "%s at %s:%u: the pointer is not the start of a block but %td byte%s %s that of %u "
             "bytes allocated at %s:%u",
             who, file, line, before ? -offset : offset, offset == 1 || offset == -1 ? "" : "s",
             before ? "before" : "into", block->bytes, alloc_site_file(block->site),
             block->site->line);
}

HAL_NORETURN static void refuse_freed(const struct guard_block *block, const char *who,
                                      const char *file, unsigned line)
{
    panic_at(file, (int)line,
             "%s at %s:%u: the block of %u bytes allocated at %s:%u was freed before at %s:%u", who,
             file, line, block->bytes, alloc_site_file(block->site), block->site->line,
             alloc_file(block->freed_file), block->freed_line);
}

void guard_refuse(const void *pointer, const char *who, const char *path, unsigned line)
{
    const char *file = alloc_file(path);
    const struct guard_block *block;
    size_t usable;

    /* Nothing can be done but tell, so the lists are read as they are. */
    block = guard_around(pointer);
    if (block && block->magic == GUARD_FREED)
        refuse_freed(block, who, file, line);
    if (block)
        refuse_inside(block, pointer, who, file, line);
    if (guard.allocator->find(pointer, &usable) == HEAP_FOREIGN)
        panic_at(file, (int)line, "%s at %s:%u: the pointer is none of the heap's", who, file,
                 line);
    panic_at(file, (int)line,
             "%s at %s:%u: no block that is in use begins here; it was freed long ago, or its "
             "header was written over",
             who, file, line);
}

/* ---- for those who look in from outside ---- */

struct text {
    char *at;
    size_t left;
};

static void say(struct text *text, const char *format, ...) HAL_FORMAT(2, 3);

static void say(struct text *text, const char *format, ...)
{
    va_list args;
    size_t n;

    va_start(args, format);
    n = format_text_va(text->at, text->left, format, args);
    va_end(args);
    if (n >= text->left)
        n = text->left ? text->left - 1 : 0;
    text->at += n;
    text->left -= n;
}

static void say_calls(struct text *text, const struct guard_trace *trace)
{
    for (unsigned i = 0; i < GUARD_TRACE && trace->calls[i]; i++)
        say(text, "    #%u 0x%llx\n", i,
            (unsigned long long)((uintptr_t)guard_init + (uintptr_t)(ptrdiff_t)trace->calls[i] -
                                 guard.code_base));
}

bool hal_inspect_block(const void *address, char *to, size_t bytes)
{
    const struct guard_block *block = guard_around(address);
    struct text text = {.at = to, .left = bytes};
    ptrdiff_t offset;

    if (!block)
        return false;
    offset = (const char *)address - block->user;
    say(&text, "It is byte %td of a block of %u bytes that was\nallocated at %s:%u:\n", offset,
        block->bytes, alloc_site_file(block->site), block->site->line);
    say_calls(&text, &block->allocated);
    if (block->magic == GUARD_FREED) {
        say(&text, "freed at %s:%u:\n", alloc_file(block->freed_file), block->freed_line);
        say_calls(&text, &block->freed);
    }
    return true;
}
