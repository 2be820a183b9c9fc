/* SPDX-License-Identifier: MIT */
/*
 * uart.c: <hal/uart.h> and <hal/console.h> over one of the two ports.
 *
 * Input interrupts are level-triggered on the chip. So that the same bytes do not interrupt again
 * before core has read them, input is silenced when it interrupts, and heard again when a read has
 * found the queue empty; from then on the next byte interrupts.
 *
 * Room for output is a level to core too ("again and again"). Two things are added to what the chip
 * does: where the port reports only the moment at which room comes back, the line is poked by
 * software; and a report that core answers with no output is repeated only after a pause, or the
 * interrupted code would never run.
 */
#include "board/uart.h"
#include "soc/bcm2837.h"
#include "soc/intc.h"
#include "soc/mailbox.h"
#include "soc/serial.h"
#include "soc/timer.h"

#include <hal/console.h>
#include <hal/uart.h>
#include <pi3/lock.h>
#include <pi3/mmio.h>

#define UART_BAUD 115200u
/** When the firmware does not say: what it sets by itself. */
#define PL011_CLOCK_USUAL 48000000u
#define CORE_CLOCK_USUAL 250000000u
/** A full queue of 16 bytes takes 1.4 ms to send. */
#define PUTC_WAIT_MICROS 20000u
/** Between two reports of room that core does not use. */
#define ROOM_PAUSE_MICROS 1000u

static const struct serial_port *uart_port;
static struct lock uart_lock;
/** serial_cause bits: what core wants to hear of, and what it has to look at first. */
static unsigned uart_wanted;
static unsigned uart_silenced;
/** hal_console_putc has waited for uart_lock in vain. */
static bool uart_lock_lost;

static uint32_t uart_clock(enum firmware_clock clock, uint32_t usual)
{
    uint32_t id = (uint32_t)clock;
    uint32_t rate = 0;

    if (mailbox_ask_one(TAG_CLOCK_RATE, &id, &rate) != 0 || rate < UART_BAUD * 16) {
        return usual;
    }
    return rate;
}

void board_uart_start(enum uart_choice choice)
{
    uart_wanted = SERIAL_INPUT;
    if (choice == UART_MINI) {
        uart_port = &mini_port;
        uart_port->start(uart_clock(CLOCK_CORE, CORE_CLOCK_USUAL), UART_BAUD);
    } else {
        uart_port = &pl011_port;
        uart_port->start(uart_clock(CLOCK_UART, PL011_CLOCK_USUAL), UART_BAUD);
    }
    uart_port->listen(SERIAL_INPUT);
}

unsigned board_uart_gpu_irq(void)
{
    return uart_port->gpu_irq;
}

/** Tells the port what may interrupt. Lock held. */
static void uart_listen(void)
{
    uart_port->listen(uart_wanted & ~uart_silenced);
}

/** Core has heard of `causes` and is not told again until something changes. Lock held. */
static void uart_silence(unsigned causes)
{
    uart_silenced |= causes;
    uart_listen();
    if ((causes & SERIAL_ROOM) != 0) {
        systimer_arm(SYSTIMER_SERIAL, ROOM_PAUSE_MICROS);
    }
}

/** Room may be reported from now on, if core wants that. Lock held. */
static void uart_hear_room(void)
{
    uart_silenced &= ~(unsigned)SERIAL_ROOM;
    uart_listen();
    if ((uart_wanted & SERIAL_ROOM) != 0 && !uart_port->tells_room()) {
        intc_poke(0, HAL_IRQ_UART);
    }
}

size_t hal_uart_read(uint8_t *bytes, size_t n)
{
    size_t count = 0;
    hal_irq_state_t state = lock_take(&uart_lock);

    while (count < n) {
        int byte = uart_port->get();
        if (byte < 0) {
            break;
        }
        bytes[count++] = (uint8_t)byte;
    }
    if (count < n && (uart_silenced & SERIAL_INPUT) != 0) {
        uart_silenced &= ~(unsigned)SERIAL_INPUT;
        uart_listen();
    }
    lock_release(&uart_lock, state);
    return count;
}

size_t hal_uart_write(const uint8_t *bytes, size_t n)
{
    size_t count = 0;
    hal_irq_state_t state = lock_take(&uart_lock);

    while (count < n && uart_port->put(bytes[count])) {
        count++;
    }
    if (count > 0 && (uart_silenced & SERIAL_ROOM) != 0) {
        uart_hear_room();
    }
    lock_release(&uart_lock, state);
    return count;
}

void hal_uart_notify_room(bool on)
{
    hal_irq_state_t state = lock_take(&uart_lock);
    bool was_on = (uart_wanted & SERIAL_ROOM) != 0;

    if (on && !was_on) {
        uart_wanted |= SERIAL_ROOM;
        uart_hear_room();
    } else if (!on && was_on) {
        uart_wanted &= ~(unsigned)SERIAL_ROOM;
        uart_listen();
    }
    lock_release(&uart_lock, state);
}

bool hal_uart_window(uint16_t *columns, uint16_t *rows)
{
    (void)columns, (void)rows;
    return false;
}

bool board_uart_take_interrupt(void)
{
    hal_irq_state_t state = lock_take(&uart_lock);
    unsigned causes = uart_port->causes();

    if (causes != 0) {
        uart_silence(causes);
    }
    lock_release(&uart_lock, state);
    return causes != 0;
}

bool board_uart_take_poke(void)
{
    hal_irq_state_t state = lock_take(&uart_lock);
    bool told = (uart_wanted & ~uart_silenced & SERIAL_ROOM) != 0;

    if (told) {
        uart_silence(SERIAL_ROOM);
    }
    lock_release(&uart_lock, state);
    return told;
}

void board_uart_take_pace(void)
{
    hal_irq_state_t state = lock_take(&uart_lock);

    systimer_quiet(SYSTIMER_SERIAL);
    if ((uart_silenced & SERIAL_ROOM) != 0) {
        uart_hear_room();
    }
    lock_release(&uart_lock, state);
}

/** The lock, so that two CPUs do not fill the same room. But a panic must get through whatever is
 * held: if it does not come, it is done without, and nobody waits for it until it has come. */
static bool console_lock(hal_irq_state_t *state)
{
    uint64_t give_up = mmio_microseconds() + PUTC_WAIT_MICROS;
    bool locked = lock_try(&uart_lock, state);

    while (!locked && !__atomic_load_n(&uart_lock_lost, __ATOMIC_RELAXED) &&
           mmio_microseconds() < give_up) {
        hal_cpu_relax();
        locked = lock_try(&uart_lock, state);
    }
    __atomic_store_n(&uart_lock_lost, !locked, __ATOMIC_RELAXED);
    return locked;
}

static bool console_put(uint8_t byte)
{
    hal_irq_state_t state;
    bool locked = console_lock(&state), done = uart_port->put(byte);

    if (locked) {
        lock_release(&uart_lock, state);
    }
    return done;
}

/* A byte of somebody else may come between. */
void hal_console_putc(uint8_t byte)
{
    if (uart_port == NULL) {
        return;
    }
    uint64_t give_up = mmio_microseconds() + PUTC_WAIT_MICROS;
    while (!console_put(byte) && mmio_microseconds() < give_up) {
        hal_cpu_relax();
    }
}

void board_uart_flush(void)
{
    if (uart_port == NULL) {
        return;
    }
    uint64_t give_up = mmio_microseconds() + PUTC_WAIT_MICROS;
    while (!uart_port->sent() && mmio_microseconds() < give_up) {
        hal_cpu_relax();
    }
}
