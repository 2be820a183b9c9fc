/* SPDX-License-Identifier: MIT */
/*
 * queue.c: the way of a request from submission to done().
 *
 *     waiting --admit--> queue (elevator) --begin--> started --settle--> ended --> done()
 *                           ^    again <-- one more try -------+
 *
 * `waiting` is a line in the order of submission, and only its first may leave it. It stays there
 * while it overlaps something that is not done, and one of both writes; and if it is a barrier,
 * until all else is done. So what stands in the queue and with the driver may be done in any order,
 * and what stands behind a barrier passes nothing. (Those behind one that waits for an overlap wait
 * too, although they might not have to. That is rare: whoever writes what is being read has mostly
 * waited himself.)
 *
 * One CPU at a time runs a queue, masked; another that has something for it says so and goes. The
 * one that runs it begins requests and calls done() without holding the lock, so that drivers may
 * end requests at once and done() may submit more, without any of them calling itself. Who has
 * changed something runs the queue before he lets go of the lock: so when a queue is empty and
 * nobody runs it, nobody is about to touch it either. As long as others submit, there may always be
 * more to do; so after some steps the thread of the timers goes on, and this CPU with its own
 * affairs.
 */
#include "block/queue/queue.h"

#include "thread/thread.h"

#include <hal/errno.h>
#include <hal/machine.h>
#include <hal/time.h>

#define PLUG_MAX 64u  /* requests that a plug holds back, at most */
#define RUN_MOST 128u /* steps that one CPU does for all others in one go */

void queue_init(struct block_disk *disk)
{
    spinlock_init(&disk->lock, LOCK_RANK_DEVICE);
    list_init(&disk->waiting);
    list_init(&disk->again);
    list_init(&disk->started);
    list_init(&disk->ended);
    queue_init_timer(disk);
}

int queue_settle_down(struct block_disk *disk)
{
    for (;;) {
        hal_irq_state_t state = spinlock_acquire(&disk->lock);
        bool busy = disk->counts.under_way > 0;
        bool quiet = !disk->running && list_empty(&disk->ended);

        if (!busy)
            __atomic_store_n(&disk->present, false, __ATOMIC_RELAXED);
        spinlock_release(&disk->lock, state);
        if (busy || quiet)
            return busy ? -EBUSY : 0;
        thread_yield();
    }
}

/* ---- submission ---- */

static int check_vectors(const struct block_request *request, uint64_t *sectors)
{
    *sectors = 0;
    for (unsigned i = 0; i < request->vector_count; i++) {
        const struct block_vector *vector = &request->vectors[i];

        if (vector->sectors == 0 || (uintptr_t)vector->data % HAL_BLOCK_ALIGN != 0)
            return -EINVAL;
        *sectors += vector->sectors;
    }
    return 0;
}

static int check_request(const struct block_request *request, uint64_t *sectors)
{
    const struct block_device *device = request->device;
    const struct block_limits *limits;

    if (!device->disk)
        return -ENOMEDIUM;
    if (request->op != BLOCK_READ && device->read_only)
        return -EROFS;
    limits = &device->disk->limits;
    if (request->vector_count > limits->vectors || check_vectors(request, sectors))
        return -EINVAL;
    if ((request->op == BLOCK_FLUSH) != (*sectors == 0) || *sectors > limits->sectors)
        return -EINVAL;
    if (*sectors > device->sectors || request->sector > device->sectors - *sectors)
        return request->op == BLOCK_FLUSH ? 0 : -EINVAL;
    return 0;
}

static void prepare(struct block_request *request, uint32_t sectors)
{
    const struct block_device *device = request->device;

    request->disk = device->disk;
    request->counts = device->counts;
    request->state = REQUEST_WAITING;
    request->step = request->op;
    request->at = request->op == BLOCK_FLUSH ? 0 : device->first + request->sector;
    request->sectors = request->all_sectors = sectors;
    request->all_vectors = request->vector_count;
    request->tries = 0;
    request->late = false;
    request->error = 0;
    list_init(&request->link);
    list_init(&request->followers);
    tree_node_init(&request->node);
}

