/* SPDX-License-Identifier: MIT */
/*
 * filelock.c: the locks of each file in a list that is there as long as it has any, all under one
 * mutex: locks are few, and taken for long.
 *
 * Who waits for a lock sleeps on one condition with all others who do, and looks again when any
 * lock has changed. So there is one list of all that wait, in which circles can be found.
 */
#include "fs/lock/filelock.h"

#include "fs/vnode.h"
#include "heap/heap.h"
#include "sync/mutex.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/time.h>

struct filelock {
    struct list link;
    struct filelock_range range;
};

struct filelock_list {
    struct list locks;
};

/* One who waits. */
struct wish {
    struct list link;
    struct vnode *vnode;
    const struct filelock_range *range;
};

/* What a change may need, from before its first step. */
struct spares {
    struct filelock_list *list;
    struct filelock *locks[2];
};

static KSTATE struct filelocks {
    struct mutex mutex; /* guards all locks, and vnode->locks, which is atomic for who only looks */
    struct condition changed;
    struct list wishes;
} all;

void filelock_start(void)
{
    mutex_init(&all.mutex);
    condition_init(&all.changed, &all.mutex);
    list_init(&all.wishes);
}

static struct filelock_list *list_of(const struct vnode *vnode)
{
    return __atomic_load_n(&vnode->locks, __ATOMIC_RELAXED);
}

