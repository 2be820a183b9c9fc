/* SPDX-License-Identifier: MIT */
/*
 * sim.c: helpers of the library's suites.
 */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct tb_machine *sim_open(enum tb_clock clock, const char *behaviour)
{
    struct tb_config config = {
        .size = sizeof config, .command_line = behaviour, .clock = clock, .seed = 1};
    struct tb_machine *machine;
    ck_assert_msg(tb_open(&config, &machine) == 0, "open: %s", tb_error(NULL));
    return machine;
}

struct tb_machine *sim_start(enum tb_clock clock, const char *behaviour)
{
    struct tb_machine *machine = sim_open(clock, behaviour);
    ck_assert_msg(tb_power_on(machine) == 0, "power on: %s", tb_error(machine));
    ck_assert_int_eq(tb_uart_expect(machine, "ready\n", 10 * SECOND), TB_MATCH);
    (void)sim_output(machine);
    return machine;
}

const char *sim_output(struct tb_machine *machine)
{
    static char text[(1 << 20) + 1];
    text[tb_uart_read(machine, text, sizeof text - 1)] = '\0';
    return text;
}

const char *sim_file(const void *bytes, size_t n)
{
    static char names[8][32];
    static unsigned next;
    char *name = names[next++ % 8];
    int fd = memfd_create("sim-test", 0);
    ck_assert_int_ge(fd, 0);
    if (n)
        ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
    snprintf(name, sizeof names[0], "/proc/%d/fd/%d", (int)getpid(), fd);
    return name;
}

uint64_t sim_state_hash(const struct tb_machine *machine)
{
    return under_tsan() ? 0 : tb_state_hash(machine);
}

uint64_t sim_host_ms(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_nsec / 1000000;
}

int sim_run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
