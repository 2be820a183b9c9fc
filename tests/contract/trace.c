/* SPDX-License-Identifier: MIT */
/*
 * trace.c: the promises of hal/trace.h: telling of scheduling is nothing that the kernel notices.
 */
#include "contract.h"

#include <hal/trace.h>

#define EVENTS 500u

static void tell(void)
{
    for (unsigned i = 0; i < EVENTS; i++) {
        struct hal_trace_event event = {.time = i, .kind = HAL_TRACE_SWITCH, .state = 'R'};

        hal_trace(&event);
    }
}

CONTRACT_TEST(telling_takes_no_interrupt)
{
    hal_irq_enable(HAL_IRQ_IPI);
    hal_cpu_ipi(hal_cpu_id());
    tell();
    EXPECT(hal_irq_masked());
    EXPECT_EQUAL(contract_irqs(HAL_IRQ_IPI), 0);
    hal_irq_unmask();
    EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_IPI) == 1, SOON));
}

CONTRACT_TEST(telling_loses_no_interrupt)
{
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_timer_set(hal_time_now() + NS_PER_MS / 10);
    for (unsigned i = 0; i < 20; i++)
        tell();
    hal_irq_unmask();
    EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_TIMER) == 1, SOON));
}

const struct contract_test trace_tests[] = {
    {"hal_trace is no interrupt point and leaves the mask", telling_takes_no_interrupt},
    {"hal_trace loses no interrupt", telling_loses_no_interrupt},
    {NULL, NULL},
};
