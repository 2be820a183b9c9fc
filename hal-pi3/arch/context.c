/* SPDX-License-Identifier: MIT */
/*
 * context.c: making a kernel context, and walking the chain of calls on a stack.
 *
 * The switch itself is switch.S. Every function keeps a frame record {caller's record, return
 * address} and x29 points to the innermost, so the calls form a linked list up the stack; the
 * vectors add a record for interrupted code. The walk believes nothing: each record must be
 * aligned, above the last one, and in a mapped page.
 */
#include "arch/mmu.h"

#include <hal/context.h>
#include <hal/machine.h>
#include <hal/runtime.h>

/** The stack of a context that has been switched away from: the order of switch.S. */
struct switch_frame {
    uint64_t d8_to_d15[8];
    uint64_t x19_to_x28[10];
    uint64_t x29;
    uint64_t x30;
};

_Static_assert(sizeof(struct switch_frame) == 160, "switch.S knows the size");

/** In switch.S: calls the function in x19 with the argument in x20. */
void context_begin(void);

void hal_context_init(struct hal_context *context, void *stack, size_t bytes,
                      void (*entry)(void *arg), void *arg)
{
    struct switch_frame *frame =
        (struct switch_frame *)((char *)stack + bytes - sizeof(struct switch_frame));

    memset(frame, 0, sizeof *frame);
    frame->x19_to_x28[0] = (uintptr_t)entry;
    frame->x19_to_x28[1] = (uintptr_t)arg;
    frame->x30 = (uintptr_t)context_begin;
    context->sp = (uintptr_t)frame;
}

void hal_context_finish(struct hal_context *context)
{
    context->sp = 0;
}

/** Whether a frame record at `record` can be read without a fault. */
static bool context_record_ok(uintptr_t record)
{
    return record % 8 == 0 && mmu_state_of(record) == MMU_MAPPED &&
           mmu_state_of(record + 15) == MMU_MAPPED;
}

size_t hal_context_backtrace(uintptr_t frame, uintptr_t *addresses, size_t max)
{
    size_t count = 0;
    const uintptr_t *own = __builtin_frame_address(0);
    uintptr_t record = frame != 0 ? frame : own[0]; /* the caller's */

    while (count < max && context_record_ok(record)) {
        const uintptr_t *pair = (const uintptr_t *)record;
        if (pair[1] == 0) {
            break;
        }
        addresses[count++] = pair[1];
        if (pair[0] <= record) {
            break;
        }
        record = pair[0];
    }
    return count;
}

uintptr_t hal_context_code_base(void)
{
    return 0;
}
