/* SPDX-License-Identifier: MIT */
/*
 * lines.c: lines that are somebody's: asked for, set, read and driven.
 *
 * What is asked for is checked as a whole before any line is touched.
 */
#include "fs/devfs/gpio/lines.h"

#include "fs/devfs/gpio/gpiochip.h"
#include "fs/devfs/gpio/old.h"
#include "fs/file.h"
#include "heap/heap.h"
#include "lib/string.h"

#include <hal/errno.h>

#define DIRECTIONS (GPIO_ABI_INPUT | GPIO_ABI_OUTPUT)
#define DRIVES (GPIO_ABI_OPEN_DRAIN | GPIO_ABI_OPEN_SOURCE)
#define PULLS (GPIO_ABI_PULL_UP | GPIO_ABI_PULL_DOWN | GPIO_ABI_NO_PULL)
#define ALL_FLAGS \
    (GPIO_ABI_ACTIVE_LOW | DIRECTIONS | LINES_EDGES | DRIVES | PULLS | GPIO_ABI_REALTIME)
#define EVENTS_PER_LINE 16u
#define EVENTS_MAX (EVENTS_PER_LINE * GPIO_ABI_LINES)

/* ---- what is asked for ---- */

static bool at_most_one(uint64_t flags)
{
    return (flags & (flags - 1)) == 0;
}

/* Linux's rules: one direction, edges of inputs, one way to drive outputs, one pull. */
static bool flags_are_good(uint64_t flags)
{
    if ((flags & ~(uint64_t)ALL_FLAGS) || !at_most_one(flags & DIRECTIONS) ||
        !at_most_one(flags & DRIVES) || !at_most_one(flags & PULLS))
        return false;
    if ((flags & LINES_EDGES) && !(flags & GPIO_ABI_INPUT))
        return false;
    if ((flags & DRIVES) && !(flags & GPIO_ABI_OUTPUT))
        return false;
    return !(flags & PULLS) || (flags & DIRECTIONS);
}

/* What holds for line `line`: of a later exception nothing that an earlier one has said. */
static uint64_t find_value(const struct gpio_abi_config *config, uint32_t id, unsigned line,
                           uint64_t usual)
{
    for (unsigned i = 0; i < config->count; i++) {
        const struct gpio_abi_exception *exception = &config->exceptions[i];

        if (exception->attribute.id == id && (exception->mask >> line & 1))
            return exception->attribute.value;
    }
    return usual;
}

static bool is_high_value(const struct gpio_abi_config *config, unsigned line)
{
    return find_value(config, GPIO_ABI_VALUES, line, 0) >> line & 1;
}

static int check_config(const struct gpio_abi_config *config, unsigned count)
{
    if (config->count > GPIO_ABI_ATTRIBUTES)
        return -EINVAL;
    for (unsigned i = 0; i < 5; i++)
        if (config->padding[i])
            return -EINVAL;
    for (unsigned i = 0; i < config->count; i++) {
        const struct gpio_abi_attribute *attribute = &config->exceptions[i].attribute;

        if (attribute->padding || attribute->id < GPIO_ABI_FLAGS ||
            attribute->id > GPIO_ABI_DEBOUNCE)
            return -EINVAL;
        if (attribute->id == GPIO_ABI_DEBOUNCE && (uint32_t)attribute->value > 0)
            return -ENOTSUP;
    }
    for (unsigned line = 0; line < count; line++)
        if (!flags_are_good(find_value(config, GPIO_ABI_FLAGS, line, config->flags)))
            return -EINVAL;
    return 0;
}

static int check_request(const struct gpio_abi_lines *request)
{
    if (request->count == 0 || request->count > GPIO_ABI_LINES)
        return -EINVAL;
    for (unsigned i = 0; i < 5; i++)
        if (request->padding[i])
            return -EINVAL;
    for (unsigned i = 0; i < request->count; i++)
        if (request->offsets[i] >= HAL_GPIO_PINS)
            return -EINVAL;
    /* More lines than there are: one of them twice. */
    return request->count > HAL_GPIO_PINS ? -EBUSY : check_config(&request->config, request->count);
}

