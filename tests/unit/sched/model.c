/* SPDX-License-Identifier: MIT */
/*
 * Criteria, for every policy, over random sequences of operations on two queues:
 *  1. No entity is lost, none is there twice: ready, weight and what draining yields are those of a
 *     plain array.
 *  2. Whom take and steal choose is whom a search through that array chooses: the first in order
 *     (fifo, rr), the first with the highest priority, one on the highest level (feedback), the
 * least virtual time, counted in steps (fair, stride), or remaining time (sjf, srt), first come
 * first among equals; under lottery, any but who has just yielded.
 *  3. Structures hold: `occupied` tells which lists have entities; lottery's pools and rows have
 *     the tickets of their members, who are of one level; min_vruntime never goes back; bunches are
 * in order, and nobody in them has another key than who leads it.
 */
#include "cpus.h"
#include "sched/bunch.h"
#include "suites.h"

#include <string.h>

#define ENTITIES 200u /* more than lottery has pools */
#define STEPS 30000u
#define GROWTH 1000u /* steps, and as many again in which they become fewer */

static const struct sched_policy *policy;
static uint64_t chance, now;
static bool growing; /* more come than go */

static struct queue {
    struct sched_queue real;
    struct sched_entity *model[ENTITIES]; /* in the order of their turns, if there is one */
    unsigned n;
    uint64_t least; /* min_vruntime so far */
} queues[2];

static struct place {
    struct sched_entity entity;
    struct queue *queue; /* NULL: it is on none */
    bool ran;            /* it was taken, and has not come back since */
    bool fresh;          /* it was never on a queue */
    struct queue *home;  /* where it ran */
} places[ENTITIES];

static unsigned random_below(unsigned n)
{
    chance = chance * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)(chance >> 33) % n;
}

static bool is(const char *name)
{
    return strcmp(policy->name, name) == 0;
}

static struct place *place_of(const struct sched_entity *entity)
{
    return (struct place *)((char *)(uintptr_t)entity - offsetof(struct place, entity));
}

static void model_insert(struct queue *queue, unsigned at, struct sched_entity *entity)
{
    memmove(&queue->model[at + 1], &queue->model[at], (queue->n++ - at) * sizeof(queue->model[0]));
    queue->model[at] = entity;
}

static void model_remove(struct queue *queue, const struct sched_entity *entity)
{
    unsigned at = 0;

    while (at < queue->n && queue->model[at] != entity)
        at++;
    ck_assert(at < queue->n);
    memmove(&queue->model[at], &queue->model[at + 1], (--queue->n - at) * sizeof(queue->model[0]));
}

/* Of a virtual time, the bits that are compared: the same in both queues. */
static uint64_t step_mask(void)
{
    return queues[0].real.step;
}

/* Less is sooner. */
static uint64_t key_of(const struct sched_entity *entity)
{
    if (is("priority"))
        return entity->priority > 31 ? 31 : entity->priority;
    if (is("fair") || is("stride")) /* who is ahead of a queue that begins at 0 is below 0 */
        return ((is("fair") ? entity->vruntime : entity->pass) & step_mask()) + (UINT64_C(1) << 63);
    if (is("sjf") || is("srt"))
        return entity->remaining;
    return 0;
}

static bool comes_before(const struct sched_entity *a, const struct sched_entity *b)
{
    if (key_of(a) != key_of(b))
        return key_of(a) < key_of(b);
    return (is("sjf") || is("srt")) && a->sequence < b->sequence;
}

static void check_choice(const struct queue *queue, const struct sched_entity *chosen, bool steal)
{
    bool last = steal && (is("fifo") || is("rr") || is("priority"));
    const struct sched_entity *best = queue->n ? queue->model[0] : NULL;

    if (!chosen || !best) {
        ck_assert(chosen == best);
        return;
    }
    for (unsigned i = 1; i < queue->n; i++) {
        if (comes_before(queue->model[i], best) ||
            (last && key_of(queue->model[i]) == key_of(best)))
            best = queue->model[i];
    }
    if (!is("lottery") && !is("feedback"))
        ck_assert(chosen == best);
}

