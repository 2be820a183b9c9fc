/* SPDX-License-Identifier: MIT */
/*
 * magazine.c: taking objects and giving them back, where that is more than the fast way.
 *
 * A magazine that is empty, as is the stack, gets the next word of the loaded slab that has free
 * objects. Behind the last word the slab goes back to the store, on the list that fits what was
 * freed of it meanwhile, and the fullest slab with room is loaded. When there is none, the CPU asks
 * in this order for
 *
 *     what others have freed of its slabs      the list `returned`
 *     slabs that another CPU gave up           the cache's shared store
 *     a slab of a larger class                 lending, see below
 *     frames for a new slab                    slab_grow
 *     slabs that wait to have more room        slab_scrape
 *
 * Lending: the number of blocks of one size goes up and down, and the slabs of a class stay as many
 * as its peak needed. Before a class grows, it loads a slab of one of the next larger classes if
 * that has many free objects. They stay the lender's, and go back to it when they are freed. Only
 * kmalloc's classes do this: its blocks may be larger than asked for.
 *
 * Other CPUs' objects: who frees an object of a slab that belongs to another CPU leaves a bit in
 * its header, beside those that the owner changes, and puts the slab on the owner's list of slabs
 * with such bits. The owner collects them before it takes a new slab. A list has the slabs'
 * headers by number, so that it fits into 4 bytes: multiples of 8 bytes from the start of RAM.
 */
#include "heap/slab/parts.h"

#include "boot/panic.h"

#define LENDERS 6u       /* how many larger classes are asked */
#define LENDER_SHARE 32u /* one lends if more than one in so many of its objects are free */

#define NUMBER_UNIT 8u
#define NUMBER_END UINT32_MAX /* the list ends here; 0: it is empty, or the slab is on none */

/* ---- loading; the caller owns the stores ---- */

/* Fills an empty magazine from a word of the loaded slab. False: that has no free objects. */
static bool load_word(struct magazine *magazine, unsigned word)
{
    struct slab *slab = magazine->slab;
    uint64_t free = slab_free_bits(slab, word);
    unsigned n = slab_count_bits(free);

    if (!free)
        return false;
    magazine->busy = &slab->busy[word];
    magazine->base = slab->start + word * 64 * magazine->bytes;
    slab_add_used(slab, (int)n);
    __atomic_store_n(&slab->busy[word], slab->busy[word] | free, __ATOMIC_RELAXED);
    slab->store->served += n;
    __atomic_store_n(&magazine->free, free, __ATOMIC_RELAXED);
    return true;
}

static bool load_words(struct magazine *magazine, unsigned word)
{
    unsigned words = slab_words(magazine->slab);

    while (word < words && !load_word(magazine, word))
        word++;
    return word < words;
}

static void load_slab(struct magazine *magazine, struct slab *slab)
{
    bool good;

    list_remove(&slab->link);
    slab_set_floor(slab, -1);
    magazine->slab = slab;
    magazine->bytes = slab->store->bytes;
    good = load_words(magazine, 0);
    kassert(good);
}

/* Takes the slab out, and with it what is left of the magazine. */
static void eject(struct magazine *magazine, struct list *gone)
{
    struct slab *slab = magazine->slab;
    unsigned n = slab_count_bits(magazine->free);

    if (!slab)
        return;
    slab_add_used(slab, -(int)n);
    if (n)
        __atomic_store_n(magazine->busy, *magazine->busy & ~magazine->free, __ATOMIC_RELAXED);
    slab->store->served -= n;
    __atomic_store_n(&magazine->free, 0, __ATOMIC_RELAXED);
    magazine->slab = NULL;
    slab_settle(slab, gone);
}

/* ---- what other CPUs have freed ---- */

HAL_NORETURN static void refuse(const struct slab *slab)
{
    panic("heap: a block of %u bytes (%s) from %p on was freed by two CPUs",
          slab_cache(slab)->bytes, slab_cache(slab)->name, slab->start);
}

static uint32_t number_of(const struct slab *slab)
{
    return (uint32_t)(((uintptr_t)slab - (uintptr_t)frame_table.base) / NUMBER_UNIT);
}

static struct slab *slab_number(uint32_t number)
{
    return (struct slab *)(frame_table.base + (size_t)number * NUMBER_UNIT);
}

