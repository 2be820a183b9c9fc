/* SPDX-License-Identifier: MIT */
/*
 * pl011.c: Arm's PL011 serial port.
 *
 * Two queues of 16 bytes. The receive interrupt comes when the queue has filled to a level, the
 * timeout interrupt when fewer bytes wait while the line is quiet; both go away when the queue has
 * been read empty, so the reader always reads until it is. The transmit interrupt comes when the
 * queue has *drained* to a level, so a queue that was never filled does not interrupt: tells_room.
 * No cause is acknowledged through ICR while running: on the chip emptying or filling does it, and
 * QEMU, which raises "received" only for the byte that makes the queue not empty, would lose one.
 *
 * The divisor is the input clock over 16 times the speed, in 64ths, and takes effect when LCRH is
 * written. The firmware decides the clock (48 MHz usually, 3 MHz in the past), so it is asked for.
 *
 * On the Pi 3 the firmware connects this port to Bluetooth, on pins 32 and 33, and what has been
 * received then is of no use. Otherwise input that waits already is from somebody at the console.
 * Switching the queues on or off would lose it, so they are then left as they are; without them the
 * port works the same, one byte at a time. (QEMU starts so when input is piped into it.)
 *
 * Source: Arm PL011 technical reference manual (DDI 0183); BCM2837 ARM Peripherals, section 13.
 */
#include "soc/bcm2837.h"
#include "soc/gpio.h"
#include "soc/serial.h"

#include <pi3/mmio.h>

#include <stddef.h>

#define PL011_DATA (PL011_BASE + 0x00u)
#define PL011_FLAGS (PL011_BASE + 0x18u)
#define PL011_DIVISOR (PL011_BASE + 0x24u)
#define PL011_FRACTION (PL011_BASE + 0x28u)
#define PL011_LINE (PL011_BASE + 0x2cu)
#define PL011_CONTROL (PL011_BASE + 0x30u)
#define PL011_LEVELS (PL011_BASE + 0x34u)
#define PL011_MASK (PL011_BASE + 0x38u)
#define PL011_RAW (PL011_BASE + 0x3cu)
#define PL011_MASKED (PL011_BASE + 0x40u)
#define PL011_CLEAR (PL011_BASE + 0x44u)

#define FLAG_BUSY (1u << 3)
#define FLAG_RECEIVE_EMPTY (1u << 4)
#define FLAG_TRANSMIT_FULL (1u << 5)
#define LINE_QUEUES (1u << 4)
#define LINE_8_BITS (3u << 5)
#define CONTROL_ON (1u << 9 | 1u << 8 | 1u << 0)
#define IRQ_RECEIVE (1u << 4)
#define IRQ_TRANSMIT (1u << 5)
#define IRQ_RECEIVE_TIMEOUT (1u << 6)
#define IRQ_INPUT (IRQ_RECEIVE | IRQ_RECEIVE_TIMEOUT)
#define IRQ_ALL 0x7ffu
/** Interrupt at an eighth of the receive queue, and at an eighth left in the transmit queue. */
#define LEVELS_EIGHTH 0u

/** A byte at 115,200 baud takes 87 us; nothing that is still being sent is cut off. */
#define PL011_BUSY_MICROS 2000u

static void pl011_take_pins(void)
{
    soc_gpio_select(PIN_BLUETOOTH_TX, HAL_GPIO_INPUT);
    soc_gpio_select(PIN_BLUETOOTH_RX, HAL_GPIO_INPUT);
    soc_gpio_pull(PIN_CONSOLE_TX, HAL_GPIO_PULL_NONE);
    soc_gpio_pull(PIN_CONSOLE_RX, HAL_GPIO_PULL_UP);
    soc_gpio_select(PIN_CONSOLE_TX, HAL_GPIO_ALT0);
    soc_gpio_select(PIN_CONSOLE_RX, HAL_GPIO_ALT0);
}

