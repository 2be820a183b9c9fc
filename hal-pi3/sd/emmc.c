/* SPDX-License-Identifier: MIT */
/*
 * emmc.c: the Arasan card controller of the chip ("EMMC"), which carries the card here.
 *
 * It follows the SD host controller standard, with 32-bit registers only. A command is issued by
 * writing its argument and then CMDTM; flags in INTERRUPT say what has happened and are cleared by
 * writing them back. A flag appears only if IRPT_MASK allows it, and interrupts only if IRPT_EN
 * does. Data moves through one register, a block each time a flag says so. A block's flag is
 * cleared before the block is moved: the next flag may be up before the last word is. Or a DMA
 * channel moves the blocks, asked by a line of its own; then the flags for blocks are masked.
 *
 * Traps of the real chip that QEMU does not have:
 * - A register write within two cycles of the card's clock after another is lost. emmc_write waits.
 * - The clock comes from the firmware and changes with its version: it is asked for.
 * - The card's pins are given to this controller by function ALT3; the firmware gives the
 * controller to the wireless chip, whose pins are therefore disconnected. (In QEMU the controller
 * has the card from reset on and ALT3 means nothing.)
 * - "Clock stable" does not prove that it is, so a little time passes before the clock is used.
 *
 * Source: BCM2837 ARM Peripherals, section 5; SD Host Controller Simplified Specification 3.00.
 */
#include "sd/emmc.h"
#include "soc/bcm2837.h"
#include "soc/gpio.h"
#include "soc/mailbox.h"

#include <hal/cpu.h>
#include <hal/errno.h>
#include <pi3/mmio.h>

#define EMMC_BLOCKS (EMMC_BASE + 0x04u)
#define EMMC_ARGUMENT (EMMC_BASE + 0x08u)
#define EMMC_ISSUE (EMMC_BASE + 0x0cu)
#define EMMC_RESPONSE (EMMC_BASE + 0x10u)
#define EMMC_DATA (EMMC_BASE + 0x20u)
#define EMMC_CONTROL0 (EMMC_BASE + 0x28u)
#define EMMC_CONTROL1 (EMMC_BASE + 0x2cu)
#define EMMC_INTERRUPT (EMMC_BASE + 0x30u)
#define EMMC_MASK (EMMC_BASE + 0x34u)
#define EMMC_ENABLE (EMMC_BASE + 0x38u)
#define EMMC_CONTROL2 (EMMC_BASE + 0x3cu)

#define CONTROL0_FOUR_LINES (1u << 1)
#define CONTROL1_INTERNAL_CLOCK (1u << 0)
#define CONTROL1_STABLE (1u << 1)
#define CONTROL1_CARD_CLOCK (1u << 2)
#define CONTROL1_DIVISOR 0xffc0u
#define CONTROL1_TIMEOUT_LONG (0xeu << 16)
#define CONTROL1_RESET_ALL (1u << 24)
#define CONTROL1_RESET_COMMAND (1u << 25)
#define CONTROL1_RESET_DATA (1u << 26)

#define EMMC_FLAGS \
    (EMMC_COMMAND_DONE | EMMC_DATA_DONE | EMMC_WRITE_READY | EMMC_READ_READY | EMMC_ERRORS)

#define POWER_DEVICE_CARD 0u
#define POWER_ON_AND_WAIT 3u
#define CLOCK_USUAL 50000000u
#define CLOCK_SLOW 400000u
#define DIVISOR_MAX 1023u
/** The processor runs at 1.4 GHz at most; two cycles of the card's clock are so many of it. */
#define DELAY_CYCLES(hertz) (2u * 1400000000u / (hertz))

#define RESET_MICROS 100000u
#define SETTLE_MICROS 2000u

static uint32_t emmc_base_clock;
static unsigned emmc_delay;
static uint32_t emmc_wanted; /**< the flags that are let through */
static bool emmc_interrupts; /**< and interrupt */

static void emmc_write(uintptr_t address, uint32_t value)
{
    mmio_write(address, value);
    mmio_delay(emmc_delay);
}

/** Waits until all of `bits` of CONTROL1 are `set`. */
static int emmc_wait_control(uint32_t bits, bool set)
{
    uint64_t give_up = mmio_microseconds() + RESET_MICROS;

    for (;;) {
        uint64_t now = mmio_microseconds(); /* before the look: a thread may lose the CPU between */
        if (((mmio_read(EMMC_CONTROL1) & bits) != 0) == set) {
            return 0;
        }
        if (now > give_up) {
            return -EIO;
        }
        hal_cpu_relax();
    }
}

static void emmc_take_pins(void)
{
    for (unsigned pin = PIN_WIFI_FIRST; pin <= PIN_WIFI_LAST; pin++) {
        soc_gpio_select(pin, HAL_GPIO_INPUT);
    }
    for (unsigned pin = PIN_CARD_CLOCK; pin <= PIN_CARD_LAST; pin++) {
        soc_gpio_pull(pin, pin == PIN_CARD_CLOCK ? HAL_GPIO_PULL_NONE : HAL_GPIO_PULL_UP);
        soc_gpio_select(pin, HAL_GPIO_ALT3);
    }
}

/** Power on, and the frequency that the card's clock is divided from. */
static void emmc_ask_firmware(void)
{
    uint32_t device = POWER_DEVICE_CARD;
    uint32_t state = POWER_ON_AND_WAIT;
    uint32_t clock = CLOCK_EMMC;
    uint32_t rate = 0;

    int powered = mailbox_ask_one(TAG_SET_POWER, &device, &state);
    int asked = mailbox_ask_one(TAG_CLOCK_RATE, &clock, &rate);
    if (asked != 0 || rate == 0) {
        clock = CLOCK_EMMC;
        asked = mailbox_ask_one(TAG_CLOCK_RATE_MAX, &clock, &rate);
    }
    /* Without an answer the card may still work: it is powered on the board, and slow is safe. */
    (void)powered;
    emmc_base_clock = asked == 0 && rate != 0 ? rate : CLOCK_USUAL;
}

