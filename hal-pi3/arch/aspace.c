/* SPDX-License-Identifier: MIT */
/*
 * aspace.c: user address spaces as translation tables of three levels.
 *
 *     root: 512 x 1 GiB  ->  512 x 2 MiB  ->  512 pages of 4 KiB
 *
 * An entry of the last level holds the frame and the processor's rights, and in bits that the
 * processor leaves to us what core has asked for. The two differ for a page that is to be marked
 * (HAL_USER_MARK): the Cortex-A53 does not note itself what is used. So such a page begins with its
 * access flag off and read-only; the first use traps, aspace_settle notes it by giving the right,
 * and user code goes on. Taking the marks takes the rights back.
 *
 * Worked example: address 0x401234 is entry 0 of the root, entry 2 of the next table (2 x 2 MiB =
 * 0x400000), entry 1 of the last (0x1000), byte 0x234 of the page.
 *
 * Other CPUs walk the tables meanwhile, and keep what they found in their TLBs. An entry that
 * changes its frame is therefore first made invalid, then forgotten by all TLBs, and only then
 * written anew (the manual's break-before-make); a table is unhooked, forgotten, and only then
 * given back. A change of rights alone is one write and the forgetting. The lock is held for one
 * table of the last level at a time; it guards entries against aspace_settle on other CPUs, since
 * all other changes of a space are made by one CPU at a time.
 *
 * Instructions: the data caches of the Cortex-A53 are coherent, its instruction caches are not. A
 * page that becomes executable is cleaned to where both meet, and the instruction caches of all
 * CPUs are emptied: they are indexed by addresses that only the program knows.
 *
 * Source: Arm Architecture Reference Manual (DDI 0487), chapter D8, sections on TLB maintenance.
 */
#include "arch/aspace.h"
#include "arch/asid.h"
#include "arch/tables.h"

#include <hal/cpu.h>
#include <hal/errno.h>
#include <hal/mem.h>
#include <hal/runtime.h>
#include <hal/upcall.h>
#include <pi3/lock.h>

#define USER_NEVER_KERNEL (UINT64_C(1) << 53) /* the kernel does not execute it */
#define USER_OWN_TLB (UINT64_C(1) << 11)      /* not global: it has the space's ASID */
#define USER_REACHED (UINT64_C(1) << 6)       /* programs may access it */
#define USER_WANTED_SHIFT 55u                 /* 4 bits: the HAL_USER_ bits core asked for */
#define USER_MODIFIED (UINT64_C(1) << 59)     /* of a page with HAL_USER_MARK */
#define USER_FRAME UINT64_C(0x0000fffffffff000)

#define WANTED_ALL (HAL_USER_READ | HAL_USER_WRITE | HAL_USER_EXECUTE | HAL_USER_MARK)
#define TABLE_PAGES 512u
#define LINE_BYTES 64u
/** From so many pages of one table on, everything of the space is forgotten at once. */
#define FORGET_ALL 16u

uint64_t user_nothing[TABLE_ENTRIES] __attribute__((aligned(4096)));

/* ---- entries ---- */

static unsigned entry_wanted(uint64_t entry)
{
    return (unsigned)(entry >> USER_WANTED_SHIFT) & WANTED_ALL;
}

/** The bits of `entry` that follow from what is wanted of the page, and what was done with it. */
static uint64_t entry_rights(uint64_t entry, unsigned wanted, bool referenced, bool modified)
{
    uint64_t bits = entry & USER_FRAME;

    bits |= ENTRY_PAGE | ENTRY_MEMORY(MEMORY_NORMAL) | ENTRY_SHARED;
    bits |= USER_NEVER_KERNEL | USER_OWN_TLB | USER_REACHED;
    bits |= (uint64_t)wanted << USER_WANTED_SHIFT;
    bits |= modified ? USER_MODIFIED : 0;
    bits |= referenced ? ENTRY_ACCESSED : 0;
    if ((wanted & HAL_USER_EXECUTE) == 0) {
        bits |= ENTRY_USER_NX;
    }
    if ((wanted & HAL_USER_WRITE) == 0 || !modified) {
        bits |= ENTRY_READ_ONLY;
    }
    return bits;
}

