/* SPDX-License-Identifier: MIT */
/*
 * upcall.c: the promises of hal/upcall.h: how the machine enters the kernel.
 *
 * Faults that no test can come back from are seen from outside: the modes of outside.c.
 */
#include "contract.h"

CONTRACT_TEST(boot_is_masked)
{
    EXPECT(contract_boot()->masked);
}

CONTRACT_TEST(boot_is_cpu_0)
{
    EXPECT_EQUAL(contract_boot()->cpu, 0);
}

CONTRACT_TEST(boot_finds_kstate_zero)
{
    EXPECT(contract_boot()->kstate_zero);
}

/** Uses `bytes` of stack, and returns a sum over them that a broken stack would spoil. */
static unsigned use_stack(size_t bytes)
{
    volatile uint8_t piece[512];
    for (size_t i = 0; i < sizeof(piece); i++)
        piece[i] = (uint8_t)(bytes + i);
    unsigned below = bytes > 1024 ? use_stack(bytes - 768) : 0;
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof(piece); i++)
        sum += piece[i] == (uint8_t)(bytes + i);
    return sum == sizeof(piece) ? below + 1 : 0;
}

CONTRACT_TEST(boot_stack_is_large_enough)
{
    /* Half of it: the frames that a sanitizer makes are larger than the arrays in them. */
    EXPECT(use_stack(HAL_STACK_MIN / 2) > 0);
}

static volatile bool seen_masked KSTATE;
static volatile uintptr_t seen_stack KSTATE;

static void look_at_interrupt(void)
{
    seen_masked = hal_irq_masked();
    seen_stack = (uintptr_t)__builtin_frame_address(0);
}

CONTRACT_TEST(interrupt_is_masked)
{
    seen_masked = false;
    contract_on_irq(HAL_IRQ_IPI, look_at_interrupt);
    hal_irq_enable(HAL_IRQ_IPI);
    hal_irq_unmask();
    hal_cpu_ipi(hal_cpu_id());
    REQUIRE(CONTRACT_WAIT(contract_irqs(HAL_IRQ_IPI) > 0, SOON));
    EXPECT(seen_masked);
    EXPECT(!hal_irq_masked());
}

CONTRACT_TEST(interrupt_names_its_line)
{
    hal_irq_enable(HAL_IRQ_IPI);
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_irq_unmask();
    hal_cpu_ipi(hal_cpu_id());
    EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_IPI) > 0, SOON));
    EXPECT_EQUAL(contract_irqs(HAL_IRQ_TIMER), 0);
    hal_timer_set(0);
    EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_TIMER) > 0, SOON));
    EXPECT_EQUAL(contract_irqs_all(), 2);
}

static struct hal_context boot_context KSTATE, other_context KSTATE;
static volatile bool on_own_stack KSTATE;

static void look_from_other_stack(void *arg)
{
    seen_stack = 0;
    hal_irq_unmask();
    hal_cpu_ipi(hal_cpu_id());
    (void)CONTRACT_WAIT(seen_stack != 0, SOON);
    contract_mask();
    uintptr_t low = (uintptr_t)arg;
    on_own_stack = seen_stack >= low && seen_stack < low + HAL_STACK_SIZE;
    hal_context_switch(&other_context, &boot_context);
}

CONTRACT_TEST(interrupt_runs_on_the_interrupted_stack)
{
    void *stack = contract_pages(HAL_STACK_SIZE / HAL_PAGE_SIZE);
    hal_context_init(&other_context, stack, HAL_STACK_SIZE, look_from_other_stack, stack);
    contract_on_irq(HAL_IRQ_IPI, look_at_interrupt);
    hal_irq_enable(HAL_IRQ_IPI);
    on_own_stack = false;
    hal_context_switch(&boot_context, &other_context);
    hal_context_finish(&other_context);
    EXPECT(on_own_stack);
}

static volatile unsigned depth KSTATE, deepest KSTATE;
static volatile bool unmask_inside KSTATE;

