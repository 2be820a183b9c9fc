/* SPDX-License-Identifier: MIT */
/*
 * main.c: the kernel that is nothing but tests: upcalls, runner, report.
 */
#include "contract.h"

struct suite {
    const char *header;
    const struct contract_test *tests;
};

/** In the order in which one leans on another. upcall comes first: it looks at power-on. */
static const struct suite suites[] = {
    {"upcall", upcall_tests},       {"irq", irq_tests},         {"cpu", cpu_tests},
    {"time", time_tests},           {"runtime", runtime_tests}, {"mem", mem_tests},
    {"boot", boot_tests},           {"context", context_tests}, {"cpus", cpus_tests},
    {"watch", watch_tests},         {"console", console_tests}, {"uart", uart_tests},
    {"stream", stream_tests},       {"block", block_tests},     {"gpio", gpio_tests},
    {"board", board_tests},         {"display", display_tests}, {"trace", trace_tests},
    {"aspace", aspace_tests},       {"user", user_tests},       {"user_calls", user_calls_tests},
    {"user_cpus", user_cpus_tests}, {"machine", machine_tests},
};
#define SUITES (sizeof(suites) / sizeof(suites[0]))

static struct {
    unsigned number, failures;
    bool failed;
    const char *skipped;
    unsigned irqs[HAL_CPU_MAX][HAL_IRQ_LINES]; /* these three: atomic */
    void (*on_irq[HAL_IRQ_LINES])(void);
    bool (*on_fault)(const struct hal_fault *fault);
} run KSTATE;

static struct contract_boot boot KSTATE;
/** Looked at before anything else touches KSTATE. */
static uint8_t zero_probe[4096] KSTATE;

const struct contract_boot *contract_boot(void)
{
    return &boot;
}

static void print_place(const char *file, int line, const char *what)
{
    const char *name = file;
    for (; *file != '\0'; file++)
        if (*file == '/')
            name = file + 1;
    contract_print("# ");
    contract_print(name);
    contract_print(":");
    contract_print_number((uint64_t)line);
    contract_print(": ");
    contract_print(what);
}

void contract_fail(const char *file, int line, const char *what)
{
    run.failed = true;
    print_place(file, line, what);
    contract_print("\n");
}

void contract_fail_values(const char *file, int line, const char *what, uint64_t a, uint64_t b)
{
    run.failed = true;
    print_place(file, line, what);
    contract_print(": ");
    contract_print_hex(a);
    contract_print(" is not ");
    contract_print_hex(b);
    contract_print("\n");
}

bool contract_failed(void)
{
    return run.failed;
}

void contract_skip(const char *reason)
{
    run.skipped = reason;
}

void contract_on_irq(enum hal_irq line, void (*handler)(void))
{
    __atomic_store_n(&run.on_irq[line], handler, __ATOMIC_SEQ_CST);
}

unsigned contract_irqs_on(unsigned cpu, enum hal_irq line)
{
    return __atomic_load_n(&run.irqs[cpu][line], __ATOMIC_SEQ_CST);
}

unsigned contract_irqs(enum hal_irq line)
{
    return contract_irqs_on(0, line);
}

unsigned contract_irqs_all(void)
{
    unsigned all = 0;
    for (unsigned line = 0; line < HAL_IRQ_LINES; line++)
        all += contract_irqs((enum hal_irq)line);
    return all;
}

void contract_on_fault(bool (*handler)(const struct hal_fault *fault))
{
    __atomic_store_n(&run.on_fault, handler, __ATOMIC_SEQ_CST);
}

void contract_pass(uint64_t ns)
{
    uint64_t end = hal_time_now() + ns;
    while (hal_time_now() < end)
        hal_cpu_relax();
}

void hal_upcall_interrupt(enum hal_irq line)
{
    if ((unsigned)line >= HAL_IRQ_LINES) {
        contract_fail(__FILE__, __LINE__, "an interrupt on a line that does not exist");
        return;
    }
    __atomic_fetch_add(&run.irqs[hal_cpu_id()][line], 1, __ATOMIC_SEQ_CST);
    void (*handler)(void) = __atomic_load_n(&run.on_irq[line], __ATOMIC_SEQ_CST);
    if (handler != NULL)
        handler();
}

bool hal_upcall_fault(const struct hal_fault *fault)
{
    bool (*handler)(const struct hal_fault *fault) =
        __atomic_load_n(&run.on_fault, __ATOMIC_SEQ_CST);
    if (handler != NULL)
        return handler(fault);
    contract_print("Bail out! a fault that no test asked for: ");
    contract_print(fault->detail);
    contract_print(", kind ");
    contract_print_number((uint64_t)fault->kind);
    contract_print(", address ");
    contract_print_hex(fault->address);
    contract_print(", pc ");
    contract_print_hex(fault->pc - hal_context_code_base());
    contract_print("\n");
    hal_board_stop(HAL_STOP_POWER_OFF, 1);
}

