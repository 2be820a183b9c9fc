/* SPDX-License-Identifier: MIT */
/*
 * origin.c: pages of files and of shared memory, and cutting mapped files short.
 */
#include "vm/region/origin.h"

#include "cache/cache.h"
#include "fs/file.h"
#include "heap/heap.h"
#include "mem/frame.h"
#include "sync/mutex.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>

#define BUCKETS 64u

static KSTATE struct origins {
    struct spinlock lock; /* guards the lists */
    struct list mapped[BUCKETS];
} origins;

/* ---- memory that forks share ---- */

struct vm_share {
    uint32_t references; /* changed atomically */
    struct mutex mutex;  /* guards the map: words without rights */
    struct page_map map;
};

struct vm_share *vm_share_create(void)
{
    struct vm_share *share = kmalloc(sizeof(*share));

    if (!share)
        return NULL;
    share->references = 1;
    mutex_init(&share->mutex);
    share->map.root = NULL;
    return share;
}

void vm_share_get(struct vm_share *share)
{
    __atomic_add_fetch(&share->references, 1, __ATOMIC_RELAXED);
}

void vm_share_put(struct vm_share *share)
{
    uint64_t number = 0;
    uintptr_t *word;

    if (!share || __atomic_sub_fetch(&share->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    while ((word = page_map_next(&share->map, &number, PAGE_MAP_END))) {
        page_give(*word);
        *word = 0;
    }
    page_map_trim(&share->map, 0, PAGE_MAP_END);
    kfree(share);
}

/* The word of a page, of zeros if it is new. Caller owns the mutex. */
static int share_word(struct vm_share *share, uint64_t number, uintptr_t **word)
{
    struct page_spares spares = {{NULL}, 0};
    int error = 0;

    *word = page_map_find(&share->map, number);
    if (!*word) {
        error = page_spares_fill(&spares);
        if (!error)
            *word = page_map_make(&share->map, number, &spares);
        page_spares_free(&spares);
    }
    if (!error && !**word) {
        void *frame = frame_alloc(0);

        if (frame)
            memset(frame, 0, HAL_PAGE_SIZE);
        **word = (uintptr_t)frame;
        error = frame ? 0 : -ENOMEM;
    }
    return error;
}

static int get_shared(struct vm_share *share, uint64_t number, uintptr_t *word)
{
    uintptr_t *found;
    int error;

    if (number >= PAGE_MAP_END)
        return -ENXIO;
    mutex_lock(&share->mutex);
    error = share_word(share, number, &found);
    if (!error && !page_share(*found))
        error = -ENOMEM;
    if (!error)
        *word = *found;
    mutex_unlock(&share->mutex);
    return error;
}

/* ---- files ---- */

bool origin_has_pages(const struct file *file)
{
    return file->vnode->pages || file->vnode->ops->frame;
}

static int get_frame(struct vnode *vnode, uint64_t number, uintptr_t *word)
{
    void *frame = NULL;
    int error;

    rwlock_write(&vnode->lock);
    error = vnode->ops->frame(vnode, number, &frame);
    if (!error && !page_share((uintptr_t)frame))
        error = -ENOMEM;
    rwlock_end_write(&vnode->lock);
    *word = (uintptr_t)frame;
    return error;
}

static int get_cached(struct cache_object *object, uint64_t number, unsigned ahead, uintptr_t *word)
{
    struct cache_page *page;
    int error = cache_get_ahead(object, number, ahead, &page);

    if (!error)
        *word = (uintptr_t)page | PAGE_CACHED;
    return error;
}

int origin_get(const struct vm_region *region, uintptr_t address, unsigned ahead, uintptr_t *word)
{
    uint64_t number = (region->offset + (address - region->start)) / HAL_PAGE_SIZE;
    struct vnode *vnode;
    int error;

    if (region->share)
        return get_shared(region->share, number, word);
    vnode = region->file->vnode;
    if (vnode->pages)
        error = get_cached(vnode->pages, number, ahead, word);
    else
        error = get_frame(vnode, number, word);
    return error && error != -ENOMEM ? -ENXIO : error;
}

/* ---- who maps a file ---- */

void origin_init(void)
{
    spinlock_init(&origins.lock, LOCK_RANK_MAPPED);
    for (unsigned i = 0; i < BUCKETS; i++)
        list_init(&origins.mapped[i]);
}

static struct list *bucket_of(const struct vnode *vnode)
{
    return &origins.mapped[(uintptr_t)vnode / 64 * 0x9e3779b1u >> 16 & (BUCKETS - 1)];
}

struct origin_lock origin_lock(const struct file *file, struct vm_space *space)
{
    struct origin_lock lock = {.held = file, .space = file ? space : NULL};

    if (lock.held)
        lock.outer = spinlock_acquire(&origins.lock);
    if (lock.space)
        lock.inner = spinlock_acquire(&space->pages_lock);
    return lock;
}

void origin_unlock(struct origin_lock lock)
{
    if (lock.space)
        spinlock_release(&lock.space->pages_lock, lock.inner);
    if (lock.held)
        spinlock_release(&origins.lock, lock.outer);
}

void origin_list(struct vm_region *region)
{
    list_add_head(bucket_of(region->file->vnode), &region->mapped);
}

void origin_unlist(struct vm_region *region)
{
    list_remove(&region->mapped);
}

/* Takes the pages of a region behind byte `size` of its file away. Caller holds the lists' lock. */
static void cut_region(struct vm_region *region, uint64_t size)
{
    struct vm_space *space = region->space;
    hal_irq_state_t state = spinlock_acquire(&space->pages_lock);
    uint64_t kept = (size + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
    uint64_t number = region->start / HAL_PAGE_SIZE, end = region->end / HAL_PAGE_SIZE;
    uintptr_t *word;

    space->cuts++;
    if (kept > region->offset)
        number += (kept - region->offset) / HAL_PAGE_SIZE;
    while ((word = page_map_next(&space->map, &number, end))) {
        vm_hide(space, number, number + 1);
        page_give_now(*word);
        *word = 0;
        space->resident--;
    }
    spinlock_release(&space->pages_lock, state);
}

void vm_file_cut(struct vnode *vnode, uint64_t size)
{
    struct list *head = bucket_of(vnode);
    hal_irq_state_t state = spinlock_acquire(&origins.lock);

    for (struct list *link = head->next; link != head; link = link->next) {
        struct vm_region *region = list_entry(link, struct vm_region, mapped);

        if (region->file->vnode == vnode)
            cut_region(region, size);
    }
    spinlock_release(&origins.lock, state);
}
