/* SPDX-License-Identifier: MIT */
/*
 * panic.c: faults of the kernel, and the panic screen.
 *
 * A panic needs the registers of the moment. It gets them the way any fault does: it keeps its
 * message and stops at a breakpoint, and the fault that follows prints the screen. Everything here
 * is polled output from fixed memory: no lock, no allocation, no thread. The other CPUs are stopped
 * first; if two have something to tell, the second one stays stopped.
 */
#include "boot/panic.h"

#include "boot/boot.h"
#include "boot/cmdline.h"
#include "lib/format.h"
#include "lib/trace.h"
#include "shell/debug.h"
#include "site/site.h"
#include "sync/spinlock.h"
#include "thread/cpu.h"
#include "thread/thread.h"
#include "tty/tty.h"

#include <hal/board.h>
#include <hal/console.h>
#include <hal/context.h>
#include <hal/cpu.h>
#include <hal/kstate.h>
#include <hal/machine.h>
#include <hal/time.h>

#define PANIC_STATUS 134
#define BACKTRACE_MAX 16
#define TRACE_EVENTS 12
#define REGISTERS_A_ROW 3

/* Of each CPU, so that two that fail at the same time do not spoil each other's words. */
static KSTATE struct panic_state {
    bool active;    /* a panic has begun */
    bool on_screen; /* and its screen too */
    const char *file;
    int line;
    char message[256];
} states[HAL_CPU_MAX];

static struct panic_state *state_here(void)
{
    return &states[hal_cpu_id()];
}

static void put(void *context, char byte)
{
    (void)context;
    if (byte == '\n')
        hal_console_putc('\r');
    hal_console_putc((uint8_t)byte);
}

static void say(const char *format, ...) HAL_FORMAT(1, 2);

static void say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)format_each(put, NULL, format, args);
    va_end(args);
}

static void say_time(uint64_t ns)
{
    say("%llu.%06llu", (unsigned long long)(ns / 1000000000),
        (unsigned long long)(ns / 1000 % 1000000));
}

static void say_registers(const struct hal_registers *registers)
{
    say(registers->count ? "registers:\n" : "");
    for (unsigned i = 0; i < registers->count; i++) {
        say("  %-6s %016llx", registers->names[i], (unsigned long long)registers->values[i]);
        if (i % REGISTERS_A_ROW == REGISTERS_A_ROW - 1 || i == registers->count - 1)
            say("\n");
    }
}

static void say_backtrace(const struct hal_fault *fault)
{
    uintptr_t addresses[BACKTRACE_MAX], base = hal_context_code_base();
    size_t n = hal_context_backtrace(fault->frame, addresses, BACKTRACE_MAX);

    say("backtrace, as addresses in the kernel's file (addr2line names them):\n");
    say("  #0  0x%llx\n", (unsigned long long)(fault->pc - base));
    for (size_t i = 0; i < n; i++)
        say("  #%-2zu 0x%llx\n", i + 1, (unsigned long long)(addresses[i] - base));
}

static void say_trace(void)
{
    struct hal_trace_event event;

    say("last events, newest first:\n");
    for (unsigned age = 0; age < TRACE_EVENTS; age++) {
        if (ktrace_read(hal_cpu_id(), age, &event))
            break;
        say("  ");
        say_time(event.time);
        say(" %-9s %llu %llu\n", ktrace_name((enum hal_trace_kind)event.kind),
            (unsigned long long)event.a, (unsigned long long)event.b);
    }
}

static void say_thread(void)
{
    const struct thread *thread = cpu_here()->current;

    say("who:   ");
    if (thread)
        say("thread %u (%s), ", thread->id, thread->name);
    say("CPU %u, ", hal_cpu_id());
    say_time(hal_time_now());
    say(" s after power-on\n");
}

/* The spinlock that CPU `id` waits for, and those that it holds. */
static void say_spinlocks(unsigned id)
{
    char text[200];

    for (unsigned i = 0; spinlock_text_of(id, i, text, sizeof text); i++)
        if (text[0])
            say("  %s\n", text);
}

/* What another CPU was doing when it was stopped. */
static void say_cpu(const struct cpu *cpu)
{
    uintptr_t base = hal_context_code_base();
    const struct thread *thread = cpu_running(cpu);

    say("CPU %u: thread %u (%s), ", cpu->id, thread->id, thread->name);
    if (!cpu_stopped(cpu->id)) {
        say("does not answer: it runs with interrupts masked\n");
        say_spinlocks(cpu->id);
        return;
    }
    say("at");
    for (unsigned i = 0; i < cpu->stopped_depth; i++)
        say(" 0x%llx", (unsigned long long)(cpu->stopped_at[i] - base));
    say("\n");
    say_spinlocks(cpu->id);
}

