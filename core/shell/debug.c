/* SPDX-License-Identifier: MIT */
/*
 * debug.c: the debug shell.
 *
 * A loop of polled input and output on the stack of the fault. Spinlocks are bypassed while it
 * runs, so that it can look at a scheduler or a log that stopped in the middle of something.
 */
#include "shell/debug.h"

#include "boot/boot.h"
#include "lib/format.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mem/memory.h"
#include "shell/commands/command.h"
#include "shell/edit/args.h"
#include "sync/spinlock.h"
#include "thread/cpu.h"
#include "thread/thread.h"
#include "tty/discipline/discipline.h"
#include "tty/tty.h"

#include <hal/board.h>
#include <hal/boot.h>
#include <hal/console.h>
#include <hal/context.h>
#include <hal/cpu.h>
#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/machine.h>
#include <hal/mem.h>

#define BACKTRACE_MAX 24
#define REGISTERS_A_ROW 3
#define LOG_LINES 20u
#define MEM_DEFAULT 64u
#define MEM_MAX 65536u

/* Static, because the stack that it stands on may be nearly full. */
static KSTATE struct debug_state {
    const struct hal_fault *fault;
    struct discipline discipline;
    char line[514];
    bool abandoned; /* by Ctrl-C */
    struct args args;
    bool leave;
    bool active;
} debug;

/* ---- looking at memory ---- */

struct debug_copying {
    uint8_t *to;
    const uint8_t *from;
    size_t n;
};

static void debug_copy(void *context)
{
    const struct debug_copying *copying = context;

    hal_mem_look(copying->to, copying->from, copying->n);
}

static bool debug_within(uint64_t physical, size_t n, const struct hal_range *range)
{
    return physical >= range->start && physical - range->start < range->bytes &&
           n <= range->bytes - (physical - range->start);
}

/*
 * True for what the kernel manages, and for the boot tags. The rest of what the machine has
 * reserved may hold guard pages of its own, of which the kernel knows nothing.
 */
static bool debug_may_look(uint64_t physical, size_t n)
{
    const struct memory_map *map = boot_memory();
    size_t bytes = 0;
    const void *tags = hal_boot_tags(&bytes);
    struct hal_range range = {.start = tags == NULL ? 0 : hal_mem_physical(tags), .bytes = bytes};
    bool may = tags != NULL && debug_within(physical, n, &range);

    for (unsigned i = 0; i < map->count; i++)
        may = may || debug_within(physical, n, &map->ranges[i]);
    return may;
}

int debug_read_memory(uint64_t physical, uint8_t *to, size_t n)
{
    while (n > 0) {
        size_t part = HAL_PAGE_SIZE - physical % HAL_PAGE_SIZE;
        struct debug_copying copying;

        if (part > n)
            part = n;
        if (physical + part < physical || !memory_is_ram(physical, part))
            return -EFAULT;
        if (!debug_may_look(physical, part))
            return -EPERM;
        copying = (struct debug_copying){.to = to, .from = hal_mem_pointer(physical), .n = part};
        if (!stack_look(hal_mem_pointer(physical - physical % HAL_PAGE_SIZE), debug_copy, &copying))
            return -EACCES;
        physical += part;
        to += part;
        n -= part;
    }
    return 0;
}

void debug_format_row(char *to, uint64_t at, const uint8_t *bytes, size_t n)
{
    size_t used = format_text(to, DEBUG_ROW_TEXT, "%08llx ", (unsigned long long)at);

    for (size_t i = 0; i < DEBUG_ROW_BYTES; i++) {
        const char *gap = i == DEBUG_ROW_BYTES / 2 ? "  " : " ";

        if (i < n)
            used += format_text(to + used, DEBUG_ROW_TEXT - used, "%s%02x", gap, bytes[i]);
        else
            used += format_text(to + used, DEBUG_ROW_TEXT - used, "%s  ", gap);
    }
    used += format_text(to + used, DEBUG_ROW_TEXT - used, "  |");
    for (size_t i = 0; i < n; i++)
        to[used++] = char_is_print((char)bytes[i]) ? (char)bytes[i] : '.';
    string_copy(to + used, DEBUG_ROW_TEXT - used, "|\n");
}

/* ---- polled console ---- */

static void debug_put(void *context, char byte)
{
    (void)context;
    if (byte == '\n')
        hal_console_putc('\r');
    hal_console_putc((uint8_t)byte);
}

static void debug_say(const char *format, ...) HAL_FORMAT(1, 2);

static void debug_say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    format_each(debug_put, NULL, format, args);
    va_end(args);
}

