/* SPDX-License-Identifier: MIT */
/*
 * spinlock.c: ticket locks: who comes takes the next number and waits until it is called, so that
 * nobody starves. Ranks are kept as one bit each in the CPU that holds them.
 *
 * With the checks on, each CPU also notes which lock of each rank it holds and since where. A rank
 * is held once at most, so that is a table by rank, and the order of release does not matter.
 */
#include "sync/spinlock.h"

#include "boot/panic.h"
#include "site/site.h"
#include "lib/format.h"
#include "sync/check/order.h"
#include "thread/cpu.h"
#include "thread/thread.h"

#include <hal/kstate.h>
#include <hal/time.h>

/* Not in the way of an acquire that need not wait: what needs room on the stack is not inlined. */
#define RARELY __attribute__((noinline, cold))

#define LOOK_TURNS 64u /* of waiting, from one look around to the next */

static KSTATE unsigned bypass; /* atomic: number + 1 of the CPU for which spinlock_bypass is on */

/* By CPU and rank; each row is written by its own CPU only, masked. Needs the checks. */
static KSTATE struct spinlock_hold holds[HAL_CPU_MAX][LOCK_RANKS];

/* By CPU: what it waits for; written as above, and needs no checks. */
static KSTATE struct spinlock_hold waits[HAL_CPU_MAX];

static KSTATE uint64_t patience; /* ns; constant after boot */

void spinlock_bypass(bool on)
{
    __atomic_store_n(&bypass, on ? hal_cpu_id() + 1 : 0, __ATOMIC_RELAXED);
}

static KSTATE bool shared; /* atomic: there are other CPUs */

void spinlock_share(void)
{
    __atomic_store_n(&shared, true, __ATOMIC_RELEASE);
}

/* The caller is masked: without other CPUs nobody can come between, and one step need not be one.
 */
static uint32_t take_ticket(struct spinlock *lock)
{
    if (__atomic_load_n(&shared, __ATOMIC_RELAXED))
        return __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);
    return lock->next++;
}

static bool bypassed(void)
{
    unsigned by = __atomic_load_n(&bypass, __ATOMIC_RELAXED);

    return by != 0 && by == hal_cpu_id() + 1;
}

void spinlock_init_class(struct spinlock *lock, enum lock_rank rank, const struct lock_class *class)
{
    *lock = (struct spinlock){.rank = (uint8_t)rank, .class = lock_class_number(class)};
}

void spinlock_set_patience(uint64_t ns)
{
    patience = ns;
}

static struct spinlock_hold read_hold(const struct spinlock_hold *hold)
{
    return (struct spinlock_hold){.lock = __atomic_load_n(&hold->lock, __ATOMIC_RELAXED),
                                  .class = __atomic_load_n(&hold->class, __ATOMIC_RELAXED),
                                  .site = __atomic_load_n(&hold->site, __ATOMIC_RELAXED),
                                  .since = __atomic_load_n(&hold->since, __ATOMIC_RELAXED)};
}

struct spinlock_hold spinlock_hold_of(unsigned cpu, enum lock_rank rank)
{
    return read_hold(&holds[cpu][rank]);
}

bool spinlock_text_of(unsigned cpu, unsigned number, char *text, size_t size)
{
    struct spinlock_hold hold;
    char name[96], site[64];

    if (number > LOCK_RANKS)
        return false;
    text[0] = '\0';
    hold = read_hold(number ? &holds[cpu][number - 1] : &waits[cpu]);
    if (!hold.lock)
        return true;
    lock_class_text(hold.class, name, sizeof name);
    lock_site_text(hold.site, site, sizeof site);
    format_text(text, size, number ? "holds %s, since %s" : "waits for %s, at %s", name, site);
    return true;
}

/* CPU + 1, or 0. */
static unsigned holder_of(const struct spinlock *lock)
{
    return __atomic_load_n(&lock->holder, __ATOMIC_RELAXED);
}

/* ---- what is wrong, in words ---- */

/* "spinlock run.lock (core/thread/run.c:55), held since core/thread/run.c:44" */
static void describe_hold(unsigned cpu, unsigned rank, char *text, size_t size)
{
    const struct spinlock_hold hold = spinlock_hold_of(cpu, (enum lock_rank)rank);
    char name[96], site[64];

    if (!hold.lock) {
        format_text(text, size, "a spinlock of rank %u", rank);
        return;
    }
    lock_class_text(hold.class, name, sizeof name);
    lock_site_text(hold.site, site, sizeof site);
    format_text(text, size, "%s, held since %s", name, site);
}

