/* SPDX-License-Identifier: MIT */
/*
 * memory.c: simulated RAM: what is in use, what is guarded, and what it holds at power-on.
 *
 * RAM's content at power-on is arbitrary, so each page is filled from (seed, page number) when core
 * announces it; a page that core never announces costs the host nothing. Below 0x80000, where the
 * kernel's image starts on a real board, the simulator keeps the boot tags and two stacks a CPU:
 *
 *     0x00000  boot tags at 0x100; as many pages as they need, one at least
 *     0x10000  the stack that CPU 0 starts on, in hal_upcall_boot
 *     0x30000  the stack on which it handles a fault when the faulting stack is exhausted
 *     0x40000  84 KiB for each other CPU: 40 KiB to start on, 36 KiB for such faults
 *
 * Each stack has a guard page below it.
 *
 * The two bitmaps are changed under the host lock, or for a fault's stack in a signal handler; they
 * are read without it.
 */
#include "board/machine.h"
#include "board/tags.h"

#include "host/host.h"

#include <hal/boot.h>
#include <hal/errno.h>
#include <hal/machine.h>
#include <hal/mem.h>
#include <hal/runtime.h>

enum {
    TAGS_AT = 0x100,
    BOOT_STACK = TAGS_AT + SIM_TAGS_MAX + HAL_PAGE_SIZE,
    FAULT_STACK = 0x30000,
    OTHER_STACKS = 0x40000, /* of CPU 1; then the others', at that distance: */
    OTHER_STRIDE = 0x15000,
    OTHER_BOOT_BYTES = 0xa000,
    OTHER_FAULT_BYTES = 0x9000,
    MAX_PAGES = (960u << 20) / HAL_PAGE_SIZE,
    KEEP_PAGES = 2048 /* a power cycle gives memory back only above this */
};

_Static_assert(OTHER_STACKS + (HAL_CPU_MAX - 1) * OTHER_STRIDE <= SIM_RESERVED, "all below");
_Static_assert(OTHER_BOOT_BYTES + OTHER_FAULT_BYTES + 2 * HAL_PAGE_SIZE == OTHER_STRIDE, "layout");
_Static_assert(OTHER_FAULT_BYTES >= HAL_STACK_MIN, "the smaller one is large enough");

uint64_t sim_memory_used[MAX_PAGES / 64];
uint64_t sim_memory_guarded[MAX_PAGES / 64];
uint64_t sim_memory_top;
static uint64_t guards; /* pages in sim_memory_guarded */

static bool bit_get(const uint64_t *map, uint64_t page)
{
    return __atomic_load_n(&map[page / 64], __ATOMIC_RELAXED) >> (page % 64) & 1;
}

static void bit_set(uint64_t *map, uint64_t page, bool on)
{
    uint64_t bit = 1ull << (page % 64);
    if (on)
        __atomic_fetch_or(&map[page / 64], bit, __ATOMIC_RELAXED);
    else
        __atomic_fetch_and(&map[page / 64], ~bit, __ATOMIC_RELAXED);
}

/* Where chain `chain` of all pages' begins. */
static uint64_t garbage_seed(uint64_t chain)
{
    uint64_t z = (machine.seed ^ 0x7461796265727279ull) + (chain + 1) * 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    return z ^ z >> 27;
}

static uint64_t garbage_next(uint64_t x)
{
    return x * 6364136223846793005ull + 1442695040888963407ull;
}

/* Garbage for page `page`: four chains of a linear generator side by side, to be quick. */
static void fill(uint64_t page)
{
    uint64_t *words = (uint64_t *)(machine.ram + page * HAL_PAGE_SIZE);
    uint64_t a = garbage_seed(page * 4), b = garbage_seed(page * 4 + 1),
             c = garbage_seed(page * 4 + 2), d = garbage_seed(page * 4 + 3);
    for (unsigned i = 0; i < HAL_PAGE_SIZE / 8; i += 4) {
        words[i] = a = garbage_next(a);
        words[i + 1] = b = garbage_next(b);
        words[i + 2] = c = garbage_next(c);
        words[i + 3] = d = garbage_next(d);
    }
}