int emmc_set_clock(uint32_t hertz)
{
    uint32_t divisor = (emmc_base_clock + 2 * hertz - 1) / (2 * hertz);

    divisor = divisor == 0 ? 1 : divisor > DIVISOR_MAX ? DIVISOR_MAX : divisor;
    mmio_barrier();
    uint32_t control = mmio_read(EMMC_CONTROL1) & ~CONTROL1_CARD_CLOCK;
    emmc_write(EMMC_CONTROL1, control);
    control &= ~CONTROL1_DIVISOR;
    control |= (divisor & 0xff) << 8 | divisor >> 8 << 6 | CONTROL1_INTERNAL_CLOCK;
    emmc_write(EMMC_CONTROL1, control);
    int result = emmc_wait_control(CONTROL1_STABLE, true);
    if (result == 0) {
        emmc_delay = DELAY_CYCLES(emmc_base_clock / (2 * divisor));
        emmc_write(EMMC_CONTROL1, control | CONTROL1_CARD_CLOCK);
        mmio_wait(SETTLE_MICROS);
    }
    mmio_barrier();
    return result;
}

int emmc_start(void)
{
    emmc_take_pins();
    emmc_ask_firmware();
    emmc_delay = DELAY_CYCLES(CLOCK_SLOW);
    mmio_barrier();
    emmc_write(EMMC_CONTROL0, 0);
    emmc_write(EMMC_CONTROL1, CONTROL1_RESET_ALL);
    int result = emmc_wait_control(CONTROL1_RESET_ALL, false);
    if (result != 0) {
        return result;
    }
    emmc_write(EMMC_CONTROL2, 0);
    emmc_write(EMMC_CONTROL1, CONTROL1_TIMEOUT_LONG);
    result = emmc_set_clock(CLOCK_SLOW);
    emmc_wanted = EMMC_FLAGS;
    emmc_interrupts = false;
    emmc_write(EMMC_ENABLE, 0);
    emmc_write(EMMC_INTERRUPT, EMMC_FLAGS);
    emmc_write(EMMC_MASK, EMMC_FLAGS);
    mmio_barrier();
    return result;
}

void emmc_use_four_lines(void)
{
    mmio_barrier();
    emmc_write(EMMC_CONTROL0, mmio_read(EMMC_CONTROL0) | CONTROL0_FOUR_LINES);
    mmio_barrier();
}

void emmc_command(unsigned index, unsigned kind, uint32_t argument, uint32_t blocks,
                  uint32_t block_bytes)
{
    mmio_barrier();
    emmc_write(EMMC_INTERRUPT, EMMC_FLAGS);
    emmc_write(EMMC_BLOCKS, blocks << 16 | block_bytes);
    emmc_write(EMMC_ARGUMENT, argument);
    emmc_write(EMMC_ISSUE, (uint32_t)index << 24 | kind);
    mmio_barrier();
}

uint32_t emmc_take_flags(void)
{
    mmio_barrier();
    uint32_t flags = mmio_read(EMMC_INTERRUPT) & EMMC_FLAGS;
    if (flags != 0) {
        emmc_write(EMMC_INTERRUPT, flags);
    }
    mmio_barrier();
    return flags;
}

uint32_t emmc_response(unsigned word)
{
    mmio_barrier();
    uint32_t value = mmio_read(EMMC_RESPONSE + 4u * word);
    mmio_barrier();
    return value;
}

void emmc_read_block(uint32_t *to, uint32_t bytes)
{
    mmio_barrier();
    for (uint32_t i = 0; i < bytes / 4; i++) {
        to[i] = mmio_read(EMMC_DATA);
    }
    mmio_barrier();
}

void emmc_write_block(const uint32_t *from, uint32_t bytes)
{
    mmio_barrier();
    for (uint32_t i = 0; i < bytes / 4; i++) {
        mmio_write(EMMC_DATA, from[i]);
    }
    mmio_barrier();
}

void emmc_announce_blocks(bool on)
{
    uint32_t wanted =
        on ? EMMC_FLAGS : EMMC_FLAGS & ~(uint32_t)(EMMC_READ_READY | EMMC_WRITE_READY);

    if (wanted == emmc_wanted) {
        return;
    }
    emmc_wanted = wanted;
    mmio_barrier();
    emmc_write(EMMC_MASK, wanted);
    emmc_write(EMMC_ENABLE, emmc_interrupts ? wanted : 0);
    mmio_barrier();
}

uint32_t emmc_data_address(void)
{
    return BUS_ADDRESS(EMMC_DATA);
}

void emmc_listen(bool on)
{
    emmc_interrupts = on;
    mmio_barrier();
    emmc_write(EMMC_ENABLE, on ? emmc_wanted : 0);
    mmio_barrier();
}

int emmc_recover(void)
{
    uint32_t both = CONTROL1_RESET_COMMAND | CONTROL1_RESET_DATA;

    mmio_barrier();
    emmc_write(EMMC_CONTROL1, mmio_read(EMMC_CONTROL1) | both);
    int result = emmc_wait_control(both, false);
    emmc_write(EMMC_INTERRUPT, EMMC_FLAGS);
    mmio_barrier();
    return result;
}
