/* SPDX-License-Identifier: MIT */
/*
 * old.c: version 1, said in the words of version 2.
 */
#include "fs/devfs/gpio/old.h"

#include "fs/devfs/gpio/gpiochip.h"
#include "fs/devfs/gpio/lines.h"
#include "heap/heap.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/runtime.h>

static const struct {
    uint32_t old;
    uint64_t flag;
} pairs[] = {
    {GPIO_OLD_OUTPUT, GPIO_ABI_OUTPUT},         {GPIO_OLD_ACTIVE_LOW, GPIO_ABI_ACTIVE_LOW},
    {GPIO_OLD_OPEN_DRAIN, GPIO_ABI_OPEN_DRAIN}, {GPIO_OLD_OPEN_SOURCE, GPIO_ABI_OPEN_SOURCE},
    {GPIO_OLD_PULL_UP, GPIO_ABI_PULL_UP},       {GPIO_OLD_PULL_DOWN, GPIO_ABI_PULL_DOWN},
    {GPIO_OLD_NO_PULL, GPIO_ABI_NO_PULL},
};

#define PAIRS (sizeof(pairs) / sizeof(pairs[0]))

/* What was asked for; a flag that means nothing becomes one that is refused. */
static uint64_t flags_from(uint32_t old)
{
    uint64_t flags = old >> 8 ? GPIO_ABI_USED : 0;

    if (old & GPIO_OLD_INPUT)
        flags |= GPIO_ABI_INPUT;
    for (unsigned i = 0; i < PAIRS; i++)
        if (old & pairs[i].old)
            flags |= pairs[i].flag;
    return flags;
}

/* What a line is: here the first bit says that it is used. */
static uint32_t flags_to(uint64_t flags)
{
    uint32_t old = flags & GPIO_ABI_USED ? 1 : 0;

    for (unsigned i = 0; i < PAIRS; i++)
        if (flags & pairs[i].flag)
            old |= pairs[i].old;
    return old;
}

static void fill_config(struct gpio_abi_config *config, uint32_t flags, const uint8_t *values,
                        unsigned count)
{
    struct gpio_abi_exception *exception = &config->exceptions[0];

    config->flags = flags_from(flags);
    config->count = 1;
    exception->attribute.id = GPIO_ABI_VALUES;
    exception->mask = UINT64_MAX;
    for (unsigned i = 0; i < count && i < GPIO_ABI_LINES; i++)
        exception->attribute.value |= (uint64_t)(values[i] != 0) << i;
}

static int get_info(struct gpio_old_info *old)
{
    struct gpio_abi_info info = {.offset = old->offset};
    int error = gpiochip_read_info(&info);

    if (error)
        return error;
    old->flags = flags_to(info.flags);
    memcpy(old->name, info.name, sizeof(old->name));
    memcpy(old->consumer, info.consumer, sizeof(old->consumer));
    return 0;
}

static int get_handle(struct gpio_old_handle_call *call)
{
    const struct gpio_old_handle *old = &call->request;
    struct gpio_abi_lines *request = kcalloc(1, sizeof(*request));
    int error;

    call->file = NULL;
    if (!request)
        return -ENOMEM;
    memcpy(request->offsets, old->offsets, sizeof(request->offsets));
    memcpy(request->consumer, old->consumer, sizeof(request->consumer));
    request->count = old->count;
    fill_config(&request->config, old->flags, old->values, old->count);
    error = lines_open(request, false, &call->file);
    kfree(request);
    return error;
}

static int get_edges(struct gpio_old_edges_call *call)
{
    const struct gpio_old_edges *old = &call->request;
    struct gpio_abi_lines *request;
    int error;

    call->file = NULL;
    if ((old->edges & ~3u) || (old->flags & GPIO_OLD_OUTPUT))
        return -EINVAL;
    request = kcalloc(1, sizeof(*request));
    if (!request)
        return -ENOMEM;
    request->offsets[0] = old->offset;
    memcpy(request->consumer, old->consumer, sizeof(request->consumer));
    request->count = 1;
    request->config.flags = flags_from(old->flags) | GPIO_ABI_INPUT;
    request->config.flags |= old->edges & 1 ? GPIO_ABI_RISING : 0;
    request->config.flags |= old->edges & 2 ? GPIO_ABI_FALLING : 0;
    error = lines_open(request, true, &call->file);
    kfree(request);
    return error;
}

int old_chip_ioctl(unsigned request, void *argument)
{
    switch (request) {
    case GPIO_OLD_GET_INFO:
        return get_info(argument);
    case GPIO_OLD_GET_HANDLE:
        return get_handle(argument);
    case GPIO_OLD_GET_EDGES:
        return get_edges(argument);
    default:
        return -ENOTTY;
    }
}

/* ---- lines ---- */

static uint64_t all_of(const struct gpio_lines *lines)
{
    return (UINT64_C(1) << lines->count) - 1;
}

static int get_values(struct gpio_lines *lines, struct gpio_old_values *values)
{
    struct gpio_abi_bits bits = {.mask = all_of(lines)};
    int error = lines_get_bits(lines, &bits);

    memset(values, 0, sizeof(*values));
    for (unsigned line = 0; line < lines->count && !error; line++)
        values->values[line] = bits.bits >> line & 1;
    return error;
}

static int set_values(struct gpio_lines *lines, const struct gpio_old_values *values)
{
    struct gpio_abi_bits bits = {.mask = all_of(lines)};

    for (unsigned line = 0; line < lines->count; line++)
        bits.bits |= (uint64_t)(values->values[line] != 0) << line;
    return lines_set_bits(lines, &bits);
}

static int set_config(struct gpio_lines *lines, const struct gpio_old_config *old)
{
    struct gpio_abi_config *config;
    int error;

    if (lines->old)
        return -EINVAL; /* a line with edges keeps what it was asked for with */
    config = kcalloc(1, sizeof(*config));
    if (!config)
        return -ENOMEM;
    fill_config(config, old->flags, old->values, lines->count);
    error = lines_set_config(lines, config);
    kfree(config);
    return error;
}

int old_lines_ioctl(struct gpio_lines *lines, unsigned request, void *argument)
{
    switch (request) {
    case GPIO_OLD_GET_VALUES:
        return get_values(lines, argument);
    case GPIO_OLD_SET_VALUES:
        return set_values(lines, argument);
    case GPIO_OLD_SET_CONFIG:
        return set_config(lines, argument);
    default:
        return -ENOTTY;
    }
}
