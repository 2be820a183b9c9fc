/* SPDX-License-Identifier: MIT */
/*
 * classic.c: the classic problems of synchronisation, each solved with what core/sync has, and
 * each with its invariant watched from inside.
 *
 *   producers and consumers   every item is consumed once, and those of a producer in their order
 *   readers and writers       no reader sees half of a change
 *   dining philosophers       neighbours never eat at the same time, and everybody does eat
 *   traffic at a crossing     no two vehicles are on it whose ways cross, and everybody gets over
 *
 * That they end at all is part of the claim. The size is how often each thread does its part.
 */
#include "heap/heap.h"
#include "ktest/sync/crew.h"
#include "ktest/sync/tests.h"
#include "sync/flow/bounded.h"
#include "sync/flow/semaphore.h"
#include "sync/mutex.h"
#include "sync/rwlock.h"
#include "thread/thread.h"

#include <hal/errno.h>
#include <hal/time.h>

/* ---- producers and consumers ---- */

#define PRODUCERS 3u
#define CONSUMERS 3u
#define SLOTS 4u

/* Item i of producer p is the number i * PRODUCERS + p; the counts say how often each was eaten. */
struct kitchen {
    unsigned items; /* of each producer */
    uint8_t *eaten;
    volatile unsigned wrong;
    volatile unsigned finished; /* producers */
    bool (*put)(struct kitchen *kitchen, unsigned item);
    bool (*get)(struct kitchen *kitchen, unsigned *item); /* false: there will be none */

    struct bounded_queue queue;
    void *slots[SLOTS];

    struct semaphore room, full;
    struct mutex mutex;
    struct condition some, space;
    unsigned ring[SLOTS], first, count;
};

static void produce(struct crew_member *member)
{
    struct kitchen *kitchen = member->play;

    for (unsigned i = 0; i < kitchen->items; i++) {
        crew_dawdle(member);
        if (!kitchen->put(kitchen, i * PRODUCERS + member->number))
            kitchen->wrong++;
    }
    __atomic_add_fetch(&kitchen->finished, 1, __ATOMIC_RELAXED);
}

static void consume(struct crew_member *member)
{
    struct kitchen *kitchen = member->play;
    unsigned item, next[PRODUCERS] = {0};

    while (kitchen->get(kitchen, &item)) {
        unsigned producer = item % PRODUCERS, number = item / PRODUCERS;

        if (number >= kitchen->items || number < next[producer]) {
            __atomic_add_fetch(&kitchen->wrong, 1, __ATOMIC_RELAXED);
            continue;
        }
        next[producer] = number + 1;
        __atomic_add_fetch(&kitchen->eaten[item], 1, __ATOMIC_RELAXED);
        crew_dawdle(member);
    }
}

static void part_kitchen(struct crew_member *member)
{
    if (member->number < PRODUCERS)
        produce(member);
    else
        consume(member);
}

/* `end` makes get return false for `CONSUMERS` consumers, after the last item. */
static void play_kitchen(struct ktest_run *run, struct kitchen *kitchen,
                         void (*end)(struct kitchen *kitchen))
{
    unsigned total = kitchen->items * PRODUCERS, right = 0;
    struct crew crew;

    kitchen->eaten = kcalloc(total, 1);
    if (!KTEST_EXPECT(run, kitchen->eaten != NULL))
        return;
    if (crew_start(&crew, run, PRODUCERS + CONSUMERS, part_kitchen, kitchen)) {
        while (__atomic_load_n(&kitchen->finished, __ATOMIC_RELAXED) < PRODUCERS)
            thread_sleep(CREW_MS);
        end(kitchen);
        crew_join(&crew);
        for (unsigned i = 0; i < total; i++)
            right += kitchen->eaten[i] == 1;
        KTEST_EXPECT(run, right == total);
        KTEST_EXPECT(run, kitchen->wrong == 0);
    }
    kfree(kitchen->eaten);
}

/* With a bounded queue. */

static bool queue_put(struct kitchen *kitchen, unsigned item)
{
    return bounded_queue_put(&kitchen->queue, (void *)(uintptr_t)item, HAL_TIME_NEVER) == 0;
}

static bool queue_get(struct kitchen *kitchen, unsigned *item)
{
    void *got = NULL;
    bool some = bounded_queue_get(&kitchen->queue, &got, HAL_TIME_NEVER) == 0;

    *item = (unsigned)(uintptr_t)got;
    return some;
}

static void queue_end(struct kitchen *kitchen)
{
    bounded_queue_close(&kitchen->queue);
}

