/* SPDX-License-Identifier: MIT */
/*
 * uart.c: the promises of hal/uart.h: two queues of bytes and one interrupt.
 */
#include "contract.h"

static bool somebody_answers(void)
{
    if (contract_ask("answer") == ANSWER_YES)
        return true;
    contract_skip("nobody outside sends input");
    return false;
}

CONTRACT_TEST(read_gives_0_when_empty)
{
    uint8_t bytes[8] = {0};
    EXPECT_EQUAL(hal_uart_read(bytes, sizeof(bytes)), 0);
    EXPECT_EQUAL(hal_uart_read(bytes, 0), 0);
}

CONTRACT_TEST(read_gives_each_byte_once_in_order)
{
    if (!somebody_answers())
        return;
    static uint8_t bytes[700] KSTATE;
    size_t got = 0;
    contract_want("input", 0, 600);
    /* So that the queue is full when reading begins, and is read in pieces. */
    contract_pass(20 * NS_PER_MS);
    /* Odd sizes, so that the boundaries of reads and of the queue fall differently. */
    EXPECT(CONTRACT_WAIT((got += hal_uart_read(bytes + got, got < 600 ? 1 + got % 7 : 0)) >= 600,
                         10ull * NS_PER_S));
    contract_pass(5 * NS_PER_MS);
    EXPECT_EQUAL(hal_uart_read(bytes + got, 50), 0);
    EXPECT_EQUAL(got, 600);
    for (size_t i = 0; i < got; i++)
        REQUIRE(bytes[i] == (uint8_t)i);
}

CONTRACT_TEST(read_takes_no_more_than_asked)
{
    if (!somebody_answers())
        return;
    uint8_t bytes[8] = {0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc};
    contract_want("input", 65, 6);
    contract_pass(50 * NS_PER_MS);
    EXPECT(hal_uart_read(bytes, 3) <= 3);
    EXPECT_EQUAL(bytes[3], 0xcc);
}

static volatile size_t drained KSTATE;
static uint8_t drain_buffer[1024] KSTATE;

static void drain(void)
{
    size_t n;
    while ((n = hal_uart_read(drain_buffer + drained, sizeof(drain_buffer) - drained)) > 0)
        drained += n;
}

CONTRACT_TEST(input_interrupts)
{
    if (!somebody_answers())
        return;
    contract_on_irq(HAL_IRQ_UART, drain);
    hal_irq_enable(HAL_IRQ_UART);
    hal_irq_unmask();
    for (unsigned i = 1; i <= 10; i++) {
        drained = 0;
        contract_print("# want input 48 1\n");
        REQUIRE(CONTRACT_WAIT(drained == 1, 5ull * NS_PER_S));
        EXPECT_EQUAL(drain_buffer[0], 48);
    }
}

CONTRACT_TEST(much_input_by_interrupts)
{
    if (!somebody_answers())
        return;
    contract_on_irq(HAL_IRQ_UART, drain);
    hal_irq_enable(HAL_IRQ_UART);
    hal_irq_unmask();
    drained = 0;
    contract_print("# want input 7 500\n");
    EXPECT(CONTRACT_WAIT(drained == 500, 10ull * NS_PER_S));
    for (size_t i = 0; i < drained; i++)
        REQUIRE(drain_buffer[i] == (uint8_t)(7 + i));
}

CONTRACT_TEST(input_interrupts_an_idle_cpu)
{
    if (!somebody_answers())
        return;
    contract_on_irq(HAL_IRQ_UART, drain);
    hal_irq_enable(HAL_IRQ_UART);
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_timer_set(hal_time_now() + 5ull * NS_PER_S);
    drained = 0;
    contract_print("# want input 49 1\n");
    while (drained == 0 && contract_irqs(HAL_IRQ_TIMER) == 0)
        hal_cpu_idle();
    EXPECT_EQUAL(drained, 1);
}

CONTRACT_TEST(input_before_enable_interrupts)
{
    if (!somebody_answers())
        return;
    drained = 0;
    contract_on_irq(HAL_IRQ_UART, drain);
    contract_print("# want input 50 1\n");
    contract_pass(100 * NS_PER_MS);
    EXPECT_EQUAL(drained, 0);
    hal_irq_unmask();
    hal_irq_enable(HAL_IRQ_UART);
    EXPECT(CONTRACT_WAIT(drained == 1, 5ull * NS_PER_S));
}

CONTRACT_TEST(write_takes_what_fits)
{
    static uint8_t text[64] KSTATE;
    memset(text, '.', sizeof(text));
    contract_print("# ");
    EXPECT_EQUAL(hal_uart_write(text, 0), 0);
    size_t sum = 0;
    for (unsigned i = 0; i < 16 && sum < 512; i++) {
        size_t n = hal_uart_write(text, sizeof(text));
        EXPECT(n <= sizeof(text));
        sum += n;
    }
    contract_print("\n");
    EXPECT(sum > 0);
}

