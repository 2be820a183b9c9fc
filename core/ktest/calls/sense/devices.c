/* SPDX-License-Identifier: MIT */
/*
 * devices.c: makers of requests to pins and the terminal, and of mounting.
 */
#include "ktest/calls/sense/sense.h"

#include "fs/devfs/gpio/old.h"
#include "tty/discipline/settings.h"

#include <hal/gpio.h>
#include <hal/runtime.h>

/* All that a request may bring along. */
union brought {
    struct gpio_abi_info info;
    struct gpio_abi_lines lines;
    struct gpio_abi_config config;
    struct gpio_abi_bits bits;
    struct gpio_old_info old_info;
    struct gpio_old_handle handle;
    struct gpio_old_edges edges;
    struct gpio_old_values values;
    struct gpio_old_config old_config;
    struct tty_settings settings;
    uint16_t window[4];
    uint32_t number;
};

/* ---- pins ---- */

static uint64_t choose_flags(struct calls_chance *chance)
{
    static const uint16_t good[] = {
        0,
        GPIO_ABI_INPUT,
        GPIO_ABI_OUTPUT,
        GPIO_ABI_INPUT | GPIO_ABI_RISING | GPIO_ABI_FALLING,
        GPIO_ABI_INPUT | GPIO_ABI_RISING | GPIO_ABI_PULL_UP,
        GPIO_ABI_INPUT | GPIO_ABI_FALLING | GPIO_ABI_PULL_DOWN | GPIO_ABI_REALTIME,
        GPIO_ABI_INPUT | GPIO_ABI_ACTIVE_LOW | GPIO_ABI_RISING | GPIO_ABI_PULL_DOWN,
        GPIO_ABI_OUTPUT | GPIO_ABI_OPEN_DRAIN | GPIO_ABI_PULL_UP,
        GPIO_ABI_OUTPUT | GPIO_ABI_OPEN_SOURCE | GPIO_ABI_ACTIVE_LOW,
    };

    return calls_below(chance, 8) ? SENSE_PICK(chance, good) : calls_bits(chance) & 0x1fff;
}

static void make_config(struct calls_chance *chance, struct gpio_abi_config *config)
{
    config->flags = choose_flags(chance);
    config->count = calls_below(chance, 20) ? calls_below(chance, 3) : calls_below(chance, 12);
    for (unsigned i = 0; i < config->count && i < GPIO_ABI_ATTRIBUTES; i++) {
        struct gpio_abi_exception *exception = &config->exceptions[i];

        exception->attribute.id = 1 + calls_below(chance, 2) + !calls_below(chance, 9);
        exception->attribute.value =
            exception->attribute.id == GPIO_ABI_FLAGS ? choose_flags(chance) : calls_bits(chance);
        exception->mask = calls_bits(chance);
    }
}

/* Some of the pins; now and then one that is none, or one twice. */
static uint32_t make_offsets(struct calls_chance *chance, uint32_t offsets[GPIO_ABI_LINES])
{
    uint32_t count = 1 + calls_below(chance, 4), first = calls_below(chance, HAL_GPIO_PINS);

    for (uint32_t i = 0; i < count; i++)
        offsets[i] =
            calls_below(chance, 20) ? (first + i) % HAL_GPIO_PINS : calls_below(chance, 70);
    return calls_below(chance, 20) ? count : calls_below(chance, 70);
}

static uint32_t choose_old_flags(struct calls_chance *chance)
{
    static const uint8_t good[] = {0, GPIO_OLD_INPUT, GPIO_OLD_OUTPUT,
                                   GPIO_OLD_INPUT | GPIO_OLD_PULL_UP,
                                   GPIO_OLD_OUTPUT | GPIO_OLD_OPEN_DRAIN};

    return calls_below(chance, 8) ? SENSE_PICK(chance, good) : calls_below(chance, 1024);
}

static void make_values(struct calls_chance *chance, uint8_t values[GPIO_ABI_LINES])
{
    for (unsigned i = 0; i < 4; i++)
        values[i] = (uint8_t)calls_below(chance, 3);
}

static void make_chip(struct calls_chance *chance, uint32_t request, union brought *with)
{
    switch (request) {
    case GPIO_ABI_GET_INFO:
        with->info.offset = calls_below(chance, HAL_GPIO_PINS + 2);
        break;
    case GPIO_ABI_GET_LINES:
        with->lines.count = make_offsets(chance, with->lines.offsets);
        make_config(chance, &with->lines.config);
        with->lines.events = calls_below(chance, 3) ? 0 : calls_below(chance, 3000);
        break;
    case GPIO_OLD_GET_INFO:
        with->old_info.offset = calls_below(chance, HAL_GPIO_PINS + 2);
        break;
    case GPIO_OLD_GET_HANDLE:
        with->handle.count = make_offsets(chance, with->handle.offsets);
        with->handle.flags = choose_old_flags(chance);
        make_values(chance, with->handle.values);
        break;
    default:
        with->edges.offset = calls_below(chance, HAL_GPIO_PINS + 2);
        with->edges.flags = choose_old_flags(chance);
        with->edges.edges = calls_below(chance, 5);
        break;
    }
}