static void announce(uint64_t physical, uint64_t bytes)
{
    uint64_t first = physical / HAL_PAGE_SIZE, end = first + bytes / HAL_PAGE_SIZE;
    tools_memory_fresh(machine.ram + physical, bytes);
    host_ram_populate(physical, bytes);
    for (uint64_t page = first; page < end; page++) {
        fill(page);
        bit_set(sim_memory_used, page, true);
    }
    if (end > sim_memory_top)
        sim_memory_top = end;
    tools_memory_fresh(machine.ram + physical, bytes);
}

static void forget(void)
{
    uint64_t words = (sim_memory_top + 63) / 64, bytes = sim_memory_top * HAL_PAGE_SIZE;
    if (guards > 0 && host_ram_protect(SIM_RESERVED, machine.ram_bytes - SIM_RESERVED, false) == 0)
        guards = 0;
    tools_forget_blocks(true);
    tools_memory_closed(machine.ram, bytes);
    if (sim_memory_top > KEEP_PAGES)
        host_ram_discard(0, bytes);
    memset(sim_memory_used, 0, words * sizeof(uint64_t));
    memset(sim_memory_guarded, 0, words * sizeof(uint64_t));
    sim_memory_top = 0;
}

/* Notes what `count` pages from `page` on are; returns how many were not that before. */
static uint64_t note_guards(uint64_t page, uint64_t count, bool guarded)
{
    uint64_t changed = 0;
    for (uint64_t i = page; i < page + count; i++) {
        changed += bit_get(sim_memory_guarded, i) != guarded;
        bit_set(sim_memory_guarded, i, guarded);
    }
    return changed;
}

static void guard_below(const void *stack)
{
    uint64_t at = (uint64_t)((const uint8_t *)stack - machine.ram) - HAL_PAGE_SIZE;
    if (host_ram_protect(at, HAL_PAGE_SIZE, true) == 0)
        guards += note_guards(at / HAL_PAGE_SIZE, 1, true);
}

/* The guards of these stacks stay for the life of the machine; a failure only loses a check. */
static void guard_own_stacks(void)
{
    for (unsigned cpu = 0; cpu < machine.cpu_count; cpu++) {
        void *stack;
        size_t bytes;
        sim_memory_boot_stack(cpu, &stack, &bytes);
        guard_below(stack);
        sim_memory_fault_stack(cpu, &stack, &bytes);
        guard_below(stack);
    }
}

void sim_memory_reset(void)
{
    forget();
    guard_own_stacks();
    announce(0, HAL_PAGE_SIZE);
}

void sim_memory_closed(void)
{
    memset(sim_memory_used, 0, sizeof sim_memory_used);
    memset(sim_memory_guarded, 0, sizeof sim_memory_guarded);
    sim_memory_top = 0;
    guards = 0;
}

void sim_memory_boot_stack(unsigned cpu, void **stack, size_t *bytes)
{
    uint64_t other = OTHER_STACKS + (cpu - 1ull) * OTHER_STRIDE + HAL_PAGE_SIZE;
    *stack = machine.ram + (cpu ? other : BOOT_STACK);
    *bytes = cpu ? OTHER_BOOT_BYTES : HAL_STACK_SIZE;
}

void sim_memory_fault_stack(unsigned cpu, void **stack, size_t *bytes)
{
    uint64_t other = OTHER_STACKS + cpu * (uint64_t)OTHER_STRIDE - OTHER_FAULT_BYTES;
    *stack = machine.ram + (cpu ? other : FAULT_STACK);
    *bytes = cpu ? OTHER_FAULT_BYTES : HAL_STACK_SIZE;
}

void sim_memory_open_stack(void *stack, size_t bytes)
{
    uint64_t physical = (uint64_t)((uint8_t *)stack - machine.ram);
    if (!bit_get(sim_memory_used, physical / HAL_PAGE_SIZE))
        announce(physical, bytes);
}

