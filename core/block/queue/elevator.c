/* SPDX-License-Identifier: MIT */
/*
 * elevator.c: the kinds of elevators, and the bound that all of them keep.
 *
 * How often a request has been passed need not be counted for each. A request that is passed is
 * passed by something younger, which passes all that are still older, too; so of all in the queue,
 * the oldest has been passed most, and the bound holds for all when it holds for the oldest. With
 * tickets (a request's is the number of those queued before it, ever) that one is easy: of the
 * `taken` requests that have left, `ticket` were older than it, because none of these is left, and
 * the others have passed it:
 *
 *     tickets that left: 0 1 2 5 7 8     queue: 3 4 6 9     taken 6; 3 was passed by 6 - 3 = 3
 *
 * A request that leaves otherwise, merged or late, counts as one that was taken: that makes it at
 * worst a step too early that the oldest has its turn.
 */
#include "block/queue/elevator.h"

#include "block/request.h"
#include "lib/string.h"

static struct block_request *of_node(struct tree_node *node)
{
    return node ? tree_entry(node, struct block_request, node) : NULL;
}

static struct block_request *oldest(const struct elevator *elevator)
{
    return list_entry(elevator->arrivals.next, struct block_request, link);
}

static int compare_sector(const void *key, const struct tree_node *node)
{
    const uint64_t *sector = key;
    uint64_t other = tree_entry(node, const struct block_request, node)->at;

    return *sector < other ? -1 : *sector > other;
}

/* ---- the kinds ---- */

static struct block_request *pick_fifo(struct elevator *elevator, uint64_t head)
{
    (void)head;
    return oldest(elevator);
}

static struct block_request *pick_nearest(struct elevator *elevator, uint64_t head)
{
    struct block_request *up = elevator_from(elevator, head),
                         *down = elevator_below(elevator, head);

    if (!up || !down)
        return up ? up : down;
    return up->at - head <= head - down->at ? up : down;
}

static struct block_request *pick_onwards(struct elevator *elevator, uint64_t head)
{
    struct block_request *up = elevator_from(elevator, head),
                         *down = elevator_below(elevator, head);

    if (elevator->downwards ? !down : !up)
        elevator->downwards = !elevator->downwards;
    return elevator->downwards ? down : up;
}

static struct block_request *pick_upwards(struct elevator *elevator, uint64_t head)
{
    struct block_request *up = elevator_from(elevator, head);

    return up ? up : of_node(tree_first(&elevator->sorted));
}

static const struct elevator_kind kinds[] = {
    {"fifo", "the one that came first", pick_fifo},
    {"sstf", "the nearest", pick_nearest},
    {"look", "onwards as long as there are any, then back", pick_onwards},
    {"clook", "upwards, then from the lowest again", pick_upwards},
};

const struct elevator_kind *elevator_at(unsigned index)
{
    return index < sizeof(kinds) / sizeof(kinds[0]) ? &kinds[index] : NULL;
}

const struct elevator_kind *elevator_find(const char *name)
{
    const struct elevator_kind *kind;

    for (unsigned i = 0; (kind = elevator_at(i)) != NULL; i++)
        if (string_equal(kind->name, name))
            break;
    return kind;
}

/* ---- the queue ---- */

void elevator_init(struct elevator *elevator, const struct elevator_kind *kind, unsigned bound)
{
    *elevator = (struct elevator){.kind = kind, .bound = bound};
    tree_init(&elevator->sorted);
    list_init(&elevator->arrivals);
}

static void insert_sorted(struct elevator *elevator, struct block_request *request)
{
    tree_insert(&elevator->sorted, &request->node, &request->at, compare_sector);
    elevator->count++;
}

void elevator_add(struct elevator *elevator, struct block_request *request)
{
    request->ticket = elevator->taken + elevator->count;
    insert_sorted(elevator, request);
    list_add_tail(&elevator->arrivals, &request->link);
}

void elevator_remove(struct elevator *elevator, struct block_request *request)
{
    tree_remove(&elevator->sorted, &request->node);
    list_remove(&request->link);
    elevator->count--;
    elevator->taken++;
}

void elevator_replace(struct elevator *elevator, struct block_request *request,
                      struct block_request *heir)
{
    list_insert_before(&heir->link, &request->link);
    heir->ticket = request->ticket;
    elevator_remove(elevator, request);
    elevator->taken--;
    insert_sorted(elevator, heir);
}

struct block_request *elevator_take(struct elevator *elevator, uint64_t head)
{
    struct block_request *request, *first;

    if (elevator->count == 0)
        return NULL;
    first = oldest(elevator);
    request = elevator->kind->pick(elevator, head);
    if (request != first && elevator->taken - first->ticket >= elevator->bound) {
        request = first;
        elevator->hurried++;
    }
    elevator_remove(elevator, request);
    return request;
}

struct block_request *elevator_from(const struct elevator *elevator, uint64_t at)
{
    return of_node(tree_lower_bound(&elevator->sorted, &at, compare_sector));
}

struct block_request *elevator_below(const struct elevator *elevator, uint64_t at)
{
    struct tree_node *node = tree_lower_bound(&elevator->sorted, &at, compare_sector);

    return of_node(node ? tree_previous(node) : tree_last(&elevator->sorted));
}

struct block_request *elevator_behind(const struct block_request *request)
{
    return of_node(tree_next(&request->node));
}

bool elevator_is_older(const struct block_request *a, const struct block_request *b)
{
    return a->ticket < b->ticket;
}