/* The caller owns the slab's store, and holds the cache's lock. */
static void collect_from(struct slab *slab, struct list *gone)
{
    uint64_t *returned = slab_returned(slab);
    unsigned n = 0;

    for (unsigned word = 0; word < slab_words(slab); word++) {
        uint64_t bits = returned[word];

        if (bits & ~slab->busy[word])
            refuse(slab);
        __atomic_store_n(&returned[word], 0, __ATOMIC_RELAXED);
        __atomic_store_n(&slab->busy[word], slab->busy[word] & ~bits, __ATOMIC_RELAXED);
        n += slab_count_bits(bits);
    }
    slab->store->cache->returned_objects -= n;
    slab_add_used(slab, -(int)n);
    if (slab->left <= 0)
        slab_settle(slab, gone);
}

static void collect(struct slab_store *store, struct list *gone)
{
    struct object_cache *cache = store->cache;
    uint32_t *first = &cache->returned[store->cpu];
    hal_irq_state_t state;

    if (__atomic_load_n(first, __ATOMIC_RELAXED) == 0)
        return;
    state = spinlock_acquire(&cache->lock);
    for (uint32_t number = *first; number != 0 && number != NUMBER_END;) {
        struct slab *slab = slab_number(number);

        number = slab->next_returned;
        slab->next_returned = 0;
        collect_from(slab, gone);
    }
    __atomic_store_n(first, 0, __ATOMIC_RELAXED);
    spinlock_release(&cache->lock, state);
}

static bool is_returned(struct slab *slab, uint32_t index)
{
    return __atomic_load_n(&slab_returned(slab)[index / 64], __ATOMIC_RELAXED) >> index % 64 & 1;
}

bool slab_is_in_use(struct slab *slab, const void *pointer)
{
    uint32_t index = slab_find_index(slab, pointer);

    return index != UINT32_MAX && slab_is_busy(slab, index) && !is_returned(slab, index);
}

static bool is_on_stack(const struct slab_store *store, const void *object)
{
    for (uint32_t i = store->count; i > 0; i--)
        if (store->stack[i] == object)
            return true;
    return false;
}

static bool is_in_magazine(const struct magazine *magazine, const void *object)
{
    for (uint64_t free = magazine->free; free; free &= free - 1)
        if (magazine->base + (unsigned)__builtin_ctzll(free) * magazine->bytes == object)
            return true;
    return false;
}

bool slab_waits(const struct slab *slab, const void *object)
{
    hal_irq_state_t state = hal_irq_save();
    struct slab_store *store = slab_cache(slab)->stores[hal_cpu_id()];
    unsigned number = store->cache->number, first = number < LENDERS ? 0 : number - LENDERS;
    bool found = is_on_stack(store, object) || is_in_magazine(&store->magazine, object);

    for (unsigned i = first; i < number && number < SLAB_CLASSES && !found; i++)
        found = is_in_magazine(&slab_classes[i].stores[hal_cpu_id()]->magazine, object);
    hal_irq_restore(state);
    return found;
}

/* Leaves an object of another CPU's slab for it. Caller holds the cache's lock. */
static bool leave_for_owner(struct object_cache *cache, struct slab *slab, const void *object)
{
    uint32_t index = slab_find_index(slab, object), *first = &cache->returned[slab->cpu];
    uint64_t *word;

    if (index == UINT32_MAX || !slab_is_busy(slab, index) || is_returned(slab, index))
        return false;
    word = &slab_returned(slab)[index / 64];
    __atomic_store_n(word, *word | 1ull << index % 64, __ATOMIC_RELAXED);
    cache->returned_objects++;
    if (slab->next_returned == 0) {
        slab->next_returned = *first ? *first : NUMBER_END;
        __atomic_store_n(first, number_of(slab), __ATOMIC_RELAXED);
    }
    return true;
}

static bool give_elsewhere(struct slab *slab, const void *object, struct list *gone)
{
    struct object_cache *cache = slab_cache(slab);
    hal_irq_state_t state = spinlock_acquire(&cache->lock);
    bool good = slab->cpu == SLAB_SHARED ? slab_give_one(slab, object, gone)
                                         : leave_for_owner(cache, slab, object);

    spinlock_release(&cache->lock, state);
    return good;
}

/* ---- where slabs come from; the caller is masked ---- */

/* A slab that another CPU gave up, in this CPU's store. */
static struct slab *adopt(struct slab_store *store)
{
    struct object_cache *cache = store->cache;
    hal_irq_state_t state;
    struct slab *slab;

