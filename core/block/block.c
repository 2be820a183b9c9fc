/* SPDX-License-Identifier: MIT */
/*
 * block.c: transfers, cut into requests of the HAL and put together again.
 *
 * There is a fixed pool of requests, so that no transfer fails for want of memory. A transfer lives
 * on the stack of its thread. It takes a request from the pool for each piece, up to TRANSFER_DEPTH
 * at once, so that the card has the next piece to start on when it has finished one; completions,
 * taken in the interrupt or by a thread that is about to sleep, give the request back and count the
 * transfer down:
 *
 *     FREE (in the pool) -> SUBMITTED (the backend's) -> completed -> FREE
 *
 * A thread sleeps for a free request only while it has none under way, and for its own
 * completions otherwise: somebody's completion always comes, so nobody waits for ever.
 *
 * Not here: time-outs (block.h says why), a cache (the file system knows better what to keep), and
 * reordering (a card has no arm).
 */
#include "block/block.h"

#include "lib/format.h"
#include "lib/list.h"
#include "lib/string.h"
#include "lib/trace.h"
#include "heap/heap.h"
#include "sync/spinlock.h"
#include "sync/wait.h"

#include <hal/block.h>
#include <hal/errno.h>
#include <hal/irq.h>
#include <hal/kstate.h>
#include <hal/machine.h>
#include <hal/runtime.h>
#include <hal/time.h>

#define POOL_SIZE 8u
#define TRANSFER_DEPTH 2u
#define BOUNCE_SECTORS 64u /* 32 KiB: the unit of copying for unaligned memory */

struct transfer {
    /* Guarded by the lock of the pool. */
    unsigned pending;        /**< requests under way */
    int error;               /**< the first that a request met */
    struct wait_queue queue; /**< the thread, waiting for its completions */

    /* The thread's own. */
    enum hal_block_op op;
    uint64_t sector; /**< of the card: where the next request starts */
    uint8_t *data;
    size_t sectors; /**< how many are still to be asked for; 1 stands for a flush */
};

struct pooled_request {
    struct hal_block_request request;
    struct list link; /**< among the free */
    struct transfer *transfer;
};

static KSTATE struct block_state {
    struct spinlock lock; /**< guards the pool and the counts */
    struct list free;
    struct wait_queue free_waiters;
    struct pooled_request pool[POOL_SIZE];
    unsigned in_flight;
    struct block_stats stats;

    /* Set by block_start. */
    bool ready;   /**< the pool is initialised */
    bool present; /**< there is a card */
    struct block_device card;
    char description[sizeof(((struct hal_block_info *)0)->description)];
} block;

static void prepare_pool(void)
{
    if (block.ready)
        return;
    spinlock_init(&block.lock, LOCK_RANK_DEVICE);
    list_init(&block.free);
    wait_init(&block.free_waiters);
    for (unsigned i = 0; i < POOL_SIZE; i++) {
        list_init(&block.pool[i].link);
        list_add_tail(&block.free, &block.pool[i].link);
    }
    block.ready = true;
}

int block_start(void)
{
    struct hal_block_info info;
    int error;

    prepare_pool();
    block.present = false;
    block.description[0] = '\0';
    memset(&block.stats, 0, sizeof(block.stats));
    error = hal_block_probe(&info);
    if (error)
        return error;
    string_copy(block.card.name, sizeof(block.card.name), "mmcblk0");
    block.card.first = 0;
    block.card.sectors = info.sectors;
    block.card.read_only = info.read_only;
    info.description[sizeof(info.description) - 1] = '\0';
    string_copy(block.description, sizeof(block.description), info.description);
    block.present = true;
    hal_irq_enable(HAL_IRQ_BLOCK);
    return 0;
}

const struct block_device *block_card(void)
{
    return block.present ? &block.card : NULL;
}

const char *block_description(void)
{
    return block.description;
}

int block_slice(const struct block_device *device, unsigned number, uint64_t first,
                uint64_t sectors, struct block_device *slice)
{
    if (first > device->sectors || sectors > device->sectors - first)
        return -EINVAL;
    format_text(slice->name, sizeof(slice->name), "%.11sp%u", device->name, number);
    slice->first = device->first + first;
    slice->sectors = sectors;
    slice->read_only = device->read_only;
    return 0;
}

