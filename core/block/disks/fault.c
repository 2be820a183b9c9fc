/* SPDX-License-Identifier: MIT */
/*
 * fault.c: see fault.h. A request that is passed on needs a request of the device below; there are
 * as many as the disk takes at a time, each with its timer:
 *
 *     FREE -> DELAYED -> PASSED (below has it) -> FREE       LOST -> FREE by the deadline
 *
 * All of it is guarded by the lock of this disk, which is never held while the one below is called.
 */
#include "block/disks/fault.h"

#include "block/disk.h"
#include "heap/heap.h"
#include "lib/format.h"

#include <hal/errno.h>
#include <hal/time.h>

#define DEPTH 4u

struct fault_slot {
    enum { SLOT_FREE, SLOT_DELAYED, SLOT_PASSED, SLOT_LOST } state;
    struct block_request *upper;
    struct block_request below;
    struct block_vector vectors[BLOCK_VECTORS_MAX];
    int error;  /**< it ends so, if what is passed on succeeds */
    bool empty; /**< nothing of it is passed on */
    uint64_t due;
    struct ktimer timer;
    struct fault_disk *owner;
};

struct fault_disk {
    struct block_disk disk;
    const struct block_device *below;
    struct seek_model model;
    bool seeks;
    uint64_t arm; /**< where the arm is */
    struct fault_rule rules[FAULT_RULES_MAX];
    unsigned rule_count;
    uint64_t met;
    struct fault_slot slots[DEPTH];
};

/* ---- rules. Caller holds the lock ---- */

static bool fits(const struct fault_rule *rule, const struct block_request *request)
{
    if (!(rule->ops & 1u << request->step))
        return false;
    return request->step == BLOCK_FLUSH ||
           (request->at <= rule->last && rule->first < request->at + request->all_sectors);
}

/** The rule that meets `request`, or NULL; counts. */
static const struct fault_rule *judge(struct fault_disk *fault, const struct block_request *request)
{
    for (unsigned i = 0; i < fault->rule_count; i++) {
        struct fault_rule *rule = &fault->rules[i];

        if (rule->ops == 0 || !fits(rule, request))
            continue;
        if (rule->skip > 0) {
            rule->skip--;
            continue;
        }
        fault->met++;
        if (rule->count > 0 && --rule->count == 0)
            rule->ops = 0; /* that was its last one */
        return rule;
    }
    return NULL;
}

/* ---- passing on ---- */

/** What of the row is passed on: the first `most` sectors. */
static void fill_vectors(struct fault_slot *slot, uint32_t most)
{
    struct block_request *part = slot->upper;
    unsigned used = 0;

    for (; part && most > 0; part = block_next_merged(slot->upper, part))
        for (unsigned i = 0; i < part->vector_count && most > 0; i++) {
            struct block_vector vector = part->vectors[i];

            if (vector.sectors > most)
                vector.sectors = most;
            most -= vector.sectors;
            slot->vectors[used++] = vector;
        }
    slot->below.vector_count = used;
}

static void below_done(struct block_request *request, int error);

static void fill(struct fault_slot *slot, uint32_t most)
{
    const struct block_request *upper = slot->upper;

    slot->below = (struct block_request){
        .device = slot->owner->below,
        .op = upper->step,
        .flags = BLOCK_SYNC,
        .sector = upper->at,
        .vectors = slot->vectors,
        .done = below_done,
        .context = slot,
    };
    if (upper->step != BLOCK_FLUSH)
        fill_vectors(slot, most);
}

static void give_back(struct fault_slot *slot, int error)
{
    struct block_disk *disk = &slot->owner->disk;
    hal_irq_state_t state = spinlock_acquire(&disk->lock);
    struct block_request *upper = slot->upper;

    if (!error)
        error = slot->error;
    slot->state = SLOT_FREE;
    spinlock_release(&disk->lock, state);
    block_end(upper, error);
}

