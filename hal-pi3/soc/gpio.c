/* SPDX-License-Identifier: MIT */
/*
 * gpio.c: the chip's 54 pins.
 *
 * Each pin has three bits that choose its function, a latch for the level it drives, a bit that
 * shows the level, and detectors for edges. The latch can be set before the pin is an output. The
 * pull resistors have no register each: a wanted state is put on one register, clocked into the
 * chosen pins through another, with 150 cycles of set-up and hold around the clock, and cannot be
 * read back.
 *
 * QEMU 7.2 has neither edge detectors nor pulls: its detector registers read as zero whatever was
 * written, and that is how hal_gpio_watch tells.
 *
 * Source: BCM2837 ARM Peripherals, section 6.
 */
#include "soc/gpio.h"
#include "soc/bcm2837.h"

#include <hal/errno.h>
#include <pi3/lock.h>
#include <pi3/mmio.h>

#define GPIO_FUNCTION(n) (GPIO_BASE + 0x00u + 4u * (n))
#define GPIO_SET(n) (GPIO_BASE + 0x1cu + 4u * (n))
#define GPIO_CLEAR(n) (GPIO_BASE + 0x28u + 4u * (n))
#define GPIO_LEVEL(n) (GPIO_BASE + 0x34u + 4u * (n))
#define GPIO_EVENTS (GPIO_BASE + 0x40u)
#define GPIO_RISING (GPIO_BASE + 0x4cu)
#define GPIO_FALLING (GPIO_BASE + 0x58u)
/** Six pairs of registers from GPIO_RISING on: rising, falling, high, low, and two unclocked. */
#define GPIO_DETECTORS 6u
#define GPIO_DETECTOR(kind, n) (GPIO_RISING + 0xcu * (kind) + 4u * (n))
#define GPIO_PULL (GPIO_BASE + 0x94u)
#define GPIO_PULL_CLOCK(n) (GPIO_BASE + 0x98u + 4u * (n))
#define GPIO_PINS_A_REGISTER 10u

/**
 * The set-up and hold time is 150 cycles of the core clock, at 250 MHz or more; 1,000 of the
 * processor's, which runs at up to 1.4 GHz, are enough.
 */
#define GPIO_PULL_CYCLES 1000u

enum gpio_detectors { DETECTORS_NOT_TRIED, DETECTORS_WORK, DETECTORS_MISSING };

static struct lock gpio_lock;
static uint32_t gpio_seen;
static enum gpio_detectors gpio_detectors;

/** The header's pins only; anything else is the board's own. */
static bool gpio_pin_ok(unsigned pin)
{
    return pin < HAL_GPIO_PINS;
}

void soc_gpio_start(void)
{
    mmio_barrier();
    for (unsigned bank = 0; bank < 2; bank++) {
        for (unsigned kind = 0; kind < GPIO_DETECTORS; kind++) {
            mmio_write(GPIO_DETECTOR(kind, bank), 0);
        }
        mmio_write(GPIO_EVENTS + 4u * bank, UINT32_MAX);
    }
    mmio_barrier();
}

void soc_gpio_select(unsigned pin, enum hal_gpio_function function)
{
    uintptr_t address = GPIO_FUNCTION(pin / GPIO_PINS_A_REGISTER);
    unsigned shift = 3 * (pin % GPIO_PINS_A_REGISTER);

    hal_irq_state_t state = lock_take(&gpio_lock);
    mmio_barrier();
    uint32_t value = mmio_read(address) & ~(7u << shift);
    mmio_write(address, value | (uint32_t)function << shift);
    mmio_barrier();
    lock_release(&gpio_lock, state);
}

enum hal_gpio_function soc_gpio_function(unsigned pin)
{
    mmio_barrier();
    uint32_t value = mmio_read(GPIO_FUNCTION(pin / GPIO_PINS_A_REGISTER));
    mmio_barrier();
    return (enum hal_gpio_function)(value >> 3 * (pin % GPIO_PINS_A_REGISTER) & 7u);
}

/** Our names of the pulls are the register's numbers: 0 none, 1 down, 2 up. */
void soc_gpio_pull(unsigned pin, enum hal_gpio_pull pull)
{
    hal_irq_state_t state = lock_take(&gpio_lock);

    mmio_barrier();
    mmio_write(GPIO_PULL, (uint32_t)pull);
    mmio_delay(GPIO_PULL_CYCLES);
    mmio_write(GPIO_PULL_CLOCK(pin / 32), 1u << pin % 32);
    mmio_delay(GPIO_PULL_CYCLES);
    mmio_write(GPIO_PULL, 0);
    mmio_write(GPIO_PULL_CLOCK(pin / 32), 0);
    mmio_barrier();
    lock_release(&gpio_lock, state);
}