static unsigned list_length(const struct list *list)
{
    unsigned n = 0;

    list_for_each (link, list)
        n++;
    return n;
}

/* The tickets of a pool, whose members are counted too. */
static uint64_t check_pool(const struct sched_queue *queue, unsigned pool, unsigned *count)
{
    uint64_t sum = 0, weight = 0;

    list_for_each (link, &queue->pools[pool]) {
        const struct sched_entity *entity = list_entry(link, struct sched_entity, link);

        ck_assert(entity->level == pool);
        ck_assert(weight == 0 || weight == policy_weight(entity->nice));
        weight = policy_weight(entity->nice);
        sum += weight;
        ++*count;
    }
    ck_assert(queue->pool_tickets[pool] == sum);
    ck_assert(pool >= SCHED_POOLS_FREE || (queue->vacant >> pool & 1) == (sum == 0));
    return sum;
}

/* Who stands aside is the only one that is in no pool. */
static void check_lottery(const struct sched_queue *queue)
{
    const struct sched_entity *aside = queue->yielded;
    uint64_t sum = aside ? policy_weight(aside->nice) : 0;
    unsigned count = aside != NULL;

    for (unsigned row = 0; row < SCHED_POOLS / SCHED_POOL_ROW; row++) {
        uint64_t before = sum;

        for (unsigned i = 0; i < SCHED_POOL_ROW; i++)
            sum += check_pool(queue, row * SCHED_POOL_ROW + i, &count);
        ck_assert(queue->row_tickets[row] == sum - before);
    }
    ck_assert(sum == queue->weight);
    ck_assert(count == queue->ready);
}

static bool has_bunches(void)
{
    return is("fair") || is("stride") || is("sjf") || is("srt");
}

/* All members of the bunch have one key, and the first only is in the tree. Returns how many. */
static unsigned check_bunch(struct sched_entity *leader)
{
    unsigned n = 1;

    for (struct sched_entity *at = bunch_next(leader); at != leader; at = bunch_next(at), n++) {
        ck_assert(!tree_linked(&at->node));
        ck_assert(key_of(at) == key_of(leader));
    }
    return n;
}

static void check_bunches(const struct queue *queue)
{
    const struct sched_entity *before = NULL;
    unsigned n = 0;

    tree_for_each (node, &queue->real.tree) {
        struct sched_entity *leader = bunch_of_node(node);

        ck_assert(!before || key_of(before) < key_of(leader));
        n += check_bunch(leader);
        before = leader;
    }
    ck_assert(n == queue->n);
}

static void check_structure(struct queue *queue)
{
    const struct sched_queue *real = &queue->real;
    uint64_t weight = 0;
    unsigned listed = 0;

    for (unsigned i = 0; i < queue->n; i++)
        weight += policy_weight(queue->model[i]->nice);
    ck_assert(real->ready == queue->n);
    ck_assert(real->weight == weight);
    for (unsigned i = 0; i < SCHED_LEVELS; i++) {
        unsigned n = list_length(&real->lists[i]);

        ck_assert((n > 0) == (real->occupied >> i & 1u));
        listed += n;
    }
    ck_assert(listed == (tree_empty(&real->tree) && !is("lottery") ? queue->n : 0));
    ck_assert(real->min_vruntime >= queue->least);
    queue->least = real->min_vruntime;
    if (has_bunches())
        check_bunches(queue);
    if (is("lottery"))
        check_lottery(real);
}

static enum sched_why choose_why(struct place *place, struct queue *queue)
{
    if (place->fresh)
        return SCHED_NEW;
    if (!place->ran || place->home != queue)
        return random_below(2) ? SCHED_MOVED : SCHED_WOKEN;
    return (enum sched_why[]){SCHED_WOKEN, SCHED_YIELDED, SCHED_PREEMPTED}[random_below(3)];
}

