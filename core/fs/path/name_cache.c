/* SPDX-License-Identifier: MIT */
/*
 * name_cache.c: a tree of names in each directory, and one queue over all of them.
 *
 * The tree is guarded by a spinlock in the directory, so lookups in different directories do not
 * meet here. The queue, in the order of entering, decides who has to leave when there are too many
 * entries: the oldest that was not used since it was looked at last (the "second chance" or clock
 * algorithm), so finding a name changes one byte and not the queue.
 *
 *     directory.names   tree of entries   guarded by the directory's names_lock
 *     cache.queue       list of entries   guarded by cache.lock, taken under names_lock or alone
 *
 * Whoever takes an entry off the queue owns it, and frees it once it is off the tree, too. An entry
 * keeps its directory and its vnode, so these are there for as long as the entry is.
 *
 * Where names fold ("a" is "A"), what an entry says is still true for just its spelling. Two things
 * are not as simple there. A vnode is entered under one spelling only, which it remembers, so that
 * one that is removed can be taken out whatever it was called. And a name that is entered may make
 * others exist (another case, or a short alias), so an entry without a vnode counts only until
 * the directory changes.
 *
 * When memory is short, reclaim must not wait, so entries that are not the last to keep their
 * vnodes are freed at once, and the others by whoever walks along a path next.
 */
#include "fs/path/name_cache.h"

#include "fs/mount.h"
#include "heap/heap.h"
#include "mem/frame.h"
#include "mem/reclaim.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>

#define FRAMES_PER_ENTRY 4u /* of RAM; an entry and its vnode are less than one */
#define ENTRIES_MIN 64u
#define ENTRIES_MAX 16384u
#define LOOKS_MAX 32u /* second chances at one time */
#define PER_FRAME 8u  /* entries that make about a frame */

struct name_entry {
    struct tree_node node; /* guarded by the names_lock of `directory` */
    struct list link;      /* in the queue, or among those that leave: guarded by cache.lock */
    bool queued;
    bool used;               /* since it was looked at last; atomic */
    uint32_t hash;           /* this and the rest is constant */
    uint32_t changes;        /* of the directory, when this was entered */
    struct vnode *directory; /* kept */
    struct vnode *vnode;     /* kept; NULL: there is no such name */
    size_t length;
    char name[];
};

static KSTATE struct name_cache {
    struct spinlock lock; /* guards the rest */
    struct list queue;    /* the newest first */
    struct list leaving;  /* owned by nobody: to be freed where that may sleep */
    uint32_t count;       /* in the queue */
    uint32_t limit;       /* constant; 0: there is no cache */
    uint32_t leaving_count;
    struct name_cache_stats stats; /* atomic */
    struct reclaimer reclaimer;
} cache;

static void count(uint64_t *number)
{
    __atomic_add_fetch(number, 1, __ATOMIC_RELAXED);
}

/** Under cache.lock; others look without it. */
static void step(uint32_t *number, int by)
{
    __atomic_store_n(number, *number + (uint32_t)by, __ATOMIC_RELAXED);
}

/* ---- keys ---- */

struct key {
    const char *name;
    size_t length;
    uint32_t hash;
};

static struct key make_key(const char *name, size_t n)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ (uint8_t)name[i]) * 16777619u;
    return (struct key){name, n, hash};
}

static int compare(const void *key_, const struct tree_node *node)
{
    const struct name_entry *entry = tree_entry(node, struct name_entry, node);
    const struct key *key = key_;

    if (key->hash != entry->hash)
        return key->hash < entry->hash ? -1 : 1;
    if (key->length != entry->length)
        return key->length < entry->length ? -1 : 1;
    return memcmp(key->name, entry->name, key->length);
}

static struct name_entry *find(struct vnode *directory, const struct key *key)
{
    struct tree_node *node = tree_find(&directory->names, key, compare);

    return node ? tree_entry(node, struct name_entry, node) : NULL;
}

static bool folds(const struct vnode *directory)
{
    return directory->mount->folds_names;
}

/* ---- leaving ---- */

/** Off the tree. Caller holds the names_lock. */
static void unlink(struct name_entry *entry)
{
    tree_remove(&entry->directory->names, &entry->node);
    if (entry->vnode && entry->vnode->name == entry)
        entry->vnode->name = NULL;
}

/** Off the queue: the caller owns it, unless somebody else has been quicker. */
static bool claim(struct name_entry *entry)
{
    hal_irq_state_t state = spinlock_acquire(&cache.lock);
    bool queued = entry->queued;

    if (queued) {
        entry->queued = false;
        list_remove(&entry->link);
        step(&cache.count, -1);
    }
    spinlock_release(&cache.lock, state);
    return queued;
}

/** Off both. Caller holds the names_lock. NULL: somebody else is freeing it. */
static struct name_entry *take(struct name_entry *entry)
{
    unlink(entry);
    return claim(entry) ? entry : NULL;
}