/** Writes "# seq <i>" by hal_uart_write alone. */
static void write_line(unsigned i)
{
    uint8_t line[16] = "# seq ";
    size_t n = 6, sent = 0;
    for (unsigned unit = 1000; unit > 0; unit /= 10)
        if (i >= unit || unit == 1)
            line[n++] = (uint8_t)('0' + i / unit % 10);
    line[n++] = '\n';
    while (sent < n) {
        sent += hal_uart_write(line + sent, n - sent);
        hal_cpu_relax();
    }
}

CONTRACT_TEST(write_loses_nothing)
{
    contract_print("# seq-start\n");
    for (unsigned i = 0; i < 200; i++)
        write_line(i);
    contract_want("sequence", 200, 0);
    enum contract_answer answer = contract_answer();
    if (answer == ANSWER_CANNOT)
        SKIP("nobody outside reads along");
    EXPECT_EQUAL(answer, ANSWER_YES);
}

static void stop_after_five(void)
{
    /* While it is on, the interrupt may leave no time for anything else. */
    if (contract_irqs(HAL_IRQ_UART) >= 5)
        hal_uart_notify_room(false);
}

CONTRACT_TEST(room_interrupts_again_and_again)
{
    contract_on_irq(HAL_IRQ_UART, stop_after_five);
    hal_irq_enable(HAL_IRQ_UART);
    hal_irq_unmask();
    hal_uart_notify_room(true);
    EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_UART) >= 5, 5ull * NS_PER_S));
    contract_pass(NS_PER_MS);
    unsigned before = contract_irqs(HAL_IRQ_UART);
    contract_pass(20 * NS_PER_MS);
    EXPECT_EQUAL(contract_irqs(HAL_IRQ_UART), before);
}

CONTRACT_TEST(no_room_interrupt_unasked)
{
    hal_irq_enable(HAL_IRQ_UART);
    hal_irq_unmask();
    contract_print("# a line of output, and nobody who wants to know when it has gone\n");
    contract_pass(20 * NS_PER_MS);
    EXPECT_EQUAL(contract_irqs(HAL_IRQ_UART), 0);
}

static volatile size_t room_sent KSTATE;
static uint8_t room_text[1200] KSTATE;

/** Sends the text by interrupts, as a driver does. */
static void send_more(void)
{
    size_t n = sizeof(room_text) - room_sent;
    room_sent += hal_uart_write(room_text + room_sent, n);
    if (room_sent == sizeof(room_text))
        hal_uart_notify_room(false);
}

CONTRACT_TEST(output_by_interrupts)
{
    for (size_t i = 0; i < sizeof(room_text); i++)
        room_text[i] = i % 60 == 59 ? '\n' : i % 60 == 0 ? '#' : '-';
    room_sent = 0;
    contract_on_irq(HAL_IRQ_UART, send_more);
    hal_irq_enable(HAL_IRQ_UART);
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_timer_set(hal_time_now() + 10ull * NS_PER_S);
    hal_uart_notify_room(true);
    while (room_sent < sizeof(room_text) && contract_irqs(HAL_IRQ_TIMER) == 0)
        hal_cpu_idle();
    EXPECT_EQUAL(room_sent, sizeof(room_text));
}

CONTRACT_TEST(the_window_is_known_or_not)
{
    uint16_t columns = 1, rows = 1;

    if (hal_uart_window(&columns, &rows))
        EXPECT(columns > 0 && rows > 0);
}

const struct contract_test uart_tests[] = {
    {"hal_uart_read gives 0 when there is nothing", read_gives_0_when_empty},
    {"hal_uart_read gives each byte once, in order", read_gives_each_byte_once_in_order},
    {"hal_uart_read takes no more than asked for", read_takes_no_more_than_asked},
    {"input interrupts, and again after it was read to its end", input_interrupts},
    {"a handler that reads until 0 gets all of a long input", much_input_by_interrupts},
    {"input wakes a CPU that idles", input_interrupts_an_idle_cpu},
    {"input that came before the line was enabled interrupts then", input_before_enable_interrupts},
    {"hal_uart_write takes what fits and says how much", write_takes_what_fits},
    {"what hal_uart_write accepted comes out, in order", write_loses_nothing},
    {"hal_uart_notify_room interrupts again and again, until turned off",
     room_interrupts_again_and_again},
    {"room for output does not interrupt unasked", no_room_interrupt_unasked},
    {"hal_uart_window gives no window without a size", the_window_is_known_or_not},
    {"output can be driven by interrupts alone", output_by_interrupts},
    {NULL, NULL},
};
