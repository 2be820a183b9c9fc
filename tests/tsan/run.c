/* SPDX-License-Identifier: MIT */
/*
 * run.c: plays the kernel of guest.c with 4 CPUs: `tsan-races KIND` with the real clock,
 * `tsan-races KIND SEED` with the virtual one. Prints what the guest says, and ends with its
 * status, unless ThreadSanitizer has one of its own.
 */
#include <tayberry.h>

#include <stdio.h>
#include <stdlib.h>

static void print(void *context, const uint8_t *bytes, size_t n)
{
    (void)context;
    fwrite(bytes, 1, n, stdout);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    char line[64];
    struct tb_config config = {
        .size = sizeof config, .clock = TB_CLOCK_REAL, .cpus = 4, .command_line = line};
    struct tb_machine *machine;
    int status;

    snprintf(line, sizeof line, "race=%s", argc > 1 ? argv[1] : "");
    if (argc > 2) {
        config.clock = TB_CLOCK_VIRTUAL;
        config.seed = strtoull(argv[2], NULL, 10);
    }
    if (tb_open(&config, &machine) < 0 || tb_power_on(machine) < 0) {
        fprintf(stderr, "%s\n", tb_error(NULL));
        return 2;
    }
    tb_uart_set_sink(machine, print, NULL);
    status = tb_run_for(machine, UINT64_C(60000000000)) == TB_STOPPED ? tb_exit_status(machine) : 3;
    tb_close(machine);
    return status;
}
