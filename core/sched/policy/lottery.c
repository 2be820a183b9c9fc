/* SPDX-License-Identifier: MIT */
/*
 * lottery.c: proportional shares by chance.
 *
 * Everybody holds tickets, as many as its nice level weighs. Each quantum goes to the holder of a
 * ticket that is drawn at random. So the chance to be next is the share of the tickets; nobody with
 * a ticket can starve (to lose n draws with a share of p has the chance (1 - p)^n, which dies out
 * fast); and nothing has to be remembered of the past. In n draws with a share of p one wins
 * n p times, give or take the square root of n p (1 - p): the error grows, but more and more slowly
 * than what it is an error of.
 *
 * To find the holder of a ticket in O(log n) steps, who waits stands in a binary tree without gaps:
 * number 1 is the root, and number i hangs below number i / 2. So the bits of i behind the first
 * say the way to it, 0 left and 1 right, and n entities make a tree of log2(n) levels with no need
 * for balancing. Each node knows its own tickets and how many there are on its left, so that a draw
 * looks at those on its way only:
 *
 *             1: A, 2 (5)            ticket 6: not on the left of A, where there are 0 .. 4; of A's
 *            /           \                     own, 5 and 6: yes. A wins.
 *       2: B, 1 (4)   3: C, 3 (0)    ticket 4: left; at B: not on its left (0 .. 3); B's own is the
 *       /                                      next one, 4. B wins.
 *    4: D, 4 (0)
 *
 * A new one becomes the last number. When one leaves from the middle, the last one takes its place.
 *
 * Who yields stays out of the next draw: it stands aside, and then takes the place of the winner.
 *
 * Invariant: numbers 1 .. n are taken and no others, n being all that are ready but who stands
 * aside; each node's `tickets` are those of all on its left, `pass` its own.
 *
 * By Waldspurger and Weihl (1994), who could also lend tickets to a server and inflate those of who
 * gives way early; neither is here. The random numbers come from a state in the queue (xorshift, by
 * Marsaglia): the same seed draws the same winners.
 */
#include "sched/policy/common.h"

#define RANDOM_START UINT64_C(0x9e3779b97f4a7c15) /* any but 0, of which it could make only 0 */

static struct sched_entity *entity_of(const struct tree_node *node)
{
    return tree_entry(node, struct sched_entity, node);
}

/* `node` and all below it have got `tickets` more: tells those that it is on the left of. */
static void count_up(const struct tree_node *node, uint64_t tickets)
{
    if (tickets == 0)
        return;
    for (const struct tree_node *parent; (parent = node->parent); node = parent)
        if (parent->child[0] == node)
            entity_of(parent)->tickets += tickets;
}

/* How many stand in the tree: who has just yielded does not. */
static unsigned standing(const struct sched_queue *queue)
{
    return queue->ready - (queue->yielded != NULL);
}

/* Where the pointer to number `i` is or will be; and its parent. */
static struct tree_node **slot_of(struct sched_queue *queue, unsigned i, struct tree_node **parent)
{
    struct tree_node **slot = &queue->tree.root;
    unsigned bit = 31u - (unsigned)__builtin_clz(i);

    *parent = NULL;
    while (bit-- > 0) {
        *parent = *slot;
        slot = &(*slot)->child[i >> bit & 1u];
    }
    return slot;
}

/* Adds the entity, which is counted already, as the last number. */
static void hang(struct sched_queue *queue, struct sched_entity *entity)
{
    struct tree_node *parent, **slot = slot_of(queue, standing(queue), &parent);

    entity->node = (struct tree_node){.parent = parent, .height = 1};
    entity->tickets = 0;
    *slot = &entity->node;
    count_up(&entity->node, entity->pass);
}

/* Takes out the last number. */
static struct sched_entity *take_last(struct sched_queue *queue)
{
    struct tree_node *parent, **slot = slot_of(queue, standing(queue), &parent);
    struct sched_entity *last = entity_of(*slot);

    count_up(*slot, 0 - last->pass);
    *slot = NULL;
    return last;
}

/* Puts `heir`, which is nowhere, in the place of `entity`. */
static void replace(struct sched_queue *queue, struct sched_entity *entity,
                    struct sched_entity *heir)
{
    tree_replace(&queue->tree, &entity->node, &heir->node);
    heir->tickets = entity->tickets;
    count_up(&heir->node, heir->pass - entity->pass);
}

static void lottery_init(struct sched_queue *queue)
{
    policy_init_queue(queue, POLICY_QUANTUM, 1);
    if (queue->random == 0)
        queue->random = RANDOM_START;
}

static void lottery_add(struct sched_queue *queue, struct sched_entity *entity, enum sched_why why,
                        uint64_t now)
{
    (void)now;
    why = policy_enter(queue, entity, why);
    entity->pass = policy_usual_weight(entity->nice);
    if (why == SCHED_YIELDED) { /* it stands aside, and who did so before it does no longer */
        struct sched_entity *before = queue->yielded;

        queue->yielded = entity;
        entity = before;
    }
    if (entity)
        hang(queue, entity);
}

static void lottery_remove(struct sched_queue *queue, struct sched_entity *entity)
{
    if (queue->yielded == entity) {
        queue->yielded = NULL;
    } else {
        struct sched_entity *last = take_last(queue);

        if (last != entity)
            replace(queue, entity, last);
        tree_node_init(&entity->node);
    }
    policy_leave(queue, entity);
}

/* A random number. Each state but 0 comes once before any comes again. */
static uint64_t next_random(struct sched_queue *queue)
{
    queue->random ^= queue->random >> 12;
    queue->random ^= queue->random << 25;
    queue->random ^= queue->random >> 27;
    return queue->random * UINT64_C(0x2545f4914f6cdd1d);
}

/* The holder of a ticket; there are more than `ticket` in the tree. */
static struct sched_entity *holder(const struct sched_queue *queue, uint64_t ticket)
{
    const struct tree_node *node = queue->tree.root;

    for (;;) {
        struct sched_entity *entity = entity_of(node);

        if (ticket < entity->tickets) {
            node = node->child[0];
            continue;
        }
        ticket -= entity->tickets;
        if (ticket < entity->pass)
            return entity;
        ticket -= entity->pass;
        node = node->child[1];
    }
}

/* Who stood aside takes the winner's place: with as many tickets, nobody above has to know. */
static struct sched_entity *lottery_steal(struct sched_queue *queue)
{
    struct sched_entity *aside = queue->yielded, *winner;

    if (queue->ready == 0)
        return NULL;
    if (standing(queue) == 0)
        winner = aside;
    else
        winner = holder(queue, next_random(queue) % (queue->weight - (aside ? aside->pass : 0)));
    if (!aside || winner == aside) {
        lottery_remove(queue, winner);
        return winner;
    }
    replace(queue, winner, aside);
    queue->yielded = NULL;
    policy_leave(queue, winner);
    return winner;
}

static struct sched_entity *lottery_take(struct sched_queue *queue, uint64_t now)
{
    struct sched_entity *entity = lottery_steal(queue);

    (void)now;
    if (entity)
        policy_begin(entity);
    return entity;
}

const struct sched_policy policy_lottery = {
    .name = "lottery",
    .summary = "shares by weight, by drawing tickets at random",
    .goes_by = SCHED_BY_NICE,
    .init = lottery_init,
    .add = lottery_add,
    .remove = lottery_remove,
    .take = lottery_take,
    .slice = policy_slice_quantum,
    .charge = policy_charge_nothing,
    .preempts = policy_preempts_never,
    .steal = lottery_steal,
};
