/* SPDX-License-Identifier: MIT */
/*
 * events.c: edges, noted in an interrupt and read later.
 *
 * The ring keeps the latest events: when it is full the oldest goes, and a gap in the numbers tells
 * the reader. An edge of which the level shows nothing was a pulse, too short for us to see: it is
 * told as the two edges that it had.
 *
 * On a machine that cannot watch pins who reads looks at them every millisecond.
 */
#include "dev/clock.h"
#include "fs/devfs/gpio/lines.h"
#include "fs/devfs/gpio/old.h"
#include "fs/file.h"

#include <hal/errno.h>
#include <hal/time.h>

#define POLL_NS 1000000u

/* Caller holds the lock, as below. */
static void put_event(struct gpio_lines *lines, unsigned line, bool high, uint64_t now)
{
    uint64_t flags = lines->edges[line];
    bool one = high != ((flags & GPIO_ABI_ACTIVE_LOW) != 0);
    struct gpio_abi_event *event;

    if (!(flags & (one ? GPIO_ABI_RISING : GPIO_ABI_FALLING)))
        return;
    if (lines->used == lines->room) {
        lines->head = (lines->head + 1) % lines->room;
        lines->used--;
    }
    event = &lines->ring[(lines->head + lines->used++) % lines->room];
    *event = (struct gpio_abi_event){
        .time = flags & GPIO_ABI_REALTIME ? (uint64_t)(wall_now() * WALL_NS) : now,
        .id = one ? GPIO_ABI_EVENT_RISING : GPIO_ABI_EVENT_FALLING,
        .offset = lines->pins[line],
        .number = ++lines->number,
        .line_number = ++lines->line_number[line],
    };
}

/* The line is `high`; `edge`: something has happened to it. */
static void see(struct gpio_lines *lines, unsigned line, bool high, bool edge, uint64_t now)
{
    uint64_t bit = UINT64_C(1) << line;
    bool was = lines->levels & bit;

    if (!edge && high == was)
        return;
    if (high == was)
        put_event(lines, line, !high, now);
    put_event(lines, line, high, now);
    lines->levels = high ? lines->levels | bit : lines->levels & ~bit;
    wait_wake_all(&lines->readers);
}

/* gpio.c heard an edge. Interrupt. */
static void hear(struct gpio_listener *listener, unsigned pin)
{
    struct gpio_lines *lines =
        (struct gpio_lines *)((char *)listener - offsetof(struct gpio_lines, listener));
    hal_irq_state_t state = spinlock_acquire(&lines->lock);
    uint64_t now = hal_time_now();

    for (unsigned line = 0; line < lines->count; line++) {
        if (lines->pins[line] == pin)
            see(lines, line, hal_gpio_read(pin) == 1, true, now);
    }
    spinlock_release(&lines->lock, state);
    poll_notify(&lines->source);
}

/* Takes over which edges are wanted, and the levels as they are. True if any is. */
static bool prepare(struct gpio_lines *lines)
{
    hal_irq_state_t state = spinlock_acquire(&lines->lock);
    bool any = false;

    lines->levels = 0;
    lines->listener.pins = 0;
    for (unsigned line = 0; line < lines->count; line++) {
        lines->edges[line] = lines->flags[line];
        if (!(lines->flags[line] & LINES_EDGES))
            continue;
        any = true;
        lines->listener.pins |= 1u << lines->pins[line];
        if (hal_gpio_read(lines->pins[line]) == 1)
            lines->levels |= UINT64_C(1) << line;
    }
    spinlock_release(&lines->lock, state);
    return any;
}

int events_start(struct gpio_lines *lines)
{
    int error;

    lines->listener.edge = hear;
    if (!prepare(lines))
        return 0;
    error = gpio_listen(&lines->listener);
    __atomic_store_n(&lines->polled, error == -ENOSYS, __ATOMIC_RELAXED);
    lines->listening = error == 0;
    return error == -ENOSYS ? 0 : error;
}

