/* SPDX-License-Identifier: MIT */
/*
 * mem.c: the promises of hal/mem.h: RAM, pointers and physical addresses, guard pages.
 */
#include "contract.h"

CONTRACT_TEST(ram_ranges_are_constant_and_end)
{
    struct hal_range first, again;
    unsigned count = 0;
    while (hal_mem_ram(count, &first)) {
        EXPECT(hal_mem_ram(count, &again));
        EXPECT_EQUAL(first.start, again.start);
        EXPECT_EQUAL(first.bytes, again.bytes);
        EXPECT(first.bytes > 0 && first.start + first.bytes > first.start);
        REQUIRE(++count < 64);
    }
    EXPECT(count > 0);
    EXPECT(!hal_mem_ram(count + 1, &again));
    EXPECT(!hal_mem_ram(~0u, &again));
}

static bool overlap(const struct hal_range *a, const struct hal_range *b)
{
    return a->start < b->start + b->bytes && b->start < a->start + a->bytes;
}

CONTRACT_TEST(ram_ranges_do_not_overlap)
{
    struct hal_range a, b;
    for (unsigned i = 0; hal_mem_ram(i, &a); i++)
        for (unsigned j = 0; j < i && hal_mem_ram(j, &b); j++)
            EXPECT(!overlap(&a, &b));
}

/** True: some reserved range holds `physical`. */
static bool reserved(uint64_t physical)
{
    struct hal_range range;
    for (unsigned i = 0; hal_mem_reserved(i, &range); i++)
        if (physical >= range.start && physical - range.start < range.bytes)
            return true;
    return false;
}

CONTRACT_TEST(reserved_ranges_are_ram)
{
    struct hal_range range, ram;
    unsigned count = 0;
    for (; hal_mem_reserved(count, &range); count++) {
        bool found = false;
        for (unsigned i = 0; hal_mem_ram(i, &ram); i++)
            found = found || (range.start >= ram.start &&
                              range.start + range.bytes <= ram.start + ram.bytes);
        EXPECT(found);
        REQUIRE(count < 64);
    }
    EXPECT(!hal_mem_reserved(count, &range));
    EXPECT(!hal_mem_reserved(~0u, &range));
}

CONTRACT_TEST(not_all_ram_is_reserved)
{
    struct hal_range ram;
    uint64_t free = 0;
    for (unsigned i = 0; hal_mem_ram(i, &ram); i++)
        for (uint64_t at = 0; at < ram.bytes; at += 65536)
            free += reserved(ram.start + at) ? 0 : 65536;
    EXPECT(free >= 1u << 20);
}

CONTRACT_TEST(pointers_differ_by_a_constant)
{
    struct hal_range ram;
    REQUIRE(hal_mem_ram(0, &ram));
    uintptr_t base = (uintptr_t)hal_mem_pointer(ram.start) - (uintptr_t)ram.start;
    for (unsigned i = 0; hal_mem_ram(i, &ram); i++)
        for (uint64_t at = 0; at < ram.bytes; at += 1234567) {
            void *pointer = hal_mem_pointer(ram.start + at);
            EXPECT_EQUAL((uintptr_t)pointer - (uintptr_t)(ram.start + at), base);
            EXPECT_EQUAL(hal_mem_physical(pointer), ram.start + at);
        }
}

CONTRACT_TEST(all_ram_is_mapped)
{
    struct hal_range ram;
    for (unsigned i = 0; hal_mem_ram(i, &ram); i++) {
        uint64_t step = (ram.bytes / 64 & ~(uint64_t)(HAL_PAGE_SIZE - 1)) | HAL_PAGE_SIZE;
        for (uint64_t at = 0; at < ram.bytes; at += step) {
            /* The last round looks at the very last page. */
            uint64_t page = at + step < ram.bytes ? at : ram.bytes - HAL_PAGE_SIZE;
            if (reserved(ram.start + page) || contract_pages_hold(ram.start + page))
                continue;
            hal_mem_first_use(ram.start + page, HAL_PAGE_SIZE);
            volatile uint32_t *word = hal_mem_pointer(ram.start + page);
            word[0] = (uint32_t)page ^ 0x5a5a5a5a;
            word[1023] = (uint32_t)page;
            EXPECT_EQUAL(word[0], (uint32_t)page ^ 0x5a5a5a5a);
            EXPECT_EQUAL(word[1023], (uint32_t)page);
        }
    }
}

CONTRACT_TEST(pages_keep_their_content)
{
    enum { WORDS = 16 * HAL_PAGE_SIZE / 4 };
    volatile uint32_t *words = contract_pages(16);
    for (uint32_t i = 0; i < WORDS; i++)
        words[i] = i * 2654435761u;
    unsigned wrong = 0;
    for (uint32_t i = 0; i < WORDS; i++)
        wrong += words[i] != i * 2654435761u;
    EXPECT_EQUAL(wrong, 0);
}

