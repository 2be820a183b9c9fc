/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

/*
 * fiber.c: several stacks on a host thread, which other host threads may continue.
 *
 * A CPU's host thread has the stack that the host gave it and the stacks of the guest. It enters
 * the guest in fiber_run_guest and comes back when the guest is suspended or abandoned; in between,
 * fiber_call_host borrows the host's stack, just below the frame of fiber_run_guest, for one call.
 *
 * Sanitizers and Valgrind keep books of stacks and must be told of every change; this is the one
 * file that does so. What they are told of other memory is in tools.c.
 * AddressSanitizer wants a call before a switch, with the bounds of the stack that it goes to, and
 * one after it, and nothing in between; code in between must not be abandoned, which is why
 * switching is entered code.
 *
 * ThreadSanitizer takes each stack for a thread of its own and wants one call before a switch; that
 * also tells it that what was done before on the stack that is left happened before what is done on
 * the other. It counts calls and returns, and would count the switch itself on the wrong stack, so
 * the functions here are not instrumented. A call on the host's stack needs no switch: it is the
 * same thread to it.
 *
 * With the virtual clock one thread plays all CPUs, and what one CPU does is before what the next
 * does only by accident. So a change of CPUs is told as one that orders nothing, and races between
 * them are found as with the real clock, but at the same place each time. The simulator's own state
 * is ordered by just these changes: what entered code does with it is not looked at. And who looks
 * from outside comes after all CPUs (`left`).
 */
#include "host/host.h"

#include "board/machine.h"
#include "host/private.h"
#include "host/tools.h"

#include <string.h>

#ifdef WITH_TSAN
/* What the compiler calls at the beginning of each function; and annotations, here of accesses of
 * both kinds. */
void __tsan_func_entry(void *caller);
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
#endif

/* swap.S */
void swap_stack(void **save, void *load);
void swap_load(void *load);
void swap_start(void);
long swap_call(void *stack, long (*function)(void *), void *argument);

/* The host's side of each host thread. */
static struct host_side {
    struct hal_context context;
    bool left;       /* and nobody has noted yet which bounds its stack has */
    void *tool;      /* ThreadSanitizer's name of the host's own stack */
    unsigned number; /* in tsan_stacks, of the guest's stack that it is on; 0: the host's own */
} host_side[HAL_CPU_MAX];

UNWATCHED static struct hal_context *host_of(const struct cpu *cpu)
{
    return &host_side[host_index(cpu)].context;
}

/* ---- telling the tools ---- */

#ifdef WITH_TSAN
/*
 * ThreadSanitizer's names of the guest's stacks. Those of an abandoned guest end with its life.
 * What a context keeps is its number in this table, so that a snapshot, which brings contexts back
 * as they were, brings back no name of what is gone. It has room for more than the tool itself.
 */
enum { TSAN_STACKS = 8192 };
static void *tsan_stacks[TSAN_STACKS];
static bool tsan_ignores[TSAN_STACKS]; /* what is done on that stack */
static char left; /* stands for that CPUs were left, in all order that is told */

/* Calls that a stack is in when a snapshot brings it back: more than there can be to return from,
 * since the tool counts those. */
enum { TSAN_DEPTH = 256 };

/* What reports call the frames of a stack that are older than the snapshot it came back with. */
static void before_the_snapshot(void)
{
}

/* Whether what is done on the stack that runs, which has that number, is looked at. */
UNWATCHED static void tool_ignore(uintptr_t number, bool ignore)
{
    if (tsan_ignores[number] == ignore)
        return;
    tsan_ignores[number] = ignore;
    if (ignore)
        AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    else
        AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
}

UNWATCHED void tools_entered(bool entered)
{
    const unsigned number = host_side[host_index(sim_cpu_this())].number;
    if (!machine.real && number)
        tool_ignore(number, entered);
}

/* As if it ran: a stack that does not run was left, or will be begun, in entered code. */
UNWATCHED static void tool_ignore_resting(uintptr_t number, bool ignore, unsigned depth)
{
    void *self = __tsan_get_current_fiber();
    if (machine.real || !tsan_stacks[number])
        return;
    __tsan_switch_to_fiber(tsan_stacks[number], __tsan_switch_to_fiber_no_sync);
    tool_ignore(number, ignore);
    for (unsigned i = 0; i < depth; i++)
        __tsan_func_entry((void *)((uintptr_t)before_the_snapshot + 1));
    __tsan_switch_to_fiber(self, __tsan_switch_to_fiber_no_sync);
}

UNWATCHED static void *tool_made(void)
{
    void *fiber = __tsan_create_fiber(0);
    uintptr_t number = 1;
    host_lock(HOST_TOOLS);
    while (number < TSAN_STACKS - 1 && tsan_stacks[number])
        number++;
    tsan_stacks[number] = fiber;
    host_unlock(HOST_TOOLS);
    tool_ignore_resting(number, true, 0);
    return (void *)number;
}

