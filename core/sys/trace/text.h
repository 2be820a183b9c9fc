/* SPDX-License-Identifier: MIT */
/*
 * text.h: putting a line together, piece by piece, and the arguments of calls in it.
 */
#pragma once

#include "sys/call.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vm_space;

/** A line that is being put together. What is full goes out. */
struct text {
    void (*out)(const char *bytes, size_t n);
    size_t used;
    unsigned column; /**< bytes since the start of the line */
    char bytes[256];
};

void text_flush(struct text *text);

/** Puts one blank, or as many as it takes to where results stand. */
void text_pad(struct text *text);
void text_put(struct text *text, const char *format, ...) HAL_FORMAT(2, 3);

/** A call as the program made it. */
struct text_call {
    const struct sys_call *call;
    enum sys_number number;
    const char *name;  /**< the processor's */
    const char *order; /**< as in struct abi_number; or NULL */
    const struct sys_args *args;
    struct vm_space *space;
};

/** How many arguments the program gave. */
unsigned text_arguments(const struct text_call *call);

/** True if argument `index` is only known after the call. */
bool text_is_answer(const struct text_call *call, unsigned index);

/** Puts the program's argument `index`; `result` counts for what is only known then. May sleep. */
void text_put_argument(struct text *text, const struct text_call *call, unsigned index,
                       int64_t result);

/** Puts the result. */
void text_put_result(struct text *text, const struct text_call *call, int64_t result);