void test_problem_queue(struct ktest_run *run)
{
    struct kitchen kitchen = {.items = ktest_size(60), .put = queue_put, .get = queue_get};

    bounded_queue_init(&kitchen.queue, kitchen.slots, SLOTS);
    play_kitchen(run, &kitchen, queue_end);
}

/* With semaphores that count what is there and what is free, and a mutex for the ring. */

#define NO_MORE UINT32_MAX /* the item that tells a consumer to go home */

/* Between reading and writing others get a turn: whoever is not kept out shows. */
static void ring_add(struct kitchen *kitchen, unsigned item)
{
    unsigned count = kitchen->count;

    kitchen->wrong += count >= SLOTS;
    kitchen->ring[(kitchen->first + count) % SLOTS] = item;
    if (item % 2)
        thread_yield();
    kitchen->count = count + 1;
}

static unsigned ring_take(struct kitchen *kitchen)
{
    unsigned item = kitchen->ring[kitchen->first], count = kitchen->count;

    kitchen->wrong += count == 0;
    if (item % 2 == 0)
        thread_yield();
    kitchen->first = (kitchen->first + 1) % SLOTS;
    kitchen->count = count - 1;
    return item;
}

static bool semaphore_put(struct kitchen *kitchen, unsigned item)
{
    semaphore_down(&kitchen->room);
    mutex_lock(&kitchen->mutex);
    ring_add(kitchen, item);
    mutex_unlock(&kitchen->mutex);
    semaphore_up(&kitchen->full);
    return true;
}

static bool semaphore_get(struct kitchen *kitchen, unsigned *item)
{
    semaphore_down(&kitchen->full);
    mutex_lock(&kitchen->mutex);
    *item = ring_take(kitchen);
    mutex_unlock(&kitchen->mutex);
    semaphore_up(&kitchen->room);
    return *item != NO_MORE;
}

static void send_home(struct kitchen *kitchen)
{
    for (unsigned i = 0; i < CONSUMERS; i++)
        (void)kitchen->put(kitchen, NO_MORE);
}

void test_problem_semaphores(struct ktest_run *run)
{
    struct kitchen kitchen = {.items = ktest_size(60), .put = semaphore_put, .get = semaphore_get};

    mutex_init(&kitchen.mutex);
    semaphore_init(&kitchen.room, SLOTS);
    semaphore_init(&kitchen.full, 0);
    play_kitchen(run, &kitchen, send_home);
    KTEST_EXPECT(run, semaphore_count(&kitchen.room) == SLOTS);
}

/* As a monitor: a mutex and two conditions. */

static bool monitor_put(struct kitchen *kitchen, unsigned item)
{
    mutex_lock(&kitchen->mutex);
    while (kitchen->count == SLOTS)
        condition_wait(&kitchen->space);
    ring_add(kitchen, item);
    condition_signal(&kitchen->some);
    mutex_unlock(&kitchen->mutex);
    return true;
}

static bool monitor_get(struct kitchen *kitchen, unsigned *item)
{
    mutex_lock(&kitchen->mutex);
    while (kitchen->count == 0)
        condition_wait(&kitchen->some);
    *item = ring_take(kitchen);
    condition_signal(&kitchen->space);
    mutex_unlock(&kitchen->mutex);
    return *item != NO_MORE;
}

void test_problem_monitor(struct ktest_run *run)
{
    struct kitchen kitchen = {.items = ktest_size(60), .put = monitor_put, .get = monitor_get};

    mutex_init(&kitchen.mutex);
    condition_init(&kitchen.some, &kitchen.mutex);
    condition_init(&kitchen.space, &kitchen.mutex);
    play_kitchen(run, &kitchen, send_home);
    KTEST_EXPECT(run, kitchen.count == 0);
}

/* ---- readers and writers ---- */

#define READERS 5u
#define WRITERS 2u

struct library {
    unsigned visits;
    struct rwlock lock;
    volatile unsigned left, right; /* equal whenever nobody writes */
    volatile unsigned reading, writing, wrong;
};

static void read_once(struct library *library, struct crew_member *member)
{
    unsigned before;

    rwlock_read(&library->lock);
    __atomic_add_fetch(&library->reading, 1, __ATOMIC_RELAXED);
    before = library->left;
    crew_dawdle(member);
    if (library->right != before || library->writing)
        __atomic_add_fetch(&library->wrong, 1, __ATOMIC_RELAXED);
    __atomic_sub_fetch(&library->reading, 1, __ATOMIC_RELAXED);
    rwlock_end_read(&library->lock);
}

