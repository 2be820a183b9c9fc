/* SPDX-License-Identifier: MIT */
/*
 * epoll.c: sets, items and the lists of those that may be ready.
 *
 * One mutex guards all sets: which items there are, in which set and of which file. Asking files is
 * done under it, so neither an item nor its file goes away meanwhile; sleeping is not. The lists of
 * what may be ready are under the lock of all sources (poll.h), because files tell in interrupts.
 * A set in a set is asked while the mutex is held already.
 */
#include "ipc/event/epoll.h"

#include "fs/file.h"
#include "heap/heap.h"
#include "ipc/event/anonymous.h"
#include "ipc/poll.h"
#include "ipc/ready.h"

#include <hal/errno.h>
#include <hal/kstate.h>

#define ALWAYS (READY_ERROR | READY_HANG_UP)
#define MODES (EPOLL_EXCLUSIVE | EPOLL_ONCE | EPOLL_EDGE)

struct epoll {
    struct vnode vnode;
    struct file *file; /* the one that it is; constant */
    struct tree items; /* guarded by the mutex of all sets */
    struct poll_source source;
    struct list ready; /* guarded by the lock of all sources, as is the rest */
    struct wait_queue sleepers;
};

struct epoll_item {
    struct epoll *epoll;
    struct file *file;
    unsigned number;
    struct poll_waiter waiter;
    struct tree_node node;
    struct epoll_item *next; /* of the same file */

    /* Guarded by the lock of all sources, and changed under the mutex as well. */
    struct epoll_event event;

    bool queued; /* guarded by the lock of all sources */
    struct list link;
};

static KSTATE struct epolls {
    struct mutex mutex;
} all;

void epoll_start(void)
{
    mutex_init(&all.mutex);
}

static struct epoll *epoll_of(struct vnode *vnode)
{
    return (struct epoll *)((char *)vnode - offsetof(struct epoll, vnode));
}

struct epoll_key {
    const struct file *file;
    unsigned number;
};

static int compare(const void *wanted, const struct tree_node *node)
{
    const struct epoll_item *item = tree_entry(node, struct epoll_item, node);
    const struct epoll_key *key = wanted;

    if (key->number != item->number)
        return key->number < item->number ? -1 : 1;
    if (key->file != item->file)
        return (uintptr_t)key->file < (uintptr_t)item->file ? -1 : 1;
    return 0;
}

/* ---- what may be ready ---- */

/* Puts the item at the end of the list, unless it is in one. Caller holds the lock of all sources.
 */
static void queue(struct epoll_item *item)
{
    struct epoll *epoll = item->epoll;

    if (item->queued)
        return;
    item->queued = true;
    list_add_tail(&epoll->ready, &item->link);
    (void)wait_wake_one(&epoll->sleepers);
}

/* The item's file has told something. Sets that this set is in are told as well. */
static void notice(struct poll_waiter *waiter, unsigned events)
{
    struct epoll_item *item =
        (struct epoll_item *)((char *)waiter - offsetof(struct epoll_item, waiter));

    if (item->queued || !(ready_events(events) & item->event.events))
        return;
    queue(item);
    poll_notify_locked(&item->epoll->source, VNODE_CAN_READ);
}

static void queue_again(struct epoll_item *item)
{
    hal_irq_state_t state = poll_lock();

    queue(item);
    poll_unlock(state);
}

/* The first of `list`, out of it; a file that tells from now on is heard. NULL: it is empty. */
static struct epoll_item *take_first(struct list *list)
{
    struct epoll_item *item = NULL;
    hal_irq_state_t state = poll_lock();

    if (!list_empty(list)) {
        item = list_entry(list_take_head(list), struct epoll_item, link);
        item->queued = false;
    }
    poll_unlock(state);
    return item;
}

/* Moves what is in `from` to the head of `to`, in its order. */
static void move_all(struct list *from, struct list *to)
{
    hal_irq_state_t state = poll_lock();

    while (!list_empty(from)) {
        struct list *last = from->prev;

        list_remove(last);
        list_add_head(to, last);
    }
    poll_unlock(state);
}

/* What the item's file is ready for, of what is wanted. Caller holds the mutex, as below. */
static unsigned look(struct epoll_item *item, bool hang)
{
    return ready_look(item->file, hang ? &item->waiter : NULL) & item->event.events & ~MODES;
}

static void disable(struct epoll_item *item)
{
    hal_irq_state_t state = poll_lock();

    item->event.events &= MODES;
    poll_unlock(state);
}

