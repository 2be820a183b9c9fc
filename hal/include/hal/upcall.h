/* SPDX-License-Identifier: MIT */
/*
 * upcall.h: the few ways in: functions that core implements and the backend calls.
 */
#pragma once

#include <hal/compiler.h>
#include <hal/irq.h>

#include <stdbool.h>
#include <stdint.h>

/**
 * Power-on. CPU 0 enters here once, masked, on a stack of at least HAL_STACK_MIN bytes that stays
 * valid for ever, with KSTATE all zero, every line disabled, and every function of the HAL usable.
 */
HAL_NORETURN void hal_upcall_boot(void);

/** A CPU that hal_cpu_start started enters here, masked, on a stack of its own that stays valid. */
HAL_NORETURN void hal_upcall_cpu(void);

/**
 * An interrupt on `line`, on the stack of whatever it interrupted, masked.
 *
 * May switch contexts; the interrupted code goes on when its context is switched to again and this
 * returns. Runs to its end before the same CPU takes another, unless it unmasks.
 */
void hal_upcall_interrupt(enum hal_irq line);

enum hal_fault_kind {
    HAL_FAULT_ACCESS, /**< no such memory, or not for this kind of access; `address` says where */
    HAL_FAULT_STACK,  /**< the access hit a page guarded by hal_mem_guard; `address` says where */
    HAL_FAULT_ALIGNMENT,   /**< a misaligned access or program counter */
    HAL_FAULT_INSTRUCTION, /**< an instruction that does not exist or is not allowed */
    HAL_FAULT_ARITHMETIC,  /**< a division by zero, where the processor tells */
    HAL_FAULT_BREAKPOINT,  /**< hal_cpu_breakpoint, or the processor's own instruction for it */
    HAL_FAULT_STALL, /**< no fault: the CPU has not come on for `address` ns; `detail` says in what
                          way. hal_cpu_watch asks for this; a backend may have reasons of its own */
    HAL_FAULT_OTHER  /**< `detail` says what, in the machine's terms */
};

/** The general registers at a fault, for people: `count` names with their values. */
struct hal_registers {
    unsigned count;
    const char *const *names;
    uint64_t values[40];
};

struct hal_fault {
    enum hal_fault_kind kind;
    uint64_t address;   /**< what was accessed, where the kind has an address; ns of a stall */
    uintptr_t pc;       /**< the instruction */
    uintptr_t frame;    /**< where hal_context_backtrace starts for the interrupted code */
    uint64_t code;      /**< the processor's own word for it (ESR_EL1; the trap number on x86) */
    const char *detail; /**< a few words in the machine's terms, never NULL */
    struct hal_registers registers;
};

/**
 * The kernel's code did something that the processor refuses, or met a breakpoint.
 *
 * On the interrupted stack, or on one of the backend's own when that stack is exhausted; masked.
 * Returning true continues: after a breakpoint behind it, after a stall as if nothing had been,
 * otherwise by trying again. Returning
 * false means that core does not know either: the backend stops the machine as a panic.
 */
bool hal_upcall_fault(const struct hal_fault *fault);

/**
 * A page of kernel memory for the tables of an address space, or NULL: there is none. Its content
 * is arbitrary. From hal_aspace_init and hal_aspace_map, and so under spinlocks; not masked.
 */
void *hal_upcall_table_alloc(void);

/** Such a page is not needed any more. From these two as well, from hal_aspace_unmap and
 * hal_aspace_finish. */
void hal_upcall_table_free(void *page);
