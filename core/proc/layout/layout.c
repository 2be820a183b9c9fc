/* SPDX-License-Identifier: MIT */
/*
 * layout.c: a layout for each program, and chance in it.
 */
#include "proc/layout/layout.h"

#include "boot/cmdline.h"
#include "dev/random.h"
#include "lib/string.h"

#include <hal/machine.h>

#define MOVABLE_BASE ((HAL_USER_END / 3 * 2) & ~(uintptr_t)0x1fffff)

/* How far each may be moved: parts of all user addresses. */
#define STACK_ROOM (HAL_USER_END >> 7)
#define MAPPINGS_ROOM (HAL_USER_END >> 4)
#define BASE_ROOM (HAL_USER_END >> 4)
#define BREAK_ROOM (HAL_USER_END >> 6)

static bool is_set(const char *word)
{
    char text[4];

    return cmdline_value(word, text, sizeof(text)) && string_equal(text, "1");
}

/* Whole pages, less than `room` bytes. */
static uintptr_t pages_below(uint64_t chance, uintptr_t room)
{
    return (uintptr_t)(chance % (room / HAL_PAGE_SIZE)) * HAL_PAGE_SIZE;
}

int program_layout_choose(struct program_layout *layout)
{
    uint64_t chance[4];
    int error;

    *layout = (struct program_layout){
        .top = PROGRAM_TOP, .base = MOVABLE_BASE, .strict = is_set("wxorx")};
    if (!is_set("aslr"))
        return 0;
    error = random_fill(chance, sizeof(chance));
    if (error)
        return error;
    layout->top -= pages_below(chance[0], STACK_ROOM);
    layout->mappings = pages_below(chance[1], MAPPINGS_ROOM);
    layout->base += pages_below(chance[2], BASE_ROOM);
    layout->gap = pages_below(chance[3], BREAK_ROOM);
    return 0;
}
