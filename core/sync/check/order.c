/* SPDX-License-Identifier: MIT */
/*
 * order.c: see order.h. A matrix of bits answers the usual question, whether an arrow is known,
 * without any lock; the list of arrows has the words for a report.
 */
#include "sync/check/order.h"

#include "lib/log.h"
#include "thread/thread.h"

#include <hal/kstate.h>

#define WORDS (LOCK_CLASSES / 64)

static KSTATE struct order {
    struct raw_lock lock; /* guards adding */
    unsigned count;       /* of edges; atomic */
    unsigned lost;        /* edges that found no room */
    unsigned reports;
    uint64_t known[LOCK_CLASSES][WORDS]; /* [from] has a bit for each `to`; atomic */
    uint8_t nested[LOCK_CLASSES];        /* which of NESTED_* were seen; atomic */
    struct order_edge edges[ORDER_EDGES];
} order;

#define NESTED_UP 1u
#define NESTED_DOWN 2u

/* 0 while this CPU has no thread yet. */
static uint32_t own_id(void)
{
    const struct thread *self = thread_current();

    return self ? self->id : 0;
}

static bool is_known(unsigned from, unsigned to)
{
    return __atomic_load_n(&order.known[from][to / 64], __ATOMIC_RELAXED) >> (to % 64) & 1;
}

/* Adds an arrow. Caller holds the lock. */
static void draw(const struct order_edge *edge)
{
    unsigned count = order.count;

    if (count == ORDER_EDGES) {
        order.lost++;
        return;
    }
    order.edges[count] = *edge;
    __atomic_store_n(&order.count, count + 1, __ATOMIC_RELEASE);
}

/*
 * Draws the arrow if it is new, and finds the shortest way back from its head to its foot: came[x]
 * is then the class before x on it. Returns true if there is a way, and the arrow was new.
 */
static bool draw_new(const struct order_edge *edge, uint8_t came[LOCK_CLASSES])
{
    uint8_t queue[LOCK_CLASSES];
    unsigned head = 0, tail = 0;

    if (is_known(edge->from, edge->to))
        return false;
    __atomic_fetch_or(&order.known[edge->from][edge->to / 64], UINT64_C(1) << (edge->to % 64),
                      __ATOMIC_RELAXED);
    draw(edge);
    for (unsigned i = 0; i < LOCK_CLASSES; i++)
        came[i] = 0;
    queue[tail++] = (uint8_t)edge->to;
    while (head < tail && !came[edge->from]) {
        unsigned at = queue[head++];

        for (unsigned next = 1; next < LOCK_CLASSES; next++)
            if (is_known(at, next) && !came[next] && next != edge->to) {
                came[next] = (uint8_t)at;
                queue[tail++] = (uint8_t)next;
            }
    }
    return came[edge->from] != 0;
}

/* ---- telling ---- */

static void say_edge(const struct order_edge *edge)
{
    char from[64], to[64];

    lock_site_text(edge->from_site, from, sizeof from);
    lock_site_text(edge->to_site, to, sizeof to);
    klog(KLOG_ERROR, "  thread %u took %s at %s", edge->thread,
         lock_class_name(lock_class_at(edge->from)), from);
    klog(KLOG_ERROR, "    and under it %s%s at %s", edge->from == edge->to ? "another " : "",
         lock_class_name(lock_class_at(edge->to)), to);
}

static void say_known_edge(unsigned from, unsigned to)
{
    unsigned count = __atomic_load_n(&order.count, __ATOMIC_ACQUIRE);

    for (unsigned i = 0; i < count; i++)
        if (order.edges[i].from == from && order.edges[i].to == to) {
            say_edge(&order.edges[i]);
            return;
        }
    klog(KLOG_ERROR, "  %s, and under it %s", lock_class_name(lock_class_at(from)),
         lock_class_name(lock_class_at(to)));
}

static void say_class(unsigned number)
{
    char text[96];

    lock_class_text(number, text, sizeof text);
    klog(KLOG_ERROR, "  %s", text);
}

/* The circle: the new arrow, and the way back along came[]. */
static void report_circle(const struct order_edge *edge, const uint8_t came[LOCK_CLASSES])
{
    __atomic_fetch_add(&order.reports, 1, __ATOMIC_RELAXED);
    klog(KLOG_ERROR, "locks: possible deadlock: these were taken in orders that make a circle:");
    say_class(edge->from);
    for (unsigned at = came[edge->from]; at; at = came[at])
        say_class(at);
    say_edge(edge);
    for (unsigned at = edge->from; at != edge->to; at = came[at])
        say_known_edge(came[at], at);
}

static void report_nested(const struct order_edge *edge)
{
    unsigned count = __atomic_load_n(&order.count, __ATOMIC_ACQUIRE);

    __atomic_fetch_add(&order.reports, 1, __ATOMIC_RELAXED);
    klog(KLOG_ERROR, "locks: possible deadlock: two of one class were taken in both orders:");
    say_class(edge->from);
    say_edge(edge);
    for (unsigned i = 0; i < count; i++)
        if (order.edges[i].from == edge->from && order.edges[i].to == edge->to &&
            order.edges[i].upward != edge->upward)
            say_edge(&order.edges[i]);
}

/* ---- what others call ---- */

void order_note(unsigned from, const struct lock_site *from_site, unsigned to,
                const struct lock_site *to_site)
{
    struct order_edge edge = {
        .from = (uint16_t)from, .to = (uint16_t)to, .from_site = from_site, .to_site = to_site};

    if (!from || !to || is_known(from, to))
        return;
    edge.thread = own_id();
    raw_lock_acquire(&order.lock);
    if (!is_known(from, to)) {
        __atomic_fetch_or(&order.known[from][to / 64], UINT64_C(1) << (to % 64), __ATOMIC_RELAXED);
        draw(&edge);
    }
    raw_lock_release(&order.lock);
}

static void check_nested(struct order_edge *edge)
{
    uint8_t way = edge->upward ? NESTED_UP : NESTED_DOWN, before;

    if (__atomic_load_n(&order.nested[edge->from], __ATOMIC_RELAXED) & way)
        return;
    raw_lock_acquire(&order.lock);
    before = __atomic_fetch_or(&order.nested[edge->from], way, __ATOMIC_RELAXED);
    if (!(before & way))
        draw(edge);
    raw_lock_release(&order.lock);
    if (before && !(before & way))
        report_nested(edge);
}

void order_check(unsigned from, const struct lock_site *from_site, unsigned to,
                 const struct lock_site *to_site, bool upward)
{
    struct order_edge edge = {.from = (uint16_t)from,
                              .to = (uint16_t)to,
                              .upward = upward,
                              .from_site = from_site,
                              .to_site = to_site};
    uint8_t came[LOCK_CLASSES];
    bool circle;

    if (!from || !to || (from != to && is_known(from, to)))
        return;
    edge.thread = own_id();
    if (from == to) {
        check_nested(&edge);
        return;
    }
    raw_lock_acquire(&order.lock);
    circle = draw_new(&edge, came);
    raw_lock_release(&order.lock);
    if (circle)
        report_circle(&edge, came);
}

bool order_at(unsigned index, struct order_edge *edge)
{
    if (index >= __atomic_load_n(&order.count, __ATOMIC_ACQUIRE))
        return false;
    *edge = order.edges[index];
    return true;
}

unsigned order_reports(void)
{
    return __atomic_load_n(&order.reports, __ATOMIC_RELAXED);
}
