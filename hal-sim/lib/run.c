/* SPDX-License-Identifier: MIT */
/*
 * run.c: running, and letting go.
 *
 * Virtual clock: the caller's thread plays the CPUs while tb_run_* lasts. The guest comes back at
 * an interrupt point when something set CPU_YIELD or run_until is reached. Real clock: a thread
 * plays each CPU, and tb_run_* only waits; whoever has news for it counts up `bell`.
 */
#include "lib/library.h"

#include <hal/errno.h>

#include <math.h>

void library_ring(void)
{
    atomic_fetch_add(&library.bell, 1);
    if (atomic_load(&library.waiting))
        host_word_wake(&library.bell);
}

void library_notify(uint32_t flag)
{
    atomic_fetch_or(&library.flags, flag);
    if (!machine.real)
        sim_cpu_attend_all(CPU_YIELD);
    library_ring();
}

void outside_parked(void)
{
    library_ring();
}

void outside_time_jumped(uint64_t now)
{
    if (now >= atomic_load(&library.deadline))
        library_ring();
}

void outside_stuck(void)
{
    if (machine.real)
        library_ring();
    else if (machine.run_until == HAL_TIME_NEVER)
        library_notify(RUN_STUCK);
}

/* ---- running ---- */

/* Takes the flag if it is set. */
static bool take_flag(uint32_t flag)
{
    return atomic_fetch_and(&library.flags, ~flag) & flag;
}

/* Why the run should end now, or -1. */
static int reason_to_stop(uint64_t deadline)
{
    if (take_flag(RUN_MATCH))
        return TB_MATCH;
    if (!library_is_on())
        return TB_STOPPED;
    if (take_flag(RUN_INTERRUPT))
        return TB_INTERRUPTED;
    if (take_flag(RUN_EVENT))
        return TB_DEADLINE;
    if (take_flag(RUN_STUCK) && deadline == HAL_TIME_NEVER)
        return TB_STUCK;
    return sim_time_now() >= deadline ? TB_DEADLINE : -1;
}

static int run_virtual(uint64_t deadline)
{
    int reason, error = host_cpu_adopt(&machine.cpu[0]);
    if (error)
        return library_fail(error, "the host cannot let this thread play the CPUs");
    for (;;) {
        for (unsigned i = 0; i < machine.cpu_count; i++)
            atomic_fetch_and(&machine.cpu[i].pending, ~(uint32_t)CPU_YIELD);
        reason = reason_to_stop(deadline);
        if (reason >= 0)
            break;
        machine.run_until = deadline;
        sim_time_plan();
        sim_cpu_play(&machine.cpu[machine.turn.cpu]);
        fiber_run_guest(&machine.cpu[machine.turn.cpu]);
        sim_cpu_put_down();
        deadline = library_guest_left(deadline);
    }
    host_cpu_disown(&machine.cpu[0]);
    return reason;
}

/* Real clock: the CPU sleeps, no timer will wake it, and nothing that it has not seen has come. */
static bool sleeps_for_ever(const struct cpu *cpu)
{
    return atomic_load(&cpu->idle) && atomic_load(&cpu->asleep) &&
           atomic_load(&cpu->deadline) == HAL_TIME_NEVER &&
           !(atomic_load(&cpu->pending) & (cpu->enabled | CPU_ATTENTION));
}

/*
 * Asks CPUs that may wake up at any moment. Each is asked twice, and if it has not begun to idle
 * anew in between, it has not woken; all of them were then asleep at the moment between the two
 * rounds, and only input can wake them.
 */
static bool is_stuck(void)
{
    uint32_t idles[HAL_CPU_MAX] = {0};
    bool stuck = true;
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < machine.cpu_count; i++) {
            const struct cpu *cpu = &machine.cpu[i];
            uint32_t now = atomic_load(&cpu->idles);
            if (!atomic_load(&cpu->started))
                continue;
            stuck = stuck && sleeps_for_ever(cpu) && (round == 0 || now == idles[i]);
            idles[i] = now;
        }
    return stuck;
}

static int run_real(uint64_t deadline)
{
    int reason;
    atomic_store(&library.deadline, deadline);
    atomic_store(&library.waiting, true);
    for (;;) {
        uint32_t seen = atomic_load(&library.bell);
        deadline = atomic_load(&library.deadline); /* a reboot shortens it */
        reason = reason_to_stop(deadline);
        if (reason < 0 && deadline == HAL_TIME_NEVER && is_stuck())
            reason = TB_STUCK;
        if (reason >= 0)
            break;
        host_word_wait(&library.bell, seen, sim_time_to_host(deadline));
    }
    atomic_store(&library.waiting, false);
    return reason;
}

