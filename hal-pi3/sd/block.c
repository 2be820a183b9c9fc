/* SPDX-License-Identifier: MIT */
/*
 * block.c: <hal/block.h>: the queue of requests, one of which is a transfer of sd.c at a time.
 *
 * Requests are served in the order of submission, which makes a flush a barrier by itself. The
 * transfer is moved on by the interrupts of the card and its DMA channel, and by whoever polls. Its
 * end is announced on HAL_IRQ_BLOCK by a poke, because it is known only after the state machine has
 * run. The system timer interrupts when a wait has to be ended although the card says nothing.
 *
 * A transfer that fails is tried again from its beginning, `BLOCK_TRIES` times in all: cards and
 * contacts have bad moments. Writing the same sectors again is harmless.
 */
#include "sd/block.h"
#include "sd/emmc.h"
#include "sd/sd.h"
#include "soc/bcm2837.h"
#include "soc/dma.h"
#include "soc/intc.h"
#include "soc/timer.h"

#include <hal/block.h>
#include <hal/errno.h>
#include <hal/machine.h>
#include <hal/runtime.h>
#include <pi3/lock.h>
#include <pi3/mmio.h>

#include <stddef.h>

#define BLOCK_TRIES 3u

/** NONE -> PROBING -> READY; a card that stops answering leads back to NONE. */
enum block_state { BLOCK_NONE, BLOCK_PROBING, BLOCK_READY };

/** Requests in order: where the first is, and where the next one's address is to be stored. */
struct block_list {
    struct hal_block_request *first;
    struct hal_block_request *last;
};

static struct lock block_lock;
static enum block_state block_state;
static struct sd_card block_card;
static struct block_list block_waiting; /**< the first one is under way */
static struct block_list block_done;
static struct sd_transfer block_transfer;
static unsigned block_tries;

static void block_append(struct block_list *list, struct hal_block_request *request)
{
    request->next = NULL;
    if (list->first == NULL) {
        list->first = request;
    } else {
        list->last->next = request;
    }
    list->last = request;
}

static struct hal_block_request *block_remove(struct block_list *list)
{
    struct hal_block_request *request = list->first;

    if (request != NULL) {
        list->first = request->next;
        request->next = NULL;
    }
    return request;
}

static void block_arm_timer(void)
{
    uint64_t now = mmio_microseconds();
    uint64_t next = sd_transfer_next(&block_transfer);

    systimer_arm(SYSTIMER_CARD, next > now ? (uint32_t)(next - now) + 10 : 10);
}

/** Begins the first request in line, if there is one. Lock held. */
static void block_begin(void)
{
    const struct hal_block_request *request = block_waiting.first;

    if (request == NULL) {
        return;
    }
    block_transfer.card = &block_card;
    block_transfer.op = request->op;
    block_transfer.sector = request->sector;
    block_transfer.segments = request->segments;
    block_transfer.segment_count = request->op == HAL_BLOCK_FLUSH ? 0 : request->segment_count;
    block_transfer.again = block_tries > 0;
    sd_transfer_start(&block_transfer);
    block_arm_timer();
}

/** The request in front is done: announces it and goes on with the next. Lock held. */
static void block_finish(int result)
{
    struct hal_block_request *request = block_remove(&block_waiting);

    request->result = result;
    block_append(&block_done, request);
    block_tries = 0;
    if (result == -ENOMEDIUM) {
        block_state = BLOCK_NONE;
    }
    intc_poke(0, HAL_IRQ_BLOCK);
    block_begin();
}

static bool block_worth_another_try(int result)
{
    return (result == -EIO || result == -ETIMEDOUT || result == -ENOMEDIUM) &&
           ++block_tries < BLOCK_TRIES;
}

/** Does what can be done now. Lock held. */
static void block_advance(void)
{
    while (block_waiting.first != NULL) {
        unsigned phase = block_transfer.phase;
        int result = sd_transfer_step(&block_transfer);
        if (result == SD_UNDER_WAY) {
            if (phase != block_transfer.phase) {
                block_arm_timer();
            }
            return;
        }
        if (result == 0) {
            block_finish(0);
            continue;
        }
        sd_transfer_stop(&block_transfer);
        sd_recover(&block_card);
        if (block_worth_another_try(result)) {
            block_begin();
        } else {
            block_finish(result);
        }
    }
}

