/* SPDX-License-Identifier: MIT */
/*
 * block.c: transfers of threads that wait, cut into requests and put together again.
 *
 * A transfer lives on the stack of its thread, with the few requests that it has under way at a
 * time, so that no transfer fails for want of memory, and so that the disk has the next piece to
 * start on when it has finished one. No piece is more than the disk takes at a time; as far as they
 * fit, vectors stay whole.
 *
 * Before it sleeps, the thread polls: what has completed without its interrupt having come is taken
 * there. Where there are no interrupts, as in tests on the host, all is.
 */
#include "block/disk.h"
#include "heap/heap.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/machine.h>
#include <hal/runtime.h>

#define TRANSFER_DEPTH 2u
#define BOUNCE_SECTORS 64u /* 32 KiB: the unit of copying for unaligned memory */

struct transfer {
    /* Guarded by the lock of the disk. */
    unsigned pending;        /**< requests under way */
    int error;               /**< the first that a request met */
    struct wait_queue queue; /**< the thread, waiting for its completions */
    struct piece {
        struct block_request request;
        struct block_vector vector;
        bool used;
    } pieces[TRANSFER_DEPTH];

    /* The thread's own. */
    const struct block_device *device;
    enum block_op op;
    uint64_t sector;                    /**< where the next request starts */
    const struct block_vector *vectors; /**< that are still to be asked for */
    unsigned vector_count;
    uint32_t within; /**< sectors of the first one that have been */
    bool flush;      /**< that is to be asked for */
};

/** A request of the transfer ends. Caller holds the lock. */
static void count_down(struct transfer *transfer, struct piece *piece, int error)
{
    if (error && !transfer->error)
        transfer->error = error;
    piece->used = false;
    transfer->pending--;
    wait_wake_all(&transfer->queue);
}

static void piece_done(struct block_request *request, int error)
{
    struct block_disk *disk = request->disk;
    hal_irq_state_t state = spinlock_acquire(&disk->lock);

    count_down(request->context, list_entry(request, struct piece, request), error);
    spinlock_release(&disk->lock, state);
}

/** How many vectors, whole ones, the next request may have. */
static unsigned count_whole(const struct transfer *transfer, uint32_t *sectors)
{
    const struct block_limits *limits = &transfer->device->disk->limits;
    unsigned n = 0;

    *sectors = 0;
    if (transfer->within > 0)
        return 0;
    while (n < transfer->vector_count && n < limits->vectors &&
           transfer->vectors[n].sectors <= limits->sectors - *sectors)
        *sectors += transfer->vectors[n++].sectors;
    return n;
}

/** A part of a vector that is more than the disk takes at a time. */
static void take_part(struct transfer *transfer, struct block_vector *part)
{
    const struct block_vector *whole = transfer->vectors;
    uint32_t left = whole->sectors - transfer->within;
    uint32_t most = transfer->device->disk->limits.sectors;

    part->data = (uint8_t *)whole->data + (size_t)transfer->within * HAL_SECTOR_SIZE;
    part->sectors = left < most ? left : most;
    transfer->within += part->sectors;
    if (transfer->within < whole->sectors)
        return;
    transfer->within = 0;
    transfer->vectors++;
    transfer->vector_count--;
}

/** Makes the request for the next piece of the transfer. */
static void fill_piece(struct piece *piece, struct transfer *transfer)
{
    uint32_t sectors;
    unsigned whole = count_whole(transfer, &sectors);

    piece->request = (struct block_request){
        .device = transfer->device,
        .op = transfer->op,
        .flags = BLOCK_SYNC | BLOCK_WATCHED,
        .sector = transfer->sector,
        .vectors = whole > 0 ? transfer->vectors : &piece->vector,
        .vector_count = transfer->flush ? 0
                        : whole > 0     ? whole
                                        : 1,
        .done = piece_done,
        .context = transfer,
    };
    if (transfer->flush) {
        transfer->flush = false;
    } else if (whole > 0) {
        transfer->vectors += whole;
        transfer->vector_count -= whole;
    } else {
        take_part(transfer, &piece->vector);
        sectors = piece->vector.sectors;
    }
    transfer->sector += sectors;
}

/** True if the transfer is to have another request. Caller holds the lock. */
static bool wants_request(const struct transfer *transfer)
{
    return (transfer->vector_count > 0 || transfer->flush) && !transfer->error &&
           transfer->pending < TRANSFER_DEPTH;
}

/** Submits the next piece. Caller holds the lock, which is released meanwhile. */
static void submit_next(struct transfer *transfer, struct block_disk *disk, hal_irq_state_t *state)
{
    struct piece *piece = &transfer->pieces[transfer->pieces[0].used];
    int error;

    piece->used = true;
    transfer->pending++;
    spinlock_release(&disk->lock, *state);
    fill_piece(piece, transfer);
    error = block_submit(&piece->request);
    *state = spinlock_acquire(&disk->lock);
    if (error)
        count_down(transfer, piece, error);
}

