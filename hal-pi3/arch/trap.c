/* SPDX-License-Identifier: MIT */
/*
 * trap.c: interrupts and faults of the kernel, from the vectors to the upcalls.
 *
 * ESR_EL1 tells the cause of a synchronous exception: a class (bits 31:26) and details that depend
 * on it. Here they become one of the few kinds that core knows, an address, and words for people.
 *
 * Source: Arm Architecture Reference Manual (DDI 0487), section D17.2.37, ESR_EL1.
 */
#include "arch/trap.h"
#include "arch/esr.h"
#include "arch/mmu.h"
#include "soc/intc.h"
#include "soc/watch.h"

#include <hal/board.h>
#include <hal/console.h>
#include <hal/cpu.h>
#include <hal/machine.h>
#include <hal/runtime.h>
#include <hal/upcall.h>
#include <pi3/layout.h>

#include <stddef.h>

_Static_assert(sizeof(struct trap_frame) == FRAME_BYTES, "vectors.S knows the size");
_Static_assert(offsetof(struct trap_frame, sp) == FRAME_SP, "vectors.S knows the place");
_Static_assert(offsetof(struct trap_frame, elr) == FRAME_ELR, "vectors.S knows the place");
_Static_assert(offsetof(struct trap_frame, esr) == FRAME_ESR, "vectors.S knows the place");
_Static_assert(offsetof(struct trap_frame, link) == FRAME_LINK, "vectors.S knows the place");

#define SPSR_IRQ_MASKED (1u << 7)
#define TRAP_NAMES 36u

static const char *const trap_names[TRAP_NAMES] = {
    "x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",  "x8",  "x9",   "x10", "x11",
    "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",  "x22", "x23",
    "x24", "x25", "x26", "x27", "x28", "x29", "x30", "sp",  "pc",  "spsr", "esr", "far"};

/** Which CPUs are reporting an exhausted stack: a second one meanwhile cannot be reported. */
static bool trap_on_emergency_stack[HAL_CPU_MAX];

char emergency_stacks[HAL_CPU_MAX * EMERGENCY_STACK_BYTES] __attribute__((aligned(HAL_PAGE_SIZE)));

static bool trap_is_abort(unsigned class)
{
    return class == CLASS_DATA || class == CLASS_DATA_USER || class == CLASS_FETCH ||
           class == CLASS_FETCH_USER;
}

static const char *trap_describe_data(uint64_t esr)
{
    bool write = (esr & ABORT_WRITE) != 0;

    switch (esr & 0x3c) {
    case ABORT_ADDRESS_SIZE:
        return "data abort: address too large";
    case ABORT_TRANSLATION:
        return write ? "data abort: write to an unmapped page"
                     : "data abort: read of an unmapped page";
    case ABORT_ACCESS_FLAG:
        return "data abort: access flag";
    case ABORT_PERMISSION:
        return write ? "data abort: write to a read-only page" : "data abort: page not readable";
    case ABORT_EXTERNAL:
        return "data abort: the bus refused the access";
    default:
        return (esr & 0x3f) == ABORT_ALIGNMENT ? "data abort: misaligned address" : "data abort";
    }
}

static const char *trap_describe_fetch(uint64_t esr)
{
    switch (esr & 0x3c) {
    case ABORT_TRANSLATION:
        return "instruction abort: unmapped page";
    case ABORT_PERMISSION:
        return "instruction abort: page not executable";
    case ABORT_EXTERNAL:
        return "instruction abort: the bus refused the access";
    default:
        return "instruction abort";
    }
}

const char *trap_describe(uint64_t esr)
{
    switch (esr_class(esr)) {
    case CLASS_UNKNOWN:
        return "undefined instruction";
    case CLASS_ILLEGAL_STATE:
        return "illegal execution state";
    case CLASS_SVC:
        return "system call inside the kernel";
    case CLASS_SYSTEM:
        return "system register not accessible";
    case CLASS_FETCH:
    case CLASS_FETCH_USER:
        return trap_describe_fetch(esr);
    case CLASS_PC_ALIGNMENT:
        return "misaligned program counter";
    case CLASS_DATA:
    case CLASS_DATA_USER:
        return trap_describe_data(esr);
    case CLASS_SP_ALIGNMENT:
        return "misaligned stack pointer";
    case CLASS_BREAKPOINT:
        return "hardware breakpoint";
    case CLASS_STEP:
        return "single step";
    case CLASS_WATCHPOINT:
        return "watchpoint";
    case CLASS_BRK:
        return "brk instruction";
    default:
        return "exception of another class";
    }
}

static enum hal_fault_kind trap_abort_kind(uint64_t esr, uint64_t address)
{
    if ((esr & 0x3f) == ABORT_ALIGNMENT) {
        return HAL_FAULT_ALIGNMENT;
    }
    return mmu_state_of(address) == MMU_GUARDED ? HAL_FAULT_STACK : HAL_FAULT_ACCESS;
}

