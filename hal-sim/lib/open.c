/* SPDX-License-Identifier: MIT */
/*
 * open.c: making a machine from its configuration, and taking it apart.
 */
#include "lib/library.h"

#include <hal/errno.h>
#include <hal/machine.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct tb_machine library;

enum {
    MIN_MEMORY = 2 << 20,
    MAX_MEMORY = 960 << 20,
    DEFAULT_MEMORY = 64 << 20,
    MAX_SIDE = 4096,
    DEFAULT_STALL_MS = 5000
};

uint32_t tb_version(void)
{
    return TB_VERSION;
}

int library_fail(int error, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(library.error, sizeof library.error, format, values);
    va_end(values);
    return error;
}

const char *tb_error(const struct tb_machine *machine_or_null)
{
    (void)machine_or_null; /* there is one at a time */
    return library.error;
}

/* Copies what the caller's version of the struct has; the rest are defaults. */
static int read_config(const struct tb_config *given, struct tb_config *config)
{
    const uint8_t *bytes = (const uint8_t *)given;
    memset(config, 0, sizeof *config);
    if (!given)
        return 0;
    if (given->size < sizeof given->size)
        return library_fail(-EINVAL, "tb_config.size is %zu; set it to sizeof(struct tb_config)",
                            given->size);
    for (size_t i = sizeof *config; i < given->size; i++)
        if (bytes[i])
            return library_fail(-EINVAL,
                                "tb_config uses options that this library, version %06x, "
                                "does not know",
                                TB_VERSION);
    memcpy(config, given, given->size < sizeof *config ? given->size : sizeof *config);
    return 0;
}

static int check_tags(const struct tb_config *config)
{
    if (config->boot_tags_size > SIM_TAGS_MAX)
        return library_fail(-EINVAL, "%zu bytes of boot tags: at most %d fit",
                            config->boot_tags_size, SIM_TAGS_MAX);
    if (config->command_line && strlen(config->command_line) > SIM_COMMAND_LINE_MAX)
        return library_fail(-EINVAL, "the kernel's command line has %zu characters; %d fit",
                            strlen(config->command_line), SIM_COMMAND_LINE_MAX);
    if (config->boot_tags_kind != TB_TAGS_ATAGS && config->boot_tags_kind != TB_TAGS_DTB)
        return library_fail(-EINVAL, "boot tags %d are neither ATAGs nor a device tree",
                            (int)config->boot_tags_kind);
    return 0;
}

static int check_config(struct tb_config *config)
{
    if (!config->memory)
        config->memory = DEFAULT_MEMORY;
    if (!config->cpus)
        config->cpus = 1;
    if (config->memory < MIN_MEMORY || config->memory > MAX_MEMORY)
        return library_fail(-EINVAL, "%llu bytes of memory: choose between 2 MiB and 960 MiB",
                            (unsigned long long)config->memory);
    if (config->memory % HAL_PAGE_SIZE)
        return library_fail(-EINVAL, "%llu bytes of memory: choose a multiple of 4096",
                            (unsigned long long)config->memory);
    if (config->cpus > HAL_CPU_MAX)
        return library_fail(-EINVAL, "%u CPUs: choose 1 to %u", config->cpus, HAL_CPU_MAX);
    if (config->clock != TB_CLOCK_REAL && config->clock != TB_CLOCK_VIRTUAL)
        return library_fail(-EINVAL, "clock %d is neither real nor virtual", (int)config->clock);
    if (config->clock == TB_CLOCK_REAL && tools_run_signals())
        return library_fail(-ENOTSUP,
                            "Valgrind makes signal frames of its own, which the real clock "
                            "cannot move; use the virtual clock (--clock virtual)");
    if (config->clock == TB_CLOCK_REAL && tools_forbid_signals())
        return library_fail(-ENOTSUP, "Valgrind cannot run the real clock; use the virtual one");
    int error = check_tags(config);
    if (error)
        return error;
    if (!config->display_width != !config->display_height || config->display_width > MAX_SIDE ||
        config->display_height > MAX_SIDE)
        return library_fail(-EINVAL, "a display of %u x %u pixels: give both, up to %d",
                            config->display_width, config->display_height, MAX_SIDE);
    return 0;
}

