/* SPDX-License-Identifier: MIT */
/*
 * aspace.c: user address spaces: the host's MMU as a cache of tables.
 *
 * The tables are of the ordinary kind: an entry for each page, in pages of entries for 2 MiB of
 * addresses. They lie in the kernel's memory, so a snapshot holds them and a power cycle drops
 * them. What user code can reach are the host's mappings: views of RAM, made from the entries when
 * the space that is live maps pages, or when user code has faulted on one; dropped when an entry
 * changes; and hidden when another space becomes live. The host sees to it that all its threads
 * agree on them.
 *
 * A fault makes views of the pages around it too, as far as they are for the same access and their
 * frames are neighbours: a call of the host costs as much as a dozen pages.
 *
 * A space remembers its last views, and has them shown or made again when it becomes live. Those
 * that the space before has had, too, are there already and stay (views.h): text, after a fork.
 *
 * Text that stays as it is may be shown as a copy, in which system calls are patched (patch.c).
 *
 * Marks are kept in the entries. A page that is watched has no view until it is used, and one for
 * reading only until it is written.
 *
 * Which space is live when is live.c's business.
 */
#include "board/aspace.h"

#include "board/live.h"
#include "board/patch.h"
#include "board/views.h"
#include "host/host.h"

#include <hal/errno.h>
#include <hal/runtime.h>
#include <hal/upcall.h>
#include <hal/user.h>

enum {
    ACCESS = HAL_USER_READ | HAL_USER_WRITE | HAL_USER_EXECUTE,
    MARK = HAL_USER_MARK,
    STEADY = HAL_USER_STEADY,
    ALL = ACCESS | MARK | STEADY,
    REFERENCED = 32,
    MODIFIED = 64,
    CALLED = 128,  /* user code has made a system call there without a stub */
    PATCHED = 256, /* and more: a patched copy is shown, if there is one */
    ENTRIES = HAL_PAGE_SIZE / 8,
    TABLES = HAL_USER_END / (ENTRIES * HAL_PAGE_SIZE) + 1, /* and the last one not quite */
    BATCH = 64,                                            /* pages; a power of two */
    NARROW = 16 /* so many views are made narrow, after a space has forgotten its views */
};

_Static_assert(TABLES <= 2 * ENTRIES, "two pages of tables");
_Static_assert((int)BATCH <= (int)ENTRIES, "a batch is in one table");

/* ---- tables ---- */

static size_t page_of(uintptr_t address)
{
    return address / HAL_PAGE_SIZE;
}

/* The table for page number `page`, or NULL. */
static uint64_t *table_of(const struct hal_aspace *aspace, size_t page)
{
    size_t number = page / ENTRIES;
    uint64_t **slot = &aspace->tables[number / ENTRIES][number % ENTRIES];
    return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
}

static uint64_t entry_of(const struct hal_aspace *aspace, size_t page)
{
    const uint64_t *table = table_of(aspace, page);
    return table ? table[page % ENTRIES] : 0;
}

static uint64_t frame_of(uint64_t entry)
{
    return entry & ~(uint64_t)(HAL_PAGE_SIZE - 1);
}

int hal_aspace_init(struct hal_aspace *aspace)
{
    *aspace = (struct hal_aspace){.ticket = 0};
    if (host_user_refusal())
        return -ENOSYS;
    for (unsigned i = 0; i < 2; i++) {
        aspace->tables[i] = hal_upcall_table_alloc();
        if (aspace->tables[i])
            memset(aspace->tables[i], 0, HAL_PAGE_SIZE);
    }
    if (aspace->tables[0] && aspace->tables[1])
        return 0;
    for (unsigned i = 0; i < 2; i++)
        if (aspace->tables[i])
            hal_upcall_table_free(aspace->tables[i]);
    return -ENOMEM;
}

