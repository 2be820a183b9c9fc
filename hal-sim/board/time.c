/* SPDX-License-Identifier: MIT */
/*
 * time.c: machine time, the timer, and what happens when.
 *
 * Virtual clock: machine.now is a number that interrupt points push on and idling lets jump.
 * machine.due says when something is due: the timer, a device, or tb_run_*'s deadline; next is the
 * same, or earlier.
 *
 * Real clock: machine time is a line through the host's clock: machine0 + (host - host0) * speed.
 * The line changes when the speed does, or when idle time is skipped; readers on other threads and
 * in signal handlers see a consistent line by its sequence number, which is odd while it changes.
 */
#include "board/machine.h"

#include "host/host.h"

#include <hal/time.h>

/* ---- the line of the real clock ---- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static struct {
    _Atomic uint32_t sequence;
    _Atomic uint64_t machine0, host0;
    _Atomic double speed;
    _Atomic double chosen; /* the speed while the power is on */
    _Atomic bool skip;
} line = {.speed = 0, .chosen = 1};

struct line_now {
    uint64_t machine, host;
    double speed;
};

static struct line_now line_read(void)
{
    for (;;) {
        uint32_t before = atomic_load(&line.sequence);
        struct line_now at = {.host = host_now(), .speed = atomic_load(&line.speed)};
        uint64_t host0 = atomic_load(&line.host0);
        uint64_t passed = at.host > host0 ? at.host - host0 : 0;
        if (at.speed != 1.0)
            passed = (uint64_t)((double)passed * at.speed);
        at.machine = atomic_load(&line.machine0) + passed;
        if (!(before & 1) && atomic_load(&line.sequence) == before)
            return at;
    }
}

static void line_write(uint64_t machine0, uint64_t host0, double speed)
{
    atomic_fetch_add(&line.sequence, 1);
    atomic_store(&line.machine0, machine0);
    atomic_store(&line.host0, host0);
    atomic_store(&line.speed, speed);
    atomic_fetch_add(&line.sequence, 1);
}

uint64_t sim_time_to_host(uint64_t when)
{
    const double century = 3.2e18;
    struct line_now at = line_read();
    if (when <= at.machine)
        return at.host;
    double wait = at.speed > 0 ? (double)(when - at.machine) / at.speed : century;
    if (when == HAL_TIME_NEVER || wait >= century)
        return HOST_NEVER;
    return at.speed == 1.0 ? at.host + (when - at.machine) : at.host + (uint64_t)wait + 1;
}

/* ---- both clocks ---- */

uint64_t sim_time_now(void)
{
    return machine.real ? line_read().machine
                        : atomic_load_explicit(&machine.now, memory_order_relaxed);
}

void sim_time_reset(void)
{
    atomic_store(&machine.now, 0);
    if (machine.real)
        line_write(0, host_now(), atomic_load(&line.chosen));
}

void sim_time_freeze(void)
{
    if (machine.real)
        line_write(sim_time_now(), host_now(), 0);
}

void sim_time_set_speed(double speed, bool skip)
{
    struct line_now at = line_read();
    atomic_store(&line.skip, skip);
    atomic_store(&line.chosen, speed);
    int power = atomic_load(&machine.power);
    if (power != POWER_ON && power != POWER_REBOOTING)
        return;
    line_write(at.machine, at.host, speed);
    sim_cpu_attend_all(CPU_TIMER);
}

static uint64_t idle_up_to(const struct cpu *cpu, uint64_t now)
{
    uint64_t since = atomic_load(&cpu->idle_since);
    return atomic_load(&cpu->idle) && now > since ? now - since : 0;
}

uint64_t sim_time_idle(void)
{
    uint64_t idle = 0, now = sim_time_now();
    for (unsigned i = 0; i < machine.cpu_count; i++)
        idle += atomic_load(&machine.cpu[i].idle_for) + idle_up_to(&machine.cpu[i], now);
    return idle;
}

void sim_time_idle_begin(struct cpu *cpu)
{
    atomic_fetch_add(&cpu->idles, 1);
    atomic_store(&cpu->idle_since, sim_time_now());
    atomic_store(&cpu->idle, true);
    sim_watch_idle(cpu);
}

void sim_time_idle_end(struct cpu *cpu)
{
    atomic_fetch_add(&cpu->idle_for, idle_up_to(cpu, sim_time_now()));
    atomic_store(&cpu->idle, false);
}

/* ---- real clock ---- */

void sim_time_check_timer(struct cpu *cpu)
{
    if (cpu->deadline == HAL_TIME_NEVER)
        return;
    if (sim_time_now() >= cpu->deadline) {
        cpu->deadline = HAL_TIME_NEVER;
        sim_cpu_attend(cpu, 1u << HAL_IRQ_TIMER);
    } else {
        host_timer_arm(cpu, sim_time_to_host(cpu->deadline));
    }
}