/* ---- lines ---- */

/* Drives the line to the level that `one` means, or lets go where it is open at that level. */
static int drive(unsigned pin, uint64_t flags, bool one)
{
    bool high = one != ((flags & GPIO_ABI_ACTIVE_LOW) != 0);
    bool open = flags & (high ? GPIO_ABI_OPEN_DRAIN : GPIO_ABI_OPEN_SOURCE);
    int error = hal_gpio_write(pin, high);

    return error ? error : hal_gpio_set_function(pin, open ? HAL_GPIO_INPUT : HAL_GPIO_OUTPUT);
}

static int set_pull(unsigned pin, uint64_t flags)
{
    if (flags & GPIO_ABI_PULL_UP)
        return gpio_set_pull(pin, HAL_GPIO_PULL_UP);
    if (flags & GPIO_ABI_PULL_DOWN)
        return gpio_set_pull(pin, HAL_GPIO_PULL_DOWN);
    return flags & GPIO_ABI_NO_PULL ? gpio_set_pull(pin, HAL_GPIO_PULL_NONE) : 0;
}

/* Makes the line what `flags` say. Caller holds the mutex, or has just made `lines`. */
static int set_line(struct gpio_lines *lines, unsigned line, uint64_t flags, bool one)
{
    unsigned pin = lines->pins[line];
    int error = set_pull(pin, flags);

    if (!error && (flags & GPIO_ABI_INPUT))
        error = hal_gpio_set_function(pin, HAL_GPIO_INPUT);
    else if (!error && (flags & GPIO_ABI_OUTPUT))
        error = drive(pin, flags, one);
    if (error)
        return error;
    lines->flags[line] = flags;
    gpiochip_set_flags(pin, flags | GPIO_ABI_USED);
    return 0;
}

static int set_all(struct gpio_lines *lines, const struct gpio_abi_config *config)
{
    int error = 0;

    for (unsigned line = 0; line < lines->count && !error; line++)
        error = set_line(lines, line, find_value(config, GPIO_ABI_FLAGS, line, config->flags),
                         is_high_value(config, line));
    return error ? error : events_start(lines);
}

/* Gives the first `count` lines back; what was driven is let go. */
static void let_go(struct gpio_lines *lines, unsigned count)
{
    events_stop(lines);
    for (unsigned line = 0; line < count; line++) {
        if (lines->flags[line] & GPIO_ABI_OUTPUT)
            (void)!hal_gpio_set_function(lines->pins[line], HAL_GPIO_INPUT);
        gpiochip_set_flags(lines->pins[line], 0);
        gpio_release(lines->pins[line]);
    }
}

/* Makes the lines the user's, all or none. */
static int claim(struct gpio_lines *lines)
{
    const char *user = lines->consumer[0] ? lines->consumer : "?";

    for (unsigned line = 0; line < lines->count; line++) {
        int error = gpio_claim(lines->pins[line], user);

        if (error) {
            let_go(lines, line);
            return error;
        }
    }
    return 0;
}

/* ---- requests of who has the lines ---- */

int lines_get_bits(struct gpio_lines *lines, struct gpio_abi_bits *values)
{
    uint64_t asked = values->mask, bits = 0, known = 0;

    mutex_lock(&lines->mutex);
    for (unsigned line = 0; line < lines->count; line++) {
        bool low = lines->flags[line] & GPIO_ABI_ACTIVE_LOW;

        if (!(asked >> line & 1))
            continue;
        known |= UINT64_C(1) << line;
        if ((hal_gpio_read(lines->pins[line]) == 1) != low)
            bits |= UINT64_C(1) << line;
    }
    mutex_unlock(&lines->mutex);
    values->bits = bits;
    return known ? 0 : -EINVAL;
}

/* 0, -EPERM (an input is among them), or -EINVAL (none of ours). Caller holds the mutex. */
static int check_outputs(const struct gpio_lines *lines, uint64_t mask)
{
    bool any = false;

    for (unsigned line = 0; line < lines->count; line++) {
        if (!(mask >> line & 1))
            continue;
        if (!(lines->flags[line] & GPIO_ABI_OUTPUT))
            return -EPERM;
        any = true;
    }
    return any ? 0 : -EINVAL;
}