static int add_table(struct hal_aspace *aspace, size_t page)
{
    size_t number = page / ENTRIES;
    if (table_of(aspace, page))
        return 0;
    uint64_t *table = hal_upcall_table_alloc();
    if (!table)
        return -ENOMEM;
    memset(table, 0, HAL_PAGE_SIZE);
    __atomic_store_n(&aspace->tables[number / ENTRIES][number % ENTRIES], table, __ATOMIC_RELEASE);
    return 0;
}

static void free_tables(struct hal_aspace *aspace)
{
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned k = 0; k < ENTRIES; k++)
            if (aspace->tables[i][k])
                hal_upcall_table_free(aspace->tables[i][k]);
        hal_upcall_table_free(aspace->tables[i]);
        aspace->tables[i] = NULL;
    }
}

/* ---- views. HOST_USER held ---- */

static void drop(const struct hal_aspace *aspace, uintptr_t address, size_t pages)
{
    if (sim_live_space() == aspace)
        sim_view_drop(page_of(address), pages);
}

/* Whether its system calls may be patched. */
static bool is_text(unsigned access)
{
    return (access & (STEADY | HAL_USER_WRITE | HAL_USER_EXECUTE)) == (STEADY | HAL_USER_EXECUTE);
}

/* Where a view of a page is to lead: to its frame, or to the copy of that. */
static uint64_t shown_frame(const struct hal_aspace *aspace, size_t page, uint64_t frame)
{
    return entry_of(aspace, page) & PATCHED ? sim_patch_frame(frame, page) : frame;
}

/* The same for pages of which there may be patched copies. */
static bool view(const struct hal_aspace *aspace, uintptr_t address, uint64_t physical,
                 size_t pages, unsigned access)
{
    bool good = true;
    if (!is_text(access))
        return sim_view_map(page_of(address), physical, pages, access & ACCESS);
    for (size_t first = 0, n; first < pages && good; first += n) {
        size_t page = page_of(address) + first;
        uint64_t frame = physical + first * HAL_PAGE_SIZE, at = shown_frame(aspace, page, frame);
        for (n = 1; first + n < pages; n++, frame += HAL_PAGE_SIZE)
            if (shown_frame(aspace, page + n, frame + HAL_PAGE_SIZE) != at + n * HAL_PAGE_SIZE)
                break;
        good = sim_view_map(page, at, n, access & ACCESS);
    }
    return good;
}

/* The last views that are remembered. */
static unsigned recents_of(const struct hal_aspace *aspace)
{
    return aspace->recents < HAL_USER_RECENT ? aspace->recents : HAL_USER_RECENT;
}

/* The one of them that has a page of these, or NULL. */
static uint32_t *recent_with(struct hal_aspace *aspace, size_t page, size_t pages)
{
    for (unsigned i = 0; i < recents_of(aspace); i++)
        if (aspace->recent[i][0] - page < pages ||
            page - aspace->recent[i][0] < aspace->recent[i][1])
            return aspace->recent[i];
    return NULL;
}

/* A view was made, or is about to be wanted. */
static void note_recent(struct hal_aspace *aspace, size_t page, size_t pages)
{
    uint32_t *at = recent_with(aspace, page, pages);
    if (!at)
        at = aspace->recent[aspace->recents++ % HAL_USER_RECENT];
    at[0] = (uint32_t)page;
    at[1] = (uint32_t)pages;
}

/* Whether the entries of page `page` and of the one `apart` pages behind it can share a view. */
static bool are_neighbours(uint64_t entry, uint64_t other, size_t apart)
{
    return (entry & ALL) == (other & ALL) &&
           frame_of(other) - frame_of(entry) == apart * HAL_PAGE_SIZE;
}

/* The view that ends right before the page, or begins right behind it; or NULL. */
static uint32_t *recent_beside(struct hal_aspace *aspace, size_t page)
{
    for (unsigned i = 0; i < recents_of(aspace); i++)
        if (aspace->recent[i][0] + aspace->recent[i][1] == page || aspace->recent[i][0] == page + 1)
            return aspace->recent[i];
    return NULL;
}