/* Gives out an item if it is ready: 1, 0, or an error. */
static int give(struct epoll_item *item, unsigned index, epoll_taker *take, void *context)
{
    struct epoll_event event = {look(item, false), item->event.data};
    int error;

    if (!event.events)
        return 0;
    error = take ? take(context, index, &event) : 0;
    if (take && !error && (item->event.events & EPOLL_ONCE))
        disable(item);
    else if (error || !take || !(item->event.events & EPOLL_EDGE))
        queue_again(item);
    return error ? error : 1;
}

/*
 * Asks those that may be ready, each once, and gives out up to `most`; those that are not ready are
 * not in the list any more. `take` NULL: only counts.
 */
static int64_t give_ready(struct epoll *epoll, unsigned most, epoll_taker *take, void *context)
{
    struct epoll_item *item;
    struct list batch;
    unsigned count = 0;
    int result = 0;

    list_init(&batch);
    move_all(&epoll->ready, &batch);
    while (result >= 0 && count < most && (item = take_first(&batch))) {
        result = give(item, count, take, context);
        count += result == 1;
    }
    move_all(&batch, &epoll->ready);
    return count > 0 || result >= 0 ? (int64_t)count : result;
}

/* Somebody else may take what has been left. */
static void pass_on(struct epoll *epoll)
{
    hal_irq_state_t state = poll_lock();

    if (!list_empty(&epoll->ready))
        (void)wait_wake_one(&epoll->sleepers);
    poll_unlock(state);
}

static const struct vnode_ops epoll_ops;

int64_t epoll_await(struct file *set, unsigned most, uint64_t deadline, epoll_taker *take,
                    void *context)
{
    struct epoll *epoll = epoll_of(set->vnode);
    int64_t count;
    int error = 0;

    if (set->vnode->ops != &epoll_ops)
        return -EINVAL;
    for (;;) {
        hal_irq_state_t state;

        mutex_lock(&all.mutex);
        count = give_ready(epoll, most, take, context);
        mutex_unlock(&all.mutex);
        if (count > 0)
            pass_on(epoll);
        if (count != 0 || error || deadline <= hal_time_now())
            break;
        state = poll_lock();
        while (!error && list_empty(&epoll->ready))
            error = poll_wait(&epoll->sleepers, deadline);
        poll_unlock(state);
        if (error == -EINTR)
            break;
    }
    return count || error != -EINTR ? count : error;
}

/* ---- the set as a file ---- */

static unsigned epoll_poll(struct file *file, struct poll_waiter *waiter)
{
    struct epoll *epoll = epoll_of(file->vnode);
    bool owned = mutex_owned(&all.mutex); /* by who asks the set that this set is in */
    int64_t count;

    poll_hang(&epoll->source, waiter);
    if (!owned)
        mutex_lock(&all.mutex);
    count = give_ready(epoll, 1, NULL, NULL);
    if (!owned)
        mutex_unlock(&all.mutex);
    return count > 0 ? VNODE_CAN_READ : 0;
}

/* Takes it out of its set and its file's list. */
static void destroy(struct epoll_item *item)
{
    struct epoll_item *first = item->file->watched, *at = first;
    hal_irq_state_t state;

    poll_leave(&item->waiter);
    state = poll_lock();
    if (item->queued)
        list_remove(&item->link);
    poll_unlock(state);
    tree_remove(&item->epoll->items, &item->node);
    if (first == item) {
        __atomic_store_n(&item->file->watched, item->next, __ATOMIC_RELAXED);
    } else {
        while (at->next != item)
            at = at->next;
        at->next = item->next;
    }
    kfree(item);
}

void epoll_forget(struct file *file)
{
    if (!__atomic_load_n(&file->watched, __ATOMIC_RELAXED))
        return;
    mutex_lock(&all.mutex);
    while (file->watched)
        destroy(file->watched);
    mutex_unlock(&all.mutex);
}

static void epoll_release(struct vnode *vnode)
{
    struct epoll *epoll = epoll_of(vnode);
    struct tree_node *node;

    mutex_lock(&all.mutex);
    while ((node = tree_first(&epoll->items)))
        destroy(tree_entry(node, struct epoll_item, node));
    mutex_unlock(&all.mutex);
    vnode_finish(vnode);
    kfree(epoll);
}

static const struct vnode_ops epoll_ops = {.poll = epoll_poll, .release = epoll_release};

int epoll_open(struct file **set)
{
    struct epoll *epoll = kcalloc(1, sizeof(*epoll));
    int error;

    if (!epoll)
        return -ENOMEM;
    tree_init(&epoll->items);
    poll_source_init(&epoll->source);
    list_init(&epoll->ready);
    wait_init(&epoll->sleepers);
    error = anonymous_open(&epoll->vnode, &epoll_ops, FILE_READ_WRITE, set);
    if (error)
        kfree(epoll);
    else
        epoll->file = *set;
    return error;
}

