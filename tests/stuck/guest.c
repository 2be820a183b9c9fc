/* SPDX-License-Identifier: MIT */
/*
 * guest.c: a kernel that stops making progress in the way that the boot word `stuck=` names.
 *
 * It takes the place of the shell (the linker's --wrap) and powers off when nothing stopped it. The
 * functions that do the wrong thing have names of their own, by which a report is known.
 */
#include "boot/cmdline.h"
#include "lib/string.h"
#include "sync/mutex.h"
#include "sync/spinlock.h"
#include "thread/cpu.h"
#include "thread/thread.h"
#include "tty/tty.h"

#include <hal/board.h>
#include <hal/compiler.h>
#include <hal/cpu.h>
#include <hal/kstate.h>
#include <hal/time.h>

#define MS UINT64_C(1000000)
#define LAST_CPU (cpu_count_online() - 1)

static KSTATE struct state {
    struct spinlock lock;
    struct mutex mutex;
    struct thread *player;
    volatile uint32_t turns;
    void (*part)(void);
    bool placed, ready; /* atomic */
} state;

/* Does nothing before it is where it is to be. */
static void player_main(void *unused)
{
    (void)unused;
    while (!__atomic_load_n(&state.placed, __ATOMIC_ACQUIRE))
        (void)thread_sleep(MS);
    state.part();
}

/* Starts a thread; on the last CPU if `apart`, else on this one. */
static void start(void (*part)(void), bool apart)
{
    uint32_t cpus = 1u << (apart ? LAST_CPU : 0);

    state.part = part;
    if (thread_set_affinity(thread_current(), 1) ||
        thread_create("player", player_main, NULL, &state.player) ||
        thread_set_affinity(state.player, cpus))
        tty_print("no player\n");
    __atomic_store_n(&state.placed, true, __ATOMIC_RELEASE);
}

/* ---- no interrupt point ---- */

__attribute__((noinline)) static void count_for_ever(void)
{
    /* Its own, or a tool's calls would be most of the loop: no watch looks into those. */
    for (volatile uint32_t turns = 0;; turns++)
        ;
}

static void part_count(void)
{
    count_for_ever();
}

static void no_point(void)
{
    start(part_count, false);
    thread_join(state.player);
}

/* ---- masked ---- */

__attribute__((noinline)) static void poll_for_ever(void)
{
    for (;;)
        hal_cpu_relax();
}

static void part_masked_poll(void)
{
    hal_irq_state_t masked = hal_irq_save();

    poll_for_ever();
    hal_irq_restore(masked);
}

static void part_masked_count(void)
{
    hal_irq_state_t masked = hal_irq_save();

    count_for_ever();
    hal_irq_restore(masked);
}

static void masked_poll(void)
{
    start(part_masked_poll, false);
    thread_join(state.player);
}

static void masked_count(void)
{
    start(part_masked_count, false);
    thread_join(state.player);
}

static void masked_elsewhere(void)
{
    start(part_masked_poll, true);
    thread_join(state.player);
}

/* ---- spinlocks ---- */

static void part_keep(void)
{
    hal_irq_state_t irq = spinlock_acquire(&state.lock); /* site: kept */

    __atomic_store_n(&state.ready, true, __ATOMIC_RELEASE);
    poll_for_ever();
    spinlock_release(&state.lock, irq);
}

/* The CPU can be interrupted, so nothing is wrong with it: it has forgotten to release. */
static void part_leak(void)
{
    hal_irq_state_t irq = spinlock_acquire(&state.lock); /* site: leaked */

    (void)irq;
    __atomic_store_n(&state.ready, true, __ATOMIC_RELEASE);
    hal_irq_unmask();
    poll_for_ever();
}

static void want_lock(void (*part)(void))
{
    hal_irq_state_t irq;

    start(part, true);
    while (!__atomic_load_n(&state.ready, __ATOMIC_ACQUIRE))
        (void)thread_sleep(MS);
    irq = spinlock_acquire(&state.lock); /* site: wanted */
    spinlock_release(&state.lock, irq);
}

static void lock_kept(void)
{
    want_lock(part_keep);
}

static void lock_leaked(void)
{
    want_lock(part_leak);
}

/* ---- stacks ---- */

__attribute__((noinline)) static unsigned dig(unsigned depth)
{
    volatile unsigned hole[64];

    hole[depth % 64] = depth;
    return depth == UINT32_MAX ? hole[0] : dig(depth + 1) + hole[depth % 64];
}

static void part_dig(void)
{
    state.turns = dig(0);
}

static void stack_overflow(void)
{
    start(part_dig, false);
    thread_join(state.player);
}

/* ---- what is no mistake, or cannot be told from none ---- */

static void part_poll(void)
{
    __atomic_store_n(&state.ready, true, __ATOMIC_RELEASE);
    poll_for_ever();
}

/* Polls for ever, and can be interrupted: whether others run is the policy's affair. */
static void never_yields(void)
{
    start(part_poll, false);
    while (!__atomic_load_n(&state.ready, __ATOMIC_ACQUIRE))
        (void)thread_sleep(MS);
}

static void part_hold(void)
{
    mutex_lock(&state.mutex); /* site: held */
    __atomic_store_n(&state.ready, true, __ATOMIC_RELEASE);
    (void)thread_sleep_until(HAL_TIME_NEVER);
    mutex_unlock(&state.mutex);
}

/* Nobody waits in a circle: the owner of the mutex waits for what nobody will do. */
static void never_woken(void)
{
    start(part_hold, false);
    while (!__atomic_load_n(&state.ready, __ATOMIC_ACQUIRE))
        (void)thread_sleep(MS);
    mutex_lock(&state.mutex); /* site: waits */
    mutex_unlock(&state.mutex);
}

/* Masked for long, but each time for less than too long; idle for very long. */
static void patient(void)
{
    for (unsigned i = 0; i < 30; i++) {
        hal_irq_state_t irq = hal_irq_save();
        uint64_t end = hal_time_now() + 20 * MS;

        while (hal_time_now() < end)
            hal_cpu_relax();
        hal_irq_restore(irq);
    }
    (void)thread_sleep(1000 * MS);
}

static const struct stuck {
    const char *name;
    void (*commit)(void);
} kinds[] = {
    {"no-point", no_point},
    {"masked-poll", masked_poll},
    {"masked-count", masked_count},
    {"masked-elsewhere", masked_elsewhere},
    {"lock-kept", lock_kept},
    {"lock-leaked", lock_leaked},
    {"stack-overflow", stack_overflow},
    {"never-yields", never_yields},
    {"never-woken", never_woken},
    {"patient", patient},
};

/* The linker puts this in the place of shell_main (--wrap). */
HAL_NORETURN void __wrap_shell_main(void *unused);

void __wrap_shell_main(void *unused)
{
    char name[32];

    (void)unused;
    spinlock_init(&state.lock, LOCK_RANK_DEVICE);
    mutex_init(&state.mutex);
    (void)cmdline_value("stuck", name, sizeof name);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (string_equal(name, kinds[i].name)) {
            kinds[i].commit();
            tty_print("nobody stopped it\n");
        }
    tty_drain();
    hal_board_stop(HAL_STOP_POWER_OFF, 0);
}
