/* SPDX-License-Identifier: MIT */
/*
 * fault.c: pages come into the page map, and from there into the processor's tables.
 *
 * A fault is a loop of small steps, each of which leaves all in order: is the page there and may it
 * be used? Then it is shown to the processor, and that is all. If it is there, but may not be
 * written to yet, it is copied, or noted as modified. If it is not there, it is loaded. Another
 * thread may have made any of these steps meanwhile, or a file may have been cut: then the loop
 * sees it as it is.
 *
 * Pages come in batches, because a trap costs more than a page. Of zeros and copies, the more are
 * made at once the longer a program goes from page to page: 4 or 8 at first, up to 64 in one run
 * of frames. Of files, the 64 pages around. And what is shown is all that lies in a row in RAM
 * as it does in the space, which is one step for a simulator, whose step is a system call of its
 * host's.
 */
#include "vm/region/region.h"

#include "mem/frame.h"
#include "mem/reclaim.h"
#include "vm/region/origin.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/mem.h>
#include <hal/runtime.h>

#define ZEROS_FIRST 4u
#define COPIES_FIRST 8u
#define BATCH_MAX 64u
#define FILE_BATCH 64u
#define SHOW_BATCH 64u /* pages in a row that are shown at once; a power of two */
#define DROP_MAX 32u   /* words that are taken out with the lock held once */
#define TABLE_FRAMES 8u

static KSTATE vm_short_hook *short_hook; /* constant after boot */

/* What a fault is about. */
struct fault {
    struct vm_space *space;
    struct vm_region *region;
    uint64_t number; /* of the page */
    unsigned access; /* HAL_USER_ bits that are wanted */
    bool loaded, shown;
};

static uint64_t first_of(const struct vm_region *region)
{
    return region->start / HAL_PAGE_SIZE;
}

static uint64_t end_of(const struct vm_region *region)
{
    return region->end / HAL_PAGE_SIZE;
}

/* ---- showing pages to the processor ---- */

static uint64_t physical_of(uintptr_t word)
{
    return hal_mem_physical(page_bytes(word));
}

/* True if the page `distance` pages on is there for the same rights, and so far on in RAM. */
static bool follows(const struct vm_space *space, uint64_t number, int64_t distance, uintptr_t word)
{
    uintptr_t other = vm_word(space, number + (uint64_t)distance);

    return other && page_access(other) == page_access(word) &&
           physical_of(other) == physical_of(word) + (uint64_t)(distance * (int64_t)HAL_PAGE_SIZE);
}

/* Maps the page, which is there, and its neighbours. Caller holds pages_lock. 0 or -ENOMEM. */
static int show(struct fault *fault, uintptr_t word)
{
    struct vm_space *space = fault->space;
    uint64_t number = fault->number, low = number & ~(uint64_t)(SHOW_BATCH - 1);
    uint64_t high = low + SHOW_BATCH;
    unsigned access = page_access(word);
    int64_t before = 0, behind = 1;

    if (fault->region->flags & VM_PRIVATE) /* whoever writes to the file meanwhile */
        access |= HAL_USER_STEADY;
    low = low > first_of(fault->region) ? low : first_of(fault->region);
    high = high < end_of(fault->region) ? high : end_of(fault->region);
    while (number + (uint64_t)before > low && follows(space, number, before - 1, word))
        before--;
    while (number + (uint64_t)behind < high && follows(space, number, behind, word))
        behind++;
    return hal_aspace_map(&space->aspace, (number + (uint64_t)before) * HAL_PAGE_SIZE,
                          physical_of(word) + (uint64_t)(before * (int64_t)HAL_PAGE_SIZE),
                          (size_t)(behind - before), access);
}

/* ---- entering pages ---- */

/*
 * Enters the words for `n` pages from `first` on, all of one leaf, where nothing is; what is not
 * entered is given up: all, if a file has been cut since `cuts` were counted. 0 or -ENOMEM.
 */
static int enter(struct vm_space *space, uint64_t first, unsigned n, uintptr_t *words,
                 uint32_t cuts)
{
    struct page_spares spares = {{NULL}, 0};
    hal_irq_state_t state = spinlock_acquire(&space->pages_lock);
    uintptr_t *slots = page_map_make(&space->map, first, &spares);
    int error = 0;

    if (!slots) {
        spinlock_release(&space->pages_lock, state);
        error = page_spares_fill(&spares);
        state = spinlock_acquire(&space->pages_lock);
        if (!error)
            slots = page_map_make(&space->map, first, &spares);
    }
    for (unsigned i = 0; slots && i < n && space->cuts == cuts; i++) {
        if (slots[i] || !words[i])
            continue;
        slots[i] = words[i];
        words[i] = 0;
        space->resident++;
    }
    spinlock_release(&space->pages_lock, state);
    page_spares_free(&spares);
    for (unsigned i = 0; i < n; i++)
        if (words[i])
            page_give(words[i]);
    return error;
}