/* ---- what is in it ---- */

#define STEPS_MAX 10000u /* however many ways lead through sets */
#define TOO_DEEP (EPOLL_DEPTH + 1)

/* How deep sets are in `file`: 0, it is none; or TOO_DEEP, also if `set` is among them. */
static unsigned depth_of(struct file *file, const struct file *set, unsigned *steps)
{
    unsigned deepest = 0;

    if (file->vnode->ops != &epoll_ops)
        return 0;
    if (file == set)
        return TOO_DEEP;
    tree_for_each (node, &epoll_of(file->vnode)->items) {
        unsigned depth = TOO_DEEP;

        if (++*steps < STEPS_MAX)
            depth = depth_of(tree_entry(node, struct epoll_item, node)->file, set, steps);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest < TOO_DEEP ? deepest + 1 : TOO_DEEP;
}

/* How many sets there are above `set`. */
static unsigned height_of(const struct file *set, unsigned *steps)
{
    unsigned highest = 0;

    for (const struct epoll_item *item = set->watched; item; item = item->next) {
        unsigned height = ++*steps < STEPS_MAX ? 1 + height_of(item->epoll->file, steps) : TOO_DEEP;

        highest = height > highest ? height : highest;
    }
    return highest;
}

static int check(struct file *set, struct file *file)
{
    unsigned steps = 0, depth;

    if (set->vnode->ops != &epoll_ops || set == file)
        return -EINVAL;
    if (!file->vnode->ops->poll)
        return -EPERM;
    depth = depth_of(file, set, &steps);
    if (depth > 0 && depth + 1 + height_of(set, &steps) > EPOLL_DEPTH)
        return -ELOOP;
    return 0;
}

static struct epoll_item *find(struct file *set, struct file *file, unsigned number)
{
    const struct epoll_key key = {file, number};
    struct tree_node *node = tree_find(&epoll_of(set->vnode)->items, &key, compare);

    return node ? tree_entry(node, struct epoll_item, node) : NULL;
}

/* What is wanted changes, and is looked for. */
static void want(struct epoll_item *item, const struct epoll_event *event)
{
    hal_irq_state_t state = poll_lock();

    item->event = *event;
    item->event.events |= ALWAYS;
    poll_unlock(state);
    if (!look(item, true))
        return;
    state = poll_lock();
    notice(&item->waiter, POLL_ANY);
    poll_unlock(state);
}

/* Puts `item` in. Caller holds the mutex. */
static void insert(struct epoll_item *item, struct file *set, const struct epoll_event *event)
{
    const struct epoll_key key = {item->file, item->number};

    item->epoll = epoll_of(set->vnode);
    poll_waiter_init(&item->waiter, notice);
    item->next = item->file->watched;
    __atomic_store_n(&item->file->watched, item, __ATOMIC_RELAXED);
    tree_insert(&item->epoll->items, &item->node, &key, compare);
    want(item, event);
}

int epoll_add(struct file *set, struct file *file, unsigned number, const struct epoll_event *event)
{
    struct epoll_item *item = kcalloc(1, sizeof(*item));
    int error;

    if (!item)
        return -ENOMEM;
    item->file = file;
    item->number = number;
    mutex_lock(&all.mutex);
    error = check(set, file);
    if (!error && find(set, file, number))
        error = -EEXIST;
    if (!error)
        insert(item, set, event);
    mutex_unlock(&all.mutex);
    if (error)
        kfree(item);
    return error;
}

int epoll_change(struct file *set, struct file *file, unsigned number,
                 const struct epoll_event *event)
{
    struct epoll_item *item;
    int error = 0;

    if (set->vnode->ops != &epoll_ops || set == file)
        return -EINVAL;
    mutex_lock(&all.mutex);
    item = find(set, file, number);
    if (!item)
        error = -ENOENT;
    else if ((item->event.events | event->events) & EPOLL_EXCLUSIVE)
        error = -EINVAL;
    else
        want(item, event);
    mutex_unlock(&all.mutex);
    return error;
}

int epoll_remove(struct file *set, struct file *file, unsigned number)
{
    struct epoll_item *item;

    if (set->vnode->ops != &epoll_ops || set == file)
        return -EINVAL;
    mutex_lock(&all.mutex);
    item = find(set, file, number);
    if (item)
        destroy(item);
    mutex_unlock(&all.mutex);
    return item ? 0 : -ENOENT;
}
