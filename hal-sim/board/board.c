/* SPDX-License-Identifier: MIT */
/*
 * board.c: the board as a whole: power-on, stopping, and the small things.
 */
#include "board/aspace.h"
#include "board/machine.h"

#include "host/host.h"
#include "tayberry.h"

#include <hal/board.h>
#include <hal/display.h>
#include <hal/errno.h>
#include <hal/runtime.h>
#include <hal/upcall.h>

/* The kernel's writable statics (hal/kstate.h); the linker names the ends of their section. */
extern uint8_t __start_kstate[] __attribute__((weak, visibility("hidden")));
extern uint8_t __stop_kstate[] __attribute__((weak, visibility("hidden")));

uint8_t *machine_kstate(size_t *bytes)
{
    *bytes = (size_t)(__stop_kstate - __start_kstate);
    return __start_kstate;
}

uint64_t machine_random(enum machine_rng chain)
{
    uint64_t z = machine.rng[chain] += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/* Where a guest's life begins. */
static void boot(void *unused)
{
    (void)unused;
    hal_upcall_boot();
}

/* And the other CPUs'. */
static void boot_secondary(void *unused)
{
    (void)unused;
    hal_upcall_cpu();
}

static void cpu_reset(struct cpu *cpu)
{
    atomic_fetch_and(&cpu->pending, CPU_PAUSE | CPU_YIELD);
    if (!machine.real)
        atomic_fetch_or(&cpu->pending, CPU_POINTS);
    cpu->enabled = 0;
    cpu->masked = true;
    cpu->strike_in = -1;
    cpu->deadline = HAL_TIME_NEVER;
    cpu->worked = 0;
    cpu->idle = cpu->asleep = cpu->started = false;
    cpu->idle_for = 0;
    cpu->watch = 0;
}

void machine_start_cpu(struct cpu *cpu)
{
    unsigned number = sim_cpu_number(cpu);
    void *stack;
    sim_memory_boot_stack(number, &stack, &cpu->stack_bytes);
    sim_memory_open_stack(stack, cpu->stack_bytes);
    cpu->stack = (uintptr_t)stack;
    fiber_init(&cpu->guest, stack, cpu->stack_bytes, number ? boot_secondary : boot, NULL);
    atomic_store(&cpu->started, true);
}

void machine_reset(void)
{
    size_t bytes;
    uint8_t *kstate = machine_kstate(&bytes);
    fiber_forget_all();
    if (bytes)
        memset(kstate, 0, bytes);
    /* Turns have come later than the other chains, and may not change what a seed means to them. */
    for (unsigned i = 0; i < RNG_TURN; i++)
        machine.rng[i] = machine.seed * RNG_TURN + i;
    machine.rng[RNG_TURN] = ~machine.seed;
    machine.rng[RNG_CHOICE] = machine.seed ^ 0xc401ceull << 40;
    sim_schedule_reset();
    machine.trace = 0;
    machine.led = false;
    machine.status = 0;
    machine.faulted = 0;
    sim_aspace_reset();
    sim_memory_reset();
    sim_time_reset();
    for (unsigned i = 0; i < machine.cpu_count; i++)
        cpu_reset(&machine.cpu[i]);
    machine_start_cpu(&machine.cpu[0]);
    sim_turn_reset();
    sim_watch_reset();
    sim_gpio_reset();
    sim_card_reset();
    sim_uart_reset();
    sim_time_plan();
    atomic_store(&machine.power, POWER_ON);
}

/* ---- the contract ---- */

const char *hal_board_name(void)
{
    return "Raspberry Pi 3 Model B (simulated)";
}

static long led_work(void *argument)
{
    bool on = *(bool *)argument;
    if (on != machine.led) {
        machine.led = on;
        sim_trace_event(TB_EVENT_PIN, TB_PINS, on);
        outside_pin_changed(sim_time_now(), TB_PINS, on);
    }
    return 0;
}

void hal_board_led(bool on)
{
    (void)sim_cpu_host(led_work, &on, COST_DEVICE);
}

struct entropy_work {
    uint8_t *bytes;
    size_t n;
};

static long entropy_work(void *argument)
{
    const struct entropy_work *work = argument;
    if (machine.real)
        return host_entropy(work->bytes, work->n);
    for (size_t i = 0; i < work->n; i++)
        work->bytes[i] = (uint8_t)machine_random(RNG_ENTROPY);
    return 0;
}

int hal_board_entropy(void *bytes, size_t n)
{
    struct entropy_work work = {bytes, n};
    return (int)sim_cpu_host(entropy_work, &work, COST_DEVICE);
}

/* Nobody's search: the seed chooses, unless the clock is real. */
unsigned hal_board_choose(const uint32_t *threads, unsigned n)
{
    unsigned choice = 0;
    (void)sim_cpu_enter();
    if (!machine.real && sim_schedule_on())
        choice = sim_schedule_choose_thread(threads, n);
    else if (!machine.real)
        choice = (unsigned)(machine_random(RNG_CHOICE) % n);
    sim_cpu_leave();
    sim_cpu_point(COST_MASK);
    return choice;
}

struct stop_work {
    enum hal_stop how;
    int status;
};

static long stop_work(void *argument)
{
    const struct stop_work *work = argument;
    bool reboot = work->how == HAL_STOP_REBOOT;
    host_lock(HOST_MACHINE);
    if (atomic_load(&machine.power) == POWER_ON) { /* or another CPU was first */
        sim_trace_event(TB_EVENT_STOP, work->how, (uint64_t)work->status);
        machine.stop = work->how;
        machine.status = work->status & 0xff;
        if (!reboot)
            sim_time_freeze();
        atomic_store(&machine.power, reboot ? POWER_REBOOTING : POWER_STOPPING);
    }
    host_unlock(HOST_MACHINE);
    return 0;
}

void hal_board_stop(enum hal_stop how, int status)
{
    struct stop_work work = {how, status};
    struct cpu *cpu = sim_cpu_enter();
    fiber_call_host(cpu, stop_work, &work);
    fiber_abandon_guest(cpu);
}

/* ---- display ---- */

int hal_display_open(uint32_t width, uint32_t height, struct hal_display *display)
{
    (void)width;
    (void)height;
    if (!machine.display)
        return -ENODEV;
    *display = (struct hal_display){machine.display, machine.display_width, machine.display_height,
                                    machine.display_width * 4};
    return 0;
}

void hal_display_show(uint32_t first, uint32_t count)
{
    (void)first;
    (void)count;
    sim_cpu_point(COST_DEVICE);
}
