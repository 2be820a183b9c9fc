/* SPDX-License-Identifier: MIT */
/*
 * run.c: power, time, and running.
 *
 * Virtual clock: the caller's thread plays the CPU while tb_run_* lasts. The guest comes back at an
 * interrupt point when something set CPU_YIELD or run_until is reached. Real clock: a thread plays
 * the CPU, and tb_run_* only waits; whoever has news for it counts up `bell`.
 */
#include "lib/library.h"

#include <hal/errno.h>

#include <math.h>

static struct cpu *const cpu0 = &machine.cpu[0];

static void ring(void)
{
    atomic_fetch_add(&library.bell, 1);
    if (atomic_load(&library.waiting))
        host_word_wake(&library.bell);
}

void library_notify(uint32_t flag)
{
    atomic_fetch_or(&library.flags, flag);
    if (!machine.real)
        atomic_fetch_or(&cpu0->face.pending, CPU_YIELD);
    ring();
}

void outside_stopped(void)
{
    vcd_power_down(sim_time_now());
    ring();
}

void outside_parked(void)
{
    ring();
}

void outside_time_jumped(uint64_t now)
{
    if (now >= atomic_load(&library.deadline))
        ring();
}

void outside_stuck(void)
{
    if (machine.real)
        ring();
    else if (machine.run_until == HAL_TIME_NEVER)
        library_notify(RUN_STUCK);
}

/* ---- power ---- */

static bool is_on(void)
{
    int power = atomic_load(&machine.power);
    return power == POWER_ON || power == POWER_REBOOTING;
}

void library_power_up(void)
{
    machine_reset();
    sim_tags_place(&library.tags);
    pins_power_up();
}

/* What is left of `deadline` when time starts again after it was `now`. */
static uint64_t deadline_after(uint64_t deadline, uint64_t now)
{
    if (deadline == HAL_TIME_NEVER)
        return deadline;
    return deadline > now ? deadline - now : 0;
}

/* Real clock: a CPU's thread, from power-on to the end of the guest. */
static void cpu_body(struct cpu *cpu)
{
    for (;;) {
        fiber_run_guest(cpu);
        host_lock(HOST_MACHINE);
        bool again = atomic_load(&machine.power) == POWER_REBOOTING &&
                     !(atomic_load(&cpu->face.pending) & CPU_CUT);
        if (again) {
            uint64_t now = sim_time_now();
            vcd_power_down(now);
            library_power_up();
            /* Not before time starts again: run_real reads the deadline first. */
            atomic_store(&library.deadline, deadline_after(atomic_load(&library.deadline), now));
        }
        host_unlock(HOST_MACHINE);
        ring();
        if (!again)
            break;
    }
}

static void join_thread(void)
{
    if (library.has_thread)
        host_cpu_join(cpu0);
    library.has_thread = false;
}

int tb_power_on(struct tb_machine *m)
{
    int error = 0;
    if (is_on())
        return library_fail(-EBUSY, "the power is on already");
    join_thread();
    host_lock(HOST_MACHINE);
    atomic_fetch_and(&m->flags, ~(uint32_t)(RUN_STUCK | RUN_EVENT));
    machine.run_until = 0;
    m->output.matched = m->output.end;
    library_power_up();
    host_unlock(HOST_MACHINE);
    if (machine.real) {
        error = host_cpu_spawn(cpu0, cpu_body);
        m->has_thread = !error;
    }
    if (error) {
        atomic_store(&machine.power, POWER_OFF);
        return library_fail(error, "the host cannot give the CPU a thread");
    }
    return 0;
}

void tb_power_cut(struct tb_machine *m)
{
    (void)m;
    if (library.has_thread) {
        sim_cpu_attend(cpu0, CPU_CUT);
        join_thread();
        atomic_fetch_and(&cpu0->face.pending, ~(uint32_t)CPU_CUT);
    }
    host_lock(HOST_MACHINE);
    if (is_on()) {
        sim_time_freeze();
        vcd_power_down(sim_time_now());
    }
    atomic_store(&machine.power, POWER_OFF);
    serial_drop_input();
    host_unlock(HOST_MACHINE);
    fiber_forget_all();
}

enum tb_state tb_state(const struct tb_machine *m)
{
    (void)m;
    switch (atomic_load(&machine.power)) {
    case POWER_OFF:
        return TB_OFF;
    case POWER_STOPPED:
        return machine.stop == HAL_STOP_PANIC ? TB_PANICKED : TB_POWERED_OFF;
    default:
        return TB_RUNNING;
    }
}

int tb_exit_status(const struct tb_machine *m)
{
    (void)m;
    return atomic_load(&machine.status);
}

uint64_t tb_time(const struct tb_machine *m)
{
    (void)m;
    return sim_time_now();
}

uint64_t tb_idle_time(const struct tb_machine *m)
{
    (void)m;
    return sim_time_idle();
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
    if (!is_on())
        return TB_STOPPED;
    if (take_flag(RUN_INTERRUPT))
        return TB_INTERRUPTED;
    if (take_flag(RUN_EVENT))
        return TB_DEADLINE;
    if (take_flag(RUN_STUCK) && deadline == HAL_TIME_NEVER)
        return TB_STUCK;
    return sim_time_now() >= deadline ? TB_DEADLINE : -1;
}

/* The guest has rebooted: time starts again, and what is left of the deadline counts. */
static uint64_t reboot(uint64_t deadline)
{
    uint64_t now = sim_time_now();
    deadline = deadline_after(deadline, now);
    machine.run_until = deadline;
    vcd_power_down(now);
    library_power_up();
    return deadline;
}

static int run_virtual(uint64_t deadline)
{
    int reason, error = host_cpu_adopt(cpu0);
    if (error)
        return library_fail(error, "the host cannot let this thread play the CPU");
    for (;;) {
        atomic_fetch_and(&cpu0->face.pending, ~(uint32_t)CPU_YIELD);
        reason = reason_to_stop(deadline);
        if (reason >= 0)
            break;
        machine.run_until = deadline;
        sim_time_plan();
        fiber_run_guest(cpu0);
        if (atomic_load(&machine.power) == POWER_REBOOTING)
            deadline = reboot(deadline);
    }
    host_cpu_disown(cpu0);
    return reason;
}

/* Real clock: the CPU sleeps, and only input can wake it. */
static bool is_asleep(void)
{
    return atomic_load(&cpu0->idle) && atomic_load(&cpu0->asleep);
}

/*
 * Asks a CPU that may wake up at any moment. What lies between the two looks at `idles` holds for
 * one idling: it has not woken, taken its input and gone on meanwhile.
 */
static bool is_stuck(void)
{
    uint32_t idles = atomic_load(&cpu0->idles);
    bool nothing = is_asleep() && atomic_load(&cpu0->deadline) == HAL_TIME_NEVER &&
                   !(atomic_load(&cpu0->face.pending) & (cpu0->enabled | CPU_ATTENTION));

    return nothing && is_asleep() && atomic_load(&cpu0->idles) == idles;
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
        host_cpu_nag(cpu0);
}

/* ---- speed and single steps ---- */

static void set_paused(bool paused)
{
    library.paused = paused;
    if (paused) {
        sim_cpu_attend(cpu0, CPU_PAUSE);
    } else {
        atomic_fetch_and(&cpu0->face.pending, ~(uint32_t)CPU_PAUSE);
        host_word_wake(&cpu0->face.pending);
    }
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
    ring();
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
    if (!is_on())
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
