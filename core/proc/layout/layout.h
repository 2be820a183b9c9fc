/* SPDX-License-Identifier: MIT */
/*
 * layout.h: where in its memory a program finds what.
 *
 *     low                                                                        high
 *     | a program that cannot move | break -> ...  a program that can  ... <- mappings | stack |
 *
 * By default always the same. With the boot word `aslr=1` each of them lies somewhere else each
 * time a program is loaded, by chance: of the board's source, which in a repeatable run of the
 * simulator follows from the seed. With `wxorx=1` no memory can be both written to and executed.
 */
#pragma once

#include <hal/aspace.h>
#include <hal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

/** The stack's end, when nothing is left to chance. */
#define PROGRAM_TOP (HAL_USER_END - 16 * HAL_PAGE_SIZE)

struct program_layout {
    uintptr_t top;      /**< the stack's end */
    uintptr_t mappings; /**< by so much mappings begin lower than right below the stack */
    uintptr_t base;     /**< where a program goes that can move */
    uintptr_t gap;      /**< between a program's last byte and the break */
    bool strict;        /**< vm_limits.strict */
};

/** Chooses a layout. 0, or -EIO: chance was wanted, and there is none. */
HAL_MUST_CHECK int program_layout_choose(struct program_layout *layout);
