/* SPDX-License-Identifier: MIT */
/*
 * test_mailbox.c: messages to the firmware.
 *
 *  1. A message is laid out as the interface says: size, code, tags with room for two words, end.
 *  2. Its address goes out as the VideoCore sees it, uncached, with channel 8 in the low bits.
 *  3. Words that come back for others are skipped.
 *  4. A tag the firmware does not know is told by its answer, the firmware's way and QEMU's way.
 *  5. A refused message is -EIO.
 *  6. A firmware that never answers, or never takes a message, is -ETIMEDOUT after about a second.
 *  7. mailbox_tell waits for nothing, and does not touch a message that is under way.
 */
#include "fake_bus.h"

#include "soc/mailbox.h"
#include "../marks.h"

#include <hal/errno.h>
#include <hal/mem.h>

#include <stdlib.h>

#define BASE 0x3f00b880u
#define READ (BASE + 0x00u)
#define STATUS (BASE + 0x18u)
#define WRITE (BASE + 0x20u)
#define STATUS1 (BASE + 0x38u)
#define EMPTY 0x40000000u
#define FULL 0x80000000u
#define PHYSICAL 0x00123400u

enum firmware_mood { ANSWERS, MUTE, STUFFED, REFUSES };

static struct {
    enum firmware_mood mood;
    const volatile uint32_t *messages[2]; /**< by the order in which their addresses were asked */
    unsigned message_count;
    unsigned strangers; /**< words for others that come first */
    unsigned waiting;   /**< words that can be read */
    uint32_t word;      /**< the last one written */
    bool qemu;
} firmware;

/* The messages lie 256 bytes apart in the fake physical memory. */
uint64_t hal_mem_physical(const void *pointer)
{
    for (unsigned i = 0; i < firmware.message_count; i++) {
        if (firmware.messages[i] == pointer) {
            return PHYSICAL + 0x100 * i;
        }
    }
    ck_assert_uint_lt(firmware.message_count, 2);
    firmware.messages[firmware.message_count++] = pointer;
    return PHYSICAL + 0x100 * (firmware.message_count - 1);
}

static void firmware_answer_tag(volatile uint32_t *tag)
{
    switch (tag[0]) {
    case TAG_CLOCK_RATE:
        tag[2] = 0x80000008;
        tag[4] = 48000000;
        break;
    case TAG_ARM_MEMORY:
        tag[2] = 0x80000008;
        tag[3] = 0;
        tag[4] = 0x3b400000;
        break;
    default:
        tag[2] = firmware.qemu ? 0x80000000 : 0;
        break;
    }
}

static void firmware_answer(uint32_t word)
{
    unsigned index = ((word & 0x3ffffff0u) - PHYSICAL) / 0x100;
    ck_assert_uint_lt(index, firmware.message_count);
    volatile uint32_t *message = (volatile uint32_t *)(uintptr_t)firmware.messages[index];

    ck_assert_uint_eq(word & 0xcu << 28, 0xcu << 28);
    ck_assert_uint_eq(word & 0xfu, 8);
    volatile uint32_t *tag = message + 2;
    for (; *tag != 0; tag += 3 + tag[1] / 4) {
        firmware_answer_tag(tag);
    }
    ck_assert_uint_eq(message[0], (uint32_t)(tag + 1 - message) * 4);
    message[1] = firmware.mood == REFUSES ? 0x80000001 : 0x80000000;
}

static uint32_t mailbox_model_read(uintptr_t address)
{
    if (address == STATUS1) {
        return firmware.mood == STUFFED ? FULL : 0;
    }
    if (address == STATUS) {
        return firmware.waiting == 0 ? EMPTY : 0;
    }
    ck_assert_uint_eq(address, READ);
    ck_assert_uint_gt(firmware.waiting, 0);
    firmware.waiting--;
    if (firmware.strangers > 0) {
        firmware.strangers--;
        return 0xdeadbe08;
    }
    return firmware.word;
}

static void mailbox_model_write(uintptr_t address, uint32_t value)
{
    ck_assert_uint_eq(address, WRITE);
    firmware.word = value;
    if (firmware.mood != MUTE) {
        firmware_answer(value);
        firmware.waiting = firmware.strangers + 1;
    }
}

static const struct fake_model model = {BASE, BASE + 0x3c, mailbox_model_read, mailbox_model_write};

static void setup(void)
{
    fake_reset();
    fake_add_model(&model);
    firmware.mood = ANSWERS;
    firmware.strangers = 0;
    firmware.waiting = 0;
    firmware.qemu = false;
}