/*
 * Whether the space has forgotten its views, to learn which ones it needs. Then one that may be
 * written is of a page alone at first, and of twice as many as there are already beside it: the
 * host makes each page of it at each turn. What may only be read it brings in by itself.
 */
static bool is_learning(const struct hal_aspace *aspace, uint64_t entry)
{
    return aspace->learns && aspace->recents < NARROW && (entry & HAL_USER_WRITE);
}

/* Makes the range *low .. *high of a table, which page `at` is in, narrower. */
static void narrow(const uint32_t *beside, size_t page, size_t *low, size_t *high)
{
    const size_t at = page % ENTRIES, width = beside ? 2 * (size_t)beside[1] : 1;
    const bool down = beside && beside[0] > page;
    if (down) {
        *low = at - *low < width ? *low : at + 1 - width;
        *high = at + 1;
    } else {
        *low = at;
        *high = *high - at < width ? *high : at + width;
    }
}

/* Remembers a view together with the one beside it, if one can be made of both. */
static void note_with(struct hal_aspace *aspace, uint32_t *beside, size_t page, size_t pages)
{
    size_t low = page, high = page;
    if (beside)
        low = beside[0] < page ? beside[0] : page, high = beside[0] < page ? page : beside[0];
    if (!beside || !are_neighbours(entry_of(aspace, low), entry_of(aspace, high), high - low)) {
        note_recent(aspace, page, pages);
        return;
    }
    beside[0] = (uint32_t)low;
    beside[1] += (uint32_t)pages;
}

/* A page and what can share its view, within a batch. */
static bool view_around(struct hal_aspace *aspace, size_t page)
{
    const uint64_t *table = table_of(aspace, page);
    size_t at = page % ENTRIES, first = at, end = at + 1;
    size_t low = at & ~(size_t)(BATCH - 1), high = low + BATCH;
    uint32_t *beside = NULL;
    if (is_learning(aspace, table[at])) {
        beside = recent_beside(aspace, page);
        narrow(beside, page, &low, &high);
    }
    while (first > low && are_neighbours(table[first - 1], table[at], at - first + 1))
        first--;
    while (end < high && are_neighbours(table[at], table[end], end - at))
        end++;
    if (page + (end - at) > page_of(HAL_USER_END))
        end = at + 1;
    note_with(aspace, beside, page - (at - first), end - first);
    return view(aspace, (page - (at - first)) * HAL_PAGE_SIZE, frame_of(table[first]), end - first,
                table[at] & (ACCESS | STEADY));
}

/* A page that is watched, which user code is about to use. */
static bool view_marked(const struct hal_aspace *aspace, size_t page, unsigned access)
{
    uint64_t *entry = &table_of(aspace, page)[page % ENTRIES];
    *entry |= REFERENCED | (access == HAL_USER_WRITE ? MODIFIED : 0);
    unsigned allowed = *entry & (*entry & MODIFIED ? ACCESS : ACCESS & ~HAL_USER_WRITE);
    return sim_view_map(page, frame_of(*entry), 1, allowed);
}

struct fill {
    struct hal_aspace *aspace;
    uintptr_t address;
    unsigned access;
};

static long fill_work(void *argument)
{
    const struct fill *fill = argument;
    size_t page = page_of(fill->address);
    bool done = false;
    host_lock(HOST_USER);
    uint64_t entry = entry_of(fill->aspace, page);
    unsigned allowed = entry & ACCESS;
    if (allowed & HAL_USER_WRITE)
        allowed |= HAL_USER_READ;
    if (allowed & fill->access)
        done = entry & MARK ? view_marked(fill->aspace, page, fill->access)
                            : view_around(fill->aspace, page);
    host_unlock(HOST_USER);
    return done;
}

bool sim_aspace_fill(struct cpu *cpu, struct hal_aspace *aspace, uintptr_t address, unsigned access)
{
    struct fill fill = {aspace, address, access};
    if (address < HAL_USER_START || address >= HAL_USER_END)
        return false;
    return fiber_call_host(cpu, fill_work, &fill);
}

