/* SPDX-License-Identifier: MIT */
/*
 * contract.h: how a test of the HAL's contract is written.
 *
 * The contract tests are a kernel of their own: they implement the upcalls in place of core and are
 * linked with a backend alone. So what they find is the backend's, and one source runs on every
 * machine: in the simulator under both clocks, and on the Pi. The kernel prints its report (TAP) on
 * the serial line and powers off with status 0 or 1.
 *
 * A test is a function and a claim: a promise of one header, in its words as far as they fit. It
 * starts masked, with every line disabled, the timer disarmed and no handler; the runner clears up
 * behind it. What a machine does not have is skipped with a reason, never passed.
 *
 * What needs somebody outside (bytes to arrive, a pin to be driven) is asked for in a line of the
 * report, "# want ...", which the program that runs the machine answers with the byte 'y' (done, or
 * it is so), 'n' (it is not so) or '?' (cannot). The list of requests is in outside.c.
 */
#pragma once

#include <hal/block.h>
#include <hal/board.h>
#include <hal/boot.h>
#include <hal/console.h>
#include <hal/context.h>
#include <hal/cpu.h>
#include <hal/display.h>
#include <hal/errno.h>
#include <hal/gpio.h>
#include <hal/inspect.h>
#include <hal/irq.h>
#include <hal/kstate.h>
#include <hal/machine.h>
#include <hal/mem.h>
#include <hal/runtime.h>
#include <hal/time.h>
#include <hal/uart.h>
#include <hal/upcall.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NS_PER_US 1000u
#define NS_PER_MS 1000000u
#define NS_PER_S 1000000000u
/** How long to wait for what comes at once: long, since a busy host can hold a machine up. */
#define SOON (20ull * NS_PER_S)

struct contract_test {
    const char *claim; /**< NULL ends the list */
    void (*run)(void);
};

#define CONTRACT_TEST(name) static void name(void)

/* One list a header, at the end of the file that is named after it. */
extern const struct contract_test trace_tests[], upcall_tests[], cpu_tests[], irq_tests[],
    time_tests[], context_tests[], cpus_tests[], watch_tests[], mem_tests[], boot_tests[],
    runtime_tests[], uart_tests[], stream_tests[], console_tests[], block_tests[], gpio_tests[],
    board_tests[], display_tests[], aspace_tests[], user_tests[], user_calls_tests[],
    user_cpus_tests[], machine_tests[];

/* ---- saying what was found (main.c) ---- */

/** Notes that the running test failed, and prints where and why. Any context. */
void contract_fail(const char *file, int line, const char *what);
void contract_fail_values(const char *file, int line, const char *what, uint64_t a, uint64_t b);

/** Notes that the running test cannot be made here. */
void contract_skip(const char *reason);

/** True: the running test has failed already. */
bool contract_failed(void);

#define EXPECT(condition) ((condition) ? (void)0 : contract_fail(__FILE__, __LINE__, #condition))

#define EXPECT_EQUAL(a, b) \
    contract_expect_equal(__FILE__, __LINE__, #a " == " #b, (uint64_t)(a), (uint64_t)(b))

#define REQUIRE(condition) \
    do { \
        if (!(condition)) { \
            contract_fail(__FILE__, __LINE__, #condition); \
            return; \
        } \
    } while (0)

#define SKIP(reason) \
    do { \
        contract_skip(reason); \
        return; \
    } while (0)

static inline void contract_expect_equal(const char *file, int line, const char *what, uint64_t a,
                                         uint64_t b)
{
    if (a != b)
        contract_fail_values(file, line, what, a, b);
}

/* ---- printing (print.c): polled, so that it works with interrupts masked ---- */

void contract_print(const char *text);
void contract_print_number(uint64_t value);
void contract_print_hex(uint64_t value);

/* ---- interrupts and faults (main.c) ---- */

/** What hal_upcall_interrupt does on `line` besides counting. NULL: nothing. */
void contract_on_irq(enum hal_irq line, void (*handler)(void));

/** How often `line` has interrupted CPU 0, which runs the tests, since the test began. */
unsigned contract_irqs(enum hal_irq line);

/** How often it has interrupted CPU `cpu`. */
unsigned contract_irqs_on(unsigned cpu, enum hal_irq line);

/** How often any line has interrupted CPU 0. */
unsigned contract_irqs_all(void);

/** How often CPU `cpu` has entered hal_upcall_cpu (cpus.c). */
unsigned contract_cpu_entries(unsigned cpu);

/** Has CPU `cpu`, which runs or starts, do `job`, masked. */
void contract_give(unsigned cpu, void (*job)(void));

/** What hal_upcall_fault returns in this test; NULL: a fault ends the whole run. */
void contract_on_fault(bool (*handler)(const struct hal_fault *fault));

/** What was so when hal_upcall_boot was entered. */
struct contract_boot {
    bool masked;
    bool kstate_zero;
    unsigned irqs; /**< interrupts taken with causes present and no line enabled */
    uint64_t time;
    unsigned cpu;
    uintptr_t stack; /**< an address on the boot stack */
};
const struct contract_boot *contract_boot(void);

/* ---- time and memory (main.c, memory.c) ---- */

/** Masks interrupts for the rest of the test. */
static inline void contract_mask(void)
{
    hal_irq_state_t before = hal_irq_save();
    (void)before;
}

/** Lets `ns` pass, polling. */
void contract_pass(uint64_t ns);

/** Polls until `condition` holds, for `ns` at most; gives whether it holds. */
#define CONTRACT_WAIT(condition, ns) \
    ({ \
        uint64_t wait_end = hal_time_now() + (ns); \
        while (!(condition) && hal_time_now() < wait_end) \
            hal_cpu_relax(); \
        (condition); \
    })

/** So many pages of RAM, with hal_mem_first_use called. They belong to the running test. */
void *contract_pages(size_t count);

/** True: `physical` is among the RAM that contract_pages hands out. */
bool contract_pages_hold(uint64_t physical);

/** Tables of address spaces (hal_upcall_table_alloc): how many are out, and how many more there
 * will be; at first as many as one wants. The runner resets that between tests. */
unsigned contract_tables(void);
void contract_tables_limit(unsigned more);
void contract_tables_reset(void);

/** Gives them all back. The runner calls it between tests. */
void contract_pages_reset(void);

/** Prepares a context with a stack of `bytes` bytes of such pages. */
void contract_context(struct hal_context *context, size_t bytes, void (*entry)(void *), void *arg);

/* ---- the world outside (outside.c) ---- */

enum contract_answer { ANSWER_YES, ANSWER_NO, ANSWER_CANNOT };

/**
 * Prints "# want <request>" and waits for the answer on the serial line; input that waits there is
 * dropped first. ANSWER_CANNOT also when nobody answers for two seconds. Unmasked or not.
 */
enum contract_answer contract_ask(const char *request);

/** Prints a request with up to two numbers after it, without waiting. */
void contract_want(const char *request, uint64_t a, uint64_t b);

/** Waits for the answer to contract_want. */
enum contract_answer contract_answer(void);

/** The value after "contract=" on the kernel's command line, or NULL: an ordinary run. */
const char *contract_mode(void);

/** Runs the machine to one of its ends, as `mode` says. */
HAL_NORETURN void contract_run_mode(const char *mode);

/** The same for those that run user code (user_modes.c): `mode` starts behind "user-". */
HAL_NORETURN void contract_user_mode(const char *mode);
