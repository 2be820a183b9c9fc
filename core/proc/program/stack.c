/* SPDX-License-Identifier: MIT */
/*
 * stack.c: builds a program's first stack, in kernel memory, from its top downwards.
 */
#include "proc/program/stack.h"

#include "heap/heap.h"
#include "lib/bytes.h"
#include "lib/string.h"
#include "proc/format/elf.h"

#include <hal/errno.h>
#include <hal/machine.h>
#include <hal/runtime.h>

#define WORD 8u
#define CLOCK_TICKS 100u /* a second, for times() and the like */
#define PAIRS_MAX 20u

enum {
    AUX_NULL = 0,
    AUX_TABLE = 3,
    AUX_ENTRY_BYTES = 4,
    AUX_ENTRIES = 5,
    AUX_PAGE = 6,
    AUX_BASE = 7,
    AUX_FLAGS = 8,
    AUX_ENTRY = 9,
    AUX_UID = 11,
    AUX_EFFECTIVE_UID = 12,
    AUX_GID = 13,
    AUX_EFFECTIVE_GID = 14,
    AUX_PLATFORM = 15,
    AUX_CAPABILITIES = 16,
    AUX_TICKS = 17,
    AUX_SECURE = 23,
    AUX_RANDOM = 25,
    AUX_CAPABILITIES_2 = 26,
    AUX_PATH = 31
};

/* Writes upwards from `at`. */
struct builder {
    uint8_t *at;
    uintptr_t address; /* in the program's memory, of `at` */
};

static void put(struct builder *builder, uint64_t value)
{
    put_le64(builder->at, value);
    builder->at += WORD;
    builder->address += WORD;
}

/* Puts bytes where `builder` is, and returns their address. */
static uintptr_t put_bytes(struct builder *builder, const void *bytes, size_t n)
{
    uintptr_t address = builder->address;

    memcpy(builder->at, bytes, n);
    builder->at += n;
    builder->address += n;
    return address;
}

static void put_pair(struct builder *builder, uint64_t name, uint64_t value)
{
    put(builder, name);
    put(builder, value);
}

/* Where in memory the bytes lie that the vector points to. */
struct places {
    uintptr_t path, platform, random;
};

static void put_vector(struct builder *builder, const struct program_facts *facts,
                       const struct places *places)
{
    put_pair(builder, AUX_CAPABILITIES, facts->capabilities[0]);
    put_pair(builder, AUX_PAGE, HAL_PAGE_SIZE);
    put_pair(builder, AUX_TICKS, CLOCK_TICKS);
    put_pair(builder, AUX_TABLE, facts->table_at);
    put_pair(builder, AUX_ENTRY_BYTES, ELF_ENTRY_BYTES);
    put_pair(builder, AUX_ENTRIES, facts->entries);
    put_pair(builder, AUX_BASE, 0);
    put_pair(builder, AUX_FLAGS, 0);
    put_pair(builder, AUX_ENTRY, facts->entry);
    put_pair(builder, AUX_UID, facts->uid);
    put_pair(builder, AUX_EFFECTIVE_UID, facts->effective_uid);
    put_pair(builder, AUX_GID, facts->gid);
    put_pair(builder, AUX_EFFECTIVE_GID, facts->effective_gid);
    put_pair(builder, AUX_SECURE, 0);
    put_pair(builder, AUX_RANDOM, places->random);
    put_pair(builder, AUX_CAPABILITIES_2, facts->capabilities[1]);
    put_pair(builder, AUX_PATH, places->path);
    put_pair(builder, AUX_PLATFORM, places->platform);
    put_pair(builder, AUX_NULL, 0);
}

/* Pointers to `count` strings from *at on, and NULL; *at goes behind them. */
static void put_pointers(struct builder *builder, const struct program_strings *strings,
                         uintptr_t strings_at, size_t *at, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        put(builder, strings_at + *at);
        *at += string_length(strings->bytes + *at) + 1;
    }
    put(builder, 0);
}

static size_t words_bytes(const struct program_strings *strings)
{
    return WORD * (1 + strings->arguments + 1 + strings->variables + 1 + 2 * (size_t)PAIRS_MAX);
}

int program_stack_build(const struct program_strings *strings, const struct program_facts *facts,
                        uintptr_t top, struct program_stack *stack)
{
    size_t platform = string_length(facts->platform) + 1, path = string_length(facts->path) + 1;
    size_t texts = PROGRAM_RANDOM_BYTES + platform + strings->used + path + WORD, at = 0;
    struct builder low, high;
    struct places places;
    uintptr_t strings_at;

    stack->count = (words_bytes(strings) + texts + 15) / 16 * 16;
    stack->bytes = kcalloc(1, stack->count);
    if (!stack->bytes)
        return -ENOMEM;
    stack->start = top - stack->count;
    high = (struct builder){stack->bytes + (stack->count - texts), top - texts};
    places.random = put_bytes(&high, facts->random, PROGRAM_RANDOM_BYTES);
    places.platform = put_bytes(&high, facts->platform, platform);
    strings_at = put_bytes(&high, strings->used ? strings->bytes : "", strings->used);
    places.path = put_bytes(&high, facts->path, path);
    low = (struct builder){stack->bytes, stack->start};
    put(&low, strings->arguments);
    put_pointers(&low, strings, strings_at, &at, strings->arguments);
    stack->texts = (struct process_texts){strings_at, strings_at + at, strings_at + strings->used};
    put_pointers(&low, strings, strings_at, &at, strings->variables);
    put_vector(&low, facts, &places);
    return 0;
}

void program_stack_free(struct program_stack *stack)
{
    kfree(stack->bytes);
    stack->bytes = NULL;
}