/* Makes *first .. *end, which `number` is in, smaller: no page of it is there. Caller holds
 * pages_lock. */
static void shrink(const struct fault *fault, uint64_t *first, uint64_t *end)
{
    uint64_t low = fault->number, high = fault->number + 1;

    if (*first < first_of(fault->region))
        *first = first_of(fault->region);
    if (*end > end_of(fault->region))
        *end = end_of(fault->region);
    while (low > *first && !vm_word(fault->space, low - 1))
        low--;
    while (high < *end && !vm_word(fault->space, high))
        high++;
    *first = low;
    *end = high;
}

/* The pages around that may come with the page of the fault: `least`, or twice as many as the last
 * time. Caller holds pages_lock. */
static void begin_batch(const struct fault *fault, unsigned least, uint64_t *first, uint64_t *end)
{
    struct vm_region *region = fault->region;
    bool goes_on = fault->number == region->beyond || fault->number + 1 == region->latest;

    if (!goes_on || region->batch == 0)
        region->batch = least;
    else if (region->batch < BATCH_MAX)
        region->batch *= 2;
    *first = fault->number & ~(uint64_t)(region->batch - 1);
    *end = *first + region->batch;
}

/* These are those that come. */
static void end_batch(const struct fault *fault, uint64_t first, uint64_t end)
{
    fault->region->latest = first;
    fault->region->beyond = end;
}

/* Which pages of zeros are made. Returns how often a file has been cut by now. */
static uint32_t plan_zeros(const struct fault *fault, uint64_t *first, uint64_t *end)
{
    hal_irq_state_t state = spinlock_acquire(&fault->space->pages_lock);
    uint32_t cuts = fault->space->cuts;

    begin_batch(fault, ZEROS_FIRST, first, end);
    shrink(fault, first, end);
    end_batch(fault, *first, *end);
    spinlock_release(&fault->space->pages_lock, state);
    return cuts;
}

static int load_zeros(const struct fault *fault)
{
    uintptr_t words[BATCH_MAX];
    uint64_t first, end;
    uint32_t cuts = plan_zeros(fault, &first, &end);
    unsigned n;
    uint8_t *run;

    run = frame_alloc_pages((size_t)(end - first), 0);
    if (!run) {
        first = fault->number;
        end = first + 1;
        run = frame_alloc(0);
    }
    if (!run)
        return -ENOMEM;
    n = (unsigned)(end - first);
    memset(run, 0, (size_t)n * HAL_PAGE_SIZE);
    frame_split(run);
    for (unsigned i = 0; i < n; i++)
        words[i] =
            page_with_access((uintptr_t)(run + (size_t)i * HAL_PAGE_SIZE), fault->region->access);
    return enter(fault->space, first, n, words, cuts);
}

/* What may be done at once with a page of a file or share that is mapped. */
static unsigned first_access(const struct vm_region *region, uintptr_t word)
{
    bool noted = (region->flags & VM_SHARED) && !(word & PAGE_CACHED);

    return noted ? region->access : region->access & ~(unsigned)HAL_USER_WRITE;
}

static int load_origin(const struct fault *fault)
{
    struct vm_space *space = fault->space;
    unsigned batch = fault->region->share ? 1 : FILE_BATCH;
    uint64_t first = fault->number & ~(uint64_t)(batch - 1), end = first + batch;
    uintptr_t words[FILE_BATCH] = {0};
    hal_irq_state_t state = spinlock_acquire(&space->pages_lock);
    uint32_t cuts = space->cuts;
    int error = 0;

    shrink(fault, &first, &end);
    spinlock_release(&space->pages_lock, state);
    for (uint64_t number = first; number < end && !error; number++) {
        uintptr_t *word = &words[number - first];

        error = origin_get(fault->region, number * HAL_PAGE_SIZE, (unsigned)(end - number), word);
        if (!error)
            *word = page_with_access(*word, first_access(fault->region, *word));
        else if (number != fault->number)
            error = 0; /* it was not asked for */
    }
    if (!error)
        return enter(space, first, (unsigned)(end - first), words, cuts);
    for (unsigned i = 0; i < FILE_BATCH; i++)
        if (words[i])
            page_give(words[i]);
    return error;
}

/* ---- before a page is written to ---- */

/* Pages that get copies in their place, all in a row. */
struct copies {
    uint64_t first;
    unsigned n;
    uintptr_t words[BATCH_MAX]; /* with a reference to each; 0: that one not */
    uint8_t *run;               /* the copies */
};