struct call {
    struct cpu *cpu;
    struct hal_aspace *aspace;
    const struct hal_user *user;
};

/*
 * A page gets its copy shown when a second call has come from there: a view apart from those around
 * costs about as much as two calls.
 */
static void note_call(const struct hal_aspace *aspace, size_t page, const struct hal_user *user)
{
    uint64_t *entry = &table_of(aspace, page)[page % ENTRIES];
    bool again = *entry & CALLED, anew = sim_patch_note(frame_of(*entry), page, user);
    *entry |= CALLED;
    if (!anew && (!again || (*entry & PATCHED)))
        return;
    if (anew || sim_patch_check(frame_of(*entry), page)) {
        *entry |= PATCHED;
        (void)view(aspace, page * HAL_PAGE_SIZE, frame_of(*entry), 1, *entry & (ACCESS | STEADY));
    }
}

/* All copies go, and all stubs, if no other CPU can be in one. */
static void forget_patches(struct cpu *cpu)
{
    if (sim_live_stop_others(cpu)) {
        sim_view_drop_all();
        sim_patch_reset();
    }
    sim_live_let_others(cpu);
}

static long call_work(void *argument)
{
    const struct call *call = argument;
    uintptr_t pc = hal_user_pc(call->user) - 1;
    if (pc >= HAL_USER_END)
        return 0;
    host_lock(HOST_USER);
    if (is_text(entry_of(call->aspace, page_of(pc)) & ALL))
        note_call(call->aspace, page_of(pc), call->user);
    if (sim_patch_is_out())
        forget_patches(call->cpu);
    host_unlock(HOST_USER);
    return 0;
}

void sim_aspace_note_call(struct cpu *cpu, struct hal_aspace *aspace, const struct hal_user *user)
{
    struct call call = {cpu, aspace, user};
    if (host_user_patches())
        (void)fiber_call_host(cpu, call_work, &call);
}

/* Makes a view of these pages again, if they still are what one view can be of. */
static void view_again(const struct hal_aspace *aspace, size_t page, size_t pages)
{
    uint64_t entry = entry_of(aspace, page);
    if (!(entry & ACCESS) || (entry & MARK) || sim_view_covers(page, pages))
        return;
    for (size_t i = 1; i < pages; i++)
        if (!are_neighbours(entry, entry_of(aspace, page + i), i))
            return;
    (void)view(aspace, page * HAL_PAGE_SIZE, frame_of(entry), pages, entry & (ACCESS | STEADY));
}

/*
 * The views that a space had last are the ones that it is going to need: making them again costs a
 * third of the faults. Once in a while it has to fault, so that what is not used is forgotten: soon
 * after it was made, since it has been given more than it needs then, and seldom later.
 */
static void view_recent(struct hal_aspace *aspace)
{
    enum { FIRST_TURNS = 8, TURNS = 128 };
    for (unsigned i = 0; i < recents_of(aspace); i++)
        view_again(aspace, aspace->recent[i][0], aspace->recent[i][1]);
    if (++aspace->turns < (aspace->learns ? TURNS : FIRST_TURNS))
        return;
    aspace->recents = 0;
    aspace->turns = 0;
    aspace->learns = true;
}

/* ---- the live space ---- */

void sim_aspace_reset(void)
{
    sim_view_drop_all();
    sim_patch_reset();
    sim_live_reset();
}

void sim_aspace_hide(void)
{
    host_lock(HOST_USER);
    sim_view_drop_all();
    host_unlock(HOST_USER);
}

/*
 * Whether a view that there is is one of this space, too, as those of text often are. Then also a
 * patched copy is: it is what its frame was made into. One that is hidden has to be one of the
 * last.
 */
