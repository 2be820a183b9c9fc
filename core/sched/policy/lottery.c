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
 * for balancing. Each node knows the tickets of itself and of all below:
 *
 *                1: A, 2 of 10               ticket 6: not left of 1, where there are 0 .. 4;
 *               /            \                         not A's own, 5 and 6: yes, it is. A wins.
 *        2: B, 1 of 5     3: C, 3 of 3       ticket 4: left; at B: not on its left (0 .. 3);
 *       /                                              B's own is the next one, 4. B wins.
 *    4: D, 4 of 4
 *
 * A new one becomes the last number. When one leaves from the middle, the last one takes its place.
 *
 * Invariant: numbers 1 .. ready are taken and no others; each node's sum is its own tickets and its
 * children's sums; the root's is queue->weight.
 *
 * By Waldspurger and Weihl (1994), who could also lend tickets to a server and inflate those of who
 * gives way early; neither is here. The random numbers come from a state in the queue (xorshift, by
 * Marsaglia): the same seed draws the same winners. Who yields stays out of the next draw, if there
 * is anybody else.
 */
#include "sched/policy/common.h"

#define RANDOM_START UINT64_C(0x9e3779b97f4a7c15) /* any but 0, of which it could make only 0 */

static struct sched_entity *entity_of(const struct tree_node *node)
{
    return tree_entry(node, struct sched_entity, node);
}

/* The tickets of all from `node` down; NULL: none. */
static uint64_t tickets_at(const struct tree_node *node)
{
    return node ? entity_of(node)->tickets : 0;
}

/* Counts anew from `node` up to the root. */
static void count_up(struct tree_node *node)
{
    for (; node; node = node->parent)
        entity_of(node)->tickets = policy_weight(entity_of(node)->nice) +
                                   tickets_at(node->child[0]) + tickets_at(node->child[1]);
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
    struct tree_node *parent, **slot = slot_of(queue, queue->ready, &parent);

    entity->node = (struct tree_node){.parent = parent, .height = 1};
    *slot = &entity->node;
    count_up(&entity->node);
}

/* Puts `heir`, which is nowhere, in the place of `node`. */
static void replace(struct sched_queue *queue, const struct tree_node *node, struct tree_node *heir)
{
    *heir = *node;
    if (!node->parent)
        queue->tree.root = heir;
    else
        node->parent->child[node->parent->child[1] == node] = heir;
    for (unsigned side = 0; side < 2; side++) {
        if (heir->child[side])
            heir->child[side]->parent = heir;
    }
    count_up(heir);
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
    if (policy_enter(queue, entity, why) == SCHED_YIELDED)
        queue->yielded = entity;
    hang(queue, entity);
}

static void lottery_remove(struct sched_queue *queue, struct sched_entity *entity)
{
    struct tree_node *parent, **slot = slot_of(queue, queue->ready, &parent);
    struct tree_node *last = *slot;

    *slot = NULL;
    count_up(parent);
    if (last != &entity->node)
        replace(queue, &entity->node, last);
    tree_node_init(&entity->node);
    policy_leave(queue, entity);
    if (queue->yielded == entity)
        queue->yielded = NULL;
}

/* A random number. Each state but 0 comes once before any comes again. */
static uint64_t next_random(struct sched_queue *queue)
{
    queue->random ^= queue->random >> 12;
    queue->random ^= queue->random << 25;
    queue->random ^= queue->random >> 27;
    return queue->random * UINT64_C(0x2545f4914f6cdd1d);
}

/* The holder of a ticket; there are more than `ticket`. */
static struct sched_entity *holder(const struct sched_queue *queue, uint64_t ticket)
{
    struct tree_node *node = queue->tree.root;

    for (;;) {
        uint64_t left = tickets_at(node->child[0]), own = policy_weight(entity_of(node)->nice);

        if (ticket < left) {
            node = node->child[0];
        } else if (ticket - left < own) {
            return entity_of(node);
        } else {
            ticket -= left + own;
            node = node->child[1];
        }
    }
}

static struct sched_entity *lottery_steal(struct sched_queue *queue)
{
    struct sched_entity *aside = queue->ready > 1 ? queue->yielded : NULL;
    struct sched_entity *winner;

    queue->yielded = NULL;
    if (queue->ready == 0)
        return NULL;
    if (aside)
        lottery_remove(queue, aside);
    winner = holder(queue, next_random(queue) % queue->weight);
    lottery_remove(queue, winner);
    if (aside)
        lottery_add(queue, aside, SCHED_PREEMPTED, 0);
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
