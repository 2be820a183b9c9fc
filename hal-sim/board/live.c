/* SPDX-License-Identifier: MIT */
/*
 * live.c: which address space is live, and whose turn is next.
 *
 * `live` is the space whose views there are, and `runners` the CPUs in user code. With the real
 * clock and several CPUs, a space that is not live gets a ticket; when the turn is over, a CPU that
 * waits has the runners leave, and the space with the lowest ticket of those that a CPU waits for
 * right then is next. A ticket is kept until its space has been live, also while its CPU takes an
 * interrupt. With the virtual clock no CPU is in user code while another one is played.
 *
 * What makes views is aspace.c.
 */
#include "board/live.h"

#include "board/aspace.h"
#include "host/host.h"

#include <hal/runtime.h>

#define IDLE_NS 50000u /* in the kernel, and not idle: another space may be live instead */

/* HOST_USER, but for the first members: see is_let_in. */
static struct {
    _Atomic(struct hal_aspace *) live; /* whose views there are */
    _Atomic uint32_t runners;          /* CPUs in user code, as bits */
    _Atomic uint32_t waiting;          /* CPUs that wait, or see whether they have to, as bits */
    _Atomic uint64_t left;             /* host time: when the last runner left */
    uint64_t until;                    /* host time: the end of the turn that it was granted */
    uint64_t tickets;                  /* how many were given */
    struct hal_aspace *waits[HAL_CPU_MAX]; /* for which space; NULL: that CPU does not wait */
} users;

struct hal_aspace *sim_live_space(void)
{
    return atomic_load(&users.live);
}

void sim_live_end(void)
{
    atomic_store(&users.live, NULL);
}

void sim_live_reset(void)
{
    memset(&users, 0, sizeof users);
}

/* HOST_USER held; nobody runs user code. */
static void make_live(struct hal_aspace *aspace)
{
    if (users.live != aspace)
        sim_aspace_show(aspace);
    users.live = aspace;
    aspace->ticket = 0;
    if (machine.real)
        users.until = host_now() + HAL_USER_TURN;
}

/* The rest: real clock and several CPUs, HOST_USER held. */

/* The space that is next of those that a CPU other than for `but` waits for, or NULL. The live one
 * has no ticket: whoever still waits for it need not be asked. */
static struct hal_aspace *next_waiting(const struct hal_aspace *but)
{
    struct hal_aspace *next = NULL;
    for (unsigned i = 0; i < HAL_CPU_MAX; i++) {
        struct hal_aspace *one = users.waits[i];
        if (one && one != but && one != users.live && (!next || one->ticket < next->ticket))
            next = one;
    }
    return next;
}

/* Whether no CPU has anything to do but those that wait: the live space is not needed soon. */
static bool are_others_idle(void)
{
    const uint32_t waiting = atomic_load(&users.waiting);
    for (unsigned i = 0; i < machine.cpu_count; i++)
        if (!(waiting >> i & 1) && atomic_load(&machine.cpu[i].started) &&
            !atomic_load(&machine.cpu[i].idle))
            return false;
    return true;
}

/* Whether `aspace` can be live now; else when to ask again, if nobody says so earlier. */
static bool may_run(const struct hal_aspace *aspace, uint64_t now, uint64_t *again)
{
    const struct hal_aspace *other = next_waiting(aspace);
    uint64_t idle_end = are_others_idle() ? 0 : users.left + IDLE_NS;
    *again = HOST_NEVER;
    if (!users.live || (users.live == aspace && (!other || now < users.until)))
        return true;
    if (users.live == aspace)
        return false;
    *again = users.runners || users.until < idle_end ? users.until : idle_end;
    return !users.runners && now >= *again && (!other || aspace->ticket < other->ticket);
}

static void wake_waiting(void)
{
    for (unsigned i = 0; i < machine.cpu_count; i++)
        if (users.waits[i])
            sim_cpu_attend(&machine.cpu[i], CPU_TURN);
}

/* Those that wait for `aspace`, if it is one: it may be their turn. */
static void wake_for(const struct hal_aspace *aspace)
{
    for (unsigned i = 0; i < machine.cpu_count && aspace; i++)
        if (users.waits[i] == aspace)
            sim_cpu_attend(&machine.cpu[i], CPU_TURN);
}

static void have_runners_leave(void)
{
    for (unsigned i = 0; i < machine.cpu_count; i++)
        if (users.runners >> i & 1)
            sim_cpu_attend(&machine.cpu[i], CPU_LEAVE);
}

/* For which space the CPU waits; NULL: it does not. */
static void set_waiting(unsigned number, struct hal_aspace *aspace)
{
    users.waits[number] = aspace;
    if (!aspace)
        atomic_fetch_and(&users.waiting, ~(1u << number));
}