static volatile unsigned guard_faults KSTATE;
static struct hal_fault guard_fault KSTATE;
static void *guard_page KSTATE;

/** Lifts the guard, so that trying again succeeds. */
static bool lift_guard(const struct hal_fault *fault)
{
    guard_fault = *fault;
    return ++guard_faults < 10 && hal_mem_guard(guard_page, false) == 0;
}

/** Guards the middle one of three pages and touches it at `offset`; the fault must name the place.
 */
static void touch_guard(size_t offset, bool write)
{
    guard_faults = 0;
    REQUIRE(hal_mem_guard(guard_page, true) == 0);
    volatile uint8_t *byte = (volatile uint8_t *)guard_page + offset;
    uint8_t value = 0;
    if (write)
        *byte = 0x77;
    else
        value = *byte;
    EXPECT_EQUAL(guard_faults, 1);
    EXPECT_EQUAL(guard_fault.kind, HAL_FAULT_STACK);
    EXPECT_EQUAL(guard_fault.address, (uintptr_t)byte);
    EXPECT_EQUAL(write ? *byte : value, write ? 0x77 : 0x11);
}

CONTRACT_TEST(guarded_page_faults)
{
    uint8_t *pages = contract_pages(3);
    guard_page = pages + HAL_PAGE_SIZE;
    contract_on_fault(lift_guard);
    static const size_t offsets[] = {0, 8, 2048, HAL_PAGE_SIZE - 1};
    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        memset(pages, 0x11, 3 * HAL_PAGE_SIZE);
        touch_guard(offsets[i], false);
        touch_guard(offsets[i], true);
    }
}

CONTRACT_TEST(guard_keeps_content_and_neighbours)
{
    volatile uint8_t *pages = contract_pages(3);
    for (unsigned i = 0; i < 3 * HAL_PAGE_SIZE; i++)
        pages[i] = (uint8_t)(i * 7);
    for (unsigned round = 0; round < 20; round++) {
        REQUIRE(hal_mem_guard((void *)(uintptr_t)(pages + HAL_PAGE_SIZE), true) == 0);
        pages[HAL_PAGE_SIZE - 1]++;
        pages[2 * HAL_PAGE_SIZE]++;
        REQUIRE(hal_mem_guard((void *)(uintptr_t)(pages + HAL_PAGE_SIZE), false) == 0);
    }
    EXPECT_EQUAL(pages[HAL_PAGE_SIZE - 1], (uint8_t)((HAL_PAGE_SIZE - 1) * 7 + 20));
    EXPECT_EQUAL(pages[2 * HAL_PAGE_SIZE], (uint8_t)(2 * HAL_PAGE_SIZE * 7 + 20));
    for (unsigned i = HAL_PAGE_SIZE; i < 2 * HAL_PAGE_SIZE; i++)
        REQUIRE(pages[i] == (uint8_t)(i * 7));
}

CONTRACT_TEST(guarding_twice_is_guarding)
{
    uint8_t *page = contract_pages(1);
    page[5] = 9;
    EXPECT_EQUAL(hal_mem_guard(page, true), 0);
    EXPECT_EQUAL(hal_mem_guard(page, true), 0);
    EXPECT_EQUAL(hal_mem_guard(page, false), 0);
    EXPECT_EQUAL(hal_mem_guard(page, false), 0);
    EXPECT_EQUAL(page[5], 9);
}

/** Tells the tools all there is to tell of two pages, in the order in which a heap would. */
static void tell_tools(uint8_t *pages)
{
    hal_mem_close(pages, 2 * HAL_PAGE_SIZE);
    hal_mem_open(pages, HAL_PAGE_SIZE);
    hal_mem_block(pages + 64, 100, false);
    hal_mem_block_end(pages + 64, 100, false);
    hal_mem_open(pages, HAL_PAGE_SIZE);
    hal_mem_close(pages + 256 - HAL_MEM_ZONE, HAL_MEM_ZONE);
    hal_mem_close(pages + 256 + 100, HAL_MEM_ZONE);
    hal_mem_block(pages + 256, 100, true);
    hal_mem_block_end(pages + 256, 100, true);
    hal_mem_open(pages, 2 * HAL_PAGE_SIZE);
}

CONTRACT_TEST(tools_leave_bytes_as_they_are)
{
    static uint8_t seen[2 * HAL_PAGE_SIZE] KSTATE;
    uint8_t *pages = contract_pages(2);
    for (unsigned i = 0; i < sizeof(seen); i++)
        pages[i] = (uint8_t)(i * 11 + i / 256);
    tell_tools(pages);
    hal_mem_close(pages, 2 * HAL_PAGE_SIZE);
    hal_mem_look(seen, pages, sizeof(seen));
    hal_mem_open(pages, 2 * HAL_PAGE_SIZE);
    for (unsigned i = 0; i < sizeof(seen); i++)
        REQUIRE(seen[i] == (uint8_t)(i * 11 + i / 256));
}

