/* SPDX-License-Identifier: MIT */
/*
 * timers.c: timers that a process makes.
 *
 *     OFF --set--> ARMED --its time--> SENT --the signal is taken or dropped--> ARMED, or OFF
 *                                                                               without interval
 *
 * All of it is guarded by process_lock, which the function of a timer takes, too: a timer is taken
 * off the list first, and cancelled and freed without the lock then.
 */
#include "proc/timers/timers.h"

#include "deferred/ktimer.h"
#include "heap/heap.h"
#include "proc/process.h"
#include "proc/signal/signals.h"

#include <hal/errno.h>
#include <hal/time.h>

#define OVERRUN_MOST INT32_MAX
#define PAUSE_LEAST 1000000u /* 1 ms */
#define PAUSE_MOST 64000000u

struct timer {
    struct list link; /* of the process; alone: it is being freed */
    struct ktimer ktimer;
    struct process *process;
    struct timer_event event;
    int32_t number;
    enum timer_clock clock;
    uint32_t maker; /* the thread whose time TIMER_THREAD counts */
    bool sent;
    uint64_t used, pause;       /* processor time: at the last look, and until the next one */
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

/* ---- what it counts ---- */

static bool is_of_use(const struct timer *timer)
{
    return timer->clock == TIMER_PROCESS || timer->clock == TIMER_THREAD;
}

static uint64_t now_of(const struct timer *timer)
{
    const struct user_thread *thread;
    struct process_times times;

    switch (timer->clock) {
    case TIMER_PROCESS:
        return process_run_time(timer->process);
    case TIMER_THREAD:
        thread = user_thread_find(timer->maker);
        if (!thread || thread->process != timer->process)
            return timer->used; /* it has ended, and uses no more */
        times = user_thread_times(thread);
        return times.user + times.system;
    default:
        return hal_time_now();
    }
}

/* When the time used is to be looked at again. */
static uint64_t next_look(struct timer *timer)
{
    uint64_t used = now_of(timer), left = timer->expires > used ? timer->expires - used : 0;

    if (used != timer->used)
        timer->pause = PAUSE_LEAST;
    else if (timer->pause < PAUSE_MOST)
        timer->pause *= 2;
    timer->used = used;
    if (timer->clock == TIMER_PROCESS && timer->process->thread_count > 0)
        left /= timer->process->thread_count;
    return hal_time_now() + (left > timer->pause ? left : timer->pause);
}

/* Not before `least`, if it does not count use. */
static void arm(struct timer *timer, uint64_t least)
{
    uint64_t time = timer->expires > least ? timer->expires : least;

    ktimer_arm(&timer->ktimer, is_of_use(timer) ? next_look(timer) : time);
}

/* ---- its time has come ---- */

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

/* True if the signal waits, and says whose it is. */
static bool send(struct timer *timer)
{
    const struct signal_info info = {.code = SIGNAL_BY_TIMER,
                                     .timer = (uint32_t)timer->number,
                                     .timer_value = timer->event.value};
    struct user_thread *thread = timer->event.tid ? user_thread_find(timer->event.tid) : NULL;

    if (timer->event.tid != 0 && (!thread || thread->process != timer->process))
        return false;
    return signal_send_kept(timer->process, thread, timer->event.signal, &info);
}

/* Nobody is going to take a signal of it. A short interval does not keep the kernel busy. */
static void go_on(struct timer *timer)
{
    timer->sent = false;
    if (timer->interval == 0) {
        timer->expires = 0;
    } else {
        advance(timer, now_of(timer));
        arm(timer, hal_time_now() + PAUSE_LEAST);
    }
}

/* One that sends nothing is only looked at. */
static void expire(struct timer *timer)
{
    if (timer->event.signal == 0)
        timer->expires = timer->interval ? timer->expires : 0;
    else if (send(timer))
        timer->sent = true;
    else
        go_on(timer);
}

static void strike(struct ktimer *ktimer)
{
    struct timer *timer = list_entry(ktimer, struct timer, ktimer);

    process_lock();
    if (!list_empty(&timer->link) && timer->expires != 0) {
        if (is_of_use(timer) && now_of(timer) < timer->expires)
            arm(timer, 0);
        else
            expire(timer);
    }
    process_unlock();
}

/* The timer whose signal that is, if it is not forgotten already. */
static struct timer *find_sender(struct process *process, const struct signal_info *info)
{
    list_for_each (link, &process->signals.made_timers) {
        struct timer *timer = list_entry(link, struct timer, link);

        if ((uint32_t)timer->number == info->timer)
            return timer->sent ? timer : NULL;
    }
    return NULL;
}

void user_timer_taken(struct process *process, struct signal_info *info)
{
    struct timer *timer = find_sender(process, info);

    if (!timer)
        return;
    timer->sent = false;
    if (timer->interval != 0) {
        advance(timer, now_of(timer));
        timer->overrun -= timer->overrun > 0; /* the one that was sent */
        arm(timer, 0);
    } else {
        timer->expires = 0;
    }
    timer->overrun_told = timer->overrun < OVERRUN_MOST ? (int32_t)timer->overrun : OVERRUN_MOST;
    timer->overrun = 0;
    info->overrun = timer->overrun_told;
}

void user_timer_dropped(struct process *process, const struct signal_info *info)
{
    struct timer *timer = find_sender(process, info);

    if (timer)
        go_on(timer);
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

int user_timer_create(const struct timer_event *event, enum timer_clock clock)
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
    timer->clock = clock;
    timer->maker = user_thread_current()->tid;
    timer->pause = PAUSE_LEAST;
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

int user_timer_clock(int32_t number, uint64_t *now)
{
    const struct timer *timer;
    int result;

    process_lock();
    timer = find(number);
    result = timer ? (int)timer->clock : -EINVAL;
    if (timer)
        *now = now_of(timer);
    process_unlock();
    return result;
}

/* How long it has to go. */
static void read_setting(const struct timer *timer, struct timer_setting *setting)
{
    uint64_t now = now_of(timer), expires = timer->expires;

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
            arm(timer, 0);
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