START_TEST(a_message_has_the_right_shape)
{
    uint32_t clock = 2;
    uint32_t rate = 0;

    ck_assert_int_eq(mailbox_ask_one(TAG_CLOCK_RATE, &clock, &rate), 0);
    ck_assert_uint_eq(rate, 48000000);
    ck_assert_uint_eq(firmware.word, 0xc0000000u | PHYSICAL | 8);
    ck_assert_uint_eq(firmware.messages[0][0], 32);
    ck_assert_uint_eq(firmware.messages[0][2], TAG_CLOCK_RATE);
    ck_assert_uint_eq(firmware.messages[0][3], 8);
    ck_assert_uint_eq(firmware.messages[0][5], 2);
    ck_assert_uint_eq((uintptr_t)firmware.messages[0] % 64, 0);
    ck_assert_str_eq(fake_trace(), "R 3f00b8b8 00000000\n"
                                   "barrier\n"
                                   "W 3f00b8a0 c0123408\n"
                                   "R 3f00b898 00000000\n"
                                   "R 3f00b880 c0123408\n"
                                   "barrier\n");
}
END_TEST

START_TEST(several_tags_go_in_one_message)
{
    struct mailbox_item items[3] = {{TAG_CLOCK_RATE, 2, {4, 0}, 0},
                                    {TAG_SET_EXPANDER, 2, {130, 1}, 0},
                                    {TAG_ARM_MEMORY, 2, {0, 0}, 0}};

    ck_assert_int_eq(mailbox_ask(items, 3), 0);
    ck_assert_uint_eq(items[0].answered, 8);
    ck_assert_uint_eq(items[1].answered, 0);
    ck_assert_uint_eq(items[2].answered, 8);
    ck_assert_uint_eq(items[2].values[1], 0x3b400000);
    ck_assert_uint_eq(fake_trace_count("W 3f00b8a0"), 1);
}
END_TEST

START_TEST(words_for_others_are_skipped)
{
    uint32_t clock = 2;
    uint32_t rate = 0;

    firmware.strangers = 3;
    ck_assert_int_eq(mailbox_ask_one(TAG_CLOCK_RATE, &clock, &rate), 0);
    ck_assert_uint_eq(fake_trace_count("R 3f00b880"), 4);
}
END_TEST

START_TEST(unknown_tags_are_told)
{
    uint32_t pin = 130;
    uint32_t level = 1;

    firmware.qemu = _i != 0;
    ck_assert_int_eq(mailbox_ask_one(TAG_SET_EXPANDER, &pin, &level), -EIO);
    ck_assert_uint_eq(level, 1);
}
END_TEST

START_TEST(a_refusal_is_an_error)
{
    uint32_t clock = 2;
    uint32_t rate = 7;

    firmware.mood = REFUSES;
    ck_assert_int_eq(mailbox_ask_one(TAG_CLOCK_RATE, &clock, &rate), -EIO);
    ck_assert_uint_eq(rate, 7);
}
END_TEST

START_TEST(no_wait_is_for_ever)
{
    uint32_t clock = 2;
    uint32_t rate = 0;

    fake_trace_enable(false);
    firmware.mood = _i != 0 ? MUTE : STUFFED;
    ck_assert_int_eq(mailbox_ask_one(TAG_CLOCK_RATE, &clock, &rate), -ETIMEDOUT);
    ck_assert_uint_ge(fake_now(), 1000000);
    ck_assert_uint_lt(fake_now(), 2000000);
    /* The lock is free again. */
    firmware.mood = ANSWERS;
    ck_assert_int_eq(mailbox_ask_one(TAG_CLOCK_RATE, &clock, &rate), 0);
}
END_TEST

START_TEST(telling_does_not_wait)
{
    firmware.mood = MUTE;
    mailbox_tell(TAG_SET_EXPANDER, 130, 1);
    ck_assert_uint_eq(fake_trace_count("W 3f00b8a0"), 1);
    uint64_t before = fake_now();
    mailbox_tell(TAG_SET_EXPANDER, 130, 0);
    ck_assert_uint_eq(fake_trace_count("W 3f00b8a0"), 1);
    ck_assert_uint_eq(fake_now(), before);
    /* The answer comes at last; the next wish goes out. */
    firmware_answer(firmware.word);
    firmware.waiting = 1;
    mailbox_tell(TAG_SET_EXPANDER, 130, 0);
    ck_assert_uint_eq(fake_trace_count("W 3f00b8a0"), 2);
    ck_assert_uint_eq(firmware.waiting, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pi3-mailbox");
    TCase *tests = tcase_create("mailbox");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, a_message_has_the_right_shape);
    tcase_add_test(tests, several_tags_go_in_one_message);
    tcase_add_test(tests, words_for_others_are_skipped);
    tcase_add_loop_test(tests, unknown_tags_are_told, 0, 2);
    tcase_add_test(tests, a_refusal_is_an_error);
    tcase_add_loop_test(tests, no_wait_is_for_ever, 0, 2);
    tcase_add_test(tests, telling_does_not_wait);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