/** Makes another interrupt pending while one is being handled. */
static void raise_inside(void)
{
    depth++;
    if (depth > deepest)
        deepest = depth;
    if (contract_irqs(HAL_IRQ_TIMER) == 0) {
        hal_timer_set(0);
        if (unmask_inside)
            hal_irq_unmask();
        contract_pass(2 * NS_PER_MS);
        contract_mask();
    }
    depth--;
}

static void nest(bool unmask)
{
    depth = deepest = 0;
    unmask_inside = unmask;
    contract_on_irq(HAL_IRQ_IPI, raise_inside);
    contract_on_irq(HAL_IRQ_TIMER, raise_inside);
    hal_irq_enable(HAL_IRQ_IPI);
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_irq_unmask();
    hal_cpu_ipi(hal_cpu_id());
    EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_TIMER) > 0, SOON));
}

CONTRACT_TEST(interrupt_runs_to_its_end)
{
    nest(false);
    EXPECT_EQUAL(deepest, 1);
}

CONTRACT_TEST(interrupt_that_unmasks_is_interrupted)
{
    nest(true);
    EXPECT_EQUAL(deepest, 2);
}

static volatile unsigned faults KSTATE;
static volatile bool fault_masked KSTATE;
static struct hal_fault fault_seen KSTATE;

static bool keep_fault(const struct hal_fault *fault)
{
    faults++;
    fault_masked = hal_irq_masked();
    seen_stack = (uintptr_t)__builtin_frame_address(0);
    fault_seen = *fault;
    return true;
}

CONTRACT_TEST(breakpoint_is_reported_masked)
{
    faults = 0;
    contract_on_fault(keep_fault);
    hal_irq_unmask();
    hal_cpu_breakpoint();
    EXPECT_EQUAL(faults, 1);
    EXPECT_EQUAL(fault_seen.kind, HAL_FAULT_BREAKPOINT);
    EXPECT(fault_masked);
    EXPECT(!hal_irq_masked());
}

CONTRACT_TEST(fault_describes_itself)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    contract_on_fault(keep_fault);
    hal_cpu_breakpoint();
    EXPECT(fault_seen.detail != NULL && fault_seen.detail[0] != '\0');
    EXPECT(fault_seen.pc != 0);
    EXPECT(seen_stack < here && here - seen_stack < HAL_STACK_MIN);
    REQUIRE(fault_seen.registers.count > 0 && fault_seen.registers.count <= 40);
    for (unsigned i = 0; i < fault_seen.registers.count; i++)
        EXPECT(fault_seen.registers.names[i] != NULL && fault_seen.registers.names[i][0] != '\0');
}

CONTRACT_TEST(fault_frame_starts_a_backtrace)
{
    uintptr_t addresses[16];
    contract_on_fault(keep_fault);
    hal_cpu_breakpoint();
    size_t n = hal_context_backtrace(fault_seen.frame, addresses, 16);
    EXPECT(n >= 1 && n <= 16);
}

const struct contract_test upcall_tests[] = {
    {"hal_upcall_boot is entered masked", boot_is_masked},
    {"hal_upcall_boot is entered by CPU 0", boot_is_cpu_0},
    {"hal_upcall_boot finds KSTATE all zero", boot_finds_kstate_zero},
    {"the boot stack has at least HAL_STACK_MIN bytes", boot_stack_is_large_enough},
    {"hal_upcall_interrupt runs masked, and the interrupted code is unmasked again",
     interrupt_is_masked},
    {"hal_upcall_interrupt is told which line, and no other is taken", interrupt_names_its_line},
    {"hal_upcall_interrupt runs on the stack of what it interrupted",
     interrupt_runs_on_the_interrupted_stack},
    {"hal_upcall_interrupt runs to its end before another is taken", interrupt_runs_to_its_end},
    {"hal_upcall_interrupt that unmasks can be interrupted", interrupt_that_unmasks_is_interrupted},
    {"hal_upcall_fault runs masked, and true goes on behind a breakpoint",
     breakpoint_is_reported_masked},
    {"a fault carries its place, its words, its registers, on the interrupted stack",
     fault_describes_itself},
    {"a fault's frame starts a backtrace", fault_frame_starts_a_backtrace},
    {NULL, NULL},
};