void soc_gpio_drive(unsigned pin, bool high)
{
    mmio_barrier();
    mmio_write(high ? GPIO_SET(pin / 32) : GPIO_CLEAR(pin / 32), 1u << pin % 32);
    mmio_barrier();
}

int hal_gpio_set_function(unsigned pin, enum hal_gpio_function function)
{
    if (!gpio_pin_ok(pin) || (unsigned)function > HAL_GPIO_ALT3) {
        return -EINVAL;
    }
    if (pin == PIN_CONSOLE_TX || pin == PIN_CONSOLE_RX) {
        return -EBUSY;
    }
    soc_gpio_select(pin, function);
    return 0;
}

int hal_gpio_get_function(unsigned pin)
{
    return gpio_pin_ok(pin) ? (int)soc_gpio_function(pin) : -EINVAL;
}

int hal_gpio_set_pull(unsigned pin, enum hal_gpio_pull pull)
{
    if (!gpio_pin_ok(pin) || (unsigned)pull > HAL_GPIO_PULL_UP) {
        return -EINVAL;
    }
    soc_gpio_pull(pin, pull);
    return 0;
}

int hal_gpio_write(unsigned pin, bool high)
{
    if (!gpio_pin_ok(pin)) {
        return -EINVAL;
    }
    soc_gpio_drive(pin, high);
    return 0;
}

int hal_gpio_read(unsigned pin)
{
    if (!gpio_pin_ok(pin)) {
        return -EINVAL;
    }
    mmio_barrier();
    uint32_t value = mmio_read(GPIO_LEVEL(0));
    mmio_barrier();
    return (int)(value >> pin & 1u);
}

/** Finds out once whether this chip has edge detectors: a bit that is set must stay. Lock held. */
static bool gpio_can_detect(uint32_t bit)
{
    if (gpio_detectors == DETECTORS_NOT_TRIED) {
        uint32_t before = mmio_read(GPIO_RISING);
        mmio_write(GPIO_RISING, before | bit);
        bool stayed = (mmio_read(GPIO_RISING) & bit) != 0;
        mmio_write(GPIO_RISING, before);
        gpio_detectors = stayed ? DETECTORS_WORK : DETECTORS_MISSING;
    }
    return gpio_detectors == DETECTORS_WORK;
}

/** Sets or clears the pin's bit in a detector register. Lock held. */
static void gpio_detect(uintptr_t address, uint32_t bit, bool on)
{
    uint32_t value = mmio_read(address) & ~bit;

    mmio_write(address, on ? value | bit : value);
}

int hal_gpio_watch(unsigned pin, enum hal_gpio_edge edges)
{
    if (!gpio_pin_ok(pin) || (unsigned)edges > HAL_GPIO_EDGE_BOTH) {
        return -EINVAL;
    }
    uint32_t bit = 1u << pin;
    int result = -ENOSYS;
    hal_irq_state_t state = lock_take(&gpio_lock);
    mmio_barrier();
    if (gpio_can_detect(bit)) {
        gpio_detect(GPIO_RISING, bit, (edges & HAL_GPIO_EDGE_RISING) != 0);
        gpio_detect(GPIO_FALLING, bit, (edges & HAL_GPIO_EDGE_FALLING) != 0);
        mmio_write(GPIO_EVENTS, bit);
        gpio_seen &= ~bit;
        result = 0;
    }
    mmio_barrier();
    lock_release(&gpio_lock, state);
    return result;
}

/** Moves the chip's events to `gpio_seen`. Lock held. */
static void gpio_collect(void)
{
    mmio_barrier();
    uint32_t events = mmio_read(GPIO_EVENTS);
    if (events != 0) {
        mmio_write(GPIO_EVENTS, events);
    }
    mmio_barrier();
    gpio_seen |= events;
}

uint32_t hal_gpio_events(void)
{
    hal_irq_state_t state = lock_take(&gpio_lock);

    gpio_collect();
    uint32_t seen = gpio_seen;
    gpio_seen = 0;
    lock_release(&gpio_lock, state);
    return seen;
}

bool soc_gpio_take_interrupt(void)
{
    hal_irq_state_t state = lock_take(&gpio_lock);

    gpio_collect();
    bool any = gpio_seen != 0;
    lock_release(&gpio_lock, state);
    return any;
}
