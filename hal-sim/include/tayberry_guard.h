/* SPDX-License-Identifier: MIT */
/*
 * tayberry_guard.h: a guest that does not come on, and where it is.
 *
 * A part of tayberry.h, which includes it.
 *
 * With the virtual clock the guest runs from interrupt point to interrupt point, on the thread that
 * called tb_run_*. One that reaches none would keep that thread for ever; so after
 * tb_config.stall_ms of the thread's processor time it gets a fault in the midst of what it does,
 * which is a panic that says where that was. The Tayberry kernel by itself panics when a CPU keeps
 * interrupts masked for longer than its boot word `watchdog=` says, with either clock.
 */
#pragma once

#include "tayberry_memory.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Where the guest was when it had its last fault, a panic for instance: copies up to `n` addresses
 * in the file that tb_code_file names, innermost first, and returns how many. addr2line makes
 * functions and lines of them. 0: it had none since power-on. Not while the guest runs. */
TB_API size_t tb_fault_trace(const struct tb_machine *machine, uint64_t *addresses, size_t n);

/** The path of the program or library that holds the guest's code. Valid until tb_close. */
TB_API const char *tb_code_file(const struct tb_machine *machine);

/** Writes who is where and waits for what, as lines of text that end with NUL: each CPU with its
 * thread and its spinlocks; each thread that sleeps, what for, and who holds that. For a run that
 * has lasted too long. Returns its length without the NUL, which may be more than fits; -EINVAL
 * when off. With the real clock the CPUs stand still meanwhile; -EBUSY: one does not. */
TB_API int tb_inspect_hang(struct tb_machine *machine, char *text, size_t bytes);

#ifdef __cplusplus
}
#endif