UNWATCHED static void tool_gone(void *tool)
{
    void *fiber = tsan_stacks[(uintptr_t)tool];
    if (tsan_ignores[(uintptr_t)tool])
        tool_ignore_resting((uintptr_t)tool, false, 0);
    host_lock(HOST_TOOLS);
    tsan_stacks[(uintptr_t)tool] = NULL;
    host_unlock(HOST_TOOLS);
    if (fiber)
        __tsan_destroy_fiber(fiber);
}

UNWATCHED static void tool_forget_all(void)
{
    for (uintptr_t number = 1; number < TSAN_STACKS; number++)
        tool_gone((void *)number);
}

size_t fiber_notes_bytes(void)
{
    return TSAN_STACKS / 8;
}

UNWATCHED void fiber_notes_save(uint8_t *notes)
{
    for (unsigned i = 0; i < TSAN_STACKS; i++)
        notes[i / 8] = (uint8_t)((i % 8 ? notes[i / 8] : 0) | (tsan_stacks[i] != NULL) << i % 8);
}

UNWATCHED void fiber_notes_restore(const uint8_t *notes)
{
    tool_forget_all();
    for (unsigned i = 1; i < TSAN_STACKS; i++)
        if (notes[i / 8] >> i % 8 & 1) {
            tsan_stacks[i] = __tsan_create_fiber(0);
            tool_ignore_resting(i, true, TSAN_DEPTH);
        }
}
#else
static void *tool_made(void)
{
    return NULL;
}

static void tool_gone(void *tool)
{
    (void)tool;
}

static void tool_forget_all(void)
{
}

size_t fiber_notes_bytes(void)
{
    return 0;
}

void fiber_notes_save(uint8_t *notes)
{
    (void)notes;
}

void fiber_notes_restore(const uint8_t *notes)
{
    (void)notes;
}
#endif

/* `apart`: what comes is not ordered behind what was before. */
UNWATCHED static void leave_stack_for(struct hal_context *from, const struct hal_context *to,
                                      bool apart)
{
    (void)apart;
#if defined(WITH_ASAN)
    __sanitizer_start_switch_fiber(from ? &from->tool : NULL, (const void *)to->stack, to->bytes);
#elif defined(WITH_TSAN)
    struct host_side *side = &host_side[host_index(sim_cpu_this())];
    if (from)
        from->tool = (void *)(uintptr_t)side->number;
    if (side->number == 0)
        side->tool = __tsan_get_current_fiber();
    side->number = to == &side->context ? 0 : (unsigned)(uintptr_t)to->tool;
    if (apart)
        __tsan_release(&left);
    __tsan_switch_to_fiber(side->number ? tsan_stacks[side->number] : side->tool,
                           apart ? __tsan_switch_to_fiber_no_sync : 0);
    if (side->number == 0)
        __tsan_acquire(&left);
#else
    (void)from;
    (void)to;
#endif
}

UNWATCHED static void leave_stack(struct hal_context *from, const struct hal_context *to)
{
    leave_stack_for(from, to, false);
}

UNWATCHED static void arrive_on_stack(struct hal_context *self)
{
#ifdef WITH_ASAN
    struct host_side *side = &host_side[host_index(sim_cpu_this())];
    const void *bottom;
    size_t bytes;
    __sanitizer_finish_switch_fiber(self->tool, &bottom, &bytes);
    if (side->left) { /* the bounds of the other stacks are known anyway */
        side->context.stack = (uintptr_t)bottom;
        side->context.bytes = bytes;
        side->left = false;
    }
#else
    (void)self;
#endif
}

/* Around a call on the host's stack, which is the same thread to ThreadSanitizer. */
UNWATCHED static void lend_leave(struct hal_context *from, const struct hal_context *to)
{
#ifdef WITH_ASAN
    leave_stack(from, to);
#else
    (void)from;
    (void)to;
#endif
}

UNWATCHED static void lend_arrive(struct hal_context *self)
{
    arrive_on_stack(self);
}

#ifdef HAVE_VALGRIND
/* Stacks that Valgrind knows: numbers are small and dense, so a bitmap of them does. */
enum { VALGRIND_STACKS = 4096 };
static uint8_t valgrind_knows[VALGRIND_STACKS];
#endif

static uintptr_t stack_made(uintptr_t stack, size_t bytes)
{
#ifdef HAVE_VALGRIND
    if (RUNNING_ON_VALGRIND) {
        unsigned id = VALGRIND_STACK_REGISTER(stack, stack + bytes - 1);
        if (id < VALGRIND_STACKS)
            valgrind_knows[id] = 1;
        return id;
    }
#else
    (void)stack;
    (void)bytes;
#endif
    return 0;
}

static void stack_gone(uintptr_t token)
{
#ifdef HAVE_VALGRIND
    if (RUNNING_ON_VALGRIND) {
        VALGRIND_STACK_DEREGISTER(token);
        if (token < VALGRIND_STACKS)
            valgrind_knows[token] = 0;
    }
#else
    (void)token;
#endif
}

