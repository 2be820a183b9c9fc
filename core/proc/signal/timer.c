/* SPDX-License-Identifier: MIT */
/*
 * timer.c: interval timers of processes.
 *
 * The one for real time stands still from when it has sent SIGALRM to when that is taken, as on
 * Linux; so a short interval does not keep the kernel busy. Of the time used nobody tells when it
 * reaches a value. So it is looked at when it can have, at the earliest, and while the process uses
 * none ever less often.
 */
#include "proc/signal/timer.h"

#include "proc/signal/signals.h"
#include "thread/thread.h"

#include <hal/time.h>

#define PAUSE_LEAST 1000000u /* 1 ms */
#define PAUSE_MOST 64000000u

static const uint8_t signals[SIGNAL_TIMERS] = {SIGNAL_ALRM, SIGNAL_VTALRM, SIGNAL_PROF};

/* What counts for one that is not for real time. Caller holds process_lock. */
static uint64_t time_used(const struct signal_timer *timer)
{
    struct process_times times = process_read_times(timer->process);

    return timer->which == SIGNAL_TIMER_VIRTUAL ? times.user : times.user + times.system;
}

/* The first time after `now` that is some intervals after the last one. */
static uint64_t next_time(const struct signal_timer *timer, uint64_t now)
{
    uint64_t gone = now > timer->expires ? now - timer->expires : 0;

    return timer->expires + (gone / timer->interval + 1) * timer->interval;
}

static void strike_real(struct signal_timer *timer)
{
    if (timer->expires != 0 && timer->expires <= hal_time_now())
        signal_send(timer->process, SIGNAL_ALRM, NULL);
}

void signal_timer_go_on(struct process *process)
{
    struct signal_timer *timer = &process->signals.timers[SIGNAL_TIMER_REAL];
    uint64_t now = hal_time_now();

    if (timer->expires == 0 || timer->expires > now || ktimer_is_armed(&timer->timer))
        return;
    timer->expires = timer->interval ? next_time(timer, now) : 0;
    if (timer->expires != 0)
        ktimer_arm(&timer->timer, timer->expires);
}

/* When the time used is to be looked at again. */
static void arm_look(struct signal_timer *timer)
{
    uint64_t used = time_used(timer); /* it goes on: it may be more than `expires` by now */
    uint64_t left = timer->expires > used ? timer->expires - used : 0;
    unsigned threads = __atomic_load_n(&timer->process->thread_count, __ATOMIC_RELAXED);

    if (used == timer->used && timer->pause < PAUSE_MOST)
        timer->pause *= 2;
    else if (used != timer->used)
        timer->pause = PAUSE_LEAST;
    timer->used = used;
    left /= threads > 0 ? threads : 1;
    ktimer_arm(&timer->timer, hal_time_now() + (left > timer->pause ? left : timer->pause));
}

static void look(struct signal_timer *timer)
{
    uint64_t used = time_used(timer);

    if (timer->expires != 0 && timer->expires <= used) {
        signal_send(timer->process, signals[timer->which], NULL);
        timer->expires = timer->interval ? next_time(timer, used) : 0;
    }
    if (timer->expires != 0)
        arm_look(timer);
}

static void strike(struct ktimer *ktimer)
{
    struct signal_timer *timer = list_entry(ktimer, struct signal_timer, timer);

    process_lock();
    if (timer->which == SIGNAL_TIMER_REAL)
        strike_real(timer);
    else
        look(timer);
    process_unlock();
}

void signal_timers_init(struct process *process)
{
    for (unsigned i = 0; i < SIGNAL_TIMERS; i++) {
        struct signal_timer *timer = &process->signals.timers[i];

        ktimer_init(&timer->timer, strike);
        timer->process = process;
        timer->which = i;
    }
}

void signal_timers_end(struct process *process)
{
    for (unsigned i = 0; i < SIGNAL_TIMERS; i++) {
        process_lock();
        process->signals.timers[i].expires = 0;
        process_unlock();
        (void)ktimer_cancel(&process->signals.timers[i].timer);
    }
}

/* ---- for the caller ---- */

/* Caller holds process_lock. */
static void read_setting(const struct signal_timer *timer, struct signal_timer_setting *setting)
{
    uint64_t now = timer->which == SIGNAL_TIMER_REAL ? hal_time_now() : time_used(timer);

    *setting = (struct signal_timer_setting){0, timer->interval};
    if (timer->expires == 0)
        return;
    setting->left = timer->expires > now ? timer->expires - now : 1;
}

static void start(struct signal_timer *timer, uint64_t left)
{
    timer->pause = PAUSE_LEAST;
    timer->used = time_used(timer);
    timer->expires = left + (timer->which == SIGNAL_TIMER_REAL ? hal_time_now() : timer->used);
    if (timer->which == SIGNAL_TIMER_REAL)
        ktimer_arm(&timer->timer, timer->expires);
    else
        arm_look(timer);
}

void signal_timer_set(unsigned which, const struct signal_timer_setting *setting,
                      struct signal_timer_setting *old)
{
    struct signal_timer *timer = &process_current()->signals.timers[which];

    process_lock();
    read_setting(timer, old);
    timer->expires = 0;
    process_unlock();
    (void)ktimer_cancel(&timer->timer);
    process_lock();
    timer->interval = setting->interval;
    if (setting->left != 0)
        start(timer, setting->left);
    process_unlock();
}

void signal_timer_get(unsigned which, struct signal_timer_setting *setting)
{
    process_lock();
    read_setting(&process_current()->signals.timers[which], setting);
    process_unlock();
}