static int copy_strings(const struct tb_config *config)
{
    const char *line = config->command_line ? config->command_line : "";
    library.command_line = malloc(strlen(line) + 1);
    if (!library.command_line)
        return -ENOMEM;
    strcpy(library.command_line, line);
    if (config->boot_tags) {
        library.boot_tags = malloc(config->boot_tags_size + 1);
        if (!library.boot_tags)
            return -ENOMEM;
        memcpy(library.boot_tags, config->boot_tags, config->boot_tags_size);
    }
    library.tags = (struct sim_tags){
        .raw = library.boot_tags,
        .raw_bytes = config->boot_tags_size,
        .command_line = config->no_boot_tags ? NULL : library.command_line,
        .tree = config->boot_tags_kind == TB_TAGS_DTB,
    };
    return 0;
}

/* In ns; 0: none. */
static uint64_t stall_limit(uint32_t ms)
{
    if (ms == UINT32_MAX)
        return 0;
    return (uint64_t)(ms ? ms : DEFAULT_STALL_MS) * 1000000;
}

static int make_machine(const struct tb_config *config)
{
    memset(&machine, 0, sizeof machine);
    machine.real = config->clock == TB_CLOCK_REAL;
    machine.seed = config->seed;
    machine.cpu_count = config->cpus;
    machine.ram_bytes = config->memory;
    machine.stall_ns = stall_limit(config->stall_ms);
    machine.user_step = config->user_step && !machine.real;
    for (unsigned i = 0; i < HAL_GPIO_PINS; i++)
        machine.pin[i].drive = TB_FLOATING;
    int error = host_ram_create(config->memory, &machine.ram);
    if (error)
        return error;
    if (config->display_width) {
        machine.display = calloc((size_t)config->display_width * config->display_height, 4);
        machine.display_width = config->display_width;
        machine.display_height = config->display_height;
        if (!machine.display)
            return -ENOMEM;
    }
    return copy_strings(config);
}

/* Frees whatever of a machine there is. */
static void take_apart(void)
{
    host_card_close(&library.card);
    vcd_close();
    listen_close();
    syscalls_close();
    serial_close();
    stream_close();
    free(library.history);
    free(library.command_line);
    free(library.boot_tags);
    free(machine.display);
    host_cpu_free();
    host_ram_destroy();
    sim_memory_closed();
    char error[sizeof library.error];
    memcpy(error, library.error, sizeof error);
    memset(&library, 0, sizeof library);
    memset(&machine, 0, sizeof machine);
    memcpy(library.error, error, sizeof error);
}

static int build(const struct tb_config *config)
{
    int error = 0;
    if (config->card)
        error = host_card_open(&library.card, config->card, config->card_read_only, library.error,
                               sizeof library.error);
    if (error)
        return error;
    library.history = calloc(HISTORY_CHANGES, sizeof *library.history);
    error = library.history ? make_machine(config) : -ENOMEM;
    if (!error)
        error = serial_open();
    if (error)
        return library_fail(error, "not enough memory on the host for a machine with %llu bytes",
                            (unsigned long long)config->memory);
    error = host_traps_install();
    if (error)
        return library_fail(-ENOTSUP, "the host does not let this process handle its signals");
    return 0;
}

int tb_open(const struct tb_config *given, struct tb_machine **out)
{
    static uint64_t openings;
    struct tb_config config;
    if (!out)
        return -EINVAL;
    *out = NULL;
    if (library.open)
        return library_fail(-EBUSY, "a machine is open in this process already; close it first");
    library.card.fd = -1;
    int error = read_config(given, &config);
    if (!error)
        error = check_config(&config);
    if (error)
        return error;
    error = build(&config);
    if (error) {
        take_apart();
        return error;
    }
    library.open = true;
    library.opening = ++openings;
    library.error[0] = '\0';
    sim_time_set_speed(1, false);
    *out = &library;
    return 0;
}

void tb_close(struct tb_machine *m)
{
    if (!m || !m->open)
        return;
    tb_power_cut(m);
    host_traps_remove();
    schedule_close();
    library.error[0] = '\0';
    take_apart();
}

const uint32_t *tb_display(const struct tb_machine *m, uint32_t *width, uint32_t *height)
{
    (void)m;
    *width = machine.display_width;
    *height = machine.display_height;
    return machine.display;
}
