/* SPDX-License-Identifier: MIT */
/*
 * bounded.c: a ring of pointers with a queue of threads at either end.
 *
 * Each item that comes wakes one user, each that goes one maker. Who was woken takes what is there
 * then; if somebody else was faster, it waits on.
 */
#include "sync/flow/bounded.h"

#include "boot/panic.h"

#include <hal/errno.h>

void bounded_queue_init(struct bounded_queue *queue, void **slots, size_t size)
{
    kassert(size > 0);
    *queue = (struct bounded_queue){.slots = slots, .size = size};
    spinlock_init(&queue->lock, LOCK_RANK_WAIT);
    wait_init(&queue->makers);
    wait_init(&queue->users);
}

/* Adds if it can at once: 0, -EAGAIN, -ECANCELED. Caller holds the lock. */
static int add(struct bounded_queue *queue, void *item)
{
    if (queue->closed)
        return -ECANCELED;
    if (queue->count == queue->size)
        return -EAGAIN;
    queue->slots[(queue->first + queue->count) % queue->size] = item;
    __atomic_store_n(&queue->count, queue->count + 1, __ATOMIC_RELAXED);
    (void)wait_wake_one(&queue->users);
    return 0;
}

/* Takes if it can at once: 0, -EAGAIN, -ECANCELED. Caller holds the lock. */
static int take(struct bounded_queue *queue, void **item)
{
    if (queue->count == 0)
        return queue->closed ? -ECANCELED : -EAGAIN;
    *item = queue->slots[queue->first];
    queue->first = (queue->first + 1) % queue->size;
    __atomic_store_n(&queue->count, queue->count - 1, __ATOMIC_RELAXED);
    (void)wait_wake_one(&queue->makers);
    return 0;
}

int bounded_queue_put(struct bounded_queue *queue, void *item, uint64_t deadline)
{
    hal_irq_state_t state = spinlock_acquire(&queue->lock);
    int error, ended = 0;

    while ((error = add(queue, item)) == -EAGAIN && !ended)
        ended = wait_sleep(&queue->makers, &queue->lock, deadline);
    spinlock_release(&queue->lock, state);
    return error == -EAGAIN ? ended : error;
}

int bounded_queue_get(struct bounded_queue *queue, void **item, uint64_t deadline)
{
    hal_irq_state_t state = spinlock_acquire(&queue->lock);
    int error, ended = 0;

    while ((error = take(queue, item)) == -EAGAIN && !ended)
        ended = wait_sleep(&queue->users, &queue->lock, deadline);
    spinlock_release(&queue->lock, state);
    return error == -EAGAIN ? ended : error;
}

int bounded_queue_try_put(struct bounded_queue *queue, void *item)
{
    hal_irq_state_t state = spinlock_acquire(&queue->lock);
    int error = add(queue, item);

    spinlock_release(&queue->lock, state);
    return error;
}

int bounded_queue_try_get(struct bounded_queue *queue, void **item)
{
    hal_irq_state_t state = spinlock_acquire(&queue->lock);
    int error = take(queue, item);

    spinlock_release(&queue->lock, state);
    return error;
}

void bounded_queue_close(struct bounded_queue *queue)
{
    hal_irq_state_t state = spinlock_acquire(&queue->lock);

    queue->closed = true;
    wait_wake_all(&queue->makers);
    wait_wake_all(&queue->users);
    spinlock_release(&queue->lock, state);
}

size_t bounded_queue_count(const struct bounded_queue *queue)
{
    return __atomic_load_n(&queue->count, __ATOMIC_RELAXED);
}