/* True if a copy comes before the first write to it. */
static bool wants_copy(const struct vm_space *space, uint64_t number)
{
    uintptr_t word = vm_word(space, number);

    return word && !(page_access(word) & HAL_USER_WRITE) && !page_is_sole(word);
}

/* The page of the fault and its neighbours. Caller holds pages_lock. */
static void choose_copies(const struct fault *fault, struct copies *copies)
{
    uint64_t first = fault->number, end = first + 1, low, high;

    begin_batch(fault, COPIES_FIRST, &low, &high);
    low = low > first_of(fault->region) ? low : first_of(fault->region);
    high = high < end_of(fault->region) ? high : end_of(fault->region);
    while (first > low && wants_copy(fault->space, first - 1))
        first--;
    while (end < high && wants_copy(fault->space, end))
        end++;
    end_batch(fault, first, end);
    copies->first = first;
    copies->n = (unsigned)(end - first);
    for (unsigned i = 0; i < copies->n; i++) {
        uintptr_t word = vm_word(fault->space, first + i);

        copies->words[i] = page_share(word) ? word : 0;
    }
}

/* Only the page of the fault. */
static void choose_one(const struct fault *fault, struct copies *copies)
{
    unsigned own = (unsigned)(fault->number - copies->first);
    uintptr_t word = copies->words[own];

    for (unsigned i = 0; i < copies->n; i++)
        if (i != own && copies->words[i])
            page_give(copies->words[i]);
    copies->first = fault->number;
    copies->n = 1;
    copies->words[0] = word;
}

/* Frames for them, filled. 0 or -ENOMEM. */
static int make_copies(const struct fault *fault, struct copies *copies)
{
    copies->run = copies->n > 1 ? frame_alloc_pages(copies->n, 0) : NULL;
    if (!copies->run) {
        choose_one(fault, copies);
        copies->run = frame_alloc(0);
    }
    if (!copies->run)
        return -ENOMEM;
    for (unsigned i = 0; i < copies->n; i++)
        if (copies->words[i])
            memcpy(copies->run + (size_t)i * HAL_PAGE_SIZE, page_bytes(copies->words[i]),
                   HAL_PAGE_SIZE);
    frame_split(copies->run);
    return 0;
}

/*
 * Enters the copies, and shows them: before an old page is given up, nobody sees it any more.
 * Leaves in `words` what is not in the map any more. Caller holds pages_lock.
 */
static void enter_copies(struct fault *fault, struct copies *copies)
{
    struct vm_space *space = fault->space;
    bool all = true;

    for (unsigned i = 0; i < copies->n; i++) {
        uintptr_t *slot = page_map_find(&space->map, copies->first + i);
        uintptr_t frame = (uintptr_t)copies->run + (size_t)i * HAL_PAGE_SIZE, old = frame;

        if (slot && copies->words[i] && *slot == copies->words[i]) {
            *slot = page_with_access(frame, fault->region->access);
            old = copies->words[i];
        } else {
            all = false;
        }
        if (copies->words[i])
            page_give_now(copies->words[i]);
        copies->words[i] = old;
    }
    fault->shown = all && show(fault, vm_word(space, fault->number)) == 0;
    if (!fault->shown)
        vm_hide(space, copies->first, copies->first + copies->n);
}

static int copy_pages(struct fault *fault, struct copies *copies)
{
    int error = copies->words[fault->number - copies->first] ? make_copies(fault, copies) : -ENOMEM;
    hal_irq_state_t state;

    if (!error) {
        state = spinlock_acquire(&fault->space->pages_lock);
        enter_copies(fault, copies);
        spinlock_release(&fault->space->pages_lock, state);
    }
    for (unsigned i = 0; i < copies->n; i++)
        if (copies->words[i])
            page_give(copies->words[i]);
    return error;
}

/* The page, which is there, may not be written to yet. */
static int make_writable(struct fault *fault, uintptr_t word)
{
    struct vm_space *space = fault->space;
    bool shared = fault->region->flags & VM_SHARED, sole;
    hal_irq_state_t state = spinlock_acquire(&space->pages_lock);
    uintptr_t *slot = page_map_find(&space->map, fault->number);
    struct copies copies = {.n = 0};
    int error = 0;

    if (!slot || *slot != word) {
        spinlock_release(&space->pages_lock, state);
        return 0;
    }
    sole = !shared && page_is_sole(word);
    if (shared && !page_share(word))
        error = -ENOMEM;
    else if (sole || shared)
        *slot = page_with_access(word, fault->region->access);
    else
        choose_copies(fault, &copies);
    spinlock_release(&space->pages_lock, state);
    if (shared && !error) {
        page_modified(word);
        page_give(word);
    }
    return copies.n > 0 ? copy_pages(fault, &copies) : error;
}

