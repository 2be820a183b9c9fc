/* SPDX-License-Identifier: MIT */
/*
 * miniuart.c: the mini UART, the chip's second serial port.
 *
 * A small cousin of the 16550: queues of eight bytes, no parity, and a divisor of the VideoCore's
 * core clock, which the firmware may change; `enable_uart=1` in config.txt makes it keep still. The
 * port shares a block, with an enable register and an interrupt, with two SPI masters; while its
 * enable bit is off its other registers cannot be reached. The pins are connected first, because a
 * port whose input is not connected sees a line that is low, which is an endless row of zeros.
 *
 * What the queues hold is dropped, unless the firmware has had the port in use: then it may be what
 * somebody at the console has typed already.
 *
 * The numbers of the receive and transmit bits in IER differ between editions of the manual; these
 * are the ones that work: 0 receive, 1 transmit, and bits 3:2 on.
 *
 * Source: BCM2837 ARM Peripherals, section 2, with the errata of eLinux.
 */
#include "soc/bcm2837.h"
#include "soc/gpio.h"
#include "soc/serial.h"

#include <pi3/mmio.h>

#include <stddef.h>

#define AUX_ENABLES (AUX_BASE + 0x04u)
#define MINI_DATA (AUX_BASE + 0x40u)
#define MINI_IER (AUX_BASE + 0x44u)
#define MINI_IIR (AUX_BASE + 0x48u)
#define MINI_LCR (AUX_BASE + 0x4cu)
#define MINI_MCR (AUX_BASE + 0x50u)
#define MINI_LSR (AUX_BASE + 0x54u)
#define MINI_CONTROL (AUX_BASE + 0x60u)
#define MINI_BAUD (AUX_BASE + 0x68u)

#define AUX_MINI_ON 1u
#define IER_RECEIVE (1u << 0 | 3u << 2)
#define IER_TRANSMIT (1u << 1)
#define IIR_CLEAR_BOTH 0xc6u
#define IIR_CLEAR_NONE 0xc0u
#define LCR_8_BITS 3u
#define LSR_RECEIVED (1u << 0)
#define LSR_ROOM (1u << 5)
#define LSR_SENT (1u << 6)
#define CONTROL_BOTH 3u

static void mini_start(uint32_t clock, uint32_t baud)
{
    soc_gpio_pull(PIN_CONSOLE_TX, HAL_GPIO_PULL_NONE);
    soc_gpio_pull(PIN_CONSOLE_RX, HAL_GPIO_PULL_UP);
    soc_gpio_select(PIN_CONSOLE_TX, HAL_GPIO_ALT5);
    soc_gpio_select(PIN_CONSOLE_RX, HAL_GPIO_ALT5);
    mmio_barrier();
    uint32_t enables = mmio_read(AUX_ENABLES);
    bool was_on = (enables & AUX_MINI_ON) != 0;
    mmio_write(AUX_ENABLES, enables | AUX_MINI_ON);
    mmio_write(MINI_IER, 0);
    mmio_write(MINI_CONTROL, 0);
    mmio_write(MINI_LCR, LCR_8_BITS);
    mmio_write(MINI_MCR, 0);
    mmio_write(MINI_IIR, was_on ? IIR_CLEAR_NONE : IIR_CLEAR_BOTH);
    mmio_write(MINI_BAUD, (clock + baud * 4) / (baud * 8) - 1);
    mmio_write(MINI_CONTROL, CONTROL_BOTH);
    mmio_barrier();
}

static int mini_get(void)
{
    int byte = -1;

    mmio_barrier();
    if ((mmio_read(MINI_LSR) & LSR_RECEIVED) != 0) {
        byte = (int)(mmio_read(MINI_DATA) & 0xff);
    }
    mmio_barrier();
    return byte;
}

static bool mini_put(uint8_t byte)
{
    mmio_barrier();
    bool room = (mmio_read(MINI_LSR) & LSR_ROOM) != 0;
    if (room) {
        mmio_write(MINI_DATA, byte);
    }
    mmio_barrier();
    return room;
}

static void mini_listen(unsigned causes)
{
    uint32_t ier = (causes & SERIAL_INPUT) != 0 ? IER_RECEIVE : 0;

    ier |= (causes & SERIAL_ROOM) != 0 ? IER_TRANSMIT : 0;
    mmio_barrier();
    mmio_write(MINI_IER, ier);
    mmio_barrier();
}

static unsigned mini_causes(void)
{
    mmio_barrier();
    uint32_t ier = mmio_read(MINI_IER);
    uint32_t lsr = mmio_read(MINI_LSR);
    mmio_barrier();
    unsigned causes = (ier & 1u) != 0 && (lsr & LSR_RECEIVED) != 0 ? SERIAL_INPUT : 0;
    return causes | ((ier & IER_TRANSMIT) != 0 && (lsr & LSR_ROOM) != 0 ? SERIAL_ROOM : 0);
}

/** The transmit interrupt of this port is a level: it lasts while the queue is empty. */
static bool mini_tells_room(void)
{
    return true;
}

static bool mini_sent(void)
{
    mmio_barrier();
    bool sent = (mmio_read(MINI_LSR) & LSR_SENT) != 0;
    mmio_barrier();
    return sent;
}

const struct serial_port mini_port = {
    .gpu_irq = GPU_IRQ_AUX,
    .start = mini_start,
    .get = mini_get,
    .put = mini_put,
    .listen = mini_listen,
    .causes = mini_causes,
    .tells_room = mini_tells_room,
    .sent = mini_sent,
};
