/* SPDX-License-Identifier: MIT */
/*
 * outside.c: what the tests ask of the program that runs the machine, and how a run is chosen.
 *
 * A request is one line of the report, "# want <request> <a> <b>", numbers in decimal:
 *
 *   # want input A B     sends the B bytes A, A + 1, ... (modulo 256); they are the answer
 *   # want drive A B     drives pin A: 0 low, 1 high, 2 lets go of it
 *   # want toggles A B   have the last B changes of pin A been high, low, high ..., in turn?
 *   # want led A         is the activity LED on (1) or off (0)?
 *   # want sequence A    did "# seq 0" .. "# seq A - 1", and no more, follow the last "#
 * seq-start"? # want pixel A B     is pixel number A of the display (line by line) of colour B? #
 * want answer        is anybody there?
 *
 * Every request but the first is answered with one byte: 'y', 'n' or '?'.
 *
 * The word "contract=<mode>" on the kernel's command line asks for one of the ends of a run instead
 * of the tests; what is then right can only be seen from outside.
 */
#include "contract.h"

/** An address where no machine has anything. */
#define NOWHERE 0x500000001000u

#define PATIENCE (2ull * NS_PER_S)

void contract_want(const char *request, uint64_t a, uint64_t b)
{
    uint8_t byte;
    while (hal_uart_read(&byte, 1) > 0)
        continue;
    contract_print("# want ");
    contract_print(request);
    contract_print(" ");
    contract_print_number(a);
    contract_print(" ");
    contract_print_number(b);
    contract_print("\n");
}

enum contract_answer contract_answer(void)
{
    uint8_t byte = 0;
    if (!CONTRACT_WAIT(hal_uart_read(&byte, 1) > 0 || byte != 0, PATIENCE))
        return ANSWER_CANNOT;
    if (byte == 'y')
        return ANSWER_YES;
    return byte == 'n' ? ANSWER_NO : ANSWER_CANNOT;
}

enum contract_answer contract_ask(const char *request)
{
    contract_want(request, 0, 0);
    return contract_answer();
}

/** Where `word` ends in [text, end), or NULL. */
static const char *find_after(const char *text, const char *end, const char *word)
{
    for (; text < end; text++) {
        size_t i = 0;
        while (word[i] != '\0' && text + i < end && text[i] == word[i])
            i++;
        if (word[i] == '\0')
            return text + i;
    }
    return NULL;
}

const char *contract_mode(void)
{
    size_t bytes = 0;
    const char *tags = hal_boot_tags(&bytes);
    if (tags == NULL)
        return NULL;
    /* The tags' own structure is core's to read. The command line is text among them. */
    return find_after(tags, tags + (bytes < 4096 ? bytes : 4096), "contract=");
}

static bool mode_is(const char *mode, const char *name)
{
    return find_after(mode, mode + 32, name) != NULL;
}

/** Prints what a fault was, and refuses it, which makes it a panic. */
static bool refuse_fault(const struct hal_fault *fault)
{
    contract_print("fault kind ");
    contract_print_number((uint64_t)fault->kind);
    contract_print(" address ");
    contract_print_hex(fault->address);
    contract_print(fault->detail != NULL && fault->pc != 0 ? " with" : " without");
    contract_print(" detail\n");
    return false;
}

/** Has the processor refuse something. */
static void make_fault(const char *mode)
{
    contract_on_fault(refuse_fault);
    if (mode_is(mode, "read"))
        (void)*(volatile uint32_t *)(uintptr_t)NOWHERE;
    else if (mode_is(mode, "write"))
        *(volatile uint32_t *)(uintptr_t)NOWHERE = 1;
    else if (mode_is(mode, "jump"))
        ((void (*)(void))(uintptr_t)NOWHERE)();
    else if (mode_is(mode, "instruction"))
        __builtin_trap();
    else
        hal_cpu_breakpoint();
}

static void power_off_9(void)
{
    hal_board_stop(HAL_STOP_POWER_OFF, 9);
}

static void panic(void)
{
    hal_board_stop(HAL_STOP_PANIC, 134);
}

static void reboot(void)
{
    hal_board_stop(HAL_STOP_REBOOT, 0);
}

/* With a virtual clock time passes in the HAL only, so it is called. */
static void spin_for_ever(void)
{
    hal_irq_unmask();
    for (;;)
        hal_cpu_relax();
}

/** The last CPU does `job` while all others are busy. */
static void end_on_last_cpu(void (*job)(void))
{
    unsigned last = hal_cpu_count() - 1;
    for (unsigned cpu = 1; cpu <= last; cpu++)
        if (hal_cpu_start(cpu) != 0)
            return;
    for (unsigned cpu = 1; cpu < last; cpu++)
        contract_give(cpu, spin_for_ever);
    if (last == 0)
        job();
    contract_give(last, job);
    contract_pass(SOON);
}

static void run_other_mode(const char *mode)
{
    if (mode_is(mode, "off"))
        end_on_last_cpu(power_off_9);
    if (mode_is(mode, "panic"))
        end_on_last_cpu(panic);
    if (mode_is(mode, "reboot"))
        end_on_last_cpu(reboot);
}

HAL_NORETURN void contract_run_mode(const char *mode)
{
    contract_print("mode\n");
    if (mode_is(mode, "reboot"))
        contract_print(contract_boot()->kstate_zero ? "zero\n" : "not zero\n");
    if (mode_is(mode, "other-"))
        run_other_mode(mode);
    if (mode_is(mode, "user-")) {
        contract_on_fault(refuse_fault);
        contract_user_mode(find_after(mode, mode + 32, "user-"));
    }
    if (mode_is(mode, "stop-")) {
        int status = 0;
        for (const char *digit = find_after(mode, mode + 32, "stop-");
             *digit >= '0' && *digit <= '9'; digit++)
            status = status * 10 + (*digit - '0');
        hal_board_stop(HAL_STOP_POWER_OFF, status);
    }
    if (mode_is(mode, "panic"))
        panic();
    if (mode_is(mode, "reboot"))
        reboot();
    make_fault(mode);
    contract_print("went on\n");
    hal_board_stop(HAL_STOP_POWER_OFF, 1);
}