void sd_block_take_interrupt(void)
{
    hal_irq_state_t state = lock_take(&block_lock);

    systimer_quiet(SYSTIMER_CARD);
    block_advance();
    if (block_waiting.first != NULL) {
        block_arm_timer();
    } else if (block_state != BLOCK_PROBING) {
        /* A flag that comes late, as the end of busy after CMD12, would interrupt for ever. */
        (void)emmc_take_flags();
        (void)dma_look();
    }
    lock_release(&block_lock, state);
}

/**
 * Takes the right to probe; false when a card is known. Waits while somebody else probes, or while
 * requests to a card that has gone are still failing.
 */
static bool block_start_probing(void)
{
    for (;;) {
        hal_irq_state_t state = lock_take(&block_lock);
        block_advance();
        enum block_state before = block_state;
        bool ours = before == BLOCK_NONE && block_waiting.first == NULL;
        if (ours) {
            block_state = BLOCK_PROBING;
        }
        lock_release(&block_lock, state);
        if (ours || before == BLOCK_READY) {
            return ours;
        }
        hal_cpu_relax();
    }
}

static void block_set_state(enum block_state to)
{
    hal_irq_state_t state = lock_take(&block_lock);

    block_state = to;
    lock_release(&block_lock, state);
}

int hal_block_probe(struct hal_block_info *info)
{
    if (block_start_probing()) {
        int result = sd_identify(&block_card);
        if (result != 0) {
            block_set_state(BLOCK_NONE);
            return result;
        }
        emmc_listen(true);
        dma_start();
        intc_enable_gpu(GPU_IRQ_EMMC);
        intc_enable_gpu(GPU_IRQ_DMA_5);
        intc_enable_gpu(GPU_IRQ_SYSTIMER_3);
        block_set_state(BLOCK_READY);
    }
    info->sectors = block_card.sectors;
    info->read_only = block_card.read_only;
    memcpy(info->description, block_card.description, sizeof info->description);
    return 0;
}

/** Checks the segments of a request and adds their lengths up. */
static int block_count_sectors(const struct hal_block_request *request, uint64_t *sectors)
{
    *sectors = 0;
    if (request->segment_count == 0 || request->segment_count > HAL_BLOCK_SEGMENTS) {
        return -EINVAL;
    }
    for (unsigned i = 0; i < request->segment_count; i++) {
        const struct hal_block_segment *segment = &request->segments[i];
        if (segment->sectors == 0 || segment->data == NULL ||
            (uintptr_t)segment->data % HAL_BLOCK_ALIGN != 0) {
            return -EINVAL;
        }
        *sectors += segment->sectors;
    }
    return *sectors <= HAL_BLOCK_SECTORS ? 0 : -EINVAL;
}

static int block_check(const struct hal_block_request *request)
{
    uint64_t sectors;

    if (request->op == HAL_BLOCK_FLUSH) {
        return 0;
    }
    if (request->op != HAL_BLOCK_READ && request->op != HAL_BLOCK_WRITE) {
        return -EINVAL;
    }
    int result = block_count_sectors(request, &sectors);
    if (result == 0 &&
        (request->sector >= block_card.sectors || sectors > block_card.sectors - request->sector)) {
        result = -EINVAL;
    }
    return result;
}

int hal_block_submit(struct hal_block_request *request)
{
    hal_irq_state_t state = lock_take(&block_lock);
    int result = block_state == BLOCK_READY ? block_check(request) : -ENOMEDIUM;

    if (result == 0) {
        bool idle = block_waiting.first == NULL;
        if (request->op == HAL_BLOCK_WRITE && block_card.read_only) {
            request->result = -EROFS;
            block_append(&block_done, request);
            intc_poke(0, HAL_IRQ_BLOCK);
        } else {
            block_append(&block_waiting, request);
            if (idle) {
                block_tries = 0;
                block_begin();
            }
        }
    }
    lock_release(&block_lock, state);
    return result;
}

struct hal_block_request *hal_block_completed(void)
{
    hal_irq_state_t state = lock_take(&block_lock);

    block_advance();
    struct hal_block_request *request = block_remove(&block_done);
    lock_release(&block_lock, state);
    return request;
}
