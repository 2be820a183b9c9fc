/* SPDX-License-Identifier: MIT */
/*
 * console.c: the promises of hal/console.h: one byte, by polling, in any context.
 */
#include "contract.h"

CONTRACT_TEST(putc_follows_what_was_written)
{
    static const uint8_t line[] = "# seq 0\n# seq 1\n# seq ";
    size_t sent = 0, n = sizeof(line) - 1;
    contract_print("# seq-start\n");
    while (sent < n) {
        sent += hal_uart_write(line + sent, n - sent);
        hal_cpu_relax();
    }
    contract_print("2\n");
    contract_want("sequence", 3, 0);
    enum contract_answer answer = contract_answer();
    if (answer == ANSWER_CANNOT)
        SKIP("nobody outside reads along");
    EXPECT_EQUAL(answer, ANSWER_YES);
}

static void print_in_handler(void)
{
    contract_print("# seq 0\n");
}

CONTRACT_TEST(putc_works_in_a_handler)
{
    contract_print("# seq-start\n");
    contract_on_irq(HAL_IRQ_IPI, print_in_handler);
    hal_irq_enable(HAL_IRQ_IPI);
    hal_irq_unmask();
    hal_cpu_ipi(hal_cpu_id());
    REQUIRE(CONTRACT_WAIT(contract_irqs(HAL_IRQ_IPI) == 1, SOON));
    contract_want("sequence", 1, 0);
    enum contract_answer answer = contract_answer();
    if (answer == ANSWER_CANNOT)
        SKIP("nobody outside reads along");
    EXPECT_EQUAL(answer, ANSWER_YES);
}

CONTRACT_TEST(putc_is_bounded)
{
    uint64_t start = hal_time_now();
    for (unsigned i = 0; i < 40; i++)
        contract_print(i % 20 == 0 ? "# " : i % 20 == 19 ? "\n" : "....");
    EXPECT(hal_irq_masked());
    EXPECT(hal_time_now() - start < 10ull * NS_PER_S);
}

const struct contract_test console_tests[] = {
    {"hal_console_putc comes after what hal_uart_write accepted", putc_follows_what_was_written},
    {"hal_console_putc works inside an interrupt", putc_works_in_a_handler},
    {"hal_console_putc does not wait for ever", putc_is_bounded},
    {NULL, NULL},
};
