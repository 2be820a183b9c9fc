/* SPDX-License-Identifier: MIT */
/*
 * test_serial.c: the two serial ports against the data sheets (PL011: Arm DDI 0183; mini UART:
 * BCM2837 ARM Peripherals, section 2).
 *
 *  1. The PL011 is started in the order of its manual: off, pins, divisor, then LCRH, then on.
 *  2. Its divisor is right at every clock that firmware has used.
 *  3. Bluetooth is sent away from the port: pins 32 and 33 become inputs.
 *  4. Input that waits already survives the start; what Bluetooth sent does not.
 *  5. A port that stays busy for ever is started all the same.
 *  6. The mini UART gets its pins before it is enabled, and its divisor from the core clock.
 *  7. Neither port is written to when it is full, nor read when it is empty.
 */
#include "fake_bus.h"

#include "soc/serial.h"
#include "../marks.h"

#include <stdlib.h>
#include <string.h>

#define DATA 0x3f201000u
#define FLAGS 0x3f201018u
#define DIVISOR 0x3f201024u
#define FRACTION 0x3f201028u
#define LINE 0x3f20102cu
#define RAW 0x3f20103cu
#define MASKED 0x3f201040u
#define FSEL3 0x3f20000cu
#define MINI_DATA 0x3f215040u
#define MINI_IER 0x3f215044u
#define MINI_LSR 0x3f215054u
#define MINI_BAUD 0x3f215068u

#define RX_EMPTY 0x10u
#define TX_FULL 0x20u
#define BUSY 0x08u

static void setup(void)
{
    fake_reset();
    fake_poke(FLAGS, RX_EMPTY);
}

START_TEST(pl011_starts_in_the_order_of_the_manual)
{
    pl011_port.start(48000000, 115200);
    const char *from = strstr(fake_trace(), "R 3f201018");
    ck_assert_ptr_nonnull(from);
    const char *end = strstr(from, "W 3f201030 00000000\n");
    ck_assert_ptr_nonnull(end);
    const char *set_up = strstr(end, "W 3f20102c");
    ck_assert_ptr_nonnull(set_up);
    ck_assert_str_eq(set_up, "W 3f20102c 00000000\n"
                             "W 3f201038 00000000\n"
                             "W 3f201044 000007ff\n"
                             "W 3f201024 0000001a\n"
                             "W 3f201028 00000003\n"
                             "W 3f20102c 00000070\n"
                             "W 3f201034 00000000\n"
                             "W 3f201030 00000301\n"
                             "barrier\n");
    /* Pins 14 and 15 (ALT0 = 4 at bits 12 and 15) are the port's before it is switched on. */
    ck_assert_uint_eq(fake_peek(0x3f200004u), 4u << 12 | 4u << 15);
    ck_assert_int_lt(fake_trace_line("W 3f200004 00024000"),
                     fake_trace_line("W 3f201030 00000301"));
}
END_TEST

static const struct {
    uint32_t clock, whole, part;
} divisors[] = {{48000000, 26, 3}, {4000000, 2, 11}, {3000000, 1, 40}, {1000000000, 542, 34}};

START_TEST(pl011_divisor_is_right)
{
    pl011_port.start(divisors[_i].clock, 115200);
    ck_assert_uint_eq(fake_peek(DIVISOR), divisors[_i].whole);
    ck_assert_uint_eq(fake_peek(FRACTION), divisors[_i].part);
}
END_TEST

START_TEST(pl011_sends_bluetooth_away)
{
    fake_poke(FSEL3, 7u << 6 | 7u << 9 | 7u << 12);
    pl011_port.start(48000000, 115200);
    ck_assert_uint_eq(fake_peek(FSEL3), 7u << 12);
}
END_TEST

START_TEST(pl011_keeps_what_was_typed)
{
    fake_poke(FLAGS, 0);
    fake_poke(LINE, 0);
    pl011_port.start(48000000, 115200);
    ck_assert_uint_eq(fake_peek(LINE), 0x60);
    ck_assert_uint_eq(fake_trace_count("W 3f20102c"), 1);
    ck_assert_uint_eq(fake_trace_count("W 3f201044 000007af"), 1);

    fake_poke(LINE, 0x10);
    fake_trace_clear();
    pl011_port.start(48000000, 115200);
    ck_assert_uint_eq(fake_peek(LINE), 0x70);
    ck_assert_uint_eq(fake_trace_count("W 3f20102c"), 1);
}
END_TEST

START_TEST(pl011_drops_what_bluetooth_sent)
{
    fake_poke(FLAGS, 0);
    fake_poke(LINE, 0x10);
    fake_poke(FSEL3, 7u << 6 | 7u << 9);
    pl011_port.start(48000000, 115200);
    ck_assert_uint_eq(fake_trace_count("W 3f20102c 00000000"), 1);
    ck_assert_uint_eq(fake_peek(LINE), 0x70);
}
END_TEST

START_TEST(pl011_does_not_wait_for_ever)
{
    fake_poke(FLAGS, RX_EMPTY | BUSY);
    pl011_port.start(48000000, 115200);
    ck_assert_uint_eq(fake_trace_count("W 3f201030 00000301"), 1);
    ck_assert_uint_lt(fake_now(), 10000);
}
END_TEST

START_TEST(pl011_respects_its_flags)
{
    ck_assert_int_eq(pl011_port.get(), -1);
    ck_assert_uint_eq(fake_trace_count("R 3f201000"), 0);
    fake_poke(FLAGS, TX_FULL);
    fake_poke(DATA, 0xf00 | 'x');
    ck_assert_int_eq(pl011_port.get(), 'x');
    ck_assert(!pl011_port.put('y'));
    ck_assert_uint_eq(fake_trace_count("W 3f201000"), 0);
    fake_poke(FLAGS, 0);
    ck_assert(pl011_port.put('y'));
    ck_assert_uint_eq(fake_peek(DATA), 'y');
}
END_TEST