static void make_lines(struct calls_chance *chance, uint32_t request, union brought *with)
{
    switch (request) {
    case GPIO_ABI_SET_CONFIG:
        make_config(chance, &with->config);
        break;
    case GPIO_OLD_SET_CONFIG:
        with->old_config.flags = choose_old_flags(chance);
        make_values(chance, with->old_config.values);
        break;
    case GPIO_OLD_SET_VALUES:
        make_values(chance, with->values.values);
        break;
    default:
        with->bits.bits = calls_bits(chance);
        with->bits.mask = calls_below(chance, 4) ? calls_below(chance, 16) : calls_bits(chance);
        break;
    }
}

/* ---- the terminal ---- */

enum { SET_SETTINGS = 0x5402, SET_FOREGROUND = 0x5410, SET_WINDOW = 0x5414 };

static void make_terminal(struct calls_chance *chance, uint32_t request, uint32_t pid,
                          union brought *with)
{
    switch (request) {
    case SET_FOREGROUND:
        with->number = pid;
        break;
    case SET_WINDOW:
        for (unsigned i = 0; i < 4; i++)
            with->window[i] = (uint16_t)(calls_bits(chance) >> calls_below(chance, 64));
        break;
    default: /* what is usual, and something else */
        with->settings = tty_usual_settings;
        with->settings.input ^= 1u << calls_below(chance, 32);
        with->settings.output ^= 1u << calls_below(chance, 32);
        with->settings.local ^= 1u << calls_below(chance, 32);
        with->settings.keys[calls_below(chance, TTY_KEYS)] = (uint8_t)calls_bits(chance);
        break;
    }
}

/* ---- ioctl ---- */

static const uint32_t of_chip[] = {GPIO_ABI_GET_CHIP,   GPIO_ABI_GET_INFO, GPIO_ABI_GET_LINES,
                                   GPIO_ABI_GET_LINES,  GPIO_OLD_GET_INFO, GPIO_OLD_GET_HANDLE,
                                   GPIO_OLD_GET_HANDLE, GPIO_OLD_GET_EDGES};
static const uint32_t of_lines[] = {GPIO_ABI_SET_CONFIG, GPIO_ABI_GET_BITS,   GPIO_ABI_SET_BITS,
                                    GPIO_OLD_GET_VALUES, GPIO_OLD_SET_VALUES, GPIO_OLD_SET_CONFIG};
static const uint32_t of_terminal[] = {
    0x5401, SET_SETTINGS, 0x5403,         0x5404,     0x5409,     0x540a,     0x540b, 0x540e,
    0x540f, 0x5410,       SET_FOREGROUND, SET_WINDOW, 0x5413,     0x541b,     0x5422, 0x5424,
    0x5425, 0x5429,       0x802c542a,     0x402c542b, 0x402c542c, 0x402c542d,
};

void sense_ioctl(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    union brought with;
    uint32_t request;

    memset(&with, 0, sizeof(with));
    switch (calls_below(chance, 3)) {
    case 0:
        args->value[0] = sense_descriptor(chance, CALLS_PINS);
        request = SENSE_PICK(chance, of_chip);
        make_chip(chance, request, &with);
        break;
    case 1: /* lines that were given, or those that it has asked for */
        args->value[0] = sense_descriptor(
            chance, calls_below(chance, 3) ? CALLS_LINES : CALLS_GIVEN + calls_below(chance, 4));
        request = SENSE_PICK(chance, of_lines);
        make_lines(chance, request, &with);
        break;
    default:
        args->value[0] = sense_descriptor(chance, CALLS_TERMINAL);
        request = SENSE_PICK(chance, of_terminal);
        make_terminal(chance, request, pid, &with);
        break;
    }
    args->value[1] = request;
    args->value[2] =
        calls_below(chance, 12) ? sense_put(chance, &with, sizeof(with)) : calls_below(chance, 5);
}

/* ---- mounting, on folders of the scene ---- */

static uintptr_t choose_folder(struct calls_chance *chance)
{
    static const char *const names[] = {"d", "d/e", "new", "d/new"};

    return calls_text(SENSE_PICK(chance, names));
}

void sense_mount(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    static const char *const kinds[] = {"vfat", "vfat", "ramfs", "devtmpfs", "proc"};
    static const char *const options[] = {"", "ro", "rw", "umask=077", "nothing=1"};
    static const uint8_t flags[] = {0, 0, 1, 32, 33};

    (void)pid;
    args->value[0] = calls_text(CALLS_DISK_PATH);
    args->value[1] = choose_folder(chance);
    args->value[2] = calls_text(SENSE_PICK(chance, kinds));
    args->value[3] = SENSE_PICK(chance, flags);
    args->value[4] = calls_below(chance, 2) ? 0 : calls_text(SENSE_PICK(chance, options));
}

void sense_umount(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    (void)pid;
    args->value[0] = choose_folder(chance);
    args->value[1] = 0;
}