static bool agrees(void *space, const struct sim_view *view)
{
    struct hal_aspace *aspace = space;
    if (view->hidden && !recent_with(aspace, view->page, view->pages))
        return false;
    for (size_t i = 0; i < view->pages; i++) {
        const size_t page = view->page + i;
        uint64_t *table = table_of(aspace, page), *entry = table ? &table[page % ENTRIES] : NULL;
        const uint64_t at = view->at + i * HAL_PAGE_SIZE;
        if (!entry || (*entry & (ACCESS | MARK)) != view->access)
            return false;
        if (at != frame_of(*entry) && is_text(*entry & ALL) &&
            sim_patch_agrees(frame_of(*entry), page, at))
            *entry |= CALLED | PATCHED;
        if (at != shown_frame(aspace, page, frame_of(*entry)))
            return false;
    }
    return true;
}

void sim_aspace_show(struct hal_aspace *aspace)
{
    sim_view_mark(agrees, aspace);
    view_recent(aspace);
    sim_view_settle();
}

/* ---- the contract ---- */

struct range {
    struct hal_aspace *aspace;
    uintptr_t address;
    uint64_t physical;
    size_t pages;
    unsigned access;
};

static long map_work(void *argument)
{
    const struct range *range = argument;
    const struct hal_aspace *aspace = range->aspace;
    size_t page = page_of(range->address);
    host_lock(HOST_USER);
    for (size_t i = 0; i < range->pages; i++)
        table_of(aspace, page + i)[(page + i) % ENTRIES] =
            (range->physical + i * HAL_PAGE_SIZE) | range->access;
    /* It is mapped because it is about to be used, as a rule. */
    if (!(range->access & MARK) && range->pages <= ENTRIES)
        note_recent(range->aspace, page, range->pages);
    if (sim_live_space() != aspace || (range->access & MARK) || range->pages > ENTRIES ||
        !view(aspace, range->address, range->physical, range->pages, range->access))
        drop(aspace, range->address, range->pages);
    host_unlock(HOST_USER);
    return 0;
}

/* One CPU at a time changes a space (hal/aspace.h). The second one is a bug of the kernel that
 * another machine's tables would not survive; it faults. `frame` is the caller's. */
static HAL_NOINLINE void claim(struct hal_aspace *aspace, uintptr_t frame)
{
    struct hal_fault fault = {.kind = HAL_FAULT_OTHER,
                              .pc = (uintptr_t)__builtin_return_address(0),
                              .frame = frame,
                              .detail = "two CPUs change one address space at the same time"};
    if (!__atomic_exchange_n(&aspace->changing, true, __ATOMIC_ACQUIRE))
        return;
    hal_irq_state_t state = hal_irq_save();
    if (!sim_fault(&fault))
        hal_board_stop(HAL_STOP_PANIC, 0);
    hal_irq_restore(state);
}

static void release(struct hal_aspace *aspace)
{
    __atomic_store_n(&aspace->changing, false, __ATOMIC_RELEASE);
}

/* Guest code: runs work(range) entered; then whoever wants the CPU is let in. */
static long run_claimed(long (*work)(void *), struct range *range)
{
    long result = fiber_call_host(sim_cpu_enter(), work, range);
    sim_cpu_leave();
    sim_cpu_point(COST_DEVICE);
    return result;
}

static long run(long (*work)(void *), struct range *range)
{
    claim(range->aspace, (uintptr_t)__builtin_frame_address(0));
    long result = run_claimed(work, range);
    release(range->aspace);
    return result;
}

int hal_aspace_map(struct hal_aspace *aspace, uintptr_t address, uint64_t physical, size_t pages,
                   unsigned access)
{
    struct range range = {aspace, address, physical, pages, access & ALL};
    int error = 0;
    claim(aspace, (uintptr_t)__builtin_frame_address(0));
    for (size_t page = page_of(address); page < page_of(address) + pages && !error; page++)
        error = add_table(aspace, page);
    if (!error)
        (void)run_claimed(map_work, &range);
    release(aspace);
    return error;
}

