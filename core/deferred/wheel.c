/* SPDX-License-Identifier: MIT */
/*
 * wheel.c: see wheel.h.
 *
 * Invariant: a node of level n agrees with now in all digits above n, and its digit n is higher
 * than now's. Two exceptions: at level 0 the digit may equal now's, and while the slot of now at
 * level `moving` is being emptied, its nodes are there too; they come before all others.
 */
#include "deferred/wheel.h"

#define MOVES_MAX 32u /* nodes that one call moves to a lower level */

void wheel_init(struct wheel *wheel, uint64_t now)
{
    wheel->now = now;
    wheel->count = 0;
    wheel->moving = 0;
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        wheel->occupied[level] = 0;
        for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
            list_init(&wheel->slots[level][slot]);
    }
}

/* The highest digit in which the two differ; 0 if they do not. */
static unsigned level_of(uint64_t a, uint64_t b)
{
    return a == b ? 0 : (63u - (unsigned)__builtin_clzll(a ^ b)) / WHEEL_BITS;
}

static unsigned digit_of(uint64_t time, unsigned level)
{
    return time >> (level * WHEEL_BITS) & (WHEEL_SLOTS - 1);
}

/* `time` with all digits up to `level` set to 0. */
static uint64_t above(uint64_t time, unsigned level)
{
    unsigned bits = (level + 1) * WHEEL_BITS;

    return bits < 64 ? time >> bits << bits : 0;
}

/*
 * Puts a node where its time belongs as seen from now, but not below `lowest`: there it waits with
 * those that are still to be moved, behind the older ones.
 */
static void place(struct wheel *wheel, struct wheel_node *node, unsigned lowest)
{
    uint64_t time = node->time > wheel->now ? node->time : wheel->now;
    unsigned level = level_of(time, wheel->now), slot;
    uint64_t *earliest;

    if (level < lowest)
        level = lowest;
    slot = digit_of(time, level);
    earliest = &wheel->earliest[level][slot];
    node->level = (uint8_t)level;
    node->slot = (uint8_t)slot;
    if (!(wheel->occupied[level] >> slot & 1) || time < *earliest)
        *earliest = time;
    wheel->occupied[level] |= UINT64_C(1) << slot;
    list_add_tail(&wheel->slots[level][slot], &node->link);
}

static void displace(struct wheel *wheel, struct wheel_node *node)
{
    list_remove(&node->link);
    if (list_empty(&wheel->slots[node->level][node->slot]))
        wheel->occupied[node->level] &= ~(UINT64_C(1) << node->slot);
}

void wheel_add(struct wheel *wheel, struct wheel_node *node, uint64_t time)
{
    node->time = time;
    node->linked = true;
    wheel->count++;
    place(wheel, node, wheel->moving);
}

bool wheel_remove(struct wheel *wheel, struct wheel_node *node)
{
    if (!node->linked)
        return false;
    node->linked = false;
    wheel->count--;
    displace(wheel, node);
    return true;
}

/* Moves nodes from the slot of now at level `moving` to lower ones. True when that is done. */
static bool empty_slot(struct wheel *wheel)
{
    unsigned level = wheel->moving;
    struct list *slot = &wheel->slots[level][digit_of(wheel->now, level)];

    for (unsigned moves = 0; moves < MOVES_MAX && !list_empty(slot); moves++) {
        struct wheel_node *node = list_entry(slot->next, struct wheel_node, link);

        displace(wheel, node);
        place(wheel, node, 0);
    }
    if (!list_empty(slot))
        return false;
    wheel->moving = 0;
    return true;
}

/* The first slot that has nodes: its level, and in *slot its number. WHEEL_LEVELS: there is none.
 */
static unsigned find_first(const struct wheel *wheel, unsigned *slot)
{
    unsigned level = 0;

    while (level < WHEEL_LEVELS && !wheel->occupied[level])
        level++;
    if (level < WHEEL_LEVELS)
        *slot = (unsigned)__builtin_ctzll(wheel->occupied[level]);
    return level;
}

/* Makes the time `time`, with nothing in between. */
static void advance(struct wheel *wheel, uint64_t time)
{
    if (time > wheel->now)
        wheel->now = time;
}

static struct wheel_node *take_at(struct wheel *wheel, unsigned slot)
{
    struct wheel_node *node = list_entry(wheel->slots[0][slot].next, struct wheel_node, link);

    (void)wheel_remove(wheel, node);
    return node;
}

struct wheel_node *wheel_take(struct wheel *wheel, uint64_t until, bool *more)
{
    unsigned slot = 0, level;
    uint64_t start;

    *more = true;
    if (wheel->moving && !empty_slot(wheel))
        return NULL;
    level = find_first(wheel, &slot);
    start = level < WHEEL_LEVELS ? above(wheel->now, level) | (uint64_t)slot << (level * WHEEL_BITS)
                                 : UINT64_MAX;
    if (level == WHEEL_LEVELS || start > until) {
        advance(wheel, until);
        *more = false;
        return NULL;
    }
    advance(wheel, start);
    if (level == 0)
        return take_at(wheel, slot);
    wheel->moving = (uint8_t)level;
    return NULL;
}

uint64_t wheel_next(const struct wheel *wheel)
{
    unsigned slot, level;

    if (wheel->moving)
        return wheel->now;
    level = find_first(wheel, &slot);
    return level < WHEEL_LEVELS ? wheel->earliest[level][slot] : UINT64_MAX;
}