/** The entry that has to leave first, off the queue, or NULL. */
static struct name_entry *choose(void)
{
    hal_irq_state_t state = spinlock_acquire(&cache.lock);
    struct name_entry *entry = NULL;

    for (unsigned i = 0; i < LOOKS_MAX && !list_empty(&cache.queue); i++) {
        entry = list_entry(cache.queue.prev, struct name_entry, link);
        list_remove(&entry->link);
        if (i + 1 == LOOKS_MAX || !__atomic_exchange_n(&entry->used, false, __ATOMIC_RELAXED)) {
            entry->queued = false;
            step(&cache.count, -1);
            break;
        }
        list_add_head(&cache.queue, &entry->link);
        entry = NULL;
    }
    spinlock_release(&cache.lock, state);
    return entry;
}

static struct name_entry *evict(void)
{
    struct name_entry *entry = choose();
    hal_irq_state_t state;

    if (!entry)
        return NULL;
    state = spinlock_acquire(&entry->directory->names_lock);
    if (tree_linked(&entry->node))
        unlink(entry);
    spinlock_release(&entry->directory->names_lock, state);
    count(&cache.stats.evicted);
    return entry;
}

static void free_entry(struct name_entry *entry)
{
    struct mount *mount = entry->directory->mount;

    if (entry->vnode)
        vnode_put(vnode_unkeep(entry->vnode));
    vnode_put(vnode_unkeep(entry->directory));
    kfree(entry);
    __atomic_sub_fetch(&mount->cached, 1, __ATOMIC_RELEASE);
}

/** Frees those that reclaim has left behind. */
static void settle(void)
{
    while (__atomic_load_n(&cache.leaving_count, __ATOMIC_RELAXED) > 0) {
        hal_irq_state_t state = spinlock_acquire(&cache.lock);
        struct list *link = list_take_head(&cache.leaving);

        if (link)
            step(&cache.leaving_count, -1);
        spinlock_release(&cache.lock, state);
        if (!link)
            return;
        free_entry(list_entry(link, struct name_entry, link));
    }
}

void name_cache_free(struct name_entry *entry)
{
    if (entry)
        free_entry(entry);
}

/* ---- asking and entering ---- */

/** What an entry says. */
static int read_entry(struct name_entry *entry, struct vnode **found)
{
    if (!entry)
        return -EAGAIN;
    if (!entry->vnode && folds(entry->directory) && entry->changes != entry->directory->changes)
        return -EAGAIN;
    __atomic_store_n(&entry->used, true, __ATOMIC_RELAXED);
    if (!entry->vnode)
        return -ENOENT;
    *found = vnode_get(entry->vnode);
    return 0;
}

int name_cache_find(struct vnode *directory, const char *name, size_t n, struct vnode **found)
{
    struct key key = make_key(name, n);
    hal_irq_state_t state;
    int error;

    if (cache.limit == 0)
        return -EAGAIN;
    settle();
    state = spinlock_acquire(&directory->names_lock);
    error = read_entry(find(directory, &key), found);
    spinlock_release(&directory->names_lock, state);
    count(error == 0         ? &cache.stats.hits
          : error == -ENOENT ? &cache.stats.negative_hits
                             : &cache.stats.misses);
    return error;
}

static struct name_entry *make_entry(struct vnode *directory, const struct key *key,
                                     struct vnode *vnode)
{
    struct name_entry *entry =
        heap_allocate(sizeof(*entry) + key->length, HEAP_ALIGNMENT, ALLOC_SITE_FOR(ALLOC_CACHE));

    if (!entry)
        return NULL;
    *entry = (struct name_entry){.hash = key->hash,
                                 .length = key->length,
                                 .queued = true,
                                 .changes = directory->changes,
                                 .directory = vnode_keep(directory),
                                 .vnode = vnode ? vnode_keep(vnode) : NULL};
    memcpy(entry->name, key->name, key->length);
    tree_node_init(&entry->node);
    list_init(&entry->link);
    __atomic_add_fetch(&directory->mount->cached, 1, __ATOMIC_RELAXED);
    return entry;
}

/** Enters it, unless the vnode has another spelling already. Caller holds the names_lock. */
static bool enter(struct name_entry *entry, const struct key *key)
{
    hal_irq_state_t state;

    if (entry->vnode && folds(entry->directory)) {
        if (entry->vnode->name)
            return false;
        entry->vnode->name = entry;
    }
    tree_insert(&entry->directory->names, &entry->node, key, compare);
    state = spinlock_acquire(&cache.lock);
    list_add_head(&cache.queue, &entry->link);
    step(&cache.count, 1);
    spinlock_release(&cache.lock, state);
    return true;
}

struct name_entry *name_cache_add(struct vnode *directory, const char *name, size_t n,
                                  struct vnode *vnode)
{
    struct key key = make_key(name, n);
    struct name_entry *entry, *old, *extra = NULL;
    bool known, entered;
    hal_irq_state_t state;

