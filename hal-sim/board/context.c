/* SPDX-License-Identifier: MIT */
/*
 * context.c: kernel contexts, and reading their call chains.
 *
 * Contexts are host/fiber.c's fibers; here they get the bookkeeping of the board: which stack the
 * CPU stands on, what the switch costs, and that it was seen.
 */
#include "board/machine.h"

#include "host/host.h"
#include "tayberry.h"

#include <hal/context.h>
#include <hal/machine.h>

void hal_context_init(struct hal_context *context, void *stack, size_t bytes,
                      void (*entry)(void *arg), void *arg)
{
    (void)sim_cpu_enter();
    fiber_init(context, stack, bytes, entry, arg);
    sim_cpu_leave();
    sim_cpu_point(COST_SWITCH);
}

/* What the trace says of a stack: where it lies in RAM, which is the same in every run. */
static uint64_t stack_name(uintptr_t stack)
{
    uint64_t offset = stack - (uintptr_t)machine.ram;
    return offset < machine.ram_bytes ? offset : 0;
}

void hal_context_switch(struct hal_context *from, struct hal_context *to)
{
    struct cpu *cpu = sim_cpu_enter();
    if (!machine.real)
        (void)sim_time_spend(COST_SWITCH);
    if (sim_trace_is_wanted())
        sim_trace_guest_event(TB_EVENT_SWITCH, stack_name(to->stack), 0);
    from->stack = cpu->stack;
    from->bytes = cpu->stack_bytes;
    cpu->stack = to->stack;
    cpu->stack_bytes = to->bytes;
    fiber_switch(from, to);
    /* Here somebody has switched back to `from`, maybe much later, maybe on another CPU. */
    sim_cpu_leave();
    sim_cpu_point(0);
}

void hal_context_finish(struct hal_context *context)
{
    (void)sim_cpu_enter();
    fiber_finish(context);
    sim_cpu_leave();
    sim_cpu_point(0);
}

/*
 * True if a frame of two words may be read at `frame`: on this stack, or in RAM that is in use. An
 * unmasked caller may have been moved to another CPU since: the bounds are then those of another
 * context's stack, which can be read as well, and this stack counts as RAM.
 */
__attribute__((no_sanitize("thread"))) static bool frame_is_readable(uintptr_t frame)
{
    const struct cpu *cpu = sim_cpu_this();
    if (frame % sizeof(uintptr_t) || frame == 0)
        return false;
    if (frame - cpu->stack < cpu->stack_bytes)
        return frame - cpu->stack <= cpu->stack_bytes - 2 * sizeof(uintptr_t);
    return sim_memory_is_readable(frame) &&
           sim_memory_is_readable(frame + 2 * sizeof(uintptr_t) - 1);
}

__attribute__((no_sanitize("address", "undefined", "thread"))) //
size_t
hal_context_backtrace(uintptr_t frame, uintptr_t *addresses, size_t max)
{
    size_t count = 0;
    if (!frame)
        frame = *(const uintptr_t *)__builtin_frame_address(0); /* the caller's */
    while (count < max && frame_is_readable(frame)) {
        const uintptr_t *words = (const uintptr_t *)frame;
        if (!words[1])
            break;
        addresses[count++] = words[1];
        if (words[0] <= frame || words[0] - frame > HAL_STACK_SIZE)
            break;
        frame = words[0];
    }
    return count;
}

uintptr_t hal_context_code_base(void)
{
    return host_code_base();
}

bool sim_fault(const struct hal_fault *fault)
{
    struct cpu *cpu = sim_cpu_this();
    cpu->fault_at[0] = fault->pc;
    cpu->fault_depth =
        1 + (unsigned)hal_context_backtrace(fault->frame, cpu->fault_at + 1, SIM_FAULT_DEPTH - 1);
    atomic_store(&machine.faulted, sim_cpu_number(cpu) + 1);
    return hal_upcall_fault(fault);
}