static bool overlap(const struct filelock_range *a, const struct filelock_range *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* The first lock that is in the way. Caller holds the mutex, as below. */
static const struct filelock *find_obstacle(const struct vnode *vnode,
                                            const struct filelock_range *range)
{
    const struct filelock_list *list = list_of(vnode);

    if (!list || range->type == FILELOCK_NOTHING)
        return NULL;
    list_for_each (link, &list->locks) {
        const struct filelock *lock = list_entry(link, struct filelock, link);

        if (lock->range.kind == range->kind && lock->range.owner != range->owner &&
            (lock->range.type == FILELOCK_WRITE || range->type == FILELOCK_WRITE) &&
            overlap(&lock->range, range))
            return lock;
    }
    return NULL;
}

bool filelock_find(struct vnode *vnode, const struct filelock_range *range,
                   struct filelock_range *found)
{
    const struct filelock *lock;

    mutex_lock(&all.mutex);
    lock = find_obstacle(vnode, range);
    if (lock)
        *found = lock->range;
    mutex_unlock(&all.mutex);
    return lock;
}

/* ---- circles ---- */

/* The lock that `owner`, a process, waits for; NULL: it does not wait. */
static const struct filelock *awaited_by(const void *owner)
{
    list_for_each (link, &all.wishes) {
        const struct wish *wish = list_entry(link, struct wish, link);

        if (wish->range->of_process && wish->range->owner == owner)
            return find_obstacle(wish->vnode, wish->range);
    }
    return NULL;
}

/* True if the owner of `obstacle` waits, by however many others, for `range`'s. */
static bool closes_circle(const struct filelock *obstacle, const struct filelock_range *range)
{
    unsigned most = 1;

    if (!range->of_process)
        return false;
    list_for_each (link, &all.wishes)
        most++;
    for (; obstacle && most > 0; most--) {
        if (obstacle->range.owner == range->owner)
            return true;
        obstacle = awaited_by(obstacle->range.owner);
    }
    return false;
}

/* ---- changing ---- */

static int get_spares(struct spares *spares, const struct vnode *vnode)
{
    *spares = (struct spares){.list = NULL};
    for (unsigned i = 0; i < 2; i++)
        spares->locks[i] = kcalloc(1, sizeof(struct filelock));
    if (!list_of(vnode))
        spares->list = kcalloc(1, sizeof(*spares->list));
    if (spares->locks[0] && spares->locks[1] && (spares->list || list_of(vnode)))
        return 0;
    return -ENOLCK;
}

static void free_spares(struct spares *spares)
{
    for (unsigned i = 0; i < 2; i++)
        kfree(spares->locks[i]);
    kfree(spares->list);
}

static void add(struct filelock_list *list, struct spares *spares,
                const struct filelock_range *range)
{
    unsigned i = spares->locks[0] ? 0 : 1;
    struct filelock *lock = spares->locks[i];

    spares->locks[i] = NULL;
    lock->range = *range;
    list_add_tail(&list->locks, &lock->link);
}

static void drop(struct filelock *lock)
{
    list_remove(&lock->link);
    kfree(lock);
}

/* True if both are one lock in two pieces: they overlap, or nothing is between them. */
static bool touch(const struct filelock_range *a, const struct filelock_range *b)
{
    return overlap(a, b) || (a->last != UINT64_MAX && a->last + 1 == b->first) ||
           (b->last != UINT64_MAX && b->last + 1 == a->first);
}

/* Takes what `range` covers out of `lock`, which it overlaps: one piece is left, or two, or none.
 */
static void cut(struct filelock_list *list, struct spares *spares, struct filelock *lock,
                const struct filelock_range *range)
{
    struct filelock_range right = lock->range;

    if (lock->range.first < range->first) {
        lock->range.last = range->first - 1;
        if (right.last > range->last) {
            right.first = range->last + 1;
            add(list, spares, &right);
        }
    } else if (lock->range.last > range->last) {
        lock->range.first = range->last + 1;
    } else {
        drop(lock);
    }
}

/* Puts `range` in the place of what its owner had there. Caller holds the mutex, with spares. */
static void change(struct vnode *vnode, struct spares *spares, struct filelock_range range)
{
    struct filelock_list *list = list_of(vnode);

    if (!list) {
        list = spares->list;
        spares->list = NULL;
        list_init(&list->locks);
        __atomic_store_n(&vnode->locks, list, __ATOMIC_RELAXED);
    }
    list_for_each_safe (link, &list->locks) {
        struct filelock *lock = list_entry(link, struct filelock, link);

        if (lock->range.kind != range.kind || lock->range.owner != range.owner)
            continue;
        if (lock->range.type == range.type && touch(&lock->range, &range)) {
            range.first = lock->range.first < range.first ? lock->range.first : range.first;
            range.last = lock->range.last > range.last ? lock->range.last : range.last;
            drop(lock);
        } else if (overlap(&lock->range, &range)) {
            cut(list, spares, lock, &range);
        }
    }
    if (range.type != FILELOCK_NOTHING)
        add(list, spares, &range);
}

/* The list goes with its last lock, and who waits looks again. Caller holds the mutex. */
static void tidy(struct vnode *vnode)
{
    struct filelock_list *list = list_of(vnode);

    if (list && list_empty(&list->locks)) {
        __atomic_store_n(&vnode->locks, NULL, __ATOMIC_RELAXED);
        kfree(list);
    }
    condition_broadcast(&all.changed);
}

/* Waits until nothing is in the way. Caller holds the mutex. */
static int await(struct vnode *vnode, const struct filelock_range *range, bool wait)
{
    struct wish wish = {.vnode = vnode, .range = range};
    const struct filelock *obstacle;
    int error = 0;

    list_add_tail(&all.wishes, &wish.link);
    while (!error && (obstacle = find_obstacle(vnode, range))) {
        if (!wait)
            error = -EAGAIN;
        else if (closes_circle(obstacle, range))
            error = -EDEADLK;
        else
            error = condition_wait_until(&all.changed, HAL_TIME_NEVER);
    }
    list_remove(&wish.link);
    return error;
}

int filelock_set(struct vnode *vnode, const struct filelock_range *range, bool wait)
{
    struct spares spares;
    int error;

    mutex_lock(&all.mutex);
    error = await(vnode, range, wait);
    if (!error) {
        error = get_spares(&spares, vnode);
        if (!error)
            change(vnode, &spares, *range);
        free_spares(&spares);
        if (!error)
            tidy(vnode);
    }
    mutex_unlock(&all.mutex);
    return error;
}

void filelock_release(struct vnode *vnode, const void *owner)
{
    struct filelock_list *list;

    if (!list_of(vnode))
        return;
    mutex_lock(&all.mutex);
    list = list_of(vnode);
    if (list) {
        list_for_each_safe (link, &list->locks) {
            struct filelock *lock = list_entry(link, struct filelock, link);

            if (lock->range.owner == owner)
                drop(lock);
        }
        tidy(vnode);
    }
    mutex_unlock(&all.mutex);
}