    if (__atomic_load_n(&cache->shared.slabs, __ATOMIC_RELAXED) == 0)
        return NULL;
    state = spinlock_acquire(&cache->lock);
    slab = slab_best(&cache->shared);
    if (slab)
        slab_move(slab, store);
    spinlock_release(&cache->lock, state);
    return slab;
}

static bool can_lend(const struct slab_store *store)
{
    return (store->total - store->used) * LENDER_SHARE > store->total;
}

static struct slab *borrow(const struct slab_store *store)
{
    unsigned number = store->cache->number;
    struct slab *slab = NULL;

    for (unsigned i = number + 1; !slab && i <= number + LENDERS && i < SLAB_CLASSES; i++) {
        struct slab_store *lender = slab_classes[i].stores[store->cpu];

        if (can_lend(lender))
            slab = slab_best(lender);
    }
    return slab;
}

/* Fills the magazine, which is empty. False: the cache has to grow. */
static bool refill(struct slab_store *store, struct list *gone)
{
    struct magazine *magazine = &store->magazine;
    struct slab *slab = magazine->slab;

    if (slab && load_words(magazine, (unsigned)(magazine->busy - slab->busy) + 1))
        return true;
    eject(magazine, gone);
    collect(store, gone);
    slab = slab_best(store);
    if (!slab)
        slab = adopt(store);
    if (!slab)
        slab = borrow(store);
    if (slab)
        load_slab(magazine, slab);
    return slab != NULL;
}

/* ---- taking ---- */

static bool asked_to_drain(const struct object_cache *cache)
{
    return __atomic_load_n(&cache->drain, __ATOMIC_RELAXED) >> hal_cpu_id() & 1;
}

void *slab_refill(struct slab_store *store)
{
    struct object_cache *cache = store->cache;
    bool drain = asked_to_drain(cache);
    void *object = NULL;
    struct list gone;

    list_init(&gone);
    if (refill(store, &gone))
        object = magazine_take(&store->magazine);
    hal_irq_end_mask();
    (void)slab_destroy_list(&gone);
    if (drain)
        (void)slab_drain(cache);
    return object;
}

static void *take(struct object_cache *cache, bool (*fill)(struct slab_store *, struct list *))
{
    hal_irq_state_t state = hal_irq_save();
    struct slab_store *store = cache->stores[hal_cpu_id()];
    void *object = NULL;
    struct list gone;

    list_init(&gone);
    if (store->count > 0)
        object = slab_pop(store);
    else if (store->magazine.free || fill(store, &gone))
        object = magazine_take(&store->magazine);
    hal_irq_restore(state);
    (void)slab_destroy_list(&gone);
    return object;
}

/* As refill, when there are no frames any more. */
static bool refill_from_last(struct slab_store *store, struct list *gone)
{
    struct slab *slab;

    if (refill(store, gone))
        return true;
    slab = slab_scrape(store);
    if (slab)
        load_slab(&store->magazine, slab);
    return slab != NULL;
}

void *slab_take(struct object_cache *cache)
{
    void *object;

    if (asked_to_drain(cache))
        (void)slab_drain(cache);
    do
        object = take(cache, refill);
    while (!object && slab_grow(cache));
    return object ? object : take(cache, refill_from_last);
}

/* The object past the magazine, so that it cannot be borrowed. */
static void *take_own(struct object_cache *cache)
{
    hal_irq_state_t state = hal_irq_save();
    struct slab_store *store = cache->stores[hal_cpu_id()];
    struct list gone;
    void *object;

    list_init(&gone);
    slab_unload(store, &gone);
    object = slab_take_one(store);
    hal_irq_restore(state);
    (void)slab_destroy_list(&gone);
    return object;
}

void *slab_take_own(struct object_cache *cache)
{
    void *object;

    do
        object = take_own(cache);
    while (!object && slab_grow(cache));
    return object;
}

/* ---- giving back ---- */

/* Has a slab settled of which an object was freed, and unmasks. The caller is masked. */
static void settle_and_unmask(struct slab *slab)
{
    struct object_cache *cache = slab->store->cache;
    bool drain = asked_to_drain(cache);
    struct list gone;

    list_init(&gone);
    slab_settle(slab, &gone);
    hal_irq_end_mask();
    (void)slab_destroy_list(&gone);
    if (drain)
        (void)slab_drain(cache);
}