/** A page that is mapped anew: one that is not to be marked counts as used from the beginning. */
static uint64_t entry_new(uint64_t physical, unsigned wanted)
{
    bool used = (wanted & HAL_USER_MARK) == 0;

    return entry_rights(physical, wanted, used, used);
}

static void entry_store(uint64_t *entry, uint64_t value)
{
    *(volatile uint64_t *)entry = value;
}

/* ---- what TLBs hold ---- */

/** What was stored in tables so far is what is walked. */
static void tlb_publish(void)
{
    __asm__ volatile("dsb ishst" ::: "memory");
}

static uint64_t tlb_asid(const struct hal_aspace *aspace)
{
    return asid_number(__atomic_load_n(&aspace->asid, __ATOMIC_RELAXED)) << 48;
}

/** Ends a series of the following. */
static void tlb_finish(void)
{
    __asm__ volatile("dsb ish\n\tisb" ::: "memory");
}

static void tlb_forget_page(const struct hal_aspace *aspace, uintptr_t address)
{
    __asm__ volatile("tlbi vale1is, %0" ::"r"(tlb_asid(aspace) | address >> 12) : "memory");
}

/** The same with the tables on the way to it. */
static void tlb_forget_way(const struct hal_aspace *aspace, uintptr_t address)
{
    __asm__ volatile("tlbi vae1is, %0" ::"r"(tlb_asid(aspace) | address >> 12) : "memory");
}

static void tlb_forget_space(const struct hal_aspace *aspace)
{
    __asm__ volatile("tlbi aside1is, %0" ::"r"(tlb_asid(aspace)) : "memory");
}

/* ---- tables ---- */

static struct lock *aspace_lock(struct hal_aspace *aspace)
{
    return (struct lock *)&aspace->lock; /* its only member */
}

static uint64_t *table_at(uint64_t entry)
{
    return (entry & ENTRY_VALID) != 0 ? hal_mem_pointer(entry & USER_FRAME) : NULL;
}

static uint64_t *root_entry(const struct hal_aspace *aspace, uintptr_t address)
{
    return &aspace->root[address >> 30 & (TABLE_ENTRIES - 1)];
}

/** Where the address's table of the last level hangs, or NULL: not even that table is there. */
static uint64_t *middle_entry(const struct hal_aspace *aspace, uintptr_t address)
{
    uint64_t *middle = table_at(*root_entry(aspace, address));

    return middle != NULL ? &middle[address >> BLOCK_SHIFT & (TABLE_ENTRIES - 1)] : NULL;
}

/** The page's entry, or NULL: there is no table for it. */
static uint64_t *last_entry(const struct hal_aspace *aspace, uintptr_t address)
{
    uint64_t *middle = middle_entry(aspace, address);
    uint64_t *last = middle != NULL ? table_at(*middle) : NULL;

    return last != NULL ? &last[address >> 12 & (TABLE_ENTRIES - 1)] : NULL;
}

static uint64_t *table_new(void)
{
    uint64_t *table = hal_upcall_table_alloc();

    if (table != NULL) {
        memset(table, 0, HAL_PAGE_SIZE);
        tlb_publish();
    }
    return table;
}

/** Hangs an empty table into `entry`, if there is none. */
static int table_add(uint64_t *entry)
{
    if ((*entry & ENTRY_VALID) != 0) {
        return 0;
    }
    uint64_t *table = table_new();
    if (table == NULL) {
        return -ENOMEM;
    }
    entry_store(entry, hal_mem_physical(table) | ENTRY_TABLE);
    return 0;
}

static int tables_add(struct hal_aspace *aspace, uintptr_t address)
{
    if (table_add(root_entry(aspace, address)) < 0) {
        return -ENOMEM;
    }
    return table_add(middle_entry(aspace, address));
}

