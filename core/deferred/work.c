/* SPDX-License-Identifier: MIT */
/*
 * work.c: a list of items in the order of submission, and threads that take from its head.
 *
 * What an item's function does with its own memory is its business, so after the call nobody looks
 * at the item unless it was submitted meanwhile. Whether it runs is therefore noted with the thread
 * and not in the item.
 */
#include "deferred/work.h"

#include "boot/panic.h"
#include "heap/heap.h"
#include "lib/format.h"
#include "sync/wait.h"
#include "thread/thread.h"

#include <hal/errno.h>

struct worker {
    struct work_queue *queue;
    struct thread *thread;
    struct work *running; /* NULL: it rests */
    uint64_t sequence;    /* of what runs */
    bool again;           /* what runs was submitted meanwhile */
    bool last_time;       /* somebody cancels it: if it is submitted, in vain */
};

struct work_queue {
    struct spinlock lock; /* guards all below, and all items */
    struct list pending;  /* by sequence */
    uint64_t sequence;    /* the last one that was given out */
    bool closing;
    struct wait_queue idle;    /* threads without work */
    struct wait_queue waiters; /* for something to end */
    unsigned count;
    struct worker workers[];
};

/* ---- what is where; caller holds the lock ---- */

/* Who runs the item, or NULL. */
static struct worker *runner_of(struct work_queue *queue, const struct work *work)
{
    for (unsigned i = 0; i < queue->count; i++)
        if (queue->workers[i].running == work)
            return &queue->workers[i];
    return NULL;
}

/* The worker that the caller is, or NULL. */
static struct worker *own_worker(struct work_queue *queue)
{
    for (unsigned i = 0; i < queue->count; i++)
        if (queue->workers[i].thread == thread_current())
            return &queue->workers[i];
    return NULL;
}

/* Items that were submitted again while they ran belong before younger ones. */
static void insert(struct work_queue *queue, struct work *work)
{
    struct list *before = &queue->pending;

    while (before->prev != &queue->pending &&
           list_entry(before->prev, struct work, link)->sequence > work->sequence)
        before = before->prev;
    list_insert_before(&work->link, before);
    (void)wait_wake_one(&queue->idle);
}

/* True if something that was submitted up to `sequence` has not ended. */
static bool is_behind(struct work_queue *queue, uint64_t sequence)
{
    const struct list *first = queue->pending.next;

    if (first != &queue->pending &&
        list_entry(first, const struct work, link)->sequence <= sequence)
        return true;
    for (unsigned i = 0; i < queue->count; i++) {
        const struct worker *worker = &queue->workers[i];

        if (worker->running && (worker->sequence <= sequence ||
                                (worker->again && worker->running->sequence <= sequence)))
            return true;
    }
    return false;
}

/* ---- the threads ---- */

/* Runs the first item. Called and returns with the lock. */
static hal_irq_state_t run_first(struct worker *worker, hal_irq_state_t state)
{
    struct work_queue *queue = worker->queue;
    struct work *work = list_entry(list_take_head(&queue->pending), struct work, link);

    worker->running = work;
    worker->sequence = work->sequence;
    worker->again = false;
    worker->last_time = false;
    spinlock_release(&queue->lock, state);
    work->function(work);
    state = spinlock_acquire(&queue->lock);
    worker->running = NULL;
    if (worker->again && !worker->last_time)
        insert(queue, work);
    wait_wake_all(&queue->waiters);
    return state;
}

static void worker_main(void *argument)
{
    struct worker *worker = argument;
    struct work_queue *queue = worker->queue;
    hal_irq_state_t state = spinlock_acquire(&queue->lock);

    for (;;) {
        if (!list_empty(&queue->pending))
            state = run_first(worker, state);
        else if (!queue->closing)
            wait_sleep_always(&queue->idle, &queue->lock);
        else
            break;
    }
    spinlock_release(&queue->lock, state);
}

/* ---- queues ---- */

void work_queue_destroy(struct work_queue *queue)
{
    hal_irq_state_t state = spinlock_acquire(&queue->lock);

    kassert(!own_worker(queue));
    queue->closing = true;
    wait_wake_all(&queue->idle);
    spinlock_release(&queue->lock, state);
    for (unsigned i = 0; i < queue->count; i++)
        if (queue->workers[i].thread)
            thread_join(queue->workers[i].thread);
    kfree(queue);
}

int work_queue_create(const char *name, unsigned threads, struct work_queue **result)
{
    struct work_queue *queue;
    char text[THREAD_NAME_MAX + 1];

    *result = NULL;
    if (threads < 1 || threads > WORK_THREADS_MAX)
        return -EINVAL;
    queue = kcalloc(1, sizeof *queue + threads * sizeof queue->workers[0]);
    if (!queue)
        return -ENOMEM;
    spinlock_init(&queue->lock, LOCK_RANK_WORK);
    list_init(&queue->pending);
    wait_init(&queue->idle);
    wait_init(&queue->waiters);
    queue->count = threads;
    for (unsigned i = 0; i < threads; i++) {
        struct worker *worker = &queue->workers[i];

        worker->queue = queue;
        format_text(text, sizeof text, "%s/%u", name, i);
        if (thread_create(text, worker_main, worker, &worker->thread)) {
            work_queue_destroy(queue);
            return -ENOMEM;
        }
    }
    *result = queue;
    return 0;
}