static void step_add(struct place *place, struct queue *queue)
{
    enum sched_why why = choose_why(place, queue);
    bool first = why == SCHED_PREEMPTED && (is("fifo") || is("priority"));

    if (place->fresh)
        place->entity.length = random_below(4) ? random_below(50) * MS : 0;
    place->entity.nice = (int)random_below(44) - 22;
    place->entity.priority = random_below(34);
    policy->add(&queue->real, &place->entity, why, now);
    model_insert(queue, first ? 0 : queue->n, &place->entity);
    place->queue = queue;
    place->fresh = place->ran = false;
}

static void step_take(struct queue *queue, bool steal)
{
    const struct sched_entity *barred = queue->n > 1 ? queue->real.yielded : NULL;
    uint64_t old = queue->real.boosted;
    struct sched_entity *coming[2] = {NULL, NULL}, *entity;

    if (policy->foresee)
        policy->foresee(&queue->real, coming);
    ck_assert(!coming[1] || (coming[1] != coming[0] && place_of(coming[1])->queue == queue));
    entity = steal ? policy->steal(&queue->real) : policy->take(&queue->real, now);
    struct place *place;

    check_choice(queue, entity, steal);
    ck_assert(steal || is("lottery") || !policy->foresee || coming[0] == entity);
    if (!entity)
        return;
    ck_assert(entity != barred);
    if (is("feedback") && !steal && queue->real.boosted == old) {
        for (unsigned i = 0; i < queue->n; i++)
            ck_assert(queue->model[i]->level >= entity->level || entity->level_since < old ||
                      queue->model[i]->level_since < old);
    }
    place = place_of(entity);
    ck_assert(place->queue == queue);
    model_remove(queue, entity);
    place->queue = NULL;
    place->ran = !steal;
    place->home = queue;
    if (steal)
        return;
    for (unsigned parts = random_below(3); parts > 0; parts--) {
        uint64_t ns = random_below(4) ? random_below(15000) * US : random_below(100);

        now += ns;
        entity->run_time += ns;
        policy->charge(&queue->real, entity, ns, now);
    }
}

static void step(void)
{
    struct place *place = &places[random_below(ENTITIES)];
    struct queue *queue = &queues[random_below(2)];

    now += random_below(1000) * US;
    switch (random_below(growing ? 40 : 8)) {
    case 0:
    case 1:
    case 2:
        step_take(queue, false);
        break;
    case 3:
        step_take(queue, true);
        break;
    default:
        if (!place->queue) {
            step_add(place, queue);
        } else if (random_below(growing ? 16 : 2) == 0) {
            policy->remove(&place->queue->real, &place->entity);
            model_remove(place->queue, &place->entity);
            place->queue = NULL;
        }
    }
}

static void begin(unsigned seed)
{
    chance = seed;
    now = 0;
    memset(queues, 0, sizeof(queues));
    memset(places, 0, sizeof(places));
    for (unsigned i = 0; i < 2; i++) {
        queues[i].real.policy = policy;
        queues[i].real.epoch = 1;
        policy->init(&queues[i].real);
    }
    for (unsigned i = 0; i < ENTITIES; i++)
        places[i].fresh = true;
}

START_TEST(random_operations_lose_nobody)
{
    policy = policy_at((unsigned)_i / 4);
    begin(1 + (unsigned)_i % 4);
    for (unsigned i = 0; i < STEPS; i++) {
        growing = i / GROWTH % 2;
        step();
        check_structure(&queues[0]);
        check_structure(&queues[1]);
    }
    for (unsigned i = 0; i < 2; i++) {
        while (queues[i].n > 0)
            step_take(&queues[i], false);
        ck_assert_ptr_null(policy->take(&queues[i].real, now));
        check_structure(&queues[i]);
    }
    for (unsigned i = 0; i < ENTITIES; i++)
        ck_assert_ptr_null(places[i].queue);
}
END_TEST

Suite *model_suite(void)
{
    Suite *all = suite_create("model");
    TCase *model = tcase_create("model");

    tcase_set_timeout(model, 60);
    tcase_add_loop_test(model, random_operations_lose_nobody, 0, 36);
    suite_add_tcase(all, model);
    return all;
}
