/* SPDX-License-Identifier: MIT */
/*
 * machine_user.h: user code in the simulator: its addresses, and what it owns of a processor.
 *
 * User code runs natively, as x86-64, in the process of the simulator. The frame in which the
 * host's kernel hands it over when a signal stops it, and takes it back when a signal's handler
 * ends, is the one that is kept here. Both structs hold pointers to nothing but kernel memory, so a
 * snapshot keeps them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** User addresses: above what the host keeps free for null pointers (vm.mmap_min_addr, 64 KiB
 * usually), and below AddressSanitizer's shadow of memory, in every build. */
#define HAL_USER_START 0x10000u
#define HAL_USER_END 0x7fff0000u

/**
 * The general registers, in the order of Linux's struct sigcontext: r8 to r15, rdi, rsi, rbp, rbx,
 * rdx, rax, rcx, rsp, rip, eflags.
 */
#define HAL_USER_REGISTERS 18u

/** Room for the host's XSAVE image: AVX-512 and what is smaller; AMX is not for user code. */
#define HAL_USER_VECTORS 4096u

/** Words of the host's signal frame (the kernel's struct ucontext). */
#define HAL_USER_FRAME 38u

/** How many of a space's last views are made again when it becomes live. */
#define HAL_USER_RECENT 64u

/** A table of tables: two pages that lead to one page for each 2 MiB of user addresses. */
struct hal_aspace {
    uint64_t **tables[2]; /**< each 512 pointers to 512 entries, or NULL */
    uint64_t ticket;      /**< its place among the spaces that wait to be live; 0: it does not */
    uint32_t recent[HAL_USER_RECENT][2]; /**< first page and number of pages */
    unsigned recents;                    /**< how many there ever were */
    unsigned turns; /**< how often they were made again since they were noted */
    bool learns;    /**< they have been forgotten once, to see which ones it needs */
    bool changing;  /**< atomic: a CPU is about it */
};

struct hal_user {
    _Alignas(16) uint64_t frame[HAL_USER_FRAME];
    uint64_t fs, gs;  /**< their bases */
    uint64_t jump[5]; /**< what the instruction that goes there takes: rip, cs, flags, rsp, ss */
    bool step;
    uint8_t vectors[HAL_USER_VECTORS + 64]; /**< from the first multiple of 64 on */
    uint32_t poked;                         /**< atomic: hal_user_poke */
    uint64_t ran;                           /**< atomic: see hal_user_time */
};