CONTRACT_TEST(look_copies_any_stretch)
{
    uint8_t *page = contract_pages(1), seen[40];
    for (unsigned i = 0; i < HAL_PAGE_SIZE; i++)
        page[i] = (uint8_t)i;
    hal_mem_close(page, HAL_PAGE_SIZE);
    for (unsigned start = 0; start < 16; start++)
        for (unsigned n = 0; n <= sizeof(seen) - 8; n++) {
            memset(seen, 0xee, sizeof(seen));
            hal_mem_look(seen + 4, page + start, n);
            EXPECT(seen[3] == 0xee && seen[4 + n] == 0xee);
            for (unsigned i = 0; i < n; i++)
                REQUIRE(seen[4 + i] == (uint8_t)(start + i));
        }
    hal_mem_open(page, HAL_PAGE_SIZE);
}

CONTRACT_TEST(tools_bring_no_interrupt)
{
    uint8_t *pages = contract_pages(2), byte;
    tell_tools(pages);
    EXPECT(hal_irq_masked());
    hal_irq_enable(HAL_IRQ_IPI);
    hal_cpu_ipi(hal_cpu_id());
    for (unsigned i = 0; i < 1000; i++) {
        tell_tools(pages);
        hal_mem_look(&byte, pages, 1);
    }
    EXPECT_EQUAL(contract_irqs(HAL_IRQ_IPI), 0);
    EXPECT(hal_irq_masked());
    hal_irq_unmask();
    EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_IPI) > 0, SOON));
    tell_tools(pages);
    EXPECT(!hal_irq_masked());
}

static struct hal_context home KSTATE, deep KSTATE;

/** Goes down the stack until the guard has been hit, and a bit further. */
__attribute__((noinline)) static unsigned descend(unsigned left)
{
    volatile uint8_t piece[256];
    for (unsigned i = 0; i < sizeof(piece); i++)
        piece[i] = (uint8_t)left;
    unsigned below = left == 0 || guard_faults > 0 ? 0 : descend(left - 1);
    return below + (piece[255] == (uint8_t)left);
}

static void overflow(void *arg)
{
    volatile unsigned depth = descend(HAL_STACK_SIZE / 256);
    *(volatile unsigned *)arg = depth;
    hal_context_switch(&deep, &home);
}

CONTRACT_TEST(stack_overflow_names_itself)
{
    volatile unsigned depth = 0;
    uint8_t *pages = contract_pages(1 + HAL_STACK_SIZE / HAL_PAGE_SIZE);
    guard_page = pages;
    guard_faults = 0;
    contract_on_fault(lift_guard);
    REQUIRE(hal_mem_guard(guard_page, true) == 0);
    hal_context_init(&deep, pages + HAL_PAGE_SIZE, HAL_STACK_SIZE, overflow, (void *)&depth);
    hal_context_switch(&home, &deep);
    hal_context_finish(&deep);
    EXPECT_EQUAL(guard_faults, 1);
    EXPECT_EQUAL(guard_fault.kind, HAL_FAULT_STACK);
    EXPECT(guard_fault.address - (uintptr_t)pages < HAL_PAGE_SIZE);
    EXPECT(depth > 4);
}

const struct contract_test mem_tests[] = {
    {"hal_mem_ram lists ranges, always the same", ram_ranges_are_constant_and_end},
    {"ranges of RAM do not overlap", ram_ranges_do_not_overlap},
    {"reserved ranges lie in RAM", reserved_ranges_are_ram},
    {"at least 1 MiB is not reserved", not_all_ram_is_reserved},
    {"kernel pointers and physical addresses differ by a constant", pointers_differ_by_a_constant},
    {"all RAM is mapped, to the last page", all_ram_is_mapped},
    {"pages keep what is written", pages_keep_their_content},
    {"a guarded page faults with its address, and works again", guarded_page_faults},
    {"guarding keeps the content, and concerns no neighbour", guard_keeps_content_and_neighbours},
    {"guarding twice is guarding once", guarding_twice_is_guarding},
    {"closing, opening and blocks change no byte, and hal_mem_look sees them",
     tools_leave_bytes_as_they_are},
    {"hal_mem_look copies any stretch of bytes", look_copies_any_stretch},
    {"what tools are told brings no interrupt and keeps the mask", tools_bring_no_interrupt},
    {"a stack overflow into a guard is HAL_FAULT_STACK", stack_overflow_names_itself},
    {NULL, NULL},
};