static bool table_is_empty(const uint64_t *table)
{
    for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
        if (table[i] != 0) {
            return false;
        }
    }
    return true;
}

/** If the table in `entry`, which `address` goes through, has become empty: unhooks it. */
static void *table_unhook(struct hal_aspace *aspace, uint64_t *entry, uintptr_t address)
{
    uint64_t *table = entry != NULL ? table_at(*entry) : NULL;

    if (table == NULL || !table_is_empty(table)) {
        return NULL;
    }
    hal_irq_state_t state = lock_take(aspace_lock(aspace));
    entry_store(entry, 0);
    tlb_publish();
    tlb_forget_way(aspace, address);
    tlb_finish();
    lock_release(aspace_lock(aspace), state);
    return table;
}

/** Gives back the tables on the way to `address` that nothing hangs in any more. */
static void tables_prune(struct hal_aspace *aspace, uintptr_t address)
{
    void *table = table_unhook(aspace, middle_entry(aspace, address), address);

    if (table != NULL) {
        hal_upcall_table_free(table);
        table = table_unhook(aspace, root_entry(aspace, address), address);
    }
    if (table != NULL) {
        hal_upcall_table_free(table);
    }
}

int hal_aspace_init(struct hal_aspace *aspace)
{
    aspace->root = table_new();
    aspace->asid = 0;
    aspace->lock = 0;
    return aspace->root != NULL ? 0 : -ENOMEM;
}

static void tables_free(uint64_t *table, unsigned below)
{
    for (unsigned i = 0; below != 0 && i < TABLE_ENTRIES; i++) {
        if (table_at(table[i]) != NULL) {
            tables_free(table_at(table[i]), below - 1);
        }
    }
    hal_upcall_table_free(table);
}

void hal_aspace_finish(struct hal_aspace *aspace)
{
    /* It is live nowhere, so nothing of it comes into a TLB any more. */
    tlb_forget_space(aspace);
    tlb_finish();
    tables_free(aspace->root, 2);
    aspace->root = NULL;
}

/* ---- ranges of pages ---- */

/** The part of a range that lies in one table. */
struct part {
    struct hal_aspace *aspace;
    uintptr_t address;
    unsigned pages;
    uint64_t *entries; /**< NULL: there is no table */
};

/** The next part of the `pages` pages from `address` on: as far as one table goes, or would go, of
 * the last level or, if there is nothing below it, of the one above. */
static struct part part_at(struct hal_aspace *aspace, uintptr_t address, size_t pages)
{
    struct part part = {.aspace = aspace, .address = address};
    size_t span = middle_entry(aspace, address) != NULL ? TABLE_PAGES : TABLE_PAGES * TABLE_ENTRIES;
    size_t room = span - (address >> 12) % span;

    part.pages = (unsigned)(pages < room ? pages : room);
    part.entries = last_entry(aspace, address);
    return part;
}

/** Pages of a part whose entries have changed: how many, and the first ones. */
struct stale {
    unsigned count;
    uint16_t pages[FORGET_ALL];
};

static void stale_add(struct stale *stale, unsigned page)
{
    if (stale->count < FORGET_ALL) {
        stale->pages[stale->count] = (uint16_t)page;
    }
    stale->count++;
}

/** To tell all CPUs of a page takes long, of a space as well: so of those pages only, if few. */
static void part_forget(const struct part *part, const struct stale *stale)
{
    if (stale->count == 0) {
        return;
    }
    tlb_publish();
    for (unsigned i = 0; stale->count < FORGET_ALL && i < stale->count; i++) {
        tlb_forget_page(part->aspace, part->address + (uintptr_t)stale->pages[i] * HAL_PAGE_SIZE);
    }
    if (stale->count >= FORGET_ALL) {
        tlb_forget_space(part->aspace);
    }
    tlb_finish();
}

/** Makes all of it invalid, and forgotten. */
static void part_break(const struct part *part)
{
    struct stale stale = {.count = 0};

    for (unsigned i = 0; i < part->pages; i++) {
        if (part->entries[i] != 0) {
            entry_store(&part->entries[i], 0);
            stale_add(&stale, i);
        }
    }
    part_forget(part, &stale);
}

