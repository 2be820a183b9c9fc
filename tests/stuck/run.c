/* SPDX-License-Identifier: MIT */
/*
 * run.c: plays the kernel of guest.c in the simulator: `stuck CLOCK CPUS STALL-MS SECONDS
 * COMMAND-LINE`. Prints what the guest says, where it was at its last fault, and, if it has not
 * stopped after SECONDS, what tb_inspect_hang says. Ends with the guest's status, or 3 if it has
 * not stopped.
 */
#include <tayberry.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS UINT64_C(1000000000)

static void print(void *context, const uint8_t *bytes, size_t n)
{
    (void)context;
    fwrite(bytes, 1, n, stdout);
    fflush(stdout);
}

static void print_trace(const struct tb_machine *machine)
{
    uint64_t addresses[24];
    size_t n = tb_fault_trace(machine, addresses, 24);

    printf("\ntrace %s", tb_code_file(machine));
    for (size_t i = 0; i < n; i++)
        printf(" 0x%llx", (unsigned long long)addresses[i] - (i > 0));
    printf("\n");
}

static int print_hang(struct tb_machine *machine)
{
    static char text[8192];
    int length = tb_inspect_hang(machine, text, sizeof text);

    printf("\nhang %d\n%s", length, length < 0 ? tb_error(machine) : text);
    return 3;
}

int main(int argc, char **argv)
{
    struct tb_config config = {.size = sizeof config, .seed = 1};
    struct tb_machine *machine;
    uint64_t patience;
    int status;

    if (argc != 6)
        return 2;
    config.clock = strcmp(argv[1], "virtual") == 0 ? TB_CLOCK_VIRTUAL : TB_CLOCK_REAL;
    config.cpus = (unsigned)atoi(argv[2]);
    config.stall_ms = (uint32_t)atoi(argv[3]);
    patience = (uint64_t)atoi(argv[4]) * SECOND_NS;
    config.command_line = argv[5];
    if (tb_open(&config, &machine) < 0) {
        fprintf(stderr, "%s\n", tb_error(NULL));
        return 2;
    }
    tb_uart_set_sink(machine, print, NULL);
    if (tb_power_on(machine) < 0)
        return 2;
    status =
        tb_run_for(machine, patience) == TB_STOPPED ? tb_exit_status(machine) : print_hang(machine);
    print_trace(machine);
    tb_close(machine);
    return status;
}
