/* SPDX-License-Identifier: MIT */
/*
 * kernel.c: the host's side of the workloads in the kernel: a machine whose kernel runs guest.c in
 * the place of its shell.
 */
#include "tayberry.h"
#include "work.h"

#include <stdio.h>
#include <string.h>

#define MEMORY (512ull << 20)

static const char *allocator = "slab";

bool side_option(const char *word)
{
    if (word)
        allocator = word;
    return true;
}

static void print_console(struct tb_machine *machine)
{
    char text[4096];
    size_t got;

    while ((got = tb_uart_read(machine, text, sizeof text)) > 0)
        fwrite(text, 1, got, stderr);
}

static bool run_machine(struct tb_machine *machine)
{
    if (tb_power_on(machine) || tb_run_until(machine, UINT64_MAX) != TB_STOPPED) {
        fprintf(stderr, "bench-memory: %s\n", tb_error(machine));
        return false;
    }
    if (tb_state(machine) == TB_POWERED_OFF)
        return true;
    print_console(machine);
    return false;
}

bool side_run(void)
{
    char line[80];
    struct tb_config config = {
        .size = sizeof config, .clock = TB_CLOCK_REAL, .memory = MEMORY, .command_line = line};
    struct tb_machine *machine;
    bool done;

    snprintf(line, sizeof line, "checks=0 allocator=%s", allocator);
    if (tb_open(&config, &machine)) {
        fprintf(stderr, "bench-memory: %s\n", tb_error(NULL));
        return false;
    }
    done = run_machine(machine);
    tb_close(machine);
    return done;
}