/* The highest rank that this CPU holds, apart from those in `without`. 0: none. */
static unsigned highest_rank(uint32_t without)
{
    uint32_t held = cpu_here()->held_ranks & ~without;

    return held ? 31u - (unsigned)__builtin_clz(held) : 0;
}

HAL_NORETURN RARELY static void refuse_acquire(const struct spinlock *lock,
                                               const struct lock_site *site)
{
    char name[96], other[160];
    unsigned rank = highest_rank(0);

    lock_class_text(lock->class, name, sizeof name);
    describe_hold(hal_cpu_id(), rank, other, sizeof other);
    if (holder_of(lock) == hal_cpu_id() + 1)
        panic_at(site->file, (int)site->line, "%s is taken again by the CPU that holds it: %s",
                 name, other);
    panic_at(site->file, (int)site->line,
             "wrong order: %s has rank %u and is taken under rank %u, %s", name, lock->rank, rank,
             other);
}

HAL_NORETURN RARELY static void refuse_release(const struct spinlock *lock,
                                               const struct lock_site *site)
{
    unsigned holder = holder_of(lock);
    char name[96];

    lock_class_text(lock->class, name, sizeof name);
    if (holder == 0)
        panic_at(site->file, (int)site->line, "%s is released and nobody holds it", name);
    if (!hal_irq_masked())
        panic_at(site->file, (int)site->line, "%s is released after interrupts were unmasked",
                 name);
    panic_at(site->file, (int)site->line, "%s is released by CPU %u and CPU %u holds it", name,
             hal_cpu_id(), holder - 1);
}

/* Caller is masked. */
static void check_sleep(uint32_t own, const struct lock_site *site)
{
    const struct cpu *cpu = cpu_here();
    char other[160];

    if (cpu->interrupts)
        panic_at(site->file, (int)site->line, "sleeping in an interrupt, at %s:%u",
                 alloc_file(site->file), site->line);
    if (!(cpu->held_ranks & ~own))
        return;
    describe_hold(hal_cpu_id(), highest_rank(own), other, sizeof other);
    panic_at(site->file, (int)site->line, "sleeping at %s:%u under a spinlock: %s",
             alloc_file(site->file), site->line, other);
}

void spinlock_check_sleep(const struct spinlock *released, const struct lock_site *site)
{
    hal_irq_state_t state;

    /* In an interrupt and under a spinlock they are masked; else this costs nothing. */
    if (!hal_irq_masked() || bypassed())
        return;
    state = hal_irq_save();
    check_sleep(released ? 1u << released->rank : 0, site);
    hal_irq_restore(state);
}

/* ---- the lock ---- */

/* The holder may be another one by now; whoever it is, this CPU has waited too long. */
HAL_NORETURN RARELY static void refuse_wait(const struct spinlock *lock,
                                            const struct lock_site *site)
{
    unsigned holder = holder_of(lock);
    char name[96], other[160];

    (void)cpu_stop_others(); /* so that the holder's thread cannot end while it is named */
    lock_class_text(lock->class, name, sizeof name);
    if (!holder)
        panic_at(site->file, (int)site->line,
                 "CPU %u waits too long for %s, which nobody holds: it is damaged", hal_cpu_id(),
                 name);
    describe_hold(holder - 1, lock->rank, other, sizeof other);
    panic_at(site->file, (int)site->line, "CPU %u waits too long for %s; CPU %u (%s) has it: %s",
             hal_cpu_id(), name, holder - 1, cpu_running(cpu_at(holder - 1))->name, other);
}

static void note_wait(const struct spinlock *lock, const struct lock_site *site)
{
    struct spinlock_hold *wait = &waits[hal_cpu_id()];

    __atomic_store_n(&wait->class, lock ? lock->class : 0, __ATOMIC_RELAXED);
    __atomic_store_n(&wait->site, site, __ATOMIC_RELAXED);
    __atomic_store_n(&wait->lock, lock, __ATOMIC_RELAXED);
}

/*
 * From time to time in a wait that began at `since`, or 0 for just now: gives when it began. A wait
 * is a good place to stand still for who looks at the kernel, and that time does not count.
 */
static uint64_t look_around(const struct spinlock *lock, const struct lock_site *site,
                            uint64_t since)
{
    uint64_t now = hal_time_now();

    if (cpu_stand_still()) {
        cpu_stop_interrupt();
        return 0;
    }
    if (patience && since && now - since > patience)
        refuse_wait(lock, site);
    return since ? since : now;
}