/* Says so if the guest had to be stopped where it does not look after its stack. */
static void explain_interruption(int reason)
{
    uintptr_t where = host_trap_where();
    if (where && (reason == TB_INTERRUPTED || reason == TB_STOPPED))
        (void)library_fail(0,
                           "the guest made no progress that the machine can see; interrupted at "
                           "code address %#lx",
                           (unsigned long)(where - host_code_base()));
}

int library_run(uint64_t deadline)
{
    int reason = machine.real ? run_real(deadline) : run_virtual(deadline);
    explain_interruption(reason);
    return reason;
}

int tb_run_until(struct tb_machine *m, uint64_t deadline)
{
    (void)m;
    if (atomic_load(&machine.power) == POWER_OFF)
        return library_fail(-EINVAL, "the power is off; call tb_power_on first");
    return library_run(deadline);
}

int tb_run_for(struct tb_machine *m, uint64_t ns)
{
    uint64_t now = sim_time_now();
    return tb_run_until(m, ns > HAL_TIME_NEVER - now ? HAL_TIME_NEVER : now + ns);
}

void tb_interrupt(struct tb_machine *m)
{
    (void)m;
    library_notify(RUN_INTERRUPT);
    if (!machine.real)
        host_cpu_nag(&machine.cpu[0]);
}

/* ---- speed and single steps ---- */

void library_pause(bool paused)
{
    for (unsigned i = 0; i < machine.cpu_count; i++) {
        struct cpu *cpu = &machine.cpu[i];
        if (paused) {
            sim_cpu_attend(cpu, CPU_PAUSE);
        } else {
            atomic_fetch_and(&cpu->pending, ~(uint32_t)CPU_PAUSE);
            host_word_wake(&cpu->pending);
        }
    }
}

static void set_paused(bool paused)
{
    library.paused = paused;
    library_pause(paused);
}

int tb_set_speed(struct tb_machine *m, double speed)
{
    bool skip = isinf(speed) && speed > 0;
    (void)m;
    if (!machine.real)
        return library_fail(-ENOTSUP, "the virtual clock has no speed; only the real clock has");
    if (!skip && !(speed == 0 || (speed >= 0.01 && speed <= 100)))
        return library_fail(-EINVAL, "a speed of %g: choose 0, 0.01 to 100, or infinity", speed);
    host_lock(HOST_MACHINE);
    sim_time_set_speed(skip ? 1 : speed, skip);
    set_paused(speed == 0);
    host_unlock(HOST_MACHINE);
    library_ring();
    return 0;
}

static void update_wanted(void)
{
    atomic_store(&sim_trace_wanted, library.stepping || library.event_sink);
}

/* Real clock: ends the step that an event, or the end of the wait, completes. HOST_MACHINE held. */
static void end_step(void)
{
    library.stepping = false;
    update_wanted();
    if (machine.real) {
        sim_time_set_speed(0, false);
        set_paused(true);
    }
}

void outside_event(const struct tb_event *event)
{
    if (library.event_sink)
        library.event_sink(library.event_context, event);
    if (library.stepping) {
        end_step();
        library_notify(RUN_EVENT);
    }
}

int tb_step_event(struct tb_machine *m)
{
    if (!library_is_on())
        return library_fail(-EINVAL, "the power is off; call tb_power_on first");
    if (machine.real && !m->paused)
        return library_fail(-EINVAL, "pause the machine with speed 0 before single steps");
    host_lock(HOST_MACHINE);
    m->stepping = true;
    update_wanted();
    if (machine.real) {
        sim_time_set_speed(1, true);
        set_paused(false);
    }
    host_unlock(HOST_MACHINE);
    int reason = library_run(HAL_TIME_NEVER);
    host_lock(HOST_MACHINE);
    if (m->stepping)
        end_step();
    host_unlock(HOST_MACHINE);
    return reason;
}

/* ---- trace ---- */

void tb_trace_set_sink(struct tb_machine *m, tb_event_sink *sink, void *context)
{
    host_lock(HOST_MACHINE);
    m->event_sink = sink;
    m->event_context = context;
    update_wanted();
    host_unlock(HOST_MACHINE);
}

uint64_t tb_trace_hash(const struct tb_machine *m)
{
    (void)m;
    return machine.trace;
}
