/* SPDX-License-Identifier: MIT */
/*
 * power.c: switching on, cutting off, and what a guest does to itself.
 *
 * With the real clock every CPU's thread ends when its guest does, and a life of the machine is
 * over when all have:
 *
 *     power-on        CPU 0's thread; hal_cpu_start makes the others, until the life is to end
 *     a stop          the CPU that asks for it leaves the guest, and cuts the others (CPU_CUT); the
 *                     last one to leave makes it known
 *     a reboot        the same, but CPU 0's thread waits for the others' and starts the next life
 *     tb_power_cut    cuts them all and waits for their threads
 *
 * CPUs are started, and lives ended, under HOST_MACHINE, so none is started into a life that ends.
 */
#include "lib/library.h"

#include <hal/errno.h>

bool library_is_on(void)
{
    int power = atomic_load(&machine.power);
    return power == POWER_ON || power == POWER_REBOOTING || power == POWER_STOPPING;
}

void library_power_up(void)
{
    machine_reset();
    sim_tags_place(&library.tags);
    pins_power_up();
    listen_power_up(0, false);
}

/* What is left of `deadline` when time starts again after it was `now`. */
static uint64_t deadline_after(uint64_t deadline, uint64_t now)
{
    if (deadline == HAL_TIME_NEVER)
        return deadline;
    return deadline > now ? deadline - now : 0;
}

/* Every CPU has left a guest that has stopped itself. HOST_MACHINE held. */
static void stopped(void)
{
    sim_time_freeze();
    vcd_power_down(sim_time_now());
    listen_power_down(sim_time_now());
    atomic_store(&machine.power, POWER_STOPPED);
}

/* Every CPU has left a guest that reboots. HOST_MACHINE held. Gives what is left of the deadline.
 */
static uint64_t reboot(uint64_t deadline)
{
    uint64_t now = sim_time_now();
    vcd_power_down(now);
    listen_power_down(now);
    library_power_up();
    return deadline_after(deadline, now);
}

uint64_t library_guest_left(uint64_t deadline)
{
    host_lock(HOST_MACHINE);
    if (atomic_load(&machine.power) == POWER_STOPPING)
        stopped();
    else if (atomic_load(&machine.power) == POWER_REBOOTING)
        deadline = reboot(deadline);
    host_unlock(HOST_MACHINE);
    return deadline;
}

/* ---- real clock: the CPUs' threads ---- */

static void join_thread(unsigned cpu)
{
    if (library.has_thread[cpu])
        host_cpu_join(&machine.cpu[cpu]);
    library.has_thread[cpu] = false;
}

/* CPU 0 may be joining the others itself, so it comes first. */
static void join_threads(void)
{
    for (unsigned i = 0; i < HAL_CPU_MAX; i++)
        join_thread(i);
}

/* One CPU fewer runs the guest. Returns what is to become of the machine. */
static int leave_guest(void)
{
    host_lock(HOST_MACHINE);
    int power = atomic_load(&machine.power);
    library.running--;
    if (power != POWER_ON)
        sim_cpu_attend_all(CPU_CUT);
    if (power == POWER_STOPPING && library.running == 0)
        stopped();
    host_unlock(HOST_MACHINE);
    library_ring();
    return power;
}

/* CPU 0 starts the next life, unless the power is cut. */
static bool start_again(void)
{
    for (unsigned i = 1; i < HAL_CPU_MAX; i++)
        join_thread(i);
    host_lock(HOST_MACHINE);
    bool again = !library.cutting;
    if (again) {
        uint64_t left = reboot(atomic_load(&library.deadline));
        library.running = 1;
        /* Not before time starts again: run_real reads the deadline first. */
        atomic_store(&library.deadline, left);
    }
    host_unlock(HOST_MACHINE);
    library_ring();
    return again;
}

/* A CPU's thread, from its start to the end of the guest. */
static void cpu_body(struct cpu *cpu)
{
    bool again;
    do {
        sim_cpu_play(cpu);
        fiber_run_guest(cpu);
        sim_cpu_put_down();
        again = leave_guest() == POWER_REBOOTING && cpu == &machine.cpu[0] && start_again();
        if (again)
            host_timer_forget(cpu); /* it may have fired while nobody played this CPU */
    } while (again);
}

int outside_cpu_started(struct cpu *cpu)
{
    unsigned number = sim_cpu_number(cpu);
    if (!machine.real)
        return 0;
    if (library.cutting)
        return -EBUSY;
    int error = host_cpu_spawn(cpu, cpu_body);
    library.has_thread[number] = !error;
    library.running += !error;
    return error;
}

/* ---- the library ---- */

int tb_power_on(struct tb_machine *m)
{
    if (library_is_on())
        return library_fail(-EBUSY, "the power is on already");
    join_threads();
    host_lock(HOST_MACHINE);
    atomic_fetch_and(&m->flags, ~(uint32_t)(RUN_STUCK | RUN_EVENT));
    machine.run_until = 0;
    library.running = 0;
    m->output.matched = m->output.end;
    library_power_up();
    int error = outside_cpu_started(&machine.cpu[0]);
    host_unlock(HOST_MACHINE);
    if (error) {
        atomic_store(&machine.power, POWER_OFF);
        return library_fail(error, "the host cannot give the CPU a thread");
    }
    return 0;
}

void tb_power_cut(struct tb_machine *m)
{
    host_lock(HOST_MACHINE);
    m->cutting = true;
    if (machine.real)
        sim_cpu_attend_all(CPU_CUT);
    host_unlock(HOST_MACHINE);
    join_threads();
    host_lock(HOST_MACHINE);
    m->cutting = false;
    if (library_is_on()) {
        sim_time_freeze();
        vcd_power_down(sim_time_now());
        listen_power_down(sim_time_now());
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