int block_submit(struct block_request *request)
{
    uint64_t sectors;
    int error = check_request(request, &sectors);
    struct block_disk *disk = request->device->disk;
    hal_irq_state_t state;

    if (error)
        return error;
    prepare(request, (uint32_t)sectors);
    state = spinlock_acquire(&disk->lock);
    if (disk->present) {
        stats_submitted(disk, request);
        disk->urgent += (request->flags & BLOCK_SYNC) != 0;
        list_add_tail(&disk->waiting, &request->link);
        queue_run(disk);
    } else {
        error = -ENOMEDIUM;
    }
    spinlock_release(&disk->lock, state);
    return error;
}

void block_plug(const struct block_device *device)
{
    hal_irq_state_t state = spinlock_acquire(&device->disk->lock);

    device->disk->plugs++;
    spinlock_release(&device->disk->lock, state);
}

void block_unplug(const struct block_device *device)
{
    hal_irq_state_t state = spinlock_acquire(&device->disk->lock);

    device->disk->plugs--;
    queue_run(device->disk);
    spinlock_release(&device->disk->lock, state);
}

/* ---- what may be begun ---- */

static bool is_barrier(const struct block_request *request)
{
    return request->op == BLOCK_FLUSH || (request->flags & BLOCK_BARRIER);
}

static bool conflicts_with_any(const struct list *list, const struct block_request *request)
{
    list_for_each (link, list)
        if (queue_conflicts(request, list_entry(link, struct block_request, link)))
            return true;
    return false;
}

/** True if `request` overlaps one in the elevator, and one of both writes. */
static bool conflicts_in_queue(struct block_disk *disk, const struct block_request *request)
{
    uint64_t reach = disk->limits.sectors; /* no request is longer */
    uint64_t from = request->at > reach ? request->at - reach : 0;
    struct block_request *other = elevator_from(&disk->queue, from);

    for (; other && other->at < request->at + request->sectors; other = elevator_behind(other))
        if (queue_conflicts(request, other))
            return true;
    return false;
}

static bool must_wait(struct block_disk *disk, const struct block_request *request)
{
    if (disk->alone)
        return true;
    if (is_barrier(request))
        return disk->in_flight > 0 || disk->queue.count > 0 || !list_empty(&disk->again);
    return conflicts_in_queue(disk, request) || conflicts_with_any(&disk->again, request) ||
           conflicts_with_any(&disk->started, request);
}

/** Moves requests from the line into the queue, as far as they may. */
static void admit(struct block_disk *disk)
{
    while (!list_empty(&disk->waiting)) {
        struct block_request *request = list_entry(disk->waiting.next, struct block_request, link);

        if (must_wait(disk, request))
            return;
        list_remove(&request->link);
        request->state = REQUEST_QUEUED;
        if (is_barrier(request)) {
            disk->alone = request;
            disk->stats.barriers++;
            list_add_tail(&disk->again, &request->link);
        } else if (!queue_merge(disk, request)) {
            elevator_add(&disk->queue, request);
        }
    }
}

/** The next request to begin, or NULL. */
static struct block_request *take_next(struct block_disk *disk)
{
    struct list *link;

    admit(disk);
    if (disk->in_flight >= disk->limits.depth)
        return NULL;
    link = list_take_head(&disk->again);
    if (link)
        return list_entry(link, struct block_request, link);
    if (disk->plugs > 0 && disk->urgent == 0 && disk->queue.count < PLUG_MAX &&
        list_empty(&disk->waiting))
        return NULL;
    return elevator_take(&disk->queue, disk->head);
}

/* ---- the end ---- */

/** Puts `request` in front of the queue, for one more step or try. */
static void begin_again(struct block_disk *disk, struct block_request *request)
{
    request->state = REQUEST_QUEUED;
    list_add_tail(&disk->again, &request->link);
    disk->again_please = true;
}