/* ---- what the line discipline wants done ---- */

static void debug_show(void *context, uint8_t byte)
{
    (void)context;
    hal_console_putc(byte);
}

static void debug_abandon(void *context, unsigned signal, bool flush)
{
    (void)context, (void)signal, (void)flush;
    debug.abandoned = true;
}

/* Nothing is held back here. */
static void debug_flow(void *context)
{
    (void)context;
}

static void debug_start_console(void)
{
    static const struct discipline_ops ops = {
        .put = debug_show, .signal = debug_abandon, .flow = debug_flow};

    discipline_init(&debug.discipline, &ops, NULL);
}

static uint8_t debug_read_byte(void)
{
    uint8_t byte;

    while (!tty_read_polled(&byte))
        hal_cpu_relax();
    return byte;
}

/* Reads a line without its newline. False: there is none. */
static bool debug_read_text(void)
{
    size_t n = 0;
    bool ended;

    debug.abandoned = false;
    while (!debug.abandoned && !discipline_has(&debug.discipline)) {
        uint8_t byte = debug_read_byte();

        (void)!discipline_input(&debug.discipline, &byte, 1);
    }
    if (!debug.abandoned)
        n = discipline_take(&debug.discipline, (uint8_t *)debug.line, sizeof(debug.line) - 1);
    discipline_flush(&debug.discipline); /* of a line that is too long */
    ended = n > 0 && debug.line[n - 1] == '\n';
    debug.line[ended ? n - 1 : n] = '\0';
    if (!ended)
        debug_say("\n");
    if (n == 0 && !debug.abandoned)
        debug_say("Type \"continue\" to leave.\n");
    return n > ended;
}

/* Reads a line and splits it. False: nothing to run. */
static bool debug_read_line(void)
{
    const char *text = debug.line;

    debug_say("debug> ");
    if (!debug_read_text())
        return false;
    if (args_parse(&text, &debug.args) != 0) {
        debug_say("error: too many arguments, or a quote is not closed\n");
        return false;
    }
    for (unsigned i = 0; i < debug.args.count; i++)
        args_tame(debug.args.words[i]); /* there are no files here */
    return debug.args.count > 0;
}

/* ---- commands ---- */

static void debug_regs(void)
{
    const struct hal_registers *registers = &debug.fault->registers;

    for (unsigned i = 0; i < registers->count; i++) {
        debug_say("  %-6s %016llx", registers->names[i], (unsigned long long)registers->values[i]);
        if (i % REGISTERS_A_ROW == REGISTERS_A_ROW - 1 || i == registers->count - 1)
            debug_say("\n");
    }
    debug_say("  fault: %s, code 0x%llx, address 0x%llx\n", debug.fault->detail,
              (unsigned long long)debug.fault->code, (unsigned long long)debug.fault->address);
}

static void debug_bt(void)
{
    uintptr_t addresses[BACKTRACE_MAX];
    uintptr_t base = hal_context_code_base();
    size_t n = hal_context_backtrace(debug.fault->frame, addresses, BACKTRACE_MAX);

    debug_say("  #0  0x%llx\n", (unsigned long long)(debug.fault->pc - base));
    for (size_t i = 0; i < n; i++)
        debug_say("  #%-2zu 0x%llx\n", i + 1, (unsigned long long)(addresses[i] - base));
}

static bool debug_number(const char *text, uint64_t *number)
{
    const char *end;

    if (string_to_u64(text, number, &end) == 0 && *end == '\0')
        return true;
    debug_say("error: %s is no number\n", text);
    return false;
}

static void debug_mem(void)
{
    uint64_t at, n = MEM_DEFAULT;
    uint8_t bytes[DEBUG_ROW_BYTES];
    char row[DEBUG_ROW_TEXT];
    int error = 0;

    if (debug.args.count < 2 || debug.args.count > 3) {
        debug_say("usage: mem ADDRESS [LENGTH]\n");
        return;
    }
    if (!debug_number(debug.args.words[1], &at) ||
        (debug.args.count == 3 && !debug_number(debug.args.words[2], &n)))
        return;
    if (n > MEM_MAX)
        n = MEM_MAX;
    while (n > 0 && error == 0) {
        size_t part = n < DEBUG_ROW_BYTES ? (size_t)n : DEBUG_ROW_BYTES;

        error = debug_read_memory(at, bytes, part);
        if (error == 0) {
            debug_format_row(row, at, bytes, part);
            debug_say("%s", row);
        }
        at += error == 0 ? part : 0;
        n -= part;
    }
    if (error != 0)
        debug_say("error: %08llx: %s\n", (unsigned long long)at, command_error_text(error));
}

