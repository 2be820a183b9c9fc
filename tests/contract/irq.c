/* SPDX-License-Identifier: MIT */
/*
 * irq.c: the promises of hal/irq.h: lines that are enabled and disabled.
 */
#include "contract.h"

CONTRACT_TEST(lines_start_disabled)
{
    EXPECT_EQUAL(contract_boot()->irqs, 0);
}

CONTRACT_TEST(lines_are_disabled_again)
{
    hal_timer_set(0);
    hal_cpu_ipi(hal_cpu_id());
    hal_irq_unmask();
    contract_pass(5 * NS_PER_MS);
    EXPECT_EQUAL(contract_irqs_all(), 0);
}

CONTRACT_TEST(enable_takes_a_present_cause)
{
    hal_timer_set(0);
    contract_pass(NS_PER_MS);
    hal_irq_unmask();
    contract_pass(NS_PER_MS);
    EXPECT_EQUAL(contract_irqs(HAL_IRQ_TIMER), 0);
    hal_irq_enable(HAL_IRQ_TIMER);
    EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_TIMER) == 1, SOON));
}

CONTRACT_TEST(enable_waits_for_unmasking)
{
    hal_cpu_ipi(hal_cpu_id());
    hal_irq_enable(HAL_IRQ_IPI);
    contract_pass(NS_PER_MS);
    EXPECT_EQUAL(contract_irqs(HAL_IRQ_IPI), 0);
    hal_irq_unmask();
    EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_IPI) == 1, SOON));
}

CONTRACT_TEST(disable_keeps_quiet_and_remembers)
{
    hal_irq_enable(HAL_IRQ_IPI);
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_irq_unmask();
    hal_irq_disable(HAL_IRQ_IPI);
    hal_irq_disable(HAL_IRQ_TIMER);
    hal_cpu_ipi(hal_cpu_id());
    hal_timer_set(0);
    contract_pass(5 * NS_PER_MS);
    EXPECT_EQUAL(contract_irqs_all(), 0);
    hal_irq_enable(HAL_IRQ_IPI);
    EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_IPI) == 1, SOON));
    EXPECT_EQUAL(contract_irqs(HAL_IRQ_TIMER), 0);
    hal_irq_enable(HAL_IRQ_TIMER);
    EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_TIMER) == 1, SOON));
}

CONTRACT_TEST(disable_remembers_what_waits)
{
    hal_irq_enable(HAL_IRQ_IPI);
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_cpu_ipi(hal_cpu_id());
    hal_timer_set(0);
    contract_pass(NS_PER_MS);
    /* Both wait for unmasking. */
    hal_irq_disable(HAL_IRQ_IPI);
    hal_irq_disable(HAL_IRQ_TIMER);
    hal_irq_unmask();
    contract_pass(NS_PER_MS);
    EXPECT_EQUAL(contract_irqs_all(), 0);
    hal_irq_enable(HAL_IRQ_IPI);
    EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_IPI) == 1, SOON));
    hal_irq_enable(HAL_IRQ_TIMER);
    EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_TIMER) == 1, SOON));
}

CONTRACT_TEST(disable_one_leaves_the_other)
{
    hal_irq_enable(HAL_IRQ_IPI);
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_irq_disable(HAL_IRQ_TIMER);
    hal_irq_unmask();
    hal_cpu_ipi(hal_cpu_id());
    EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_IPI) == 1, SOON));
}

CONTRACT_TEST(one_cause_is_taken_once)
{
    hal_irq_enable(HAL_IRQ_IPI);
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_irq_unmask();
    hal_timer_set(0);
    hal_cpu_ipi(hal_cpu_id());
    contract_pass(10 * NS_PER_MS);
    EXPECT_EQUAL(contract_irqs(HAL_IRQ_TIMER), 1);
    EXPECT_EQUAL(contract_irqs(HAL_IRQ_IPI), 1);
}

CONTRACT_TEST(enable_does_not_count)
{
    hal_irq_enable(HAL_IRQ_IPI);
    hal_irq_enable(HAL_IRQ_IPI);
    hal_irq_disable(HAL_IRQ_IPI);
    hal_irq_unmask();
    hal_cpu_ipi(hal_cpu_id());
    contract_pass(NS_PER_MS);
    EXPECT_EQUAL(contract_irqs(HAL_IRQ_IPI), 0);
}

const struct contract_test irq_tests[] = {
    {"every line is disabled at power-on", lines_start_disabled},
    {"a line that was disabled does not interrupt", lines_are_disabled_again},
    {"hal_irq_enable with the cause present interrupts at once", enable_takes_a_present_cause},
    {"hal_irq_enable interrupts only when interrupts are unmasked", enable_waits_for_unmasking},
    {"hal_irq_disable keeps a line quiet and remembers its cause",
     disable_keeps_quiet_and_remembers},
    {"hal_irq_disable remembers an interrupt that waits for unmasking",
     disable_remembers_what_waits},
    {"hal_irq_disable concerns its own line", disable_one_leaves_the_other},
    {"a line is not taken again for the same cause", one_cause_is_taken_once},
    {"hal_irq_enable does not count: one hal_irq_disable is enough", enable_does_not_count},
    {NULL, NULL},
};