static void end_one(struct block_disk *disk, struct block_request *request, int error)
{
    request->error = error;
    request->state = REQUEST_ENDED;
    disk->urgent -= (request->flags & BLOCK_SYNC) != 0;
    list_add_tail(&disk->ended, &request->link);
}

void queue_finish(struct block_disk *disk, struct block_request *request, int error)
{
    struct block_request *part;

    stats_ended(disk, request, error);
    if (disk->alone == request)
        disk->alone = NULL;
    end_one(disk, request, error);
    while ((part = queue_part(request)) != NULL)
        end_one(disk, part, error);
    disk->again_please = true;
}

/** Each of those merged with `request`, and itself, is to be begun by itself. */
static void split(struct block_disk *disk, struct block_request *request)
{
    struct block_request *part;

    disk->stats.split++;
    begin_again(disk, request);
    while ((part = queue_part(request)) != NULL)
        begin_again(disk, part);
}

void queue_settle(struct block_disk *disk, struct block_request *request, int error)
{
    bool worth_it = error == -EIO || error == -ETIMEDOUT;

    list_remove(&request->link);
    disk->in_flight--;
    if (worth_it && !list_empty(&request->followers)) {
        split(disk, request);
    } else if (worth_it && request->tries < disk->limits.retries) {
        request->tries++;
        disk->stats.retries++;
        begin_again(disk, request);
    } else if (!error && (request->flags & BLOCK_FUA) && request->step == BLOCK_WRITE) {
        request->step = BLOCK_FLUSH;
        begin_again(disk, request);
    } else {
        queue_finish(disk, request, error);
    }
}

void block_end(struct block_request *request, int error)
{
    struct block_disk *disk = request->disk;
    hal_irq_state_t state = spinlock_acquire(&disk->lock);

    queue_settle(disk, request, error);
    queue_run(disk);
    spinlock_release(&disk->lock, state);
}

void block_poll(struct block_disk *disk)
{
    if (disk->driver->poll)
        disk->driver->poll(disk);
}

/* ---- running it ---- */

/* The caller goes on masked. */
static void unlock(struct block_disk *disk)
{
    spinlock_release(&disk->lock, hal_irq_save());
}

static void lock_again(struct block_disk *disk)
{
    hal_irq_state_t masked = spinlock_acquire(&disk->lock);

    (void)masked; /* as before */
}

/** Calls done() for one that has ended; false if there is none. */
static bool call_done(struct block_disk *disk)
{
    struct list *link = list_take_head(&disk->ended);
    struct block_request *request;

    if (!link)
        return false;
    request = list_entry(link, struct block_request, link);
    unlock(disk);
    request->done(request, request->error);
    lock_again(disk);
    return true;
}

static void begin(struct block_disk *disk, struct block_request *request)
{
    int error;

    request->state = REQUEST_STARTED;
    list_add_tail(&disk->started, &request->link);
    if (++disk->in_flight > disk->stats.in_flight)
        disk->stats.in_flight = disk->in_flight;
    if (request->step != BLOCK_FLUSH)
        disk->head = request->at + request->all_sectors;
    queue_watch(disk, request);
    unlock(disk);
    error = disk->driver->start(disk, request);
    lock_again(disk);
    if (error)
        queue_settle(disk, request, error);
}

/** Begins the next one; false if there is none. */
static bool begin_next(struct block_disk *disk)
{
    struct block_request *request = take_next(disk);

    if (request)
        begin(disk, request);
    return request != NULL;
}

static void run_steps(struct block_disk *disk)
{
    unsigned left = RUN_MOST;

    while (disk->again_please) {
        disk->again_please = false;
        while (call_done(disk) || begin_next(disk))
            if (--left == 0 && queue_hand_over(disk))
                return;
    }
}

void queue_run(struct block_disk *disk)
{
    disk->again_please = true;
    if (disk->running)
        return;
    disk->running = true;
    run_steps(disk);
    disk->running = false;
}