static uint32_t count_sectors(const struct hal_block_request *request)
{
    uint32_t sectors = 0;

    for (unsigned i = 0; i < request->segment_count; i++)
        sectors += request->segments[i].sectors;
    return sectors;
}

/** Notes that the request was given, or is done. Caller holds the lock. */
static void trace(enum hal_trace_kind kind, const struct hal_block_request *request)
{
    ktrace_request(kind, hal_time_now(), request->sector, count_sectors(request), request->op,
                   request->result);
}

static void count_completion(const struct hal_block_request *request)
{
    uint64_t sectors = count_sectors(request);

    if (request->result < 0)
        block.stats.errors++;
    if (request->op == HAL_BLOCK_READ) {
        block.stats.reads++;
        block.stats.sectors_read += sectors;
    } else if (request->op == HAL_BLOCK_WRITE) {
        block.stats.writes++;
        block.stats.sectors_written += sectors;
    } else {
        block.stats.flushes++;
    }
}

/** Takes the request from its transfer, with its result. Caller holds the lock. */
static void finish_request(struct pooled_request *pooled, int result)
{
    struct transfer *transfer = pooled->transfer;

    if (result < 0 && !transfer->error)
        transfer->error = result;
    transfer->pending--;
    block.in_flight--;
    wait_wake_all(&transfer->queue);
    pooled->transfer = NULL;
    list_add_head(&block.free, &pooled->link);
    (void)wait_wake_one(&block.free_waiters);
}

/** Takes what the backend has completed. Caller holds the lock. Any context. */
static void collect_completed(void)
{
    struct hal_block_request *request;

    while ((request = hal_block_completed()) != NULL) {
        count_completion(request);
        trace(HAL_TRACE_DONE, request);
        finish_request(request->cookie, request->result);
    }
}

void block_interrupt(void)
{
    hal_irq_state_t state;

    if (!block.ready)
        return;
    state = spinlock_acquire(&block.lock);
    collect_completed();
    spinlock_release(&block.lock, state);
}

/** Fills in the request for the next piece of the transfer. The request is out of the pool. */
static void fill_request(struct pooled_request *pooled, struct transfer *transfer)
{
    struct hal_block_request *request = &pooled->request;
    size_t sectors = transfer->sectors;

    if (sectors > HAL_BLOCK_SECTORS)
        sectors = HAL_BLOCK_SECTORS;
    request->op = transfer->op;
    request->sector = transfer->sector;
    request->segments[0].data = transfer->data;
    request->segments[0].sectors = (uint32_t)sectors;
    request->segment_count = transfer->op == HAL_BLOCK_FLUSH ? 0 : 1;
    request->cookie = pooled;
    request->result = 0;
    request->next = NULL;
    pooled->transfer = transfer;
    transfer->sectors -= sectors;
    if (transfer->op == HAL_BLOCK_FLUSH)
        return;
    transfer->sector += sectors;
    transfer->data += sectors * HAL_SECTOR_SIZE;
}

/** True if the transfer is to have another request. Caller holds the lock. */
static bool wants_request(const struct transfer *transfer)
{
    return transfer->sectors > 0 && !transfer->error && transfer->pending < TRANSFER_DEPTH;
}

/**
 * Gives the transfer's next piece to the card, if a request is free: false if none is.
 * Caller holds the lock, which is released for the time of the submission.
 */
static bool submit_next(struct transfer *transfer, hal_irq_state_t *state)
{
    struct list *link = list_take_head(&block.free);
    struct pooled_request *pooled;
    int error;

    if (!link)
        return false;
    pooled = list_entry(link, struct pooled_request, link);
    fill_request(pooled, transfer);
    transfer->pending++;
    if (++block.in_flight > block.stats.in_flight)
        block.stats.in_flight = block.in_flight;
    trace(HAL_TRACE_REQUEST, &pooled->request);
    spinlock_release(&block.lock, *state);
    error = hal_block_submit(&pooled->request);
    *state = spinlock_acquire(&block.lock);
    if (error)
        finish_request(pooled, error);
    return true;
}