bool sim_memory_is_guarded(uintptr_t address)
{
    uint64_t offset = address - (uintptr_t)machine.ram;
    return offset < machine.ram_bytes && bit_get(sim_memory_guarded, offset / HAL_PAGE_SIZE);
}

bool sim_memory_is_readable(uintptr_t address)
{
    uint64_t offset = address - (uintptr_t)machine.ram;
    return offset < machine.ram_bytes && bit_get(sim_memory_used, offset / HAL_PAGE_SIZE) &&
           !bit_get(sim_memory_guarded, offset / HAL_PAGE_SIZE);
}

bool sim_memory_guard_range(uint64_t page, uint64_t count, bool guarded)
{
    uint64_t bytes = count * HAL_PAGE_SIZE;
    if (!guarded) {
        if (host_ram_protect(page * HAL_PAGE_SIZE, bytes, false) < 0)
            return false;
        guards -= note_guards(page, count, false);
        return true;
    }
    if (guards + count > host_ram_guards())
        return false;
    /* Who runs into the guard finds it noted, from the first moment to the last. */
    uint64_t changed = note_guards(page, count, true);
    if (host_ram_protect(page * HAL_PAGE_SIZE, bytes, true) < 0) {
        if (changed == count) /* else some were guarded before, and are */
            (void)note_guards(page, count, false);
        return false;
    }
    guards += changed;
    if (page + count > sim_memory_top)
        sim_memory_top = page + count;
    return true;
}

/* ---- the contract ---- */

bool hal_mem_ram(unsigned index, struct hal_range *range)
{
    if (index)
        return false;
    *range = (struct hal_range){0, machine.ram_bytes};
    return true;
}

bool hal_mem_reserved(unsigned index, struct hal_range *range)
{
    if (index)
        return false;
    *range = (struct hal_range){0, SIM_RESERVED};
    return true;
}

void *hal_mem_pointer(uint64_t physical)
{
    return machine.ram + physical;
}

uint64_t hal_mem_physical(const void *pointer)
{
    return (uint64_t)((const uint8_t *)pointer - machine.ram);
}

struct mem_work {
    uint64_t physical;
    uint64_t bytes;
    bool guarded;
};

static long first_use_work(void *argument)
{
    const struct mem_work *work = argument;
    announce(work->physical, work->bytes);
    return 0;
}

void hal_mem_first_use(uint64_t physical, size_t bytes)
{
    struct mem_work work = {physical, bytes, false};
    if (physical >= machine.ram_bytes || bytes > machine.ram_bytes - physical)
        return;
    (void)sim_cpu_host(first_use_work, &work, COST_DEVICE);
}

static long guard_work(void *argument)
{
    const struct mem_work *work = argument;
    return sim_memory_guard_range(work->physical / HAL_PAGE_SIZE, 1, work->guarded) ? 0 : -ENOMEM;
}

int hal_mem_guard(void *page, bool guarded)
{
    struct mem_work work = {(uint64_t)((uint8_t *)page - machine.ram), HAL_PAGE_SIZE, guarded};
    if (work.physical >= machine.ram_bytes)
        return -ENOMEM;
    return (int)sim_cpu_host(guard_work, &work, COST_DEVICE);
}

/* ---- boot tags ---- */

uint8_t *sim_memory_tags(size_t bytes)
{
    uint64_t pages = (TAGS_AT + bytes + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE;
    for (uint64_t page = 1; page < pages; page++)
        announce(page * HAL_PAGE_SIZE, HAL_PAGE_SIZE);
    return machine.ram + TAGS_AT;
}

const void *hal_boot_tags(size_t *bytes)
{
    uint64_t pages = 1;
    while (bit_get(sim_memory_used, pages))
        pages++;
    *bytes = pages * HAL_PAGE_SIZE - TAGS_AT;
    return machine.ram + TAGS_AT;
}
