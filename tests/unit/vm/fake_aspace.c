/* SPDX-License-Identifier: MIT */
/*
 * fake_aspace.c: see fake_aspace.h.
 */
#include "fake_aspace.h"

#include "../fake_hal.h"
#include "../../marks.h"

#include <hal/aspace.h>
#include <hal/errno.h>

#include <stdlib.h>
#include <string.h>

#define PAGES ((uint64_t)HAL_USER_END / HAL_PAGE_SIZE)
#define SPACES_MAX 64
#define FAULTS_MAX 64

struct fake_aspace fake_aspace;

/* Words: the physical address, and the rights in the lowest bits. */
static struct tables {
    const struct hal_aspace *aspace;
    uint64_t *words;
    uint64_t low, high; /* pages that were ever mapped lie between */
} all[SPACES_MAX];

void fake_aspace_reset(void)
{
    for (unsigned i = 0; i < SPACES_MAX; i++)
        free(all[i].words);
    memset(all, 0, sizeof all);
    memset(&fake_aspace, 0, sizeof fake_aspace);
    fake_aspace.random = 88172645463325252ull;
}

static uint64_t next(void)
{
    fake_aspace.random ^= fake_aspace.random << 13;
    fake_aspace.random ^= fake_aspace.random >> 7;
    fake_aspace.random ^= fake_aspace.random << 17;
    return fake_aspace.random >> 8;
}

static struct tables *find(const struct hal_aspace *aspace)
{
    for (unsigned i = 0; i < SPACES_MAX; i++)
        if (all[i].aspace == aspace)
            return &all[i];
    ck_abort_msg("no such aspace");
    return NULL;
}

int hal_aspace_init(struct hal_aspace *aspace)
{
    for (unsigned i = 0; i < SPACES_MAX; i++)
        if (!all[i].aspace) {
            all[i].aspace = aspace;
            all[i].words = calloc(PAGES, sizeof(uint64_t));
            all[i].low = PAGES;
            all[i].high = 0;
            fake_aspace.live++;
            return 0;
        }
    return -ENOMEM;
}

void hal_aspace_finish(struct hal_aspace *aspace)
{
    struct tables *tables = find(aspace);

    free(tables->words);
    memset(tables, 0, sizeof *tables);
    fake_aspace.live--;
}

static void forget_some(struct tables *tables)
{
    if (fake_aspace.forget_one_in && next() % fake_aspace.forget_one_in == 0 &&
        tables->low < tables->high)
        tables->words[tables->low + next() % (tables->high - tables->low)] = 0;
}

static void check_range(uintptr_t address, size_t pages)
{
    ck_assert(address % HAL_PAGE_SIZE == 0 && address >= HAL_USER_START && pages > 0);
    ck_assert(address < HAL_USER_END && pages <= (HAL_USER_END - address) / HAL_PAGE_SIZE);
}

int hal_aspace_map(struct hal_aspace *aspace, uintptr_t address, uint64_t physical, size_t pages,
                   unsigned access)
{
    struct tables *tables = find(aspace);
    uint64_t first = address / HAL_PAGE_SIZE;

    check_range(address, pages);
    ck_assert(access & (HAL_USER_READ | HAL_USER_WRITE | HAL_USER_EXECUTE));
    ck_assert(physical % HAL_PAGE_SIZE == 0 && physical + pages * HAL_PAGE_SIZE <= fake.ram_bytes);
    forget_some(tables);
    if (++fake_aspace.maps == fake_aspace.fail_map) {
        if (next() % 2)
            tables->words[first + next() % pages] = 0;
        return -ENOMEM;
    }
    fake_aspace.mapped_pages += pages;
    for (size_t i = 0; i < pages; i++)
        tables->words[first + i] = (physical + i * HAL_PAGE_SIZE) | access;
    tables->low = first < tables->low ? first : tables->low;
    tables->high = first + pages > tables->high ? first + pages : tables->high;
    return 0;
}

void hal_aspace_unmap(struct hal_aspace *aspace, uintptr_t address, size_t pages)
{
    struct tables *tables = find(aspace);
    uint64_t first = address / HAL_PAGE_SIZE, end = first + pages;

    check_range(address, pages);
    fake_aspace.unmaps++;
    /* Of a whole space nearly all was never mapped, and the host need not give memory for it. */
    first = first > tables->low ? first : tables->low;
    end = end < tables->high ? end : tables->high;
    if (first < end)
        memset(tables->words + first, 0, (end - first) * sizeof(uint64_t));
    forget_some(tables);
}

void hal_aspace_protect(struct hal_aspace *aspace, uintptr_t address, size_t pages, unsigned access)
{
    struct tables *tables = find(aspace);

    check_range(address, pages);
    ck_assert(access);
    fake_aspace.protects++;
    for (size_t i = 0; i < pages; i++) {
        uint64_t *word = &tables->words[address / HAL_PAGE_SIZE + i];

        if (*word)
            *word = (*word & ~(uint64_t)15) | access;
    }
    forget_some(tables);
}

unsigned hal_aspace_query(struct hal_aspace *aspace, uintptr_t address, uint64_t *physical)
{
    uint64_t word = find(aspace)->words[address / HAL_PAGE_SIZE];

    *physical = word & ~(uint64_t)(HAL_PAGE_SIZE - 1);
    return (unsigned)word & 7;
}

unsigned hal_aspace_take_marks(struct hal_aspace *aspace, uintptr_t address)
{
    (void)aspace, (void)address;
    return HAL_MARK_REFERENCED | HAL_MARK_MODIFIED;
}

void fake_aspace_forget(struct vm_space *space)
{
    struct tables *tables = find(vm_space_aspace(space));

    if (tables->low < tables->high)
        memset(tables->words + tables->low, 0, (tables->high - tables->low) * sizeof(uint64_t));
}

int user_access(struct vm_space *space, uintptr_t address, unsigned access, uint8_t *byte)
{
    for (unsigned i = 0; i < FAULTS_MAX; i++) {
        uint64_t physical = 0;
        unsigned rights = 0;
        int error;

        if (address >= HAL_USER_START && address < HAL_USER_END)
            rights = hal_aspace_query(vm_space_aspace(space), address, &physical);
        if (rights & access) {
            uint8_t *there = fake.ram + physical + address % HAL_PAGE_SIZE;

            if (access & HAL_USER_WRITE)
                *there = *byte;
            else
                *byte = *there;
            return 0;
        }
        error = vm_fault(space, address, access);
        if (error)
            return error;
    }
    ck_abort_msg("faults without end at 0x%lx", (unsigned long)address);
    return -EFAULT;
}

int user_read(struct vm_space *space, uintptr_t address, void *bytes, size_t n)
{
    int error = 0;

    for (size_t i = 0; i < n && !error; i++)
        error = user_access(space, address + i, HAL_USER_READ, (uint8_t *)bytes + i);
    return error;
}

int user_write(struct vm_space *space, uintptr_t address, const void *bytes, size_t n)
{
    int error = 0;

    for (size_t i = 0; i < n && !error; i++) {
        uint8_t byte = ((const uint8_t *)bytes)[i];

        error = user_access(space, address + i, HAL_USER_WRITE, &byte);
    }
    return error;
}