static void write_once(struct library *library, struct crew_member *member)
{
    rwlock_write(&library->lock);
    library->wrong += library->writing++ || library->reading;
    library->left++;
    crew_dawdle(member);
    library->right++;
    library->writing--;
    rwlock_end_write(&library->lock);
}

static void part_library(struct crew_member *member)
{
    struct library *library = member->play;

    for (unsigned i = 0; i < library->visits; i++) {
        if (member->number < READERS)
            read_once(library, member);
        else
            write_once(library, member);
        crew_dawdle(member);
    }
}

void test_problem_readers(struct ktest_run *run)
{
    struct library library = {.visits = ktest_size(40)};
    struct crew crew;

    rwlock_init(&library.lock);
    if (!crew_play(&crew, run, READERS + WRITERS, part_library, &library))
        return;
    KTEST_EXPECT(run, library.wrong == 0);
    KTEST_EXPECT(run, library.left == WRITERS * library.visits && library.right == library.left);
}

/* ---- dining philosophers ---- */

#define PHILOSOPHERS 5u

struct table {
    unsigned meals;
    struct mutex forks[PHILOSOPHERS];
    bool eating[PHILOSOPHERS]; /* atomic */
    volatile unsigned wrong, eaten[PHILOSOPHERS], gave_up;
};

static void table_init(struct table *table, unsigned meals)
{
    *table = (struct table){.meals = meals};
    for (unsigned i = 0; i < PHILOSOPHERS; i++)
        mutex_init(&table->forks[i]);
}

static void set_eating(struct table *table, unsigned number, bool eating)
{
    __atomic_store_n(&table->eating[number], eating, __ATOMIC_SEQ_CST);
}

static bool is_eating(const struct table *table, unsigned number)
{
    return __atomic_load_n(&table->eating[number], __ATOMIC_SEQ_CST);
}

static void eat(struct table *table, struct crew_member *member)
{
    unsigned left = (member->number + PHILOSOPHERS - 1) % PHILOSOPHERS;
    unsigned right = (member->number + 1) % PHILOSOPHERS;

    set_eating(table, member->number, true);
    if (is_eating(table, left) || is_eating(table, right))
        __atomic_add_fetch(&table->wrong, 1, __ATOMIC_RELAXED);
    crew_dawdle(member);
    set_eating(table, member->number, false);
    table->eaten[member->number]++;
}

/* The forks have an order, and everybody takes the lower one first: no circle can come about. */
static void part_philosopher(struct crew_member *member)
{
    struct table *table = member->play;
    unsigned a = member->number, b = (member->number + 1) % PHILOSOPHERS;
    struct mutex *first = &table->forks[a < b ? a : b], *second = &table->forks[a < b ? b : a];

    for (unsigned i = 0; i < table->meals; i++) {
        mutex_lock(first);
        crew_dawdle(member);
        mutex_lock(second);
        eat(table, member);
        mutex_unlock(second);
        mutex_unlock(first);
        crew_dawdle(member);
    }
}

/* Everybody takes the left one first, and puts it down again if the right one does not come. */
static void part_polite(struct crew_member *member)
{
    struct table *table = member->play;
    struct mutex *left = &table->forks[member->number];
    struct mutex *right = &table->forks[(member->number + 1) % PHILOSOPHERS];

    while (table->eaten[member->number] < table->meals) {
        uint64_t patience = (20 + crew_random(member, 200)) * CREW_US;

        mutex_lock(left);
        crew_dawdle(member);
        if (mutex_trylock(right) || (mutex_unlock(left), mutex_lock(right), mutex_trylock(left))) {
            eat(table, member);
            mutex_unlock(right);
            mutex_unlock(left);
        } else {
            __atomic_add_fetch(&table->gave_up, 1, __ATOMIC_RELAXED);
            mutex_unlock(right);
            thread_sleep(patience);
        }
    }
}

static void play_table(struct ktest_run *run, struct table *table,
                       void (*part)(struct crew_member *member))
{
    struct crew crew;

    if (!crew_play(&crew, run, PHILOSOPHERS, part, table))
        return;
    KTEST_EXPECT(run, table->wrong == 0);
    for (unsigned i = 0; i < PHILOSOPHERS; i++) {
        KTEST_EXPECT(run, table->eaten[i] == table->meals);
        KTEST_EXPECT(run, mutex_owner(&table->forks[i]) == NULL);
    }
}