static void say_other_cpus(void)
{
    for (unsigned id = 0; id < HAL_CPU_MAX; id++)
        if (id != hal_cpu_id() && cpu_online() >> id & 1)
            say_cpu(cpu_at(id));
}

static void show_screen(const struct hal_fault *fault)
{
    const struct panic_state *state = state_here();

    say("\n\n---------- PANIC ----------\n\n");
    say("what:  %s\n", state->message);
    if (state->file)
        say("where: %s:%d\n", alloc_file(state->file), state->line);
    say_thread();
    say_spinlocks(hal_cpu_id());
    say_registers(&fault->registers);
    say_backtrace(fault);
    say_other_cpus();
    say_trace();
    say("\nThe kernel cannot go on. Only power off or a reset helps.\n");
}

HAL_NORETURN static void end_in_panic(const struct hal_fault *fault)
{
    struct panic_state *state = state_here();

    if (state->on_screen) {
        say("\nA second panic while the first one was being told: %s\n", state->message);
        hal_board_stop(HAL_STOP_PANIC, PANIC_STATUS);
    }
    state->on_screen = true;
    ktrace_event(HAL_TRACE_PANIC, hal_time_now(), 0, 0);
    tty_flush_polled(); /* what was said before comes before */
    show_screen(fault);
    if (cmdline_flag("debug"))
        debug_shell(fault, "panic");
    hal_board_stop(HAL_STOP_PANIC, PANIC_STATUS);
}

void boot_fail(const char *format, ...)
{
    hal_irq_state_t masked = hal_irq_save();
    va_list args;

    (void)masked;
    tty_flush_polled();
    say("boot: ");
    va_start(args, format);
    (void)format_each(put, NULL, format, args);
    va_end(args);
    say("\n");
    hal_board_stop(HAL_STOP_PANIC, PANIC_STATUS);
}

static void begin(const char *file, int line)
{
    struct panic_state *state = state_here();

    state->active = true;
    state->file = file;
    state->line = line;
}

void panic_at(const char *file, int line, const char *format, ...)
{
    hal_irq_state_t masked = hal_irq_save();
    va_list args;

    (void)masked;
    va_start(args, format);
    format_text_va(state_here()->message, sizeof state_here()->message, format, args);
    va_end(args);
    begin(file, line);
    hal_cpu_breakpoint();
    hal_board_stop(HAL_STOP_PANIC, PANIC_STATUS);
}

/* A sentence for a fault that is a mistake of the kernel. */
static void describe(const struct hal_fault *fault, char *message, size_t size)
{
    unsigned long long address = fault->address;

    switch (fault->kind) {
    case HAL_FAULT_ACCESS:
        format_text(message, size, "the kernel accessed address 0x%llx, where it may not (%s)",
                    address, fault->detail);
        break;
    case HAL_FAULT_STACK:
        format_text(message, size, "the kernel stack overflowed (guard page hit at 0x%llx)",
                    address);
        break;
    case HAL_FAULT_STALL:
        format_text(message, size, "CPU %u makes no progress for %llu.%03llu s: %s", hal_cpu_id(),
                    address / 1000000000, address / 1000000 % 1000, fault->detail);
        break;
    default:
        format_text(message, size, "the kernel's code failed: %s", fault->detail);
        break;
    }
}

bool hal_upcall_fault(const struct hal_fault *fault)
{
    struct panic_state *state = state_here();
    bool first;

    if (fault->kind == HAL_FAULT_STALL && !state->active && cpu_stand_still())
        return true; /* somebody looks at the kernel; that takes a while */
    ktrace_event(HAL_TRACE_FAULT, hal_time_now(), fault->kind, fault->address);
    first = cpu_stop_others();
    if (!state->active && fault->kind == HAL_FAULT_BREAKPOINT) {
        debug_shell(fault, "breakpoint");
        if (first)
            cpu_resume_others();
        return true;
    }
    if (!state->active || fault->kind != HAL_FAULT_BREAKPOINT) {
        describe(fault, state->message, sizeof state->message);
        begin(NULL, 0);
    }
    end_in_panic(fault);
}
