/* SPDX-License-Identifier: MIT */
/*
 * cpu.c: the promises of hal/cpu.h: the mask, waiting, the processors, the breakpoint.
 */
#include "contract.h"

CONTRACT_TEST(save_and_restore_nest)
{
    hal_irq_unmask();
    EXPECT(!hal_irq_masked());
    hal_irq_state_t outer = hal_irq_save();
    EXPECT(hal_irq_masked());
    hal_irq_state_t middle = hal_irq_save();
    hal_irq_state_t inner = hal_irq_save();
    EXPECT(hal_irq_masked());
    hal_irq_restore(inner);
    EXPECT(hal_irq_masked());
    hal_irq_restore(middle);
    EXPECT(hal_irq_masked());
    hal_irq_restore(outer);
    EXPECT(!hal_irq_masked());
}

CONTRACT_TEST(save_keeps_interrupts_away)
{
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_irq_enable(HAL_IRQ_IPI);
    hal_irq_unmask();
    hal_irq_state_t state = hal_irq_save();
    hal_timer_set(hal_time_now() + NS_PER_MS);
    hal_cpu_ipi(hal_cpu_id());
    contract_pass(10 * NS_PER_MS);
    EXPECT_EQUAL(contract_irqs_all(), 0);
    hal_irq_restore(state);
    EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_TIMER) == 1, SOON));
    EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_IPI) == 1, SOON));
}

CONTRACT_TEST(no_interrupt_is_lost)
{
    hal_irq_enable(HAL_IRQ_IPI);
    hal_irq_unmask();
    for (unsigned i = 1; i <= 200; i++) {
        hal_irq_state_t state = hal_irq_save();
        hal_cpu_ipi(hal_cpu_id());
        EXPECT_EQUAL(contract_irqs(HAL_IRQ_IPI), i - 1);
        hal_irq_restore(state);
        REQUIRE(CONTRACT_WAIT(contract_irqs(HAL_IRQ_IPI) == i, SOON));
    }
}

CONTRACT_TEST(several_may_be_one)
{
    hal_irq_enable(HAL_IRQ_IPI);
    for (unsigned i = 0; i < 5; i++)
        hal_cpu_ipi(hal_cpu_id());
    hal_irq_unmask();
    contract_pass(NS_PER_MS);
    EXPECT(contract_irqs(HAL_IRQ_IPI) >= 1 && contract_irqs(HAL_IRQ_IPI) <= 5);
}

CONTRACT_TEST(try_mask_masks_or_changes_nothing)
{
    EXPECT(!hal_irq_try_mask()); /* masked already */
    EXPECT(hal_irq_masked());
    hal_irq_unmask();
    for (unsigned i = 0; i < 100; i++) {
        if (hal_irq_try_mask()) {
            EXPECT(hal_irq_masked());
            hal_irq_end_mask();
        }
        EXPECT(!hal_irq_masked());
    }
}

CONTRACT_TEST(try_mask_loses_nothing)
{
    unsigned interrupts = 0;
    hal_irq_enable(HAL_IRQ_IPI);
    hal_irq_unmask();
    for (unsigned i = 0; i < 200; i++) {
        bool masked = hal_irq_try_mask();
        unsigned before = contract_irqs(HAL_IRQ_IPI);
        hal_cpu_ipi(hal_cpu_id());
        if (masked) {
            EXPECT_EQUAL(contract_irqs(HAL_IRQ_IPI), before);
            hal_irq_end_mask();
        }
        interrupts++;
        REQUIRE(CONTRACT_WAIT(contract_irqs(HAL_IRQ_IPI) == interrupts, SOON));
    }
}

CONTRACT_TEST(end_mask_with_does_the_same)
{
    unsigned before = 0;
    hal_irq_enable(HAL_IRQ_IPI);
    hal_irq_unmask();
    for (unsigned i = 0; i < 100; i++) {
        bool masked = hal_irq_try_mask();
        void *result = &before;
        before = contract_irqs(HAL_IRQ_IPI);
        hal_cpu_ipi(hal_cpu_id());
        if (masked)
            result = hal_irq_end_mask_with(&before);
        EXPECT(result == &before);
        EXPECT(!hal_irq_masked());
        REQUIRE(CONTRACT_WAIT(contract_irqs(HAL_IRQ_IPI) == before + 1, SOON));
    }
}

