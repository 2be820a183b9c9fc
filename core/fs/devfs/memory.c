/* SPDX-License-Identifier: MIT */
/*
 * memory.c: null, zero, full, random and urandom: devices without hardware, or nearly so.
 */
#include "dev/random.h"
#include "fs/devfs/device.h"
#include "fs/devfs/nodes.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>

#define MEMORY_MAJOR 1

static int64_t read_nothing(const struct device *device, struct file *file, uint64_t offset,
                            void *data, size_t n)
{
    (void)device, (void)file, (void)offset, (void)data, (void)n;
    return 0;
}

static int64_t read_zeros(const struct device *device, struct file *file, uint64_t offset,
                          void *data, size_t n)
{
    (void)device, (void)file, (void)offset;
    memset(data, 0, n);
    return (int64_t)n;
}

static int64_t read_random(const struct device *device, struct file *file, uint64_t offset,
                           void *data, size_t n)
{
    int error = random_fill(data, n);

    (void)device, (void)file, (void)offset;
    return error ? error : (int64_t)n;
}

static int64_t write_away(const struct device *device, struct file *file, uint64_t offset,
                          const void *data, size_t n)
{
    (void)device, (void)file, (void)offset, (void)data;
    return (int64_t)n;
}

static int64_t write_full(const struct device *device, struct file *file, uint64_t offset,
                          const void *data, size_t n)
{
    (void)device, (void)file, (void)offset, (void)data;
    return n > 0 ? -ENOSPC : 0;
}

static const struct device_ops null_ops = {.read = read_nothing, .write = write_away};
static const struct device_ops zero_ops = {.read = read_zeros, .write = write_away};
static const struct device_ops full_ops = {.read = read_zeros, .write = write_full};
static const struct device_ops random_ops = {.read = read_random, .write = write_away};

static const struct {
    const char *name;
    unsigned minor;
    const struct device_ops *ops;
} kinds[] = {
    {"null", 3, &null_ops},     {"zero", 5, &zero_ops},      {"full", 7, &full_ops},
    {"random", 8, &random_ops}, {"urandom", 9, &random_ops},
};

static KSTATE struct device devices[sizeof(kinds) / sizeof(kinds[0])];

void nodes_register_memory(void)
{
    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        device_setup(&devices[i], kinds[i].name, VNODE_CHARACTER,
                     DEVICE_NUMBER(MEMORY_MAJOR, kinds[i].minor), 0666, kinds[i].ops);
}