static bool take(struct cpu *cpu, struct hal_aspace *aspace, uint64_t *again)
{
    unsigned number = sim_cpu_number(cpu);
    uint64_t now = host_now();
    bool may;
    host_lock(HOST_USER);
    atomic_fetch_or(&users.waiting, 1u << number);
    atomic_fetch_and(&cpu->pending, ~(uint32_t)(CPU_LEAVE | CPU_TURN));
    if (!aspace->ticket && users.live != aspace)
        aspace->ticket = ++users.tickets;
    may = may_run(aspace, now, again);
    if (may && users.live != aspace)
        make_live(aspace);
    if (may)
        atomic_fetch_or(&users.runners, 1u << number);
    else if (!aspace->ticket)
        aspace->ticket = ++users.tickets;
    set_waiting(number, may ? NULL : aspace);
    if (!may && now >= *again) {
        have_runners_leave();
        wake_for(users.runners ? NULL : next_waiting(aspace));
        *again = HOST_NEVER;
    }
    if (may)
        wake_waiting(); /* those that wait for the same space may go on, and others for how long */
    host_unlock(HOST_USER);
    return may;
}

struct entering {
    struct cpu *cpu;
    struct hal_aspace *aspace;
};

static void stop_waiting(struct cpu *cpu)
{
    host_lock(HOST_USER);
    set_waiting(sim_cpu_number(cpu), NULL);
    wake_waiting(); /* it may be the next one's turn now */
    host_unlock(HOST_USER);
}

static long enter_work(void *argument)
{
    const struct entering *entering = argument;
    struct cpu *cpu = entering->cpu;
    uint64_t again;
    bool taken = true;
    while (!take(cpu, entering->aspace, &again)) {
        atomic_store(&cpu->asleep, true);
        uint32_t pending = atomic_load(&cpu->pending);
        taken = !(pending & (cpu->enabled | CPU_ATTENTION));
        if (taken && !(pending & CPU_TURN))
            host_word_wait(&cpu->pending, pending, again);
        atomic_store(&cpu->asleep, false);
        if (!taken)
            break;
    }
    if (!taken)
        stop_waiting(cpu);
    return taken;
}

static bool is_alone(void)
{
    return !machine.real || machine.cpu_count == 1;
}

static long tell_waiting(void *unused)
{
    (void)unused;
    host_lock(HOST_USER);
    if (!atomic_load(&users.runners))
        wake_waiting();
    host_unlock(HOST_USER);
    return 0;
}

void sim_live_idles(void)
{
    if (atomic_load(&users.waiting) && are_others_idle())
        (void)tell_waiting(NULL);
}

static void stop_running(struct cpu *cpu)
{
    atomic_fetch_and(&users.runners, ~(1u << sim_cpu_number(cpu)));
    if (atomic_load(&users.waiting))
        (void)fiber_call_host(cpu, tell_waiting, NULL);
}

/*
 * Most calls find their space live, and nobody who waits; they need no lock. Who does so says that
 * it runs, and then looks whether somebody waits, and then which space is live. Who makes another
 * space live says that it waits, then looks who runs, and says that it does not wait any more last
 * of all. So either this one sees that somebody waits, or that another space is live; or that one
 * sees that this one runs.
 */
static bool is_let_in(struct cpu *cpu, const struct hal_aspace *aspace)
{
    if (atomic_load(&cpu->pending) & (CPU_LEAVE | CPU_TURN))
        return false;
    atomic_fetch_or(&users.runners, 1u << sim_cpu_number(cpu));
    if (!atomic_load(&users.waiting) && atomic_load(&users.live) == aspace)
        return true;
    stop_running(cpu);
    return false;
}

bool sim_live_stop_others(struct cpu *cpu)
{
    const uint32_t own = 1u << sim_cpu_number(cpu);
    atomic_fetch_or(&users.waiting, own);
    return is_alone() || !(atomic_load(&users.runners) & ~own);
}

void sim_live_let_others(struct cpu *cpu)
{
    set_waiting(sim_cpu_number(cpu), NULL);
}

bool sim_aspace_enter(struct cpu *cpu, struct hal_aspace *aspace)
{
    struct entering entering = {cpu, aspace};
    if (!is_alone())
        return is_let_in(cpu, aspace) || fiber_call_host(cpu, enter_work, &entering);
    if (users.live != aspace)
        make_live(aspace);
    return true;
}

static long hide_work(void *unused)
{
    (void)unused;
    sim_aspace_hide();
    return 0;
}

void sim_aspace_leave(struct cpu *cpu)
{
    if (!is_alone()) {
        atomic_store(&users.left, host_now());
        stop_running(cpu);
    }
    if (host_user_hides())
        (void)fiber_call_host(cpu, hide_work, NULL);
}
