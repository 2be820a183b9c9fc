/* SPDX-License-Identifier: MIT */
/*
 * card.c: the card behind the HAL (hal/block.h) as a disk.
 *
 * There is one request of the HAL for each that the card may have at a time, so that none fails for
 * want of memory:
 *
 *     FREE -> GIVEN (the backend's) -> completed -> FREE
 *
 * Completions are taken in the interrupt, or by a thread that is about to sleep.
 */
#include "block/disk.h"
#include "block/queue/queue.h"
#include "lib/string.h"
#include "lib/trace.h"

#include <hal/errno.h>
#include <hal/irq.h>
#include <hal/kstate.h>
#include <hal/runtime.h>
#include <hal/time.h>

#define CARD_DEPTH 4u

struct card_slot {
    struct hal_block_request request;
    struct block_request *behind; /**< whose it is; NULL: FREE */
};

static KSTATE struct card_state {
    struct block_disk disk;
    struct card_slot slots[CARD_DEPTH]; /**< guarded by the lock of the disk */
    char description[sizeof(((struct hal_block_info *)0)->description)];
} card;

/** Notes that the request was given, or is done. Caller is masked. */
static void trace(enum hal_trace_kind kind, const struct hal_block_request *request)
{
    uint32_t sectors = 0;

    for (unsigned i = 0; i < request->segment_count; i++)
        sectors += request->segments[i].sectors;
    ktrace_request(kind, hal_time_now(), request->sector, sectors, request->op, request->result);
}

static void fill(struct card_slot *slot, struct block_request *first)
{
    static const enum hal_block_op ops[] = {HAL_BLOCK_READ, HAL_BLOCK_WRITE, HAL_BLOCK_FLUSH};
    struct hal_block_request *request = &slot->request;
    struct block_request *part = first->step == BLOCK_FLUSH ? NULL : first;

    request->op = ops[first->step];
    request->sector = first->step == BLOCK_FLUSH ? 0 : first->at;
    request->segment_count = 0;
    request->cookie = slot;
    request->result = 0;
    request->next = NULL;
    for (; part; part = block_next_merged(first, part))
        for (unsigned i = 0; i < part->vector_count; i++) {
            struct hal_block_segment *segment = &request->segments[request->segment_count++];

            segment->data = part->vectors[i].data;
            segment->sectors = part->vectors[i].sectors;
        }
}

/** Takes a free slot: there is one, because the queue keeps to the card's depth. */
static struct card_slot *take_slot(struct block_request *request)
{
    hal_irq_state_t state = spinlock_acquire(&card.disk.lock);
    struct card_slot *slot = card.slots;

    while (slot->behind)
        slot++;
    slot->behind = request;
    spinlock_release(&card.disk.lock, state);
    return slot;
}

static struct block_request *free_slot(struct card_slot *slot)
{
    hal_irq_state_t state = spinlock_acquire(&card.disk.lock);
    struct block_request *request = slot->behind;

    slot->behind = NULL;
    spinlock_release(&card.disk.lock, state);
    return request;
}

static int start(struct block_disk *disk, struct block_request *request)
{
    struct card_slot *slot = take_slot(request);
    int error;

    (void)disk;
    fill(slot, request);
    trace(HAL_TRACE_REQUEST, &slot->request);
    error = hal_block_submit(&slot->request);
    if (error)
        (void)free_slot(slot);
    return error;
}

static void poll(struct block_disk *disk)
{
    struct hal_block_request *request;

    (void)disk;
    while ((request = hal_block_completed()) != NULL) {
        hal_irq_state_t state = spinlock_acquire(&card.disk.lock);
        int result = request->result;

        trace(HAL_TRACE_DONE, request);
        spinlock_release(&card.disk.lock, state);
        block_end(free_slot(request->cookie), result);
    }
}

static const struct block_driver driver = {.kind = "card", .start = start, .poll = poll};

void block_interrupt(void)
{
    if (card.disk.known)
        poll(&card.disk);
}

/** Makes the card's disk known, or new if it was. */
static int make_disk(const struct hal_block_info *info)
{
    hal_irq_state_t state;

    if (!card.disk.known) {
        card.disk.driver = &driver;
        card.disk.limits =
            (struct block_limits){BLOCK_SECTORS_MAX, BLOCK_VECTORS_MAX, CARD_DEPTH, 0, 0};
        return block_disk_add(&card.disk, "mmcblk0", info->sectors, info->read_only);
    }
    state = spinlock_acquire(&card.disk.lock);
    card.disk.device.sectors = info->sectors;
    card.disk.device.read_only = info->read_only;
    __atomic_store_n(&card.disk.present, true, __ATOMIC_RELAXED);
    memset(&card.disk.stats, 0, sizeof(card.disk.stats));
    memset(&card.disk.counts, 0, sizeof(card.disk.counts));
    spinlock_release(&card.disk.lock, state);
    return 0;
}

static void forget_card(void)
{
    hal_irq_state_t state;

    card.description[0] = '\0';
    if (!card.disk.known)
        return;
    state = spinlock_acquire(&card.disk.lock);
    __atomic_store_n(&card.disk.present, false, __ATOMIC_RELAXED);
    spinlock_release(&card.disk.lock, state);
}

int block_start(void)
{
    struct hal_block_info info;
    int error;

    forget_card();
    error = hal_block_probe(&info);
    if (error)
        return error;
    error = make_disk(&info);
    if (error)
        return error;
    info.description[sizeof(info.description) - 1] = '\0';
    string_copy(card.description, sizeof(card.description), info.description);
    hal_irq_enable(HAL_IRQ_BLOCK);
    return 0;
}

const struct block_device *block_card(void)
{
    return __atomic_load_n(&card.disk.present, __ATOMIC_RELAXED) ? &card.disk.device : NULL;
}

const char *block_description(void)
{
    return card.description;
}

void block_read_stats(struct block_stats *stats)
{
    memset(stats, 0, sizeof(*stats));
    if (card.disk.known)
        block_device_stats(&card.disk.device, stats);
}
