/* SPDX-License-Identifier: MIT */
/*
 * strings.c: arguments and environment, in one block that doubles as they come.
 */
#include "proc/program/strings.h"

#include "heap/heap.h"
#include "lib/string.h"
#include "vm/copy.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define ROOM_FIRST 2048u
#define POINTERS_MAX (PROGRAM_STRINGS_MAX / sizeof(uint64_t))

static int make_room(struct program_strings *strings, size_t bytes)
{
    size_t room = strings->room > 0 ? strings->room : ROOM_FIRST;
    char *larger;

    if (bytes > PROGRAM_STRINGS_MAX - strings->used)
        return -E2BIG;
    while (room < strings->used + bytes)
        room *= 2;
    if (room == strings->room)
        return 0;
    larger = krealloc(strings->bytes, room);
    if (!larger)
        return -ENOMEM;
    strings->bytes = larger;
    strings->room = room;
    return 0;
}

int program_strings_add(struct program_strings *strings, const char *text, int variable)
{
    size_t bytes = string_length(text) + 1;
    int error = bytes <= PROGRAM_STRING_MAX ? make_room(strings, bytes) : -E2BIG;

    if (error)
        return error;
    memcpy(strings->bytes + strings->used, text, bytes);
    strings->used += bytes;
    if (variable)
        strings->variables++;
    else
        strings->arguments++;
    return 0;
}

/* Adds the user's string at `from`. */
static int read_string(struct program_strings *strings, struct vm_space *space, uintptr_t from)
{
    size_t most = 256;
    int64_t length;
    int error;

    for (;;) {
        error = make_room(strings, most);
        if (error)
            return error;
        length = vm_copy_string_in(space, strings->bytes + strings->used, from, most);
        if (length < 0)
            return (int)length;
        if ((size_t)length < most)
            break;
        if (most == PROGRAM_STRING_MAX)
            return -E2BIG;
        most = most * 8 < PROGRAM_STRING_MAX ? most * 8 : PROGRAM_STRING_MAX;
    }
    strings->used += (size_t)length + 1;
    return 0;
}

/* Adds those of one array; *count: how many there were. */
static int read_array(struct program_strings *strings, struct vm_space *space, uintptr_t array,
                      unsigned *count)
{
    uint64_t pointer;
    int error = 0;

    while (!error && array) {
        error = vm_copy_in(space, &pointer, array, sizeof(pointer));
        if (error || pointer == 0)
            break;
        if (*count == POINTERS_MAX)
            return -E2BIG;
        error = read_string(strings, space, (uintptr_t)pointer);
        *count += 1;
        array += sizeof(pointer);
    }
    return error;
}

int program_strings_read(struct program_strings *strings, struct vm_space *space,
                         uintptr_t arguments, uintptr_t environment)
{
    int error = read_array(strings, space, arguments, &strings->arguments);

    if (!error && strings->arguments == 0) /* a program may count on its name */
        error = program_strings_add(strings, "", 0);
    if (!error)
        error = read_array(strings, space, environment, &strings->variables);
    return error;
}

int program_strings_replace(struct program_strings *strings, const char *const *words,
                            unsigned count)
{
    size_t first = strings->arguments > 0 ? string_length(strings->bytes) + 1 : 0, bytes = 0;
    char *to;
    int error;

    for (unsigned i = 0; i < count; i++)
        bytes += words[i] ? string_length(words[i]) + 1 : 0;
    error = make_room(strings, bytes);
    if (error)
        return error;
    memmove(strings->bytes + bytes, strings->bytes + first, strings->used - first);
    strings->used = strings->used - first + bytes;
    strings->arguments -= strings->arguments > 0;
    to = strings->bytes;
    for (unsigned i = 0; i < count; i++) {
        size_t length = words[i] ? string_length(words[i]) + 1 : 0;

        memcpy(to, words[i] ? words[i] : "", length);
        to += length;
        strings->arguments += words[i] != NULL;
    }
    return 0;
}

void program_strings_free(struct program_strings *strings)
{
    kfree(strings->bytes);
    *strings = (struct program_strings){.bytes = NULL};
}