    if (cache.limit == 0 || directory->mount->names_change)
        return NULL;
    entry = make_entry(directory, &key, vnode);
    state = spinlock_acquire(&directory->names_lock);
    old = find(directory, &key);
    known = old && old->vnode == vnode && (vnode || old->changes == directory->changes);
    if (old && !known)
        extra = take(old);
    entered = entry && !known && enter(entry, &key);
    spinlock_release(&directory->names_lock, state);
    if (entry && !entered)
        free_entry(entry); /* the caller has references, too: nothing is released by this */
    if (!extra && __atomic_load_n(&cache.count, __ATOMIC_RELAXED) > cache.limit)
        extra = evict();
    return extra;
}

struct name_entry *name_cache_remove(struct vnode *directory, const char *name, size_t n,
                                     struct vnode *vnode)
{
    struct key key = make_key(name, n);
    struct name_entry *entry;
    hal_irq_state_t state;

    if (cache.limit == 0)
        return NULL;
    state = spinlock_acquire(&directory->names_lock);
    if (folds(directory)) {
        entry = vnode ? vnode->name : NULL;
        directory->changes += !vnode;
    } else {
        entry = find(directory, &key);
    }
    if (entry)
        entry = take(entry);
    spinlock_release(&directory->names_lock, state);
    return entry;
}

void name_cache_forget(struct vnode *directory)
{
    struct tree_node *node;

    do {
        hal_irq_state_t state = spinlock_acquire(&directory->names_lock);
        struct name_entry *entry = NULL;

        node = tree_first(&directory->names);
        if (node)
            entry = take(tree_entry(node, struct name_entry, node));
        spinlock_release(&directory->names_lock, state);
        name_cache_free(entry);
    } while (node);
}

/** Takes all entries of the mount (NULL: of all) off the queue. */
static void claim_all(const struct mount *mount, struct list *taken)
{
    hal_irq_state_t state = spinlock_acquire(&cache.lock);

    list_for_each_safe (link, &cache.queue) {
        struct name_entry *entry = list_entry(link, struct name_entry, link);

        if (mount && entry->directory->mount != mount)
            continue;
        entry->queued = false;
        list_remove(link);
        list_add_tail(taken, link);
        step(&cache.count, -1);
    }
    spinlock_release(&cache.lock, state);
}

void name_cache_forget_mount(const struct mount *mount)
{
    struct list taken, *link;

    if (cache.limit == 0)
        return;
    list_init(&taken);
    claim_all(mount, &taken);
    while ((link = list_take_head(&taken))) {
        struct name_entry *entry = list_entry(link, struct name_entry, link);
        hal_irq_state_t state = spinlock_acquire(&entry->directory->names_lock);

        if (tree_linked(&entry->node))
            unlink(entry);
        spinlock_release(&entry->directory->names_lock, state);
        free_entry(entry);
    }
    settle();
}

/* ---- when memory is short ---- */

/** Lets go of a vnode that others have, too. */
static bool let_go(struct vnode *vnode)
{
    vnode_unkeep(vnode);
    if (vnode_put_unless_last(vnode))
        return true;
    __atomic_add_fetch(&vnode->kept, 1, __ATOMIC_RELAXED);
    return false;
}

/** Frees the entry, or leaves it to somebody who may sleep. */
static void free_or_leave(struct name_entry *entry)
{
    struct mount *mount = entry->directory->mount;
    hal_irq_state_t state;

    if (entry->vnode && let_go(entry->vnode))
        entry->vnode = NULL;
    if (!entry->vnode && let_go(entry->directory)) {
        kfree(entry);
        __atomic_sub_fetch(&mount->cached, 1, __ATOMIC_RELEASE);
        return;
    }
    state = spinlock_acquire(&cache.lock);
    list_add_tail(&cache.leaving, &entry->link);
    step(&cache.leaving_count, 1);
    spinlock_release(&cache.lock, state);
}

static size_t reclaim(void *context, size_t frames)
{
    size_t want = frames < ENTRIES_MAX ? frames * PER_FRAME : ENTRIES_MAX, given = 0;

    (void)context;
    while (given < want) {
        struct name_entry *entry = evict();

        if (!entry)
            break;
        free_or_leave(entry);
        given++;
    }
    return given / PER_FRAME;
}

void name_cache_start(void)
{
    struct frame_stats stats;
    uint64_t limit;

    frame_read_stats(&stats);
    limit = stats.total / FRAMES_PER_ENTRY;
    spinlock_init(&cache.lock, LOCK_RANK_VNODES);
    list_init(&cache.queue);
    list_init(&cache.leaving);
    cache.limit = (uint32_t)(limit < ENTRIES_MIN   ? ENTRIES_MIN
                             : limit > ENTRIES_MAX ? ENTRIES_MAX
                                                   : limit);
    cache.reclaimer = (struct reclaimer){.name = "names", .reclaim = reclaim};
    reclaim_register(&cache.reclaimer);
}

void name_cache_read_stats(struct name_cache_stats *stats)
{
    *stats = cache.stats;
    stats->entries = __atomic_load_n(&cache.count, __ATOMIC_RELAXED);
    stats->limit = cache.limit;
}