/** This kernel has no heap that a report could tell of. */
uint32_t hal_inspect_thread(unsigned cpu, char *name, size_t bytes)
{
    (void)cpu;
    (void)name;
    (void)bytes;
    return 0;
}

size_t hal_inspect_hang(char *text, size_t bytes)
{
    (void)text;
    (void)bytes;
    return 0;
}

bool hal_inspect_block(const void *address, char *text, size_t bytes)
{
    (void)address;
    (void)text;
    (void)bytes;
    return false;
}

/** Nor a scheduler. */
size_t hal_inspect_trace_text(const struct hal_trace_event *event, char *text, size_t bytes)
{
    (void)event;
    if (bytes)
        text[0] = '\0';
    return 0;
}

/** Takes what is still pending, so that the next test starts with nothing. */
static void clear_up(void)
{
    contract_mask();
    contract_on_fault(NULL);
    (void)hal_gpio_events();
    hal_uart_notify_room(false);
    hal_timer_set(HAL_TIME_NEVER);
    for (unsigned line = 0; line < HAL_IRQ_LINES; line++) {
        contract_on_irq((enum hal_irq)line, NULL);
        hal_irq_disable((enum hal_irq)line);
    }
    uint8_t byte;
    while (hal_uart_read(&byte, 1) > 0)
        continue;
    hal_irq_enable(HAL_IRQ_IPI);
    hal_irq_enable(HAL_IRQ_GPIO);
    hal_irq_unmask();
    contract_pass(NS_PER_US);
    contract_mask();
    hal_irq_disable(HAL_IRQ_IPI);
    hal_irq_disable(HAL_IRQ_GPIO);
    for (unsigned i = 0; i < HAL_CPU_MAX * HAL_IRQ_LINES; i++)
        __atomic_store_n(&run.irqs[i / HAL_IRQ_LINES][i % HAL_IRQ_LINES], 0, __ATOMIC_SEQ_CST);
    contract_pages_reset();
    contract_tables_reset();
}

static void run_test(const char *header, const struct contract_test *test)
{
    run.failed = false;
    run.skipped = NULL;
    test->run();
    contract_mask();
    run.failures += run.failed;
    contract_print(run.failed ? "not ok " : "ok ");
    contract_print_number(++run.number);
    contract_print(" - ");
    contract_print(header);
    contract_print(": ");
    contract_print(test->claim);
    if (run.skipped != NULL && !run.failed) {
        contract_print(" # SKIP ");
        contract_print(run.skipped);
    }
    contract_print("\n");
    clear_up();
}

static void print_plan(void)
{
    uint64_t count = 0;
    for (size_t i = 0; i < SUITES; i++)
        for (const struct contract_test *test = suites[i].tests; test->claim != NULL; test++)
            count++;
    contract_print("1..");
    contract_print_number(count);
    contract_print("\n");
}

/** Notes what is promised at power-on, before anything can change it. */
static void look_at_power_on(void)
{
    bool zero = true;
    for (size_t i = 0; i < sizeof(zero_probe); i++)
        zero = zero && ((volatile uint8_t *)zero_probe)[i] == 0;
    const volatile uint8_t *bytes = (const volatile uint8_t *)&run;
    for (size_t i = 0; i < sizeof(run); i++)
        zero = zero && bytes[i] == 0;
    boot.masked = hal_irq_masked();
    boot.kstate_zero = zero;
    boot.time = hal_time_now();
    boot.cpu = hal_cpu_id();
    boot.stack = (uintptr_t)__builtin_frame_address(0);
    /* Causes for three lines, of which none was ever enabled. */
    hal_timer_set(0);
    hal_cpu_ipi(hal_cpu_id());
    hal_uart_notify_room(true);
    hal_irq_unmask();
    contract_pass(2 * NS_PER_MS);
    contract_mask();
    hal_uart_notify_room(false);
    hal_timer_set(HAL_TIME_NEVER);
    boot.irqs = contract_irqs_all();
    /* So that a second power-on, after a reboot, finds something to zero. */
    memset(zero_probe, 0xa5, sizeof(zero_probe));
}

void hal_upcall_boot(void)
{
    look_at_power_on();
    clear_up();
    const char *mode = contract_mode();
    if (mode != NULL)
        contract_run_mode(mode);
    print_plan();
    for (size_t i = 0; i < SUITES; i++)
        for (const struct contract_test *test = suites[i].tests; test->claim != NULL; test++)
            run_test(suites[i].header, test);
    hal_board_stop(HAL_STOP_POWER_OFF, run.failures != 0);
}