/* Waits until `ticket` is called. */
RARELY static void await_turn(struct spinlock *lock, uint32_t ticket, const struct lock_site *site)
{
    uint64_t since = 0;

    lock_class_contended(lock->class);
    note_wait(lock, site);
    for (unsigned turns = 1; __atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != ticket; turns++) {
        hal_cpu_relax();
        if (turns % LOOK_TURNS == 0)
            since = look_around(lock, site, since);
    }
    note_wait(NULL, NULL);
}

/* `held_before`: the ranks that this CPU held before it got `lock`. */
static HAL_NOINLINE void note_acquire(const struct spinlock *lock, const struct lock_site *site,
                                      uint32_t held_before)
{
    struct spinlock_hold *hold = &holds[hal_cpu_id()][lock->rank];

    lock_class_took(lock->class);
    for (uint32_t ranks = held_before; ranks; ranks &= ranks - 1) {
        const struct spinlock_hold *held = &holds[hal_cpu_id()][__builtin_ctz(ranks)];

        if (held->lock)
            order_note(held->class, held->site, lock->class, site);
    }
    __atomic_store_n(&hold->class, lock->class, __ATOMIC_RELAXED);
    __atomic_store_n(&hold->site, site, __ATOMIC_RELAXED);
    __atomic_store_n(&hold->since, lock_timed() ? hal_time_now() : 0, __ATOMIC_RELAXED);
    __atomic_store_n(&hold->lock, lock, __ATOMIC_RELAXED);
}

static HAL_NOINLINE void note_release(const struct spinlock *lock)
{
    struct spinlock_hold *hold = &holds[hal_cpu_id()][lock->rank];

    if (lock_timed() && hold->since)
        lock_class_held_for(lock->class, hal_time_now() - hold->since, hold->site);
    __atomic_store_n(&hold->lock, NULL, __ATOMIC_RELAXED);
}

/* `lock` is this CPU's, `cpu`, from now on. */
static inline void own(struct spinlock *lock, struct cpu *cpu)
{
    __atomic_store_n(&lock->holder, (uint8_t)(hal_cpu_id() + 1), __ATOMIC_RELAXED);
    cpu->held_ranks |= 1u << lock->rank;
}

static inline void disown(struct spinlock *lock)
{
    cpu_here()->held_ranks &= ~(1u << lock->rank);
    __atomic_store_n(&lock->holder, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&lock->owner, lock->owner + 1, __ATOMIC_RELEASE);
}

/* Whether there is more to a lock than the lock: it is noted, or on some CPU there is none. */
static bool special(void)
{
    return __atomic_load_n(&bypass, __ATOMIC_RELAXED) || lock_checked();
}

/* The rest of an acquire that was given `ticket`. */
RARELY static void acquire_later(struct spinlock *lock, const struct lock_site *site,
                                 uint32_t ticket)
{
    await_turn(lock, ticket, site);
    own(lock, cpu_here());
}

/* An acquire of which something is to be noted, or that is wrong. */
static HAL_NOINLINE void acquire_specially(struct spinlock *lock, const struct lock_site *site)
{
    struct cpu *cpu = cpu_here();
    uint32_t ticket;

    if (bypassed())
        return;
    if (cpu->held_ranks >> lock->rank)
        refuse_acquire(lock, site);
    ticket = take_ticket(lock);
    if (__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != ticket)
        await_turn(lock, ticket, site);
    if (lock_checked())
        note_acquire(lock, site, cpu->held_ranks);
    own(lock, cpu);
}

/* The usual way calls nobody but at its end, so it needs no room on the stack. */
void spinlock_acquire_masked_at(struct spinlock *lock, const struct lock_site *site)
{
    struct cpu *cpu = cpu_here();
    uint32_t ticket;

    if (special() || cpu->held_ranks >> lock->rank) {
        acquire_specially(lock, site);
        return;
    }
    ticket = take_ticket(lock);
    if (__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != ticket) {
        acquire_later(lock, site, ticket);
        return;
    }
    own(lock, cpu);
}

static HAL_NOINLINE void release_specially(struct spinlock *lock, hal_irq_state_t state,
                                           const struct lock_site *site)
{
    if (!bypassed()) {
        if (!spinlock_held(lock))
            refuse_release(lock, site);
        if (lock_checked())
            note_release(lock);
        disown(lock);
    }
    hal_irq_restore(state);
}

void spinlock_release_at(struct spinlock *lock, hal_irq_state_t state, const struct lock_site *site)
{
    if (special() || !spinlock_held(lock)) {
        release_specially(lock, state, site);
        return;
    }
    disown(lock);
    hal_irq_restore(state);
}

bool spinlock_held(const struct spinlock *lock)
{
    return hal_irq_masked() && holder_of(lock) == hal_cpu_id() + 1;
}