void slab_free_in_place(struct slab *slab, uint32_t index)
{
    uint64_t *word = &slab->busy[index / 64], bit = index % 64;

    __atomic_store_n(word, *word & ~(1ull << bit), __ATOMIC_RELAXED);
    slab->store->used--;
    if (--slab->left == 0)
        settle_and_unmask(slab);
    else
        hal_irq_end_mask();
}

/* Gives an object of this CPU's slab back. The caller is masked. */
static bool give_own(struct slab *slab, void *object, struct list *gone)
{
    struct slab_store *store = slab->store;

    if (is_on_stack(store, object))
        return false;
    if (store->count < store->capacity && slab_is_in_use(slab, object)) {
        slab_push(store, object);
        return true;
    }
    return slab_give_one(slab, object, gone);
}

bool slab_give(void *object)
{
    struct slab *slab = slab_of(object);
    hal_irq_state_t state;
    struct list gone;
    struct object_cache *cache;
    bool good, drain;

    if (!slab)
        return false;
    list_init(&gone);
    state = hal_irq_save();
    cache = slab_cache(slab);
    drain = asked_to_drain(cache);
    if (slab_is_mine(slab))
        good = give_own(slab, object, &gone);
    else
        good = give_elsewhere(slab, object, &gone);
    hal_irq_restore(state);
    if (drain)
        (void)slab_drain(cache);
    (void)slab_destroy_list(&gone);
    return good;
}

void slab_unload(struct slab_store *store, struct list *gone)
{
    void **stack = store->stack;

    while (store->count > 0) {
        void *object = slab_pop(store);

        if (!slab_give_one(slab_of(object), object, gone))
            refuse(slab_of(object));
        store->pushed--;
    }
    store->capacity = 0;
    store->stack = slab_no_stack;
    if (stack != slab_no_stack)
        slab_own_give(stack);
    eject(&store->magazine, gone);
    collect(store, gone);
}

/* Gives a slab with room to the others. False: there are none. */
static bool share(struct object_cache *cache, struct list *gone)
{
    hal_irq_state_t state = spinlock_acquire(&cache->lock);
    struct slab *slab = slab_best(cache->stores[hal_cpu_id()]);

    if (slab) {
        slab_move(slab, &cache->shared);
        slab_settle(slab, gone);
    }
    spinlock_release(&cache->lock, state);
    return slab != NULL;
}

size_t slab_drain(struct object_cache *cache)
{
    hal_irq_state_t state = hal_irq_save();
    struct slab_store *store = cache->stores[hal_cpu_id()];
    struct list gone;

    __atomic_fetch_and(&cache->drain, (uint8_t) ~(1u << hal_cpu_id()), __ATOMIC_RELAXED);
    list_init(&gone);
    slab_unload(store, &gone);
    slab_give_up(store, &gone);
    hal_irq_restore(state);
    while (share(cache, &gone))
        ;
    return slab_destroy_list(&gone);
}

/* ---- looking ---- */

/* Nothing is read twice, or followed: the slab that is loaded may be gone by then. */
static HAL_RAW_ACCESS void add_store(const struct object_cache *cache,
                                     const struct slab_store *store, struct slab_sum *sum)
{
    uint64_t n = slab_count_bits(__atomic_load_n(&store->magazine.free, __ATOMIC_RELAXED));
    uint64_t count = __atomic_load_n(&store->count, __ATOMIC_RELAXED);

    sum->live += __atomic_load_n(&store->used, __ATOMIC_RELAXED);
    sum->total += __atomic_load_n(&store->total, __ATOMIC_RELAXED);
    sum->slabs += __atomic_load_n(&store->slabs, __ATOMIC_RELAXED);
    sum->frames += __atomic_load_n(&store->frames, __ATOMIC_RELAXED);
    sum->served += store->served + store->pushed;
    sum->magazines += n + count;
    sum->magazine_bytes += n * __atomic_load_n(&store->magazine.bytes, __ATOMIC_RELAXED);
    sum->magazine_bytes += count * cache->bytes;
}

void slab_add_up(const struct object_cache *cache, struct slab_sum *sum)
{
    *sum = (struct slab_sum){0};
    add_store(cache, &cache->shared, sum);
    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++)
        if (cache->stores[cpu])
            add_store(cache, cache->stores[cpu], sum);
    sum->live -= cache->returned_objects;
}
