/* SPDX-License-Identifier: MIT */
/*
 * guest.c: a guest for the library's tests, with one behaviour for each thing that a guest can do.
 *
 * The first word of the kernel's command line names the behaviour. A guest is small and does
 * nothing else, so what the library shows of it can be told exactly. It asserts nothing; the tests
 * judge.
 */
#include "guest.h"

#include <hal/block.h>
#include <hal/boot.h>
#include <hal/console.h>
#include <hal/context.h>
#include <hal/gpio.h>
#include <hal/inspect.h>
#include <hal/kstate.h>
#include <hal/machine.h>
#include <hal/mem.h>
#include <hal/runtime.h>
#include <hal/uart.h>
#include <hal/upcall.h>

enum { MS = 1000000, PIN_OUT = 17, PIN_IN = 22, FREE_RAM = GUEST_FREE_RAM };

KSTATE void (*guest_on_line[HAL_IRQ_LINES])(void);
KSTATE void (*guest_on_cpu)(void);
KSTATE static volatile uint64_t spins[2];
KSTATE static uint64_t ticks;
KSTATE static struct hal_context contexts[2], boot_context;
KSTATE static unsigned running;

void guest_print(const char *text)
{
    while (*text)
        hal_console_putc((uint8_t)*text++);
}

static void print_number(uint64_t number)
{
    char digits[24];
    unsigned n = sizeof digits;
    digits[--n] = '\0';
    do {
        digits[--n] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    guest_print(digits + n);
}

void guest_print_line(const char *name, uint64_t number)
{
    guest_print(name);
    guest_print(" ");
    print_number(number);
    guest_print("\n");
}

HAL_NORETURN static void idle_for_ever(void)
{
    for (;;)
        hal_cpu_idle();
}

static void start_ticks(void (*function)(void))
{
    guest_on_line[HAL_IRQ_TIMER] = function;
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_timer_set(MS);
}

/* ---- behaviours ---- */

/* Prints back what comes in; 'q' ends it with status 42. */
static void echo_input(void)
{
    uint8_t bytes[16];
    size_t n, sent;
    while ((n = hal_uart_read(bytes, sizeof bytes)) != 0)
        for (size_t i = 0; i < n; i++) {
            if (bytes[i] == 'q')
                hal_board_stop(HAL_STOP_POWER_OFF, 42);
            for (sent = 0; !sent; hal_cpu_relax())
                sent = hal_uart_write(&bytes[i], 1);
        }
}

static void be_echo(void)
{
    guest_on_line[HAL_IRQ_UART] = echo_input;
    hal_irq_enable(HAL_IRQ_UART);
    guest_print("ready\n");
    idle_for_ever();
}

static void be_idle(void)
{
    guest_print("ready\n");
    idle_for_ever();
}

/* Never calls the HAL again. */
static void be_spin(void)
{
    guest_print("ready\n");
    hal_irq_unmask();
    for (;;)
        spins[0]++;
}

static void be_spin_masked(void)
{
    guest_print("ready\n");
    for (;;)
        spins[0]++;
}

static void be_poll(void)
{
    hal_irq_unmask();
    guest_print("ready\n");
    for (;;)
        hal_cpu_relax();
}

static void blink(void)
{
    hal_timer_set((++ticks + 1) * MS);
    (void)!hal_gpio_write(PIN_OUT, ticks % 2);
    hal_board_led(ticks % 8 < 4);
}

static void be_blink(void)
{
    (void)!hal_gpio_set_function(PIN_OUT, HAL_GPIO_OUTPUT);
    start_ticks(blink);
    guest_print("ready\n");
    idle_for_ever();
}

static void tell_button(void)
{
    uint32_t events = hal_gpio_events();
    if (events & 1u << PIN_IN)
        guest_print_line("button", (uint64_t)hal_gpio_read(PIN_IN));
}

static void be_button(void)
{
    guest_on_line[HAL_IRQ_GPIO] = tell_button;
    (void)!hal_gpio_watch(PIN_IN, HAL_GPIO_EDGE_BOTH);
    hal_irq_enable(HAL_IRQ_GPIO);
    guest_print("ready\n");
    idle_for_ever();
}

static void count_tick(void)
{
    hal_timer_set((++ticks + 1) * MS);
    guest_print_line("tick", ticks);
}

static void be_count(void)
{
    start_ticks(count_tick);
    guest_print("ready\n");
    idle_for_ever();
}

static void be_reboot(void)
{
    guest_print("boot\n");
    hal_timer_set(hal_time_now() + MS);
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_cpu_idle();
    hal_board_stop(HAL_STOP_REBOOT, 0);
}

/* Each life waits for its timer, and leaves one behind that is due when there is no life. */
static void be_left(void)
{
    hal_timer_set(hal_time_now() + MS);
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_cpu_idle();
    guest_print("boot\n");
    hal_timer_set(hal_time_now() + MS / 10);
    hal_board_stop(HAL_STOP_REBOOT, 0);
}

static void be_off(void)
{
    hal_board_stop(HAL_STOP_POWER_OFF, 7);
}

static void be_panic(void)
{
    guest_print("it cannot go on\n");
    hal_board_stop(HAL_STOP_PANIC, 0);
}

/* Two contexts that only count; the timer switches between them. */
static void switch_over(void)
{
    unsigned from = running;
    hal_timer_set(hal_time_now() + MS);
    if (++ticks == 40) {
        guest_print_line("first", spins[0]);
        guest_print_line("second", spins[1]);
        hal_board_stop(HAL_STOP_POWER_OFF, 0);
    }
    running = !from;
    hal_context_switch(&contexts[from], &contexts[!from]);
}

static void count_here(void *which)
{
    hal_irq_unmask();
    for (;;)
        spins[*(unsigned *)which]++;
}

static void make_context(unsigned i, void (*entry)(void *), void *argument)
{
    uint64_t at = FREE_RAM + i * 2ull * HAL_STACK_SIZE;
    hal_mem_first_use(at - HAL_PAGE_SIZE, HAL_STACK_SIZE + HAL_PAGE_SIZE);
    (void)!hal_mem_guard(hal_mem_pointer(at - HAL_PAGE_SIZE), true);
    hal_context_init(&contexts[i], hal_mem_pointer(at), HAL_STACK_SIZE, entry, argument);
}

static void be_two(void)
{
    KSTATE static unsigned names[2];
    names[1] = 1;
    for (unsigned i = 0; i < 2; i++)
        make_context(i, count_here, &names[i]);
    start_ticks(switch_over);
    guest_print("ready\n");
    hal_context_switch(&boot_context, &contexts[0]);
}

/* Goes deeper than any stack is. */
static unsigned sink_into_stack(volatile uint8_t *above, unsigned depth)
{
    volatile uint8_t piece[256];
    piece[0] = above[0];
    return depth ? sink_into_stack(piece, depth - 1) + piece[0] : 0;
}

static void overflow(void *unused)
{
    volatile uint8_t first = 1;
    (void)unused;
    (void)sink_into_stack(&first, 1u << 30);
}

static void be_overflow(void)
{
    make_context(0, overflow, NULL);
    hal_context_switch(&boot_context, &contexts[0]);
}

static void print_sum(const uint8_t *bytes, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum = sum * 31 + bytes[i];
    guest_print_line("sum", sum);
}

/* Reads sector after sector, one a millisecond, and prints a sum or the error of each. */
static void read_sector(void)
{
    KSTATE static struct hal_block_request request;
    struct hal_block_info info;
    uint8_t *data = hal_mem_pointer(FREE_RAM);
    int error = hal_block_probe(&info);
    hal_timer_set(hal_time_now() + MS);
    request.op = HAL_BLOCK_READ;
    request.sector = ticks++;
    request.segment_count = 1;
    request.segments[0] = (struct hal_block_segment){data, 1};
    if (!error)
        error = hal_block_submit(&request);
    for (struct hal_block_request *done = NULL; !error && !done; hal_cpu_relax())
        if ((done = hal_block_completed()) != NULL)
            error = done->result;
    if (error)
        guest_print_line("error", (uint64_t)-error);
    else
        print_sum(data, HAL_SECTOR_SIZE);
}

static void be_card(void)
{
    hal_mem_first_use(FREE_RAM, HAL_PAGE_SIZE);
    start_ticks(read_sector);
    guest_print("ready\n");
    idle_for_ever();
}

/* Lets the signal of an early timer meet the HAL, and then waits for the timer without a call. */
static void count_alarm(void)
{
    ticks++;
}

static void be_meet(void)
{
    guest_on_line[HAL_IRQ_TIMER] = count_alarm;
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_irq_unmask();
    guest_print("ready\n");
    for (unsigned round = 0; round < 20000; round++) {
        uint64_t seen = ticks, at = hal_time_now() + 20000;
        hal_timer_set(at);
        hal_timer_set(at + 10000 + round % 64 * 100);
        while (hal_time_now() < at + 10000)
            spins[0]++;
        while (*(volatile uint64_t *)&ticks == seen)
            spins[1]++;
    }
    guest_print("met\n");
    hal_board_stop(HAL_STOP_POWER_OFF, 0);
}

/* Flushes the card with a request that says no more than a flush has to. */
static void be_flush(void)
{
    KSTATE static struct hal_block_request request;
    struct hal_block_info info;
    int error = hal_block_probe(&info);
    request.op = HAL_BLOCK_FLUSH;
    request.sector = UINT64_MAX;
    request.segment_count = UINT32_MAX;
    if (!error)
        error = hal_block_submit(&request);
    while (!error && !hal_block_completed())
        hal_cpu_relax();
    guest_print_line("flushed", (uint64_t)-error);
    idle_for_ever();
}

/* Sends a text as a driver does: a piece whenever the line says that there is room. */
static void send_piece(void)
{
    static const uint8_t text[8] = "abcdefg\n";
    uint8_t input[4];
    while (hal_uart_read(input, sizeof input))
        spins[0]++;
    if (ticks < 400)
        ticks += hal_uart_write(text, sizeof text);
    else
        hal_uart_notify_room(false);
}

static void be_send(void)
{
    guest_on_line[HAL_IRQ_UART] = send_piece;
    hal_irq_enable(HAL_IRQ_UART);
    hal_uart_notify_room(true);
    idle_for_ever();
}

/* ---- the way in ---- */

static const struct guest_behaviour behaviours[] = {
    {"echo", be_echo},     {"idle", be_idle},
    {"spin", be_spin},     {"masked", be_spin_masked},
    {"poll", be_poll},     {"blink", be_blink},
    {"button", be_button}, {"count", be_count},
    {"reboot", be_reboot}, {"off", be_off},
    {"panic", be_panic},   {"two", be_two},
    {"card", be_card},     {"overflow", be_overflow},
    {"meet", be_meet},     {"flush", be_flush},
    {"send", be_send},     {"left", be_left},
    {NULL, NULL},
};

/* The command line of the boot tags: the tag 0x54410009 of the list. */
static const char *command_line(void)
{
    size_t bytes;
    const uint32_t *tag = hal_boot_tags(&bytes);
    while (tag[0]) {
        if (tag[1] == 0x54410009)
            return (const char *)(tag + 2);
        tag += tag[0];
    }
    return "";
}

static bool same(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

void hal_upcall_boot(void)
{
    const struct guest_behaviour *const lists[] = {behaviours, guest_cpus_behaviours};
    const char *line = command_line();
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (const struct guest_behaviour *at = lists[i]; at->name; at++)
            if (same(line, at->name))
                at->run();
    guest_print("no such behaviour\n");
    hal_board_stop(HAL_STOP_PANIC, 1);
}

void hal_upcall_cpu(void)
{
    if (guest_on_cpu)
        guest_on_cpu();
    idle_for_ever();
}

void hal_upcall_interrupt(enum hal_irq line)
{
    if (guest_on_line[line])
        guest_on_line[line]();
}

bool hal_upcall_fault(const struct hal_fault *fault)
{
    guest_print(fault->kind == HAL_FAULT_STACK ? "stack fault\n" : "fault\n");
    return false;
}

/* A guest without user code, and without a heap. */
void *hal_upcall_table_alloc(void)
{
    return NULL;
}

void hal_upcall_table_free(void *page)
{
    (void)page;
}

uint32_t hal_inspect_thread(unsigned cpu, char *name, size_t bytes)
{
    (void)cpu;
    (void)name;
    (void)bytes;
    return 0;
}

size_t hal_inspect_hang(char *text, size_t bytes)
{
    (void)text;
    (void)bytes;
    return 0;
}

bool hal_inspect_block(const void *address, char *text, size_t bytes)
{
    (void)address;
    (void)text;
    (void)bytes;
    return false;
}

/* Nor a scheduler. */
size_t hal_inspect_trace_text(const struct hal_trace_event *event, char *text, size_t bytes)
{
    (void)event;
    if (bytes)
        text[0] = '\0';
    return 0;
}