static void part_map(const struct part *part, uint64_t physical, unsigned wanted)
{
    hal_irq_state_t state = lock_take(aspace_lock(part->aspace));

    part_break(part);
    for (unsigned i = 0; i < part->pages; i++) {
        entry_store(&part->entries[i], entry_new(physical + (uint64_t)i * HAL_PAGE_SIZE, wanted));
    }
    tlb_publish();
    lock_release(aspace_lock(part->aspace), state);
}

/** What the kernel's data side has of a frame is what instructions are fetched from. */
static void frame_clean(uint64_t physical)
{
    uintptr_t line = (uintptr_t)hal_mem_pointer(physical);

    for (unsigned i = 0; i < HAL_PAGE_SIZE / LINE_BYTES; i++) {
        __asm__ volatile("dc cvau, %0" ::"r"(line + (uintptr_t)i * LINE_BYTES) : "memory");
    }
}

/** And no CPU has older instructions of any frame. */
static void instructions_forget(void)
{
    __asm__ volatile("dsb ish\n\tic ialluis\n\tdsb ish\n\tisb" ::: "memory");
}

int hal_aspace_map(struct hal_aspace *aspace, uintptr_t address, uint64_t physical, size_t pages,
                   unsigned access)
{
    for (size_t i = 0; i < pages && (access & HAL_USER_EXECUTE) != 0; i++) {
        frame_clean(physical + (uint64_t)i * HAL_PAGE_SIZE);
    }
    if ((access & HAL_USER_EXECUTE) != 0) {
        instructions_forget();
    }
    while (pages != 0) {
        if (tables_add(aspace, address) < 0) {
            return -ENOMEM;
        }
        struct part part = part_at(aspace, address, pages);
        part_map(&part, physical, access & WANTED_ALL);
        address += (uintptr_t)part.pages * HAL_PAGE_SIZE;
        physical += (uint64_t)part.pages * HAL_PAGE_SIZE;
        pages -= part.pages;
    }
    return 0;
}

void hal_aspace_unmap(struct hal_aspace *aspace, uintptr_t address, size_t pages)
{
    while (pages != 0) {
        struct part part = part_at(aspace, address, pages);
        if (part.entries != NULL) {
            hal_irq_state_t state = lock_take(aspace_lock(aspace));
            part_break(&part);
            lock_release(aspace_lock(aspace), state);
            tables_prune(aspace, address);
        }
        address += (uintptr_t)part.pages * HAL_PAGE_SIZE;
        pages -= part.pages;
    }
}

/** The entry with other rights. What was done with the page is kept, or, if nobody has kept an eye
 * on that, supposed. */
static uint64_t entry_protected(uint64_t entry, unsigned wanted)
{
    bool marked = (entry_wanted(entry) & wanted & HAL_USER_MARK) != 0;
    bool could_write = (entry_wanted(entry) & HAL_USER_WRITE) != 0;
    bool modified = marked ? (entry & USER_MODIFIED) != 0 : could_write;
    bool referenced = !marked || (entry & ENTRY_ACCESSED) != 0;

    if ((wanted & HAL_USER_MARK) == 0) {
        modified = true;
    }
    return entry_rights(entry, wanted, referenced, modified);
}

static void part_protect(const struct part *part, unsigned wanted)
{
    hal_irq_state_t state = lock_take(aspace_lock(part->aspace));
    struct stale stale = {.count = 0};

    for (unsigned i = 0; i < part->pages; i++) {
        uint64_t before = part->entries[i];
        if (before == 0) {
            continue;
        }
        if ((wanted & ~entry_wanted(before) & HAL_USER_EXECUTE) != 0) {
            frame_clean(before & USER_FRAME);
        }
        entry_store(&part->entries[i], entry_protected(before, wanted));
        stale_add(&stale, i);
    }
    part_forget(part, &stale);
    lock_release(aspace_lock(part->aspace), state);
}