void work_queue_flush(struct work_queue *queue)
{
    hal_irq_state_t state = spinlock_acquire(&queue->lock);
    uint64_t sequence = queue->sequence;

    if (own_worker(queue))
        panic(
            "a thread of a work queue waits for all work of that queue: it would wait for itself");
    while (is_behind(queue, sequence))
        wait_sleep_always(&queue->waiters, &queue->lock);
    spinlock_release(&queue->lock, state);
}

/* ---- items ---- */

void work_init(struct work *work, void (*function)(struct work *work))
{
    *work = (struct work){.function = function};
    list_init(&work->link);
}

bool work_submit(struct work_queue *queue, struct work *work)
{
    hal_irq_state_t state = spinlock_acquire(&queue->lock);
    struct worker *runner = runner_of(queue, work);
    bool pending = !list_empty(&work->link) || (runner && runner->again);

    if (!pending) {
        __atomic_store_n(&work->queue, queue, __ATOMIC_RELAXED);
        work->sequence = ++queue->sequence;
        if (runner)
            runner->again = true;
        else
            insert(queue, work);
    }
    spinlock_release(&queue->lock, state);
    return !pending;
}

/* Makes it not PENDING. Returns whether it was. Caller holds the lock. */
static bool withdraw(struct work_queue *queue, struct work *work)
{
    struct worker *runner = runner_of(queue, work);
    bool pending = !list_empty(&work->link) || (runner && runner->again);

    list_remove(&work->link);
    if (runner)
        runner->again = false;
    return pending;
}

bool work_cancel(struct work *work)
{
    struct work_queue *queue = __atomic_load_n(&work->queue, __ATOMIC_RELAXED);
    struct worker *runner;
    hal_irq_state_t state;
    bool pending;

    if (!queue)
        return false;
    state = spinlock_acquire(&queue->lock);
    pending = withdraw(queue, work);
    while ((runner = runner_of(queue, work)) && runner != own_worker(queue)) {
        runner->last_time = true;
        wait_sleep_always(&queue->waiters, &queue->lock);
    }
    spinlock_release(&queue->lock, state);
    return pending;
}

void work_await(struct work *work)
{
    struct work_queue *queue = __atomic_load_n(&work->queue, __ATOMIC_RELAXED);
    struct worker *runner;
    hal_irq_state_t state;

    if (!queue)
        return;
    state = spinlock_acquire(&queue->lock);
    while ((runner = runner_of(queue, work)) || !list_empty(&work->link)) {
        if (runner && runner == own_worker(queue))
            panic("a function of a work queue waits for its own end");
        wait_sleep_always(&queue->waiters, &queue->lock);
    }
    spinlock_release(&queue->lock, state);
}

/* ---- at a time ---- */

static void delayed_is_due(struct ktimer *timer)
{
    struct delayed_work *delayed = list_entry(timer, struct delayed_work, timer);

    (void)work_submit(__atomic_load_n(&delayed->queue, __ATOMIC_RELAXED), &delayed->work);
}

void delayed_work_init(struct delayed_work *delayed, void (*function)(struct work *work))
{
    work_init(&delayed->work, function);
    ktimer_init(&delayed->timer, delayed_is_due);
    delayed->queue = NULL;
    delayed->cancelling = 0;
}

void delayed_work_submit(struct work_queue *queue, struct delayed_work *delayed, uint64_t deadline)
{
    if (__atomic_load_n(&delayed->cancelling, __ATOMIC_ACQUIRE))
        return;
    __atomic_store_n(&delayed->queue, queue, __ATOMIC_RELAXED);
    ktimer_arm(&delayed->timer, deadline);
}

/* Stops the timer, then the work that it may have submitted. */
static bool stop(struct delayed_work *delayed)
{
    bool waited = ktimer_cancel(&delayed->timer);

    return work_cancel(&delayed->work) || waited;
}

/*
 * A function that runs meanwhile may just have looked, and submit itself. When it has ended, none
 * can do so any more, and what it submitted is stopped the second time.
 */
bool delayed_work_cancel(struct delayed_work *delayed)
{
    bool waited;

    __atomic_fetch_add(&delayed->cancelling, 1, __ATOMIC_SEQ_CST);
    waited = stop(delayed);
    (void)stop(delayed);
    __atomic_fetch_sub(&delayed->cancelling, 1, __ATOMIC_RELEASE);
    return waited;
}