/** Sleeps until something has changed for the transfer. Caller holds the lock. May sleep. */
static void wait_for_change(struct transfer *transfer)
{
    block.stats.sleeps++;
    if (transfer->pending > 0)
        wait_sleep_always(&transfer->queue, &block.lock);
    else
        wait_sleep_always(&block.free_waiters, &block.lock);
}

/** Does the whole transfer. May sleep. */
static int run_transfer(struct transfer *transfer)
{
    hal_irq_state_t state;

    wait_init(&transfer->queue);
    state = spinlock_acquire(&block.lock);
    for (;;) {
        collect_completed();
        if (wants_request(transfer) && submit_next(transfer, &state))
            continue;
        if (transfer->pending == 0 && !wants_request(transfer))
            break;
        wait_for_change(transfer);
    }
    spinlock_release(&block.lock, state);
    return transfer->error;
}

static int transfer_aligned(const struct block_device *device, enum hal_block_op op,
                            uint64_t sector, void *data, size_t sectors)
{
    struct transfer transfer;

    memset(&transfer, 0, sizeof(transfer));
    transfer.op = op;
    transfer.sector = device->first + sector;
    transfer.data = data;
    transfer.sectors = sectors;
    return run_transfer(&transfer);
}

/** The same through aligned memory, a piece at a time. */
static int transfer_bounced(const struct block_device *device, enum hal_block_op op,
                            uint64_t sector, uint8_t *data, size_t sectors)
{
    size_t most = sectors < BOUNCE_SECTORS ? sectors : BOUNCE_SECTORS;
    uint8_t *bounce = kmalloc_aligned(most * HAL_SECTOR_SIZE, HAL_BLOCK_ALIGN);
    int error = 0;

    if (!bounce)
        return -ENOMEM;
    while (sectors > 0 && !error) {
        size_t now = sectors < most ? sectors : most;
        size_t bytes = now * HAL_SECTOR_SIZE;

        if (op == HAL_BLOCK_WRITE)
            memcpy(bounce, data, bytes);
        error = transfer_aligned(device, op, sector, bounce, now);
        if (op == HAL_BLOCK_READ && !error)
            memcpy(data, bounce, bytes);
        sector += now;
        data += bytes;
        sectors -= now;
    }
    kfree(bounce);
    return error;
}

static void count_bounced(size_t sectors)
{
    hal_irq_state_t state = spinlock_acquire(&block.lock);

    block.stats.bounced += sectors;
    spinlock_release(&block.lock, state);
}

static int transfer_any(const struct block_device *device, enum hal_block_op op, uint64_t sector,
                        void *data, size_t sectors)
{
    if (!block.present)
        return -ENOMEDIUM;
    if (sector > device->sectors || sectors > device->sectors - sector)
        return -EINVAL;
    if (sectors == 0)
        return 0;
    if ((uintptr_t)data % HAL_BLOCK_ALIGN != 0) {
        count_bounced(sectors);
        return transfer_bounced(device, op, sector, data, sectors);
    }
    return transfer_aligned(device, op, sector, data, sectors);
}

int block_read(const struct block_device *device, uint64_t sector, void *data, size_t sectors)
{
    return transfer_any(device, HAL_BLOCK_READ, sector, data, sectors);
}

int block_write(const struct block_device *device, uint64_t sector, const void *data,
                size_t sectors)
{
    if (device->read_only)
        return -EROFS;
    /* The request has one kind of pointer for both directions; a write only reads from it. */
    return transfer_any(device, HAL_BLOCK_WRITE, sector, (void *)(uintptr_t)data, sectors);
}

int block_flush(const struct block_device *device)
{
    if (!block.present)
        return -ENOMEDIUM;
    if (device->read_only)
        return 0;
    return transfer_aligned(device, HAL_BLOCK_FLUSH, 0, NULL, 1);
}

void block_read_stats(struct block_stats *stats)
{
    hal_irq_state_t state;

    if (!block.ready) {
        memset(stats, 0, sizeof(*stats));
        return;
    }
    state = spinlock_acquire(&block.lock);
    *stats = block.stats;
    spinlock_release(&block.lock, state);
}
