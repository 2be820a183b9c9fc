/* SPDX-License-Identifier: MIT */
/*
 * run.c: plays the kernel of guest.c in the simulator: `misuse KIND [BOOT-WORD...]`. Prints what
 * the guest says, and ends with its status.
 */
#include <tayberry.h>

#include <stdio.h>
#include <string.h>

static void print(void *context, const uint8_t *bytes, size_t n)
{
    (void)context;
    fwrite(bytes, 1, n, stdout);
    fflush(stdout);
}

static bool take_back(struct tb_machine *machine)
{
    struct tb_snapshot *snapshot;
    bool good = tb_snapshot(machine, &snapshot) == 0;

    good = good && tb_restore(machine, snapshot) == 0;
    if (good)
        tb_snapshot_free(snapshot);
    return good;
}

int main(int argc, char **argv)
{
    char line[512] = "misuse=";
    struct tb_config config = {
        .size = sizeof config, .clock = TB_CLOCK_VIRTUAL, .seed = 1, .command_line = line};
    struct tb_machine *machine;
    int status;

    for (int i = 1; i < argc; i++) {
        strncat(line, argv[i], sizeof line - strlen(line) - 1);
        strncat(line, " ", sizeof line - strlen(line) - 1);
    }
    if (tb_open(&config, &machine) < 0 || tb_power_on(machine) < 0) {
        fprintf(stderr, "%s\n", tb_error(NULL));
        return 2;
    }
    tb_uart_set_sink(machine, print, NULL);
    if (tb_run_for(machine, UINT64_C(5000000)) != TB_STOPPED && !take_back(machine)) {
        fprintf(stderr, "%s\n", tb_error(machine));
        return 2;
    }
    status = tb_run_for(machine, UINT64_C(60000000000)) == TB_STOPPED ? tb_exit_status(machine) : 3;
    tb_close(machine);
    return status;
}