static enum hal_fault_kind trap_fault_kind(const struct trap_frame *frame)
{
    unsigned class = esr_class(frame->esr);

    if (trap_is_abort(class)) {
        return trap_abort_kind(frame->esr, frame->far);
    }
    switch (class) {
    case CLASS_PC_ALIGNMENT:
    case CLASS_SP_ALIGNMENT:
        return HAL_FAULT_ALIGNMENT;
    case CLASS_UNKNOWN:
    case CLASS_ILLEGAL_STATE:
    case CLASS_SVC:
    case CLASS_SYSTEM:
        return HAL_FAULT_INSTRUCTION;
    case CLASS_BREAKPOINT:
    case CLASS_BRK:
        return HAL_FAULT_BREAKPOINT;
    default:
        return HAL_FAULT_OTHER;
    }
}

static void trap_registers(const struct trap_frame *frame, struct hal_registers *registers)
{
    registers->count = TRAP_NAMES;
    registers->names = trap_names;
    memcpy(registers->values, frame->x, sizeof frame->x);
    registers->values[31] = frame->sp;
    registers->values[32] = frame->elr;
    registers->values[33] = frame->spsr;
    registers->values[34] = frame->esr;
    registers->values[35] = frame->far;
}

static const char *trap_describe_kind(unsigned kind, uint64_t esr)
{
    if (kind >= TRAP_STRANGE) {
        return "exception from a level that runs no code";
    }
    if (kind == TRAP_SERROR) {
        return "system error (an access failed after it was made)";
    }
    return trap_describe(esr);
}

/** What was being done. */
static void trap_state(const struct trap_frame *frame, struct hal_fault *fault)
{
    fault->pc = frame->elr;
    fault->frame = frame->x[29];
    fault->code = frame->esr;
    trap_registers(frame, &fault->registers);
}

/** Tells core of a fault, and obeys its answer. `stack`: the interrupted stack is exhausted. */
static void trap_report(struct trap_frame *frame, unsigned kind, bool stack)
{
    struct hal_fault fault;

    trap_state(frame, &fault);
    fault.kind = kind == TRAP_SYNC ? trap_fault_kind(frame) : HAL_FAULT_OTHER;
    fault.address = trap_is_abort(esr_class(frame->esr)) ? frame->far : frame->elr;
    fault.detail = fault.kind == HAL_FAULT_STACK ? "the stack has run into its guard page"
                                                 : trap_describe_kind(kind, frame->esr);
    if (stack && fault.kind != HAL_FAULT_STACK && frame->sp % 16 == 0) {
        fault.kind = HAL_FAULT_STACK;
        fault.address = frame->sp;
        fault.detail = "no room on the stack for a trap";
    }
    if (!hal_upcall_fault(&fault)) {
        hal_board_stop(HAL_STOP_PANIC, 134);
    }
    if (fault.kind == HAL_FAULT_BREAKPOINT) {
        frame->elr += 4;
    }
}

/* Only behind save_frame, and only before load_frame, may a FIQ interrupt this. */
void trap_take_irq(void)
{
    soc_watch_interrupt();
    __asm__ volatile("msr daifclr, #1" ::: "memory");
    intc_take();
    __asm__ volatile("msr daifset, #1" ::: "memory");
}

static void trap_take_fiq(struct trap_frame *frame)
{
    struct hal_fault fault = {.kind = HAL_FAULT_STALL, .detail = "interrupts stay masked"};

    fault.address = soc_watch_take((frame->spsr & SPSR_IRQ_MASKED) != 0);
    if (fault.address == 0) {
        return;
    }
    trap_state(frame, &fault);
    if (!hal_upcall_fault(&fault)) {
        hal_board_stop(HAL_STOP_PANIC, 134);
    }
}

void trap_take(struct trap_frame *frame, unsigned kind)
{
    switch (kind) {
    case TRAP_IRQ:
        trap_take_irq();
        break;
    case TRAP_FIQ:
        trap_take_fiq(frame);
        break;
    default:
        trap_report(frame, kind, false);
        break;
    }
}

static void trap_say(const char *text)
{
    while (*text != '\0') {
        hal_console_putc((uint8_t)*text++);
    }
}

void trap_take_stackless(struct trap_frame *frame, unsigned kind)
{
    unsigned cpu = hal_cpu_id();

    if (kind == TRAP_FIQ) {
        trap_take_fiq(frame);
        return;
    }
    if (trap_on_emergency_stack[cpu]) {
        trap_say("\r\nThe stack is exhausted again while that is being reported. Stopped.\r\n");
        hal_board_stop(HAL_STOP_PANIC, 134);
    }
    trap_on_emergency_stack[cpu] = true;
    trap_report(frame, kind, true);
    trap_on_emergency_stack[cpu] = false;
}
