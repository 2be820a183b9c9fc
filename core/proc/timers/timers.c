/* SPDX-License-Identifier: MIT */
/*
 * timers.c: timers that a process makes.
 *
 *     OFF --set--> ARMED --its time--> SENT --the signal is taken--> ARMED, or OFF without interval
 *
 * All of it is guarded by process_lock, which the function of a timer takes, too: a timer is taken
 * off the list first, and cancelled and freed without the lock then.
 */
#include "proc/timers/timers.h"

#include "heap/heap.h"
#include "proc/process.h"
#include "proc/signal/signals.h"
#include "work/ktimer.h"

#include <hal/errno.h>
#include <hal/time.h>

#define OVERRUN_MOST INT32_MAX

struct timer {
    struct list link; /* of the process; alone: it is being freed */
    struct ktimer ktimer;
    struct process *process;
    struct timer_event event;
    int32_t number;
    bool wall, sent;
    uint64_t expires, interval; /* expires 0: off */
    uint64_t overrun;           /* times that have passed since it was sent */
    int32_t overrun_told;
};

static struct timer *find(int32_t number)
{
    list_for_each (link, &process_current()->signals.made_timers) {
        struct timer *timer = list_entry(link, struct timer, link);

        if (timer->number == number)
            return timer;
    }
    return NULL;
}

/* The next time is after `now`; how many have passed counts. */
static void advance(struct timer *timer, uint64_t now)
{
    uint64_t passed;

    if (timer->expires > now)
        return;
    passed = (now - timer->expires) / timer->interval + 1;
    timer->expires += passed * timer->interval;
    timer->overrun += passed;
}

static void send(struct timer *timer)
{
    const struct signal_info info = {.code = SIGNAL_BY_TIMER,
                                     .timer = (uint32_t)timer->number,
                                     .timer_value = timer->event.value};
    struct user_thread *thread = timer->event.tid ? user_thread_find(timer->event.tid) : NULL;

    if (timer->event.tid == 0)
        signal_send(timer->process, timer->event.signal, &info);
    else if (thread && thread->process == timer->process)
        signal_send_thread(thread, timer->event.signal, &info);
}

/* Whether the signal waits already, and another one of its kind would be lost. */
static bool is_merged(const struct timer *timer)
{
    return timer->event.signal <= SIGNAL_PLAIN &&
           (signal_pending_set(&timer->process->signals.pending) & signal_bit(timer->event.signal));
}

static void strike(struct ktimer *ktimer)
{
    struct timer *timer = list_entry(ktimer, struct timer, ktimer);
    bool merged;

    process_lock();
    if (!list_empty(&timer->link) && timer->expires != 0) {
        merged = timer->event.signal == 0 || is_merged(timer);
        timer->sent = !merged;
        if (!merged)
            send(timer);
        else if (timer->interval != 0)
            advance(timer, hal_time_now());
        else
            timer->expires = 0;
        if (merged && timer->expires != 0)
            ktimer_arm(&timer->ktimer, timer->expires);
    }
    process_unlock();
}

void user_timer_taken(struct process *process, struct signal_info *info)
{
    list_for_each (link, &process->signals.made_timers) {
        struct timer *timer = list_entry(link, struct timer, link);

        if ((uint32_t)timer->number != info->timer || !timer->sent)
            continue;
        timer->sent = false;
        if (timer->interval != 0) {
            advance(timer, hal_time_now());
            timer->overrun -= timer->overrun > 0; /* the one that was sent */
            ktimer_arm(&timer->ktimer, timer->expires);
        } else {
            timer->expires = 0;
        }
        timer->overrun_told =
            timer->overrun < OVERRUN_MOST ? (int32_t)timer->overrun : OVERRUN_MOST;
        timer->overrun = 0;
        info->overrun = timer->overrun_told;
        return;
    }
}

/* The least number that is free; -EAGAIN: there are enough. The list is in the order of numbers. */
static int insert(struct timer *timer)
{
    struct list *all = &timer->process->signals.made_timers, *place = all;
    int32_t number = 0;

    list_for_each (link, all) {
        if (list_entry(link, struct timer, link)->number != number) {
            place = link;
            break;
        }
        number++;
    }
    if ((unsigned)number >= TIMERS_MOST)
        return -EAGAIN;
    timer->number = number;
    list_insert_before(&timer->link, place);
    return number;
}

int user_timer_create(const struct timer_event *event, bool wall)
{
    struct timer *timer = kcalloc(1, sizeof(*timer));
    const struct user_thread *thread;
    int number = -EINVAL;

    if (!timer)
        return -EAGAIN;
    list_init(&timer->link);
    ktimer_init(&timer->ktimer, strike);
    timer->process = process_current();
    timer->event = *event;
    timer->wall = wall;
    process_lock();
    thread = event->tid ? user_thread_find(event->tid) : user_thread_current();
    if (thread && thread->process == timer->process)
        number = insert(timer);
    if (number >= 0 && event->names_itself)
        timer->event.value = (uint64_t)number;
    process_unlock();
    if (number < 0)
        kfree(timer);
    return number;
}

int user_timer_is_wall(int32_t number)
{
    const struct timer *timer;
    int result;

    process_lock();
    timer = find(number);
    result = timer ? timer->wall : -EINVAL;
    process_unlock();
    return result;
}

/* How long it has to go. */
static void read_setting(const struct timer *timer, struct timer_setting *setting)
{
    uint64_t now = hal_time_now(), expires = timer->expires;

    *setting = (struct timer_setting){0, timer->interval};
    if (expires == 0 || (timer->interval == 0 && timer->sent))
        return;
    if (expires <= now && timer->interval != 0)
        expires += ((now - expires) / timer->interval + 1) * timer->interval;
    setting->time = expires > now ? expires - now : 1;
}

int user_timer_get(int32_t number, struct timer_setting *setting)
{
    const struct timer *timer;

    process_lock();
    timer = find(number);
    if (timer)
        read_setting(timer, setting);
    process_unlock();
    return timer ? 0 : -EINVAL;
}

/* A signal of the old setting that still waits does not make the new one go on. */
int user_timer_set(int32_t number, const struct timer_setting *setting, struct timer_setting *old)
{
    struct timer *timer;

    process_lock();
    timer = find(number);
    if (timer) {
        read_setting(timer, old);
        timer->sent = false;
        timer->overrun = 0;
        timer->expires = setting->time;
        timer->interval = setting->interval;
        if (setting->time != 0)
            ktimer_arm(&timer->ktimer, setting->time);
    }
    process_unlock();
    return timer ? 0 : -EINVAL;
}

int user_timer_overrun(int32_t number)
{
    const struct timer *timer;
    int result;

    process_lock();
    timer = find(number);
    result = timer ? timer->overrun_told : -EINVAL;
    process_unlock();
    return result;
}

/* It is on no list any more. */
static void destroy(struct timer *timer)
{
    (void)ktimer_cancel(&timer->ktimer);
    kfree(timer);
}

int user_timer_delete(int32_t number)
{
    struct timer *timer;

    process_lock();
    timer = find(number);
    if (timer)
        list_remove(&timer->link);
    process_unlock();
    if (!timer)
        return -EINVAL;
    destroy(timer);
    return 0;
}

void user_timers_end(struct process *process)
{
    for (;;) {
        struct list *link;

        process_lock();
        link = list_take_head(&process->signals.made_timers);
        process_unlock();
        if (!link)
            return;
        destroy(list_entry(link, struct timer, link));
    }
}
