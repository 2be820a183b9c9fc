/* SPDX-License-Identifier: MIT */
/*
 * machine.h: what the rest of the kernel must know about this machine when it is compiled: the
 * Raspberry Pi 3 (BCM2837, four Cortex-A53 cores, AArch64).
 *
 * Found by include path, as <hal/machine.h>. Numbers and the layout of struct hal_context only;
 * what the functions of the HAL do on this machine is in docs/PI3.md.
 */
#pragma once

#include <hal/machine_user.h>

#include <stdint.h>

/** Bytes in a page: the translation tables use the 4 KiB granule. */
#define HAL_PAGE_SIZE 4096u

/** The most CPUs that hal_cpu_count can ever say. */
#define HAL_CPU_MAX 4u

/** The smallest kernel stack that hal_context_init accepts, in bytes. */
#define HAL_STACK_MIN 8192u

/** For a thread that calls nothing deep. */
#define HAL_STACK_SMALL 8192u

/** The size of an ordinary thread's kernel stack, in bytes, without its guard page. */
#define HAL_STACK_SIZE 16384u

/** Alignment of a block request's segments: the card's data register takes 32-bit words. */
#define HAL_BLOCK_ALIGN 4u

/**
 * A kernel context that is not running. The registers that a call preserves lie on the context's
 * own stack, from `sp` upward; see arch/switch.S for their order.
 */
struct hal_context {
    uintptr_t sp;
};