static void debug_threads(void)
{
    static const char *const states[] = {"ready", "running", "sleeping", "zombie"};
    struct thread_info info;

    for (uint32_t id = 0; thread_read_info(id, &info) == 0; id = info.id + 1)
        debug_say("  %4u %-8s CPU %u %10llu us  %8llu switches  %s\n", info.id, states[info.state],
                  info.cpu, (unsigned long long)info.run_time / 1000,
                  (unsigned long long)info.switches, info.name);
}

static void debug_cpus(void)
{
    uintptr_t base = hal_context_code_base();

    for (unsigned id = 0; id < HAL_CPU_MAX; id++) {
        const struct cpu *cpu = cpu_at(id);
        const struct thread *thread = cpu_running(cpu);

        if (!(cpu_online() >> id & 1))
            continue;
        debug_say("  CPU %u: thread %u (%s)", id, thread->id, thread->name);
        if (id == hal_cpu_id())
            debug_say(", this one");
        else if (!cpu_stopped(id))
            debug_say(", does not answer");
        else
            for (unsigned i = 0; i < cpu->stopped_depth; i++)
                debug_say(" 0x%llx", (unsigned long long)(cpu->stopped_at[i] - base));
        debug_say("\n");
    }
}

static void debug_log(void)
{
    struct klog_line line;
    uint64_t newest = 0;

    for (uint64_t number = 1; klog_read(number, &line) == 0; number = line.number + 1)
        newest = line.number;
    for (uint64_t number = newest > LOG_LINES ? newest - LOG_LINES + 1 : 1;
         klog_read(number, &line) == 0; number = line.number + 1)
        debug_say("[%5llu.%06llu] %s\n", (unsigned long long)(line.time / 1000000000),
                  (unsigned long long)(line.time / 1000 % 1000000), line.text);
}

static void debug_continue(void)
{
    debug.leave = true;
}

HAL_NORETURN static void debug_reboot(void)
{
    hal_board_stop(HAL_STOP_REBOOT, 0);
}

static void debug_poweroff(void)
{
    uint64_t status = 0;

    if (debug.args.count > 1 && !debug_number(debug.args.words[1], &status))
        return;
    if (status > 255) {
        debug_say("error: a status is 0 .. 255\n");
        return;
    }
    hal_board_stop(HAL_STOP_POWER_OFF, (int)status);
}

static void debug_help(void);

static const struct debug_command {
    const char *name, *summary;
    void (*run)(void);
} debug_commands[] = {
    {"help", "this list", debug_help},
    {"regs", "the registers at the fault", debug_regs},
    {"bt", "who called whom, as addresses in the kernel's file", debug_bt},
    {"mem", "ADDRESS [LENGTH]: physical memory, RAM only", debug_mem},
    {"threads", "all threads", debug_threads},
    {"cpus", "what each CPU is in the middle of, innermost first", debug_cpus},
    {"log", "the newest lines of the kernel's log", debug_log},
    {"continue", "leave; after a breakpoint the kernel goes on (also: exit)", debug_continue},
    {"exit", "as continue", debug_continue},
    {"reboot", "start anew", debug_reboot},
    {"poweroff", "[STATUS]: end", debug_poweroff},
};

#define DEBUG_COMMANDS (sizeof(debug_commands) / sizeof(debug_commands[0]))

static void debug_help(void)
{
    for (size_t i = 0; i < DEBUG_COMMANDS; i++)
        debug_say("  %-9s %s\n", debug_commands[i].name, debug_commands[i].summary);
}

static void debug_run(void)
{
    for (size_t i = 0; i < DEBUG_COMMANDS; i++) {
        if (string_equal(debug.args.words[0], debug_commands[i].name)) {
            debug_commands[i].run();
            return;
        }
    }
    debug_say("unknown command: %s\n", debug.args.words[0]);
}

void debug_shell(const struct hal_fault *fault, const char *why)
{
    if (debug.active)
        return; /* a fault of the debug shell itself: the panic that follows says so */
    debug.active = true;
    debug.fault = fault;
    debug.leave = false;
    spinlock_bypass(true);
    tty_flush_polled();
    debug_start_console();
    debug_say("\nDebug shell (%s at 0x%llx). Type \"help\" for its commands.\n", why,
              (unsigned long long)(fault->pc - hal_context_code_base()));
    while (!debug.leave) {
        if (debug_read_line())
            debug_run();
    }
    spinlock_bypass(false);
    debug.active = false;
}