static void below_done(struct block_request *request, int error)
{
    give_back(request->context, error);
}

/** Passes on what was delayed, if it still is. */
static void pass(struct fault_slot *slot)
{
    struct block_disk *disk = &slot->owner->disk;
    hal_irq_state_t state = spinlock_acquire(&disk->lock);
    bool mine = slot->state == SLOT_DELAYED && slot->due <= hal_time_now();
    bool empty = slot->empty; /* once it is submitted the slot may be another request's */
    int error;

    if (mine)
        slot->state = SLOT_PASSED;
    spinlock_release(&disk->lock, state);
    if (!mine)
        return;
    error = empty ? 0 : block_submit(&slot->below);
    if (error || empty)
        give_back(slot, error);
}

static void timer_rings(struct ktimer *timer)
{
    pass(list_entry(timer, struct fault_slot, timer));
}

/* ---- the driver ---- */

static struct fault_slot *take_slot(struct fault_disk *fault, struct block_request *request)
{
    struct fault_slot *slot = fault->slots;

    while (slot->state != SLOT_FREE)
        slot++;
    slot->upper = request;
    slot->error = 0;
    slot->empty = false;
    slot->due = hal_time_now();
    slot->state = SLOT_DELAYED;
    return slot;
}

static void move_arm(struct fault_disk *fault, struct fault_slot *slot)
{
    const struct block_request *request = slot->upper;

    if (!fault->seeks || request->step == BLOCK_FLUSH)
        return;
    slot->due +=
        seek_service(&fault->model, slot->due, fault->arm, request->at, request->all_sectors);
    fault->arm = request->at + request->all_sectors;
}

/** What the rule makes of the request. Caller holds the lock. */
static void apply(const struct fault_rule *rule, struct fault_slot *slot)
{
    uint32_t all = slot->upper->all_sectors;
    uint32_t keep = rule->keep && rule->keep < all ? rule->keep : all / 2;

    slot->due += rule->ns;
    slot->empty = rule->kind == FAULT_FAIL || rule->kind == FAULT_DROP;
    if (rule->kind == FAULT_FAIL || rule->kind == FAULT_TEAR)
        slot->error = rule->error ? rule->error : -EIO;
    if (rule->kind == FAULT_LOSE)
        slot->state = SLOT_LOST;
    else if (rule->kind == FAULT_TEAR)
        slot->empty = keep == 0;
    if (!slot->empty)
        fill(slot, rule->kind == FAULT_TEAR ? keep : all);
}

static int start(struct block_disk *disk, struct block_request *request)
{
    struct fault_disk *fault = disk->context;
    hal_irq_state_t state = spinlock_acquire(&disk->lock);
    const struct fault_rule *rule = judge(fault, request);
    struct fault_slot *slot = take_slot(fault, request);
    bool later;

    move_arm(fault, slot);
    if (rule)
        apply(rule, slot);
    else
        fill(slot, request->all_sectors);
    later = slot->state == SLOT_DELAYED && slot->due > hal_time_now();
    if (later)
        ktimer_arm(&slot->timer, slot->due);
    spinlock_release(&disk->lock, state);
    if (!later)
        pass(slot);
    return 0;
}

static void poll(struct block_disk *disk)
{
    struct fault_disk *fault = disk->context;

    block_poll(fault->below->disk);
    for (unsigned i = 0; i < DEPTH; i++)
        pass(&fault->slots[i]);
}

/* The timer of a slot that is free again may still ring: then it finds nothing to pass on. */
static bool abort(struct block_disk *disk, struct block_request *request)
{
    struct fault_disk *fault = disk->context;

    for (unsigned i = 0; i < DEPTH; i++) {
        struct fault_slot *slot = &fault->slots[i];

        if (slot->upper == request && (slot->state == SLOT_LOST || slot->state == SLOT_DELAYED)) {
            slot->state = SLOT_FREE;
            return true;
        }
    }
    return false;
}