int lines_set_bits(struct gpio_lines *lines, const struct gpio_abi_bits *values)
{
    int error;

    mutex_lock(&lines->mutex);
    error = check_outputs(lines, values->mask);
    for (unsigned line = 0; line < lines->count && !error; line++) {
        if (values->mask >> line & 1)
            error = drive(lines->pins[line], lines->flags[line], values->bits >> line & 1);
    }
    mutex_unlock(&lines->mutex);
    return error;
}

int lines_set_config(struct gpio_lines *lines, const struct gpio_abi_config *config)
{
    int error = check_config(config, lines->count);

    if (error)
        return error;
    mutex_lock(&lines->mutex);
    events_stop(lines);
    error = set_all(lines, config);
    mutex_unlock(&lines->mutex);
    return error;
}

static int lines_ioctl(struct file *file, unsigned request, void *argument)
{
    struct gpio_lines *lines = lines_of(file->vnode);

    switch (request) {
    case GPIO_ABI_GET_BITS:
        return lines_get_bits(lines, argument);
    case GPIO_ABI_SET_BITS:
        return lines_set_bits(lines, argument);
    case GPIO_ABI_SET_CONFIG:
        return lines_set_config(lines, argument);
    default:
        return old_lines_ioctl(lines, request, argument);
    }
}

static int64_t lines_write(struct file *file, uint64_t offset, const void *data, size_t n)
{
    (void)file, (void)offset, (void)data, (void)n;
    return -EINVAL;
}

/* ---- coming and going ---- */

static void lines_release(struct vnode *vnode)
{
    struct gpio_lines *lines = lines_of(vnode);

    let_go(lines, lines->count);
    vnode_finish(vnode);
    kfree(lines->ring);
    kfree(lines);
}

static const struct vnode_ops lines_ops = {
    .file_read = events_read,
    .poll = events_poll,
    .file_write = lines_write,
    .ioctl = lines_ioctl,
    .release = lines_release,
};

static uint32_t room_for(const struct gpio_abi_lines *request)
{
    uint32_t room = request->events ? request->events : request->count * EVENTS_PER_LINE;

    return room < EVENTS_MAX ? room : EVENTS_MAX;
}

/* Memory for what `request` asks for; nothing is claimed yet. NULL: there is none. */
static struct gpio_lines *make_lines(const struct gpio_abi_lines *request)
{
    struct gpio_lines *lines = kcalloc(1, sizeof(*lines));

    if (!lines)
        return NULL;
    lines->room = room_for(request);
    lines->ring = kcalloc(lines->room, sizeof(*lines->ring));
    if (!lines->ring) {
        kfree(lines);
        return NULL;
    }
    lines->count = request->count;
    for (unsigned line = 0; line < lines->count; line++)
        lines->pins[line] = (uint8_t)request->offsets[line];
    for (unsigned i = 0; i + 1 < GPIO_ABI_NAME; i++)
        lines->consumer[i] = request->consumer[i];
    mutex_init(&lines->mutex);
    spinlock_init(&lines->lock, LOCK_RANK_WAIT);
    wait_init(&lines->readers);
    events_init(lines);
    return lines;
}

int lines_open(const struct gpio_abi_lines *request, bool old, struct file **file)
{
    struct vnode_attributes attributes = {.type = VNODE_CHARACTER, .mode = 0600};
    struct gpio_lines *lines;
    int error = check_request(request);

    if (error)
        return error;
    lines = make_lines(request);
    if (!lines)
        return -ENOMEM;
    lines->old = old;
    error = claim(lines);
    if (error) {
        kfree(lines->ring);
        kfree(lines);
        return error;
    }
    vnode_init(&lines->vnode, NULL, &lines_ops, &attributes);
    error = set_all(lines, &request->config);
    if (!error)
        error = file_of_vnode(&lines->vnode, FILE_READ_WRITE, file);
    vnode_put(&lines->vnode); /* the file has its own; without one all is given back */
    return error;
}
