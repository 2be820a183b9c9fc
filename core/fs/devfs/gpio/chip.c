/* SPDX-License-Identifier: MIT */
/*
 * chip.c: the chip: what lines there are, who has them, and asking for some.
 */
#include "dev/gpio.h"
#include "fs/devfs/device.h"
#include "fs/devfs/gpio/gpiochip.h"
#include "fs/devfs/gpio/old.h"
#include "lib/format.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/gpio.h>
#include <hal/kstate.h>

#define GPIO_MAJOR 254

static KSTATE struct gpiochip {
    struct device device;
    uint64_t flags[HAL_GPIO_PINS]; /* by which the lines were requested; atomic */
} chip;

uint64_t gpiochip_flags(unsigned pin)
{
    return __atomic_load_n(&chip.flags[pin], __ATOMIC_RELAXED);
}

void gpiochip_set_flags(unsigned pin, uint64_t flags)
{
    __atomic_store_n(&chip.flags[pin], flags, __ATOMIC_RELAXED);
}

static int get_chip(struct gpio_abi_chip *info)
{
    *info = (struct gpio_abi_chip){.lines = HAL_GPIO_PINS};
    string_copy(info->name, sizeof(info->name), "gpiochip0");
    string_copy(info->label, sizeof(info->label), "pinctrl-bcm2835");
    return 0;
}

/* What the hardware says of a line that was not requested here. */
static uint64_t hardware_flags(unsigned pin)
{
    static const uint16_t pulls[] = {
        [HAL_GPIO_PULL_NONE] = GPIO_ABI_NO_PULL,
        [HAL_GPIO_PULL_DOWN] = GPIO_ABI_PULL_DOWN,
        [HAL_GPIO_PULL_UP] = GPIO_ABI_PULL_UP,
    };
    int function = hal_gpio_get_function(pin), pull = gpio_pull(pin);
    uint64_t flags = function == HAL_GPIO_OUTPUT ? GPIO_ABI_OUTPUT : GPIO_ABI_INPUT;

    /* A pin that carries another device is nobody's to ask for. */
    if (function != HAL_GPIO_OUTPUT && function != HAL_GPIO_INPUT)
        flags |= GPIO_ABI_USED;
    return pull >= 0 ? flags | pulls[pull] : flags;
}

int gpiochip_read_info(struct gpio_abi_info *info)
{
    uint32_t pin = info->offset;
    uint64_t flags;
    bool used;

    for (unsigned i = 0; i < 4; i++)
        if (info->padding[i])
            return -EINVAL;
    if (pin >= HAL_GPIO_PINS)
        return -EINVAL;
    *info = (struct gpio_abi_info){.offset = pin};
    (void)format_text(info->name, sizeof(info->name), "GPIO%u", pin);
    used = gpio_user(pin, info->consumer);
    flags = gpiochip_flags(pin);
    info->flags = (flags ? flags : hardware_flags(pin)) | (used ? GPIO_ABI_USED : 0u);
    return 0;
}

static int get_lines(struct gpio_lines_call *call)
{
    call->file = NULL;
    return lines_open(&call->request, false, &call->file);
}

static int chip_ioctl(const struct device *device, struct file *file, unsigned request,
                      void *argument)
{
    (void)device, (void)file;
    switch (request) {
    case GPIO_ABI_GET_CHIP:
        return get_chip(argument);
    case GPIO_ABI_GET_INFO:
        return gpiochip_read_info(argument);
    case GPIO_ABI_GET_LINES:
        return get_lines(argument);
    default:
        return old_chip_ioctl(request, argument);
    }
}

static const struct device_ops chip_ops = {.ioctl = chip_ioctl};

void gpiochip_register(void)
{
    device_setup(&chip.device, "gpiochip0", VNODE_CHARACTER, DEVICE_NUMBER(GPIO_MAJOR, 0), 0660,
                 &chip_ops);
}
