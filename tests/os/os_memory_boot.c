/* SPDX-License-Identifier: MIT */
/*
 * os_memory_boot.c: boots with failing allocations, and judges.
 *
 * A boot with a failure ends in one of two ways. It stops, after one line "boot: out of memory:
 * ..." that says what could not be had, without a panic. Or it comes to its prompt, says there what
 * is missing, and works as far as that is not needed.
 */
#include "os_memory_sweep.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX (1 << 16)
#define STOP_STATUS 134

static struct tb_machine *machine;
static char text[TEXT_MAX];

static void take_output(void)
{
    size_t used = strlen(text);

    used += tb_uart_read(machine, text + used, TEXT_MAX - 1 - used);
    text[used] = '\0';
}

/* Boots with `plan` as the boot word says it. True: it came to the prompt. */
static bool boot(uint64_t memory, const char *plan)
{
    struct tb_config config = os_config();
    char line[128];
    int reason;

    snprintf(line, sizeof line, "checks=1 %s%s", plan[0] ? "fail_alloc=" : "", plan);
    config.memory = memory;
    config.command_line = line;
    text[0] = '\0';
    ck_assert_msg(tb_open(&config, &machine) == 0, "%s", tb_error(NULL));
    ck_assert_int_eq(tb_power_on(machine), 0);
    reason = tb_run_until(machine, UINT64_MAX);
    take_output();
    sweep_totals->boots++;
    ck_assert_msg(reason == TB_STUCK || reason == TB_STOPPED, "%s: %d: %s", plan, reason, text);
    return reason == TB_STUCK;
}

/* The failures of this boot that somebody has to be told of. */
static unsigned count_failures(void)
{
    struct tb_alloc_site site;
    unsigned failures = 0;

    for (unsigned i = 0; tb_alloc_site(machine, i, &site) == 0; i++) {
        if (site.failures == 0)
            continue;
        sweep_totals->sites[i].boot = true;
        failures += sweep_excuse(machine, i) == NULL;
    }
    return failures;
}

static unsigned count_reports(void)
{
    unsigned reports = 0;

    for (const char *at = text; (at = strstr(at, "ut of memory")); at++)
        reports++;
    return reports;
}

/* What a boot with memory for everything holds at its prompt, by site. */
static int64_t blocks_normal[SWEEP_SITES_MAX];

static void learn(void)
{
    struct tb_alloc_site site;

    for (unsigned i = 0; tb_alloc_site(machine, i, &site) == 0; i++)
        blocks_normal[i] = site.blocks;
}

/* Nothing is held that a boot without failures does not hold. */
static void assert_no_leak(const char *plan)
{
    struct tb_alloc_site site;

    for (unsigned i = 0; tb_alloc_site(machine, i, &site) == 0; i++)
        ck_assert_msg(site.blocks <= blocks_normal[i] || strstr(site.file, "core/heap/"),
                      "%s: %s:%u leaks: %d blocks instead of %d: %s", plan, site.file, site.line,
                      (int)site.blocks, (int)blocks_normal[i], text);
}

static void assert_stopped_well(const char *plan)
{
    const char *line = strstr(text, "boot: out of memory: no room for ");

    ck_assert_msg(tb_exit_status(machine) == STOP_STATUS, "%s: status %d: %s", plan,
                  tb_exit_status(machine), text);
    ck_assert_msg(line != NULL && count_reports() == 1, "%s: %s", plan, text);
    ck_assert_msg(strcmp(strchr(line, '\n'), "\n") == 0, "%s: it is not the last line: %s", plan,
                  text);
    ck_assert_msg(!strstr(text, "PANIC"), "%s: %s", plan, text);
}

static void assert_prompt_works(const char *plan, unsigned failures)
{
    static const char commands[] = "gpio GPIO17; echo alive; ls /docs\r";
    const char *answer;

    ck_assert_msg(strstr(text, OS_PROMPT), "%s: no prompt: %s", plan, text);
    ck_assert_msg(failures == 0 || sweep_is_report(text), "%s: nothing says what is missing: %s",
                  plan, text);
    assert_no_leak(plan);
    ck_assert_int_eq(tb_alloc_fail(machine, &(struct tb_alloc_fail){.kind = TB_FAIL_NONE}), 0);
    text[0] = '\0';
    ck_assert_int_eq(tb_uart_write(machine, commands, strlen(commands)), (int)strlen(commands));
    ck_assert_int_eq(tb_run_until(machine, UINT64_MAX), TB_STUCK);
    take_output();
    answer = strchr(text, '\n');
    ck_assert_msg(answer && strncmp(answer, "\n0\r\nalive\r\n", 11) == 0, "%s: %s", plan, text);
    ck_assert_msg(strstr(text, "Getting started.txt\r\n") ||
                      strstr(text, "no files: Out of memory: "),
                  "%s: %s", plan, text);
}

/* Boots with `plan` and judges. True if anything failed. */
static bool try_boot(uint64_t memory, const char *plan)
{
    bool prompt = boot(memory, plan);
    unsigned failures = count_failures();
    uint64_t all = 0;
    struct tb_alloc_site site;

    for (unsigned i = 0; tb_alloc_site(machine, i, &site) == 0; i++)
        all += site.failures;
    if (prompt)
        assert_prompt_works(plan, failures);
    else
        assert_stopped_well(plan);
    tb_close(machine);
    return all > 0;
}

/* Fails each allocation from power-on to the prompt; returns how many there are. */
static uint64_t try_each(uint64_t memory, const char *format)
{
    char plan[32];
    uint64_t n = 0;

    do {
        snprintf(plan, sizeof plan, format, ++n);
    } while (try_boot(memory, plan));
    return n - 1;
}

/* The boot word that makes each allocation at the site fail that boot uses; "" if it does not. */
static void find_site(unsigned number, char *plan, size_t size)
{
    struct tb_alloc_site site;

    plan[0] = '\0';
    if (tb_alloc_site(machine, number, &site) == 0 && site.calls > 0)
        snprintf(plan, size, "%s:%u", site.file, site.line);
}

void sweep_run_boot(uint64_t memory)
{
    static char plans[SWEEP_SITES_MAX][96];
    unsigned seeds = os_size("TAYBERRY_RUNS", 8);
    uint64_t count;

    ck_assert(boot(memory, ""));
    learn();
    for (unsigned i = 0; i < SWEEP_SITES_MAX; i++)
        find_site(i, plans[i], sizeof plans[i]);
    tb_close(machine);
    count = try_each(memory, "%" PRIu64);
    ck_assert_uint_ge(count, 10);
    ck_assert_uint_eq(try_each(memory, "%" PRIu64 "+"), count);
    for (unsigned i = 0; i < SWEEP_SITES_MAX; i++)
        ck_assert(!plans[i][0] || try_boot(memory, plans[i]));
    for (unsigned seed = 1; seed <= seeds; seed++) {
        char plan[32];

        snprintf(plan, sizeof plan, "1/%u:%u", seed + 1, seed);
        (void)try_boot(memory, plan);
    }
}