void hal_aspace_protect(struct hal_aspace *aspace, uintptr_t address, size_t pages, unsigned access)
{
    while (pages != 0) {
        struct part part = part_at(aspace, address, pages);
        if (part.entries != NULL) {
            part_protect(&part, access & WANTED_ALL);
        }
        address += (uintptr_t)part.pages * HAL_PAGE_SIZE;
        pages -= part.pages;
    }
    if ((access & HAL_USER_EXECUTE) != 0) {
        instructions_forget();
    }
}

/* ---- one page ---- */

unsigned hal_aspace_query(struct hal_aspace *aspace, uintptr_t address, uint64_t *physical)
{
    const uint64_t *entry = last_entry(aspace, address);
    uint64_t value = entry != NULL ? *(const volatile uint64_t *)entry : 0;

    *physical = value & USER_FRAME;
    return entry_wanted(value) & ~(unsigned)HAL_USER_MARK;
}

static unsigned entry_marks(uint64_t entry)
{
    unsigned wanted = entry_wanted(entry);
    bool marked = (wanted & HAL_USER_MARK) != 0;
    bool modified = marked ? (entry & USER_MODIFIED) != 0 : (wanted & HAL_USER_WRITE) != 0;

    return ((entry & ENTRY_ACCESSED) != 0 ? HAL_MARK_REFERENCED : 0) |
           (modified ? HAL_MARK_MODIFIED : 0);
}

unsigned hal_aspace_take_marks(struct hal_aspace *aspace, uintptr_t address)
{
    hal_irq_state_t state = lock_take(aspace_lock(aspace));
    uint64_t *entry = last_entry(aspace, address);
    uint64_t before = entry != NULL ? *entry : 0;
    unsigned marks = entry_marks(before);

    if (marks != 0 && (entry_wanted(before) & HAL_USER_MARK) != 0) {
        entry_store(entry, entry_new(before & USER_FRAME, entry_wanted(before)));
        tlb_publish();
        tlb_forget_page(aspace, address & ~(uintptr_t)(HAL_PAGE_SIZE - 1));
        tlb_finish();
    }
    lock_release(aspace_lock(aspace), state);
    return marks;
}

/** The entry once user code has had `access`; the same if it can have it already; 0: never. */
static uint64_t entry_settled(uint64_t entry, unsigned access)
{
    unsigned wanted = entry_wanted(entry);
    bool write = access == HAL_USER_WRITE;

    if (entry == 0 || (access != HAL_USER_READ && (wanted & access) == 0)) {
        return 0;
    }
    return entry_rights(entry, wanted, true, write || (entry & USER_MODIFIED) != 0);
}

bool aspace_settle(struct hal_aspace *aspace, uintptr_t address, unsigned access)
{
    if (address >= HAL_USER_END) {
        return false;
    }
    hal_irq_state_t state = lock_take(aspace_lock(aspace));
    uint64_t *entry = last_entry(aspace, address);
    uint64_t before = entry != NULL ? *entry : 0;
    uint64_t after = entry_settled(before, access);

    if (after != 0 && after != before) {
        entry_store(entry, after);
        tlb_publish();
        tlb_forget_page(aspace, address & ~(uintptr_t)(HAL_PAGE_SIZE - 1));
        tlb_finish();
    }
    lock_release(aspace_lock(aspace), state);
    return after != 0;
}

uint64_t aspace_table(struct hal_aspace *aspace)
{
    unsigned work;
    uint64_t mark = asid_activate(&aspace->asid, hal_cpu_id(), &work);

    if ((work & ASID_FLUSH) != 0) {
        __asm__ volatile("tlbi vmalle1\n\tdsb nsh\n\tisb" ::: "memory");
    }
    /* Whoever changes the tables from here on has to see the mark that this CPU walks them by. */
    if ((work & ASID_CHANGED) != 0) {
        __asm__ volatile("dsb ish" ::: "memory");
    }
    return asid_number(mark) << 48 | hal_mem_physical(aspace->root);
}