/** Sleeps until something has changed for the transfer. Caller holds the lock. May sleep. */
static void wait_for_change(struct transfer *transfer, struct block_disk *disk,
                            hal_irq_state_t *state)
{
    disk->stats.sleeps++;
    if (!disk->driver->abort || disk->limits.timeout == 0) {
        wait_sleep_always(&transfer->queue, &disk->lock);
        return;
    }
    if (!wait_sleep_firmly(&transfer->queue, &disk->lock, hal_time_now() + disk->limits.timeout))
        return;
    spinlock_release(&disk->lock, *state);
    block_expire(disk);
    *state = spinlock_acquire(&disk->lock);
}

static void poll_unlocked(struct block_disk *disk, hal_irq_state_t *state)
{
    spinlock_release(&disk->lock, *state);
    block_poll(disk);
    *state = spinlock_acquire(&disk->lock);
}

/** Does the whole transfer. May sleep. */
static int run_transfer(struct transfer *transfer)
{
    struct block_disk *disk = transfer->device->disk;
    hal_irq_state_t state = spinlock_acquire(&disk->lock);

    for (;;) {
        if (wants_request(transfer)) {
            submit_next(transfer, disk, &state);
            continue;
        }
        if (transfer->pending == 0)
            break;
        unsigned before = transfer->pending;

        poll_unlocked(disk, &state);
        if (transfer->pending == before)
            wait_for_change(transfer, disk, &state);
    }
    spinlock_release(&disk->lock, state);
    return transfer->error;
}

static int transfer_vectors(const struct block_device *device, enum block_op op, uint64_t sector,
                            const struct block_vector *vectors, unsigned count)
{
    struct transfer transfer;

    memset(&transfer, 0, sizeof(transfer));
    wait_init(&transfer.queue);
    transfer.device = device;
    transfer.op = op;
    transfer.sector = sector;
    transfer.vectors = vectors;
    transfer.vector_count = count;
    transfer.flush = op == BLOCK_FLUSH;
    return run_transfer(&transfer);
}

static int transfer_aligned(const struct block_device *device, enum block_op op, uint64_t sector,
                            void *data, size_t sectors)
{
    struct block_vector all = {data, (uint32_t)sectors};

    return transfer_vectors(device, op, sector, &all, 1);
}

/** The same through aligned memory, a piece at a time. */
static int transfer_bounced(const struct block_device *device, enum block_op op, uint64_t sector,
                            uint8_t *data, size_t sectors)
{
    size_t most = sectors < BOUNCE_SECTORS ? sectors : BOUNCE_SECTORS;
    uint8_t *bounce = kmalloc_aligned(most * HAL_SECTOR_SIZE, HAL_BLOCK_ALIGN);
    int error = 0;

    if (!bounce)
        return -ENOMEM;
    while (sectors > 0 && !error) {
        size_t now = sectors < most ? sectors : most;
        size_t bytes = now * HAL_SECTOR_SIZE;

        if (op == BLOCK_WRITE)
            memcpy(bounce, data, bytes);
        error = transfer_aligned(device, op, sector, bounce, now);
        if (op == BLOCK_READ && !error)
            memcpy(data, bounce, bytes);
        sector += now;
        data += bytes;
        sectors -= now;
    }
    kfree(bounce);
    return error;
}

static void count_bounced(struct block_disk *disk, size_t sectors)
{
    hal_irq_state_t state = spinlock_acquire(&disk->lock);

    disk->stats.bounced += sectors;
    spinlock_release(&disk->lock, state);
}

static bool has_medium(const struct block_device *device)
{
    return device->disk && __atomic_load_n(&device->disk->present, __ATOMIC_RELAXED);
}

static int transfer_any(const struct block_device *device, enum block_op op, uint64_t sector,
                        void *data, size_t sectors)
{
    if (!has_medium(device))
        return -ENOMEDIUM;
    if (sector > device->sectors || sectors > device->sectors - sector || sectors > UINT32_MAX)
        return -EINVAL;
    if (sectors == 0)
        return 0;
    if ((uintptr_t)data % HAL_BLOCK_ALIGN != 0) {
        count_bounced(device->disk, sectors);
        return transfer_bounced(device, op, sector, data, sectors);
    }
    return transfer_aligned(device, op, sector, data, sectors);
}

int block_read(const struct block_device *device, uint64_t sector, void *data, size_t sectors)
{
    return transfer_any(device, BLOCK_READ, sector, data, sectors);
}

int block_write(const struct block_device *device, uint64_t sector, const void *data,
                size_t sectors)
{
    if (device->read_only)
        return -EROFS;
    /* The request has one kind of pointer for both directions; a write only reads from it. */
    return transfer_any(device, BLOCK_WRITE, sector, (void *)(uintptr_t)data, sectors);
}

int block_transfer(const struct block_device *device, enum block_op op, uint64_t sector,
                   const struct block_vector *vectors, unsigned count)
{
    return has_medium(device) ? transfer_vectors(device, op, sector, vectors, count) : -ENOMEDIUM;
}

int block_flush(const struct block_device *device)
{
    if (!has_medium(device))
        return -ENOMEDIUM;
    if (device->read_only)
        return 0;
    return transfer_vectors(device, BLOCK_FLUSH, 0, NULL, 0);
}