START_TEST(pl011_knows_when_all_is_sent)
{
    fake_poke(FLAGS, RX_EMPTY | BUSY);
    ck_assert(!pl011_port.sent());
    fake_poke(FLAGS, RX_EMPTY);
    ck_assert(pl011_port.sent());
}
END_TEST

START_TEST(mini_knows_when_all_is_sent)
{
    fake_poke(0x3f215054u, 0x20);
    ck_assert(!mini_port.sent());
    fake_poke(0x3f215054u, 0x60);
    ck_assert(mini_port.sent());
}
END_TEST

START_TEST(pl011_interrupts_by_cause)
{
    pl011_port.listen(SERIAL_INPUT);
    ck_assert_uint_eq(fake_peek(0x3f201038u), 0x50);
    pl011_port.listen(SERIAL_INPUT | SERIAL_ROOM);
    ck_assert_uint_eq(fake_peek(0x3f201038u), 0x70);
    fake_poke(MASKED, 0x40);
    ck_assert_uint_eq(pl011_port.causes(), SERIAL_INPUT);
    fake_poke(MASKED, 0x30);
    ck_assert_uint_eq(pl011_port.causes(), SERIAL_INPUT | SERIAL_ROOM);
    /* Room that has always been there is not reported by the port, all else is. */
    fake_poke(FLAGS, RX_EMPTY);
    fake_poke(RAW, 0);
    ck_assert(!pl011_port.tells_room());
    fake_poke(FLAGS, RX_EMPTY | TX_FULL);
    ck_assert(pl011_port.tells_room());
    fake_poke(FLAGS, RX_EMPTY);
    fake_poke(RAW, 0x20);
    ck_assert(pl011_port.tells_room());
}
END_TEST

START_TEST(mini_starts_in_the_order_of_the_manual)
{
    mini_port.start(250000000, 115200);
    const char *from = strstr(fake_trace(), "R 3f215004");
    ck_assert_ptr_nonnull(from);
    ck_assert_str_eq(from, "R 3f215004 00000000\n"
                           "W 3f215004 00000001\n"
                           "W 3f215044 00000000\n"
                           "W 3f215060 00000000\n"
                           "W 3f21504c 00000003\n"
                           "W 3f215050 00000000\n"
                           "W 3f215048 000000c6\n"
                           "W 3f215068 0000010e\n"
                           "W 3f215060 00000003\n"
                           "barrier\n");
    /* Pins 14 and 15 are ALT5 (2) before. */
    ck_assert_uint_eq(fake_peek(0x3f200004u), 2u << 12 | 2u << 15);
    ck_assert_int_lt(fake_trace_line("W 3f200004 00012000"), fake_trace_line("W 3f215004"));
}
END_TEST

START_TEST(mini_divisor_follows_the_core_clock)
{
    mini_port.start(400000000, 115200);
    ck_assert_uint_eq(fake_peek(MINI_BAUD), 433);
}
END_TEST

START_TEST(mini_keeps_input_of_a_port_in_use)
{
    fake_poke(0x3f215004u, 1);
    mini_port.start(250000000, 115200);
    ck_assert_uint_eq(fake_trace_count("W 3f215048 000000c0"), 1);
}
END_TEST

START_TEST(mini_respects_its_flags)
{
    ck_assert_int_eq(mini_port.get(), -1);
    ck_assert(!mini_port.put('y'));
    ck_assert_uint_eq(fake_trace_count("R 3f215040") + fake_trace_count("W 3f215040"), 0);
    fake_poke(MINI_LSR, 0x21);
    fake_poke(MINI_DATA, 'x');
    ck_assert_int_eq(mini_port.get(), 'x');
    ck_assert(mini_port.put('y'));
    ck_assert_uint_eq(fake_peek(MINI_DATA), 'y');
    mini_port.listen(SERIAL_INPUT);
    ck_assert_uint_eq(fake_peek(MINI_IER), 0xd);
    ck_assert_uint_eq(mini_port.causes(), SERIAL_INPUT);
    mini_port.listen(SERIAL_ROOM);
    ck_assert_uint_eq(fake_peek(MINI_IER), 0x2);
    ck_assert_uint_eq(mini_port.causes(), SERIAL_ROOM);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pi3-serial");
    TCase *tests = tcase_create("serial");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, pl011_starts_in_the_order_of_the_manual);
    tcase_add_loop_test(tests, pl011_divisor_is_right, 0, 4);
    tcase_add_test(tests, pl011_sends_bluetooth_away);
    tcase_add_test(tests, pl011_keeps_what_was_typed);
    tcase_add_test(tests, pl011_drops_what_bluetooth_sent);
    tcase_add_test(tests, pl011_does_not_wait_for_ever);
    tcase_add_test(tests, pl011_respects_its_flags);
    tcase_add_test(tests, pl011_interrupts_by_cause);
    tcase_add_test(tests, pl011_knows_when_all_is_sent);
    tcase_add_test(tests, mini_knows_when_all_is_sent);
    tcase_add_test(tests, mini_starts_in_the_order_of_the_manual);
    tcase_add_test(tests, mini_divisor_follows_the_core_clock);
    tcase_add_test(tests, mini_keeps_input_of_a_port_in_use);
    tcase_add_test(tests, mini_respects_its_flags);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