void events_stop(struct gpio_lines *lines)
{
    if (lines->listening)
        gpio_unlisten(&lines->listener);
    lines->listening = false;
    __atomic_store_n(&lines->polled, false, __ATOMIC_RELAXED);
    (void)ktimer_cancel(&lines->looker);
}

/* Looks at the lines, where nobody tells of edges. Caller holds the lock. */
static void poll(struct gpio_lines *lines)
{
    for (unsigned line = 0; line < lines->count; line++) {
        if (lines->edges[line] & LINES_EDGES)
            see(lines, line, hal_gpio_read(lines->pins[line]) == 1, false, hal_time_now());
    }
}

/* True if there are events, also such as nobody has told of. */
static bool has_events(struct gpio_lines *lines)
{
    hal_irq_state_t state = spinlock_acquire(&lines->lock);
    bool any;

    if (__atomic_load_n(&lines->polled, __ATOMIC_RELAXED))
        poll(lines);
    any = lines->used > 0;
    spinlock_release(&lines->lock, state);
    return any;
}

/* A ktimer's function: looks on behalf of those who wait, as long as any does. */
static void look_again(struct ktimer *timer)
{
    struct gpio_lines *lines =
        (struct gpio_lines *)((char *)timer - offsetof(struct gpio_lines, looker));

    if (has_events(lines))
        poll_notify(&lines->source);
    if (poll_source_is_awaited(&lines->source) && __atomic_load_n(&lines->polled, __ATOMIC_RELAXED))
        ktimer_arm(timer, hal_time_now() + POLL_NS);
}

void events_init(struct gpio_lines *lines)
{
    poll_source_init(&lines->source);
    ktimer_init(&lines->looker, look_again);
}

unsigned events_poll(struct file *file, struct poll_waiter *waiter)
{
    struct gpio_lines *lines = lines_of(file->vnode);

    poll_hang(&lines->source, waiter);
    if (waiter && __atomic_load_n(&lines->polled, __ATOMIC_RELAXED))
        ktimer_arm(&lines->looker, hal_time_now() + POLL_NS);
    return has_events(lines) ? VNODE_CAN_READ : 0;
}

/* Waits for an event. 0, -EAGAIN or -EINTR. Caller holds the lock. */
static int await_event(struct gpio_lines *lines, bool nonblock)
{
    int error = 0;

    while (!error && lines->used == 0) {
        uint64_t deadline = HAL_TIME_NEVER;

        if (__atomic_load_n(&lines->polled, __ATOMIC_RELAXED)) {
            poll(lines);
            deadline = hal_time_now() + POLL_NS;
        }
        if (lines->used > 0)
            break;
        error = nonblock ? -EAGAIN : wait_sleep(&lines->readers, &lines->lock, deadline);
        if (error == -ETIMEDOUT)
            error = 0;
    }
    return error;
}

/* Takes the oldest event out, into place `index` of `data`. Caller holds the lock. */
static void take_event(struct gpio_lines *lines, void *data, size_t index)
{
    const struct gpio_abi_event *event = &lines->ring[lines->head];

    if (lines->old)
        ((struct gpio_old_event *)data)[index] =
            (struct gpio_old_event){.time = event->time, .id = event->id};
    else
        ((struct gpio_abi_event *)data)[index] = *event;
    lines->head = (lines->head + 1) % lines->room;
    lines->used--;
}

int64_t events_read(struct file *file, uint64_t offset, void *data, size_t n)
{
    struct gpio_lines *lines = lines_of(file->vnode);
    size_t size = lines->old ? sizeof(struct gpio_old_event) : sizeof(struct gpio_abi_event);
    hal_irq_state_t state;
    size_t taken = 0;
    int error;

    (void)offset;
    if (n < size)
        return -EINVAL;
    state = spinlock_acquire(&lines->lock);
    error = await_event(lines, file->flags & FILE_NONBLOCK);
    while (!error && taken < n / size && lines->used > 0)
        take_event(lines, data, taken++);
    spinlock_release(&lines->lock, state);
    return error ? error : (int64_t)(taken * size);
}
