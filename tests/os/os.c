/* SPDX-License-Identifier: MIT */
/*
 * os.c: helpers of the whole-OS suites.
 */
#include "os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char output[1 << 20];

const char *os_card(void)
{
    const char *card = getenv("TAYBERRY_CARD");

    ck_assert_msg(card != NULL, "TAYBERRY_CARD is not set");
    return card;
}

unsigned os_size(const char *name, unsigned otherwise)
{
    const char *text = getenv(name);

    return text && *text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

bool os_real_clock(void)
{
    const char *text = getenv("TAYBERRY_CLOCK");

    return text && strcmp(text, "real") == 0;
}

unsigned os_cpus(void)
{
    return os_size("TAYBERRY_CPUS", 1);
}

struct tb_config os_config(void)
{
    return (struct tb_config){.size = sizeof(struct tb_config),
                              .card = os_card(),
                              .card_read_only = true,
                              .clock = os_real_clock() ? TB_CLOCK_REAL : TB_CLOCK_VIRTUAL,
                              .cpus = os_cpus(),
                              .seed = 1};
}

struct tb_machine *os_boot(const struct tb_config *config)
{
    struct tb_machine *machine;
    int error = tb_open(config, &machine);

    ck_assert_msg(error == 0, "open: %s", tb_error(NULL));
    ck_assert_msg(tb_power_on(machine) == 0, "power on: %s", tb_error(machine));
    os_wait_prompt(machine);
    return machine;
}

const char *os_hang(struct tb_machine *machine)
{
    static char text[8192];

    return tb_inspect_hang(machine, text, sizeof(text)) < 0 ? tb_error(machine) : text;
}

void os_wait_prompt(struct tb_machine *machine)
{
    int reason = tb_uart_expect(machine, OS_PROMPT, 60 * OS_SECOND);

    ck_assert_msg(reason == TB_MATCH, "no prompt (%d): %s\n%s", reason, os_output(machine),
                  os_hang(machine));
}

const char *os_output(struct tb_machine *machine)
{
    size_t n = tb_uart_read(machine, output, sizeof output - 1);

    output[n] = '\0';
    return output;
}

const char *os_command(struct tb_machine *machine, const char *line)
{
    char *text, *end;

    (void)os_output(machine);
    ck_assert_int_eq(tb_uart_write(machine, line, strlen(line)), (int)strlen(line));
    ck_assert_int_eq(tb_uart_write(machine, "\r", 1), 1);
    /* The echo ends with a new line; what follows is the command's, up to the prompt. */
    ck_assert_int_eq(tb_uart_expect(machine, "\n", 60 * OS_SECOND), TB_MATCH);
    os_wait_prompt(machine);
    (void)os_output(machine);
    text = strchr(output, '\n');
    ck_assert_ptr_nonnull(text);
    end = strrchr(++text, '\n');
    if (end)
        end[1] = '\0';
    else
        *text = '\0';
    return text;
}

int os_run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
