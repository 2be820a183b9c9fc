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
 * When very many wait, the winner would be in no cache, and neither would the way to it. So those
 * who find no room form pools, as people who play do: a pool has the tickets of all its members,
 * who are of one nice level, and its wins go to them in turn. A share is the same as without; only
 * chance has less of a say in it. And who is next in each pool is known, so that it can be fetched
 * from memory in time (foresee).
 *
 *     row 0: 9 tickets     pool 0: A          2     ticket 6: not in row 0's pool 0 (0 .. 1), nor
 *                          pool 1: B <- F     4     in pool 1 (2 .. 5), so in pool 2. C wins; then
 *                          pool 2: C <- G     3     G is the first of pool 2.
 *     row 1: 4 tickets     pool 8: ...
 *
 * There are 64 pools that anybody may begin who comes while one is empty, so with up to 64
 * everybody plays alone. Later ones join one of those, each time the next, if it is of their level,
 * and else that which their level always has. To find the pool of a ticket takes 13 steps for the
 * row and 8 in it at most, however many wait.
 *
 * Who yields stays out of the next draw: it stands aside, and then takes the place of the winner.
 *
 * Invariant: all that are ready but who stands aside are in pools; the tickets of a pool are its
 * members', those of a row its pools'; a pool is vacant if it is one of the 64 and empty.
 *
 * By Waldspurger and Weihl (1994), who could also lend tickets to a server and inflate those of who
 * gives way early; neither is here. The random numbers come from a state in the queue (xorshift, by
 * Marsaglia): the same seed draws the same winners.
 */
#include "sched/policy/common.h"

#define RANDOM_START UINT64_C(0x9e3779b97f4a7c15) /* any but 0, of which it could make only 0 */
#define ROW SCHED_POOL_ROW

static void lottery_init(struct sched_queue *queue)
{
    policy_init_queue(queue, POLICY_QUANTUM, 1);
    if (queue->random == 0)
        queue->random = RANDOM_START;
    for (unsigned i = 0; i < SCHED_POOLS; i++) {
        list_init(&queue->pools[i]);
        queue->pool_tickets[i] = 0;
    }
    for (unsigned i = 0; i < SCHED_POOLS / ROW; i++)
        queue->row_tickets[i] = 0;
    queue->vacant = UINT64_MAX;
    queue->drawn = 0;
    queue->joined = 0;
}

/* ---- pools ---- */

static struct sched_entity *first_of(const struct sched_queue *queue, unsigned pool)
{
    const struct list *head = &queue->pools[pool];

    return list_empty(head) ? NULL : list_entry(head->next, struct sched_entity, link);
}

/* The pool that its nice level always has. */
static unsigned pool_of_level(const struct sched_entity *entity)
{
    int nice = entity->nice;

    nice = nice < SCHED_NICE_MIN ? SCHED_NICE_MIN : nice > SCHED_NICE_MAX ? SCHED_NICE_MAX : nice;
    return SCHED_POOLS_FREE + (unsigned)(nice - SCHED_NICE_MIN);
}

static void count_tickets(struct sched_queue *queue, unsigned pool, uint64_t tickets)
{
    queue->pool_tickets[pool] += tickets;
    queue->row_tickets[pool / ROW] += tickets;
}

/* Where it shall play. */
static unsigned choose_pool(struct sched_queue *queue, const struct sched_entity *entity)
{
    unsigned pool;

    if (queue->vacant)
        return (unsigned)__builtin_ctzll(queue->vacant);
    pool = queue->joined = (queue->joined + 1) % SCHED_POOLS_FREE;
    if (pool_of_level(first_of(queue, pool)) == pool_of_level(entity))
        return pool;
    return pool_of_level(entity);
}

static void join(struct sched_queue *queue, struct sched_entity *entity)
{
    unsigned pool = choose_pool(queue, entity);

    entity->level = pool;
    list_add_tail(&queue->pools[pool], &entity->link);
    count_tickets(queue, pool, policy_usual_weight(entity->nice));
    if (pool < SCHED_POOLS_FREE)
        queue->vacant &= ~(UINT64_C(1) << pool);
}

static void leave(struct sched_queue *queue, struct sched_entity *entity)
{
    unsigned pool = entity->level;

    list_remove(&entity->link);
    count_tickets(queue, pool, 0 - policy_usual_weight(entity->nice));
    if (pool < SCHED_POOLS_FREE && list_empty(&queue->pools[pool]))
        queue->vacant |= UINT64_C(1) << pool;
}

/* Has `heir`, which is in no pool, play instead of `entity`. */
static void replace(struct sched_queue *queue, struct sched_entity *entity,
                    struct sched_entity *heir)
{
    if (pool_of_level(heir) != pool_of_level(entity)) {
        leave(queue, entity);
        join(queue, heir);
        return;
    }
    heir->level = entity->level; /* and its tickets are those of the pool before */
    list_remove(&entity->link);
    list_add_tail(&queue->pools[heir->level], &heir->link);
}

/* ---- the draw ---- */

/* A random number. Each state but 0 comes once before any comes again. */
static uint64_t next_random(struct sched_queue *queue)
{
    queue->random ^= queue->random >> 12;
    queue->random ^= queue->random << 25;
    queue->random ^= queue->random >> 27;
    return queue->random * UINT64_C(0x2545f4914f6cdd1d);
}

/* The pool of a ticket; there are more than `ticket` in all pools. */
static unsigned holder(const struct sched_queue *queue, uint64_t ticket)
{
    unsigned row = 0, pool;

    while (ticket >= queue->row_tickets[row])
        ticket -= queue->row_tickets[row++];
    pool = row * ROW;
    while (ticket >= queue->pool_tickets[pool])
        ticket -= queue->pool_tickets[pool++];
    return pool;
}

static struct sched_entity *draw(struct sched_queue *queue)
{
    const struct sched_entity *aside = queue->yielded;
    uint64_t tickets = queue->weight - (aside ? policy_usual_weight(aside->nice) : 0);

    queue->drawn = holder(queue, next_random(queue) % tickets);
    return first_of(queue, queue->drawn);
}

/* ---- the table ---- */

static void lottery_add(struct sched_queue *queue, struct sched_entity *entity, enum sched_why why,
                        uint64_t now)
{
    (void)now;
    why = policy_enter(queue, entity, why);
    if (why == SCHED_YIELDED) { /* it stands aside, and who did so before it does no longer */
        struct sched_entity *before = queue->yielded;

        queue->yielded = entity;
        entity = before;
    }
    if (entity)
        join(queue, entity);
}

static void lottery_remove(struct sched_queue *queue, struct sched_entity *entity)
{
    if (queue->yielded == entity)
        queue->yielded = NULL;
    else
        leave(queue, entity);
    policy_leave(queue, entity);
}

static struct sched_entity *lottery_steal(struct sched_queue *queue)
{
    struct sched_entity *aside = queue->yielded, *winner;

    if (queue->ready == 0)
        return NULL;
    if (!aside || queue->ready == 1) {
        winner = aside ? aside : draw(queue);
        lottery_remove(queue, winner);
        return winner;
    }
    winner = draw(queue);
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

/* Who comes when the pool that was drawn wins again: some time. */
static void lottery_foresee(const struct sched_queue *queue, struct sched_entity *coming[2])
{
    coming[0] = first_of(queue, queue->drawn);
    coming[1] = NULL;
    if (coming[0] && coming[0]->link.next != &queue->pools[queue->drawn])
        coming[1] = list_entry(coming[0]->link.next, struct sched_entity, link);
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
    .foresee = lottery_foresee,
};