static long unmap_work(void *argument)
{
    const struct range *range = argument;
    size_t page = page_of(range->address);
    host_lock(HOST_USER);
    for (size_t i = 0, n; i < range->pages; i += n) {
        uint64_t *table = table_of(range->aspace, page + i);
        n = ENTRIES - (page + i) % ENTRIES;
        n = n < range->pages - i ? n : range->pages - i;
        if (table)
            memset(table + (page + i) % ENTRIES, 0, n * sizeof *table);
    }
    drop(range->aspace, range->address, range->pages);
    host_unlock(HOST_USER);
    return 0;
}

void hal_aspace_unmap(struct hal_aspace *aspace, uintptr_t address, size_t pages)
{
    struct range range = {.aspace = aspace, .address = address, .pages = pages};
    (void)run(unmap_work, &range);
}

static long protect_work(void *argument)
{
    const struct range *range = argument;
    size_t page = page_of(range->address);
    host_lock(HOST_USER);
    for (size_t i = 0; i < range->pages; i++) {
        uint64_t *table = table_of(range->aspace, page + i);
        uint64_t *entry = table ? &table[(page + i) % ENTRIES] : NULL;
        if (entry && *entry)
            *entry = (*entry & ~(uint64_t)(ALL | CALLED | PATCHED)) | range->access;
    }
    drop(range->aspace, range->address, range->pages);
    host_unlock(HOST_USER);
    return 0;
}

void hal_aspace_protect(struct hal_aspace *aspace, uintptr_t address, size_t pages, unsigned access)
{
    struct range range = {
        .aspace = aspace, .address = address, .pages = pages, .access = access & ALL};
    (void)run(protect_work, &range);
}

static long query_work(void *argument)
{
    const struct range *range = argument;
    host_lock(HOST_USER);
    uint64_t entry = entry_of(range->aspace, page_of(range->address));
    host_unlock(HOST_USER);
    return (long)entry;
}

unsigned hal_aspace_query(struct hal_aspace *aspace, uintptr_t address, uint64_t *physical)
{
    struct range range = {.aspace = aspace, .address = address};
    uint64_t entry = (uint64_t)run(query_work, &range);
    *physical = frame_of(entry);
    return (unsigned)(entry & ACCESS);
}

static long marks_work(void *argument)
{
    const struct range *range = argument;
    size_t page = page_of(range->address);
    uint64_t *table, marks;
    host_lock(HOST_USER);
    table = table_of(range->aspace, page);
    uint64_t entry = table ? table[page % ENTRIES] : 0;
    if (entry & MARK) {
        marks = entry & (REFERENCED | MODIFIED);
        table[page % ENTRIES] = entry & ~marks;
        drop(range->aspace, page * HAL_PAGE_SIZE, marks != 0);
    } else {
        marks = entry ? REFERENCED : 0;
        marks |= entry & HAL_USER_WRITE ? MODIFIED : 0;
    }
    host_unlock(HOST_USER);
    return (long)marks;
}

unsigned hal_aspace_take_marks(struct hal_aspace *aspace, uintptr_t address)
{
    struct range range = {.aspace = aspace, .address = address};
    long marks = run(marks_work, &range);
    return (marks & REFERENCED ? HAL_MARK_REFERENCED : 0) |
           (marks & MODIFIED ? HAL_MARK_MODIFIED : 0);
}

static long finish_work(void *argument)
{
    const struct range *range = argument;
    host_lock(HOST_USER);
    if (sim_live_space() == range->aspace) {
        sim_view_drop(page_of(HAL_USER_START), page_of(HAL_USER_END - HAL_USER_START));
        sim_live_end();
    }
    host_unlock(HOST_USER);
    return 0;
}

void hal_aspace_finish(struct hal_aspace *aspace)
{
    struct range range = {.aspace = aspace};
    claim(aspace, (uintptr_t)__builtin_frame_address(0));
    (void)run_claimed(finish_work, &range);
    free_tables(aspace);
}
