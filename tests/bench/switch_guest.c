/* SPDX-License-Identifier: MIT */
/*
 * switch_guest.c: the kernel's side of the switching benchmark: it stands in for the shell, so the
 * whole kernel is up, and prints what each thing costs in picoseconds, by the machine's real clock.
 */
#include "lib/format.h"
#include "mem/frame.h"
#include "thread/thread.h"

#include <hal/board.h>
#include <hal/console.h>
#include <hal/context.h>
#include <hal/cpu.h>
#include <hal/kstate.h>
#include <hal/machine.h>
#include <hal/time.h>

enum { ROUNDS = 1000000, SPINS = 300000000, QUANTUM_NS = 250000, STACK_ORDER = 4 };

KSTATE static struct hal_context here, there;
KSTATE static volatile bool done;
KSTATE static volatile uint64_t spun;

static void report(const char *name, uint64_t ns, uint64_t count)
{
    char line[80];
    format_text(line, sizeof line, "%s %llu\n", name, (unsigned long long)(ns * 1000 / count));
    for (const char *at = line; *at; at++)
        hal_console_putc((uint8_t)*at);
}

static void bounce(void *unused)
{
    (void)unused;
    for (;;)
        hal_context_switch(&there, &here);
}

/* Two bare contexts, as the contract offers them. */
static void measure_contexts(void)
{
    void *stack = frame_alloc(STACK_ORDER);
    if (!stack)
        return;
    hal_context_init(&there, stack, (size_t)HAL_PAGE_SIZE << STACK_ORDER, bounce, NULL);
    hal_irq_state_t state = hal_irq_save();
    uint64_t start = hal_time_now();
    for (unsigned i = 0; i < ROUNDS; i++)
        hal_context_switch(&here, &there);
    uint64_t took = hal_time_now() - start;
    hal_irq_restore(state);
    hal_context_finish(&there);
    report("context-switch", took, 2ull * ROUNDS);
}

static void yield_along(void *unused)
{
    (void)unused;
    while (!done)
        thread_yield();
}

/* Two threads of the kernel that give way to each other: lock, queue, accounting, switch. */
static void measure_threads(void)
{
    struct thread *other;
    if (thread_create("other", yield_along, NULL, &other))
        return;
    thread_yield();
    uint64_t start = hal_time_now();
    for (unsigned i = 0; i < ROUNDS; i++)
        thread_yield();
    report("thread-switch", hal_time_now() - start, 2ull * ROUNDS);
    done = true;
    thread_join(other);
}

static void measure_calls(void)
{
    uint64_t start = hal_time_now();
    for (unsigned i = 0; i < ROUNDS; i++)
        hal_irq_restore(hal_irq_save());
    report("mask-and-unmask", hal_time_now() - start, ROUNDS);
    start = hal_time_now();
    for (unsigned i = 0; i < ROUNDS; i++)
        spun += hal_time_now();
    report("clock", hal_time_now() - start, ROUNDS);
}

static void spin(void *count)
{
    for (uint64_t i = *(uint64_t *)count; i; i--)
        spun = spun + 1;
}

/* The same work by one thread, and shared by two whose quanta end all the time. */
static void measure_quanta(void)
{
    uint64_t all = SPINS, half = SPINS / 2;
    struct thread_info info;
    struct thread *other;
    uint64_t start = hal_time_now();
    spin(&all);
    report("alone", hal_time_now() - start, 1000000);
    thread_set_quantum(QUANTUM_NS);
    if (thread_create("other", spin, &half, &other))
        return;
    start = hal_time_now();
    spin(&half);
    if (thread_read_info(other->id, &info))
        return;
    thread_join(other);
    report("shared", hal_time_now() - start, 1000000);
    report("quanta", 2 * info.switches, 1000);
}

/* The linker puts this in the place of shell_main (--wrap). */
HAL_NORETURN void __wrap_shell_main(void *unused);

void __wrap_shell_main(void *unused)
{
    (void)unused;
    measure_contexts();
    measure_threads();
    measure_calls();
    measure_quanta();
    hal_board_stop(HAL_STOP_POWER_OFF, 0);
}
