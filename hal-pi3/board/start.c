/* SPDX-License-Identifier: MIT */
/*
 * start.c: from boot.S to hal_upcall_boot: the backend's parts in the order they need each other,
 * and the RAM and boot tags that core asks about (<hal/mem.h>, <hal/boot.h>).
 *
 *     physical 0          firmware's stub, spin table, ATAGs or a device tree at 0x100
 *              0x80000    the kernel's image and what it zeroes, to kernel_end
 *              ...        free RAM
 *              ARM end    the VideoCore's memory, to 0x3f000000: not in the linear map, but for a
 *                         framebuffer when one is asked for
 */
#include "arch/cpu.h"
#include "arch/mmu.h"
#include "arch/tables.h"
#include "board/board.h"
#include "board/bootargs.h"
#include "board/uart.h"
#include "sd/block.h"
#include "soc/gpio.h"
#include "soc/intc.h"
#include "soc/mailbox.h"
#include "soc/timer.h"

#include <hal/boot.h>
#include <hal/machine.h>
#include <hal/mem.h>
#include <hal/runtime.h>
#include <hal/upcall.h>
#include <pi3/mmio.h>

/** Where the firmware leaves its message when it does not say. */
#define TAGS_USUAL 0x100u
/** What every Pi 3 has for the ARM at least, if the firmware does not say. */
#define RAM_LEAST 0x10000000u
#define MEBIBYTE 0x100000u

extern char emergency_stacks[];
extern char boot_stacks[];

static uint64_t start_ram_bytes;
static uint64_t start_tags;
static size_t start_tags_bytes;
static struct hal_range start_tree;

static uint64_t page_up(uint64_t address)
{
    return (address + HAL_PAGE_SIZE - 1) & ~(uint64_t)(HAL_PAGE_SIZE - 1);
}

static uint64_t start_image_end(void)
{
    return page_up((uintptr_t)kernel_end - LINEAR_BASE);
}

static void start_memory(void)
{
    uint32_t first = 0;
    uint32_t bytes = 0;

    /* Nothing of this page may linger in the cache from before it was mapped uncached. */
    mmu_flush(uncached_start, (size_t)(uncached_end - uncached_start));
    start_ram_bytes = RAM_LEAST;
    if (mailbox_ask_one(TAG_ARM_MEMORY, &first, &bytes) == 0 && first == 0 && bytes >= RAM_LEAST) {
        start_ram_bytes = bytes < PERIPHERAL_START ? bytes : PERIPHERAL_START;
    }
    start_ram_bytes &= ~(uint64_t)(HAL_PAGE_SIZE - 1);
    mmu_map(start_image_end(), start_ram_bytes, MMU_NORMAL);
}

/** Finds out how far the firmware's message may reach. A tree outside the first 512 KiB is RAM. */
static void start_find_tags(uint64_t tags)
{
    start_tags = tags != 0 ? tags : TAGS_USUAL;
    if (start_tags < LOAD_ADDRESS) {
        start_tags_bytes = LOAD_ADDRESS - start_tags;
        return;
    }
    if (start_tags >= start_ram_bytes - HAL_PAGE_SIZE || start_tags < start_image_end()) {
        start_tags = 0;
        return;
    }
    if (!bootargs_is_tree(hal_mem_pointer(start_tags), HAL_PAGE_SIZE)) {
        start_tags = 0;
        return;
    }
    /* A size that cannot be is core's to name; until then the most that a tree may have is kept. */
    size_t bytes = bootargs_tree_bytes(hal_mem_pointer(start_tags), HAL_PAGE_SIZE);
    if (bytes == 0) {
        bytes = BOOTARGS_TREE_LIMIT;
    }
    if (bytes > start_ram_bytes - start_tags) {
        bytes = start_ram_bytes - start_tags;
    }
    start_tags_bytes = bytes;
    start_tree.start = start_tags & ~(uint64_t)(HAL_PAGE_SIZE - 1);
    start_tree.bytes = page_up(start_tags + bytes) - start_tree.start;
}

static bool start_option(const char *word)
{
    return start_tags != 0 && bootargs_have(hal_mem_pointer(start_tags), start_tags_bytes, word);
}

static void start_guard_stacks(void)
{
    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++) {
        int result = hal_mem_guard(boot_stacks + cpu * BOOT_STACK_BYTES, true);
        result |= hal_mem_guard(emergency_stacks + cpu * EMERGENCY_STACK_BYTES, true);
        (void)result; /* both are pages of RAM, so it cannot fail */
    }
}

void machine_start(uint64_t tags)
{
    soc_timer_start();
    start_memory();
    start_find_tags(tags);
    start_guard_stacks();
    intc_start();
    soc_gpio_start();
    /* The firmware makes a device of Linux out of serial1; what it does not know it leaves alone.
     */
    bool mini = start_option("console=serial1") || start_option("console=miniuart");
    board_uart_start(mini ? UART_MINI : UART_PL011);
    board_start(start_option("semihosting"));
    arch_release_cpus();
    hal_upcall_boot();
}

bool hal_mem_ram(unsigned index, struct hal_range *range)
{
    if (index != 0) {
        return false;
    }
    range->start = 0;
    range->bytes = start_ram_bytes;
    return true;
}

bool hal_mem_reserved(unsigned index, struct hal_range *range)
{
    if (index == 0) {
        range->start = 0;
        range->bytes = start_image_end();
        return true;
    }
    if (index == 1 && start_tree.bytes != 0) {
        *range = start_tree;
        return true;
    }
    return false;
}

void *hal_mem_pointer(uint64_t physical)
{
    return (void *)(uintptr_t)(LINEAR_BASE + physical);
}

uint64_t hal_mem_physical(const void *pointer)
{
    return (uintptr_t)pointer - LINEAR_BASE;
}

void hal_mem_first_use(uint64_t physical, size_t bytes)
{
    /* Real RAM is there already, with what it happens to hold. */
    (void)physical;
    (void)bytes;
}

/* No tool watches a Pi's memory. */
void hal_mem_close(const void *start, size_t bytes)
{
    (void)start;
    (void)bytes;
}

void hal_mem_open(const void *start, size_t bytes)
{
    (void)start;
    (void)bytes;
}

void hal_mem_block(const void *block, size_t bytes, bool zoned)
{
    (void)block;
    (void)bytes;
    (void)zoned;
}

void hal_mem_block_end(const void *block, size_t bytes, bool zoned)
{
    (void)block;
    (void)bytes;
    (void)zoned;
}

void hal_mem_look(void *to, const void *from, size_t bytes)
{
    memcpy(to, from, bytes);
}

const void *hal_boot_tags(size_t *bytes)
{
    if (start_tags == 0) {
        return NULL;
    }
    *bytes = start_tags_bytes;
    return hal_mem_pointer(start_tags);
}