void fiber_forget_all(void)
{
#ifdef HAVE_VALGRIND
    for (unsigned i = 0; i < VALGRIND_STACKS && RUNNING_ON_VALGRIND; i++)
        if (valgrind_knows[i])
            stack_gone(i);
#endif
    tool_forget_all();
}

/* ---- fibers ---- */

/* At the high end of a new stack. */
struct first_frame {
    uint64_t r15, r14, r13, r12, rbx, rbp;
    void (*resume)(void);
    uint64_t align;
    void (*entry)(void *);
    void *argument;
    uint64_t pad[2];
};

/* The first function on a new stack: arrives, leaves the host, and starts the guest's code. */
UNWATCHED static void first_function(void *argument)
{
    struct first_frame frame = *(struct first_frame *)argument;
    struct hal_context none = {.tool = NULL};
    arrive_on_stack(&none);
    sim_cpu_leave();
    sim_cpu_point(0);
    frame.entry(frame.argument);
}

void fiber_init(struct hal_context *context, void *stack, size_t bytes, void (*entry)(void *),
                void *argument)
{
    uint8_t *top = (uint8_t *)stack + (bytes & ~(size_t)63);
    struct first_frame *frame = (struct first_frame *)(void *)top - 1;
    tools_memory_fresh(stack, bytes);
    *frame = (struct first_frame){.resume = swap_start, .entry = entry, .argument = argument};
    frame->r12 = (uint64_t)(uintptr_t)first_function;
    frame->r13 = (uint64_t)(uintptr_t)frame;
    context->sp = frame;
    context->stack = (uintptr_t)stack;
    context->bytes = bytes;
    context->tool = tool_made();
    context->token = stack_made((uintptr_t)stack, bytes);
}

void fiber_finish(struct hal_context *context)
{
    stack_gone(context->token);
    tool_gone(context->tool);
    tools_memory_fresh((void *)context->stack, context->bytes);
}

UNWATCHED void fiber_switch(struct hal_context *from, struct hal_context *to)
{
    leave_stack(from, to);
    swap_stack(&from->sp, to->sp);
    arrive_on_stack(from);
}

UNWATCHED void fiber_switch_cpu(struct hal_context *from, struct hal_context *to)
{
    leave_stack_for(from, to, true);
    swap_stack(&from->sp, to->sp);
    arrive_on_stack(from);
}

UNWATCHED void fiber_run_guest(struct cpu *cpu)
{
    struct hal_context *host = host_of(cpu);
    host_side[host_index(cpu)].left = true;
    leave_stack(host, &cpu->guest);
    swap_stack(&host->sp, cpu->guest.sp);
    arrive_on_stack(host);
}

UNWATCHED void fiber_suspend_guest(struct cpu *cpu)
{
    struct hal_context *host = host_of(cpu);
    cpu->guest.stack = cpu->stack;
    cpu->guest.bytes = cpu->stack_bytes;
    leave_stack(&cpu->guest, host);
    swap_stack(&cpu->guest.sp, host->sp);
    arrive_on_stack(&cpu->guest);
}

struct host_call {
    struct hal_context guest; /* the stack that calls */
    struct hal_context *host;
    long (*function)(void *);
    void *argument;
};

UNWATCHED static long call_on_host_stack(void *argument)
{
    struct host_call *call = argument;
    lend_arrive(call->host);
    long result = call->function(call->argument);
    lend_leave(call->host, &call->guest);
    return result;
}

UNWATCHED long fiber_call_host(struct cpu *cpu, long (*function)(void *), void *argument)
{
    struct host_call call = {.host = host_of(cpu), .function = function, .argument = argument};
    call.guest.stack = cpu->stack;
    call.guest.bytes = cpu->stack_bytes;
    lend_leave(&call.guest, call.host);
    long result = swap_call(call.host->sp, call_on_host_stack, &call);
    lend_arrive(&call.guest);
    return result;
}

UNWATCHED void fiber_abandon_guest(struct cpu *cpu)
{
    leave_stack(NULL, host_of(cpu));
    swap_load(host_of(cpu)->sp);
    __builtin_unreachable();
}

/* A signal handler can send the CPU here: on the host's stack already, as far as rsp goes. */
UNWATCHED __attribute__((no_sanitize("address"))) static void abandon_from_signal(void *argument)
{
    const struct cpu *cpu = argument;
    (void)sim_cpu_enter();
    leave_stack(NULL, host_of(cpu));
    swap_load(host_of(cpu)->sp);
    __builtin_unreachable();
}

void fiber_abandon_target(struct cpu *cpu, uint64_t *pc, uint64_t *sp, uint64_t *argument)
{
    *pc = (uint64_t)(uintptr_t)abandon_from_signal;
    *sp = (((uint64_t)(uintptr_t)host_of(cpu)->sp - 1024) & ~(uint64_t)15) - 8;
    *argument = (uint64_t)(uintptr_t)cpu;
}