void test_problem_philosophers(struct ktest_run *run)
{
    struct table table;

    table_init(&table, ktest_size(40));
    play_table(run, &table, part_philosopher);
}

void test_problem_polite(struct ktest_run *run)
{
    struct table table;

    table_init(&table, ktest_size(20));
    play_table(run, &table, part_polite);
}

/* ---- the crossing of two roads ---- */

enum direction { NORTH, EAST, SOUTH, WEST, DIRECTIONS };

/*
 * A vehicle comes from one side and leaves by another. Two may be on the crossing together if they
 * came from the same side, if they go opposite ways, or if at least one turns right and they leave
 * by different sides.
 */
struct vehicle {
    enum direction from, to;
};

#define VEHICLES 8u

struct crossing {
    unsigned trips;
    struct mutex mutex;
    struct condition changed[DIRECTIONS]; /* for those who come from there */
    struct vehicle on_it[VEHICLES];
    unsigned count;
    unsigned turn; /* the side whose vehicles are asked first */
    volatile unsigned wrong, crossed, together;
};

static bool turns_right(struct vehicle vehicle)
{
    return (vehicle.to + 1) % DIRECTIONS == vehicle.from;
}

static bool may_be_together(struct vehicle a, struct vehicle b)
{
    return a.from == b.from || (a.from == b.to && a.to == b.from) ||
           (a.to != b.to && (turns_right(a) || turns_right(b)));
}

/* Caller owns the mutex, here and below. */
static bool is_free_for(const struct crossing *crossing, struct vehicle vehicle)
{
    for (unsigned i = 0; i < crossing->count; i++)
        if (!may_be_together(vehicle, crossing->on_it[i]))
            return false;
    return true;
}

static void go_on(struct crossing *crossing, struct vehicle vehicle)
{
    while (!is_free_for(crossing, vehicle))
        condition_wait(&crossing->changed[vehicle.from]);
    crossing->together += crossing->count > 0;
    crossing->on_it[crossing->count] = vehicle;
    thread_yield(); /* whoever is not kept out takes the same place */
    crossing->count++;
}

static void go_off(struct crossing *crossing, struct vehicle vehicle)
{
    unsigned i = 0;

    while (i < crossing->count &&
           (crossing->on_it[i].from != vehicle.from || crossing->on_it[i].to != vehicle.to))
        i++;
    crossing->wrong += i == crossing->count;
    crossing->on_it[i] = crossing->on_it[--crossing->count];
    crossing->crossed++;
    crossing->turn = (crossing->turn + 1) % DIRECTIONS;
    for (unsigned side = 0; side < DIRECTIONS; side++)
        condition_broadcast(&crossing->changed[(crossing->turn + side) % DIRECTIONS]);
}

/* Looks at the rule anew, from outside: all pairs that are there. */
static void watch(struct crossing *crossing)
{
    for (unsigned i = 0; i < crossing->count; i++)
        for (unsigned j = 0; j < i; j++)
            crossing->wrong += !may_be_together(crossing->on_it[i], crossing->on_it[j]);
}

static void part_drive(struct crew_member *member)
{
    struct crossing *crossing = member->play;

    for (unsigned i = 0; i < crossing->trips; i++) {
        struct vehicle vehicle = {.from = (enum direction)crew_random(member, DIRECTIONS)};

        vehicle.to = (enum direction)((vehicle.from + 1 + crew_random(member, 3)) % DIRECTIONS);
        mutex_lock(&crossing->mutex);
        go_on(crossing, vehicle);
        watch(crossing);
        mutex_unlock(&crossing->mutex);
        crew_dawdle(member);
        mutex_lock(&crossing->mutex);
        watch(crossing);
        go_off(crossing, vehicle);
        mutex_unlock(&crossing->mutex);
        crew_dawdle(member);
    }
}

void test_problem_intersection(struct ktest_run *run)
{
    struct crossing crossing = {.trips = ktest_size(30)};
    struct crew crew;

    mutex_init(&crossing.mutex);
    for (unsigned i = 0; i < DIRECTIONS; i++)
        condition_init(&crossing.changed[i], &crossing.mutex);
    if (!crew_play(&crew, run, VEHICLES, part_drive, &crossing))
        return;
    KTEST_EXPECT(run, crossing.wrong == 0);
    KTEST_EXPECT(run, crossing.crossed == VEHICLES * crossing.trips && crossing.count == 0);
    KTEST_EXPECT(run, crossing.together > 0); /* it is not just one at a time */
}