/* Whether `cpu` would go on idling if time jumped: nothing asks for it but maybe its timer. */
static bool waits_for_time(const struct cpu *cpu)
{
    uint32_t pending = atomic_load(&cpu->pending);
    if (!atomic_load(&cpu->started))
        return true;
    return atomic_load(&cpu->idle) && !(pending & (cpu->enabled | CPU_ATTENTION));
}

static uint64_t next_deadline(void)
{
    uint64_t next = HAL_TIME_NEVER;
    for (unsigned i = 0; i < machine.cpu_count; i++)
        next = earlier(next, machine.cpu[i].deadline);
    return next;
}

/* The line is read and changed in one step, or a change of speed in between would be undone. */
void sim_time_skip_idle(struct cpu *cpu)
{
    if (!atomic_load(&line.skip))
        return;
    host_lock(HOST_MACHINE);
    struct line_now at = line_read();
    uint64_t when = next_deadline();
    bool skip = atomic_load(&line.skip) && when != HAL_TIME_NEVER && when > at.machine;
    for (unsigned i = 0; i < machine.cpu_count; i++)
        skip = skip && waits_for_time(&machine.cpu[i]);
    if (skip)
        line_write(when, at.host, at.speed);
    host_unlock(HOST_MACHINE);
    sim_time_check_timer(cpu);
    if (!skip)
        return;
    outside_time_jumped(when);
    for (unsigned i = 0; i < machine.cpu_count; i++)
        if (&machine.cpu[i] != cpu && machine.cpu[i].deadline != HAL_TIME_NEVER)
            sim_cpu_attend(&machine.cpu[i], CPU_TIMER);
}

/* ---- virtual clock ---- */

uint64_t sim_time_next_event(void)
{
    uint64_t device = earlier(sim_uart_next_event(), sim_card_next_event());
    return earlier(next_deadline(), device);
}

void sim_time_plan(void)
{
    if (machine.real)
        return;
    uint64_t due = earlier(sim_time_next_event(), earlier(machine.run_until, machine.turn.end));
    atomic_store_explicit(&machine.due, due, memory_order_relaxed);
    atomic_store_explicit(&machine.next, earlier(due, machine.watch_at), memory_order_relaxed);
}

void sim_time_skip_to(uint64_t when)
{
    uint64_t now = sim_time_now();
    if (when == HAL_TIME_NEVER || when <= now)
        return;
    atomic_store_explicit(&machine.now, when, memory_order_relaxed);
}

static long run_events(void *unused)
{
    (void)unused;
    host_lock(HOST_MACHINE);
    for (unsigned i = 0; i < machine.cpu_count; i++) {
        struct cpu *cpu = &machine.cpu[i];
        if (cpu->deadline <= sim_time_now()) {
            cpu->deadline = HAL_TIME_NEVER;
            sim_cpu_raise(cpu, HAL_IRQ_TIMER);
        }
    }
    sim_uart_run_events();
    sim_card_run_events();
    sim_time_plan();
    host_unlock(HOST_MACHINE);
    return 0;
}

void sim_time_catch_up(void)
{
    if (sim_time_now() >= atomic_load_explicit(&machine.due, memory_order_relaxed))
        fiber_call_host(sim_cpu_this(), run_events, NULL);
}

/* ---- the contract ---- */

/* The real clock's time, unless something has just changed, or it takes more than reading. */
static inline bool read_quickly(uint64_t *now)
{
    uint32_t before = atomic_load(&line.sequence);
    uint64_t host, host0 = atomic_load(&line.host0);
    if (before & 1 || atomic_load(&line.speed) != 1.0 || (host = host_now_quickly()) < host0)
        return false;
    *now = atomic_load(&line.machine0) + (host - host0);
    return host != 0 && atomic_load(&line.sequence) == before;
}

/* What hal_time_now does where reading alone will not do. */
static HAL_NOINLINE uint64_t enter_and_read(void)
{
    (void)sim_cpu_enter();
    uint64_t now = sim_time_now();
    sim_cpu_leave();
    sim_cpu_point(COST_TIME);
    return now;
}

uint64_t hal_time_now(void)
{
    uint64_t quick;
    if (machine.real && !sim_cpu_wanted() && read_quickly(&quick))
        return quick;
    return enter_and_read();
}

void hal_timer_set(uint64_t deadline)
{
    struct cpu *cpu = sim_cpu_enter();
    cpu->deadline = deadline;
    atomic_fetch_and(&cpu->pending, ~(1u << HAL_IRQ_TIMER));
    if (!machine.real)
        sim_time_plan();
    else if (deadline != HAL_TIME_NEVER)
        host_timer_arm(cpu, sim_time_to_host(deadline));
    sim_cpu_leave();
    sim_cpu_point(COST_TIME);
}

uint64_t hal_time_wall(void)
{
    const uint64_t epoch_2026 = 1767225600ull * 1000000000ull;
    (void)sim_cpu_enter();
    uint64_t wall = machine.real ? host_wall() : epoch_2026 + sim_time_now();
    sim_cpu_leave();
    sim_cpu_point(COST_TIME);
    return wall;
}
