/* SPDX-License-Identifier: MIT */
/*
 * uart.c: the serial line of the console.
 *
 * Input waits in the library's queue. With the virtual clock a byte at a time moves from there into
 * the receive FIFO, COST_UART_BYTE apart, and waits outside while the FIFO is full: a sender that
 * honours flow control. Output is seen by the library as soon as it is accepted; the transmit FIFO
 * is only a matter of time: its fill is how long the line is still busy. With the real clock there
 * is no pace: reading takes straight from the queue, and there is always room for output.
 */
#include "board/machine.h"

#include "host/host.h"
#include "tayberry.h"

#include <hal/console.h>
#include <hal/runtime.h>
#include <hal/uart.h>

struct uart_work {
    uint8_t *in;
    const uint8_t *out;
    size_t n;
};

void sim_uart_reset(void)
{
    machine.uart = (struct uart){.room_at = HAL_TIME_NEVER};
    sim_uart_input_arrived();
}

/* How many bytes are still in the transmit FIFO. */
static size_t tx_count(void)
{
    uint64_t now = sim_time_now(), end = machine.uart.tx_end;
    return end > now ? (size_t)((end - now + COST_UART_BYTE - 1) / COST_UART_BYTE) : 0;
}

/* Whether output has so much room that asking for more pays: half a FIFO. */
static bool tx_has_room(void)
{
    return machine.real || tx_count() <= UART_FIFO / 2;
}

void sim_uart_level(void)
{
    struct uart *uart = &machine.uart;
    if (!machine.real)
        uart->room_at = HAL_TIME_NEVER;
    if (uart->notify_room && tx_has_room())
        sim_cpu_raise(&machine.cpu[0], HAL_IRQ_UART);
    else if (uart->notify_room)
        uart->room_at = uart->tx_end - UART_FIFO / 2 * COST_UART_BYTE;
}

void sim_uart_input_arrived(void)
{
    uint64_t now = sim_time_now();
    if (machine.real) {
        if (outside_input_waiting())
            sim_cpu_raise(&machine.cpu[0], HAL_IRQ_UART);
        return;
    }
    if (machine.uart.rx_next <= now)
        machine.uart.rx_next = now + COST_UART_BYTE;
    sim_time_plan();
}

void sim_uart_window_changed(void)
{
    sim_cpu_raise(&machine.cpu[0], HAL_IRQ_UART);
}

uint64_t sim_uart_next_event(void)
{
    const struct uart *uart = &machine.uart;
    uint64_t room = uart->room_at, input = HAL_TIME_NEVER;
    if (uart->rx_count < UART_FIFO && outside_input_waiting())
        input = uart->rx_next;
    return room < input ? room : input;
}

void sim_uart_run_events(void)
{
    struct uart *uart = &machine.uart;
    uint64_t now = sim_time_now();
    while (uart->rx_next <= now && uart->rx_count < UART_FIFO &&
           outside_input(&uart->rx[uart->rx_count], 1)) {
        sim_trace_event(TB_EVENT_UART_IN, uart->rx[uart->rx_count++], 0);
        uart->rx_next += COST_UART_BYTE;
        sim_cpu_raise(&machine.cpu[0], HAL_IRQ_UART);
    }
    /* Only when it is due: this also runs when tb_run_* wants control back, at any time. */
    if (uart->room_at <= now)
        sim_uart_level();
}

static size_t read_fifo(uint8_t *bytes, size_t n)
{
    struct uart *uart = &machine.uart;
    bool was_full = uart->rx_count == UART_FIFO;
    n = n < uart->rx_count ? n : uart->rx_count;
    memcpy(bytes, uart->rx, n);
    uart->rx_count -= (unsigned)n;
    memmove(uart->rx, uart->rx + n, uart->rx_count);
    if (was_full && n)
        sim_uart_input_arrived();
    return n;
}

static long read_work(void *argument)
{
    struct uart_work *work = argument;
    if (!machine.real)
        return (long)read_fifo(work->in, work->n);
    size_t n = outside_input(work->in, work->n);
    for (size_t i = 0; i < n; i++)
        sim_trace_event(TB_EVENT_UART_IN, work->in[i], 0);
    return (long)n;
}

/* Sends bytes at once, whatever the FIFO holds. */
static void transmit(const uint8_t *bytes, size_t n)
{
    uint64_t now = sim_time_now();
    struct uart *uart = &machine.uart;
    if (!machine.real)
        uart->tx_end = (uart->tx_end > now ? uart->tx_end : now) + n * COST_UART_BYTE;
    for (size_t i = 0; i < n; i++)
        sim_trace_event(TB_EVENT_UART_OUT, bytes[i], 0);
    outside_output(bytes, n);
}

static long write_work(void *argument)
{
    struct uart_work *work = argument;
    size_t n = work->n;
    if (!machine.real) {
        size_t in_use = tx_count(), room = in_use < UART_FIFO ? UART_FIFO - in_use : 0;
        n = n < room ? n : room;
    }
    transmit(work->out, n);
    if (machine.uart.notify_room) {
        /* Still asked for: when there is room again, tell it again. */
        sim_uart_level();
        sim_time_plan();
    }
    return (long)n;
}

static long putc_work(void *argument)
{
    struct uart_work *work = argument;
    transmit(work->out, 1);
    return 0;
}

static long notify_work(void *argument)
{
    machine.uart.notify_room = *(bool *)argument;
    sim_uart_level();
    sim_time_plan();
    return 0;
}

/* ---- the contract ---- */

size_t hal_uart_read(uint8_t *bytes, size_t n)
{
    struct uart_work work = {.in = bytes, .n = n};
    return (size_t)sim_cpu_host(read_work, &work, COST_DEVICE);
}

size_t hal_uart_write(const uint8_t *bytes, size_t n)
{
    struct uart_work work = {.out = bytes, .n = n};
    return n ? (size_t)sim_cpu_host(write_work, &work, COST_DEVICE) : 0;
}

void hal_uart_notify_room(bool on)
{
    (void)sim_cpu_host(notify_work, &on, COST_DEVICE);
}

bool hal_uart_window(uint16_t *columns, uint16_t *rows)
{
    uint32_t window = outside_window();
    *columns = (uint16_t)(window >> 16);
    *rows = (uint16_t)window;
    return window != 0;
}

void hal_console_putc(uint8_t byte)
{
    struct uart_work work = {.out = &byte, .n = 1};
    (void)sim_cpu_host(putc_work, &work, COST_UART_BYTE);
}
