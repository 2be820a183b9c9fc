/* SPDX-License-Identifier: MIT */
/*
 * card.c: the card slot: requests in, completions out.
 *
 * With the virtual clock the card works on up to CARD_SLOTS requests at a time, each for a time
 * that the seed picks, so they may end in another order than they came; data moves when a request
 * ends, so a power cut before that leaves the card as it was. A flush enters alone: after
 * everything before it has ended, and before anything behind it starts. With the real clock a
 * request is done when submitted.
 *
 *     submit -> waiting (a queue) -> slot (being served) -> done (a queue) -> completed
 */
#include "board/machine.h"

#include "host/host.h"
#include "tayberry.h"

#include <hal/block.h>
#include <hal/errno.h>
#include <hal/machine.h>
#include <hal/runtime.h>

void sim_card_reset(void)
{
    struct card_queue *card = &machine.card;
    uint64_t fault_after = card->fault_after, fault_count = card->fault_count;
    *card = (struct card_queue){.fault_after = fault_after, .fault_count = fault_count};
    card->waiting_tail = &card->waiting;
    card->done_tail = &card->done;
}

void sim_card_changed(void)
{
    machine.card.probed = false;
    for (unsigned i = 0; i < CARD_SLOTS; i++)
        machine.card.slot[i].fault = -ENOMEDIUM;
}

static uint64_t request_sectors(const struct hal_block_request *request)
{
    uint64_t sectors = 0;
    if (request->op == HAL_BLOCK_FLUSH)
        return 0;
    for (unsigned i = 0; i < request->segment_count; i++)
        sectors += request->segments[i].sectors;
    return sectors;
}

/* Whether `request` is one that the contract allows, on a card of `limit` sectors. */
static int check(const struct hal_block_request *request, uint64_t limit)
{
    uint64_t total = 0;
    if (request->op == HAL_BLOCK_FLUSH)
        return 0;
    if ((unsigned)request->op > HAL_BLOCK_FLUSH || request->segment_count == 0 ||
        request->segment_count > HAL_BLOCK_SEGMENTS)
        return -EINVAL;
    for (unsigned i = 0; i < request->segment_count; i++) {
        const struct hal_block_segment *segment = &request->segments[i];
        if (segment->sectors == 0 || segment->sectors > HAL_BLOCK_SECTORS ||
            (uintptr_t)segment->data % HAL_BLOCK_ALIGN)
            return -EINVAL;
        total += segment->sectors;
    }
    if (total > HAL_BLOCK_SECTORS || total > limit || request->sector > limit - total)
        return -EINVAL;
    return 0;
}

/* Takes the next scheduled fault, if it is this request's turn. */
static int take_fault(struct card_queue *card)
{
    if (!card->fault_count)
        return 0;
    if (card->fault_after) {
        card->fault_after--;
        return 0;
    }
    card->fault_count--;
    return -EIO;
}

static void finish(struct hal_block_request *request, int fault)
{
    struct card_queue *card = &machine.card;
    struct host_card *host = outside_card();
    int result = fault;
    if (!result)
        result = host && card->probed ? host_card_transfer(host, request) : -ENOMEDIUM;
    if (!result && request->op == HAL_BLOCK_READ)
        card->sectors_read += request_sectors(request);
    if (!result && request->op == HAL_BLOCK_WRITE)
        card->sectors_written += request_sectors(request);
    if (!result && request->op != HAL_BLOCK_FLUSH)
        outside_card_moved(request->sector, request_sectors(request),
                           request->op == HAL_BLOCK_WRITE);
    request->result = result;
    request->next = NULL;
    *card->done_tail = request;
    card->done_tail = &request->next;
    sim_cpu_raise(&machine.cpu[0], HAL_IRQ_BLOCK);
}

/* ---- the queue of the virtual clock ---- */

static struct card_slot *free_slot(bool all_must_be)
{
    struct card_slot *found = NULL;
    for (unsigned i = 0; i < CARD_SLOTS; i++) {
        struct card_slot *slot = &machine.card.slot[i];
        if (!slot->request)
            found = slot;
        else if (all_must_be || slot->request->op == HAL_BLOCK_FLUSH)
            return NULL;
    }
    return found;
}

/* Moves requests from the queue into free slots, as far as the barriers allow. */
static void serve(void)
{
    struct card_queue *card = &machine.card;
    while (card->waiting) {
        struct hal_block_request *request = card->waiting;
        struct card_slot *slot = free_slot(request->op == HAL_BLOCK_FLUSH);
        if (!slot)
            return;
        card->waiting = request->next;
        if (!card->waiting)
            card->waiting_tail = &card->waiting;
        slot->request = request;
        slot->fault = take_fault(card);
        uint64_t base = COST_CARD_BASE / 2 + machine_random(RNG_CARD) % COST_CARD_BASE;
        slot->done_at = sim_time_now() + base + request_sectors(request) * COST_CARD_SECTOR;
    }
}

uint64_t sim_card_next_event(void)
{
    uint64_t next = HAL_TIME_NEVER;
    for (unsigned i = 0; i < CARD_SLOTS; i++) {
        const struct card_slot *slot = &machine.card.slot[i];
        if (slot->request && slot->done_at < next)
            next = slot->done_at;
    }
    return next;
}

void sim_card_run_events(void)
{
    uint64_t now = sim_time_now();
    for (unsigned i = 0; i < CARD_SLOTS; i++) {
        struct card_slot *slot = &machine.card.slot[i];
        struct hal_block_request *request = slot->request;
        if (!request || slot->done_at > now)
            continue;
        slot->request = NULL;
        finish(request, slot->fault);
    }
    serve();
}

static long submit_work(void *argument)
{
    struct hal_block_request *request = argument;
    struct card_queue *card = &machine.card;
    if (!card->probed)
        return -ENOMEDIUM;
    int error = check(request, card->sectors);
    if (error)
        return error;
    card->requests++;
    uint64_t sector = request->op == HAL_BLOCK_FLUSH ? 0 : request->sector;
    sim_trace_event(TB_EVENT_BLOCK, sector, request_sectors(request));
    if (machine.real) {
        finish(request, take_fault(card));
        return 0;
    }
    request->next = NULL;
    *card->waiting_tail = request;
    card->waiting_tail = &request->next;
    serve();
    sim_time_plan();
    return 0;
}

static long completed_work(void *argument)
{
    struct hal_block_request **out = argument;
    struct card_queue *card = &machine.card;
    *out = card->done;
    if (*out) {
        card->done = (*out)->next;
        if (!card->done)
            card->done_tail = &card->done;
    }
    return 0;
}

static long probe_work(void *argument)
{
    static const char name[] = "Tayberry simulated card";
    struct hal_block_info *info = argument;
    const struct host_card *host = outside_card();
    machine.card.probed = host != NULL;
    if (!host)
        return -ENOMEDIUM;
    machine.card.sectors = host->sectors;
    *info = (struct hal_block_info){.sectors = host->sectors, .read_only = host->read_only};
    memcpy(info->description, name, sizeof name);
    return 0;
}

/* ---- the contract ---- */

int hal_block_probe(struct hal_block_info *info)
{
    return (int)sim_cpu_host(probe_work, info, COST_CARD_BASE);
}

int hal_block_submit(struct hal_block_request *request)
{
    return (int)sim_cpu_host(submit_work, request, COST_DEVICE);
}

struct hal_block_request *hal_block_completed(void)
{
    struct hal_block_request *request = NULL;
    (void)sim_cpu_host(completed_work, &request, COST_DEVICE);
    return request;
}
