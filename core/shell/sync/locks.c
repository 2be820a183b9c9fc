/* SPDX-License-Identifier: MIT */
/*
 * locks.c: `locks`: the classes of locks and what has happened to them, who holds and who waits,
 * and in which orders locks were taken.
 *
 * Everything is read while the kernel goes on, a line at a time and without memory of its own: two
 * lines may be of moments a little apart.
 */
#include "lib/format.h"
#include "lib/string.h"
#include "shell/commands/command.h"
#include "shell/memory/mem.h"
#include "sync/check/held.h"
#include "sync/check/order.h"
#include "sync/check/waits.h"
#include "sync/spinlock.h"
#include "thread/thread.h"
#include "tty/tty.h"

#include <hal/cpu.h>
#include <hal/time.h>

#define WAITS_SHOWN 64u

static uint64_t load(const uint64_t *value)
{
    return __atomic_load_n(value, __ATOMIC_RELAXED);
}

/* ---- classes ---- */

/* Those that somebody had to wait for come first; then those that were taken most. */
static uint64_t class_key(unsigned number, const void *unused)
{
    const struct lock_class *class = lock_class_at(number);
    uint64_t taken, contended;

    (void)unused;
    if (!class)
        return 0;
    taken = load(&class->state->taken);
    contended = load(&class->state->contended);
    if (taken > UINT32_MAX)
        taken = UINT32_MAX;
    return (contended << 32 | taken) + 1;
}

static void print_class(const struct lock_class *class)
{
    uint64_t longest = load(&class->state->longest_ns);
    char where[64], site[64];

    lock_site_text(&class->site, where, sizeof where);
    lock_site_text(__atomic_load_n(&class->state->longest, __ATOMIC_RELAXED), site, sizeof site);
    tty_print("%-8s %9llu %9llu ", lock_class_kind(class),
              (unsigned long long)load(&class->state->taken),
              (unsigned long long)load(&class->state->contended));
    if (longest)
        tty_print("%9llu.%03llu", (unsigned long long)longest / 1000,
                  (unsigned long long)longest % 1000);
    else
        tty_print("%13s", "-");
    tty_print("  %s (%s)", lock_class_name(class), where);
    if (longest)
        tty_print(", by %s", site);
    tty_print("\n");
}

static void print_classes(void)
{
    struct mem_ranking ranking = {0};
    unsigned number, count = 0;

    tty_print("KIND         TAKEN CONTENDED  LONGEST(us)  NAME\n");
    while (mem_rank_next(&ranking, LOCK_CLASSES, class_key, NULL, &number) && !thread_cancelled()) {
        print_class(lock_class_at(number));
        count++;
    }
    tty_print("%u of %u classes of locks; %s\n", count, LOCK_CLASSES - 1,
              !lock_checked() ? "boot with checks=1 to have them counted"
              : lock_timed()  ? "times are taken: \"locks time off\" ends that"
                              : "\"locks time on\" measures how long they are held");
}

/* ---- holders and waiters ---- */

/* "for 12.345 ms", or nothing if that is not known. */
static void print_since(uint64_t since)
{
    uint64_t now = hal_time_now();

    if (since && since <= now)
        tty_print(", for %llu.%03llu ms", (unsigned long long)(now - since) / 1000000,
                  (unsigned long long)(now - since) / 1000 % 1000);
}

static void print_holder(const char *who, uint32_t number, unsigned class,
                         const struct lock_site *site, uint64_t since)
{
    char name[96], where[64];

    lock_class_text(class, name, sizeof name);
    lock_site_text(site, where, sizeof where);
    tty_print("%s %u holds %s since %s", who, number, name, where);
    print_since(since);
    tty_print("\n");
}

/* Spinlocks are held for moments, so there is seldom one to see, and then of another CPU. */
static unsigned print_spinlocks(void)
{
    unsigned count = 0;

    for (unsigned cpu = 0; cpu < hal_cpu_count(); cpu++)
        for (unsigned rank = 0; rank < LOCK_RANKS; rank++) {
            struct spinlock_hold hold = spinlock_hold_of(cpu, (enum lock_rank)rank);

            if (!hold.lock)
                continue;
            print_holder("CPU", cpu, hold.class, hold.site, hold.since);
            count++;
        }
    return count;
}

static unsigned print_holders(void)
{
    struct lock_hold hold;
    unsigned count = 0;
    uint32_t thread;

    for (unsigned i = 0; i < HELD_MAX && !thread_cancelled(); i++)
        if (held_at(i, &hold, &thread)) {
            print_holder(hold.shared ? "reader: thread" : "thread", thread, hold.class, hold.site,
                         hold.since);
            count++;
        }
    return count;
}

static void print_waiter(const struct lock_wait *wait, uint32_t thread)
{
    char name[96], where[64];

    lock_site_text(wait->site, where, sizeof where);
    if (wait->what == WAIT_FOR_END) {
        tty_print("thread %u waits for the end of a thread, at %s\n", thread, where);
        return;
    }
    lock_class_text(wait->class, name, sizeof name);
    tty_print("thread %u waits%s for %s%s, at %s\n", thread, wait->timed ? " with a deadline" : "",
              name,
              wait->what == WAIT_FOR_READ    ? ", to read"
              : wait->what == WAIT_FOR_WRITE ? ", to write"
                                             : "",
              where);
}

static unsigned print_waiters(void)
{
    struct lock_wait wait;
    uint32_t thread;
    unsigned i = 0;

    while (i < WAITS_SHOWN && waits_at(i, &wait, &thread) && !thread_cancelled()) {
        print_waiter(&wait, thread);
        i++;
    }
    return i;
}

static void print_held(void)
{
    unsigned holders = print_spinlocks() + print_holders(), waiters = print_waiters();
    unsigned all = waits_count();

    tty_print("%u held; %u wait", holders, waiters < all ? all : waiters);
    if (waiters < all)
        tty_print(", of which %u are shown", waiters);
    if (held_lost())
        tty_print("; %llu holds found no room in the table since power-on",
                  (unsigned long long)held_lost());
    tty_print("\n");
}

/* ---- the graph ---- */

static void print_order(void)
{
    struct order_edge edge;
    unsigned i = 0;

    for (; order_at(i, &edge) && !thread_cancelled(); i++) {
        char from[64], to[64];

        lock_site_text(edge.from_site, from, sizeof from);
        lock_site_text(edge.to_site, to, sizeof to);
        tty_print("%s, then %s%s  (%s, %s)\n", lock_class_name(lock_class_at(edge.from)),
                  edge.from != edge.to ? ""
                  : edge.upward        ? "higher "
                                       : "lower ",
                  lock_class_name(lock_class_at(edge.to)), from, to);
    }
    tty_print("%u orders were seen; %u circles were reported\n", i, order_reports());
}

static void set_timing(const struct job *job)
{
    bool on = string_equal(job->args.words[2], "on");

    if (!on && !string_equal(job->args.words[2], "off"))
        command_usage(job, "time is on or off");
    else if (on && !lock_checked())
        command_error("boot with checks=1 first");
    else
        lock_timing(on);
}

void command_locks(struct job *job)
{
    const char *word = job->args.count > 1 ? job->args.words[1] : "";

    if (job->args.count == 1) {
        print_classes();
        print_held();
    } else if (job->args.count == 2 && string_equal(word, "held")) {
        print_held();
    } else if (job->args.count == 2 && string_equal(word, "order")) {
        print_order();
    } else if (job->args.count == 3 && string_equal(word, "time")) {
        set_timing(job);
    } else {
        command_usage(job, "locks takes held, order, or time and on or off");
    }
}