/** Waits for what is still being sent, so that nothing is cut off, and stops the port. */
static void pl011_stop(void)
{
    uint64_t give_up = mmio_microseconds() + PL011_BUSY_MICROS;

    mmio_barrier();
    while ((mmio_read(PL011_FLAGS) & FLAG_BUSY) != 0 && mmio_microseconds() < give_up) {
        mmio_wait(10);
    }
    mmio_write(PL011_CONTROL, 0);
    mmio_barrier();
}

static void pl011_start(uint32_t clock, uint32_t baud)
{
    uint32_t divisor = (uint32_t)(((uint64_t)clock * 8 / baud + 1) / 2); /* in 64ths, rounded */
    bool bluetooth = soc_gpio_function(PIN_BLUETOOTH_RX) == HAL_GPIO_ALT3;

    pl011_stop();
    pl011_take_pins();
    mmio_barrier();
    bool keep = !bluetooth && (mmio_read(PL011_FLAGS) & FLAG_RECEIVE_EMPTY) == 0;
    uint32_t queues = LINE_QUEUES;
    if (keep) {
        queues = mmio_read(PL011_LINE) & LINE_QUEUES;
    } else {
        mmio_write(PL011_LINE, 0); /* empties the queues */
    }
    mmio_write(PL011_MASK, 0);
    mmio_write(PL011_CLEAR, keep ? IRQ_ALL & ~IRQ_INPUT : IRQ_ALL);
    mmio_write(PL011_DIVISOR, divisor / 64);
    mmio_write(PL011_FRACTION, divisor % 64);
    mmio_write(PL011_LINE, LINE_8_BITS | queues);
    mmio_write(PL011_LEVELS, LEVELS_EIGHTH);
    mmio_write(PL011_CONTROL, CONTROL_ON);
    mmio_barrier();
}

static int pl011_get(void)
{
    int byte = -1;

    mmio_barrier();
    if ((mmio_read(PL011_FLAGS) & FLAG_RECEIVE_EMPTY) == 0) {
        byte = (int)(mmio_read(PL011_DATA) & 0xff);
    }
    mmio_barrier();
    return byte;
}

static bool pl011_put(uint8_t byte)
{
    mmio_barrier();
    bool room = (mmio_read(PL011_FLAGS) & FLAG_TRANSMIT_FULL) == 0;
    if (room) {
        mmio_write(PL011_DATA, byte);
    }
    mmio_barrier();
    return room;
}

static void pl011_listen(unsigned causes)
{
    uint32_t mask = (causes & SERIAL_INPUT) != 0 ? IRQ_INPUT : 0;

    mask |= (causes & SERIAL_ROOM) != 0 ? IRQ_TRANSMIT : 0;
    mmio_barrier();
    mmio_write(PL011_MASK, mask);
    mmio_barrier();
}

static unsigned pl011_causes(void)
{
    mmio_barrier();
    uint32_t masked = mmio_read(PL011_MASKED);
    mmio_barrier();
    unsigned causes = (masked & IRQ_INPUT) != 0 ? SERIAL_INPUT : 0;
    return causes | ((masked & IRQ_TRANSMIT) != 0 ? SERIAL_ROOM : 0);
}

static bool pl011_tells_room(void)
{
    mmio_barrier();
    bool told = (mmio_read(PL011_RAW) & IRQ_TRANSMIT) != 0;
    bool full = (mmio_read(PL011_FLAGS) & FLAG_TRANSMIT_FULL) != 0;
    mmio_barrier();
    return told || full;
}

static bool pl011_sent(void)
{
    mmio_barrier();
    bool sent = (mmio_read(PL011_FLAGS) & FLAG_BUSY) == 0;
    mmio_barrier();
    return sent;
}

const struct serial_port pl011_port = {
    .gpu_irq = GPU_IRQ_PL011,
    .start = pl011_start,
    .get = pl011_get,
    .put = pl011_put,
    .listen = pl011_listen,
    .causes = pl011_causes,
    .tells_room = pl011_tells_room,
    .sent = pl011_sent,
};