CONTRACT_TEST(idle_takes_what_is_pending)
{
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_timer_set(0);
    contract_pass(NS_PER_MS);
    EXPECT_EQUAL(contract_irqs(HAL_IRQ_TIMER), 0);
    while (contract_irqs(HAL_IRQ_TIMER) == 0)
        hal_cpu_idle();
    EXPECT(hal_irq_masked());
    EXPECT_EQUAL(contract_irqs(HAL_IRQ_TIMER), 1);
}

CONTRACT_TEST(idle_misses_no_wake_up)
{
    hal_irq_enable(HAL_IRQ_TIMER);
    for (unsigned i = 1; i <= 500; i++) {
        /* Deadlines that come before, while, and after the CPU goes to sleep. */
        hal_timer_set(hal_time_now() + i * 97 % 30000);
        while (contract_irqs(HAL_IRQ_TIMER) < i)
            hal_cpu_idle();
        EXPECT(hal_irq_masked());
    }
    EXPECT_EQUAL(contract_irqs(HAL_IRQ_TIMER), 500);
}

CONTRACT_TEST(idle_waits_for_time)
{
    hal_irq_enable(HAL_IRQ_TIMER);
    uint64_t deadline = hal_time_now() + 20 * NS_PER_MS;
    hal_timer_set(deadline);
    unsigned rounds = 0;
    for (; contract_irqs(HAL_IRQ_TIMER) == 0; rounds++)
        hal_cpu_idle();
    EXPECT(hal_time_now() >= deadline);
    /* It may return without an interrupt, but if it did nothing else this would be thousands. */
    EXPECT(rounds < 200);
}

CONTRACT_TEST(relax_keeps_the_mask)
{
    hal_cpu_relax();
    EXPECT(hal_irq_masked());
    hal_irq_unmask();
    hal_cpu_relax();
    EXPECT(!hal_irq_masked());
}

CONTRACT_TEST(relax_lets_time_pass)
{
    uint64_t start = hal_time_now();
    /* Masked, with no interrupt in sight: only polling. */
    while (hal_time_now() < start + 3 * NS_PER_MS)
        hal_cpu_relax();
    EXPECT(hal_irq_masked());
    EXPECT_EQUAL(contract_irqs_all(), 0);
}

CONTRACT_TEST(relax_loop_is_interrupted)
{
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_irq_unmask();
    hal_timer_set(hal_time_now() + NS_PER_MS);
    EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_TIMER) == 1, SOON));
}

CONTRACT_TEST(ids_and_count)
{
    unsigned count = hal_cpu_count();
    EXPECT(count >= 1 && count <= HAL_CPU_MAX);
    EXPECT(hal_cpu_id() < count);
    EXPECT_EQUAL(hal_cpu_id(), 0);
    contract_pass(NS_PER_MS);
    EXPECT_EQUAL(hal_cpu_count(), count);
    EXPECT_EQUAL(hal_cpu_id(), 0);
}

CONTRACT_TEST(start_refuses_what_is_no_cpu)
{
    int error = hal_cpu_start(0);
    if (error == -ENOSYS)
        SKIP("this machine cannot start other CPUs");
    EXPECT_EQUAL(error, -EINVAL);
    EXPECT_EQUAL(hal_cpu_start(hal_cpu_count()), -EINVAL);
    EXPECT_EQUAL(hal_cpu_start(~0u), -EINVAL);
}

CONTRACT_TEST(start_enters_hal_upcall_cpu)
{
    if (hal_cpu_count() < 2)
        SKIP("the machine has one CPU");
    int error = hal_cpu_start(1);
    if (error == -ENOSYS)
        SKIP("this machine cannot start other CPUs");
    EXPECT_EQUAL(error, 0);
    REQUIRE(CONTRACT_WAIT(contract_cpu_entries(1) == 1, SOON));
    EXPECT_EQUAL(hal_cpu_start(1), -EBUSY);
    contract_pass(NS_PER_MS);
    EXPECT_EQUAL(contract_cpu_entries(1), 1);
}

