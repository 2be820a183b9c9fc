/* SPDX-License-Identifier: MIT */
/*
 * gpio.c: the table of users and the edges seen.
 *
 * One spinlock guards it all. An edge adds to the pin's count in the interrupt; a watcher compares
 * the count with the one it saw before, so an edge between two waits is not lost.
 */
#include "dev/gpio.h"

#include "lib/string.h"
#include "sync/wait.h"
#include "thread/thread.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/time.h>

#define CONSOLE_TX 14u
#define CONSOLE_RX 15u
#define POLL_NS 1000000u

struct gpio_pin {
    char user[GPIO_USER_MAX + 1]; /* "": nobody */
    uint8_t pull_set;             /* 0: never, otherwise the pull + 1 */
    uint8_t waiting;              /* threads that wait for an edge: while any, it is watched */
    uint32_t edges;               /* seen since power-on */
};

static KSTATE struct gpio_state {
    struct spinlock lock; /* guards the rest */
    struct wait_queue watchers;
    struct list listeners;
    struct gpio_pin pins[HAL_GPIO_PINS];
} gpio;

void gpio_start(void)
{
    spinlock_init(&gpio.lock, LOCK_RANK_DEVICE);
    wait_init(&gpio.watchers);
    list_init(&gpio.listeners);
    string_copy(gpio.pins[CONSOLE_TX].user, sizeof(gpio.pins[0].user), "the console");
    string_copy(gpio.pins[CONSOLE_RX].user, sizeof(gpio.pins[0].user), "the console");
}

/* Caller holds the lock. */
static void tell(unsigned pin)
{
    list_for_each (link, &gpio.listeners) {
        struct gpio_listener *listener = list_entry(link, struct gpio_listener, link);

        if (listener->pins >> pin & 1u)
            listener->edge(listener, pin);
    }
}

void gpio_interrupt(void)
{
    hal_irq_state_t irq = spinlock_acquire(&gpio.lock);
    uint32_t events = hal_gpio_events();

    for (unsigned pin = 0; pin < HAL_GPIO_PINS; pin++) {
        if (!(events >> pin & 1u))
            continue;
        gpio.pins[pin].edges++;
        tell(pin);
    }
    if (events != 0)
        wait_wake_all(&gpio.watchers);
    spinlock_release(&gpio.lock, irq);
}

int gpio_claim(unsigned pin, const char *user)
{
    hal_irq_state_t irq;
    int error = -EBUSY;

    if (pin >= HAL_GPIO_PINS)
        return -EINVAL;
    irq = spinlock_acquire(&gpio.lock);
    if (gpio.pins[pin].user[0] == '\0') {
        string_copy(gpio.pins[pin].user, sizeof(gpio.pins[pin].user), user);
        error = 0;
    }
    spinlock_release(&gpio.lock, irq);
    return error;
}

void gpio_release(unsigned pin)
{
    hal_irq_state_t irq = spinlock_acquire(&gpio.lock);

    gpio.pins[pin].user[0] = '\0';
    spinlock_release(&gpio.lock, irq);
}

bool gpio_user(unsigned pin, char *user)
{
    hal_irq_state_t irq;

    user[0] = '\0';
    if (pin >= HAL_GPIO_PINS)
        return false;
    irq = spinlock_acquire(&gpio.lock);
    string_copy(user, GPIO_USER_MAX + 1, gpio.pins[pin].user);
    spinlock_release(&gpio.lock, irq);
    return user[0] != '\0';
}

int gpio_set_pull(unsigned pin, enum hal_gpio_pull pull)
{
    int error = hal_gpio_set_pull(pin, pull);

    if (error == 0)
        __atomic_store_n(&gpio.pins[pin].pull_set, (uint8_t)(pull + 1), __ATOMIC_RELAXED);
    return error;
}

int gpio_pull(unsigned pin)
{
    uint8_t set;

    if (pin >= HAL_GPIO_PINS)
        return -EINVAL;
    set = __atomic_load_n(&gpio.pins[pin].pull_set, __ATOMIC_RELAXED);
    return set == 0 ? -ENODEV : set - 1;
}

/* For machines without edge events. */
static int gpio_poll_change(unsigned pin, bool level, uint64_t deadline)
{
    for (;;) {
        int now = hal_gpio_read(pin);

        if (now < 0 || (now == 1) != level)
            return now;
        if (hal_time_now() >= deadline)
            return -ETIMEDOUT;
        if (thread_sleep(POLL_NS) != 0)
            return -EINTR;
    }
}

/* Has the machine watch the pin, for one thread more. Caller holds the lock. */
static int gpio_watch_begin(unsigned pin)
{
    int error = 0;

    if (gpio.pins[pin].waiting == 0)
        error = hal_gpio_watch(pin, HAL_GPIO_EDGE_BOTH);
    if (error == 0)
        gpio.pins[pin].waiting++;
    return error;
}

/* One thread less; the last one ends the watch. Caller holds the lock. */
static int gpio_watch_end(unsigned pin)
{
    return --gpio.pins[pin].waiting == 0 ? hal_gpio_watch(pin, HAL_GPIO_EDGE_NONE) : 0;
}

/* For machines with edge events; -ENOSYS: this is none. */
static int gpio_wait_edge(unsigned pin, bool level, uint64_t deadline)
{
    hal_irq_state_t irq = spinlock_acquire(&gpio.lock);
    int error = gpio_watch_begin(pin), ended;
    uint32_t before = gpio.pins[pin].edges;

    if (error == 0) {
        while (error == 0 && gpio.pins[pin].edges == before && (hal_gpio_read(pin) == 1) == level)
            error = wait_sleep(&gpio.watchers, &gpio.lock, deadline);
        ended = gpio_watch_end(pin);
        error = error != 0 ? error : ended;
    }
    spinlock_release(&gpio.lock, irq);
    return error != 0 ? error : hal_gpio_read(pin);
}

int gpio_wait_change(unsigned pin, bool level, uint64_t deadline)
{
    int result;

    if (pin >= HAL_GPIO_PINS)
        return -EINVAL;
    result = gpio_wait_edge(pin, level, deadline);
    return result == -ENOSYS ? gpio_poll_change(pin, level, deadline) : result;
}

/* Ends the watch of those of `pins` that are below `end`. Caller holds the lock. */
static void unwatch(uint32_t pins, unsigned end)
{
    for (unsigned pin = 0; pin < end; pin++)
        if (pins >> pin & 1u)
            (void)!gpio_watch_end(pin); /* it could be watched, so it can be left */
}

int gpio_listen(struct gpio_listener *listener)
{
    hal_irq_state_t irq = spinlock_acquire(&gpio.lock);
    int error = 0;

    for (unsigned pin = 0; pin < HAL_GPIO_PINS && error == 0; pin++) {
        if (listener->pins >> pin & 1u)
            error = gpio_watch_begin(pin);
        if (error != 0)
            unwatch(listener->pins, pin);
    }
    if (error == 0)
        list_add_tail(&gpio.listeners, &listener->link);
    spinlock_release(&gpio.lock, irq);
    return error;
}

void gpio_unlisten(struct gpio_listener *listener)
{
    hal_irq_state_t irq = spinlock_acquire(&gpio.lock);

    list_remove(&listener->link);
    unwatch(listener->pins, HAL_GPIO_PINS);
    spinlock_release(&gpio.lock, irq);
}

const char *gpio_function_name(int function)
{
    static const char *const names[] = {"input", "output", "alt5", "alt4",
                                        "alt0",  "alt1",   "alt2", "alt3"};

    return function >= 0 && function < 8 ? names[function] : "?";
}