/* ---- faults ---- */

/* One step. -EAGAIN: and another one. */
static int advance(struct fault *fault)
{
    struct vm_space *space = fault->space;
    hal_irq_state_t state = spinlock_acquire(&space->pages_lock);
    uintptr_t word = vm_word(space, fault->number);
    bool ready = word && (page_access(word) & fault->access) == fault->access;
    int error = ready && !fault->shown ? show(fault, word) : ready ? 0 : -EAGAIN;

    if (!error) {
        space->faults++;
        space->loads += fault->loaded;
    }
    spinlock_release(&space->pages_lock, state);
    if (ready) /* or there was no table for the processor to be had */
        return error && reclaim_frames(TABLE_FRAMES) > 0 ? -EAGAIN : error;
    fault->loaded = true;
    if (word)
        error = make_writable(fault, word);
    else if (fault->region->file || fault->region->share)
        error = load_origin(fault);
    else
        error = load_zeros(fault);
    return error ? error : -EAGAIN;
}

static int handle(struct vm_space *space, uintptr_t address, unsigned access)
{
    struct fault fault = {
        .space = space, .number = address / HAL_PAGE_SIZE, .access = access, .loaded = false};
    int error;

    rwlock_read(&space->lock);
    fault.region = vm_region_find(space, address);
    if (!fault.region)
        error = -EFAULT;
    else if ((fault.region->access & access) != access)
        error = -EACCES;
    else
        while ((error = advance(&fault)) == -EAGAIN)
            ;
    rwlock_end_read(&space->lock);
    return error;
}

/* True if a region above can reach down to the page of `address`, and does so. */
static bool grow(struct vm_space *space, uintptr_t address)
{
    uintptr_t start = address / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
    struct vm_region *region, *before;
    bool can = false;

    if (start < HAL_USER_START || start >= HAL_USER_END)
        return false;
    rwlock_write(&space->lock);
    region = vm_region_from(space, address);
    if (region && region->start > start && (region->flags & VM_GROWS_DOWN)) {
        before = vm_region_before(region);
        can = region->end - start <= space->limits.stack &&
              space->mapped + (region->start - start) <= space->limits.bytes &&
              (!before || (start >= VM_GUARD && before->end <= start - VM_GUARD));
        if (can)
            vm_region_set(region, start, region->end);
    }
    can = can || (region && region->start <= start); /* somebody else was faster */
    rwlock_end_write(&space->lock);
    return can;
}

void vm_set_short_hook(vm_short_hook *hook)
{
    short_hook = hook;
}

int vm_fault(struct vm_space *space, uintptr_t address, unsigned access)
{
    int error;

    access &= HAL_USER_READ | HAL_USER_WRITE | HAL_USER_EXECUTE;
    if (access == 0)
        access = HAL_USER_READ;
    do
        error = handle(space, address, access);
    while ((error == -EFAULT && grow(space, address)) ||
           (error == -ENOMEM && short_hook && short_hook() == 0));
    return error;
}

/* ---- taking pages away ---- */

/* Takes up to DROP_MAX words out, from *number on; moves *number past them. */
static unsigned take_words(struct vm_space *space, uint64_t *number, uint64_t end, uintptr_t *words)
{
    hal_irq_state_t state = spinlock_acquire(&space->pages_lock);
    uint64_t first = *number, last = first;
    unsigned n = 0;
    uintptr_t *slot;

    while (n < DROP_MAX && (slot = page_map_next(&space->map, number, end))) {
        if (n == 0)
            first = *number;
        words[n++] = *slot;
        *slot = 0;
        last = ++*number;
    }
    if (n > 0)
        vm_hide(space, first, last);
    space->resident -= n;
    spinlock_release(&space->pages_lock, state);
    return n;
}

void vm_pages_drop(struct vm_space *space, uintptr_t start, uintptr_t end)
{
    uint64_t number = start / HAL_PAGE_SIZE;
    uintptr_t words[DROP_MAX];
    unsigned n;

    while ((n = take_words(space, &number, end / HAL_PAGE_SIZE, words)) > 0)
        for (unsigned i = 0; i < n; i++)
            page_give(words[i]);
}

void vm_pages_trim(struct vm_space *space, uintptr_t start, uintptr_t end)
{
    hal_irq_state_t state = spinlock_acquire(&space->pages_lock);

    page_map_trim(&space->map, start / HAL_PAGE_SIZE, end / HAL_PAGE_SIZE);
    spinlock_release(&space->pages_lock, state);
}