/** What is written before an IPI, and what its handler on CPU 1 saw. */
static unsigned ipi_value KSTATE, ipi_value_seen KSTATE;
static uint64_t ipi_time_seen KSTATE;

static void note_on_second(void)
{
    if (hal_cpu_id() != 0) {
        ipi_time_seen = hal_time_now();
        __atomic_store_n(&ipi_value_seen, ipi_value, __ATOMIC_RELEASE);
    }
}

CONTRACT_TEST(ipi_reaches_another_cpu)
{
    if (contract_cpu_entries(1) == 0)
        SKIP("no second CPU runs");
    contract_on_irq(HAL_IRQ_IPI, note_on_second);
    for (unsigned i = 1; i <= 100; i++) {
        ipi_value = i;
        uint64_t before = hal_time_now();
        hal_cpu_ipi(1);
        REQUIRE(CONTRACT_WAIT(__atomic_load_n(&ipi_value_seen, __ATOMIC_ACQUIRE) == i, SOON));
        EXPECT(ipi_time_seen >= before);
    }
}

CONTRACT_TEST(ipi_to_nobody_is_ignored)
{
    hal_irq_enable(HAL_IRQ_IPI);
    hal_irq_unmask();
    hal_cpu_ipi(hal_cpu_count());
    hal_cpu_ipi(1000000);
    hal_cpu_ipi(~0u);
    contract_pass(NS_PER_MS);
    EXPECT_EQUAL(contract_irqs_all(), 0);
}

static volatile unsigned breaks KSTATE;

static bool count_break(const struct hal_fault *fault)
{
    breaks += fault->kind == HAL_FAULT_BREAKPOINT;
    return true;
}

CONTRACT_TEST(breakpoint_goes_on_after_the_call)
{
    breaks = 0;
    contract_on_fault(count_break);
    volatile unsigned after = 0;
    for (unsigned i = 1; i <= 10; i++) {
        hal_cpu_breakpoint();
        after++;
        EXPECT_EQUAL(breaks, i);
    }
    EXPECT_EQUAL(after, 10);
    EXPECT(hal_irq_masked());
}

const struct contract_test cpu_tests[] = {
    {"hal_irq_save and hal_irq_restore nest like brackets", save_and_restore_nest},
    {"no interrupt starts between hal_irq_save and hal_irq_restore", save_keeps_interrupts_away},
    {"an interrupt that arrived while masked is not lost", no_interrupt_is_lost},
    {"several arrivals on one line are taken at least once", several_may_be_one},
    {"hal_irq_try_mask masks, or changes nothing", try_mask_masks_or_changes_nothing},
    {"hal_irq_end_mask takes what arrived meanwhile", try_mask_loses_nothing},
    {"hal_irq_end_mask_with does the same, and returns its argument", end_mask_with_does_the_same},
    {"hal_cpu_idle takes a pending interrupt and returns masked", idle_takes_what_is_pending},
    {"hal_cpu_idle misses no wake-up, whenever it comes", idle_misses_no_wake_up},
    {"hal_cpu_idle waits", idle_waits_for_time},
    {"hal_cpu_relax does not change the mask", relax_keeps_the_mask},
    {"hal_cpu_relax lets time pass, also masked", relax_lets_time_pass},
    {"a loop of hal_cpu_relax is interrupted", relax_loop_is_interrupted},
    {"hal_cpu_id is below hal_cpu_count, and both are constant", ids_and_count},
    {"hal_cpu_start refuses CPU 0 and CPUs that do not exist", start_refuses_what_is_no_cpu},
    {"hal_cpu_start enters hal_upcall_cpu, masked, once", start_enters_hal_upcall_cpu},
    {"hal_cpu_ipi reaches another CPU, which sees what was written before and no earlier time",
     ipi_reaches_another_cpu},
    {"hal_cpu_ipi to a CPU that does not run is ignored", ipi_to_nobody_is_ignored},
    {"hal_cpu_breakpoint goes on after the call", breakpoint_goes_on_after_the_call},
    {NULL, NULL},
};
