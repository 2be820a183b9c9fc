/* SPDX-License-Identifier: MIT */
/*
 * gpio.c: the pins of the header as the chip and the world outside see them.
 *
 * The level at a pin is decided by the first of these that applies: the chip drives it (function
 * output), the outside drives it, its pull resistor holds it. A pin that nothing holds keeps its
 * last level, as a real one does for a while. Every change of a level is an event with a time; a
 * change that core watches for raises HAL_IRQ_GPIO.
 */
#include "board/machine.h"

#include "host/host.h"
#include "tayberry.h"

#include <hal/errno.h>
#include <hal/gpio.h>

struct gpio_work {
    unsigned pin;
    unsigned value;
};

static bool is_console(unsigned pin)
{
    return pin == UART_TX_PIN || pin == UART_RX_PIN;
}

static bool decide_level(const struct pin *pin)
{
    if (pin->function == HAL_GPIO_OUTPUT)
        return pin->latch;
    if (pin->drive != TB_FLOATING)
        return pin->drive == TB_HIGH;
    return pin->pull == HAL_GPIO_PULL_NONE ? pin->level : pin->pull == HAL_GPIO_PULL_UP;
}

/* Works out the level of pin `number` again and tells whoever has to know if it changed. */
static void update(unsigned number)
{
    struct pin *pin = &machine.pin[number];
    bool level = decide_level(pin);
    uint64_t now = sim_time_now();
    if (level == pin->level)
        return;
    if (pin->level)
        pin->high_time += now - pin->since;
    pin->level = level;
    pin->since = now;
    pin->changes++;
    sim_trace_event(TB_EVENT_PIN, number, level);
    outside_pin_changed(now, number, level);
    if (pin->edges & (level ? HAL_GPIO_EDGE_RISING : HAL_GPIO_EDGE_FALLING)) {
        machine.gpio_events |= 1u << number;
        sim_cpu_raise(&machine.cpu[0], HAL_IRQ_GPIO);
    }
}

/* At reset pins 0 .. 8 are pulled up and the others down (BCM2837 ARM Peripherals, table 6-31). */
void sim_gpio_reset(void)
{
    machine.gpio_events = 0;
    for (unsigned i = 0; i < HAL_GPIO_PINS; i++) {
        struct pin *pin = &machine.pin[i];
        unsigned drive = pin->drive;
        *pin = (struct pin){.drive = (uint8_t)drive};
        pin->function = is_console(i) ? HAL_GPIO_ALT0 : HAL_GPIO_INPUT;
        pin->pull = i <= 8 ? HAL_GPIO_PULL_UP : HAL_GPIO_PULL_DOWN;
        pin->level = decide_level(pin);
    }
}

void sim_gpio_drive(unsigned pin, unsigned level)
{
    machine.pin[pin].drive = (uint8_t)level;
    update(pin);
}

static long function_work(void *argument)
{
    const struct gpio_work *work = argument;
    machine.pin[work->pin].function = (uint8_t)work->value;
    update(work->pin);
    return 0;
}

static long pull_work(void *argument)
{
    const struct gpio_work *work = argument;
    machine.pin[work->pin].pull = (uint8_t)work->value;
    update(work->pin);
    return 0;
}

static long write_work(void *argument)
{
    const struct gpio_work *work = argument;
    machine.pin[work->pin].latch = work->value;
    update(work->pin);
    return 0;
}

static long watch_work(void *argument)
{
    const struct gpio_work *work = argument;
    machine.pin[work->pin].edges = (uint8_t)work->value;
    machine.gpio_events &= ~(1u << work->pin);
    return 0;
}

static long read_work(void *argument)
{
    const struct gpio_work *work = argument;
    return machine.pin[work->pin].level;
}

static long events_work(void *unused)
{
    uint32_t events = machine.gpio_events;
    (void)unused;
    machine.gpio_events = 0;
    return (long)events;
}

static int gpio_do(long (*function)(void *), unsigned pin, unsigned value, unsigned limit)
{
    struct gpio_work work = {pin, value};
    if (pin >= HAL_GPIO_PINS || value > limit)
        return -EINVAL;
    return (int)sim_cpu_host(function, &work, COST_DEVICE);
}

/* ---- the contract ---- */

int hal_gpio_set_function(unsigned pin, enum hal_gpio_function function)
{
    if (is_console(pin) && (unsigned)function <= HAL_GPIO_ALT3)
        return -EBUSY;
    return gpio_do(function_work, pin, function, HAL_GPIO_ALT3);
}

int hal_gpio_get_function(unsigned pin)
{
    return pin < HAL_GPIO_PINS ? machine.pin[pin].function : -EINVAL;
}

int hal_gpio_set_pull(unsigned pin, enum hal_gpio_pull pull)
{
    return gpio_do(pull_work, pin, pull, HAL_GPIO_PULL_UP);
}

int hal_gpio_write(unsigned pin, bool high)
{
    return gpio_do(write_work, pin, high, 1);
}

int hal_gpio_read(unsigned pin)
{
    return gpio_do(read_work, pin, 0, 0);
}

int hal_gpio_watch(unsigned pin, enum hal_gpio_edge edges)
{
    return gpio_do(watch_work, pin, edges, HAL_GPIO_EDGE_BOTH);
}

uint32_t hal_gpio_events(void)
{
    return (uint32_t)sim_cpu_host(events_work, NULL, COST_DEVICE);
}
