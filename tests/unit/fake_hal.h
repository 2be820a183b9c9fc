/* SPDX-License-Identifier: MIT */
/*
 * fake_hal.h: the least of a machine, for unit tests of core on the host: one CPU, no other
 * threads, a clock that moves when it is read, RAM from malloc, a card in memory.
 *
 * A test that needs threads or interrupts belongs into the kernel's own tests (core/ktest) or the
 * whole-OS suites.
 */
#pragma once

#include <hal/block.h>
#include <hal/mem.h>

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fake_hal {
    uint8_t *ram; /**< physical address 0 */
    uint64_t ram_bytes;
    struct hal_range ranges[8]; /**< what hal_mem_ram tells; by default all of it */
    unsigned range_count;
    struct hal_range reserved[8]; /**< what hal_mem_reserved tells */
    unsigned reserved_count;
    uint64_t tags_at; /**< where hal_boot_tags points, unless 0: NULL */
    size_t tags_bytes;
    uint64_t first_use_bytes; /**< announced by hal_mem_first_use so far */
    uint8_t *first_uses;      /**< how often each page was */

    const uint8_t *card; /**< NULL: the slot is empty */
    uint8_t *card_store; /**< where writes go; NULL: they are refused */
    uint64_t flushes;    /**< seen so far */
    uint64_t card_sectors;
    int64_t (*card_read)(uint64_t sector, void *data, uint32_t sectors); /**< instead of `card` */
    void (*card_write)(uint64_t sector, const void *data, uint32_t sectors); /**< the same */
    void (*card_event)(const struct hal_block_request *); /**< sees each request; or NULL */
    int (*card_fault)(const struct hal_block_request *);  /**< an error: it does no more; or NULL */
    int card_error;                                       /**< every request ends so, unless 0 */
    uint64_t requests;                                    /**< submitted so far */
    uint64_t request_limit; /**< a test fails by panic above it; 0: none */

    uint64_t now;
    char console[65536]; /**< what hal_console_putc got, NUL-terminated */
    size_t console_used;

    jmp_buf on_stop; /**< where hal_board_stop goes while `catching` */
    bool catching;
    int stop_status;
};

extern struct fake_hal fake;

/** Forgets everything, zeroes KSTATE, and gives the kernel `ram_bytes` of RAM full of 0xa5. */
void fake_hal_reset(uint64_t ram_bytes);

/**
 * As above, and then readies core's log, memory and threads as boot does. A page of RAM is full of
 * 0xa5 from its first use on, and holds anything before.
 */
void fake_kernel_start(uint64_t ram_bytes);

/** As above, with a command line, which must stay. */
void fake_kernel_start_with(uint64_t ram_bytes, const char *command_line);

/** What follows runs on `cpu`, until the next call or reset. */
void fake_be_cpu(unsigned cpu);

/** Runs `body(argument)`; true if it ended in a panic. */
bool fake_panics(void (*body)(void *argument), void *argument);