static void remove(struct block_disk *disk)
{
    struct fault_disk *fault = disk->context;

    for (unsigned i = 0; i < DEPTH; i++)
        (void)ktimer_cancel(&fault->slots[i].timer);
    block_close(fault->below);
    kfree(fault);
}

static const struct block_driver drivers[] = {
    {.kind = "fault", .start = start, .poll = poll, .abort = abort, .remove = remove},
    {.kind = "seek", .start = start, .poll = poll, .abort = abort, .remove = remove},
};

/* ---- making one ---- */

static int make_known(struct fault_disk *fault)
{
    char name[BLOCK_NAME_MAX + 1];
    int error = -EEXIST;

    for (unsigned i = 0; i < 10 && error == -EEXIST; i++) {
        format_text(name, sizeof(name), "%s%u", fault->disk.driver->kind, i);
        error = block_disk_add(&fault->disk, name, fault->below->sectors, fault->below->read_only);
    }
    return error;
}

static void prepare(struct fault_disk *fault, const struct seek_model *model, unsigned retries,
                    uint64_t timeout)
{
    fault->seeks = model != NULL;
    if (model)
        fault->model = *model;
    fault->disk.driver = &drivers[fault->seeks];
    fault->disk.context = fault;
    fault->disk.limits = fault->below->disk->limits; /* what it is passed on to takes no more */
    fault->disk.limits.depth = fault->seeks ? 1 : DEPTH;
    fault->disk.limits.retries = retries;
    fault->disk.limits.timeout = timeout;
    for (unsigned i = 0; i < DEPTH; i++) {
        fault->slots[i].owner = fault;
        ktimer_init(&fault->slots[i].timer, timer_rings);
    }
}

int block_fault_create(const char *name, const struct seek_model *model, unsigned retries,
                       uint64_t timeout, const struct block_device **device)
{
    struct fault_disk *fault =
        heap_allocate_zeros(1, sizeof(*fault), ALLOC_SITE_FOR(ALLOC_PERMANENT));
    int error = fault ? block_open(name, &fault->below) : -ENOMEM;

    if (error)
        goto out_free;
    prepare(fault, model, retries, timeout);
    error = make_known(fault);
    if (!error) {
        *device = &fault->disk.device;
        return 0;
    }
    block_close(fault->below);
out_free:
    kfree(fault);
    return error;
}

static struct fault_disk *fault_of(const struct block_device *device)
{
    struct block_disk *disk = device->disk;

    return disk && disk->driver->start == start ? disk->context : NULL;
}

int block_fault_add(const struct block_device *device, const struct fault_rule *rule)
{
    struct fault_disk *fault = fault_of(device);
    hal_irq_state_t state;
    int error = -ENOSPC;

    if (!fault)
        return -EINVAL;
    state = spinlock_acquire(&fault->disk.lock);
    for (unsigned i = 0; i < FAULT_RULES_MAX && error; i++)
        if (i == fault->rule_count || fault->rules[i].ops == 0) {
            fault->rules[i] = *rule;
            fault->rule_count += i == fault->rule_count;
            error = 0;
        }
    spinlock_release(&fault->disk.lock, state);
    return error;
}

void block_fault_clear(const struct block_device *device)
{
    struct fault_disk *fault = fault_of(device);
    hal_irq_state_t state;

    if (!fault)
        return;
    state = spinlock_acquire(&fault->disk.lock);
    fault->rule_count = 0;
    spinlock_release(&fault->disk.lock, state);
}

uint64_t block_fault_met(const struct block_device *device)
{
    struct fault_disk *fault = fault_of(device);
    hal_irq_state_t state;
    uint64_t met;

    if (!fault)
        return 0;
    state = spinlock_acquire(&fault->disk.lock);
    met = fault->met;
    spinlock_release(&fault->disk.lock, state);
    return met;
}
