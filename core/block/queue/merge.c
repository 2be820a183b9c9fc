/* SPDX-License-Identifier: MIT */
/*
 * merge.c: requests whose sectors follow each other become one.
 *
 * A request to a card costs much by itself and little for each sector, so neighbours go together:
 *
 *     queue:    |AAAA|                |CCCC|
 *     new:           |BBBB|                          behind A: B follows A
 *     new:                       |BBBB|              before C: B leads, C follows
 *     new:           |BBBBBBBBBBBBBBBB|              both: B and C follow A
 *
 * The leader is in the queue; the others hang on it in the order of their sectors, and all end
 * together. The row keeps the place in time of its oldest. If the row fails as a whole it is taken
 * apart and each of its requests begun alone, so that an error meets only whose it is.
 */
#include "block/queue/queue.h"

bool queue_conflicts(const struct block_request *request, const struct block_request *other)
{
    if (request->op == BLOCK_READ && other->op == BLOCK_READ)
        return false;
    return request->at < other->at + other->all_sectors &&
           other->at < request->at + request->all_sectors;
}

static bool may_merge(const struct block_request *request)
{
    return request->op != BLOCK_FLUSH &&
           !(request->flags & (BLOCK_BARRIER | BLOCK_FUA | BLOCK_ALONE));
}

/** True if `second` can go right behind `first`. */
static bool fit(const struct block_disk *disk, const struct block_request *first,
                const struct block_request *second)
{
    return may_merge(first) && may_merge(second) && first->op == second->op &&
           first->at + first->all_sectors == second->at &&
           first->all_sectors + second->all_sectors <= disk->limits.sectors &&
           first->all_vectors + second->all_vectors <= disk->limits.vectors;
}

/** `second` and its row follow `first` from now on. */
static void append(struct block_disk *disk, struct block_request *first,
                   struct block_request *second)
{
    struct list *link;

    stats_merged(disk, second);
    first->all_sectors += second->all_sectors;
    first->all_vectors += second->all_vectors;
    list_add_tail(&first->followers, &second->link);
    while ((link = list_take_head(&second->followers)) != NULL)
        list_add_tail(&first->followers, link);
    second->all_sectors = second->sectors;
    second->all_vectors = second->vector_count;
}

/** Two that are both in the queue. */
static void join(struct block_disk *disk, struct block_request *first, struct block_request *second)
{
    if (elevator_is_older(second, first)) {
        elevator_remove(&disk->queue, first);
        elevator_replace(&disk->queue, second, first);
    } else {
        elevator_remove(&disk->queue, second);
    }
    append(disk, first, second);
}

/** The request in the queue that ends where `request` begins, if they fit. */
static struct block_request *find_before(struct block_disk *disk,
                                         const struct block_request *request)
{
    struct block_request *before = elevator_below(&disk->queue, request->at);

    return before && fit(disk, before, request) ? before : NULL;
}

static struct block_request *find_behind(struct block_disk *disk,
                                         const struct block_request *request)
{
    struct block_request *behind = elevator_from(&disk->queue, request->at + request->all_sectors);

    return behind && fit(disk, request, behind) ? behind : NULL;
}

bool queue_merge(struct block_disk *disk, struct block_request *request)
{
    struct block_request *before = find_before(disk, request), *behind;

    if (before) {
        append(disk, before, request);
        request->state = REQUEST_QUEUED;
        behind = find_behind(disk, before);
        if (behind)
            join(disk, before, behind);
        return true;
    }
    behind = find_behind(disk, request);
    if (!behind)
        return false;
    elevator_replace(&disk->queue, behind, request);
    append(disk, request, behind);
    request->state = REQUEST_QUEUED;
    return true;
}

struct block_request *queue_part(struct block_request *request)
{
    struct list *link = list_take_head(&request->followers);
    struct block_request *part = link ? list_entry(link, struct block_request, link) : NULL;

    request->all_sectors = request->sectors;
    request->all_vectors = request->vector_count;
    return part;
}

struct block_request *block_next_merged(const struct block_request *first,
                                        struct block_request *request)
{
    const struct list *link = request == first ? first->followers.next : request->link.next;

    return link == &first->followers
               ? NULL
               : list_entry((struct list *)(uintptr_t)link, struct block_request, link);
}
