/* SPDX-License-Identifier: MIT */
/*
 * user.h: running user code.
 *
 * For the kernel user code is a function that it calls: hal_user_run goes to user mode and returns
 * when something brings the processor back. Whatever the program owns of a processor (registers,
 * floating point and vectors, the thread pointer) lies in a struct hal_user meanwhile, in memory of
 * the caller's; so a thread that runs user code is switched, moved to another CPU and destroyed as
 * any other.
 *
 * struct hal_user, HAL_USER_REGISTERS and the order of the registers are in <hal/machine.h>.
 */
#pragma once

#include <hal/aspace.h>
#include <hal/compiler.h>
#include <hal/machine.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Why user code was left. */
enum hal_user_trap {
    HAL_USER_CALL,        /**< a system call; the program counter is behind it */
    HAL_USER_INTERRUPT,   /**< an interrupt, which has been handled by now */
    HAL_USER_ACCESS,      /**< an access that the mappings do not allow, or to no user address */
    HAL_USER_ALIGNMENT,   /**< a misaligned access, stack pointer or program counter */
    HAL_USER_INSTRUCTION, /**< an instruction that does not exist, or that is not for programs;
                               x86 reports the latter as ACCESS at UINTPTR_MAX */
    HAL_USER_ARITHMETIC,  /**< an integer division by zero, or a floating-point exception */
    HAL_USER_BREAKPOINT,  /**< the processor's instruction for it; the counter is as Linux has it */
    HAL_USER_STEP,        /**< one instruction is over: hal_user_set_step */
    HAL_USER_OTHER        /**< anything else; `code` says what */
};

/** NULL: this machine runs user code. Else why it cannot, in a sentence for people. Constant. */
const char *hal_user_refusal(void);

/**
 * Whether an interrupt stops user code wherever it is. False: only where it traps anyway (the
 * simulator with its virtual clock), and a program that never does holds its CPU. Constant.
 */
bool hal_user_is_interruptible(void);

struct hal_user_event {
    enum hal_user_trap trap;
    unsigned access;   /**< ACCESS: the HAL_USER_ bit that was wanted */
    uintptr_t address; /**< ACCESS and ALIGNMENT: of what; UINTPTR_MAX: the processor did not say */
    uint64_t code;     /**< the processor's own word for it (ESR_EL1; trap and error code on x86) */
};

/** Readies `user` to start at `pc` with the stack pointer `sp`; all else is zero, or as the
 * processor's manual has it after a reset. Any context. */
void hal_user_init(struct hal_user *user, uintptr_t pc, uintptr_t sp);

/** Makes `to` the same as `from`, both of them not running. Any context. */
void hal_user_copy(struct hal_user *to, const struct hal_user *from);

/**
 * Runs user code in `aspace` from where `user` stands until it traps; then all that the program
 * owns is in `user`, and `event` says why. In thread context, unmasked, without any lock that may
 * not be held while a thread sleeps; it may come back on another CPU.
 *
 * An interrupt in user code is handled as anywhere (hal_upcall_interrupt, which may switch) and
 * then this returns. It may return INTERRUPT for reasons of its own too, and without having run any
 * user code. A trap in user code loses nothing: the same instruction is run when `user` is run
 * again, but for CALL, BREAKPOINT and STEP.
 */
void hal_user_run(struct hal_aspace *aspace, struct hal_user *user, struct hal_user_event *event);

/**
 * A run of `user` that has not reached user code ends with INTERRUPT and does not, or else the next
 * one; so whoever pokes and then interrupts the CPU that it may be on (hal_cpu_ipi) knows that it
 * comes back. Any context, on any CPU, also while it runs.
 */
void hal_user_poke(struct hal_user *user);

/**
 * How long user code of `user` has run, in ns of machine time, since the struct was all zero: the
 * run that is going on counts, too. Neither hal_user_init nor hal_user_copy changes it. Any
 * context, on any CPU, also while it runs.
 */
uint64_t hal_user_time(const struct hal_user *user);

/* --- what the kernel reads and writes while `user` does not run. Any context --- */

/** After CALL: the number of the system call, and its arguments, i = 0 .. 5. */
uint64_t hal_user_call(const struct hal_user *user);
uint64_t hal_user_argument(const struct hal_user *user, unsigned i);

/** What the system call gives back. */
void hal_user_set_result(struct hal_user *user, int64_t result);

/** The same, as it is: also what a frame of a signal's has set it to. */
uint64_t hal_user_result(const struct hal_user *user);

/** Undoes a CALL, also after hal_user_set_result: it will be made again, with the number `call`
 * and the same arguments. */
void hal_user_repeat_call(struct hal_user *user, uint64_t call);

uintptr_t hal_user_pc(const struct hal_user *user);
uintptr_t hal_user_sp(const struct hal_user *user);
uintptr_t hal_user_tls(const struct hal_user *user);
void hal_user_set_pc(struct hal_user *user, uintptr_t pc);
void hal_user_set_sp(struct hal_user *user, uintptr_t sp);
void hal_user_set_tls(struct hal_user *user, uintptr_t tls);

/** Copies the general registers, in the order of <hal/machine.h>. */
void hal_user_read_registers(const struct hal_user *user, uint64_t registers[HAL_USER_REGISTERS]);

/** Sets them, whatever the values: what a program may not have is left as it is. */
void hal_user_write_registers(struct hal_user *user, const uint64_t registers[HAL_USER_REGISTERS]);

/**
 * The floating-point and vector state in the layout that Linux has it in a signal frame (x86-64:
 * an XSAVE image, with its magic words; AArch64: struct fpsimd_context): how many bytes it takes,
 * and copying it to `image`, which is aligned to 16 bytes.
 */
size_t hal_user_vector_bytes(const struct hal_user *user);
void hal_user_read_vectors(const struct hal_user *user, void *image);

/** Sets it from such an image of `bytes` bytes, of any content. -EINVAL: it is none; nothing has
 * changed. */
HAL_MUST_CHECK int hal_user_write_vectors(struct hal_user *user, const void *image, size_t bytes);

/** From now on each run ends with STEP after one instruction, or as it ends anyway. */
void hal_user_set_step(struct hal_user *user, bool step);

/** What AT_HWCAP (0) and AT_HWCAP2 (1) tell programs of this processor. */
uint64_t hal_user_capabilities(unsigned which);

/** The general registers with their names, for people. */
struct hal_registers;
void hal_user_list_registers(const struct hal_user *user, struct hal_registers *registers);
