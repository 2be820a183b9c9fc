/* SPDX-License-Identifier: MIT */
/*
 * user_modes.c: runs of the contract kernel that are judged, or timed, from outside:
 *
 *   contract=user-spin    user code that never traps, for ever
 *   contract=user-count   user code that makes a thousand system calls, with a line after each 100
 *   contract=user-refuse  says whether user code can run, and why not
 *   contract=user-bench   prints what crossing between the kernel and user code costs, in ns
 */
#include "user_program.h"

enum { LINES = 10, CALLS = 100, TICK = NS_PER_MS };

static struct program program KSTATE, second KSTATE;

static bool starts_with(const char *text, const char *word)
{
    while (*word != '\0' && *text == *word)
        text++, word++;
    return *word == '\0';
}

static void tick(void)
{
    hal_timer_set(hal_time_now() + TICK);
}

HAL_NORETURN static void spin(void)
{
    if (!PROGRAM(&program, spin))
        hal_board_stop(HAL_STOP_POWER_OFF, 1);
    contract_on_irq(HAL_IRQ_TIMER, tick);
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_timer_set(hal_time_now() + TICK);
    for (;;)
        (void)program_run(&program);
}

static void count(void)
{
    if (!PROGRAM(&program, add))
        return;
    program_set(&program, 0, 0);
    program_set(&program, 1, 1);
    for (unsigned i = 1; i <= LINES * CALLS; i++) {
        if (program_run(&program) != HAL_USER_CALL)
            contract_print("no call\n");
        hal_user_set_result(&program.user, 0);
        if (i % CALLS != 0)
            continue;
        contract_print("count ");
        contract_print_number(program_get(&program, 0));
        contract_print(" at ");
        contract_print_number(hal_time_now());
        contract_print("\n");
    }
}

/* ---- what it costs ---- */

static void print_cost(const char *what, uint64_t ns, uint64_t times)
{
    contract_print(what);
    contract_print(" ");
    contract_print_number(ns / times);
    contract_print("\n");
}

/** Of the program that is loaded. The first ones are not counted: a backend may learn from them. */
static void time_calls(const char *what)
{
    enum { TIMES = 100000, WARM = 10 };
    uint64_t start = 0;
    for (unsigned i = 0; i < WARM + TIMES; i++) {
        if (i == WARM)
            start = hal_time_now();
        (void)program_run(&program);
    }
    print_cost(what, hal_time_now() - start, TIMES);
}

static void time_switches(void)
{
    enum { TIMES = 5000 };
    LOAD(&program, call);
    LOAD(&second, call);
    uint64_t start = hal_time_now();
    for (unsigned i = 0; i < TIMES; i++) {
        (void)program_run(&program);
        (void)program_run(&second);
    }
    print_cost("call-and-switch", hal_time_now() - start, 2 * TIMES);
}

/** Each page is mapped when user code faults on it, `run` pages at a time. */
static void time_faults(const char *what, uint8_t *pages, unsigned count, unsigned run)
{
    uint64_t start = hal_time_now();
    LOAD(&program, store);
    for (unsigned i = 0; i < count; i++) {
        program_set(&program, 0, NOWHERE + i * HAL_PAGE_SIZE);
        if (program_run(&program) == HAL_USER_CALL)
            continue;
        program_map(&program, NOWHERE + i * HAL_PAGE_SIZE, pages + i * HAL_PAGE_SIZE, run,
                    HAL_USER_READ | HAL_USER_WRITE);
        (void)program_run(&program);
    }
    print_cost(what, hal_time_now() - start, count);
    hal_aspace_unmap(&program.aspace, NOWHERE, count);
}

static void bench(void)
{
    enum { PAGES = 512 };
    if (!PROGRAM(&program, call) || !PROGRAM(&second, call))
        return;
    uint8_t *pages = contract_pages(PAGES);
    LOAD(&program, call);
    time_calls("call");
    LOAD(&program, add);
    time_calls("call-behind-constant");
    time_switches();
    time_faults("fault-page", pages, PAGES, 1);
    time_faults("fault-16-pages", pages, PAGES, 16);
    time_faults("fault-128-pages", pages, PAGES, 128);
}

void contract_user_mode(const char *mode)
{
    if (starts_with(mode, "spin"))
        spin();
    if (starts_with(mode, "count"))
        count();
    if (starts_with(mode, "bench"))
        bench();
    if (starts_with(mode, "refuse")) {
        contract_print(hal_user_refusal() != NULL ? hal_user_refusal() : "user code can run");
        contract_print("\n");
    }
    hal_board_stop(HAL_STOP_POWER_OFF, 0);
}
