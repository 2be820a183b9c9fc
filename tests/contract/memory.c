/* SPDX-License-Identifier: MIT */
/*
 * memory.c: pages for the tests: a pointer that moves through a hole of the RAM.
 *
 * The hole is the first one of ARENA_BYTES that no reserved range touches, low in the first range
 * of RAM, where it is RAM whatever the boot tags say about the top.
 */
#include "contract.h"

#define ARENA_BYTES (4u << 20)

/** arena_fresh: from here on no page has been used since power-on. */
static uint64_t arena_start KSTATE, arena_next KSTATE, arena_fresh KSTATE;

/** Where the reserved range that reaches into [start, start + ARENA_BYTES) ends, or 0: there is
 * none. */
static uint64_t reserved_end(uint64_t start)
{
    struct hal_range range;
    for (unsigned i = 0; hal_mem_reserved(i, &range); i++)
        if (range.bytes != 0 && range.start < start + ARENA_BYTES &&
            range.start + range.bytes > start)
            return range.start + range.bytes;
    return 0;
}

static uint64_t arena_find(void)
{
    struct hal_range ram = {0, 0};
    bool found = hal_mem_ram(0, &ram);
    uint64_t start = ram.start, end;
    while ((end = reserved_end(start)) != 0)
        start = (end + HAL_PAGE_SIZE - 1) & ~(uint64_t)(HAL_PAGE_SIZE - 1);
    return found && start + ARENA_BYTES <= ram.start + ram.bytes ? start : 0;
}

void *contract_pages(size_t count)
{
    uint64_t bytes = (uint64_t)count * HAL_PAGE_SIZE;
    if (arena_start == 0)
        arena_next = arena_fresh = arena_start = arena_find();
    if (arena_start == 0 || arena_next + bytes > arena_start + ARENA_BYTES) {
        contract_print("Bail out! no memory for the tests\n");
        hal_board_stop(HAL_STOP_POWER_OFF, 1);
    }
    uint64_t page = arena_next;
    arena_next += bytes;
    if (arena_next > arena_fresh) {
        hal_mem_first_use(arena_fresh, arena_next - arena_fresh);
        arena_fresh = arena_next;
    }
    return hal_mem_pointer(page);
}

bool contract_pages_hold(uint64_t physical)
{
    (void)contract_pages(0);
    return physical >= arena_start && physical - arena_start < ARENA_BYTES;
}

void contract_pages_reset(void)
{
    arena_next = arena_start;
}

void contract_context(struct hal_context *context, size_t bytes, void (*entry)(void *), void *arg)
{
    void *stack = contract_pages((bytes + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE);
    hal_context_init(context, stack, bytes, entry, arg);
}

/* ---- tables of address spaces ---- */

static struct {
    void **free; /**< each holds the address of the next */
    unsigned out, left;
    bool limited;
} tables KSTATE;

void contract_tables_reset(void)
{
    memset(&tables, 0, sizeof(tables));
}

void contract_tables_limit(unsigned more)
{
    tables.left = more;
    tables.limited = true;
}

unsigned contract_tables(void)
{
    return tables.out;
}

void *hal_upcall_table_alloc(void)
{
    void **page = tables.free;
    if (tables.limited && tables.left-- == 0) {
        tables.left = 0;
        return NULL;
    }
    if (page != NULL)
        tables.free = *page;
    else
        page = contract_pages(1);
    memset(page, 0xa5, HAL_PAGE_SIZE);
    tables.out++;
    return page;
}

void hal_upcall_table_free(void *page)
{
    *(void **)page = tables.free;
    tables.free = page;
    tables.out--;
}
